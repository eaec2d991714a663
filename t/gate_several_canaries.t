use strict;
use warnings;

# Each canary is judged by itself, and begins anew when it had no share for a
# while, whatever the others do.

use Test::More;
use Time::HiRes qw(time);
use Canary;

my $t = Canary->new();

sub configure {
    my ($share) = @_;

    $t->conf(<<"CONF", workers => 2);
    upstream one { server 127.0.0.1:%%PORT1%%; }
    upstream two { server 127.0.0.1:%%PORT2%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        $share
        canary two 30%;
        canary_key \$arg_user;
        canary_rollback manual pause=0 false_alarm=1h;
        canary_gate error_rate <= 1%;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / {
            if (-f %%DIR%%/broken) { return 503; }
            return 200;
        }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF
    return;
}

sub split_of { return $t->status()->{splits}{baseline} }

my $user = 0;

# the states of the gates by variant, after some more requests
sub gates {
    $t->get('/?user=' . $user++) for 1 .. 20;
    return {map { ($_->{variant} => $_->{status}) } @{split_of()->{gates}}};
}

sub become {
    my ($one, $two, $name) = @_;

    my $gates;
    ok(
        $t->wait_for(
            sub {
                $gates = gates();
                return ($gates->{one} || '') eq $one && $gates->{two} eq $two;
            }
        ),
        $name
    ) or diag(explain($gates));
    return;
}

configure('canary one 30%;');
$t->start();
become('pass', 'pass', 'both pass');

$t->write('broken', '');
become('fail', 'pass', 'one fails, the other does not');
is(split_of()->{verdict}, 'rollback', 'the verdict');

# the one is mended while it is off, or away

for my $without ('canary one off;', 'canary one 0%;', '') {
    my $name = $without || 'away';

    unlink $t->dir() . '/broken';
    configure($without);
    ok($t->reload(), "$name: loaded");
    become($without ? 'pending' : '', 'pass', "$name: nothing to judge");

    # it takes a tick to be seen
    my $end = time + 1.2;
    ok($t->wait_for(sub { time > $end }), "$name: for a while");
    is(split_of()->{verdict}, $without ? 'pending' : 'go', 'the verdict');

    configure('canary one 30%;');
    ok($t->reload(), "$name: loaded with its share again");
    $t->get('/?user=' . $user++) for 1 .. 100;
    is(gates()->{one}, 'pending', "$name: judged by what it does now");

    $t->write('broken', '');
    become('fail', 'pass', "$name: it fails again");
}

my @notes = grep { $_->{event} eq 'gate' } @{split_of()->{journal}};
is(@notes, 4, 'the journal has each');
is(grep({ $_->{text} =~ /^one: / } @notes), 4, 'of the one that failed');

$t->no_alerts();
done_testing();
