use strict;
use warnings;

# A rollback with cause=rehearsal is one in every respect, but its cause: in the
# metrics, the journal and the state file.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_key $arg_k;
        canary_state %%DIR%%/state;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        client_body_timeout 1s;
        location /canary/ { canary_status; }
        location /control/ { canary_control; }
    }
CONF
$t->start();

sub split_of { return $t->status()->{splits}{documents} }

# "operator rehearsal"
sub counted {
    my $metrics = $t->get('/canary/metrics')->{body};
    return join ' ', map {
        $metrics =~ /^nginx_canary_rollbacks_total\{.*cause="$_"\} (\d+)$/m
    } qw(operator rehearsal);
}

is(counted(), '0 0', 'none so far');

my @expected = (0, 0);

for my $case (
    ['by=ana&cause=rehearsal', 1, 'by ana: rehearsal'],
    ['cause=rehearsal', 1, 'rehearsal'],
    ['by=ana&reason=no+1&cause=rehearsal', 1, 'by ana: rehearsal no 1'],
    ['cause=rehearsal&reason=a%0Ab', 1, 'rehearsal a b', qr/control/],
    ['by=ana&cause=gate', 0, 'by ana', qr/"cause" may only be "rehearsal"/],
    ['by=ana&cause=', 0, 'by ana', qr/"cause" may only be "rehearsal"/],
    ['by=ana&cause=rehearsals', 0, 'by ana', qr/"cause" may only be/],
    ['by=ana&cause=%ff', 0, 'by ana', qr/UTF-8/],
    ['by=ana', 0, 'by ana']
    )
{
    my ($form, $rehearsal, $reason, $warning) = @$case;

    my $r = $t->post('/control/documents/rollback', $form);
    is($r->{status}, 200, "$form: answered");
    my $state = JSON::PP::decode_json($r->{body});
    is($state->{state}, 'rolled_back', "$form: rolled back");
    is($state->{reason}, $reason, "$form: the reason");
    like($state->{warning} // '', $warning // qr/^$/, "$form: the warning");
    $expected[$rehearsal]++;
    is(counted(), "@expected", "$form: the metrics");
    my $last = split_of()->{journal}[-1];
    is("$last->{event} $last->{text}", "rollback $reason", "$form: journal");

    # counted once, however often it is asked for
    $t->post('/control/documents/rollback', $form);
    is(counted(), "@expected", "$form: once more");

    $t->post('/control/documents/resume', '');
}

# one whose text never comes is counted as that of an operator
my $socket = $t->connect();
print {$socket} "POST /control/documents/rollback HTTP/1.1\r\nHost: a\r\n"
    . "Content-Length: 15\r\n\r\ncause=re";
ok($t->wait_for(sub { split_of()->{state} eq 'rolled_back' }), 'half a text');
close $socket;
$expected[0]++;
ok($t->wait_for(sub { counted() eq "@expected" }), 'by an operator')
    or diag(counted());
$t->post('/control/documents/resume', '');

# nothing but a rollback has a cause
for my $verb (qw(resume decision incident)) {
    is(
        $t->post("/control/documents/$verb", 'reason=a&cause=rehearsal')
            ->{status},
        400,
        "$verb: refused"
    );
}

# over a restart
$t->post('/control/documents/rollback', 'cause=rehearsal');
$expected[1]++;
$t->stop();
$t->start();
is(counted(), "@expected", 'after a restart');
is(split_of()->{reason}, 'rehearsal', 'it holds');

$t->no_alerts();
done_testing();
