use strict;
use warnings;

# A canary that never answers, and clients that leave after a second: gates on
# latency and on aborts roll it back; a gate on errors, which sees none, does
# not, but there is no go.

use Test::More;
use Canary;
use Canary::Pace;

my $t = Canary->new();

my @splits = (
    slow => 'canary_gate p95 <= 500ms;',
    aborts => 'canary_gate abort_rate <= 5%;',
    worse => 'canary_gate abort_rate not_worse margin=50%;',
    errors => 'canary_gate error_rate <= 1% min=50;',
    half => 'canary_gate error_rate <= 1% min=50;',
    early => 'canary_gate p95 <= 2s;'
);
Canary::Pace::site($t, @splits);
$t->start();

# that of "half" hangs half of the time
my $hangs = sub {
    my ($name, $n) = @_;
    return $name eq 'half' && int($n / 6) % 2 ? undef : 'hang';
};

my $pace = Canary::Pace->new($t, rate => 60, leave => 1);
my (%out, %go);
my $rolled_back = sub {
    my $splits = $t->status()->{splits};
    for my $name (keys %$splits) {
        my $split = $splits->{$name};
        $out{$name} ||= $split if $split->{state} eq 'rolled_back';
        $go{$name} = $split if $split->{verdict} eq 'go';
    }
    return $out{slow} && $out{aborts} && $out{worse};
};
ok($pace->run(20, bad => $hangs, until => $rolled_back), 'rolled back')
    or diag(explain([keys %out]));
is_deeply([sort keys %out], [qw(aborts slow worse)], 'by the gates that see it')
    or diag(explain(\%out));
is_deeply([keys %go], [], 'none of them was ever go');
is($pace->{failed}, 0, 'no client saw an error');

for my $name (qw(slow aborts worse)) {
    my ($gate) = @{$out{$name}{gates}};
    diag("$name: $out{$name}{reason}");
    is($gate->{status}, 'fail', "$name: the gate fails");
    is($gate->{bad}, $gate->{trials}, "$name: all that it judged was bad");
    like(
        $out{$name}{reason},
        qr/^canary: \Q$gate->{metric}\E .* is broken: /,
        "$name: the reason"
    );
}

my ($slow) = @{$out{slow}{gates}};
is($slow->{actual}, undef, 'slow: there is no p95');
like(
    $slow->{reason},
    qr/clients gave up (\d+) of \1 requests after more than 500ms/,
    'slow: and why'
);

my ($aborts) = @{$out{aborts}{gates}};
is($aborts->{actual}, 1, 'aborts: all of them');

# what goes on as before

my $status = $t->status();
my %gate = map { $_ => $status->{splits}{$_}{gates}[0] } qw(errors half early);
my %stage =
    map { $_ => $status->{splits}{$_}{variants}{canary}{stage} } keys %gate;

is($stage{errors}{errors}, 0, 'errors: none');
is($stage{errors}{aborted}, $stage{errors}{requests}, 'errors: all aborted');
is($gate{errors}{reason}, '0 of 50 samples', 'errors: that is no sample');
is($status->{splits}{errors}{verdict}, 'pending', 'errors: the verdict');

my $part = $stage{half}{aborted} / $stage{half}{requests};
cmp_ok(abs($part - 0.5), '<', 0.2, 'half: aborted');
is($gate{half}{status}, 'pass', 'half: the gate on errors passes');
is($status->{splits}{half}{verdict}, 'pending', 'half: and yet there is no go');
my $reason = $status->{splits}{half}{reason};
my ($said) = $reason =~ /^no go: clients gave up ([\d.]+)% of the requests to/;
cmp_ok(abs($said / 100 - $part), '<', 0.001, 'half: and why');
like($reason, qr/ more than 5% and twice the baseline's 0%$/, 'half: in words');

is_deeply(
    [@{$gate{early}}{qw(actual samples trials bad evidence)}],
    [undef, 0, 0, 0, 0],
    'early: those who left before the limit say nothing'
);
cmp_ok($stage{early}{aborted}, '>', 50, 'early: though they were many');

$pace->finish();
$t->no_alerts();
done_testing();
