# What the documents of a stage and of the whole roll-out are put together
# from: rows, alerts, rollbacks and decisions.

include "evidence-figures";

def figure($metric):
    if $metric == "error_rate" then .error_rate
    elif $metric == "throughput" then .throughput
    else .latency[$metric] end;

# a figure in its base unit, as text in another
def in_unit($unit):
    if type != "number" then "-"
    else . * ($unit | factor) | digits(1000) | with_unit($unit; "") end;

# a source that was asked, as a row of a table
def source_row:
    .target as $target
    | (.target.unit // "") as $unit
    | { name, kind, expression, threshold: ($target | target_text) }
    + if .error then { value: null, actual: "n/a", status: "n/a", error }
      else
        (if .base then .value * ($unit | factor) else .value end
            | if fabs < 1000000 then digits(1000000000) else . end) as $value
        | { value: $value,
            # what misses its target by a hair is not shown as the target
            actual: (if $target and ($value | meets($target) | not)
                    and ($value | digits(10000)) == $target.limit
                then "\($target.prefix)\($value)\($unit)"
                else $value | with_unit($unit; $target.prefix // "") end),
            status: (if $target == null then "recorded"
                elif $value | meets($target) then "pass" else "fail" end) }
        + if .counts then { counts } else {} end
      end;

# users step by step; the target of a step is one for its conversion
def conversion($users; $of):
    if $users == null or $of == null or $of == 0 then null
    else $users / $of * 100 | digits(100) end;

def judged($target):
    if . == null then "n/a"
    elif $target == null then "recorded"
    elif meets($target) then "pass"
    else "fail" end;

def funnel:
    map(select(.kind != "overall")) as $steps
    | (map(select(.kind == "overall")) | first) as $overall
    | {
        rows: [range($steps | length) as $i | $steps[$i]
            | conversion(.value; if $i > 0 then $steps[$i - 1].value else null
                end) as $conversion
            | { name, expression, users: .value, $conversion,
                threshold: (.target | target_text),
                status: (if .error then "n/a"
                    elif $i == 0 or .target == null then "recorded"
                    else .target as $target | $conversion | judged($target)
                    end) }
            + if .error then { error } else {} end],
        overall: (if $overall == null then null
            else
                conversion($steps[-1].value; $steps[0].value) as $conversion
                | { name: $overall.name, $conversion,
                    threshold: ($overall.target | target_text),
                    status: ($overall.target as $target
                        | $conversion | judged($target)) }
                + if $conversion == null then { error: "no users" } else {} end
            end)
    };

# series of ALERTS as stretches of time; a gap of more than two steps ends one
def alert_list($receivers; $now):
    if type != "array" then . else
    [.[] | (.metric | del(.__name__, .alertstate)) as $labels
        | [.values[][0]] as $times
        | (if ($times | length) > 1
            then [range(1; $times | length) as $i
                | $times[$i] - $times[$i - 1]] | min
            else 1 end) as $step
        | reduce $times[] as $t ([];
            if length > 0 and $t - .[-1].to <= 2 * $step
            then .[-1].to = $t else . + [{ from: $t, to: $t }] end)
        | .[]
        | { name: $labels.alertname, labels: ($labels | del(.alertname)),
            from, to, firing: (.to >= $now - 2 * $step),
            receivers: [$receivers | arrays | .[]
                | select(.labels | contains($labels))
                | .receivers[].name] | unique }]
    | sort_by(.from)
    end;

# An entry of the journal.  The recovery took as long as canaryctl measured, or
# at most until the first moment after which the canary got no request.
def rollback($stage; $started; $changes; $reached):
    .time as $time
    | ([$changes[] | select(.command == "rollback" and .result == "done"
            and .changed == true and (.seconds | numbers))
            | { seconds, by: (.by // ""),
                away: ((.time | unix) - $time | fabs) }
            | select(.away < 30)] | sort_by(.away) | first) as $change
    | ([$reached // [] | arrays | .[] | [.[0], (.[1] | tonumber)]]) as $series
    | (first($series[] | select(.[0] >= $time and .[1] == $series[-1][1])
        | .[0] - $time) // null) as $silent
    | { $stage, $time, reason: .text,
        after: ($time - $started | digits(1000)),
        automatic: (.text | startswith("by ") | not) }
    + if $change then
        { recovery: $change.seconds, measured: "canaryctl" }
      elif $silent then
        { recovery: ($silent | digits(1000)), measured: "prometheus" }
      else { recovery: null, measured: null } end;

def rollback_decision:
    { status: "ROLLBACK", time, automatic,
        by: (if .automatic then "the gates, automatically"
            else .reason | ltrimstr("by ") | split(": ")[0] end),
        why: (.reason | sub("^by [^:]*: "; "")) };

# A rollback decides, unless a person decided after it.
def decide($stage; $rollbacks; $decisions):
    ([$decisions[] | select(.stage == $stage) | .time |= unix]
        | sort_by(.time) | last) as $said
    | ($rollbacks | last) as $rolled
    | ($said and ($rolled == null or $said.time >= $rolled.time)) as $newer
    | if $newer and ($said.automatic | not) or ($newer and $rolled == null) then
        { status: (if $said.decision == "go" then "GO" else "ROLLBACK" end),
            time: $said.time, why: $said.reason,
            by: ($said.by + if $said.automatic then " (canaryctl run)" else ""
                end),
            automatic: ($said.automatic // false) }
      elif $rolled then $rolled | rollback_decision
      else { status: "PENDING", time: null, by: null, why: null,
          automatic: false }
      end;

def document($meta):
    { id: $meta.document_id, version: "\($meta.number).0.0",
        owner: $meta.owner };

def without_histogram: del(.latency.histogram);
