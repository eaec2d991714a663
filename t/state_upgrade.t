use strict;
use warnings;

# A binary upgrade: the new master goes on from the state file, and what the
# old one does from then on never replaces what the new one wrote.  Taken back,
# the old master is in charge again.

use Test::More;
use Canary;
use Canary::State;

my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my ($foreign, %masters) = (0);
END { kill 'TERM', keys %masters }

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 2);

$s->load('canary canary 100%;');
start();
is($s->canary(10), 10, 'active');
ok($s->written(), 'and written');

# the old workers leave, the old master stays for a while

my $old = $t->master();
my $new = upgrade($old);
leave($old);

$s->canary(5);
is($s->figures('canary')->{requests}, 15, 'the counters go on');
is($s->rollback('reason=new')->{written}, JSON::PP::true, 'rolled back there');

kill 'QUIT', $old;
ok(gone($old), 'the old master exits');
is(owner(), $new, 'and leaves the file to the new one');

$t->{master} = $new;
ok($s->written(), 'the new one writes');
quit($new);

start();
is($s->of('state'), 'rolled_back', 'the next start has its state');
is($s->figures('canary')->{requests}, 15, 'and its counters');
$s->resume();

# taken back: the new master quits, the old one is told to go on

$old = $t->master();
$new = upgrade($old);
leave($old);
$s->rollback('reason=taken+back');
kill 'HUP', $old;
ok(
    $t->wait_for(
        sub {
            $t->{master} = $old;
            return 2 == grep { !$masters{$_} } $t->workers();
        }
    ),
    'the old master has workers again'
);
ok(foreign(), 'which see that the file is not theirs');
is(owner(), $new, 'and leave it to the new one');
kill 'QUIT', $new;
ok(gone($new), 'and the new one exits');

ok($s->written(), 'the old one is in charge again');
is($s->of('state_file')->{error}, '', 'without an error');
is($s->rollback('reason=old')->{written}, JSON::PP::true, 'as POST says');
quit($old);
start();
is($s->of('reason'), 'old', 'its state is the one that is kept');

# while both have workers, one of them writes

$old = $t->master();
$new = upgrade($old);
ok(foreign(), 'the old workers see that the file is not theirs');
is(owner(), $new, 'and leave it to the new one');
$t->{master} = $old;
kill 'QUIT', $old;
ok(gone($old), 'the old master exits');
$t->{master} = $new;
ok($s->written(), 'the new one writes');
quit($new);

$t->no_alerts();
done_testing();

###############################################################################

# A master that was not started by its parent, else nginx takes it for one that
# is being upgraded to.

sub start {
    my $conf = $t->read('nginx.conf') =~ s/^daemon off;/daemon on;/mr;
    $t->write('nginx.conf', $conf);

    my @command = ($nginx, '-p', $t->dir(), '-e', 'error.log', '-c');
    system(@command, $t->dir() . '/nginx.conf') and die "nginx did not start\n";
    $t->wait_for(
        sub {
            ($t->{master}) = $t->read('nginx.pid') =~ /(\d+)/;
            return $t->{master} && $t->workers() == 2;
        }
    ) or die "nginx has no workers\n";
    $masters{$t->{master}} = 1;

    return;
}

# USR2; the pid of the new master once it has its workers
sub upgrade {
    my ($master) = @_;

    my $pid;
    kill 'USR2', $master;
    $t->wait_for(
        sub {
            ($pid) = $t->read('nginx.pid') =~ /(\d+)/;
            return 0 if !$pid || $pid == $master;
            local $t->{master} = $pid;
            return $t->workers() == 2;
        },
        20
    ) or die "no new master\n";
    $masters{$pid} = 1;

    return $pid;
}

# the master that has written the file, as it says
sub owner {
    return unpack 'Q<', substr $t->read($s->file()), 28, 8;
}

# workers say that the file is not theirs, once more than at the last call
sub foreign {
    return $t->wait_for(
        sub {
            my $logged =
                $s->logged(qr/belongs to another nginx that is running/);
            return 0 if $logged == $foreign;
            $foreign = $logged;
            return 1;
        },
        20
    );
}

# the workers of the old master leave
sub leave {
    my ($master) = @_;

    local $t->{master} = $master;
    my @workers = grep { !$masters{$_} } $t->workers();
    kill 'WINCH', $master;
    $t->wait_for(
        sub {
            !grep { -d "/proc/$_" } @workers;
        },
        20
    ) or die "the old workers do not leave\n";

    return;
}

# a master that is no child of this process
sub gone {
    my ($pid) = @_;

    $t->wait_for(sub { !-d "/proc/$pid" }, 20) or return 0;
    delete $masters{$pid};

    return 1;
}

sub quit {
    my ($pid) = @_;

    delete $t->{master};
    kill 'QUIT', $pid;
    gone($pid) or die "nginx did not exit\n";

    return;
}
