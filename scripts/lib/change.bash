# The commands set and resume, and what is common to all that change a share.

# set if a change re-arms the split once its share is loaded
rearm=''

describe_change() {
	printf '%s: %s %s -> %s%s, generation %s, %s, in %s s\n' \
		"${setting[upstream]}" "${setting[canary]}" "${from:-none}" "$share" \
		"${stage:+, stage $stage}" "$generation" "$state" "$seconds"
}

command_set() {
	only_options stage reason force
	need_reason
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
	if [[ $share != off && $share =~ [1-9] ]] && is_rolled_back; then
		if [[ ! $force ]]; then
			fail "not set, $why; \"canaryctl resume\" re-arms it, or --force \
with a --reason loads the share and then re-arms it"
		fi
		if latch_reason >/dev/null; then
			need control_url
		fi
		rearm=yes
	fi
	change_share
}

need_reason() {
	if [[ $force && ! $reason ]]; then
		wrong_usage '--force needs a --reason'
	fi
}

# whether somebody rolled back, and nobody re-armed; $why says who
is_rolled_back() {
	local latched

	if is_marked; then
		return 0
	fi
	latched=$(latch_reason) || return 1
	why="${setting[upstream]} is rolled back: $latched"
}

# the reason of the latch in $status, or in the one of now
latch_reason() {
	if [[ ! $status ]]; then
		fetch_status || return 1
	fi
	jq -er --arg name "${setting[upstream]}" '.splits[$name]
        | select(.state == "rolled_back") | .reason // ""
        | gsub("[[:cntrl:]]"; "?")' <<<"$status" 2>/dev/null
}

# brings $share and $stage into force, under the lock, and ends the command
change_share() {

	# only the first split file ever can come before the status
	note_generation || [[ ! -e $split_file ]] || fail "$http_error"
	keep_stage

	started=${EPOCHREALTIME/./}
	replace_split_file || fail "$change_error"

	reload || take_back
	if [[ $rearm && $state == rolled_back ]]; then
		make_form "$reason"
		if ! post resume; then
			change_error="not re-armed: $http_error"
			take_back
		fi
	fi
	phase=''
	if [[ $share != off && $state != rolled_back ]]; then
		unmark
	fi

	if [[ ! $json ]]; then
		describe_change
	fi
	if [[ $state == rolled_back ]]; then
		warn "the split is still rolled back, no request reaches a canary \
until \"canaryctl resume\""
	fi
	succeed
}

# ends a change that failed, with the file before
take_back() {
	if [[ $phase == sent ]]; then
		trap '' INT TERM HUP
		# a master that was only slow shall not end up with our file
		put_back
		"${nginx[@]}" -s reload >/dev/null 2>&1 9<&- || true
	fi
	fail "$change_error"
}

command_resume() {
	local shares='' before=''

	only_options reason
	no_operands
	need upstream
	if [[ ! ${setting[control_url]-} ]] && ! is_marked; then
		need control_url
	fi

	# nginx begins the stage anew
	keep_stage

	started=${EPOCHREALTIME/./}
	if [[ ${setting[control_url]-} ]]; then
		post resume || fail "not resumed: $http_error"
	elif ! fetch_split; then
		fail "not resumed: $http_error"
	else
		state=$(jq -r .state <<<"$split")
		if [[ $state == rolled_back ]]; then
			need control_url
		fi
		changed=true
	fi
	seconds=$(decimal $((${EPOCHREALTIME/./} - started)))
	if is_marked; then
		unmark
		before=yes
	fi

	if [[ ${setting[url]-} ]] && fetch_split; then
		state=$(jq -r .state <<<"$split")
		share=$(share_of "${setting[canary]-}")
		shares=$(describe_shares)
	else
		warn "what share is in force is not known: $http_error"
	fi

	if [[ ! $json ]]; then
		if [[ $changed == true || $before ]]; then
			printf '%s: resumed in %s s, %s%s\n' "${setting[upstream]}" \
				"$seconds" "$state" "${shares:+, $shares}"
		else
			printf '%s: was not rolled back, %s%s\n' "${setting[upstream]}" \
				"$state" "${shares:+, $shares}"
		fi
	fi
	succeed
}

# a canary's share in force, as the split file writes it
share_of() {
	jq -r --arg canary "$1" "$words"'
        .variants[$canary].share | numbers | percent' <<<"$split"
}

describe_shares() {
	jq -r "$words"'
        [.variants | to_entries[]
            | select(.value.role == "canary" and .value.share > 0)
            | "\(.key | clean) has \(.value.share | percent)"]
        | if length == 0 then "no canary has a share" else join(", ") end
        ' <<<"$split"
}
