use strict;
use warnings;

# Each mistake in the configuration is one [emerg] line that names the value,
# what is allowed, and where it stands; nothing valid is refused.

use Test::More;
use Canary::Mistakes;

sub share {
    my ($value) = @_;

    return "invalid share \"$value\", it must be between 0% and 100% with at"
        . ' most four decimals, or "off"';
}

my $long_stage = 's' x 64;


# canary

right('canary c1 5%;');
right("canary c1 $_;")
    for qw(0% 100% 100.0000% 0.0001% 99.9999% 00005% off 33.3%);
right('canary C1 5%;');
right('canary c1 100%; canary c2 0%;');
right('canary c1 100%; canary c2 off;');
right('canary c1 33.3333%; canary c2 66.6667%;');
right('canary c1 5% stage=s1; canary c2 5% stage=s1;');
right('canary c1 5% stage=s1; canary c2 5%;');
right('canary c1 5% stage=' . 's' x 63 . ';');
right('canary c1 5%; ip_hash;');
right('canary c1 5%; least_conn; keepalive 4;');
right('');

wrong("canary c1 $_;", share($_))
    for qw(-1% 101% 100.001% 1e9 nan 99999999999999999999% 5 5%% .5% 5.% % +5%
    0.00001% 100.0001% 0x5% OFF on);
wrong("canary c1 '';", share(''));
wrong('canary c1 5,5%;', share('5,5%'));
wrong("canary c1 ' 5%';", share(' 5%'));
wrong('canary c1;', sprintf $arguments, 'canary');
wrong('canary c1 5% stage=a b;', sprintf $arguments, 'canary');
wrong('canary "" 5%;', directive('canary', 'has an empty upstream name'));
wrong('canary c1 5% step=a;',
    'invalid parameter "step=a", only "stage=" is allowed');
wrong("canary c1 5% $_;",
    'invalid stage "", it must have 1 to 63 bytes and no control characters')
    for 'stage=', '"stage="';
wrong(
    "canary c1 5% stage=$long_stage;",
    "invalid stage \"$long_stage\", it must have 1 to 63 bytes and no control"
        . ' characters'
);
wrong(
    "canary c1 5% 'stage=a\tb';",
    "invalid stage \"a\tb\", it must have 1 to 63 bytes and no control"
        . ' characters'
);
wrong(
    "canary c1 5% stage=a;\ncanary c2 5% stage=b;@@",
    'stage "b" differs from stage "a" of another canary of this upstream,'
        . ' they must be the same'
);
wrong("canary c1 50%;\ncanary c2 50.0001%;@@",
    'the shares of all canaries add up to 100.0001%, at most 100% is allowed');
wrong("canary c1 5%;\n$_ 5%;@@", 'duplicate canary "' . (split)[1] . '"')
    for 'canary c1', 'canary C1';

wrong(
    "canary nowhere 5%;@@\ncanary c1 5%;",
    'upstream "nowhere" is not defined'
);
wrong("canary 127.0.0.1:%%PORT1%% 5%;@@",
    'upstream "127.0.0.1:' . $t->port(1) . '" is not defined');
wrong("canary $_ 5%;@@\n",
    "canary \"$_\" names its own upstream, it must name another one")
    for qw(baseline BASELINE);
wrong(
    "canary split 5%;@@\n",
    'canary "split" is itself split, it must be an upstream without canary'
        . ' directives'
);

my @eight = map { "n$_" } 1 .. 8;
my $eight = join '',
    map { "upstream $_ { server 127.0.0.1:%%PORT1%%; }\n" } @eight;
is(
    (
        $t->test_config(
            $eight . around(join "\n", map { "canary $_ 1%;" } @eight[0 .. 6])
        )
    )[0],
    0,
    'valid: seven canaries'
);
refused(
    $eight . around(join("\n", map { "canary $_ 1%;" } @eight) . '@@'),
    'too many canaries with "n8", at most 7 are allowed',
    'eight canaries'
);

my ($fits, $beyond) = ('u' x 255, 'u' x 256);
my $servers = 'server 127.0.0.1:%%PORT1%%;';
for my $role ('canary', 'split') {
    my $text =
        $role eq 'canary'
        ? "upstream NAME { $servers }\n" . around('canary NAME 5%;@@')
        : "upstream NAME { $servers canary c1 5%; }\n" . around('');

    is(($t->test_config($text =~ s/NAME/$fits/gr =~ s/@@//r))[0],
        0, "valid: a $role with a name of 255 bytes");

    my $message =
        $role eq 'canary'
        ? "the name \"$beyond\""
        : "the name of the split upstream \"$beyond\"";

    # an upstream stands where its block begins
    $text =~ s/NAME \{/NAME {@@/ if $role eq 'split';
    refused(
        $text =~ s/NAME/$beyond/gr,
        "$message is longer than 255 bytes",
        "a $role with a name of 256 bytes"
    );
}


# canary_key, canary_salt

right('canary c1 5%; canary_key $cookie_session $remote_addr;');
right('canary c1 5%; canary_key ${remote_addr}$uri text;');
right('canary_key $remote_addr;');
right('canary c1 5%; canary_salt "a b";');

wrong('canary_key;', sprintf $arguments, 'canary_key');
wrong('canary_key $uri "";', directive('canary_key', 'has an empty value'));
wrong(
    "canary_key \$uri;\ncanary_key \$uri;@@",
    directive('canary_key', 'is duplicate')
);
wrong('canary_key "$";', 'invalid variable name');
wrong('canary_salt;', sprintf $arguments, 'canary_salt');
wrong('canary_salt a b;', sprintf $arguments, 'canary_salt');
wrong('canary_salt "";', directive('canary_salt', 'has an empty salt'));
wrong(
    "canary_salt a;\ncanary_salt a;@@",
    directive('canary_salt', 'is duplicate')
);


# canary_cookie

right("canary c1 5%; canary_cookie $_;")
    for 'id', "!#%&'*+-.^_`|~09azAZ", 'id path=/a domain=example.com',
    'id expires=30d', 'id expires=1', 'id expires=1y2M', 'id samesite=strict',
    'id samesite=LAX secure httponly', 'id samesite=None secure',
    'id secure samesite=none', '$id';

my $token = 'it must be letters, digits and any of !#$%&\'*+-.^_`|~';
wrong('canary_cookie;', sprintf $arguments, 'canary_cookie');
wrong("canary_cookie '$_';", "invalid cookie name \"$_\", $token")
    for '', 'a b', 'a=b', 'a;b', 'a,b', 'a"b', 'a/b', '{a}', 'a@b', "a\tb",
    "a\x7fb", "caf\xc3\xa9";
wrong(
    "canary_cookie a;\ncanary_cookie b;@@",
    directive('canary_cookie', 'is duplicate')
);
wrong(
    'canary_cookie id max-age=5;',
    'invalid parameter "max-age=5", allowed are "path=", "domain=",'
        . ' "expires=", "samesite=", "secure" and "httponly"'
);
wrong(
    "canary_cookie id '$_';",
    "invalid \"$_\", the value must be visible ASCII characters without \";\""
    )
    for 'path=', 'domain=', 'path=/a;b', 'domain=a;b', "path=/\tb",
    "domain=a\x7f", "path=/\xc3\xa9";
wrong(
    "canary_cookie id 'expires=$_';",
    "invalid \"expires=$_\", it must be a time of at least one second, such"
        . ' as 30d'
) for '', '0', '0s', '-1', 'soon', '5x', '99999999999999999999d', '500ms';
wrong("canary_cookie id 'samesite=$_';",
    "invalid \"samesite=$_\", it must be \"strict\", \"lax\" or \"none\"")
    for '', 'loose', 'laxx';
wrong(
    'canary_cookie id samesite=none;',
    directive(
        'canary_cookie',
        'with "samesite=none" must be "secure", browsers refuse it otherwise'
    )
);

for my $pair (
    ['path=/', 'path=/b'],
    ['domain=a', 'domain=a'],
    ['expires=1d', 'expires=2d'],
    ['samesite=lax', 'samesite=strict'],
    ['secure', 'secure'],
    ['httponly', 'httponly']
    )
{
    wrong("canary_cookie id @$pair;", "duplicate parameter \"$pair->[1]\"");
}


# canary_bypass
right('canary_bypass $http_x $arg_b$arg_c; canary_bypass 0;');
wrong('canary_bypass;', sprintf $arguments, 'canary_bypass');
wrong('canary_bypass $http_x "";',
    directive('canary_bypass', 'has an empty value'));

# canary_force

right("canary c1 5%; canary_force $_;")
    for '$http_x always c1', '$http_x never baseline', '$http_x ~^a c1',
    '$http_x ~*^a C1', '$http_x$uri "a b" BASELINE';
right('canary_force $http_x always other;');

wrong('canary_force $http_x always;', sprintf $arguments, 'canary_force');
wrong('canary_force "" always baseline;',
    directive('canary_force', 'has an empty value'));
wrong('canary_force $http_x "" baseline;',
    directive('canary_force', 'has an empty pattern'));
wrong("canary_force \$http_x $_ baseline;",
    directive('canary_force', 'has an empty regular expression'))
    for qw(~ ~*);
wrong(
    'canary_force $http_x always nowhere;',
    'upstream "nowhere" is not defined'
);
wrong('canary_force $http_x always "";', 'upstream "" is not defined');
wrong("canary c1 5%;\ncanary_force \$http_x always nowhere;@@",
    'upstream "nowhere" is not defined');
wrong(
    "canary c1 5%;\ncanary_force \$http_x always c2;@@",
    'upstream "c2" in "canary_force" must be "baseline" or one of its'
        . ' canaries'
);

# PCRE says what is wrong, in words of its own release
for my $pattern ('~(a', '~*[a') {
    my ($exit, $output) =
        $t->test_config(around("canary_force \$http_x '$pattern' baseline;"));
    is($exit, 1, "bad regex $pattern: refused");
    like(
        $output,
        qr/\[emerg\] invalid pattern "\Q$pattern\E": pcre2?_compile/,
        "bad regex $pattern: named"
    );
}


# canary_fallback, canary_errors, canary_latency

right("canary c1 5%; canary_fallback $_;") for qw(on off);
wrong("canary_fallback $_;",
    "invalid value \"$_\", it must be \"on\" or \"off\"")
    for qw(yes ON);
wrong(
    "canary_fallback on;\ncanary_fallback on;@@",
    directive('canary_fallback', 'is duplicate')
);

right("canary c1 5%; canary_errors $_;")
    for '5xx', '1xx 2xx 3xx 4xx 5xx', '100 599', '404 404 4xx',
    'if=$sent_http_grpc_status', '502 if=$upstream_http_x$uri';
wrong(
    "canary_errors $_;",
    "invalid status \"$_\", it must be a code from 100 to 599 or a class from"
        . ' "1xx" to "5xx"'
) for qw(99 099 600 0500 5000 6xx 0xx 5x 5xxx 5XX -50 abc);
wrong(
    "canary_errors '';",
    'invalid status "", it must be a code from 100 to 599 or a class from'
        . ' "1xx" to "5xx"'
);
wrong('canary_errors 5xx if=;',
    directive('canary_errors', 'has an empty value of "if="'));
wrong('canary_errors if=$uri if=$args;', 'duplicate parameter "if=$args"');
wrong(
    "canary_errors $_;\ncanary_errors 502;@@",
    directive('canary_errors', 'is duplicate')
) for '5xx', 'if=$uri';

right("canary c1 5%; canary_latency $_;") for qw(upstream request);
wrong('canary_latency total;',
    'invalid value "total", it must be "upstream", "header" or "request"');
wrong(
    "canary_latency request;\ncanary_latency request;@@",
    directive('canary_latency', 'is duplicate')
);


# canary_buckets

right("canary c1 5%; canary_buckets $_;")
    for '1us', '1000s', '5ms 10ms 2500ms 10s', '999us 1ms 1010us', '1m 2m 16m',
    '1 2 3', join(' ', map { "${_}ms" } 1 .. 50);

my $bucket =
    'it must be a time from 1us to 1000s of at most three significant digits';
wrong("canary_buckets '$_';", "invalid bucket \"$_\", $bucket")
    for '', '0', '0ms', '-1ms', '1001ms', '1001us', '1001s', '1010s', '17m',
    '1.5s', '5 ms', 'ms', '5h', '5mss', '18446744073709551617us',
    '99999999999m';
wrong("canary_buckets $_->[0] $_->[1];",
    "bucket \"$_->[1]\" must be greater than the one before it, \"$_->[0]\"")
    for ['5ms', '5ms'], ['1s', '1000ms'], ['10ms', '5ms'];
wrong(
    'canary_buckets ' . join(' ', map { "${_}ms" } 1 .. 51) . ';',
    '51 buckets are too many, at most 50 are allowed'
);
wrong(
    "canary_buckets 1s;\ncanary_buckets 1s;@@",
    directive('canary_buckets', 'is duplicate')
);


# one variable, one split

for my $names ([qw(a-b a.b)], [qw(a.b a_b)], [qw(A-b a_B)]) {
    my ($first, $second) = @$names;
    refused(
        around('') . <<"CONF",
upstream $first { server 127.0.0.1:1; canary c1 1%; }
upstream $second {@@
    server 127.0.0.1:1;
    canary c1 1%;
}
CONF
        "splits \"$first\" and \"$second\" would share one"
            . ' "$canary_variant_NAME", their names must differ in more than'
            . ' "-", "." and "_"',
        "$first and $second"
    );
}
right("canary c1 5%; }\nupstream base-line { server 127.0.0.1:1;");
right("canary c1 5%; }\nupstream c_1 { server 127.0.0.1:1; canary c1 1%;");


# where a directive may stand

sub misplaced {
    my ($line) = @_;

    my ($name) = $line =~ /(\w+)/;
    refused(
        "$line@@\n" . around(''),
        directive($name, 'is not allowed here'),
        "$name in http"
    );
    return;
}

misplaced($_)
    for 'canary c1 5%;', 'canary_key $uri;', 'canary_salt a;',
    'canary_cookie a;', 'canary_force $uri a c1;', 'canary_fallback on;',
    'canary_errors 5xx;', 'canary_latency request;', 'canary_buckets 1s;',
    'canary_gate p95 <= 1s;', 'canary_rollback auto;', 'canary_window 1m;',
    'canary_status;', 'canary_control;';
wrong("$_;", directive($_, 'is not allowed here'))
    for qw(canary_status canary_control);

$t->no_alerts();
done_testing();
