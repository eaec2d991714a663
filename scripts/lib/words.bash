# How canaryctl writes numbers, times and texts of others, for its jq programs.

# shellcheck disable=SC2016,SC2034  # jq's variables; used by other parts
readonly words='
def clean: tostring | gsub("[[:cntrl:]]"; "?");
def right($width): ((" " * ($width - length)) // "") + .;
def left($width): . + ((" " * ($width - length)) // "");
def digits($n): (. * $n | round) / $n | tostring;
def number: if type == "number" then digits(1000) else "-" end;
def percent:
    if type == "number" then "\(. * 100 | digits(10000))%" else "-" end;
def rate: if type == "number" then "\(digits(100)) r/s" else "-" end;
def latency:
    if type != "number" then "-"
    elif . < 0.001 then "\(. * 1000000 | digits(1)) us"
    elif . < 1 then "\(. * 1000 | digits(100)) ms"
    else "\(digits(1000)) s" end;
def span:
    floor
    | if . < 120 then "\(.) s"
      elif . < 7200 then "\(. / 60 | floor) min \(. % 60) s"
      elif . < 172800 then
          "\(. / 3600 | floor) h \(. % 3600 / 60 | floor) min"
      else "\(. / 86400 | floor) d \(. % 86400 / 3600 | floor) h" end;

# the time that the plan gives to the stage of a split
def rest($plan):
    .stage as $stage
    | [$plan[] | select(.name == $stage.name) | .time][0]
    | if . == null then ""
      elif . > ($stage.elapsed // 0)
      then ", \(. - ($stage.elapsed // 0) | ceil | span)"
          + " of \(span) left"
      else ", its \(span) are over" end;

# a figure of a gate, in the unit of its metric
def quantity($metric):
    if $metric | test("^p[0-9]+$") then latency
    elif $metric == "throughput" or ($metric | test("^event:[^:/]*$"))
    then rate
    elif $metric | test("^(error|abort|retry)_rate$|^event:[^:]*/")
    then percent
    else number end;

# what a gate asks for: "<= 500 ms", "not_worse +50%"
def bound:
    .metric as $metric
    | if .rule == "not_worse" then "not_worse +\(.limit | percent)"
      else "\(.rule) \(.limit | quantity($metric))" end
    | clean;

# the evidence of a gate, in powers of ten
def evidence:
    if (.evidence | type) == "number" and .metric != "throughput"
    then "\(.evidence | digits(10)) of \(.threshold | digits(10))"
    else "-" end;

# what holds back a go although all gates pass, or empty
def held: if .state == "rolled_back" then "" else .reason // "" | clean end;

def gate_line: "\(.variant) \(.metric) \(bound): \(.reason)" | clean;
'

# seconds in words: "1 h 59 min"
span() {
	jq -rn "$words"'$seconds | span' --argjson seconds "$1"
}
