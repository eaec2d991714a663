package Canary::Dashboard;

# The Grafana dashboard of conf.d/monitoring, and what Grafana makes of it
# before it asks Prometheus.
#
#     my $dashboard = Canary::Dashboard->new();
#     for my $query ($dashboard->queries()) {
#         my $promql = Canary::Dashboard::fill($query->{expr}, %values);
#     }
#
#     file()        its path;  json() what is in it, decoded
#     panels()      all of them but the rows
#     queries()     each expression of panels, annotations and variables:
#                       name    where it is, to be shown
#                       expr    the expression; of a variable, its selector
#                       labels  labels that each series must have: those of the
#                               legend and of texts; of a variable, its own
#                       kind    "panel", "annotation" or "variable"
#                       panel   the panel
#     fill($expr, %values)
#                   the expression with the variables' values: "job" and so on,
#                   "__rate_interval", "__range"; '.+' where there is none, as
#                   for "All"

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class) = @_;

    my $file = "$ROOT/conf.d/monitoring/grafana-canary.json";
    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/ = undef;
    my $text = <$in>;

    return bless {
        file => $file,
        json => JSON::PP->new()->utf8()->decode($text)
    }, $class;
}


sub file {
    my ($self) = @_;

    return $self->{file};
}


sub json {
    my ($self) = @_;

    return $self->{json};
}


sub panels {
    my ($self) = @_;

    return grep { $_->{type} ne 'row' }
        map { ($_, @{$_->{panels} || []}) } @{$self->{json}{panels}};
}


sub queries {
    my ($self) = @_;

    my @queries;
    for my $panel ($self->panels()) {
        push @queries, map {
            {
                kind => 'panel',
                panel => $panel,
                name => "$panel->{title}, $_->{refId}",
                expr => $_->{expr},
                labels => [_labels($_->{legendFormat})]
            }
        } @{$panel->{targets}};
    }

    for my $annotation (@{$self->{json}{annotations}{list}}) {
        next if $annotation->{builtIn};
        my @texts = @$annotation{qw(titleFormat textFormat)};
        push @queries,
            {
            kind => 'annotation',
            name => "annotation $annotation->{name}",
            expr => $annotation->{expr},
            labels => [_labels(@texts), split /,/, $annotation->{tagKeys}]
            };
    }

    for my $variable (@{$self->{json}{templating}{list}}) {
        next if $variable->{type} ne 'query';
        my ($expr, $label) =
            $variable->{query} =~ /^label_values\((.*), *(\w+)\)$/
            or die "$variable->{query}\n";
        push @queries,
            {
            kind => 'variable',
            name => "variable $variable->{name}",
            expr => $expr,
            labels => [$label]
            };
    }

    return @queries;
}


sub fill {
    my ($expr, %values) = @_;

    # "$1" belongs to label_replace
    $expr =~ s{\$\{?([a-z_]\w*)\}?}
        {defined $values{$1} ? $values{$1} : '.+'}ge;
    return $expr;
}


sub _labels {
    my (@texts) = @_;

    return map { /\{\{(\w+)\}\}/g } grep { defined } @texts;
}


1;
