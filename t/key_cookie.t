use strict;
use warnings;

# A key that is a cookie is what nginx's own variable holds, whatever bytes the
# client sends: a split by it and one by a copy of the variable agree.

use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    # evaluated last, so that nothing is cached for the split by the cookie
    map $cookie_session $copy { default $cookie_session; }
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream cookie {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key $cookie_session;
        canary_salt same;
    }
    upstream copy {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key $copy;
        canary_salt same;
    }
    upstream redefined {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        canary_key $cookie_mine;
        canary_salt same;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        set $cookie_mine $arg_mine;
        location / {
            return 200 "$canary_variant_cookie $canary_assignment
$canary_variant_copy $canary_assignment
$canary_variant_redefined";
        }
    }
CONF
$t->start();

# what stands around the value of a cookie; "@" is the value
my @shapes = (
    'session=@',
    'SESSION=@',
    'Session = @',
    'session=  @',
    'session  =@',
    '  session=@',
    'other=1; session=@',
    'other=1;session=@',
    'other=1;   session=@',
    'other=1, session=@',
    'other=1,session=@',
    'session=@; other=1',
    'session=@;other=1',
    'session=@, other=1',
    'session=@ ; other=1',
    'session; session=@',
    'session;session=@',
    'session,session=@',
    'session ;session=@',
    'session:1;session=@',
    'session=; session=@',
    'session=@; session=other',
    'sessions=1; session=@',
    'xsession=1; session=@',
    'my session=1; session=@',
    'other=session=1; session=@',
    'other="session=1;session=@',
    ';;;session=@',
    ', ; session=@',
    '=;session=@',
    'sessio=1; session=@',
    's=1; ses=2; session=@',
    'session=@=b=c',
    "session=@\x80\xff",
    'session="@"',
    'session="a; session=@"',
    'other=@',
    'session',
    'session=',
    'session =',
    'session;',
    'sessionx=@',
    'xsession=@',
    'other=1; session',
    'other=1; session=',
    'other',
    'o',
    ';',
    ',',
    '=',
    '==',
    ' ',
    '',
    ('a=b; ' x 300) . 'session=@',
    'session=' . ('@' x 300),
    ('session;' x 300) . 'session=@',
);

my $client = $t->client();
my %seen;

for my $shape (@shapes) {
    for my $value (qw(a b3 c0ffee 0123456789abcdef session =x), 'A,B') {
        compare($shape =~ s/\@/$value/gr);
    }
}

compare('other=1', 'session=a');
compare('session', 'session=b');
compare('session=c', 'session=d');
compare('session=', 'session=e');

is_deeply(
    \%seen,
    {
        'canary split, the same' => 1,
        'cookie split, the same' => 1,
        'cookie unkeyed, the same' => 1
    },
    'the same variant as by a copy of the variable'
);

my (%variants, $wrong);

for my $n (1 .. 40) {
    my ($cookie, undef, $redefined) =
        variants("?mine=$n", "session=$n; mine=x");
    $variants{$redefined} = 1;
    $wrong++ if ($cookie =~ /^canary/) != ($redefined =~ /^canary/);
}

is($wrong, undef, 'a variable that "set" redefines is what it was set to');
is_deeply([sort keys %variants],
    [qw(canary redefined)], 'by which users go to both variants');

$t->no_alerts();
done_testing();


sub variants {
    my ($args, @cookies) = @_;

    $client->send("GET /$args HTTP/1.1\r\nHost: localhost\r\n"
            . join('', map { "Cookie: $_\r\n" } @cookies)
            . "\r\n");

    return split /\n/, $client->response('GET')->{body};
}


sub compare {
    my (@cookies) = @_;

    my ($cookie, $copy) = variants('', @cookies);
    (my $same = $copy) =~ s/^copy/cookie/;
    my $outcome = $same eq $cookie ? 'the same' : "not $copy: @cookies";
    $seen{"$cookie, $outcome"} = 1;
}
