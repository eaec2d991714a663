# The command run: the whole plan, unattended.
#
# Where the plan is, only the status tells: run may be stopped at any time and
# started again, and others may promote or roll back meanwhile.

readonly hook_seconds=600  # on_stage_end may take as long
readonly progress_every=60 # seconds between two lines of progress

line_open=''
seen='' hooked='' again='' shown='' shown_at=0 lost=''

# one event, as a line of text or of JSON
emit() {
	local event=$1 text=$2

	if [[ $json ]]; then
		jq -c --arg event "$event" --arg text "$text" --argjson plan "$plan" \
			--arg position "$position" --arg left "$left" \
			--arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" '
            . as $split
            | ($position | tonumber? // 0) as $at
            | { time: $time, event: $event, split: $split.split,
                stage: $split.stage.name, state: $split.state,
                verdict: ($split.verdict // "pending"),
                position: $at, stages: ($plan | length),
                share: (if $at > 0 then $plan[$at - 1].share else null end),
                left: ($left | tonumber? // null), text: $text }
            | with_entries(select(.value != null and .value != ""))
            ' <<<"${split:-null}"
	else
		clear_line
		printf '%s  %s\n' "$(date +'%Y-%m-%d %H:%M:%S')" "$text"
	fi
}

clear_line() {
	if [[ $line_open ]]; then
		printf '\r\033[K'
		line_open=''
	fi
}

# the stage under way in a few words
describe_stage() {
	jq -nr "$words"'
        $plan[$at - 1] as $stage
        | "\($stage.name), \($at) of \($plan | length), \($stage.share): "
            + (if $left > 0 then "\($left | span) of \($stage.time | span) left"
                else "its \($stage.time | span) are over" end)
            + (if $why == "" then ", go" else ", \($why)" end)' \
		--argjson plan "$plan" --argjson at "$position" \
		--argjson left "$left" --arg why "${why%%; * of the stage are left}"
}

# a line when something changed, and each minute
show_progress() {
	local key verdict

	verdict=$(jq -r '.verdict // "pending"' <<<"$split")
	key=$stage:$verdict:$((left > 0))

	if [[ $seen != "$stage" ]]; then
		emit stage "$(describe_stage)"
	elif [[ $shown != "$key" ]]; then
		emit verdict "$(describe_stage)"
	elif ((SECONDS - shown_at >= progress_every)); then
		emit progress "$(describe_stage)"
	elif [[ -t 1 && ! $json && ${TERM-dumb} != dumb ]]; then
		line_open=yes
		printf '\r\033[K\033[?7l%s\033[?7h' "$(describe_stage)"
		return
	else
		return 0
	fi

	seen=$stage
	shown=$key
	shown_at=$SECONDS
}

# The operator's command at the end of a stage, with its name.  Whatever it
# does, it stops no change.
run_hook() {
	local hook code=0

	read -ra hook <<<"${setting[on_stage_end]-}"
	if ((${#hook[@]} == 0)); then
		return
	fi

	emit hook "$stage: ${setting[on_stage_end]} $stage"

	CANARY_VERDICT=$1 timeout -k 10 "$hook_seconds" "${hook[@]}" "$stage" \
		</dev/null >&2 8<&- &
	wait $! || code=$?

	case $code in
	0) ;;
	124 | 137) warn "on_stage_end of \"$stage\" took longer than \
$hook_seconds s" ;;
	*) warn "on_stage_end of \"$stage\" failed with $code" ;;
	esac
}

# ends the run where it is
stop_run() {
	clear_line
	fail "stopped${stage:+ in stage \"$stage\"}: $1"
}

# the next stage, by a canaryctl of its own with the same settings
begin_next() {
	local out code=0 error

	out=$("$self" --json promote --to "$next_stage" 2>/dev/null 8<&-) || code=$?

	while read -r error; do
		warn "$error"
	done < <(jq -r '.warnings // [] | .[]' <<<"$out")

	if ((code == 0)); then
		return
	fi
	error=$(jq -r '.error // ""' <<<"$out") || true
	if ((code != exit_pending)); then
		stop_run "stage \"$next_stage\" is not begun: ${error:-status $code}"
	fi
}

# looks at the split once, and does what is due; after that, $again is set if
# the next look is not to wait
step() {
	again=''
	if ! { fetch_split && judge; }; then
		if [[ ! $seen$lost ]]; then
			fail "$http_error"
		fi
		if [[ ! $lost ]]; then
			emit lost "no status, asking again: $http_error"
		fi
		lost=yes
		return
	fi
	if [[ $lost ]]; then
		lost=''
		emit found 'the status is there again'
	fi

	stage=$(jq -r '.stage.name // ""' <<<"$split")
	state=$(jq -r .state <<<"$split")
	generation=$(jq -r '.generation // ""' <<<"$split")

	if [[ ! $seen ]] && is_marked; then
		fail "not run, $why; \"canaryctl resume\" re-arms it"
	fi
	if [[ ! $seen && $outcome == rolled_back ]]; then
		fail "not run, ${setting[upstream]} is $why; \"canaryctl resume\" \
re-arms it"
	fi

	case $outcome in
	rolled_back | rollback)
		record_decision rollback "$why" || true
		run_hook rollback
		stop_run "$why"
		;;
	begin)
		if [[ $seen ]]; then
			stage=$seen
			stop_run "somebody else ended it, the split is $state"
		fi
		begin_next
		again=yes
		return
		;;
	esac

	show_progress
	if [[ $outcome != ready ]]; then
		return
	fi

	# the same stage may come twice, but not at the same moment
	if [[ $hooked != "$(jq -c .stage.started_at <<<"$split")" ]]; then
		hooked=$(jq -c .stage.started_at <<<"$split")
		record_decision go "all gates pass and the time is over" || true
		run_hook go
		again=yes
		return
	fi
	if [[ ! $next_stage ]]; then
		clear_line
		if [[ ! $json ]]; then
			printf '%s: the plan is done\n' "${setting[upstream]}"
		fi
		succeed
	fi
	begin_next
	again=yes
}

# One for each split: two of them would each do what is due at the end of a
# stage.
lock_run() {
	local file

	locate_split_file || fail "$change_error"
	file=$split_dir/.${split_file##*/}.run
	if ! { exec 8>>"$file"; } 2>/dev/null; then
		fail "\"$file\" cannot be written"
	fi
	if ! flock -n 8; then
		fail "another canaryctl run for ${setting[upstream]} is at work"
	fi
}

command_run() {
	local name

	only_options interval
	no_operands
	check_interval
	need_plan

	# for promote and the hook; a settings file that is edited meanwhile does
	# not change the plan under way
	for name in "${!setting[@]}"; do
		export "CANARYCTL_${name^^}=${setting[$name]}"
	done
	export CANARYCTL_BY=$by
	if [[ ${given[conf]-} ]]; then
		export CANARYCTL_CONF=${given[conf]}
	fi

	lock_run

	while :; do
		step
		if [[ ! $again ]]; then
			# a signal ends "wait" at once, but not a command in the foreground
			sleep "$interval" 8<&- &
			wait $! || true
		fi
	done
}
