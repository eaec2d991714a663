# The command watch: the status page's view, again and again, in a terminal.

count='' cursor_hidden='' view='' resized=''

# what the last good picture was of: the split's name or "", and both texts
shown_name='' shown_status='' shown_history='' lost_since=''

# lines and columns of the terminal, 0: it has no end
rows=0 columns=80 terminal=''

# status.json and, for one split, history.json; what is wrong is in $http_error
fetch_picture() {
	local name history=''

	if ! ask_status; then
		return 1
	fi
	if ! name=$(jq -er --arg name "${setting[upstream]-}" '
        if (.generation | type) != "number" or (.splits | type) != "object"
        then empty
        elif $name == "" then
            .splits | if length == 1 then keys[0] else "" end
        elif .splits[$name] | type == "object" then $name
        else false end' 2>/dev/null <<<"$status"); then
		http_error="$(shown "${setting[url]}") has no status of the canary \
module"
		if [[ $name == false ]]; then
			http_error="there is no split \"${setting[upstream]}\" in \
$(shown "${setting[url]}")"
		fi
		return 1
	fi

	# a module before history.json goes without curves
	if [[ $name && ! $json ]]; then
		history=$(ask --fail --max-time 5 -- \
			"${setting[url]%/}/history.json?upstream=$(encode "$name")" \
			2>/dev/null) || history=''
	fi

	shown_name=$name
	shown_status=$status
	shown_history=$history
}

# the last picture; with a text for why there is none that is newer
draw_picture() {
	jq -rn --rawfile status <(printf %s "$shown_status") \
		--rawfile history <(printf %s "$shown_history") \
		--arg name "$shown_name" --arg lost "${1-}" --arg since "$lost_since" \
		--argjson rows "$rows" --argjson columns "$columns" \
		--arg utf8 "$utf8" --arg colour "$colour" --argjson plan "$plan" \
		"$words$view"
}

# the picture as a line of JSON
json_picture() {
	jq -c --arg name "$shown_name" '
        if $name == "" then .
        else { split: $name, time } + .splits[$name] end' <<<"$shown_status"
}

# A line may fill the last column but one: in the last one, a terminal would
# clear the character when it is told to clear the rest of the line.
measure_terminal() {
	local size=()

	read -ra size < <(stty size <&"$terminal" 2>/dev/null) || true
	rows=${size[0]:-0}
	columns=80
	if ((${size[1]:-0} > 0 && size[1] <= columns)); then
		columns=$((size[1] - 1))
	fi
}

# in place, without flicker: each line clears its own rest, the last one what
# is below; and a line that is wider than it should be does not wrap
redraw() {
	local clear=''

	if [[ $resized ]]; then
		clear=$'\033[2J'
		resized=''
	fi
	printf '%s\033[?7l\033[H%s\033[K\033[J\033[?7h' "$clear" \
		"${1//$'\n'/$'\033[K\n'}"
}

# a signal ends "wait" at once, but not a command in the foreground
nap() {
	local pid

	sleep "$1" &
	pid=$!
	wait "$pid" || true
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true # without a word about it
}

command_watch() {
	local n=0 screen live='' last

	only_options count interval
	no_operands
	need url
	check_interval
	if [[ ${given[count]+x} && ! $count =~ ^[1-9][0-9]{0,8}$ ]]; then
		wrong_usage "invalid count \"$count\""
	fi

	glance_at_plan
	view=$(<"$lib/columns.jq")$(<"$lib/watch.jq")
	use_colour
	if [[ -t 1 && ${TERM-dumb} != dumb && ! $json ]]; then
		live=yes
		exec {terminal}>&1
		cursor_hidden=yes
		resized=yes
		trap 'resized=yes' WINCH
		printf '\033[?25l'
	fi

	while :; do
		if [[ $live ]]; then
			measure_terminal
		fi

		last=0
		if fetch_picture && make_screen; then
			lost_since=''
		else
			# a reload or restart ends; the next picture shows it
			last=$exit_failed
			lost_since=${lost_since:-$EPOCHSECONDS}
			if [[ $json ]]; then
				screen=$(jq -nc --arg error "$http_error" '{ error: $error }')
			elif [[ $live ]]; then
				screen=$(draw_picture "$http_error")
			else
				screen="canaryctl: $http_error"
			fi
		fi

		if [[ $live ]]; then
			redraw "$screen"
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

		nap "$interval"
		if [[ $resized ]]; then
			nap 0.1 # more of it, while somebody pulls at the window
		fi
	done
}

# the screen of what was just fetched
make_screen() {
	if [[ $json ]]; then
		screen=$(json_picture)
	elif ! screen=$(draw_picture 2>/dev/null); then
		http_error="the status of $(shown "${setting[url]}") cannot be shown"
		shown_status=''
		return 1
	fi
}
