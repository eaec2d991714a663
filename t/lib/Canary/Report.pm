package Canary::Report;

# What nginx, a sanitizer or valgrind had to complain about.

use strict;
use warnings;

use Test::More;

# more than this of a report is seldom read
use constant LINES => 60;


sub no_alerts {
    my ($self, %opts) = @_;

    $self->stop();

    my $log = $self->error_log() . $self->read('stderr.log');
    my @bad = grep { /\[(?:alert|crit|emerg)\]/ } split /\n/, $log;
    @bad = grep {
        !(/worker process (\d+) exited on signal 9/ && $self->{killed}{$1})
    } @bad;
    @bad = grep { $_ !~ $opts{allow} } @bad if $opts{allow};

    push @bad, $self->_sanitizer_reports($log . $self->{tested});
    push @bad, grep { !/Warning: set address range/ } split /\n/,
        $self->read($_)
        for glob "$self->{dir}/valgrind.*";
    push @bad, 'nginx had to be stopped by SIGKILL' if $self->{stopped_hard};

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $ok = ok(!@bad, 'no alerts in the error log');
    diag(join "\n", @bad > LINES ? @bad[0 .. LINES - 1] : @bad) if !$ok;

    return $ok;
}


# The lines of all reports, less those that nginx is known for.  A report that
# came about through the module counts, but for those that no caller can cause.
sub _sanitizer_reports {
    my ($self, $log) = @_;

    my @known = grep { !/^(?:#|\s*$)/ } split /\n/,
        $self->read($self->_root() . '/t/lib/ubsan-known.txt');
    my @always = map { /^always (.*)/ ? $1 : () } @known;
    @known = (@always, grep { !/^always / } @known);

    my (@reports, $open);
    for (split /\n/, $log) {
        if (/runtime error:|(?:Address|Leak)Sanitizer/) {
            push @reports, [$_];
            $open = 1;
        } elsif ($open && !m{^\d{4}/|^nginx:} && @{$reports[-1]} < LINES) {
            push @{$reports[-1]}, $_;
        } else {
            $open = 0;
        }
    }

    @reports = grep {
        my $report = join "\n", @$_;
        my $ours = $report =~ /ngx_(?:http_)?canary_/;
        !grep { $report =~ $_ } $ours ? @always : @known;
    } @reports;

    return map { @$_ } @reports;
}


1;
