# The document of the whole roll-out: those of its stages, and what happened
# since.  Input: the stages' documents in the order of the plan.

include "evidence-figures";
include "evidence-record";

map(select(.kind == "stage")) as $stages
| (map(select(.kind == "baseline")) | first) as $baseline
| ($stages | last) as $newest
| ($status[0] // null) as $whole
| ($whole // {} | .splits[$meta.upstream]? // null) as $split
| ([$stages[].times.start] | min) as $start

| ([$stages[].rollbacks[]]
    + [$split.journal? // [] | .[] | select(.event == "rollback"
        and $start != null and .time >= $start)
        | rollback($newest.stage; $newest.times.start; $changes[0];
            $reached[0])]
    | group_by(.time) | map(first)) as $rollbacks

# a rollback after the last stage was collected
| ([$rollbacks[] | select($newest and .time > $newest.collected_at)] | last)
    as $later
| ($newest.decision // { status: "PENDING" }) as $decision
| (if $later then $later | rollback_decision
   elif $decision.status == "GO" and ($newest.last | not)
   then { status: "PENDING", time: null, by: null, automatic: false,
       why: "not all stages of the plan are collected" }
   else $decision end) as $outcome

| [$meta.plan[] as $planned
    | select(any($stages[]; .stage == $planned.stage) | not)
    | $planned + { why: (if $outcome.status == "ROLLBACK"
        then "rolled back in \($newest.stage)" else "not collected"
        end) }] as $absent
| {
    format: 1,
    kind: "final",
    stage: "final",
    number: $meta.number,
    file: $meta.file,
    collected_at: $meta.now,
    collected_by: $meta.by,
    document: document($meta),
    deployment: ($deployment[0]
        + ($newest.deployment // {} 
            | { module: .module, nginx, generation })
        + { date: ($meta.date // ($start | iso)) }),
    checklist: ($stages[0].checklist // $preflight[0]),
    split: $meta.upstream,
    variant: $meta.variant,
    outcome: $outcome,
    $rollbacks,
    alerts: ($alerts[0] | alert_list($receivers[0]; $meta.now)),
    $absent,
    expected: $meta.plan,
    collected: $meta.collected,
    lessons: $meta.lessons,
    folder: $meta.folder,
    missing: ($meta.missing
        + [.[] | select(.complete | not)
            | "\(.stage): \(.missing | length) figures are missing"]
        + [$absent[] | select(.why == "not collected")
            | "\(.stage): \(.why)"]
        + if $baseline == null then ["baseline: not collected"] else [] end),
    stages: .,
    raw: { status: $whole, alerts: $alerts[0], alertmanager: $receivers[0],
        changes: $changes[0], decisions: $decisions[0],
        incidents: $incidents[0] }
}
| .complete = (.missing == [])
