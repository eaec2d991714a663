use strict;
use warnings;

# POST decision and incident: the journal and the error log get the text, and
# nothing else changes.

use JSON::PP ();
use Test::More;
use Canary;

my $t = Canary->new();

$t->conf(<<'CONF', workers => 2);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_key $arg_k;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://documents; }
        location /canary/ { canary_status; }
        location /control/ { canary_control; }
    }
CONF
$t->start();

my %logged = (decision => 'has a decision', incident => 'has an incident');

for my $verb (qw(decision incident)) {
    my $path = "/control/documents/$verb";
    my $before = $t->status()->{splits}{documents};

    my $r = $t->post($path, 'by=anna&reason=go+for+s1%3A+%C3%BCber');
    is($r->{status}, 200, "$verb is taken");
    my $state = JSON::PP::decode_json($r->{body});
    is($state->{state}, 'active', 'it answers the state');
    is($state->{changed} ? 1 : 0, 1, 'the journal changed');
    is($t->get('/?k=1')->{body}, 'canary', 'the canary goes on');

    my $after = $t->status()->{splits}{documents};
    is_deeply(
        [@{$after->{journal}[-1]}{qw(event text)}],
        [$verb, "by anna: go for s1: \x{fc}ber"],
        'the journal has it'
    );
    is(@{$after->{journal}}, @{$before->{journal}} + 1, 'once');
    is_deeply(
        [@$after{qw(state reason generation verdict)}],
        [@$before{qw(state reason generation verdict)}],
        'all else is as it was'
    );
    like(
        $t->error_log(),
        qr/\[notice\].*split "documents" $logged{$verb} by anna: go for s1: /,
        'the error log has it'
    );

    # the same again is another one, also without a name and rolled back
    $t->post('/control/documents/rollback', 'by=ben&reason=slow');
    is($t->post($path, 'reason=again')->{status}, 200, "$verb, rolled back");
    $after = $t->status()->{splits}{documents};
    is_deeply(
        [@{$after->{journal}[-1]}{qw(event text)}],
        [$verb, 'again'],
        'without a name'
    );
    is($after->{reason}, 'by ben: slow', 'the reason of the rollback stays');
    like(
        $t->error_log(),
        qr/split "documents" $logged{$verb}: again,/,
        'the error log as well'
    );
    is($t->get('/?k=1')->{body}, 'baseline', 'it stays rolled back');
    $t->post('/control/documents/resume', '');

    # what says nothing is refused
    my $entries = @{$t->status()->{splits}{documents}{journal}};
    for my $body ('', 'by=anna', 'by=anna&reason=', 'reason=') {
        $r = $t->post($path, $body);
        is($r->{status}, 400, "$verb: '$body'");
        like(
            JSON::PP::decode_json($r->{body})->{error},
            qr/"reason" is missing/,
            'it says what is missing'
        );
    }
    is(@{$t->status()->{splits}{documents}{journal}},
        $entries, 'none of them is in the journal');
}

$t->no_alerts();
done_testing();
