# One picture of "canaryctl watch": the status page's view, in lines.
#
#     $status, $history    the text of status.json; of history.json, or ""
#     $name                the split, or "": a line for each
#     $lost, $since        why there is nothing newer, and since when; or ""
#     $rows                no more lines than that; 0: as many as it takes
#     $plan                the roll-out's stages
#
# after words.bash and columns.jq, whose arguments it needs as well.

def same_day($now): (. / 86400 | floor) == ($now / 86400 | floor);
def when($now):
    if type != "number" then "-"
    elif same_day($now) then strftime("%H:%M:%S")
    else strftime("%m-%d %H:%M") end;

def age:
    (. / 60 | floor) as $minutes
    | if $minutes == 0 then "\(floor) s"
      elif $minutes < 60 then "\($minutes) min"
      else "\($minutes / 60 | floor) h \($minutes % 60) min" end;

# to three digits
def about:
    if type == "number" and . > 0 then
        pow(10; 2 - (log10 | floor)) as $unit | (. * $unit | round) / $unit
    else . end;

# icons and colours, by the class of a mood
def icon:
    if $utf8 == "" then
        { good: "+", wait: ".", warn: "!", bad: "x", idle: "o" }[.]
    else { good: "✓", wait: "…", warn: "!", bad: "✕", idle: "○" }[.] end
    // "?";
def hue: { good: "32", wait: "33", warn: "33", bad: "31" }[.] // "";

# what a module before "mood" and "sentence" says as well
def mood:
    if .mood | type == "object" then .mood
    elif .state == "rolled_back" then
        { word: "rolled back", class: "bad", rank: 8 }
    elif .state == "off" then { word: "off", class: "idle", rank: 1 }
    elif .verdict == "rollback" then { word: "fails", class: "bad", rank: 7 }
    elif .verdict == "go" then { word: "go", class: "good", rank: 2 }
    else { word: "pending", class: "wait", rank: 4 } end;
def sentence:
    .sentence // "\(mood.word | ascii_upcase[:1] + .[1:])."
        + if (.reason // "") == "" then "" else " \(.reason)" end
    | shown;

# { name, role, .. }, the baseline first; each has its colour and its block
def sides:
    [.variants // {} | to_entries[] | .value + { name: .key }]
    | map(select(.role == "baseline")) + map(select(.role != "baseline"))
    | [range(0; length) as $i | .[$i]
        | if .role == "baseline" then
              .hue = "" | .block = if $utf8 == "" then "." else "░" end
          else .hue = ["36", "35", "34"][($i - 1) % 3]
              | .block = ((if $utf8 == "" then "#=+" else "█▓▒" end)
                  | .[($i - 1) % 3:][:1])
          end];

def bold: [., "1"];
def plain: [., ""];

# of parts, each a list of lines, with blank lines between if they fit
def fitted:
    map(select(length > 0))
    | if $rows == 0 or (map(length) | add // 0) + length - 1 <= $rows
      then [.[:-1][] | .[], []] + (.[-1] // [])
      else add // [] end
    | if $rows == 0 or length <= $rows then .
      else ((length - $rows + 1) | "\(dots) \(.) lines more") as $more
          | .[:$rows - 1] + [[$more | plain]] end;

# canary and baseline, and for how long the stage is under way
def heading($now):
    ([sides[] | select(.role != "baseline") | .name | shown] | join(", "))
        as $canaries
    | ($now | strftime("%H:%M:%S UTC")) as $clock
    | [[("\($name | shown)"
            + if $canaries == "" then ""
              else (if $utf8 == "" then " -> " else " → " end) + $canaries end
            | cut($columns - 14) | left_in($columns - 12) | bold),
        ($clock | plain)],
       [((.stage.name // "" | shown | if . == "" then "stage" else . end)
            + " for \(.stage.elapsed // 0 | age)\(rest($plan))"
            + ", generation \(.generation // "-")" | plain)]];

def saying:
    mood as $mood
    | (sentence | wrap($columns - 2)) as $lines
    | [range(0; [$lines | length, 6] | min) as $i
        | [(if $i == 0 then $mood.class | icon else " " end
            | [. + " ", ($mood.class | hue)]),
            (if $i == 5 and ($lines | length) > 6 then dots
                else $lines[$i] end
                | if $i == 0 then [., "1"] else plain end)]];

# the shares in force, the baseline on the left; who has one has a cell of it
def share_bar($sides):
    ([$sides[] | select(.role != "baseline") | .share // 0
        | if . > 0 then [. * $columns | round, 1] | max else 0 end])
        as $cells
    | ([$columns - ($cells | add // 0), 0] | max) as $rest
    | [$sides[0] // empty
        | select(.role == "baseline") | [(.block * $rest) // "", .hue]]
      + [range(0; $cells | length) as $i
        | $sides[$i + 1] | [(.block * $cells[$i]) // "", .hue]];

def shares:
    sides as $sides
    | ([$sides[].name | shown | width] | max // 0) as $widest
    | ([([$widest, $columns - 44] | min), 8] | max) as $width
    | ($sides | map(select(.role == "baseline")) | length) as $base
    | (if $base == 1 then [share_bar($sides)] else [] end)
    + [$sides[] | . as $side
        | [[.block + " ", .hue],
           ("\(.role // "canary" | shown | cut(8) | left_in(8))  "
            + (.name | shown | cut($width) | left_in($width))
            + "  \(.share | percent)"
            + if .configured_share == .share then ""
              else " (\(.configured_share | percent) configured)" end
            + ", \(.window.throughput | about | rate)" | plain)]];

# "> 500 ms": so many clients gave up that the quantile is among them
def canary_figure:
    .metric as $metric
    | if .actual != null then .actual | about | quantity($metric)
      elif .rule == "<=" and (.samples // 0) > 0
          and ($metric | test("^p[0-9]+$"))
      then "> \(.limit | quantity($metric))"
      else "-" end;

def evidence_parts:
    if (.evidence | type) != "number" or (.threshold | type) != "number"
        or .metric == "throughput"
    then ["-" | plain]
    else ([.evidence / .threshold * 10 | floor, 10] | min) as $n
        | (if $utf8 == "" then ["#", "."] else ["█", "░"] end) as $block
        | [[($block[0] * $n) // "", if $n < 5 then "" else "31" end],
           [(($block[1] * (10 - $n)) // ""), "2"],
           (" \(evidence)" | plain)] end;

def gate_text: .text // "\(.metric) \(bound)" | shown;

def gate_lines($title):
    { pass: "good", fail: "bad" } as $class
    | [.[] | { evidence: evidence_parts,
            cells: [(.status // "-" | shown), gate_text, canary_figure,
                (.metric as $metric
                    | .baseline | about | quantity($metric))],
            class: ($class[.status] // "wait") }]
    | ([.[].cells[2] | width] + [6] | max + 2) as $canary
    | ([.[].cells[3] | width] + [8] | max + 2) as $baseline
    | ([.[].evidence | map(.[0] | width) | add] | max + 2) as $evidence
    | ([.[].cells[1] | width] | max) as $text
    | ([$text, $columns - 11 - $canary - $baseline - $evidence] | min
        | [., 16] | max) as $text
    | [$title | cut(11 + $text) | left_in(11 + $text) | bold]
        + [("canary" | right_in($canary)), ("baseline" | right_in($baseline)),
            "  evidence against it" | bold],
      (.[] | [[(.class | icon) + " " + (.cells[0] | left_in(9)),
                (.class | hue)],
              ((.cells[1] | cut($text) | left_in($text))
                + (.cells[2] | right_in($canary))
                + (.cells[3] | right_in($baseline)) + "  " | plain)]
          + .evidence);

# with several canaries, those of each below its name
def gates:
    [.gates // [] | .[] | select(.variant | type == "string")] as $gates
    | [sides[] | .name] as $names
    | [$names[] as $name
        | [$gates[] | select(.variant == $name)]
        | select(length > 0)
        | gate_lines(if $names | length > 2 then $name | shown
            else "gate" end)];

# The points of a series in columns: a column is so many points in time, and
# a point stays in its column while new ones come.
def columns_of($room):
    .step as $step
    | [(.t[0] // 0), .t[]] as [$first]
    | [.t[] | (. - $first) / $step | round] as $at
    | (($at[-1] // 0) + 1) as $n
    | (if $n <= $room then 1 else $n / ($room - 1) | ceil end) as $each
    | ($first / $step | floor) as $phase
    | [$at[] | ((. + $phase) / $each | floor) - ($phase / $each | floor)];

# errors by samples of each column, the greatest quantile; null: nothing
def rates($at):
    . as $side
    | reduce range(0; $at | length) as $i ([];
        .[$at[$i]] |= [(.[0] // 0) + $side.errors[$i],
            (.[1] // 0) + $side.samples[$i]])
    | map(if . == null or .[1] == 0 then null else .[0] / .[1] end);
def greatest($at):
    . as $values
    | reduce range(0; $at | length) as $i ([];
        .[$at[$i]] |= ([., $values[$i]] | max));

# a value above nothing is above the lowest step
def steps($top):
    (if $utf8 == "" then "_.-:=+*#" else "▁▂▃▄▅▆▇█" end) as $glyphs
    | map(if . == null then " "
        else ([. / $top * 7 | ceil, 7] | min) as $i
            | $glyphs[$i:$i + 1] end)
    | add // "";

# curves of one height: [{ label, hue, values }]
def curves($title; $least; written):
    ([.[].values[] | numbers] + [$least] | max) as $top
    | ([.[].label | width] | max) as $wide
    | [[($title | bold), (", up to \($top | about | written)" | plain)]]
    + [.[] | [("  \(.label | left_in($wide))  " | plain),
        [(.values | steps($top)), .hue],
        ("  \([.values[] | numbers][-1] | about | written)" | plain)]];

# the stage while it is younger than an hour, then the last hour
def series:
    [(.stage, .hour) | select(type == "object")
        | select((.step | type) == "number" and .step > 0
            and (.t | length) > 0)] as $both
    | if $both[0] == null then empty
      elif $both[0] == .stage
          and .stage.t[-1] + .stage.length[-1] - .stage.t[0] < 3600
      then .stage + { title: "last \(.stage.t[-1] + .stage.length[-1]
          - .stage.t[0] | age)" }
      else (.hour // empty) + { title: "last hour" } end;

def worst_latency:
    reduce (.gates // [] | .[] | select(.metric | test("^p[0-9]+$"))) as $gate
        (null; if . == null or $gate.evidence / $gate.threshold
                > .evidence / .threshold
            then $gate else . end);

def sparklines($history):
    sides as $sides
    | (worst_latency // { metric: "p95", text: "p95 latency" }) as $gate
    | $history | series as $series
    | [$sides[] | select($series.variants[.name] | type == "object")
        | { hue, name,
            label: (if ($sides | length) > 2 then .name | shown | cut(20)
                else .role | shown end) }]
    | .[1:] + .[:1]
    | if length == 0 then empty else . end
    | ($columns - 14 - ([.[].label | width] | max)) as $room
    | ($series | columns_of([$room, 61] | min)) as $at
    | (map(.name as $name
            | .values = ($series.variants[$name] | rates($at)))
        | curves("error rate, \($series.title)"; 0.001; percent)),
      (map(.name as $name
            | .values = ($series.variants[$name][$gate.metric] // []
                | greatest($at)))
        | curves("\($gate | gate_text), \($series.title)"; 0.001;
            if type == "number" then "~" + latency else latency end));

def journal($now):
    [.journal // [] | .[-3:][]
        | [(.time | when($now)), (.event | shown | cut(12)), (.text | shown)]]
    | ([.[][0] | width] | max) as $time
    | ([.[][1] | width] | max) as $event
    | [.[] | [(.[0] | left_in($time + 2) | plain),
        (.[1] | left_in($event + 2) | bold), (.[2] | plain)]];

def whole_view($now; $history):
    [heading($now), saying, shares, gates]
    + [sparklines($history)] + [journal($now)];

# a line for each split, the worst on top
def overview($now):
    [.splits | to_entries[] | .value + { name: .key }] as $splits
    | ([$splits[].name | shown | width] | max // 0) as $widest
    | ([([$widest, $columns - 47] | min), 8] | max) as $width
    | [[["\($splits | length) splits"
            | left_in($columns - 12) | bold,
        ($now | strftime("%H:%M:%S UTC") | plain)]],
       if $splits == [] then [["No upstream is split." | plain]] else
       [[("state          \("upstream" | left_in($width))"
            + "  share    gates         errors" | bold)],
        ($splits | sort_by(-(mood.rank // 0))[]
            | mood as $mood | sides as $sides
            | [["\($mood.class | icon) "
                    + ($mood.word | shown | cut(11) | left_in(13)),
                ($mood.class | hue)],
               ((.name | shown | cut($width) | left_in($width))
                + "  " + ([$sides[] | select(.role != "baseline")
                    | .share | percent] | join(" + ")
                    | cut(12) | left_in(7))
                + "  " + ((.gates // []) as $gates
                    | if $gates == [] then "-" else
                        "\($gates | map(select(.status == "pass")) | length)"
                        + " of \($gates | length) pass" end | left_in(12))
                + "  " + ([$sides[] | select(.role != "baseline")
                    | .window.error_rate | numbers] | max
                    | about | percent)
                | plain)])] end];

def banner:
    if $lost == "" then empty
    else "No figures for \((now - ($since | tonumber)) | span)"
        + if $status == "" then ": " else
            ", those below are of "
            + ($status | fromjson | .time // 0 | strftime("%H:%M:%S"))
            + " UTC: " end
        + ($lost | shown)
        | wrap($columns - 2)
        | [range(0; length) as $i
            | [[if $i == 0 then "bad" | icon + " " else "  " end + .[$i],
                "31"]]] end;

[banner]
+ if $status == "" then [] else
    ($status | fromjson) as $all
    | ($all.time // now) as $now
    | if $name == "" then $all | overview($now)
      else $all.splits[$name]
          | whole_view($now; [$history | fromjson?][0] // {}) end
  end
| fitted[] | draw
