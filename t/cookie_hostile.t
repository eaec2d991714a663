# Cookies of any bytes and sizes: a defined answer, the same each time, and
# nothing of them comes back.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    large_client_header_buffers 8 256k;
    client_header_buffer_size 1k;
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream keyed {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key $cookie_id;
    }
    upstream issued {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_cookie id;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        large_client_header_buffers 8 256k;
        return 200;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Variant "$canary_variant $canary_assignment";
        proxy_set_header Cookie "";
        location / { proxy_pass http://keyed; }
        location /issued { proxy_pass http://issued; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

my $id = '0123456789abcdef' x 2;
my $other = 'fedcba9876543210' x 2;
my $bytes = join '', map { chr } 0x80 .. 0xff;


sub ask {
    my ($path, @cookies) = @_;

    return $t->get($path, Cookie => [@cookies]);
}


sub variant {
    my $r = ask('/', @_);
    return $r->{header}{'x-variant'} || 'status ' . ($r->{status} || 'none');
}

# [label, its value where it has one, the cookie headers]; the word "hostile"
# is looked for in everything that nginx says
my @cases = (
    ['no cookie', ''],
    ['empty', '', 'id='],
    ['no equals sign', '', 'id'],
    ['an equals sign alone', '', '='],
    ['semicolons', '', ';;;;;;'],
    ['semicolons around', undef, ';;id=hostile;;'],
    ['equals signs', undef, 'id==hostile=='],
    ['an open quote', undef, 'id="hostile'],
    ['8 KB', undef, 'id=' . 'hostile!' x 1024],
    ['64 KB', undef, 'id=' . 'hostile!' x 8192],
    ['0x80 to 0xff', undef, "id=$bytes"],
    ['controls', undef, "id=\x01\x02\x1b[31mhostile\x7f"],
    ['markup', undef, 'id=<script>hostile</script>"\\{}'],
    ['500 times in one', undef, join '; ', ('id=hostile') x 500],
    ['500 headers', undef, ('id=hostile') x 500],
    ['two values', undef, 'id=hostile1; id=hostile2'],
    ['two headers', undef, 'id=hostile1', 'id=hostile2'],
    ['33 digits', undef, "id=${id}0"],
    ['the name as a suffix', '', 'xid=hostile'],
    ['the name as a prefix', '', 'idx=hostile'],
    ['the name in a value', '', 'x="id=hostile"'],
);

my %ids;
for my $case (@cases) {
    my ($label, $value, @cookies) = @$case;

    my %seen = map { variant(@cookies) => 1 } 1 .. 4;
    is(scalar keys %seen, 1, "$label: always the same variant");
    my ($seen) = keys %seen;
    if (defined $value) {
        is($seen, 'keyed unkeyed', "$label: no key");
    } else {
        like($seen, qr/^(?:keyed|canary) split$/, "$label: a key");
    }

    my $r = ask('/issued', @cookies);
    my @set = @{$r->{headers}{'set-cookie'} || []};
    my ($new) = "@set" =~ /^id=([0-9a-f]{32}); Path=\/$/;
    ok(defined $new && !$ids{$new}++, "$label: a new id") or diag("@set");
}

# a value among others is what it is alone
my $alone = variant("id=$id");
for my $cookie (
    "xid=$other; id=$id",
    "idx=$other; id=$id",
    "id_=$other; Xid=$other; id=$id; idid=$other",
    "a=\"; id=$id",
    ";;=; id=$id;;",
    join('; ', (map { "c$_=$other" } 1 .. 500), "id=$id")
    )
{
    my $label = length $cookie > 80 ? 'behind 500 others' : $cookie;
    is(variant($cookie), $alone, "as alone: $label");
    my $set = ask('/issued', $cookie)->{headers}{'set-cookie'};
    is($set, undef, 'and not issued again');
}

# of two ids either counts, and always the same
for my $cookies (["id=$id; id=$other"], ["id=$id", "id=$other"]) {
    my %seen =
        map { ask('/issued', @$cookies)->{header}{'x-variant'} => 1 } 1 .. 5;
    is(scalar keys %seen, 1, 'two ids: one variant');
}

my $nul = $t->http("GET / HTTP/1.0\r\nCookie: id=a\0hostile\r\n\r\n");
is($nul->{status}, 400, 'NUL: refused by nginx');

for my $text (
    $t->error_log(),
    $t->get('/canary/metrics')->{body},
    $t->get('/canary/status.json')->{body},
    $t->get('/canary/')->{body}
    )
{
    unlike($text, qr/hostile|$id/, 'says nothing of it');
}

$t->no_alerts();
done_testing();
