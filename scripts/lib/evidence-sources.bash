# The sources of the figures that a stage is judged by: lines of
#
#     section | row | target | kind | expression
#
# read as data.  Nothing in the file is executed by a shell; a command is split
# at blanks and started as it is.

readonly source_sections="performance analytics security resources funnel"
readonly source_kinds="status event prometheus command overall"
readonly source_timeout=10 # seconds

# the lines as JSON; kinds and expressions of the same lines
sources='[]' kinds=() expressions=()
answer='' answer_error='' trimmed=''

# the lines of the file into $sources, each with its target taken apart
read_sources_file() {
	local file=$1 line number=0 rest section row target kind
	local fields=() all=()

	if [[ ! -f $file || ! -r $file ]]; then
		wrong_usage "sources file \"$file\" cannot be read"
	fi

	while IFS= read -r line || [[ $line ]]; do
		number=$((number + 1))
		line=${line%$'\r'}
		if [[ $line =~ ^[[:blank:]]*(#.*)?$ ]]; then
			continue
		fi

		# the expression comes last and may hold "|" itself
		fields=()
		rest=$line
		while ((${#fields[@]} < 4)) && [[ $rest == *'|'* ]]; do
			trim "${rest%%|*}"
			fields+=("$trimmed")
			rest=${rest#*|}
		done
		if ((${#fields[@]} < 4)); then
			wrong_usage "not a line of \"section | row | target | kind | \
expression\" in $file:$number"
		fi
		trim "$rest"
		section=${fields[0]} row=${fields[1]} target=${fields[2]}
		kind=${fields[3]} rest=$trimmed

		check_source "$file:$number"
		kinds+=("$kind")
		expressions+=("$rest")
		all+=("$section" "$row" "$target" "$kind" "$rest")
	done <"$file"

	sources=$(jq -cn -L "$lib" '
        include "evidence-figures";
        $ARGS.positional as $at
        | [range(0; $at | length; 5)
            | { section: $at[.], name: $at[. + 1], kind: $at[. + 3],
                expression: $at[. + 4], target: ($at[. + 2] | target) }]' \
		--args -- "${all[@]}")
}

# without the blanks around it, into $trimmed
trim() {
	local text=$1

	text=${text#"${text%%[![:blank:]]*}"}
	trimmed=${text%"${text##*[![:blank:]]}"}
}

# the fields of the line that read_sources_file() is at
check_source() {
	local at=$1 plain number='[0-9]+(\.[0-9]+)?' pattern

	plain=${target//≤/<=}
	plain=${plain//≥/>=}
	pattern="^((<=|>=|<|>|=) *([[:alpha:]]+ )?-?$number|$number *- *$number)"
	if [[ $plain != - && ! $plain =~ $pattern([^0-9].*)?$ ]]; then
		wrong_usage "invalid target \"$target\" in $at, it must be such as \
\"<= 500ms\", \">= 99.5%\", \"= 0\", \"55-65%\" or \"-\""
	fi
	if [[ " $source_sections " != *" $section "* ]]; then
		wrong_usage "unknown section \"$section\" in $at, it must be one of: \
$source_sections"
	fi
	if [[ " $source_kinds " != *" $kind "* ]]; then
		wrong_usage "unknown kind \"$kind\" in $at, it must be one of: \
$source_kinds"
	fi
	if [[ ! $row ]]; then
		wrong_usage "a row without a name in $at"
	fi
	if [[ $section == funnel && $kind != @(event|overall) ]] ||
		[[ $section != funnel && $kind == overall ]]; then
		wrong_usage "kind \"$kind\" is not for section \"$section\" in $at"
	fi
	if [[ $kind != overall && ! $rest ]]; then
		wrong_usage "a row without an expression in $at"
	fi
}

# Asks every source: $sources gets value and unit, or error.  The split's
# object is in $split, the variant's name in $variant, times in $from and $to.
ask_sources() {
	local n answers=() events

	for ((n = 0; n < ${#kinds[@]}; n++)); do
		answer=null answer_error=''

		case ${kinds[n]} in
		status) ask_status "${expressions[n]}" ;;
		prometheus) ask_prometheus "${expressions[n]}" ;;
		command) ask_command "${expressions[n]}" ;;
		esac || answer=$(jq -n --arg error "${answer_error:-no answer}" \
			'{ $error }')
		answers+=("$answer")
	done

	events=$(ask_events)
	sources=$(printf "%s\n" "${answers[@]}" | jq -cs \
		--argjson events "$events" \
		--argjson sources "$sources" '
        [range($sources | length) as $n
            | $sources[$n] + (.[$n] // $events[$n] // { value: null })]')
}

# a figure of status.json by a jq path, in base units
ask_status() {
	local out

	if ! out=$(timeout "$source_timeout" jq -c \
		--arg variant "$variant" --arg baseline "${setting[upstream]}" \
		"$1" <<<"$split" 2>&1); then
		answer_error=$(first_line "${out:-"no answer in $source_timeout s"}")
		return 1
	fi
	if ! answer=$(jq -ce '{ value: numbers, base: true }' \
		<<<"$out" 2>/dev/null) || [[ $answer == *$'\n'* ]]; then
		answer_error="not one number, but $(first_line "${out:-nothing}")"
		return 1
	fi
}

# Those of events, the others null: NAME, NAME/NAME or NAME:FIELD of the
# variant's events over the stage, users of a funnel over the window.
ask_events() {
	jq -c --argjson sources "$sources" --arg variant "$variant" '
        def event($name):
            .events[$name] // error("no event \"\($name)\" in the split")
            | .[$variant] // error("no event \"\($name)\" of \($variant)");

        def figures($event; $scope):
            event($event)[$scope]
            // error("the split keeps no \($scope) of \"\($event)\"");

        def users($name):
            figures($name; "window").unique
            | if . == null then
                error("event \"\($name)\" has no unique= to count users")
              else { value: ., base: true } end;

        def ratio($part; $whole):
            figures($part; "stage").count as $part
            | figures($whole; "stage").count as $of
            | if $of == 0 then error("no \"\($whole)\" in this stage")
              else { value: ($part / $of), base: true, counts: [$part, $of] }
              end;

        def field($name; $field):
            figures($name; "stage")
            | if $field == "unique" then .unique
              elif $field != "mean" then .value[$field]
              elif .value.count > 0 then .value.sum / .value.count
              else null end
            | if type == "number" then { value: ., base: false }
              else error("no \($field) of \"\($name)\" in this stage") end;

        def plain($name; $unit):
            figures($name; "stage")
            | { base: true, counts: [.count], value:
                (if $unit | test("^(r?/|%)") then .rate else .count end) };

        def answer($source):
            $source.expression as $text
            | ($text | split("/")) as $ratio
            | ($text | split(":")) as $field
            | if $source.section == "funnel" then users($text)
              elif ($ratio | length) == 2 then ratio($ratio[0]; $ratio[1])
              elif ($field | length) == 2 then field($field[0]; $field[1])
              else plain($text; $source.target.unit // "") end;

        . as $split
        | [$sources[]
            | if .kind == "event" then
                . as $source
                | $split | [try answer($source) catch { error: . }][0]
              else null end]' <<<"$split"
}

# a query at the end of the stage; $duration, $upstream, $variant and
# $baseline in it are replaced
ask_prometheus() {
	local query

	if [[ ! ${setting[prometheus]-} ]]; then
		answer_error='"prometheus" is not set'
		return 1
	fi
	query=$(jq -nr --arg query "$1" --argjson from "$from" --argjson to "$to" \
		--arg variant "$variant" --arg upstream "${setting[upstream]}" '
        def quoted: tojson[1:-1];
        [$to - $from | ceil, 1] | max as $seconds
        | $query
        | gsub("\\$duration"; "\($seconds)s")
        | gsub("\\$variant"; $variant | quoted)
        | gsub("\\$(upstream|baseline)"; $upstream | quoted)')

	fetch_prometheus query --data-urlencode "query=$query" \
		--data-urlencode "time=$to" || return 1

	if ! answer=$(jq -ce '
        .data
        | if .resultType == "scalar" then [.result]
          elif .resultType == "vector" then [.result[].value]
          else error("a \(.resultType), not one number") end
        | if length == 1 then .[0][1]
          elif length == 0 then error("the query gave no sample")
          else error("the query gave \(length) samples, not one") end
        | if test("^[-+]?[0-9]") then { value: tonumber, base: true }
          else error("\(.) is no number") end' <<<"$fetched" 2>&1); then
		answer_error=$(first_line "$answer")
		answer_error=${answer_error#jq: error (at <stdin>:*): }
		return 1
	fi
}

# the first number that a command prints, taken in the target's own unit
ask_command() {
	local argv out status=0 errors=$temp/command.err

	read -ra argv <<<"$1"
	timeout "$source_timeout" "${argv[@]}" </dev/null \
		>"$temp/command.out" 2>"$errors" || status=$?
	if ((status == 124)); then
		answer_error="no answer in $source_timeout s"
		return 1
	fi
	if ((status != 0)); then
		answer_error=$(first_line "$(sed 's/^/: /' "$errors")")
		answer_error="exit status $status$answer_error"
		return 1
	fi
	out=$(head -c 4096 -- "$temp/command.out" | tr -d "\\000")
	if [[ ! $out =~ (-?[0-9]+(\.[0-9]+)?) ]]; then
		answer_error="no number in its output \"$(first_line "$out")\""
		return 1
	fi
	answer=$(jq -cn --arg value "${BASH_REMATCH[1]}" --arg output "$out" \
		'{ value: ($value | tonumber), base: false, $output }')
}

first_line() {
	local line=${1%%$'\n'*}

	printf '%s\n' "${line:0:300}"
}
