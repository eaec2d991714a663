use strict;
use warnings;

# Stages that are begun anew by many resumes and by many reloads at once, then
# by workers that are killed over it: counts stay exact, no figure of a stage is
# more than its total, and the next resume finds nothing in its way.

use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);
use Canary;
use Canary::Load;

my ($seconds, $resumers) = (3 * Canary->slow(), 2);

my $t = Canary->new();
Canary::Load::site(
    $t,
    workers => 2,
    split => 'canary canary 40%;',
    location => 'canary_event seen value=$arg_k unique=$arg_k;'
);
my $conf = $t->read('nginx.conf');
$conf =~ s{(location /canary/ )}{location /control/ { canary_control; } $1};
$t->write('nginx.conf', $conf);
$t->start();

sub split_of { return $t->status()->{splits}{baseline} }

my ($answers, $looks, @absurd) = (0, 0);
my $load = Canary::Load->new(
    $t->port(0),
    clients => 8,
    request => sub { return "/x?k=$_[0]" },
    answered => sub { $answers++ }
);

# rollbacks and resumes as fast as they go, for so many seconds
sub resumer {
    my ($until) = @_;

    my $pid = fork;
    die "fork: $!\n" if !defined $pid;
    return $pid if $pid;
    my $parent = getppid;
    my $end = time + $until;
    while (time < $end && getppid == $parent) {
        for my $verb (qw(rollback resume)) {
            eval { $t->post("/control/baseline/$verb", '') };
        }
    }
    POSIX::_exit(0);
}

sub reaped {
    my (@pids) = @_;

    return @pids == grep { waitpid $_, 0 } @pids;
}

# looks at the status; a worker that is killed over it answers nothing
sub look {
    my $split = eval { split_of() } or return;
    $looks++;

    for my $name (keys %{$split->{variants}}) {
        my ($stage, $total) = @{$split->{variants}{$name}}{qw(stage total)};
        for my $figure (qw(requests errors forced fallbacks)) {
            push @absurd, "$name $figure $stage->{$figure}"
                if $stage->{$figure} > $total->{$figure};
        }
        my ($s, $all) = ($stage->{latency}, $total->{latency});
        push @absurd, "$name latency $s->{count}, $s->{sum} s"
            if $s->{count} > $all->{count} || $s->{sum} > $all->{sum} + 1e-6;
        push @absurd, "$name max $s->{max}"
            if defined $s->{max} && $s->{max} > $all->{max};

        my $event = $split->{events}{seen}{$name};
        push @absurd, "$name events $event->{stage}{count}"
            if $event->{stage}{count} > $event->{total}{count};
    }
    my $elapsed = $split->{stage}{elapsed};
    push @absurd, "elapsed $elapsed" if $elapsed < 0 || $elapsed > 600;
    return;
}

# reloads with two shares in turn, and every other one with the same as before
my ($reloads, $next) = (0, 0);

sub reload_now {
    return if time < $next;
    $next = time + 0.3;
    $t->write('split',
        'canary canary ' . (40 + 10 * ($reloads++ >> 1 & 1)) . '%;');
    $t->reload(wait => 0);
    return;
}

my @pids = map { resumer($seconds) } 1 .. $resumers;
$load->run(
    seconds => $seconds,
    tick => sub { reload_now(); look(); }
);
ok(reaped(@pids), 'resumed in a storm');
cmp_ok($reloads, '>=', 5, 'with reloads in the middle');
cmp_ok($looks, '>=', 10, 'and looked at');
is_deeply(\@absurd, [], 'no figure of a stage is absurd');
my $resumes = () = $t->error_log() =~ /was resumed/g;
cmp_ok($resumes, '>=', 50, 'many resumes');
unlike($t->error_log(), qr/exited on signal/, 'no worker died');
note("$resumes resumes, $reloads reloads, $looks looks, $answers answers");

sub counted {
    my $split = split_of();
    my $n = 0;
    $n += $_->{total}{requests} for values %{$split->{variants}};
    return $n;
}

ok($t->wait_for(sub { counted() == $answers }), 'every answer is counted')
    or diag(counted() . " of $answers");
is($load->{broken}, 0, 'and none was cut short');

# now workers are killed over it, as often as not in the middle

my ($kills, $kill_at) = (0, 0);
@pids = map { resumer($seconds) } 1 .. $resumers;
$load->run(
    seconds => $seconds,
    tick => sub {
        look();
        return if time < $kill_at;
        $kill_at = time + 0.05 + rand 0.1;
        $kills += kill 'KILL', ($t->workers())[0] // ();
    }
);
ok(reaped(@pids), 'resumed once more');
cmp_ok($kills, '>=', 8, 'while workers were killed');
is_deeply(\@absurd, [], 'no figure of a stage is absurd');
note("$kills kills, $looks looks");

ok($t->wait_for(sub { $t->workers() == 2 }), 'there are workers');
$t->get("/x?k=$_") for 1 .. 20;
$t->post('/control/baseline/rollback', '');
my $began = split_of()->{stage}{started_at};
is($t->post('/control/baseline/resume', '')->{status}, 200, 'a resume');
ok($t->wait_for(sub { split_of()->{stage}{started_at} > $began }, 2),
    'begins the stage anew');
is(split_of()->{variants}{baseline}{stage}{requests}, 0, 'with nothing in it');

$t->no_alerts(allow => qr/exited on signal 9/);
done_testing();
