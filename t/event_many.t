use strict;
use warnings;

# As many events as a split may have: each is counted, has its users and its
# values, in total, in the stage and in the window; over a second stage, a
# restart and another canary.

use Test::More;
use Canary;

use constant EVENTS => 32;

my $t = Canary->new();
my @events = map { "e$_" } 1 .. EVENTS;
my $events = join '',
    map { "canary_event $_ unique=\$arg_u value=\$arg_v;\n" } @events;

$t->write('split', 'canary canary 100%;');
$t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream other { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split;
        canary_state %%DIR%%/state;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            $events
        }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

asked(1 .. 3);
same('canary', 'the first stage', total => [1 .. 3], stage => [1 .. 3]);

$t->write('split', 'canary canary 100% stage=second;');
ok($t->reload(drain => 1), 'another stage');
same('canary', 'it begins', total => [1 .. 3], stage => []);
asked(4, 5);
same(
    'canary', 'the second stage',
    total => [1 .. 5],
    stage => [4, 5],
    window => [1 .. 5]
);

$t->stop();
$t->start();
same(
    'canary', 'a restart',
    total => [1 .. 5],
    stage => [4, 5],
    window => []
);

$t->write('split', 'canary other 100%;');
ok($t->reload(drain => 1), 'another canary');
asked(6);
same('other', 'it has its own', map { $_ => [6] } qw(total stage window));

$t->no_alerts();
done_testing();

# a user and a value each
sub asked {
    my (@numbers) = @_;

    my $before = count();
    $t->get("/?u=user$_&v=$_") for @numbers;
    $t->wait_for(sub { count() == $before + @numbers }, 5);
    return;
}

# of the last of them, over all canaries
sub count {
    my $last = $t->status()->{splits}{baseline}{events}{$events[-1]};
    my $n = 0;
    $n += $_->{total}{count} for values %$last;
    return $n;
}

# each event is of these users and values alone
sub same {
    my ($canary, $name, %expected) = @_;

    my $got = $t->status()->{splits}{baseline}{events};
    for my $scope (sort keys %expected) {
        my @values = @{$expected{$scope}};
        my $sum = 0;
        $sum += $_ for @values;
        my %right = (
            count => scalar @values,
            unique => scalar @values,
            values => scalar @values,
            sum => $sum,
            max => $values[-1],
            min => $values[0]
        );
        my %wrong;
        for my $event (@events) {
            my $f = $got->{$event}{$canary}{$scope};
            my %f = (
                %$f{qw(count unique)},
                values => $f->{value}{count},
                %{$f->{value}}{qw(sum max min)}
            );
            for my $key (keys %right) {
                my ($is, $want) = ($f{$key} // 'none', $right{$key} // 'none');
                next if $is eq $want;

                # those of a window are known to half a percent
                next
                    if $scope eq 'window'
                    && $key =~ /^m/
                    && "$is$want" !~ /none/
                    && abs($is - $want) <= 0.005 * $want;
                $wrong{"$event $key"} = "$is, not $want";
            }
        }
        is_deeply(\%wrong, {}, "$name: $scope") or diag(explain(\%wrong));
    }
    return;
}
