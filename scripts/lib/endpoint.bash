# What canaryctl asks of canary_status and canary_control, through curl.

readonly body_max=1024 # bytes of a form that canary_control takes

status='' split='' form='' http_error=''

# an address without the password that may be in it
shown() {
	if [[ $1 =~ ^([a-z]+://)[^/]*@(.*)$ ]]; then
		printf '%s%s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	else
		printf '%s\n' "$1"
	fi
}

# status.json into $status; the error is in $http_error
fetch_status() {
	local address=${setting[url]%/}/status.json

	if ! status=$(curl -sS --fail --netrc-optional --max-time 5 \
		-- "$address" 2>&1); then
		http_error="$(shown "$address"): $(tr -d '\000-\037' <<<"$status")"
		return 1
	fi
	if ! jq -e '(.generation | numbers) and (.splits | objects)' \
		>/dev/null 2>&1 <<<"$status"; then
		http_error="$(shown "$address") is no status of the canary module"
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

# the body of a POST: who, and the text $1
make_form() {
	form=$(jq -rn --arg by "$by" --arg reason "$1" \
		'"by=\($by | @uri)&reason=\($reason | @uri)"')
}

# POST of a verb to canary_control; 0 once the wanted state is in force
post() {
	local verb=$1 address out code error

	address=${setting[control_url]%/}/$(jq -rn \
		--arg name "${setting[upstream]}" '$name | @uri')/$verb

	if ! out=$(curl -sS --netrc-optional --max-time 5 -w '\n%{http_code}' \
		--data-binary "$form" -- "$address" 2>&1); then
		http_error="$(shown "$address"): $(grep -o 'curl: .*' <<<"$out")"
		return 1
	fi
	code=${out##*$'\n'}
	out=${out%$'\n'*}

	# another location might answer 200 to anything
	if [[ $code != 200 ]] || ! jq -e --arg verb "$verb" '
        .state | strings
        | if $verb == "rollback" then . != "active"
          elif $verb == "resume" then . != "rolled_back"
          else . end
        ' >/dev/null 2>&1 <<<"$out"; then
		error=$(jq -r '.error | strings | gsub("[[:cntrl:]]"; "?")' \
			2>/dev/null <<<"$out") || true
		http_error="$(shown "$address"): HTTP status $code${error:+, $error}"
		return 1
	fi

	state=$(jq -r .state <<<"$out")
	changed=$(jq -r '.changed // false' <<<"$out")
	generation=$(jq -r '.generation // ""' <<<"$out")
}
