# The commands of canaryctl that only read: status, verdict, watch.

interval=1 count='' colour='' cursor_hidden=''

# one screen of text from $split; colours where $1 is not empty
render_split() {
	jq -r --arg colour "$1" '
        def clean: tostring | gsub("[[:cntrl:]]"; "?");
        def paint($code):
            if $colour == "" then . else "\u001b[\($code)m\(.)\u001b[0m" end;
        def right($width): ((" " * ($width - length)) // "") + .;
        def left($width): . + ((" " * ($width - length)) // "");
        def digits($n): (. * $n | round) / $n | tostring;
        def percent:
            if type == "number" then "\(. * 100 | digits(10000))%"
            else "-" end;
        def rate:
            if type == "number" then "\(digits(100)) r/s" else "-" end;
        def latency:
            if type != "number" then "-"
            elif . < 0.001 then "\(. * 1000000 | digits(1)) us"
            elif . < 1 then "\(. * 1000 | digits(100)) ms"
            else "\(digits(1000)) s" end;
        def number: if type == "number" then tostring else "-" end;
        def span:
            floor
            | if . < 120 then "\(.) s"
              elif . < 7200 then "\(. / 60 | floor) min \(. % 60) s"
              elif . < 172800 then
                  "\(. / 3600 | floor) h \(. % 3600 / 60 | floor) min"
              else "\(. / 86400 | floor) d \(. % 86400 / 3600 | floor) h" end;
        def moment: floor | strflocaltime("%Y-%m-%d %H:%M:%S");
        def hue:
            if . == "active" or . == "pass" or . == "go" then "32"
            elif . == "rolled_back" or . == "fail" or . == "rollback"
            then "31"
            else "33" end;
        def state: hue as $hue | clean | paint($hue);

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
                + " (\(.stage.elapsed // 0 | span))" end),
        "",
        (("" | left(20))
            + ([$variants[].key | clean | right($width) | paint("1")]
                | join(""))),
        row("share"; .share | percent),
        row("share configured"; .configured_share | percent),
        row("stage   requests"; .stage.requests | number),
        row("        errors"; .stage.errors | number),
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
        row("        forced"; .total.forced | number),
        "unkeyed             \(.unkeyed | number | right($width))",
        (if (.gates // [] | length) == 0 then empty
            else "", (.gates[]
                | "\(.status | clean | left(8) as $text | hue as $hue
                    | $text | paint($hue))"
                    + "\(.variant | clean) \(.metric | clean)"
                    + " \(.rule | clean) \(.limit | clean):"
                    + " \(.reason | clean)") end),
        (if (.journal // [] | length) == 0 then empty
            else "", (.journal[-3:][]
                | "\(.time | moment)  \(.event | clean)"
                    + "  \(.text | clean)") end)' <<<"$split"
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
		jq -r '
            def clean: tostring | gsub("[[:cntrl:]]"; "?");
            (if .state == "rolled_back" then
                "rolled back: \(.reason // "" | clean)" else empty end),
            (if (.gates // [] | length) == 0 then "there are no gates"
                else .gates[] | "\(.status) \(.variant) \(.metric) \(.rule)"
                    + " \(.limit): \(.reason)" | clean end)' <<<"$split"
	fi

	case $verdict in
	go) exit 0 ;;
	rollback) exit "$exit_failed" ;;
	*) exit "$exit_pending" ;;
	esac
}

command_watch() {
	local n=0 screen live='' last

	only_options count interval
	no_operands
	need url
	if [[ ! $interval =~ ^[0-9]{1,4}(\.[0-9]{1,3})?$ ||
		$interval =~ ^[0.]*$ ]]; then
		wrong_usage "invalid interval \"$interval\", it must be 0.001 to 9999 \
seconds"
	fi
	if [[ ${given[count]+x} && ! $count =~ ^[1-9][0-9]{0,8}$ ]]; then
		wrong_usage "invalid count \"$count\""
	fi

	use_colour
	if [[ -t 1 && ${TERM-dumb} != dumb && ! $json ]]; then
		live=yes
		cursor_hidden=yes
		printf '\033[?25l\033[2J'
	fi

	while :; do
		last=0
		if fetch_split; then
			if [[ $json ]]; then
				screen=$split
			else
				screen=$(render_split "$colour")
			fi
		else
			# a reload or restart ends; the next picture shows it
			last=$exit_failed
			screen="canaryctl: $http_error"
			if [[ $json ]]; then
				screen=$(jq -nc --arg error "$http_error" '{ error: $error }')
			fi
		fi

		if [[ $live ]]; then
			# in place, without flicker: each line clears its own rest
			printf '\033[H%s\033[K\n\033[J' "${screen//$'\n'/$'\033[K\n'}"
		else
			printf '%s\n' "$screen"
		fi

		n=$((n + 1))
		if [[ $count ]] && ((n >= count)); then
			exit "$last"
		fi
		if [[ ! $live && ! $json ]]; then
			printf '\n'
		fi

		# a signal ends "wait" at once, but not a command in the foreground
		sleep "$interval" &
		wait $! || true
	done
}
