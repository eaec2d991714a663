#!/usr/bin/perl

# The rules and samples of conf.d/monitoring, by the tools that read them.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

use Canary;

my $root = abs_path(dirname(__FILE__) . '/..');
my $folder = "$root/conf.d/monitoring";

sub run {
    my ($command, $name) = @_;

    my $output = `$command 2>&1`;
    is($?, 0, $name) or diag($output);
    return $output;
}

run("promtool check rules '$folder/nginx_canary.rules.yml'",
    'promtool takes the rules');
run("promtool check config '$folder/prometheus.yml'",
    "and Prometheus' configuration");
run("amtool check-config '$folder/alertmanager.yml'",
    "amtool takes Alertmanager's");
run(
    "promtool test rules '$root/t/monitoring_rules.yml'",
    'each rule raises what it should, and nothing else'
);

# every alert of the file is tested, and each name that others use is one
my $t = Canary->new();
my $rules = $t->read("$folder/nginx_canary.rules.yml");
my $tests = $t->read("$root/t/monitoring_rules.yml");
my @alerts = $rules =~ /^ *- alert: (\w+)$/mg;
ok(@alerts >= 6, 'there are alerts');
for my $alert (@alerts) {
    like($tests, qr/alertname: $alert\n *exp_alerts:/, "$alert is tested");
}
for my $name ('alertmanager.yml', 'canary-webhook.service') {
    my %known = map { $_ => 1 } @alerts;
    my @used = $t->read("$folder/$name") =~ /\b(Canary[A-Z]\w+)/g;
    ok(@used, "$name names alerts");
    is_deeply([grep { !$known{$_} } @used], [], 'that there are');
}

# every metric in the rules is one that the module publishes
my %published = map { $_ => 1 }
    $t->read("$root/docs/metrics.md") =~ /^\| `(nginx_canary_\w+)`/mg;
my %used;
$used{$1} = 1
    while $rules =~ /(?<![:\w])(nginx_canary_\w+?)(?:_bucket)?\b(?![.:])/g;
delete $used{nginx_canary};
for my $name (sort keys %used) {
    ok($published{$name}, "$name is published");
}

done_testing();
