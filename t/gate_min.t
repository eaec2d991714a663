use strict;
use warnings;

# How many samples a gate takes to pass, of each metric: by itself, and as
# "min=" says.  What the documents say by default is what a gate waits for.

use Test::More;
use Canary;

my $t = Canary->new();

# the table of docs/directives.md
my %default = (
    'p50 <= 1s' => 100,
    'p90 <= 1s' => 200,
    'p95 <= 1s' => 400,
    'p99 <= 1s' => 2000,
    'p999 <= 1s' => 20000,
    'p50 not_worse' => 100,
    'p90 not_worse' => 200,
    'p95 not_worse' => 400,
    'p99 not_worse' => 2000,
    'p999 not_worse' => 20000,
    map({ ("$_ <= 1%" => 100, "$_ not_worse" => 100) }
        qw(error_rate abort_rate retry_rate)),
    'throughput >= 1r/s' => 100,
    'event:seen <= 1r/s' => 100,
    'event:seen >= 1r/s' => 100,
    'event:seen/other <= 1%' => 100,
    'event:seen/other >= 1%' => 100,
    'event:seen:mean <= 1' => 100,
    'event:seen:p50 <= 1' => 100,
    'event:seen:p90 <= 1' => 200,
    'event:seen:p95 <= 1' => 400,
    'event:seen:p99 <= 1' => 2000,
    'event:seen:p999 <= 1' => 20000
);

my $gates = join '', map { "canary_gate $_;\n" } sort keys %default;
my $said = join '', map { "canary_gate $_ min=7;\n" } sort keys %default;

$t->conf(<<"CONF");
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream by_default {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        $gates
    }
    upstream said {
        server 127.0.0.1:%%PORT1%%;
        canary canary 50%;
        $said
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://by_default;
            canary_event seen value=\$arg_v;
            canary_event other;
        }
        location /said { proxy_pass http://said; }
        location /canary/ { canary_status; }
    }
CONF
$t->start();

is_deeply(waits_for('by_default'), \%default, 'by default, as documented');
is_deeply(waits_for('said'), {map { $_ => 7 } keys %default}, 'min=7');

$t->no_alerts();
done_testing();

# by the text of each gate, what it waits for
sub waits_for {
    my ($split) = @_;

    return {
        map {
            my $text = $_->{text} =~ s/ min=7//r;
            $_->{reason} =~ /^0 of (\d+) samples/
                ? ($text => $1 + 0)
                : ($text => $_->{reason})
        } @{$t->status()->{splits}{$split}{gates}}
    };
}
