# Collects one stage, or all of them into the final report.

stages='[]' collected='[]' lessons=null output=''

collect() {
	need url upstream canary stages
	read_stages
	if [[ $command != @(baseline|final) ]] &&
		! jq -e --arg stage "$command" 'any(.[]; .stage == $stage)' \
			<<<"$stages" >/dev/null; then
		wrong_usage "unknown stage \"$command\", it must be one of: baseline \
$(jq -r 'map(.stage) | join(" ")' <<<"$stages") final"
	fi
	if [[ ${setting[sources]-} ]]; then
		read_sources_file "${setting[sources]}"
	fi
	open_folder

	if [[ $command == final ]]; then
		collect_final
	else
		collect_stage
	fi
	place
}

# the plan as canaryctl reads it; names of stages become names of files
read_stages() {
	if ! read_plan; then
		wrong_usage "the plan \"${setting[stages]}\" cannot be read: \
$plan_error"
	fi
	stages=$(jq -c '[to_entries[] | { position: (.key + 1),
        stage: .value.name, share: .value.share, time: .value.time }]' \
		<<<"$plan")
	if jq -e 'any(.[].stage;
        test("^[.-]|^(baseline|final|verify|MANIFEST)$"))' \
		<<<"$stages" >/dev/null; then
		wrong_usage "the plan \"${setting[stages]}\" has a stage that no file \
can be named after"
	fi
}

# the folder, under a lock, and one in it for what is not finished
open_folder() {
	if ! mkdir -p -- "$evidence_dir" 2>/dev/null ||
		! temp=$(mktemp -d -- "$evidence_dir/.collect.XXXXXX" 2>/dev/null); then
		temp=''
		fail "\"$evidence_dir\" cannot be written"
	fi
	output=$temp/output
	mkdir -- "$output"
	exec 9<"$evidence_dir"
	if ! flock -w "$timeout" 9; then
		fail "another collect-evidence.sh has been at work for $timeout s"
	fi

	# what was collected before stays: STAGE, STAGE.2, STAGE.3 ..
	number=1
	file_name=$command
	while compgen -G "$evidence_dir/$file_name.[!0-9]*" >/dev/null; do
		number=$((number + 1))
		file_name=$command.$number
	done
}

# the newest document of a stage, its name without the ending
newest() {
	local stage=$1 n=1 name=''

	while [[ -e $evidence_dir/$stage.json ]]; do
		name=$stage
		n=$((n + 1))
		stage=$1.$n
	done
	printf '%s\n' "$name"
}

collect_stage() {
	local in_force now until before kept=$evidence_dir/kept/$command.json

	gather_status
	in_force=$(jq -r "$stage_under_way" <<<"$split")
	if [[ $in_force != "$command" && ! $status_file && -f $kept ]]; then
		status_file=$kept
		gather_status
		in_force=$(jq -r "$stage_under_way" <<<"$split")
	fi
	variant=${setting[canary]}
	if [[ $command == baseline ]]; then
		variant=${setting[upstream]}
		if jq -e --arg canary "${setting[canary]}" \
			'.variants[$canary].share > 0' <<<"$split" >/dev/null; then
			fail "the canary \"${setting[canary]}\" has a share already: the \
baseline is collected before"
		fi
	elif [[ $in_force != "$command" ]]; then
		fail "the stage in force is \"$in_force\", not \"$command\": a stage \
is collected before the next one begins"
	fi

	gather_metrics
	now=$(jq .time "$temp/status.json")
	from=$(jq .stage.started_at <<<"$split")
	to=$(jq --argjson now "$now" '
        .stage.started_at as $start
        | if .state == "rolled_back" then
            [.journal[] | select(.event == "rollback" and .time >= $start)
                | .time] | last // $now
          else $now end' <<<"$split")

	ask_sources
	printf '%s\n' "$sources" >"$temp/sources.json"

	# alerts about the end of a stage come after it
	until=$now
	if [[ $status_file ]]; then
		until=$(jq -n --argjson now "$now" '[$now + 60, now] | min')
	fi
	gather_alerts "$until"
	gather_screenshots
	gather_records

	before=$(newest baseline)
	printf 'null\n' >"$temp/baseline.json"
	if [[ $before && $command != baseline ]] &&
		! jq 'objects | { performance, analytics, security, resources }' \
			"$evidence_dir/$before.json" >"$temp/baseline.json"; then
		fail "\"$evidence_dir/$before.json\" cannot be read"
	fi

	write_document evidence-stage.jq -n "$now"
}

# the newest document of each stage, in the order of the plan
collect_final() {
	local now title stage name older files=() first

	while IFS=$'\t' read -r stage title; do
		name=$(newest "$stage")
		older=$(older_than "$stage" "$name")
		collected=$(jq -c --arg title "$title" --arg stage "$stage" \
			--arg name "$name" --argjson older "$older" \
			'. + [{ $stage, $title, $older,
                file: (if $name == "" then null else $name + ".md" end) }]' \
			<<<"$collected")
		if [[ $name ]]; then
			files+=("$evidence_dir/$name.json")
		fi
	done < <(jq -r '"baseline\tBaseline metrics snapshot (pre-canary)",
        (.[] | "\(.stage)\tStage \(.position) evidence (\(.share) traffic)")' \
		<<<"$stages")

	if ((${#files[@]} == 0)); then
		fail "no stage was collected in \"$evidence_dir\""
	fi
	if ! jq -s . "${files[@]}" >"$temp/stages.json" 2>/dev/null ||
		! jq -e 'all(.[]; .format == 1 and (.times.start | numbers))' \
			"$temp/stages.json" >/dev/null 2>&1; then
		fail "not every document in \"$evidence_dir\" is one of a stage: \
${files[*]##*/}"
	fi

	variant=${setting[canary]}
	now=$(date +%s.%3N)
	printf 'null\n' >"$temp/status.json"
	if ! first=$(gather_status 2>&1); then
		printf 'null\n' >"$temp/status.json"
		lacks "what happened since the last stage: ${first#collect-evidence: }"
	fi
	from=$(jq 'map(.times.start) | min' "$temp/stages.json")
	gather_alerts "$now"
	gather_records
	printf '[]\n' >"$temp/sources.json"
	printf 'null\n' >"$temp/baseline.json"
	gather_lessons

	write_document evidence-final.jq "$temp/stages.json" "$now"
}

# the pages of earlier collections of a stage, as JSON
older_than() {
	local stage=$1 newest=$2 n=1 name=$1 names=()

	while [[ $newest && $name != "$newest" ]]; do
		names+=("$name.md")
		n=$((n + 1))
		name=$stage.$n
	done
	jq -nc '$ARGS.positional' --args "${names[@]}"
}

# what people wrote: in lessons.md, else in the newest report
gather_lessons() {
	local page text

	if [[ -f $evidence_dir/lessons.md ]]; then
		text=$(<"$evidence_dir/lessons.md")
	else
		page=$(newest final)
		if [[ ! $page ]]; then
			return
		fi
		text=$(awk '
            /^\*\*Report Generated:/ { exit }
            inside { kept = kept $0 "\n" }
            /^---$/ { text = text kept; kept = "" }
            /^## Lessons Learned$/ { inside = 1; text = kept = "" }
            END { sub(/\n---\n$/, "", text); print text }
            ' "$evidence_dir/$page.md")
	fi
	if [[ $text == *[![:space:]]* ]]; then
		lessons=$(jq -n --arg text "$text" \
			'$text | gsub("^\\s+|\\s+$"; "")')
	fi
}

gather_records() {
	gather_lines changes.log changes.json
	gather_lines decisions.jsonl decisions.json
	gather_lines incidents.jsonl incidents.json
	gather_deployment
	gather_preflight
}

# the JSON document by a program of jq and its input, and from it the page
write_document() {
	local program=$1 input=$2 now=$3 meta hash=''

	if [[ -e $output/$file_name.metrics ]]; then
		hash=$(sha256sum <"$output/$file_name.metrics")
	fi
	meta=$(jq -n --arg stage "$command" --arg upstream "${setting[upstream]}" \
		--arg variant "$variant" --arg by "$by" --arg file "$file_name" \
		--arg owner "${setting[owner]-}" --arg date "${setting[date]-}" \
		--arg id "${setting[document_id]-}" --arg folder "$evidence_dir" \
		--arg metrics "${hash%% *}" --argjson number "$number" \
		--argjson now "$now" --argjson plan "$stages" --argjson shots "$shots" \
		--argjson collected "$collected" \
		--argjson lessons "$lessons" --arg kept "${status_file##*/}" '
        ($plan | map(select(.stage == $stage)) | first) as $planned
        | {
            $stage, $upstream, $variant, $by, $file, $number, $now, $plan,
            $shots, $folder, $collected, $lessons,
            kind: (if $stage == "baseline" then $stage else "stage" end),
            position: ($planned.position // 0),
            planned_share: $planned.share, planned_time: $planned.time,
            last: ($planned.position == ($plan | length)),
            owner: (if $owner == "" then null else $owner end),
            date: (if $date == "" then null else $date end),
            document_id: (if $id == "" then "CANARY-\($upstream)" else $id end),
            metrics: (if $metrics == "" then null
                else { file: "\($file).metrics", sha256: $metrics } end),
            kept: ($kept != ""),
            missing: $ARGS.positional
        }' --args "${missing[@]}")

	jq -L "$lib" -f "$lib/$program" --argjson meta "$meta" \
		--slurpfile status "$temp/status.json" \
		--slurpfile sources "$temp/sources.json" \
		--slurpfile alerts "$temp/alerts.json" \
		--slurpfile receivers "$temp/receivers.json" \
		--slurpfile reached "$temp/reached.json" \
		--slurpfile changes "$temp/changes.json" \
		--slurpfile decisions "$temp/decisions.json" \
		--slurpfile incidents "$temp/incidents.json" \
		--slurpfile deployment "$temp/deployment.json" \
		--slurpfile preflight "$temp/preflight.json" \
		--slurpfile baseline "$temp/baseline.json" \
		"$input" >"$output/$file_name.json" || fail "no document could be made"
	jq -r -L "$lib" -f "$lib/evidence-page.jq" "$output/$file_name.json" \
		>"$output/$file_name.md" || fail "no page could be made"
}

# All files of the collection into the folder; the document, by which a stage
# is found, comes last but for the manifest.
place() {
	local path names=() name

	for path in "$output/$file_name".*; do
		name=${path##*/}
		if [[ $name != "$file_name.json" ]]; then
			names+=("$name")
		fi
	done
	names+=("$file_name.json")
	write_manifest "${names[@]}"

	trap '' INT TERM HUP
	for name in "${names[@]}"; do
		placed+=("$name")
		mv -fT -- "$output/$name" "$evidence_dir/$name" ||
			fail "\"$evidence_dir/$name\" cannot be written"
	done
	for name in "$manifest_name.sig" "$manifest_name"; do
		if [[ -e $output/$name ]]; then
			mv -fT -- "$output/$name" "$evidence_dir/$name" ||
				fail "\"$evidence_dir/$name\" cannot be written"
		fi
	done
	placed=()
	written=yes

	if [[ $json ]]; then
		jq -c --arg folder "$evidence_dir" '
            { stage, page: "\($folder)/\(.file).md", complete, missing,
                decision: (.outcome // .decision) }' \
			"$evidence_dir/$file_name.json"
	else
		printf '%s\n' "$evidence_dir/$file_name.md"
	fi
	if ! jq -e .complete "$evidence_dir/$file_name.json" >/dev/null; then
		exit "$exit_incomplete"
	fi
}
