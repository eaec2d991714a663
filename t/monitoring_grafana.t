#!/usr/bin/perl

# The Grafana dashboard keeps the rules of t/monitoring_grafana.jq, each of
# which a broken dashboard breaks; its PromQL can be parsed, and has the metrics
# and labels that docs/metrics.md has; the samples beside it fit.

use strict;
use warnings;

use CPAN::Meta::YAML;
use JSON::PP ();
use Test::More;

use Canary;
use Canary::Dashboard;

my $t = Canary->new();
my $root = $t->_root();
my $dashboard = Canary::Dashboard->new();
my $file = $dashboard->file();
my @queries = $dashboard->queries();

# what a program of jq says of the dashboard
sub jq {
    my ($program) = @_;

    $t->write('program.jq', <<"JQ");
include "monitoring_grafana";
def panel(f): (.panels[] | select(.title == "Error rate")) |= f;
def expr(f): panel(.targets[0].expr |= f);
def variable(\$name; f):
    (.templating.list[] | select(.name == \$name)) |= f;
def mark(f): (.annotations.list[] | select(.name == "Rollbacks")) |= f;
$program
JQ
    my $out = `jq -c -L '$root/t' -f '@{[$t->dir()]}/program.jq' '$file' 2>&1`;
    return JSON::PP->new()->utf8()->allow_nonref()->decode($out);
}

is_deeply(jq('complaints'), {}, 'the dashboard keeps all rules');

my $selector = 'nginx_canary_errors_total{job=~\"$job\",'
    . ' instance=~\"$instance\", upstream=~\"$upstream\"}';
my @broken = (
    ['template-datasource-rule', 'variable("datasource"; .name = "other")'],
    ['template-datasource-rule', 'variable("datasource"; .label = "other")'],
    ['template-datasource-rule', 'variable("datasource"; .query = "loki")'],
    [
        'template-datasource-rule',
        '.templating.list |= map(select(.type != "datasource"))'
    ],
    ['template-job-rule', 'variable("job"; .multi = false)'],
    ['template-job-rule', 'variable("job"; .allValue = ".*")'],
    ['template-job-rule', 'variable("job"; .name = "jobs")'],
    ['template-instance-rule', 'variable("instance"; .label = "Machine")'],
    ['template-instance-rule', 'variable("instance"; .datasource.uid = "1")'],
    ['template-upstream', 'variable("upstream"; .type = "textbox")'],
    ['template-label-promql-rule', 'variable("job"; .query = "label(job)")'],
    ['template-on-time-change-reload-rule', 'variable("job"; .refresh = 1)'],
    ['panel-datasource-rule', 'panel(.datasource.uid = "prometheus")'],
    ['panel-datasource-rule', 'panel(del(.targets[0].datasource))'],
    ['panel-title-description-rule', 'panel(.title = "")'],
    ['panel-title-description-rule', 'panel(del(.description))'],
    ['panel-units-rule', 'panel(del(.fieldConfig.defaults.unit))'],
    ['panel-units-rule', 'panel(.fieldConfig.defaults.unit = "percents")'],
    ['panel-no-targets-rule', 'panel(del(.targets))'],
    ['target-promql-rule', 'expr("")'],
    ['target-rate-interval-rule', "expr(\"rate($selector\[5m])\")"],
    ['target-rate-interval-rule', "expr(\"rate($selector\[\$__range])\")"],
    ['target-job-rule', 'expr(sub("job=~\"[$]job\", "; ""))'],
    ['target-job-rule', 'expr(sub("job=~\"[$]job\""; "job=\"$job\""))'],
    [
        'target-job-rule',
        'mark(.expr |= sub("=~\"[$]job\""; "=~\"a\"")'
            . ' | .target.expr = .expr)'
    ],
    ['target-instance-rule target-job-rule', 'expr("1 - up")'],
    ['target-instance-rule', 'expr(sub("instance=~\"[$]instance\", "; ""))'],
    ['target-upstream', 'expr(sub(", upstream=~\"[$]upstream\""; ""))'],
    ['target-counter-agg-rule', "expr(\"$selector\")"],
    [
        'target-counter-agg-rule',
        "expr(\"changes($selector" . '[$__rate_interval])")'
    ],
    ['uneditable-dashboard', '.editable = true'],
    ['identity', 'del(.uid)'],
    ['identity', '.id = 7'],
    ['panel-ids', '.panels[3].id = .panels[2].id'],
    ['panel-ids', 'panel(del(.id))'],
    ['target-refs', '.panels[1].targets[1].refId = "A"'],
    ['layout', 'panel(.gridPos.y -= 1)'],
    ['layout', 'panel(.gridPos.x += 13)'],
    ['layout', 'del(.panels[0])'],
    ['annotations', 'mark(.expr += " > 0")'],
    ['annotations', 'mark(.datasource.uid = "prometheus")'],
    [
        'rehearsals',
        'mark(.expr |= sub(", cause!=\"rehearsal\""; "")'
            . ' | .target.expr = .expr)'
    ],
);
my $complaints =
    jq('[' . join(', ', map { "($_->[1] | complaints | keys)" } @broken) . ']');
my %broken;
for my $n (0 .. $#broken) {
    my ($names, $change) = @{$broken[$n]};

    is("@{$complaints->[$n]}", $names, "broken by $change");
    $broken{$_} = 1 for split / /, $names;
}
is_deeply(jq('rules | keys'), [sort keys %broken], 'every rule was broken');

# the metrics and labels that there are

my %labels = (up => {});
for (split /\n/, $t->read("$root/docs/metrics.md")) {
    my ($name, $labels) = /^\| `(nginx_canary_\w+)` \| \w+ \| ([^|]*) \|/
        or next;
    $labels{$name} = {map { $_ => 1 } $labels =~ /`(\w+)`/g};
}
cmp_ok(scalar keys %labels, '>', 20, 'metrics are documented');

my %shown;
for my $query (@queries) {
    my $expr = $query->{expr};
    my %known = (job => 1, instance => 1);
    my @unknown;

    while ($expr =~ /\b(\w+)\{([^{}]*)\}/g) {
        my ($name, $matchers) = ($1, $2);
        $name =~ s/_(?:bucket|sum|count)$// if !$labels{$name};
        push @unknown, $name if !$labels{$name};
        my $own = $labels{$name} || {};
        push @unknown, map { "$name\{$_}" }
            grep { !$own->{$_} && !/^(?:job|instance)$/ }
            $matchers =~ /(\w+) *[=!]/g;
        $known{$_} = 1 for keys %$own;
        $shown{$name} = 1 if $query->{kind} eq 'panel';
    }
    $known{$1} = 1 while $expr =~ /label_replace\([^"]*?\}, "(\w+)"/g;
    push @unknown, grep { !$known{$_} }
        map { split /, */ }
        $expr =~ /\b(?:by|without|on|ignoring|group_left) *\(([^()]*)\)/g;
    push @unknown, grep { !$known{$_} } @{$query->{labels}};

    is_deeply(\@unknown, [],
        "$query->{name}: its metrics and labels are known");
}
is_deeply([grep { !$shown{$_} } sort keys %labels],
    [], 'every metric is shown somewhere');

# dashed, whatever its name
for my $panel ($dashboard->panels()) {
    next
        if !grep { ($_->{legendFormat} // '') eq '{{upstream}}: {{variant}}' }
        @{$panel->{targets}};
    my ($regex) = map { $_->{matcher}{options} }
        grep { $_->{matcher}{id} eq 'byRegexp' }
        @{$panel->{fieldConfig}{overrides}};
    ($regex) = ($regex // '') =~ m{^/(.*)/$};
    ok(
        defined $regex
            && 'a.b-c: a.b-c' =~ /$regex/
            && 'documents: sliceB_documents' !~ /$regex/
            && 'documents: documents2' !~ /$regex/
            && '2documents: documents' !~ /$regex/,
        "$panel->{title}: only a baseline is dashed"
    );
}

# what is beside it

sub yaml {
    my ($name) = @_;

    return CPAN::Meta::YAML->read("$root/conf.d/monitoring/$name")->[0];
}

my ($source) = @{yaml('grafana-datasource.yml')->{datasources}};
my ($interval) = $t->read("$root/conf.d/monitoring/prometheus.yml") =~
    /job_name: nginx_canary\n *scrape_interval: (\w+)/;
is(
    "$source->{type} $source->{access}",
    'prometheus proxy',
    'the data source is a Prometheus'
);
is($source->{jsonData}{timeInterval},
    $interval, 'with the interval at which nginx is scraped');

my ($provider) = @{yaml('grafana-dashboards.yml')->{providers}};
is($provider->{type}, 'file', 'the dashboard comes from a file');
my $docs = $t->read("$root/docs/monitoring.md");
ok(index($docs, "-t $provider->{options}{path} grafana-canary.json") > 0,
    'where the documents say that it goes');
like($docs, qr{/d/\Q$dashboard->{json}{uid}\E`}, 'and what its address is');

# a parser for PromQL finds the selectors that the rules are asked of

SKIP: {
    skip('no parser, see scripts/dev/setup', 1)
        if !-d "$root/t/browser/node_modules/\@prometheus-io";

    my @all = map {
        Canary::Dashboard::fill(
            $_->{expr},
            __rate_interval => '4s',
            __range => '1h'
        )
    } @queries;
    my $input = JSON::PP->new()->utf8()->encode([@all, 'sum by (']);
    $t->write('promql.json', $input);
    my $out = `node '$root/t/browser/promql.js' <'@{[$t->dir()]}/promql.json'`;
    my @parsed = @{JSON::PP->new()->utf8()->decode($out)};

    ok((pop @parsed)->{error}, 'the parser would refuse');
    for my $n (0 .. $#queries) {
        is($parsed[$n]{error}, undef, "$queries[$n]{name}: can be parsed");
    }

    # as the rules find them: with matchers, or bare
    my $asked = JSON::PP->new()->utf8()->encode(\@all);
    is_deeply(
        jq(
                  "$asked | map((selectors | map(.name + .matchers + .range))"
                . ' + bare)'
        ),
        [
            map {
                [map { join '', @$_ } @{$_->{selectors}}]
            } @parsed
        ],
        'its selectors are those that the rules are asked of'
    );
}

done_testing();
