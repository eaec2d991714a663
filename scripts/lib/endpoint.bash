# What canaryctl asks of canary_status and canary_control, through curl.

readonly body_max=1024 # bytes of a form that canary_control takes

readonly by_max=192 # of them for who

readonly rehearsal_cause='&cause=rehearsal'

# The name of a split's stage, by jq.  "off" is none: after a rollback nginx
# keeps the name until the split is re-armed, and then the figures are gone.
# shellcheck disable=SC2034  # used by other parts
readonly stage_under_way='if .state == "off" then "" else .stage.name // "" end'

status='' split='' form='' http_error=''

# curl, for the address that is the last argument; whatever proxy the
# environment names, it is not asked for addresses of this machine
ask() {
	local address=${!#} direct=() host pattern

	host='(.*\.)?localhost\.?|127\.[0-9.]+|0\.0\.0\.0'
	host+='|\[(::|::1|::ffff:127\.[0-9.]+)\]'
	pattern="^([a-z]+://)?([^/]*@)?($host)(:[0-9]*)?([/?].*)?\$"
	if [[ ${address,,} =~ $pattern ]]; then
		direct=(--noproxy '*')
	fi
	curl -sS --netrc-optional "${direct[@]}" "$@"
}

# an address without the password that may be in it
shown() {
	if [[ $1 =~ ^([a-z]+://)[^/]*@(.*)$ ]]; then
		printf '%s%s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	else
		printf '%s\n' "$1"
	fi
}

# the text of status.json into $status; the error is in $http_error
ask_status() {
	local address

	if [[ ! ${setting[url]-} ]]; then
		http_error='"url" is not set'
		return 1
	fi
	address=${setting[url]%/}/status.json

	if ! status=$(ask --fail --max-time 5 -- "$address" 2>&1); then
		http_error="$(shown "$address"): $(tr -d '\000-\037' <<<"$status")"
		return 1
	fi
}

# the same, if that is a status of the module
fetch_status() {
	if ! ask_status; then
		return 1
	fi
	if ! jq -e '(.generation | numbers) and (.splits | objects)' \
		>/dev/null 2>&1 <<<"$status"; then
		http_error="$(shown "${setting[url]%/}/status.json") is no status of \
the canary module"
		return 1
	fi
}

# the split in question into $split, its name into setting[upstream]
fetch_split() {
	if ! fetch_status; then
		return 1
	fi

	if [[ ! ${setting[upstream]-} ]]; then
		setting[upstream]=$(jq -r '
            .splits | if length == 1 then keys[0] else "" end' <<<"$status")
		need upstream
	fi

	if ! split=$(jq -ce --arg name "${setting[upstream]}" '
        .time as $now | .splits[$name] | objects
        | { split: $name, time: $now } + .' <<<"$status"); then
		http_error="there is no split \"${setting[upstream]}\" in \
$(shown "${setting[url]}")"
		return 1
	fi
}

# POST of a verb to canary_control; 0 once the wanted state is in force
post() {
	local verb=$1 address=${setting[control_url]%/} out code error

	# without a name, it is the address of the split itself
	if [[ ${setting[upstream]-} ]]; then
		address+=/$(encode "${setting[upstream]}")
	fi
	address+=/$verb

	if ! out=$(ask --max-time 5 -w '\n%{http_code}' --data-binary "$form" \
		-- "$address" 2>&1); then
		http_error="$(shown "$address"): $(one_line "${out##*curl: }")"
		return 1
	fi
	code=${out##*$'\n'}
	out=${out%$'\n'*}

	# a module from before this cause gets it in the text
	if [[ $rehearsal && $form == *"$rehearsal_cause" && $code == 400 ]]; then
		make_form "rehearsal $rehearsal"
		post rollback
		return
	fi

	if [[ $verb == rollback && $form && $code == @(400|413|415) ]]; then
		warn "$(shown "$address"): HTTP status $code, once more without a text"
		form=''
		post rollback
		return
	fi

	# another location might answer 200 to anything
	if [[ $code != 200 ]] || ! in_state "$verb" "$out"; then
		error=$(jq -r '.error | strings | gsub("[[:cntrl:]]"; "?")' \
			2>/dev/null <<<"$out") || true
		http_error="$(shown "$address"): HTTP status $code${error:+, $error}"
		return 1
	fi

	read_answer "$out"
}

# whether the answer $2 shows the state that the verb $1 wants
in_state() {
	local pattern='"state": *"(off|rolled_back)"'

	if [[ $jq_missing ]]; then
		[[ $1 == rollback && $2 =~ $pattern ]]
		return
	fi
	jq -e --arg verb "$1" '
        .state | strings
        | if $verb == "rollback" then . != "active"
          elif $verb == "resume" then . != "rolled_back"
          else . end' >/dev/null 2>&1 <<<"$2"
}

# what an answer to a POST tells, with what an operator has to know of it
read_answer() {
	local fields=()

	if [[ $jq_missing ]]; then
		state=rolled_back
		return
	fi

	mapfile -t fields < <(jq -r '
        [.state, .changed // false, .generation // "", .split // "",
            .warning // "",
            (if .written == false then .error // "no reason" else "" end)]
        | .[] | tostring | gsub("[[:cntrl:]]"; "?")' <<<"$1")
	state=${fields[0]-}
	changed=${fields[1]-}
	generation=${fields[2]-}
	setting[upstream]=${setting[upstream]:-${fields[3]-}}

	if [[ ${fields[4]-} ]]; then
		warn "canary_control says: ${fields[4]}"
	fi
	if [[ ${fields[5]-} ]]; then
		warn "nginx does not have it in its state file, a restart would forget \
it: ${fields[5]}"
	fi
}

# a text of others as one line
one_line() {
	tr -s '\000-\037\177' ' ' <<<"$1"
}
