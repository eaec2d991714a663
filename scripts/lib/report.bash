# How a command of canaryctl ends: messages, the result as JSON, the log of
# changes.

readonly text_max=4096 # bytes of a warning or an error in the records

json='' warnings=() jq_missing=''

# what is known of the change under way, for the result and changes.log
share='' stage='' reason='' by=''
from='' generation='' state='' seconds='' changed='' change_error=''

wrong_usage() {
	printf 'canaryctl: %s\n' "$1" >&2
	printf '%s\n' 'usage: canaryctl [OPTION]... COMMAND' \
		'    status | verdict | watch | set SHARE | rollback | resume' \
		'    | promote | run | preflight | decide go|rollback' \
		'    | incident TEXT' \
		'"canaryctl --help" tells more' >&2
	if [[ $json ]]; then
		result_json failed "$1"
	fi
	exit "$exit_usage"
}

warn() {
	printf 'canaryctl: warning: %s\n' "$1" >&2
	warnings+=("$1")
}

# ends a command that was refused or failed; a split file on trial is put back
fail() {
	trap '' INT TERM HUP
	if [[ $phase == trial ]]; then
		put_back
	fi
	printf 'canaryctl: %s\n' "$1" >&2
	if [[ $command == @(set|rollback|resume|promote|run) ]]; then
		log_change failed "$1"
	fi
	if [[ $json ]]; then
		result_json failed "$1"
	fi
	exit "$exit_failed"
}

# what may be done later, but not yet: no change, and no failure to log
refuse_yet() {
	printf 'canaryctl: %s\n' "$1" >&2
	if [[ $json ]]; then
		result_json pending "$1"
	fi
	exit "$exit_pending"
}

succeed() {
	log_change "done" ''
	if [[ $json ]]; then
		result_json "done" ''
	fi
	exit 0
}

# one line of JSON that tells what was done; empty fields are left out, and of
# what nginx said no more is kept than a command may have as an argument
result_json() {
	local text said=()

	if [[ $jq_missing ]]; then
		return 1
	fi

	for text in "${warnings[@]}"; do
		said+=("${text:0:text_max}")
	done

	jq -nc \
		--arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" --arg by "$by" \
		--arg command "$command" --arg split "${setting[upstream]-}" \
		--arg canary "${setting[canary]-}" --arg from "$from" \
		--arg to "$share" --arg stage "$stage" --arg reason "$reason" \
		--arg result "$1" --arg error "${2:0:text_max}" --arg state "$state" \
		--arg generation "$generation" --arg seconds "$seconds" \
		--arg changed "$changed" --arg forced "$force" \
		--arg decision "$decision" '
        (if $command == "run" then { event: "end" } else {} end) + {
            time: $time, by: $by, command: $command, split: $split,
            canary: $canary, from: $from, to: $to, stage: $stage,
            decision: $decision, reason: $reason,
            forced: (if $forced == "" then "" else true end),
            result: $result, error: $error, state: $state,
            generation: ($generation | tonumber? // ""),
            seconds: ($seconds | tonumber? // ""),
            changed: (if $changed == "" then "" else $changed == "true" end),
            warnings: $ARGS.positional
        }
        | with_entries(select(.value != "" and .value != []))' \
		--args "${said[@]}"
}

# the evidence of who changed what and why; its absence stops no change
log_change() {
	local line

	if [[ ${setting[evidence_dir]-} ]] && line=$(result_json "$1" "$2"); then
		append_evidence changes.log "$line" \
			'the change is not logged there' || true
	fi
}

finish() {
	local status=$?

	trap '' INT TERM HUP
	if [[ $phase == trial ]]; then
		put_back
	fi
	if [[ $fresh ]]; then
		rm -f -- "$fresh"
	fi
	if [[ $previous ]]; then
		rm -f -- "$previous"
	fi
	if [[ $line_open ]]; then
		printf '\n'
	fi
	if [[ $cursor_hidden ]]; then
		printf '\n\033[?25h'
	fi
	exit "$status"
}

interrupted() {
	local job

	trap '' INT TERM HUP

	if [[ $rehearsal ]] && ! re_arm; then
		warn "the rehearsed rollback may be in force: $http_error"
	fi
	# The hook of run.  Its pid may not be noted yet, nor may timeout know what
	# it has just started: all of its group is told.
	for job in $(jobs -p); do
		kill -- "-$job" "$job" 2>/dev/null || true
	done
	clear_line

	case $command:$phase in
	watch:*) exit 0 ;;
	set:sent | promote:sent) fail "interrupted: nginx was told to reload with \
\"$split_file\", which says $share; see \"canaryctl status\"" ;;
	rollback:*) fail "interrupted${state:+, the split is $state}; see \
\"canaryctl status\"" ;;
	run:*) fail "interrupted${stage:+ in stage \"$stage\"}; started again, it \
goes on where the split is then" ;;
	*) fail 'interrupted, nothing was changed' ;;
	esac
}
