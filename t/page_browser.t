use strict;
use warnings;

# The page in a browser: whole without its script and on a narrow screen,
# nothing for axe and the policy to complain of, and a refresh that a reader
# does not notice.

use File::Basename qw(dirname);
use IPC::Open2 qw(open2);
use Test::More;
use Canary;

my $folder = dirname(__FILE__) . '/browser';
my ($browser) = grep { -x } map { glob "$_/chromium" } split /:/, $ENV{PATH};

my $lacks =
      !$browser ? 'no chromium'
    : !-d "$folder/node_modules" ? 'no node_modules, see scripts/dev/setup'
    : undef;

# who asks for a day of refreshes is not content with none
die "$lacks\n" if $lacks && $ENV{TEST_PAGE_REFRESHES};
plan(skip_all => $lacks) if $lacks;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 25% stage=first;
        canary_key $arg_k;
        canary_gate p95 <= 500ms;
        canary_gate error_rate <= 1%;
        canary_gate error_rate not_worse margin=50%;
        canary_gate throughput >= 1r/s;
    }
    upstream images {
        server 127.0.0.1:%%PORT2%%;
        canary canary off;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; canary_event seen; }
        location /canary { canary_status; }
    }
CONF
$t->http_upstream($t->port(1), name => 'new');
$t->http_upstream($t->port(2), name => 'old');
$t->start();
$t->get("/?k=$_") for 1 .. 200;

# the first point of history
$t->wait_for(
    sub {
        $t->get('/canary/?upstream=documents')->{body} =~ /id="errors-hour"/;
    },
    20
);

my $url = 'http://127.0.0.1:' . $t->port(0) . '/canary/?upstream=documents';
my $pid = open2(my $out, my $in, 'node', "$folder/page.js", $browser, $url);

while (my $line = <$out>) {
    chomp $line;
    if ($line =~ /^(not )?ok (.*)/) {
        ok(!$1, $2);

    } elsif ($line eq 'stop') {
        $t->stop();
        print {$in} "\n";

    } elsif ($line eq 'start') {
        $t->start();
        print {$in} "\n";

    } else {
        diag($line);
    }
}
waitpid $pid, 0;
is($?, 0, 'the browser comes to its end');

$t->no_alerts();
done_testing();
