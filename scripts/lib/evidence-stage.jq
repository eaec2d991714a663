# The document of one stage: every figure with what it is held against, and
# under "raw" all that it was made from.  Input: none; the facts come by name.

include "evidence-figures";
include "evidence-record";

$status[0] as $whole
| $whole.splits[$meta.upstream] as $split
| $meta.variant as $variant
| ($split.variants[$variant].stage) as $figures
| ($baseline[0] // null) as $before
| $alerts[0] as $alert_series

# what the performance of the stage is compared with
| (if $before then "baseline" elif $meta.kind == "baseline" then null
    else "stage" end) as $compared
| def compared($metric):
    if $compared == "baseline" then
        first($before.performance[] | select(.metric == $metric) | .value)
        // null
    elif $compared == "stage" then
        $split.variants[$meta.upstream].stage | figure($metric)
    else null end;

def gate($metric):
    first($split.gates[] | select(.variant == $variant and .metric == $metric
        and (.rule == "<=" or .rule == ">="))) // null;

def performance($name; $metric; $unit):
    gate($metric) as $gate
    | (if $metric == "throughput" then
          $gate.actual // ([$split.variants[].stage.throughput | numbers] | add)
       else $figures | figure($metric) end) as $value
    | compared($metric) as $base
    | { $name, $metric, $unit, $value, baseline_value: $base,
        actual: ($value | in_unit($unit)),
        baseline: ($base | in_unit($unit)),
        threshold: (if $gate == null then "-"
            else (if $gate.rule == "<=" then "≤" else "≥" end)
                + ($gate.limit | in_unit($unit)) end),
        status: (if $value == null then "n/a" else $gate.status // "recorded"
            end),
        reason: ($gate.reason // "") }
    | if $value == null then
        . + { error: "no request of \($variant) gave a figure" } else . end;

def rows($section):
    [$sources[0][] | select(.section == $section)
        | . as $source | source_row
        | .baseline = (first($before[$section]? | arrays | .[]
            | select(.name == $source.name) | .actual) // "-")];

rows("performance") as $more
| [performance("P50 Latency"; "p50"; "ms"),
    performance("P95 Latency"; "p95"; "ms"),
    performance("P99 Latency"; "p99"; "ms"),
    performance("Error Rate"; "error_rate"; "%"),
    performance("Throughput"; "throughput"; "/s")]
| map(. as $row | select(any($more[]; .name == $row.name) | not))
| . + $more
| . as $performance

| [$split.journal[] | select(.event == "rollback"
    and .time >= $split.stage.started_at - 0.001)
    | rollback($meta.stage; $split.stage.started_at; $changes[0];
        $reached[0])] as $rollbacks
| (if $split.state == "rolled_back" and ($rollbacks | length) > 0
    then $rollbacks[-1].time else $whole.time end) as $ended

| ([$split.variants[].stage.requests] | add) as $requests
| rows("analytics") as $analytics
| rows("security") as $security
| rows("resources") as $resources
| ([$sources[0][] | select(.section == "funnel")] | funnel) as $funnel
| {
    format: 1,
    kind: $meta.kind,
    stage: $meta.stage,
    position: $meta.position,
    last: $meta.last,
    planned: { share: $meta.planned_share, time: $meta.planned_time },
    number: $meta.number,
    file: $meta.file,
    collected_at: $meta.now,
    collected_by: $meta.by,
    from_kept_status: $meta.kept,
    document: document($meta),
    deployment: ($deployment[0]
        + { date: ($meta.date // ($split.stage.started_at | iso)),
            module: $whole.version, nginx: $whole.nginx_version,
            generation: $split.generation }),
    checklist: $preflight[0],
    split: $meta.upstream,
    variant: $variant,
    state: $split.state,
    verdict: $split.verdict,
    held_back: (if $split.state == "rolled_back" then ""
        else $split.reason // "" end),
    times: {
        start: $split.stage.started_at, end: $ended,
        # by the monotonic clock, unless it ended before now
        duration: ((if $ended == $whole.time then $split.stage.elapsed
            else $ended - $split.stage.started_at end) | digits(1000))
    },
    traffic: {
        configured: $split.variants[$variant].configured_share,
        in_force: $split.variants[$variant].share,
        requests: $figures.requests,
        of: $requests,
        measured: (if $requests > 0 then
            $figures.requests / $requests | digits(1000000) else null end)
    },
    compared_with: $compared,
    $performance, $analytics, $security, $resources, $funnel,
    gates: [$split.gates[] | select(.variant == $variant)],
    variants: ($split.variants | with_entries(.value |= {
        role, configured_share, share, stage: (.stage | without_histogram) })),
    screenshots: $meta.shots,
    incidents: [$incidents[0][] | select(.stage == $meta.stage)
        | { time: (.time | unix), by, text }],
    alerts: ($alert_series | alert_list($receivers[0]; $meta.now)),
    $rollbacks,
    decision: decide($meta.stage; $rollbacks; $decisions[0]),
    missing: ($meta.missing
        + [($performance, $analytics, $security, $resources)[], $funnel.rows[],
            ($funnel.overall // empty)
            | select(.error) | "\(.name): \(.error)"]
        + if any($split.variants[].stage.latency;
                .count > 0 and (has("histogram") | not))
            then ["the status holds no histograms"] else [] end),
    raw: {
        status: $whole, sources: $sources[0], alerts: $alert_series,
        alertmanager: $receivers[0], canary_requests: $reached[0],
        changes: $changes[0], decisions: $decisions[0],
        incidents: $incidents[0], metrics: $meta.metrics
    }
}
| .complete = (.missing == [])
