# The page: a document of a stage, or of the whole roll-out, as Markdown.
# Only what is in the document is on the page.

include "evidence-figures";

# text from outside can neither end a cell nor become markup
def md:
    if . == null then "n/a"
    else clean | gsub("(?<c>[\\\\`*\\[\\]<>|&~])"; "\\\(.c)")
        | gsub("(?<![[:alnum:]])_|_(?![[:alnum:]])"; "\\_") end;

# between backquotes nothing but the backquote itself counts
def code: if . == null then "n/a" else "`" + (clean | gsub("`"; "'")) + "`" end;

def cells: "| " + join(" | ") + " |";

def table($head; rows):
    [rows] as $rows
    | if $rows == [] then "Nothing is configured for this table."
      else ($head | cells), ($head | map("---") | cells), ($rows[] | cells)
      end;

# a time as it stands in a plan
def planned:
    if . % 3600 == 0 then "\(. / 3600) h"
    elif . % 60 == 0 then "\(. / 60) min"
    else "\(.) s" end;

def badge:
    { pass: "✅ pass", fail: "❌ fail", pending: "⏳ pending",
        "n/a": "⚠️ n/a", recorded: "recorded" }[.] // md;

def outcome:
    { GO: "🟢 GO", ROLLBACK: "🔴 ROLLBACK", PENDING: "🟡 PENDING" }[.] // md;

def percent: if . == null then "n/a" else . * 100 | digits(10000)
    | "\(.)%" end;

def seconds_text: if . == null then "n/a" else . * 1000 | digits(100)
    | "\(.)ms" end;

def box: if . then "- [x] " else "- [ ] " end;

def actual: if .error then "n/a: \(.error | md)" else .actual | md end;

def performance_table:
    table(["Metric", "Baseline", "Threshold", "Actual", "Status"];
        .[] | ["**\(.name | md)**", (.baseline | md), (.threshold | md),
            actual, (.status | badge)]);

def target_table:
    table(["Metric", "Target", "Actual", "Status"];
        .[] | ["**\(.name | md)**", (.threshold | md), actual,
            (.status | badge)]);

def recovery:
    if .recovery == null then
        "not measured; a rollback is in force on the next request"
    elif .measured == "canaryctl" then
        "\(.recovery | span), as canaryctl measured it"
    else
        "\(.recovery | span) at most: the canary got its last request before "
        + "then, by Prometheus"
    end;

def incident_list:
    if . == [] then "- None"
    else .[] | "- \(.time | moment): \(.text | md) (\(.by | md))" end;

def label_text:
    to_entries | map("\(.key)=\(.value)") | join(", ") | md;

def alert_lines:
    if . == null then "- Not recorded, no Prometheus is configured"
    elif type == "object" then "- n/a: \(.error | md)"
    elif . == [] then "- None"
    else .[] | "- \(.from | moment) to "
        + (if .firing then "now" else .to | moment end)
        + ": **\(.name | md)** (\(.labels | label_text))"
        + if .receivers == [] then ""
            else ", told to \(.receivers | join(", ") | md)" end
    end;

def header($title):
    "# \($title)",
    "",
    "**Document ID:** \(.document.id | md)",
    "**Version:** \(.document.version)",
    "**Date:** \(.collected_at | iso)",
    "**Status:** \((.outcome // .decision).status | outcome)"
        + if .complete then "" else ", not complete" end,
    "**Owner:** \(.document.owner | md)",
    "",
    "---",
    "";

def deployment:
    "## Deployment Information",
    "",
    "**Branch:** \(.deployment.branch | md)",
    "**Commit SHA:** \(.deployment.commit | md)",
    "**Feature Flag:** \(.deployment.flag | md)",
    "**Deployment Date:** \(.deployment.date | md)",
    "**Environment:** \(.deployment.environment | md)",
    "**Split:** \(.split | md), canary \(.deployment.canary | md)",
    "**Module:** \(.deployment.module | md) in nginx "
        + "\(.deployment.nginx | md), generation \(.deployment.generation | md)",
    "";

def checklist:
    "**Pre-Deployment Checklist:**",
    (if .checklist == null then
        "- [ ] `canaryctl preflight` left no `preflight.json`"
     else
        .checklist.checks[]
        | (.ok | box) + (.name | md)
            + if (.text // "") == "" then "" else ": \(.text | md)" end
     end),
    "";

def missing_list:
    if .missing == [] then empty
    else
        "**Not complete:**",
        (.missing[] | "- \(md)"),
        ""
    end;

def screenshot_list:
    if . == [] then "- [ ] None is configured" else
    .[] | (has("file") | box) + (.name | md)
        + " (\(.url | md))"
        + if .file == null then ": \(.error | md)"
            elif .file == .page then ": [the page](\(.page | @uri))"
            else ": ![\(.name | md)](\(.file | @uri))"
                + (if .page then " [the page](\(.page | @uri))" else "" end)
            end
    end;

def funnel_table:
    if .rows == [] then "Nothing is configured for this table."
    else
        table(["Stage", "Users", "Conversion", "Target", "Status"];
            .rows[] | [(.name | md),
                (if .error then "n/a: \(.error | md)" else .users | md end),
                (if .conversion == null then "-" else "\(.conversion)%" end),
                (.threshold | md), (.status | badge)]),
        (if .overall then
            "",
            "**\(.overall.name | md):** "
            + (if .overall.conversion == null then "n/a"
                else "\(.overall.conversion)%" end)
            + " (target: \(.overall.threshold | md)), "
            + (.overall.status | badge)
        else empty end)
    end;

def variants_table:
    table(["Variant", "Role", "Share", "Requests", "Errors", "Fallbacks",
        "Aborted", "Retries", "Forced", "Error rate", "P50", "P95", "P99"];
        to_entries[] | .value.stage as $stage
        | [(.key | md), (.value.role | md),
            (.value | (.configured_share | percent)
                + if .share == .configured_share then ""
                    else ", now \(.share | percent)" end),
            ($stage | .requests, .errors, .fallbacks, .aborted, .retries,
                .forced | md),
            ($stage.error_rate | percent),
            ($stage.latency | .p50, .p95, .p99 | seconds_text)]);

# a figure of a gate, in the unit of its metric
def quantity($metric):
    if type != "number" then "-"
    elif $metric | test("^p[0-9]+$") then seconds_text
    elif $metric == "throughput" then "\(digits(100))/s"
    elif $metric | test("^(error|abort|retry)_rate$|^event:[^:]*/")
    then percent
    else digits(1000) end;

# in powers of ten; a status that was kept by an older module has none
def evidence:
    if (.evidence | type) != "number" or .metric == "throughput" then "-"
    else "\(.evidence | digits(10)) of \(.threshold | digits(10))" end;

def gate_table:
    table(["Gate", "Limit", "Actual", "Window", "Samples", "Evidence",
        "Status", "Reason"];
        .[] | .metric as $metric
        | [(.metric | md),
            (if .rule == "not_worse" then "not worse, +\(.limit | percent)"
                else "\(.rule) \(.limit | quantity($metric))" end | md),
            (.actual, .window | quantity($metric) | md),
            (.samples | md), evidence, (.status | badge), (.reason | md)]);

def decision_part:
    "### " + (if .last then "Final Decision" else "Decision" end),
    "",
    "**Status:** \(.decision.status | outcome)",
    "**Decision Time:** \(.decision.time | moment)",
    "**Decision Maker:** \(.decision.by | md)",
    "**Justification:** \(.decision.why | md)",
    "**Verdict of the gates:** \(.verdict | md)"
        + if (.held_back // "") == "" then "" else ": \(.held_back | md)" end,
    "",
    "**Proceed to "
        + (if .last then "Production" else "Stage \(.position + 1)" end)
        + ":** " + ({ GO: "YES", ROLLBACK: "NO" }[.decision.status]
            // "not decided"),
    "";

def stage_title:
    if .kind == "baseline" then "Baseline (before the canary)"
    else "Stage \(.position): \(.traffic.configured | percent) Traffic"
        + " (\(.stage | md), planned \(.planned.time | planned))" end;

def times_part:
    "**Start Time:** \(.times.start | moment)",
    "**End Time:** \(.times.end | moment)",
    "**Duration:** \(.times.duration | span)",
    "**Traffic Percentage:** \(.traffic.configured | percent) configured, "
        + "\(.traffic.measured | percent) measured "
        + "(\(.traffic.requests) of \(.traffic.of) requests)",
    "**Collected:** \(.collected_at | moment) by \(.collected_by | md), "
        + (.file | code)
        + if .from_kept_status then ", from the status that was kept as the "
            + "stage ended" else "" end,
    "";

def performance_title:
    "### Performance Metrics"
    + if .last then " (over \(.times.duration | span))" else "" end;

def compared_note:
    if .compared_with == "stage" then
        "The baseline is what the other requests got in the same time.", ""
    elif .compared_with == "baseline" then
        "The baseline is what was measured before the canary.", ""
    else empty end;

def section:
    "## \(stage_title)",
    "",
    times_part,
    missing_list,
    performance_title, "", (.performance | performance_table), "",
    compared_note,
    "### Both Variants", "", (.variants | variants_table), "",
    (if .gates == [] then empty
        else "### Gates", "", (.gates | gate_table), "" end),
    "### Analytics Metrics", "", (.analytics | target_table), "",
    "### Security Metrics", "", (.security | target_table), "",
    "### Resource Utilization", "", (.resources | performance_table), "",
    "### Screenshots", "", (.screenshots | screenshot_list), "",
    "### User Journey Funnel (window of the status)", "",
    (.funnel | funnel_table), "",
    "### Incident Log", "",
    "**Incidents:**", (.incidents | incident_list), "",
    "**Alerts Triggered:**", (.alerts | alert_lines), "",
    (if .kind == "baseline" then empty else decision_part end),
    "---",
    "";

def rollback_part:
    "## Rollback Events",
    "",
    "**Rollbacks Triggered:** \(.rollbacks | length)",
    "",
    (if .rollbacks == [] then
        "- None", "",
        "**Rollback Reason:** n/a",
        "**Rollback Time:** n/a",
        "**Recovery Time:** n/a", ""
     else
        .rollbacks[]
        | "**Rollback Reason:** \(.reason | md)"
            + if .automatic then " (automatic)" else "" end,
          "**Rollback Time:** \(.time | moment), \(.after | span) into "
            + (.stage | md),
          "**Recovery Time:** \(recovery)",
          ""
     end),
    (if .kind == "final" then
        "**Alerts of the whole roll-out:**", (.alerts | alert_lines), ""
     else empty end),
    "---",
    "";

def absent_part:
    .absent[]
    | "## Stage \(.position): \(.share | md) Traffic (\(.stage | md), planned"
        + " \(.time | planned))",
      "", "Not executed: \(.why | md).", "", "---", "";

def collection_part:
    "## Evidence Collection",
    "",
    "**Automated Evidence:**",
    (.collected[] | (.file != null | box) + "\(.title | md)"
        + (if .file then ": \(.file | code)" else "" end)
        + (if .older == [] then "" else
            ", and before it \(.older | map(code) | join(", "))" end)),
    "- [x] Final evidence report: \("\(.file).md" | code)",
    "",
    "**Evidence Location:** \(.folder | code)",
    "**Checked by:** `collect-evidence.sh verify`",
    "",
    "---",
    "";

def lessons_part:
    "## Lessons Learned",
    "",
    (if .lessons then .lessons else
        "**What Went Well:**", "- ", "",
        "**What Could Be Improved:**", "- ", "",
        "**Action Items for Production:**", "- " end),
    "",
    "---",
    "";

def footer:
    "**Report Generated:** \(.collected_at | iso)",
    "**Generated By:** collect-evidence.sh, \(.collected_by | md)",
    "**Raw Figures:** \(.file + ".json" | code)";

# two blanks at the end of "**Name:** value" break the line
def broken: if test("^\\*\\*[^*]+:\\*\\* .") then . + "  " else . end;

if .kind == "final" then
    header("Canary Evidence - \(.split | md)"), deployment, checklist,
    missing_list, "---", "", (.stages[] | section), absent_part,
    rollback_part, collection_part, lessons_part, footer
else
    header("Canary Evidence - \(.split | md), \(.stage | md)"), deployment,
    checklist, "---", "", section,
    (if .rollbacks == [] then empty else rollback_part end), footer
end
| broken
