# Testing and reloading nginx, and waiting until the new generation serves.

before='' started='' since=''

# what each nginx is run by, where it must not hang
bounded=()

# the newest [emerg] line in nginx's main error log since $1, a local time as
# nginx writes it; empty if there is none, or the log is not a file
logged_reason() {
	local since=$1 log prefix='' n built

	built=$("${bounded[@]}" "${nginx[@]}" -V 2>&1 9<&-) || return 0
	log=$("${bounded[@]}" "${nginx[@]}" -T 2>/dev/null 9<&- | awk '
        { sub(/#.*/, "") }
        depth == 0 && $1 == "error_log" {
            sub(/;.*/, "", $2)
            print $2
            exit
        }
        { depth += gsub(/\{/, "") - gsub(/\}/, "") }') || true
	if [[ ! $log && $built =~ --error-log-path=([^[:space:]]+) ]]; then
		log=${BASH_REMATCH[1]}
	fi

	if [[ $log != /* ]]; then
		if [[ $built =~ --prefix=([^[:space:]]+) ]]; then
			prefix=${BASH_REMATCH[1]}
		fi
		for ((n = 1; n < ${#nginx[@]}; n++)); do
			if [[ ${nginx[n]} == -p ]]; then
				prefix=${nginx[n + 1]-}
			fi
		done
		log=$prefix/$log
	fi

	if [[ -f $log && -r $log ]]; then
		tail -n 1000 -- "$log" | awk -v since="$since" '
            substr($0, 1, 19) >= since && /\[emerg\]/ {
                sub(/^.*\[emerg\] [0-9#]+: /, "")
                last = $0
            }
            END { print last }' | tr -d '\000-\011\013-\037'
	fi
}

# whether $status shows a generation after $before that has the wanted share
# and stage; prints the generation and the split's state
served() {
	jq -er --argjson before "$before" --arg name "${setting[upstream]}" \
		--arg canary "${setting[canary]}" --arg share "$share" \
		--arg stage "$stage" '
        .generation as $generation | .splits[$name] | objects
        | select($generation > $before.all
            or (.generation // 0) > $before.split)
        | select($stage == "" or .stage.name == $stage)
        | (if $share == "off" then 0
            else ($share | rtrimstr("%") | tonumber / 100) end) as $wanted
        | select((.variants[$canary].configured_share | numbers)
            - $wanted | fabs < 1e-9)
        | "\(.generation // $generation) \(.state)"' <<<"$status" 2>/dev/null
}

# Waits until the new generation serves, and does so in three answers in a
# row: one alone could be read while the master gives up.
await_generation() {
	local deadline seen=0 first answer=''

	if [[ $jq_missing || ! ${setting[url]-} ]]; then
		change_error='nobody looked whether nginx serves it'
		return 1
	fi

	deadline=$((${EPOCHREALTIME/./} + timeout * 1000000))

	while ((${EPOCHREALTIME/./} < deadline)); do
		if fetch_status && answer=$(served); then
			if ((seen++ == 0)); then
				first=${EPOCHREALTIME/./}
			fi
			if ((seen == 3)); then
				read -r generation state <<<"$answer"
				seconds=$(decimal $((first - started)))
				return 0
			fi
		else
			seen=0
		fi
		sleep 0.05
	done

	if ! fetch_status; then
		change_error="no status within $timeout s of the reload: $http_error"
		return 1
	fi
	change_error=$(logged_reason "$since")
	if [[ $change_error ]]; then
		change_error="nginx refused the reload: $change_error"
	elif jq -e --argjson before "$before" '.generation > $before.all' \
		>/dev/null <<<"$status"; then
		change_error="nginx was reloaded, but does not serve \
${setting[canary]} $share${stage:+ in stage $stage}: does the upstream \
${setting[upstream]} of this configuration include \"$split_file\"?"
	else
		change_error="nginx did not take the new configuration within \
$timeout s; its error log says why"
	fi
	return 1
}

# microseconds as seconds with three decimals
decimal() {
	printf '%d.%03d' $(($1 / 1000000)) $(($1 / 1000 % 1000))
}

# tests, reloads and waits; the reason of a failure is in $change_error
reload() {
	local out failed=''

	if ! out=$("${bounded[@]}" "${nginx[@]}" -t 2>&1 9<&-); then
		change_error="the configuration test failed: $out"
		return 1
	fi

	since=$(date +'%Y/%m/%d %H:%M:%S')

	# nobody shall have to guess whether the signal was sent
	trap '' INT TERM HUP
	out=$("${bounded[@]}" "${nginx[@]}" -s reload 2>&1 9<&-) || failed=yes
	if [[ ! $failed && $phase == trial ]]; then
		phase=sent
	fi
	trap interrupted INT TERM HUP

	if [[ $failed ]]; then
		change_error="nginx could not be told to reload: $out"
		return 1
	fi

	await_generation
}

# what the status tells before the change, for served()
note_generation() {
	before='{ "all": 0, "split": 0 }'
	if fetch_status; then
		before=$(jq -c --arg name "${setting[upstream]}" '{
            all: .generation,
            split: (.splits[$name].generation // 0) }' <<<"$status")
		return 0
	fi
	return 1
}
