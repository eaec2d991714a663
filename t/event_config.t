# Mistakes in "canary_event", and in gates on events: one line each, which names
# the value and what is allowed.

use strict;
use warnings;

use Test::More;
use Canary;

my $t = Canary->new();

sub around {
    my ($gate, $location, $http) = @_;
    return <<"CONF";
upstream canary { server 127.0.0.1:%%PORT1%%; }
upstream baseline {
    server 127.0.0.1:%%PORT1%%;
    canary canary 5%;
    $gate
}
$http
server {
    listen 127.0.0.1:%%PORT0%%;
    location / { proxy_pass http://baseline;
        $location
    }
}
CONF
}

# "@@" marks the line that the message must name
sub refused {
    my ($text, $message) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($before) = $text =~ /^(.*?)@@/s;
    my ($exit, $output) = $t->test_config("# begins\n" . $text =~ s/@@//r);
    my $file = $t->dir() . '/test.conf';
    my ($head) = $t->read($file) =~ /^(.*?# begins\n)/s;
    my $line = 1 + ("$head$before" =~ tr/\n//);

    my @emerg = grep { /\[emerg\]/ } split /\n/, $output;
    is_deeply(\@emerg, ["nginx: [emerg] $message in $file:$line"], "$message");
    is($exit, 1, 'refused');
    return;
}

sub wrong {
    my ($event, $message) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    refused(around('', "\@\@canary_event $event;", ''), $message);
    return;
}

sub right {
    my ($gate, $location, $http, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($exit, $output) = $t->test_config(around($gate, $location, $http));
    is($exit, 0, $name) or diag($output);
    return;
}

my $name = 'invalid event "%s", it must be 1 to 63 letters, digits or "_"';

wrong($_, sprintf $name, $_) for 'a-b', 'a.b', 'a:b', '$x', 'ä', 'x' x 64;
wrong('""', sprintf $name, '');

my $param = 'invalid parameter "%s", it must be "if=", "unique=" or "value="';

wrong("name $_", sprintf $param, $_) for qw(If=1 when=1 if 1);
wrong('name if=1 if=$arg_a', 'duplicate parameter "if=$arg_a"');
wrong('name value=1 unique=$arg_u value=1', 'duplicate parameter "value=1"');
wrong('name unique=', 'parameter "unique=" has no value');
wrong(
    'name; canary_event other; canary_event name if=$arg_a',
    'duplicate event "name", it may be counted once in each context'
);

wrong(join('; canary_event ', map { "e$_" } 1 .. 33),
    'too many events with "e33", at most 32 different names are allowed');

right('', join(' ', map { "canary_event e$_;" } 1 .. 32), '', '32 of them');
right(
    '',
    'canary_event e1; canary_event e2 if=$arg_a;',
    join(' ', map { "canary_event e$_;" } 1 .. 32),
    'a name of another context counts once'
);
right(
    '', 'canary_event a_B9 if=1 unique=$arg_u value="$arg_a$arg_b";',
    '', 'all parameters, any order'
);
right(
    '', 'if ($arg_a) { set $a 1; } canary_event x if=$a;',
    '', 'variables of other modules'
);

my $unknown =
      'unknown event "%s" in the gate "%s" of upstream "baseline", no '
    . '"canary_event" counts it';

for my $case (
    ['lost', 'event:lost <= 20r/m'],
    ['lost', 'event:known/lost >= 99%'],
    ['lost', 'event:lost/known >= 99%'],
    ['lost', 'event:lost:p95 <= 30'],
    ['KNOWN', 'event:KNOWN <= 0'],
    )
{
    my ($event, $gate) = @$case;
    gate_refused($gate, sprintf $unknown, $event, $gate);
}

for my $gate ('event:known:p95 <= 30', 'event:known:mean <= 30') {
    gate_refused($gate,
        qq(event "known" in the gate "$gate" of upstream "baseline" has no )
            . '"value="');
}

right(
    'canary_gate event:known <= 20r/m; canary_gate event:known/of >= 99.5%;'
        . 'canary_gate event:of:p95 <= 30; canary_gate event:of:mean <= 0.5;',
    'canary_event known; canary_event of value=$arg_v;',
    '',
    'gates on events'
);
right(
    'canary_gate event:known <= 0;',
    '',
    'server { listen 127.0.0.1:%%PORT2%%; location / { return 204; '
        . 'canary_event known; } }',
    'an event of any location'
);

my ($exit, $output) =
    $t->test_config('upstream u { server 127.0.0.1:1; canary_event x; }');
like(
    $output,
    qr/"canary_event" directive is not allowed here/,
    'not in an upstream'
);

$t->no_alerts();
done_testing();

###############################################################################

# what is found when all is read names the upstream, where its block ends
sub gate_refused {
    my ($gate, $message) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $text = around("canary_gate $gate;",
        'canary_event known; canary_event of value=$arg_v;', '');
    $text =~ s/(?=upstream baseline)/\@\@/;
    refused($text, $message);
    return;
}
