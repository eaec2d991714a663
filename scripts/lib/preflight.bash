# The command preflight: what must hold before the first stage, looked at and
# tried now.

readonly rehearsal_limit=20 # seconds that a rollback may take
readonly rehearsal_goal=1
readonly state_stale=60 # nginx writes it every 5 seconds

checks=() rehearse='' rehearsal='' metrics_url=''

# one line of the checklist: its key, its name, yes or nothing, and why
check() {
	checks+=("$(jq -nc --arg check "$1" --arg name "$2" --arg ok "$3" \
		--arg text "$4" '{ check: $check, name: $name, ok: ($ok != ""),
            text: ($text | gsub("[[:cntrl:]]+"; " ") | sub(" +$"; "")) }')")
}

check_configuration() {
	local out ok=''

	if out=$("${nginx[@]}" -t 2>&1); then
		ok=yes
		out="${setting[nginx]} -t"
	fi
	check configuration 'Configuration tested' "$ok" "$out"
}

check_status() {
	local name='Module and status endpoint answer'

	if ! fetch_split; then
		split=''
		check status "$name" '' "$http_error"
	elif ! jq -e --arg canary "${setting[canary]}" '
        .variants[$canary].configured_share | numbers' >/dev/null \
		<<<"$split"; then
		check status "$name" '' "there is no canary \"${setting[canary]}\" in \
the split \"${setting[upstream]}\""
		split=''
	else
		check status "$name" yes "version $(jq -r '
            "\(.version) in nginx \(.nginx_version)"' <<<"$status"), \
${setting[upstream]} is $(jq -r .state <<<"$split")"
	fi
}

# data of an answer of Prometheus' API, to standard output
ask_prometheus() {
	local address=${setting[prometheus]%/}/api/v1/$1 out

	if ! out=$(ask --fail --max-time 5 \
		-- "$address" 2>&1); then
		printf '%s: %s\n' "$(shown "$address")" "$out"
		return 1
	fi
	if ! jq -ce 'select(.status == "success") | .data' 2>/dev/null \
		<<<"$out"; then
		printf '%s is no answer of Prometheus\n' "$(shown "$address")"
		return 1
	fi
}

# $1: check, $2: name, $3: path of the API, $4: a jq program that gives
# { ok, text }
check_prometheus() {
	local answer result

	if [[ ! ${setting[prometheus]-} ]]; then
		check "$1" "$2" '' '"prometheus" is not set'
	elif ! answer=$(ask_prometheus "$3"); then
		check "$1" "$2" '' "$answer"
	elif ! result=$(jq -c --arg url "$metrics_url" "$4" 2>/dev/null \
		<<<"$answer"); then
		check "$1" "$2" '' "an answer of another form: $3"
	else
		check "$1" "$2" "$(jq -r 'if .ok then "yes" else "" end' \
			<<<"$result")" "$(jq -r .text <<<"$result")"
	fi
}

# shellcheck disable=SC2016  # jq's variables
check_monitoring() {
	metrics_url=${setting[metrics_url]-${setting[url]%/}/metrics}

	check_prometheus monitoring 'Monitoring scrapes it' \
		'targets?state=active' '
        def plain:
            sub("^(?<s>https?://)[^/]*@"; .s) | sub("[?#].*$"; "")
            | sub("^http://(?<h>[^/]*):80/"; "http://\(.h)/")
            | sub("^https://(?<h>[^/]*):443/"; "https://\(.h)/");
        ($url | plain) as $url
        | [.activeTargets[] | select(.scrapeUrl | plain == $url)]
        | if length == 0 then
            { ok: false, text: "no target is \($url)" }
          else
            (map(select(.health != "up"))[0] // .[0])
            | { ok: (.health == "up"),
                text: "\($url) is \(.health)\(
                    if .lastError == "" then "" else ": \(.lastError)" end)" }
          end'

	check_prometheus alert_rules 'Alert rules loaded' rules '
        [.groups[] | select(.name | test("^nginx_canary(_|$)")) | .rules[]]
        | map(select(.health == "err")) as $broken
        | map(select(.type == "alerting")) as $alerts
        | map(select(.state == "firing").name) as $firing
        | if ($alerts | length) == 0 then
            { ok: false, text: "there is no alert in a group nginx_canary" }
          elif ($broken | length) > 0 then
            { ok: false, text: ($broken[0] | "\(.name): \(.lastError)") }
          else
            { ok: true, text: "\($alerts | length) alerts\(
                if ($firing | length) == 0 then ""
                else ", firing: \($firing | join(", "))" end)" }
          end'

	check_prometheus alert_channel 'Alert channels configured' \
		alertmanagers '
        [.activeAlertmanagers[].url]
        | { ok: (length > 0), text: (if length > 0 then join(", ")
            else "Prometheus knows no Alertmanager" end) }'
}

check_state_file() {
	local name='State is written to the disk' result

	if [[ ! $split ]]; then
		check state_file "$name" '' 'there is no status'
		return
	fi

	result=$(jq -r "$words"'.time as $now | .state_file
        | if type != "object" then
            "", "no canary_state: a restart would forget a rollback"
          elif (.error // "") != "" then "", "\(.path): \(.error)"
          elif .written_at == null then "", "\(.path) was not written yet"
          elif $now - .written_at > $stale then
              "", "\(.path) was last written \($now - .written_at | span) ago"
          else "yes", .path end' --argjson stale "$state_stale" <<<"$split")
	check state_file "$name" "${result%%$'\n'*}" "${result#*$'\n'}"
}

# Rolls back and re-arms for real, where that moves no user: not while a canary
# has a share, unless told to.
check_rollback() {
	local name="Rollback rehearsed (<$rehearsal_limit s)" live before
	local began took ok=yes

	if [[ ! $split ]]; then
		check rollback "$name" '' 'not rehearsed, there is no status'
		return
	fi
	if [[ ! ${setting[control_url]-} ]]; then
		check rollback "$name" '' 'not rehearsed, "control_url" is not set'
		return
	fi
	if [[ $(jq -r .state <<<"$split") == rolled_back ]]; then
		check rollback "$name" '' "not rehearsed, it is rolled back: $(jq -r \
			.reason <<<"$split")"
		return
	fi
	live=$(jq -r "$words"'[.variants | to_entries[]
        | select(.value.role == "canary" and .value.configured_share > 0)
        | "\(.key) has \(.value.configured_share | percent)"]
        | join(", ")' <<<"$split")
	if [[ $live && ! $rehearse ]]; then
		check rollback "$name" '' "not rehearsed, $live; --rehearse does it \
all the same"
		return
	fi

	# re-armed, the stage begins anew
	keep_stage preflight
	before=$(in_force)
	rehearsal="$$-${EPOCHREALTIME/./}"
	make_form "$rehearsal"
	form+=$rehearsal_cause
	began=${EPOCHREALTIME/./}

	# without an answer it may be in force all the same
	if ! post rollback; then
		ok=$http_error
		re_arm || true
		check rollback "$name" '' "$ok"
		return
	fi
	if [[ $changed != true ]]; then
		rehearsal=''
		check rollback "$name" '' 'somebody else rolled back meanwhile'
		return
	fi
	if ! fetch_split || ! jq -e '.state == "rolled_back" and
        all(.variants[] | select(.role == "canary"); .share == 0)' \
		>/dev/null <<<"$split"; then
		ok=''
	fi
	took=$((${EPOCHREALTIME/./} - began))
	seconds=$(decimal "$took")

	if ! re_arm; then
		check rollback "$name" '' "in force in $seconds s, but not re-armed: \
$http_error; see \"canaryctl resume\""
	elif [[ ! $ok ]]; then
		check rollback "$name" '' 'the status does not show the rollback'
	elif [[ $(in_force) != "$before" ]]; then
		check rollback "$name" '' "in force in $seconds s, but re-armed it is \
not as it was"
	elif ((took >= rehearsal_limit * 1000000)); then
		check rollback "$name" '' "it took $seconds s"
	elif ((took >= rehearsal_goal * 1000000)); then
		check rollback "$name" yes "in force in $seconds s, more than the goal \
of $rehearsal_goal s; re-armed"
	else
		check rollback "$name" yes "in force in $seconds s, re-armed"
	fi
}

# what a rehearsal must leave as it was
in_force() {
	jq -Sc '[.state, .generation, .stage.name,
        (.variants | map_values([.share, .configured_share]))]' <<<"$split"
}

# Takes the rehearsal back, if it is what holds the latch: not the rollback of
# somebody else.
re_arm() {
	local mine=$rehearsal

	rehearsal=''
	if ! fetch_split; then
		return 1
	fi
	if jq -e --arg mine "$mine" '.state == "rolled_back"
        and (.reason | endswith($mine))' >/dev/null <<<"$split"; then
		make_form "rehearsal $mine"
		post resume && fetch_split
	fi
}

# lines of "role | name | date" as a JSON list, with what is wrong with each
read_signoffs() {
	jq -Rnc --arg today "$(date -u -d tomorrow +%F)" '
        [inputs | sub("#.*$"; "") | select(test("[^[:space:]]"))
            | [splits("\\|") | sub("^[[:space:]]+"; "")
                | sub("[[:space:]]+$"; "")]
            | { role: .[0], name: .[1], date: .[2],
                error: (if length != 3 or .[0] == ""
                    then "not a line of role | name | date"
                    elif .[1] == "" then "nobody is named"
                    elif .[2] == "" then "missing"
                    elif (.[2] | try (strptime("%Y-%m-%d") | mktime
                        | strftime("%Y-%m-%d")) catch "") != .[2]
                    then "\"\(.[2])\" is no date such as 2026-01-31"
                    elif .[2] > $today then "the date is still to come"
                    else null end) }]' <"$1"
}

# shellcheck disable=SC2016  # jq's variables
check_signoffs() {
	local file=${setting[signoffs]-} list error='' result=() filter

	if [[ ! $file ]]; then
		error='"signoffs" is not set'
	elif [[ ! -f $file || ! -r $file ]] ||
		! list=$(read_signoffs "$file" 2>/dev/null); then
		error="\"$file\" cannot be read"
	fi
	if [[ $error ]]; then
		check on_call 'On-call rotation confirmed' '' "$error"
		check sign_offs 'Sign-offs obtained' '' "$error"
		return
	fi

	filter='
        map(select((.role | test("^on[- ]?call\\b"; "i")) == $on_call))
        | map(select(.error)) as $open
        | (if length == 0 then
                "", (if $on_call then "no line is about on-call"
                    else "there is no stakeholder" end)
            elif $open != [] then
                "", ([$open[] | "\(.role): \(.error)"] | join("; "))
            else
                "yes", ([.[] | "\(.role): \(.name), \(.date)"] | join("; "))
            end), length'

	mapfile -t result < <(jq -r --argjson on_call true "$filter" <<<"$list")
	check on_call 'On-call rotation confirmed' "${result[0]}" "${result[1]}"

	mapfile -t result < <(jq -r --argjson on_call false "$filter" <<<"$list")
	check sign_offs "Sign-offs obtained (stakeholders: ${result[2]})" \
		"${result[0]}" "${result[1]}"
}

# the checklist as it was the last time, for the evidence
keep_checklist() {
	local dir=${setting[evidence_dir]-} file fresh

	if [[ ! $dir ]]; then
		return
	fi
	file=$dir/preflight.json
	if ! { mkdir -p -- "$dir" && fresh=$(mktemp -- "$dir/.preflight.XXXXXX") &&
		printf '%s\n' "$1" >"$fresh" && chmod 644 -- "$fresh" &&
		mv -fT -- "$fresh" "$file"; } 2>/dev/null; then
		rm -f -- "${fresh:-}"
		warn "\"$file\" cannot be written, the checklist is not kept there"
	fi
}

command_preflight() {
	local list

	only_options rehearse
	no_operands
	need url upstream canary nginx

	check_configuration
	check_status
	check_monitoring
	check_state_file
	check_rollback
	check_signoffs

	list=$(printf '%s\n' "${checks[@]}" | jq -sc --arg by "$by" \
		--arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" \
		--arg split "${setting[upstream]}" --arg canary "${setting[canary]}" \
		--arg seconds "$seconds" '
        { time: $time, by: $by, command: "preflight", split: $split,
            canary: $canary, ok: all(.[]; .ok),
            rollback_seconds: ($seconds | tonumber? // null), checks: . }')
	keep_checklist "$list"

	if [[ $seconds ]]; then
		reason='rehearsal of a rollback'
		stage=$(jq -r '.stage.name // ""' <<<"$split")
		log_change "done" ''
	fi

	if [[ $json ]]; then
		printf '%s\n' "$list"
	else
		jq -r '(.checks[] | "[\(if .ok then "x" else " " end)] \(.name)\(
            if .text == "" then "" else ": \(.text)" end)"), "",
            "\([.checks[] | select(.ok)] | length) of \(.checks | length) hold"
            ' <<<"$list"
	fi

	if ! jq -e .ok >/dev/null <<<"$list"; then
		exit "$exit_failed"
	fi
}
