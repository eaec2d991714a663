# The command rollback.  Nothing keeps it from happening: what is wrong with a
# text, a setting, the disk or the configuration is said, and it goes on.

remote=''

# for the rest of the command; it would be the wrong end of it
let_nothing_stop_it() {
	lenient=yes
	set +eu
}

command_rollback() {
	only_options reason remote
	no_operands
	need_for_rollback
	roll_back
}

# one of both ways must be open, the other one is told about when it is tried
need_for_rollback() {
	if [[ $remote ]]; then
		need control_url
	elif [[ ! ${setting[control_url]-} ]]; then
		need canary split_file
	fi
}

# in force at once, then in the split file; ends the command
roll_back() {
	local safe='' post_seconds=''

	share=off
	stage=''

	if [[ ${setting[control_url]-} ]]; then
		roll_back_at_once && safe=yes
		post_seconds=$seconds
	fi
	if [[ $remote ]]; then
		if [[ ! $safe ]]; then
			fail "not rolled back: $http_error"
		fi
		succeed
	fi

	if roll_back_split_file; then
		seconds=${post_seconds:-$seconds}
		succeed
	fi
	seconds=$post_seconds
	if [[ ! $safe ]]; then
		fail "$change_error"
	fi
	warn "$change_error"
	succeed
}

roll_back_at_once() {
	started=${EPOCHREALTIME/./}
	if [[ ! ${setting[upstream]-} ]]; then
		find_split
	fi
	if ! post rollback; then
		if [[ ! $remote ]]; then
			warn "not rolled back at once: $http_error"
		fi
		return 1
	fi

	seconds=$(decimal $((${EPOCHREALTIME/./} - started)))
	if [[ ! $json ]]; then
		printf '%s: rolled back in %s s, %s\n' "${setting[upstream]-}" \
			"$seconds" 'no request reaches a canary'
	fi
}

# Without its name, the only split there is: by the status, or by the location
# around that of canary_control.
find_split() {
	local around=${setting[control_url]%/} url name

	for url in "${setting[url]-}" "${around%/*}"; do
		if [[ $url ]] &&
			name=$(ask --fail --max-time 2 -- "${url%/}/status.json" \
				2>/dev/null | jq -er '.splits | objects
                    | if length == 1 then keys[0] else empty end' \
				2>/dev/null); then
			setting[upstream]=$name
			return
		fi
	done
}

roll_back_split_file() {
	local name lock=0

	for name in canary split_file; do
		if [[ ! ${setting[$name]-} ]]; then
			change_error="the split file is not changed: \"$name\" is not set"
			return 1
		fi
	done

	# a canaryctl that hangs cannot be allowed to keep the canary in the file
	lock_split_file || lock=$?
	if ((lock == 1)); then
		change_error="the split file is not changed: $change_error"
		return 1
	fi
	if ((lock != 0)); then
		warn "$change_error; going on without the lock"
	fi

	note_generation
	keep_stage
	mark
	started=${EPOCHREALTIME/./}

	bounded=(timeout -k 1 "$timeout")
	if ! replace_split_file && ! overwrite_split_file; then
		change_error="the split file is not changed: $change_error"
		return 1
	fi
	if ! reload; then
		change_error="\"$split_file\" says off, but $change_error"
		return 1
	fi

	# all shares may be 0 now with one of 0%, which re-arms
	if [[ $safe && $state != rolled_back ]] && ! post rollback; then
		warn "the split is $state, and not rolled back again: $http_error"
	fi
	if [[ ! $json ]]; then
		describe_change
	fi
}
