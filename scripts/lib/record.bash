# The commands decide and incident: what people say about a stage, with time
# and name, into the evidence and into the module's journal.

decision=''

# Adds a line of JSON to a file of the evidence folder.  Whatever is in the
# way, the change that it tells of is not stopped.
append_evidence() {
	local name=$1 line=$2 dir=${setting[evidence_dir]-}

	# a FIFO or device would block, or swallow the line
	if ! mkdir -p -- "$dir" 2>/dev/null ||
		[[ -e $dir/$name && ! -f $dir/$name ]] ||
		! { printf '%s\n' "$line" >>"$dir/$name"; } 2>/dev/null; then
		warn "\"$dir/$name\" cannot be written, $3"
		return 1
	fi
}

# Keeps the status of the stage that a change is about to end or to begin anew,
# for its evidence, as $1 or by the stage's name: nginx forgets its figures.  No
# change waits for more than that, or fails.
keep_stage() {
	local dir=${setting[evidence_dir]-}/kept fresh name=${1-} n=1

	if [[ ! ${setting[evidence_dir]-} || ! ${setting[url]-} ]] ||
		! { mkdir -p -- "$dir" &&
			fresh=$(mktemp -- "$dir/.status.XXXXXX"); } 2>/dev/null; then
		return 0
	fi
	if ! ask --fail --max-time 5 -o "$fresh" \
		-- "${setting[url]%/}/status.json?histograms=1" 2>/dev/null; then
		name=''
	elif [[ ! $name ]]; then
		name=$(jq -er --arg name "${setting[upstream]-}" '
            .splits[$name].stage.name | strings
            | select(test("^$|^[.-]|/") | not)' "$fresh" 2>/dev/null) || true
	fi

	# the same stage once before, which was begun anew since
	if [[ $name && -e $dir/$name.json ]] &&
		[[ $(began "$dir/$name.json") != "$(began "$fresh")" ]]; then
		while [[ -e $dir/$name.$n.json ]]; do
			n=$((n + 1))
		done
		mv -T -- "$dir/$name.json" "$dir/$name.$n.json" 2>/dev/null || true
	fi
	if [[ ! $name ]] ||
		! { chmod 644 -- "$fresh" && mv -fT -- "$fresh" "$dir/$name.json"; } \
			2>/dev/null; then
		rm -f -- "$fresh"
	fi
}

# when the stage of a status that was kept began
began() {
	jq -c --arg name "${setting[upstream]-}" \
		'.splits[$name].stage.started_at' "$1" 2>/dev/null || true
}

# what is said, a "decision" or an "incident": the members $2 to file $3, the
# text $4 to the journal; 1 if neither has it
record() {
	local verb=$1 members=$2 file=$3 text=$4 line recorded=''

	line=$(jq -c --argjson members "$members" --arg by "$by" \
		--arg name "${setting[upstream]-}" \
		--arg canary "${setting[canary]-}" --arg stage "$stage" \
		--arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" '
        . as $split
        | { time: $time, by: $by, split: $name, canary: $canary, stage: $stage }
        + $members
        + { state: $split.state, verdict: $split.verdict,
            share: $split.variants[$canary].share,
            elapsed: $split.stage.elapsed, generation: $split.generation }
        | with_entries(select(.value != null and .value != ""))
        ' <<<"${split:-null}")

	if [[ ! ${setting[evidence_dir]-} ]]; then
		warn "evidence_dir is not set, no file has this $verb"
	elif append_evidence "$file" "$line" "it does not have this $verb"; then
		recorded=yes
	fi

	if [[ ! ${setting[control_url]-} || ! ${setting[upstream]-} ]]; then
		warn "control_url is not set, the journal does not have this $verb"
	else
		make_form "$text"
		if post "$verb"; then
			recorded=yes
		else
			warn "the journal does not have this $verb: $http_error"
		fi
	fi

	[[ $recorded ]]
}

# go or rollback, and why, for $stage
record_decision() {
	local members

	members=$(jq -nc --arg decision "$1" --arg reason "$2" \
		--arg command "$command" '
        { decision: $decision, reason: $reason }
        + if $command == "run" then { automatic: true } else {} end')

	record decision "$members" decisions.jsonl "$1${stage:+ for $stage}: $2"
}

# the stage that is decided on: the one given, or that of the status
choose_stage() {
	local current='' idle=''

	if [[ $split ]]; then
		current=$(jq -r "$stage_under_way" <<<"$split")
		idle=$(jq -r --arg canary "${setting[canary]-}" '
            if .state == "off" or .variants[$canary].configured_share == 0
            then "yes" else "" end' <<<"$split")
	fi

	if [[ ! ${given[stage]+x} ]]; then
		stage=$current
		if [[ ! $stage && $idle ]]; then
			stage=baseline
		fi
		return
	fi

	if [[ $stage != "$current" && $stage != baseline ]] &&
		{ ! read_plan || ! in_plan "$stage"; }; then
		mistake "unknown stage \"$stage\", the plan has $(describe_plan)"
	fi
}

command_decide() {
	local held

	only_options stage why
	if ((${#operands[@]} != 1)) ||
		[[ ${operands[0]} != @(go|rollback) ]]; then
		wrong_usage '"decide" needs "go" or "rollback"'
	fi
	decision=${operands[0]}
	if [[ ! $reason && ! $lenient ]]; then
		wrong_usage '"decide" needs --why TEXT'
	fi
	if [[ $decision == rollback ]]; then
		need_for_rollback
	else
		need url
	fi

	if ! fetch_split; then
		if [[ $decision == go ]]; then
			fail "not decided: $http_error"
		fi
		warn "$http_error"
	fi
	choose_stage

	if [[ $decision == go ]]; then
		if [[ ! $stage ]]; then
			fail 'not decided: the stage has no name, tell it by --stage'
		fi
		held=$(jq -r "$words"'held' <<<"$split")
		if [[ $held ]]; then
			warn "the verdict is not go: $held"
		fi
		record_decision go "$reason" ||
			fail 'not decided: no place to record it could be written'
		if [[ ! $json ]]; then
			printf '%s: go for %s, by %s\n' "${setting[upstream]}" "$stage" \
				"$by"
		fi
		end_record
	fi

	# in vain or not, the canary comes out of traffic
	record_decision rollback "$reason" || true
	command=rollback
	make_form "$reason"
	roll_back
}

command_incident() {
	only_options
	if ((${#operands[@]} != 1)) || [[ ! ${operands[0]} ]]; then
		wrong_usage '"incident" needs one TEXT'
	fi
	reason=${operands[0]}
	check_text
	need url

	# that there is no status may be the incident
	if ! fetch_split; then
		warn "$http_error"
	fi
	choose_stage

	record incident "$(jq -nc --arg text "$reason" '{ text: $text }')" \
		incidents.jsonl "$reason" ||
		fail 'no place to record the incident could be written'
	if [[ ! $json ]]; then
		printf '%s: incident noted%s, by %s\n' "${setting[upstream]-}" \
			"${stage:+ in $stage}" "$by"
	fi
	end_record
}

# changes.log is for changes: there was none
end_record() {
	if [[ $json ]]; then
		result_json "done" ''
	fi
	exit 0
}
