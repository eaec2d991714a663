package Canary::Evidence;

# collect-evidence.sh in the tests, beside Canary::Ctl.
#
#     my $t = Canary->new();
#     my $ev = Canary::Evidence->new($t, stages => 's1:5%:1s s2:100%:1s',
#         split => "canary sliceB 5% stage=s1;\n");
#     $t->start();
#     my $r = $ev->collect('s1');
#     is($r->{status}, 0, 'complete');
#     my %row = $ev->table($ev->page('s1'), 'Performance Metrics');
#
#     new($t, %opts)     as Canary::Ctl, and stages, the plan; sources, text
#                        of the sources file
#     ctl()              the Canary::Ctl
#     settings(%s)       as of Canary::Ctl, over those of new()
#     sources($text)     writes the sources file
#     collect(@args)     runs it: status, out, err, json
#     folder()           the evidence folder;  files() the names in it
#     doc($name)         the decoded JSON document;  page($name) the page
#     table($page, $title, $nth)
#                        the table under a heading: its first column, without
#                        markup => { heading of a column => cell }; of the
#                        $nth heading of that title, 0 by default

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();

use Canary::Ctl;

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class, $t, %opts) = @_;

    my $self = bless {
        t => $t,
        set => {
            stages => delete $opts{stages} || 's1:5%:1s s2:100%:1s',
            environment => 'test',
            %{delete $opts{settings} || {}}
        }
    }, $class;
    if (defined(my $text = delete $opts{sources})) {
        $self->sources($text);
        $self->{set}{sources} = '%%DIR%%/sources.conf';
    }
    $self->{ctl} = Canary::Ctl->new($t, %opts, settings => $self->{set});

    return $self;
}


sub ctl {
    my ($self) = @_;

    return $self->{ctl};
}


sub settings {
    my ($self, %settings) = @_;

    return $self->{ctl}->settings(%{$self->{set}}, %settings);
}


sub sources {
    my ($self, $text) = @_;

    return $self->{t}->write('sources.conf', $text);
}


sub collect {
    my ($self, @args) = @_;

    return $self->finish($self->spawn(@args));
}


sub spawn {
    my ($self, @args) = @_;

    my $dir = $self->{t}->dir();

    return $self->{t}->_start_program(
        sub {
            delete @ENV{grep { /^CANARYCTL_/ } keys %ENV};
            @ENV{keys %{$self->{ctl}->env()}} = values %{$self->{ctl}->env()};
            chdir $dir;
        },
        "$ROOT/scripts/collect-evidence.sh",
        '--conf',
        "$dir/canaryctl.conf",
        @args
    );
}


sub finish {
    my ($self, $pid) = @_;

    return $self->{t}->_end_of_program($pid, 90);
}


sub folder {
    my ($self) = @_;

    return $self->{t}->dir() . '/evidence';
}


sub files {
    my ($self) = @_;

    opendir my $dir, $self->folder() or return;
    return sort grep { !/^\.\.?$/ } readdir $dir;
}


sub doc {
    my ($self, $name) = @_;

    return JSON::PP->new()->utf8()
        ->decode($self->{t}->read("evidence/$name.json"));
}


sub page {
    my ($self, $name) = @_;

    return $self->{t}->read("evidence/$name.md");
}


sub table {
    my ($self, $page, $title, $nth) = @_;

    my @parts = split /^#+ \Q$title\E[^\n]*\n/m, $page;
    my $part = $parts[1 + ($nth || 0)];
    return if !defined $part;
    $part =~ s/^#.*//ms;

    my ($head, undef, @lines) = grep { /^\|/ } split /\n/, $part;
    return if !defined $head;

    my @names = _cells($head);
    my %rows;
    for my $line (@lines) {
        my %row;
        @row{@names} = _cells($line);
        my $key = $row{$names[0]};
        $key =~ s/^\*\*(.*)\*\*$/$1/;
        $rows{$key} = \%row;
    }

    return %rows;
}


# a "|" that is escaped ends no cell
sub _cells {
    my ($line) = @_;

    $line =~ s/^\| | \|$//g;
    return split / \| /, $line, -1;
}


1;
