# The commands of canaryctl that show once how a split does: status, verdict.

interval=1 colour=''

# one screen of text from $split; colours where $1 is not empty
render_split() {
	jq -r --arg colour "$1" --argjson plan "$plan" "$words"'
        def paint($code):
            if $colour == "" then . else "\u001b[\($code)m\(.)\u001b[0m" end;
        def moment: floor | strflocaltime("%Y-%m-%d %H:%M:%S");
        def hue:
            if . == "active" or . == "pass" or . == "go" then "32"
            elif . == "rolled_back" or . == "fail" or . == "rollback"
            then "31"
            else "33" end;
        def state: hue as $hue | clean | paint($hue);

        # cells of one line each, but for the last
        def table:
            ([.[] | .[:-1] | map(length)] | transpose | map(max)) as $widths
            | .[] | . as $line
            | [range(0; $widths | length) as $i
                | $line[$i] | left($widths[$i])
                | if $i == 0 then paint($line[0] | hue) else . end]
            + [$line[-1]]
            | join("  ") | sub(" +$"; "");

        def gates:
            (map(.variant) | unique | length > 1) as $several
            | [["gate", (if $several then "variant" else empty end),
                "metric", "limit", "actual", "window", "samples", "evidence",
                "reason"],
              (.[] | .metric as $metric
                | [.status, (if $several then .variant else empty end),
                    .metric, bound,
                    (.actual | quantity($metric)),
                    (.window | quantity($metric)),
                    "\(.samples | number) of \(.min | number)", evidence,
                    .reason // ""]
                | map(clean))]
            | table;

        # a row for each figure that an event has
        def events($variants; $width):
            def row($title; value):
                ($title | clean | left(20)) + ([$variants[].key as $name
                    | .[$name].stage | value | right($width)] | join(""));
            def any_of(value): any(.[].stage; value | type == "number");
            to_entries[] | .key as $event | .value
            | row($event; .count | number),
              (if any_of(.unique)
                then row("        users"; .unique | number) else empty end),
              (if any_of(.value.count)
                then row("        mean"; .value
                        | if (.count // 0) > 0 then .sum / .count
                          else null end | number),
                    row("        p95"; .value.p95 | number)
                else empty end);

        ([.variants | to_entries[] | select(.value.role == "baseline")]
            + [.variants | to_entries[] | select(.value.role != "baseline")])
            as $variants
        | ([$variants[].key | clean | length] + [12] | max + 2) as $width
        | def row($title; value):
            ($title | left(20))
            + ([$variants[].value | value | right($width)] | join(""));

        "\(.split | clean | paint("1"))  \(.state | state)"
            + "  generation \(.generation // "-")"
            + "  verdict \(.verdict // "pending" | state)",
        (if (.reason // "") == "" then empty
            else "reason: \(.reason | clean)" end),
        (if (.stage.started_at | type) != "number" then empty
            else "stage \(.stage.name // "" | if . == "" then "(no name)"
                else . end | clean),"
                + " since \(.stage.started_at | moment)"
                + " (\(.stage.elapsed // 0 | span))" + rest($plan) end),
        "",
        (("" | left(20))
            + ([$variants[].key | clean | right($width) | paint("1")]
                | join(""))),
        row("share"; .share | percent),
        row("share configured"; .configured_share | percent),
        row("stage   requests"; .stage.requests | number),
        row("        errors"; .stage.errors | number),
        row("        aborted"; .stage.aborted | number),
        row("        retries"; .stage.retries | number),
        row("        error rate"; .stage.error_rate | percent),
        row("        throughput"; .stage.throughput | rate),
        row("        p50"; .stage.latency.p50 | latency),
        row("        p95"; .stage.latency.p95 | latency),
        row("        p99"; .stage.latency.p99 | latency),
        (if any($variants[].value.window.requests; type == "number")
            then
                row("window  requests"; .window.requests | number),
                row("        error rate"; .window.error_rate | percent),
                row("        throughput"; .window.throughput | rate),
                row("        p50"; .window.latency.p50 | latency),
                row("        p95"; .window.latency.p95 | latency),
                row("        p99"; .window.latency.p99 | latency)
            else empty end),
        row("total   requests"; .total.requests | number),
        row("        errors"; .total.errors | number),
        row("        fallbacks"; .total.fallbacks | number),
        row("        aborted"; .total.aborted | number),
        row("        retries"; .total.retries | number),
        row("        forced"; .total.forced | number),
        "unkeyed             \(.unkeyed | number | right($width))",
        "bypassed            \(.bypassed | number | right($width))",
        (if (.events // {} | length) == 0 then empty
            else "", "events of the stage",
                (.events | events($variants; $width)) end),
        (if (.gates // [] | length) == 0 then empty
            else "", (.gates | gates) end),
        (if (.journal // [] | length) == 0 then empty
            else "", (.journal[-3:][]
                | "\(.time | moment)  \(.event | clean)"
                    + "  \(.text | clean)") end)' <<<"$split"
}

# for the time that is left; a wrong plan is told, and shown as none
glance_at_plan() {
	if [[ ${setting[stages]-} ]] && ! read_plan; then
		warn "the plan cannot be read: $plan_error"
	fi
}

# whether this is a terminal for colours; not in $(..), which is none
use_colour() {
	colour=''
	if [[ -t 1 && ! ${NO_COLOR-} && ${TERM-dumb} != dumb ]]; then
		colour=yes
	fi
}

command_status() {
	only_options
	no_operands
	need url
	fetch_split || fail "$http_error"
	glance_at_plan

	if [[ $json ]]; then
		printf '%s\n' "$split"
	else
		use_colour
		render_split "$colour"
	fi
}

command_verdict() {
	local verdict

	only_options
	no_operands
	need url
	fetch_split || fail "$http_error"

	verdict=$(jq -r '
        if .state == "rolled_back" then "rollback"
        else .verdict // "pending" end' <<<"$split")

	if [[ $json ]]; then
		jq -c --arg verdict "$verdict" '
            { split, verdict: $verdict, state, reason: (.reason // ""),
              generation, gates: (.gates // []) }' <<<"$split"
	else
		printf '%s\n' "$verdict"
		jq -r "$words"'
            (if .state == "rolled_back" then
                "rolled back: \(.reason // "" | clean)"
                elif held == "" then empty else held end),
            (if (.gates // [] | length) == 0 then "there are no gates"
                else .gates[] | "\(.status | clean) \(gate_line)" end)
            ' <<<"$split"
	fi

	case $verdict in
	go) exit 0 ;;
	rollback) exit "$exit_failed" ;;
	*) exit "$exit_pending" ;;
	esac
}

check_interval() {
	if [[ ! $interval =~ ^[0-9]{1,4}(\.[0-9]{1,3})?$ ||
		$interval =~ ^[0.]*$ ]]; then
		wrong_usage "invalid interval \"$interval\", it must be 0.001 to 9999 \
seconds"
	fi
}
