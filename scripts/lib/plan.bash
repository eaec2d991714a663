# The plan of stages, where a split is in it, and the command promote.

# the setting "stages" as a list of { name, share, time }, time in seconds
plan='[]' plan_error=''

# what of the plan is next, from the status: see judge()
outcome='' why='' position='' next_stage='' next_share='' left=''
force=''

readonly started_at=${EPOCHREALTIME/./} # canaryctl itself

# NAME:SHARE:TIME ..; the error is in $plan_error
read_plan() {
	local item items pattern names=' ' seconds result=()

	pattern='^([^:]+):([^:]+):(([0-9]{1,6}[smhd])+)$'
	read -ra items <<<"${setting[stages]-}"

	for item in "${items[@]}"; do
		if [[ ! $item =~ $pattern ]]; then
			plan_error="\"$item\" is not NAME:SHARE:TIME"
			return 1
		fi
		result+=("${BASH_REMATCH[@]:1:3}")
		set -- "${BASH_REMATCH[@]:1:3}"

		if [[ $1 == *[$name_forbidden]* ]]; then
			plan_error="invalid stage \"$1\""
			return 1
		fi
		if [[ $names == *" $1 "* ]]; then
			plan_error="stage \"$1\" stands twice"
			return 1
		fi
		names+="$1 "

		if ! is_share "$2" || [[ $2 == off || ! $2 =~ [1-9] ]]; then
			plan_error="invalid share \"$2\" of stage \"$1\", it must be \
above 0% and at most 100%"
			return 1
		fi

		seconds=$(in_seconds "$3")
		if ((seconds == 0)); then
			plan_error="invalid time \"$3\" of stage \"$1\""
			return 1
		fi
		result[-1]=$seconds
	done

	if ((${#items[@]} == 0)); then
		plan_error='there is no stage in it'
		return 1
	fi

	plan=$(jq -nc '$ARGS.positional as $at | [range(0; $at | length; 3)
        | { name: $at[.], share: $at[. + 1],
            time: ($at[. + 2] | tonumber) }]' --args -- "${result[@]}")
}

# 0% to 100% with up to four decimals, or off
is_share() {
	local number

	if [[ $1 == off ]]; then
		return 0
	fi
	if [[ ! $1 =~ ^0*([0-9]{1,3})(\.([0-9]{1,4}))?%$ ]]; then
		return 1
	fi

	number=${BASH_REMATCH[1]}${BASH_REMATCH[3]}0000
	number=$((10#${number:0:${#BASH_REMATCH[1]}+4}))
	((number <= 1000000))
}

in_plan() {
	jq -e --arg name "$1" 'any(.name == $name)' >/dev/null <<<"$plan"
}

# "1h30m" as a number of seconds
in_seconds() {
	local text=$1 sum=0
	local -A unit=([s]=1 [m]=60 [h]=3600 [d]=86400)

	while [[ $text =~ ^([0-9]+)([smhd])(.*)$ ]]; do
		sum=$((sum + 10#${BASH_REMATCH[1]} * ${unit[${BASH_REMATCH[2]}]}))
		text=${BASH_REMATCH[3]}
	done

	printf '%s\n' "$sum"
}

need_plan() {
	need url upstream canary split_file nginx stages
	if ! read_plan; then
		wrong_usage "the plan \"${setting[stages]}\" cannot be read: \
$plan_error"
	fi
}

# Where $split is in the plan, and whether the stage may end:
#     outcome        rolled_back  the latch is set
#                    begin        no stage of the plan is under way
#                    rollback     the verdict
#                    pending      no verdict yet, or the time is not over
#                    ready        go, and the time is over
#     why            the reasons, as text
#     position       of the stage under way, from 1
#     left           seconds of it, 0 when it is over
#     next_stage, next_share    empty at the end of the plan
# The split itself tells the stage, by its name: whoever began it, and however
# often canaryctl was stopped since.
judge() {
	local answer

	if ! answer=$(jq -er "$words"'
        .variants[$canary].configured_share as $share
        | if $share | type != "number" then empty else . end
        | (.stage.name // "") as $name
        | ([$plan[].name] | index([$name])) as $at
        | (if $at == null or $share == 0 or .state == "off" then -1
            else $at end) as $at
        | $plan[$at + 1] as $next
        | (if $at < 0 then 0
            else [$plan[$at].time - (.stage.elapsed // 0), 0] | max | ceil
            end) as $left
        | (.verdict // "pending") as $verdict
        | ([(.gates // [])[] | select(.status != "pass") | gate_line]
            + [held | select(. != "")]
            | if length == 0 then "no gates" else join("; ") end) as $gates
        | (if .state == "rolled_back" then
                ["rolled_back", "rolled back: \(.reason // "" | clean)"]
            elif $at < 0 then ["begin", ""]
            elif $verdict == "rollback" then ["rollback", $gates]
            elif $verdict == "go" and $left == 0 then ["ready", ""]
            else
                ["pending",
                    ([if $verdict == "go" then empty
                        else "the verdict is \($verdict | clean): \($gates)"
                        end,
                    if $left == 0 then empty
                        else "\($left | span) of the stage are left" end]
                    | join("; "))] end)
            + [$at + 1, $left, $next.name // "", $next.share // "", "end"]
        | .[]' --argjson plan "$plan" --arg canary "${setting[canary]}" \
		<<<"$split"); then
		http_error="there is no canary \"${setting[canary]}\" in the split \
\"${setting[upstream]}\""
		return 1
	fi

	{
		read -r outcome
		read -r why
		read -r position
		read -r left
		read -r next_stage
		read -r next_share
	} <<<"$answer"
}

command_promote() {
	local seen waited

	only_options force reason to
	no_operands
	need_plan
	need_reason
	if [[ ${given[to]+x} ]] && ! in_plan "${given[to]}"; then
		wrong_usage "unknown stage \"${given[to]}\", the plan has \
$(describe_plan)"
	fi

	# Judged under the lock, and on the stage that was there before: of two at
	# the same time the second shall not go on from the stage of the first.
	fetch_split || fail "$http_error"
	seen=$(stage_in_force)
	lock_split_file || fail "$change_error"
	waited=$((${EPOCHREALTIME/./} - started_at))
	fetch_split || fail "$http_error"
	judge || fail "$http_error"

	stage=$(jq -r '.stage.name // ""' <<<"$split")
	state=$(jq -r .state <<<"$split")

	if is_marked; then
		fail "not promoted, $why; \"canaryctl resume\" re-arms it"
	fi
	if [[ $outcome == rolled_back ]]; then
		fail "not promoted, ${setting[upstream]} is $why; \"canaryctl resume\" \
re-arms it"
	fi
	if [[ $seen != "$(stage_in_force)" ]] ||
		jq -e --argjson waited "$waited" '
            (.time - .stage.started_at) * 1000000 < $waited' >/dev/null \
			<<<"$split"; then
		fail "not promoted, somebody else began \"$stage\" meanwhile"
	fi
	if [[ $outcome != begin && ! $next_stage ]]; then
		fail "not promoted, \"$stage\" is the last stage of the plan"
	fi
	if [[ ${given[to]+x} && ${given[to]} != "$next_stage" ]]; then
		fail "not promoted, the next stage is \"$next_stage\", not \
\"${given[to]}\""
	fi

	if [[ ! $force ]]; then
		case $outcome in
		rollback) fail "not promoted, the verdict is rollback: $why" ;;
		pending) refuse_yet "not promoted yet, $why" ;;
		esac
	fi

	share=$next_share
	stage=$next_stage
	change_share
}

# what two that promote at the same time must have seen alike
stage_in_force() {
	jq -c --arg canary "${setting[canary]}" '[.stage.name, .stage.started_at,
        .variants[$canary].configured_share]' <<<"$split"
}

describe_plan() {
	jq -r 'if length == 0 then "none"
        else map("\"\(.name)\"") | join(", ") end' <<<"$plan"
}
