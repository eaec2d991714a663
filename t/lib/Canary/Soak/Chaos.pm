package Canary::Soak::Chaos;

# What happens to nginx while it is under load.
#
#     my $chaos = Canary::Soak::Chaos->new($site, $ledger);
#     $chaos->act($_) for $chaos->kinds();   each kind of event once
#     $chaos->act();                         one at random
#     $chaos->{done}{reload}                 how often

use strict;
use warnings;

use JSON::PP ();
use Time::HiRes qw(sleep time);

# how often, by comparison
my %kinds = (
    reload => [8, \&_reload],
    workers => [3, \&_workers],
    refuse => [2, \&_refuse],
    kill => [4, \&_kill],
    rollback => [3, \&_rollback],
    rearm => [2, \&_rearm],
    fill => [1, \&_fill],
    upgrade => [1, \&_upgrade],
);

use constant UPGRADE_PAUSE => 60;    # seconds, from one to the next


sub new {
    my ($class, $site, $ledger) = @_;

    return bless {
        site => $site,
        ledger => $ledger,
        done => {},
        upgraded => 0,
        memory => {},
    }, $class;
}


sub kinds {
    my ($self) = @_;

    return grep { $_ ne 'fill' || $self->{site}->can_fill() } sort keys %kinds;
}


sub act {
    my ($self, $kind) = @_;

    $kind ||= $self->_any();
    $kinds{$kind}[1]->($self);
    $self->{done}{$kind}++;

    return;
}


sub _any {
    my ($self) = @_;

    my @kinds = map { ($_) x $kinds{$_}[0] } $self->kinds();
    @kinds = grep { $_ ne 'upgrade' } @kinds
        if time < $self->{upgraded} + UPGRADE_PAUSE;

    return $kinds[rand @kinds];
}


sub _share {
    my @shares = ('0%', '0.0001%', '1%', '7.5%', '20%', '33.3333%', '50%');

    return $shares[rand @shares];
}


# any shares, but not all of them 0%, which would re-arm
sub _shares {
    my %documents = (blue => (1 + int rand 60) . '%');
    my $dice = rand;

    if ($dice < 0.4) {
        $documents{green} = _share();
        $documents{green} = '40%' if $documents{green} eq '50%';
    } elsif ($dice < 0.5) {
        %documents = (blue => 'off', green => 'off');
    }

    # none at all: a split with an empty file
    my $rpc = rand();

    return (
        documents => \%documents,
        rpc => $rpc < 0.15
        ? {}
        : {rpc_blue => $rpc < 0.3 ? 'off' : _share()}
    );
}


sub _load {
    my ($self, %shares) = @_;

    my $number = $self->{site}->load(%shares);
    $self->{ledger}->finding(
        'a load was refused: ' . JSON::PP->new()->canonical()->encode(\%shares))
        if !$number;
    $self->_measure();

    return;
}


sub _reload {
    my ($self) = @_;

    $self->_load(_shares());

    return;
}


sub _workers {
    my ($self) = @_;

    $self->{site}->configure(1 + int rand 4);
    $self->_load(_shares());

    return;
}


# a mistake in the file of the second split: the first must not change either
sub _refuse {
    my ($self) = @_;

    my $t = $self->{site}->t();
    my $before = $t->status()->{generation};

    my $number = $self->{site}
        ->load(documents => {blue => '77%'}, rpc => {rpc_blue => '101%'});

    $self->{ledger}->finding('a load of 101% was taken') if $number;
    $self->{ledger}->finding('a refused load is a generation')
        if $t->status()->{generation} != $before;

    return;
}


sub _kill {
    my ($self) = @_;

    my $t = $self->{site}->t();
    my @workers = $t->workers() or return;

    $self->{ledger}->killed(sub { $t->kill_worker($workers[rand @workers]) });
    $self->{site}->note_workers();

    return;
}


sub _rollback {
    my ($self) = @_;

    $self->_latched();
    $self->{ledger}->unlatched(sub { $self->_post('resume', 'active') });

    return;
}


# as _rollback(), but a load of 0% ends it
sub _rearm {
    my ($self) = @_;

    $self->_latched();
    $self->{ledger}->unlatched(
        sub {
            $self->_load(
                documents => {blue => '0%', green => '0%'},
                rpc => {rpc_blue => '5%'}
            );
            $self->_expect('active');
        }
    );
    $self->_load(_shares());

    return;
}


# rolled back, and maybe loaded anew, which does not end it
sub _latched {
    my ($self) = @_;

    # off is a state that a rollback changes too
    $self->_load(
        documents => {blue => '30%', green => '30%'},
        rpc => {rpc_blue => '30%'}
    );
    $self->{ledger}->latched(sub { $self->_post('rollback', 'rolled_back') });
    sleep rand 0.5;

    if (rand() < 0.4) {
        $self->_load(_shares());
        $self->_expect('rolled_back');
    }

    $self->_load(
        documents => {blue => '45%', green => '15%'},
        rpc => {rpc_blue => '30%'}
    );
    $self->_expect('rolled_back');

    return;
}


sub _post {
    my ($self, $verb, $state) = @_;

    my $response = $self->{site}->t()->post(
        "/canary/control/documents/$verb",
        'by=soak&reason=a+storm',
        'Content-Type' => 'application/x-www-form-urlencoded'
    );
    my $answer = eval { JSON::PP::decode_json($response->{body}) } || {};

    $self->{ledger}->finding("$verb: $response->{raw}")
        if ($response->{status} || 0) != 200
        || ($answer->{state} || '') ne $state;
    $self->{ledger}->finding("$verb: not written: $response->{raw}")
        if !$answer->{written};

    return;
}


sub _expect {
    my ($self, $state) = @_;

    my $is = $self->{site}->t()->status()->{splits}{documents}{state};
    $self->{ledger}->finding("the state is $is, not $state") if $is ne $state;

    return;
}


# a full disk: requests go on, and files are written once there is room
sub _fill {
    my ($self) = @_;

    my $site = $self->{site};
    my $t = $site->t();
    my $file = sub { $t->status()->{splits}{documents}{state_file} };

    $site->fill();
    my $seen = $t->wait_for(sub { $file->()->{error} ne '' }, 20);
    $site->empty();
    my $since = time;
    my $again = $t->wait_for(
        sub {
            my $state = $file->();
            return $state->{error} eq '' && $state->{written_at} > $since;
        },
        20
    );

    $self->{ledger}->finding('a full disk shows nowhere') if !$seen;
    $self->{ledger}->finding('the state file is not written again')
        if !$again;

    return;
}


# half of the time with the latch set, which the new master must know
sub _upgrade {
    my ($self) = @_;

    my $latch = rand() < 0.5;
    my $t = $self->{site}->t();

    # with all variants, so that the figures of all of them are shown
    if ($latch) {
        $self->_latched();
    } else {
        $self->_load(
            documents => {blue => '25%', green => '25%'},
            rpc => {rpc_blue => '25%'}
        );
    }

    # the new master knows what the file does: a re-arming is written later
    my $now = time;
    $t->wait_for(
        sub {
            my $file = $t->status()->{splits}{documents}{state_file};
            return ($file->{written_at} || 0) > $now;
        }
    ) or $self->{ledger}->finding('the state file is not written');

    $self->{ledger}->upgraded(time);
    $self->{site}->upgrade();
    $self->{upgraded} = time;

    if ($latch) {
        $self->_expect('rolled_back');
        $self->{ledger}->unlatched(sub { $self->_post('resume', 'active') });
    }

    # figures begin anew in another zone
    $self->{ledger}{clients}->pause();
    $self->{ledger}->checkpoint();
    $self->{ledger}{clients}->resume();

    return;
}


# what the master and a new worker hold, in KB, and the master's open files
sub _measure {
    my ($self) = @_;

    my $t = $self->{site}->t();
    my $master = $t->master();
    my @workers = $t->workers() or return;

    # sockets come and go with workers
    my @files =
        grep { (readlink || '') !~ /^socket:/ } glob "/proc/$master/fd/*";

    push @{$self->{memory}{$master}},
        {
        master => _resident($t, $master),
        worker => _resident($t, $workers[-1]),
        files => scalar @files,
        };

    return;
}


sub _resident {
    my ($t, $pid) = @_;

    my ($kb) = $t->read("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;

    return $kb || 0;
}


1;
