# Figures with units: targets as the sources file writes them, values as the
# page shows them, and how the two compare.

def clean: tostring | gsub("[[:cntrl:]]+"; " ");

def trimmed: gsub("^[[:space:]]+|[[:space:]]+$"; "");

# 0.1 + 0.2 is 0.3 to a reader
def digits($n): . * $n | round / $n;

# "<= 500ms", ">= 99.5%", "= 0", "<= 90/100", ">= TLS 1.2", "55-65%" or "-":
# what is allowed, in the unit that it is written in
def target:
    trimmed | gsub("≤"; "<=") | gsub("≥"; ">=")
    | if . == "-" or . == "" then null
      else
        "(?<limit>-?[0-9]+(\\.[0-9]+)?)" as $number
        | (capture("^(?<op><=|>=|<|>|=)\\s*(?<prefix>[[:alpha:]]+ )?\($number)"
                + "(?<unit>[^0-9].*)?$")
            // capture("^\($number)\\s*-\\s*(?<high>[0-9]+(\\.[0-9]+)?)"
                + "(?<unit>[^0-9].*)?$")
            // error("invalid target \"\(.)\""))
        | {
            op: (.op // "in"), limit: (.limit | tonumber),
            high: (.high // null | if . == null then . else tonumber end),
            prefix: (.prefix // ""), unit: (.unit // "" | trimmed)
        }
      end;

# a figure of a base unit (seconds, fractions, a second) in the given one
def factor:
    {
        "%": 100, "ms": 1000, "us": 1000000, "s": 1,
        "/s": 1, "/min": 60, "/h": 3600
    }[.] // 1;

def with_unit($unit; $prefix):
    $prefix + (digits(10000) | tostring)
    + (if $unit | test("^(%|ms|us|s|)$|^[^[:alpha:]]") then $unit
        else " " + $unit end);

def target_text:
    if . == null then "-"
    elif .op == "in" then
        "\(.limit)-\(.high as $high | $high | with_unit(""; ""))\(.unit)"
    else
        ({ "<=": "≤", ">=": "≥", "=": "=", "<": "<", ">": ">" }[.op])
        + (.prefix as $prefix | .unit as $unit
            | .limit | with_unit($unit; $prefix))
    end;

# whether a value, in the target's unit, is what the target asks for
def meets($target):
    if $target.op == "<=" then . <= $target.limit
    elif $target.op == ">=" then . >= $target.limit
    elif $target.op == "<" then . < $target.limit
    elif $target.op == ">" then . > $target.limit
    elif $target.op == "=" then . == $target.limit
    else . >= $target.limit and . <= $target.high
    end;

# moments and stretches of time
def moment:
    if type == "number" then floor | strftime("%Y-%m-%d %H:%M:%S UTC")
    else "n/a" end;

def iso:
    if type == "number" then floor | strftime("%Y-%m-%dT%H:%M:%SZ")
    else "n/a" end;

# of changes.log: "2026-11-24T11:00:00.123Z"
def unix:
    if type == "number" then .
    else
        capture("^(?<whole>[^.Z]*)(?<part>\\.[0-9]+)?Z$")
        | (.whole + "Z" | fromdateiso8601) + ("0" + (.part // "") | tonumber)
    end;

def span:
    if type != "number" then "n/a"
    elif . < 10 then "\(digits(1000)) s"
    elif . < 120 then "\(digits(10)) s"
    elif . < 7200 then "\(. / 60 | floor) min \(. % 60) s"
    elif . < 172800 then "\(. / 3600 | floor) h \(. % 3600 / 60 | floor) min"
    else "\(. / 86400 | floor) d \(. % 86400 / 3600 | floor) h"
    end;
