# How a command of canaryctl ends: messages, the result as JSON, the log of
# changes.

json='' warnings=()

# what is known of the change under way, for the result and changes.log
share='' stage='' reason='' by=''
from='' generation='' state='' seconds='' changed='' change_error=''

wrong_usage() {
	printf 'canaryctl: %s\n' "$1" >&2
	printf '%s\n' 'usage: canaryctl [OPTION]... COMMAND' \
		'    status | set SHARE | rollback | resume | verdict | watch' \
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
	if [[ $command == @(set|rollback|resume) ]]; then
		log_change failed "$1"
	fi
	if [[ $json ]]; then
		result_json failed "$1"
	fi
	exit "$exit_failed"
}

succeed() {
	log_change "done" ''
	if [[ $json ]]; then
		result_json "done" ''
	fi
	exit 0
}

# one line of JSON that tells what was done; empty fields are left out
result_json() {
	jq -nc \
		--arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" --arg by "$by" \
		--arg command "$command" --arg split "${setting[upstream]-}" \
		--arg canary "${setting[canary]-}" --arg from "$from" \
		--arg to "$share" --arg stage "$stage" --arg reason "$reason" \
		--arg result "$1" --arg error "$2" --arg state "$state" \
		--arg generation "$generation" --arg seconds "$seconds" \
		--arg changed "$changed" '
        {
            time: $time, by: $by, command: $command, split: $split,
            canary: $canary, from: $from, to: $to, stage: $stage,
            reason: $reason, result: $result, error: $error, state: $state,
            generation: ($generation | tonumber? // ""),
            seconds: ($seconds | tonumber? // ""),
            changed: (if $changed == "" then "" else $changed == "true" end),
            warnings: $ARGS.positional
        }
        | with_entries(select(.value != "" and .value != []))' \
		--args "${warnings[@]}"
}

# the evidence of who changed what and why; its absence stops no change
log_change() {
	local dir=${setting[evidence_dir]-} log

	if [[ ! $dir ]]; then
		return
	fi
	log=$dir/changes.log

	# a FIFO or device would block, or swallow the line
	if ! mkdir -p -- "$dir" 2>/dev/null ||
		[[ -e $log && ! -f $log ]] ||
		! { result_json "$1" "$2" >>"$log"; } 2>/dev/null; then
		warn "\"$log\" cannot be written, the change is not logged there"
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
	if [[ $cursor_hidden ]]; then
		printf '\033[?25h'
	fi
	exit "$status"
}

interrupted() {
	trap '' INT TERM HUP

	case $command:$phase in
	watch:*) exit 0 ;;
	set:sent) fail "interrupted: nginx was told to reload with \
\"$split_file\", which says $share; see \"canaryctl status\"" ;;
	rollback:*) fail "interrupted${state:+, the split is $state}; see \
\"canaryctl status\"" ;;
	*) fail 'interrupted, nothing was changed' ;;
	esac
}
