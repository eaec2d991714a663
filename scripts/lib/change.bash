# The commands of canaryctl that change the share: set, rollback, resume.

describe_change() {
	printf '%s: %s %s -> %s%s, generation %s, %s, in %s s\n' \
		"${setting[upstream]}" "${setting[canary]}" "${from:-none}" "$share" \
		"${stage:+, stage $stage}" "$generation" "$state" "$seconds"
}

command_set() {
	only_options stage reason
	if ((${#operands[@]} != 1)); then
		wrong_usage '"set" needs one SHARE'
	fi
	share=${operands[0]}
	if ! is_share "$share"; then
		wrong_usage "invalid share \"$share\", it must be 0% to 100% with up \
to four decimals, or \"off\""
	fi
	if [[ ${given[stage]+x} ]] &&
		[[ ! $stage || $stage == *[$name_forbidden]* ]]; then
		wrong_usage "invalid stage \"$stage\""
	fi
	need url upstream canary split_file nginx

	# a slip of the pen would make promote begin the plan anew
	if [[ $stage && ${setting[stages]-} ]] && read_plan &&
		! in_plan "$stage"; then
		warn "stage \"$stage\" is not in the plan"
	fi

	lock_split_file || fail "$change_error"
	change_share
}

# brings $share and $stage into force, under the lock, and ends the command
change_share() {

	# only the first split file ever can come before the status
	note_generation || [[ ! -e $split_file ]] || fail "$http_error"
	keep_stage

	started=${EPOCHREALTIME/./}
	replace_split_file || fail "$change_error"

	if ! reload; then
		if [[ $phase == sent ]]; then
			trap '' INT TERM HUP
			# a master that was only slow shall not end up with our file
			put_back
			"${nginx[@]}" -s reload >/dev/null 2>&1 9<&- || true
		fi
		fail "$change_error"
	fi
	phase=''

	if [[ ! $json ]]; then
		describe_change
	fi
	if [[ $state == rolled_back ]]; then
		warn "the split is still rolled back, no request reaches a canary \
until \"canaryctl resume\""
	fi
	succeed
}

command_rollback() {
	only_options reason
	no_operands
	need url upstream canary split_file nginx
	roll_back
}

# in force at once, then in the split file; ends the command
roll_back() {
	local safe='' lock=0 post_seconds

	share=off
	stage=''

	started=${EPOCHREALTIME/./}
	if [[ ${setting[control_url]-} ]]; then
		if post rollback; then
			safe=yes
			seconds=$(decimal $((${EPOCHREALTIME/./} - started)))
			post_seconds=$seconds
			if [[ ! $json ]]; then
				printf '%s: rolled back in %s s, %s\n' \
					"${setting[upstream]}" "$seconds" \
					'no request reaches a canary'
			fi
		else
			warn "not rolled back at once: $http_error"
		fi
	fi

	# a canaryctl that hangs cannot be allowed to keep the canary in the file
	lock_split_file || lock=$?
	if ((lock == 2)); then
		warn "$change_error; going on without the lock"
		lock=0
	fi

	note_generation || true
	keep_stage
	started=${EPOCHREALTIME/./}

	if ((lock != 0)) || ! replace_split_file; then
		change_error="the split file is not changed: $change_error"
	elif reload; then
		if [[ ! $json ]]; then
			describe_change
		fi
		seconds=${post_seconds-$seconds}
		succeed
	else
		change_error="\"$split_file\" says off, but $change_error"
	fi

	if [[ ! $safe ]]; then
		fail "$change_error"
	fi
	warn "$change_error"
	succeed
}

command_resume() {
	only_options reason
	no_operands
	need control_url upstream

	started=${EPOCHREALTIME/./}
	if ! post resume; then
		fail "not resumed: $http_error"
	fi
	seconds=$(decimal $((${EPOCHREALTIME/./} - started)))

	if [[ ! $json ]]; then
		if [[ $changed == true ]]; then
			printf '%s: resumed in %s s, %s\n' "${setting[upstream]}" \
				"$seconds" "$state"
		else
			printf '%s: was not rolled back, %s\n' "${setting[upstream]}" \
				"$state"
		fi
	fi
	succeed
}
