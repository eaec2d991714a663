package Canary::Clock;

# Clocks that a test moves: a library before libc's shifts what nginx takes for
# the time of day, and for the time since the machine began.
#
#     my $clock = Canary::Clock->new($t);  builds the library
#     $clock->start();                     $t->start() with it
#     $clock->set($seconds);               the time of day, ahead by so much
#     $clock->pass($seconds, $sub);        so many seconds go by, one by one,
#                                          each with its tick; $sub->($n) is
#                                          called in each, n from 1
#     $clock->since()                      seconds since it began, as nginx sees
#                                          them
#
# For one worker and a location /clock that answers by itself: what nginx waits
# for in the kernel takes as long as ever, so each second a request wakes it.
#
# Where another library wants to be loaded first, available() is 0.

use strict;
use warnings;

use Text::ParseWords qw(shellwords);
use Time::HiRes qw(time);

# more than a tick's timer, which ends up to a millisecond late
use constant STEP_MS => 1002;


sub available {
    return !($ENV{ASAN_OPTIONS} || $ENV{TEST_NGINX_VALGRIND});
}


sub new {
    my ($class, $t) = @_;

    my $source = $t->write('clock.c', <<'CODE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* of the time of day, and of the others, in milliseconds */

static void
offsets(long *wall, long *since)
{
    int      fd;
    char     buf[64], *rest;
    ssize_t  n;

    fd = open("%%DIR%%/offset", O_RDONLY);
    n = read(fd, buf, sizeof(buf) - 1);
    close(fd);
    buf[n > 0 ? n : 0] = '\0';

    *wall = strtol(buf, &rest, 10);
    *since = strtol(rest, NULL, 10);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int    (*libc)(clockid_t id, struct timespec *ts);
    int      rc;
    long     wall, since, ms;

    *(void **) &libc = dlsym(RTLD_NEXT, "clock_gettime");
    rc = libc(id, ts);

    offsets(&wall, &since);

    switch (id) {

    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        ms = wall;
        break;

    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
        ms = since;
        break;

    default:
        return rc;
    }

    ts->tv_sec += ms / 1000;
    ts->tv_nsec += ms % 1000 * 1000000;

    if (ts->tv_nsec >= 1000000000) {
        ts->tv_sec++;
        ts->tv_nsec -= 1000000000;

    } else if (ts->tv_nsec < 0) {
        ts->tv_sec--;
        ts->tv_nsec += 1000000000;
    }

    return rc;
}

int
gettimeofday(struct timeval *tv, void *tz)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}

time_t
time(time_t *t)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    if (t) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}
CODE

    my $library = $t->dir() . '/clock.so';
    my @cc = shellwords($ENV{CC} || 'cc');
    system(@cc, qw(-O1 -shared -fPIC -o), $library, $source, '-ldl') == 0
        or die "no clock that can be set\n";

    my $self = bless {t => $t, library => $library, wall => 0, since => 0},
        $class;
    $self->_offset();

    return $self;
}


sub start {
    my ($self) = @_;

    local $ENV{LD_PRELOAD} = $self->{library};

    return $self->{t}->start();
}


sub set {
    my ($self, $seconds) = @_;

    $self->{wall} = 1000 * $seconds;

    return $self->_offset();
}


sub pass {
    my ($self, $seconds, $sub) = @_;

    for my $n (1 .. $seconds) {
        $self->{$_} += STEP_MS for qw(wall since);
        $self->_offset();

        # the tick comes behind the first, and the second behind the tick
        $self->{t}->get('/clock') for 1 .. 2;
        $sub->($n) if $sub;
    }

    return;
}


sub since {
    my ($self) = @_;

    return time + $self->{since} / 1000;
}


sub _offset {
    my ($self) = @_;

    my $t = $self->{t};
    my $file = $t->dir() . '/offset';

    $t->write('offset.new', "$self->{wall} $self->{since}");
    rename "$file.new", $file or die "$!\n";

    return;
}


1;
