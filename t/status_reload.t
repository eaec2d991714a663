use strict;
use warnings;

# Read under load and reloads, status.json is always one whole document, its
# response classes add up, and neither generation nor totals ever go back.

use JSON::PP ();
use Test::More;
use Canary;
use Canary::Load;

my $reloads = 12;

my $t = Canary->new();

Canary::Load::site(
    $t,
    split => 'canary canary 5% stage=s0;',
    workers => 2,
    canary => 404
);
$t->start();

my $json = JSON::PP->new()->utf8();
my @shares = qw(50 0 25 5 99.9 1);
my (%answered, %wrong);
my ($newest, $loads, $read, $read_since) = (0, 0, 0, 0);
my %most = (canary => 0, baseline => 0);

sub check {
    my ($request, $status) = @_;

    my $split = $status->{splits}{baseline};
    my $generation = $status->{generation};

    $wrong{generation}++ if $generation < $request->{newest};
    $wrong{generation_of_split}++ if $split->{generation} != $generation;
    $wrong{stage}++ if $split->{stage}{name} ne 's' . ($generation - 1);

    if ($generation > $newest) {
        ($newest, $read_since) = ($generation, 0);
    }

    for my $name (qw(canary baseline)) {
        my $variant = $split->{variants}{$name};
        for my $scope (qw(total stage)) {
            my $sum = 0;
            $sum += $_ for values %{$variant->{$scope}{responses}};
            $wrong{sum}++ if $sum != $variant->{$scope}{requests};
            $wrong{below_zero}++
                if grep { $_ < 0 } $sum,
                values %{$variant->{$scope}{responses}};
        }

        my $total = $variant->{total}{requests};
        $wrong{total}++ if $total < $request->{$name};
        $wrong{stage_above_total}++ if $variant->{stage}{requests} > $total;
        $most{$name} = $total if $total > $most{$name};
    }

    return;
}

my $load = Canary::Load->new(
    $t->port(0),
    clients => 16,
    request => sub { return $_[0] % 4 ? "/x?k=$_[0]" : '/canary/status.json' },
    started => sub {
        my ($request) = @_;
        $request->{newest} = $newest;
        $request->{$_} = $most{$_} for keys %most;
    },
    answered => sub {
        my ($request, $status, $head, $body) = @_;
        if ($request->{uri} =~ /^\/x/) {
            $answered{$body}++;
            return;
        }
        $read++;
        $read_since++;
        my $document = eval { $json->decode($body) };
        if ($status != 200 || !$document) {
            $wrong{json}++;
            return;
        }
        check($request, $document);
    }
);

$load->run(
    seconds => 60 * $t->slow(),
    until => sub { $newest > $reloads && $read_since >= 30 },
    tick => sub {
        return if $newest < $loads + 1 || $read_since < 30;
        return if $loads >= $reloads;
        $loads++;
        $t->write('split',
            "canary canary $shares[$loads % @shares]% stage=s$loads;");
        $t->reload(wait => 0);
    }
);

is($loads, $reloads, 'reloads');
is($newest, $reloads + 1, 'each raised the generation');
cmp_ok($read, '>=', 30 * $reloads, 'many times read');
is_deeply(\%wrong, {}, 'each picture was whole and right');
is($load->{broken}, 0, 'none was lost');

# retries of a request that a closing worker never read are no requests to it
ok($t->reload(drain => 1), 'drained');
my $variants = $t->status()->{splits}{baseline}{variants};
is($variants->{$_}{total}{requests}, $answered{$_}, "$_: all counted")
    for qw(canary baseline);
is($variants->{canary}{total}{responses}{'4xx'},
    $answered{canary}, 'with their class');

$t->no_alerts();
done_testing();
