# The sources of the figures that a stage is judged by: lines of
#
#     section | row | target | kind | expression
#
# read as data.  Nothing in the file is executed by a shell; a command is split
# at blanks and started as it is.

readonly source_sections="performance analytics security resources funnel"
readonly source_kinds="status event prometheus command overall"
readonly source_timeout=10 # seconds

sources='[]' answer='' answer_error=''

# the lines of the file into $sources, each with its target taken apart
read_sources_file() {
	local file=$1 line number=0 rest section row target kind
	local fields=()

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
			fields+=("$(trim "${rest%%|*}")")
			rest=${rest#*|}
		done
		if ((${#fields[@]} < 4)); then
			wrong_usage "not a line of \"section | row | target | kind | \
expression\" in $file:$number"
		fi
		section=${fields[0]} row=${fields[1]} target=${fields[2]}
		kind=${fields[3]} rest=$(trim "$rest")

		check_source "$file:$number"
		if ! sources=$(jq -cn -L "$lib" --argjson sources "$sources" \
			--arg section "$section" --arg name "$row" \
			--arg target "$target" --arg kind "$kind" \
			--arg expression "$rest" '
            include "evidence-figures";
            $sources + [{ $section, $name, $kind, $expression,
                target: ($target | target) }]' 2>/dev/null); then
			wrong_usage "invalid target \"$target\" in $file:$number, it must \
be such as \"<= 500ms\", \">= 99.5%\", \"= 0\", \"55-65%\" or \"-\""
		fi
	done <"$file"
}

trim() {
	local text=$1

	text=${text#"${text%%[![:blank:]]*}"}
	printf '%s\n' "${text%"${text##*[![:blank:]]}"}"
}

# the fields of the line that read_sources_file() is at
check_source() {
	local at=$1

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
	local asked='[]' source kind expression n count

	count=$(jq length <<<"$sources")
	for ((n = 0; n < count; n++)); do
		source=$(jq -c ".[$n]" <<<"$sources")
		kind=$(jq -r .kind <<<"$source")
		expression=$(jq -r .expression <<<"$source")
		answer='' answer_error=''

		case $kind in
		status) ask_status "$expression" ;;
		event) ask_event "$source" ;;
		prometheus) ask_prometheus "$expression" ;;
		command) ask_command "$expression" ;;
		overall) answer='{"value": null}' ;;
		esac || answer=''

		if [[ ! $answer ]]; then
			answer=$(jq -n --arg error "${answer_error:-no answer}" \
				'{ $error }')
		fi
		asked=$(jq -c --argjson source "$source" --argjson answer "$answer" \
			'. + [$source + $answer]' <<<"$asked")
	done
	sources=$asked
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

# NAME, NAME/NAME or NAME:FIELD of the variant's events: over the stage, users
# of a funnel over the window
ask_event() {
	if ! answer=$(jq -ce --argjson source "$1" --arg variant "$variant" '
        def event($name):
            .events[$name] // error("no event \"\($name)\" in the split")
            | .[$variant] // error("no event \"\($name)\" of \($variant)");

        def figures($event; $scope):
            event($event)[$scope]
            // error("the split keeps no \($scope) of \"\($event)\"");

        . as $split
        | $source.expression as $text
        | ($source.target.unit // "") as $unit
        | $text | split("/") as $ratio | split(":") as $field
        | $split
        | if $source.section == "funnel" then
              figures($text; "window").unique
              | if . == null then
                    error("event \"\($text)\" has no unique= to count users")
                else { value: ., base: true } end
          elif ($ratio | length) == 2 then
              figures($ratio[0]; "stage").count as $part
              | figures($ratio[1]; "stage").count as $whole
              | if $whole == 0 then
                    error("no \"\($ratio[1])\" in this stage")
                else { value: ($part / $whole), base: true,
                    counts: [$part, $whole] } end
          elif ($field | length) == 2 then
              figures($field[0]; "stage")
              | (if $field[1] == "unique" then .unique
                  elif $field[1] == "mean" then
                      .value | objects
                      | if .count > 0 then .sum / .count else null end
                  else .value | objects | .[$field[1]] end)
              | if type == "number" then { value: ., base: false }
                else error("no \($field[1]) of \"\($field[0])\" in this stage")
                end
          else
              figures($text; "stage") as $figures
              | { base: true, counts: [$figures.count], value:
                  (if $unit | test("^(r?/|%)") then $figures.rate
                   else $figures.count end) }
          end' <<<"$split" 2>&1); then
		answer_error=$(first_line "$answer")
		answer_error=${answer_error#jq: error (at <stdin>:*): }
		return 1
	fi
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
