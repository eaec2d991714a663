# What a Grafana dashboard must be: the rules of grafana/dashboard-linter by
# their names, where it is more than a matter of Loki, and some of our own.
# "complaints" gives {"rule": ["what is wrong", ..]}, without rules that hold.
# Whether PromQL can be parsed is asked of parsers, not here.

def panels: [.panels[] | ., .panels[]? | select(.type != "row")];
def variables: .templating.list;
def annotations: [.annotations.list[] | select(.builtIn | not)];
def of_variables: "$datasource", "${datasource}";
def templated: .datasource.uid | IN(of_variables);

# {f, name, matchers, range} of each selector: f is what it is the argument of
def selectors:
    [match("(?:(?<f>[a-z_]+) *\\( *)?(?<name>[a-zA-Z_:][\\w:]*)"
            + "(?<matchers>\\{[^{}]*\\})(?<range>\\[[^\\]]*\\])?"; "g")
        | [.captures[] | {(.name): (.string // "")}] | add];

# names without matchers: what is left without all that is something else
def bare:
    gsub("\"[^\"]*\""; "\"\"")
    | gsub("[a-zA-Z_:][\\w:]*\\{[^{}]*\\}"; "")
    | gsub("\\[[^\\]]*\\]"; "")
    | gsub("\\b(by|without|on|ignoring|group_left|group_right) *\\([^()]*\\)"; "")
    | [scan("\\b[a-zA-Z_:][\\w:]*\\b(?! *\\()")]
    - ["and", "or", "unless", "bool", "offset", "inf", "nan"];

# each expression of panels: [where, expression]
def targets: [panels[] | .title as $title | .targets[]?
    | ["\($title), \(.refId)", .expr // ""]];

def marks: [annotations[] | ["annotation \(.name)", .expr // ""]];

def where($list; condition): [$list[] | select(.[1] | condition) | .[0]];

# the selectors of which the condition holds: [where, selector]
def which($list; condition):
    [$list[] | .[0] as $where | .[1] | selectors[] | select(condition)
        | "\($where): \(.name)\(.range)"];

def lacks($n): .matchers | contains("\($n)=~\"$\($n)\"") | not;

def matched($list; $n):
    which($list; lacks($n)) + where($list; bare | length > 0);

def variable($name; $text):
    [variables[] | select(.name == $name)] | if length != 1
        then ["there is no variable \($name)"]
        else .[0] | [
            (select(.type != "query") | "no query"),
            (select(templated | not) | "another data source"),
            (select(.label != $text) | "another label"),
            (select(.multi != true) | "only one value"),
            (select(.allValue != ".+") | "all are not .+")
        ] end;

# of the linter's list, those that may fit
def units: "none", "short", "percentunit", "s", "ms", "dtdurations", "reqps",
    "ops", "wps", "bytes";

def rules: {
    "template-datasource-rule":
        ([variables[] | select(.type == "datasource")]
        | if length != 1 then ["not one data source"]
            else .[0] | [
                (select(.name != "datasource") | "another name"),
                (select(.label != "Data source") | "another label"),
                (select(.query != "prometheus") | "not Prometheus")
            ] end),

    "template-job-rule": variable("job"; "Job"),
    "template-instance-rule": variable("instance"; "Instance"),
    "template-upstream": variable("upstream"; "Split"),

    "template-label-promql-rule":
        [variables[] | select(.type == "query") | select(.query
            | test("^label_values\\(.+, *\\w+\\)$") | not) | .name],

    "template-on-time-change-reload-rule":
        [variables[] | select(.type == "query" and .refresh != 2) | .name],

    "panel-datasource-rule":
        [panels[] | select((templated and all(.targets[]?; templated)) | not)
            | .title],

    "panel-title-description-rule":
        [panels[] | select((.title // "") == "" or (.description // "") == "")
            | "panel \(.id)"],

    "panel-units-rule":
        [panels[] | .title as $title | .fieldConfig
            | .defaults.unit,
                (.overrides[].properties[] | select(.id == "unit") | .value)
            | select(IN(units) | not) | $title],

    "panel-no-targets-rule":
        [panels[] | select((.targets // []) | length == 0) | .title],

    "target-promql-rule": where(targets; . == ""),

    # a count of the time that is shown has that for its range
    "target-rate-interval-rule":
        ((targets + marks) as $all
        | which($all; .range != ""
            and .range != "[$__rate_interval]"
            and ((.range == "[$__range]"
                and (.f | IN("increase", "last_over_time"))) | not))),

    "target-job-rule": matched(targets + marks; "job"),
    "target-instance-rule": matched(targets + marks; "instance"),

    # the linter has no such rule: of one split, and not of all of them
    "target-upstream":
        which(targets + marks; (.name | test("^nginx_canary_"))
            and .name != "nginx_canary_build_info" and lacks("upstream")),

    "target-counter-agg-rule":
        which(targets + marks; (.name | endswith("_total"))
            and (.range == ""
                or (.f | IN("rate", "irate", "increase") | not))),

    "uneditable-dashboard": (if .editable == false then [] else ["it is"] end),

    # every Grafana gives it a number of its own
    "identity": [
        (select(.uid != "nginx-canary") | "another uid"),
        (select(has("id")) | "a number")
    ],

    "panel-ids":
        ([.panels[], panels[]] | unique | map(.id) | group_by(.)
            | map(select(length > 1 or .[0] == null) | "panel \(.[0])")),

    "target-refs":
        [panels[] | select((.targets // []) | map(.refId)
            | length != (unique | length)) | .title],

    # side by side, below a row, and within 24 columns
    "layout":
        ([.panels[] | .gridPos + {title}] as $all
        | [(.panels[0] | select(.type != "row") | .title),
            ($all[] | select(.x + .w > 24) | .title),
            (range($all | length) as $i | range($i) as $j
                | $all[$i] as $a | $all[$j] as $b
                | select($a.x < $b.x + $b.w and $b.x < $a.x + $a.w
                    and $a.y < $b.y + $b.h and $b.y < $a.y + $a.h)
                | $a.title)]),

    # versions of Grafana read the one or the other
    "annotations":
        [annotations[] | select((templated and .expr == .target.expr
            and (.titleFormat // "") != "") | not) | .name],

    # a rehearsal of a rollback is no incident
    "rehearsals":
        [annotations[] | select(.enable)
            | .name as $name | .expr | selectors[]
            | select(.name == "nginx_canary_rollbacks_total"
                and (.matchers | contains("cause!=\"rehearsal\"") | not))
            | $name]
};

def complaints: rules | with_entries(select(.value | length > 0));
