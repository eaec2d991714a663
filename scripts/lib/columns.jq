# Text within the columns of a terminal: $columns; $utf8 and $colour are "" for
# a terminal that has none.
#
# A line is a list of parts, [text, colour].  Texts of others pass through
# shown() first, and only draw() writes escapes, around what it has cut.

# whether a code point takes two columns; rather too many than too few
def wide:
    def within($ranges):
        . as $code
        | any(range(0; $ranges | length; 2);
            $ranges[.] <= $code and $code <= $ranges[. + 1]);
    if . < 8986 then 4352 <= . and . <= 4447
    elif . < 11904 then
        within([8986, 8987, 9001, 9002, 9193, 9203, 9725, 9726, 9748, 9749,
            9800, 9811, 9855, 9981, 9989, 9989, 9994, 9995, 10024, 10024,
            10060, 10071, 10133, 10175, 11035, 11093])
    elif . < 44032 then
        . <= 42182 and . != 12351 or 43360 <= . and . <= 43388
    elif . < 63744 then . <= 55203
    elif . < 131072 then
        within([63744, 64255, 65040, 65131, 65281, 65376, 65504, 65510,
            94176, 111355, 126976, 129791])
    else . <= 262141 end;

# the columns of each character
def cells:
    test("[\\p{Mn}\\p{Me}]") as $marks
    | [explode[]
        | if . < 768 then 1
          elif $marks and ([.] | implode | test("[\\p{Mn}\\p{Me}]")) then 0
          elif wide then 2
          else 1 end];

# most text is ASCII, or one of ours
def narrow: test("^[ -~▀-▟…→✓✕○]*$");
def width: if narrow then length else cells | add end;
def dots: if $utf8 == "" then "..." else "…" end;

# in at most so many columns
def cut($n):
    if width <= $n then .
    elif $n <= (dots | length) then dots[:[$n, 0] | max]
    else . as $text
        | ($n - (dots | length)) as $room
        | if narrow then .[:$room]
          else [foreach cells[] as $cell (0; . + $cell; select(. <= $room))]
              | $text[:length] end
        | . + dots
    end;

def left_in($n): . + ((" " * ($n - width)) // "");
def right_in($n): ((" " * ($n - width)) // "") + .;

# in lines of at most so many columns
def wrap($n):
    reduce (split(" ")[] | cut($n)) as $word ([];
        if length > 0 and (.[-1] | width) + 1 + ($word | width) <= $n
        then .[-1] += " " + $word
        else . + [$word] end);

# what others wrote: no controls, nothing that turns text around, and nothing
# of which nobody knows how wide it is
def shown:
    tostring | .[:1000]
    | if test("^[ -~]*$") then .
      elif $utf8 == "" then gsub("[^ -~]"; "?")
      else gsub("[\\x{fe00}-\\x{fe0f}]"; "")
          | gsub("[\\p{C}\\p{Zl}\\p{Zp}]"; "?") end;

def draw:
    reduce .[] as [$text, $code] ({ room: $columns, out: "" };
        if .room <= 0 or $text == "" then .
        else .room as $room
            | ($text | cut($room)) as $text
            | .room -= ($text | width)
            | .out += if $colour == "" or $code == "" then $text
                else "\u001b[\($code)m\($text)\u001b[0m" end
        end)
    | .out | sub(" +$"; "");
