use strict;
use warnings;

# The wall clock may jump: windows, stages and gates go by the monotonic one.
# A library before libc's shifts what nginx takes for the time of day.

use Test::More;
use Text::ParseWords qw(shellwords);
use Time::HiRes qw(time);
use Canary;

plan skip_all => 'a sanitizer wants to be loaded first'
    if $ENV{ASAN_OPTIONS} || $ENV{TEST_NGINX_VALGRIND};

my $t = Canary->new();

my $source = $t->write('clock.c', <<'CODE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t
offset(void)
{
    int      fd;
    char     buf[32];
    ssize_t  n;

    fd = open(getenv("CLOCK_OFFSET"), O_RDONLY);
    n = read(fd, buf, sizeof(buf) - 1);
    close(fd);
    buf[n > 0 ? n : 0] = '\0';

    return atol(buf);
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

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int  (*libc)(clockid_t id, struct timespec *ts);
    int    rc;

    *(void **) &libc = dlsym(RTLD_NEXT, "clock_gettime");
    rc = libc(id, ts);

    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        ts->tv_sec += offset();
    }

    return rc;
}
CODE

my $library = $t->dir() . '/clock.so';
is(
    system(
        shellwords($ENV{CC} || 'cc'),
        qw(-O1 -shared -fPIC -o),
        $library, $source, '-ldl'
    ),
    0,
    'a clock that can be set'
);

sub set_clock {
    my ($seconds) = @_;

    $t->write('offset.new', $seconds);
    rename $t->dir() . '/offset.new', $t->dir() . '/offset' or die "$!\n";
    return;
}

$t->conf(<<'CONF', workers => 2, main => 'env CLOCK_OFFSET;');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100% stage=s;
        canary_key $arg_user;
        canary_window 10s;
        canary_rollback auto pause=0 false_alarm=1h;
        canary_gate error_rate <= 1%;
        canary_gate throughput >= 1r/s;
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
        location /bad { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
    }
CONF

set_clock(0);
{
    local $ENV{LD_PRELOAD} = $library;
    local $ENV{CLOCK_OFFSET} = $t->dir() . '/offset';
    $t->start();
}

my ($user, $begun) = (0, time);

sub requests {
    my ($n) = @_;

    $t->get('/?user=' . $user++) for 1 .. $n;
    return;
}

sub jumped {
    my ($seconds, $name) = @_;

    set_clock($seconds);
    requests(40);

    my $status;
    ok(
        $t->wait_for(
            sub {
                requests(1);
                $status = $t->status();
                return abs($status->{time} - $seconds - time) < 60;
            }
        ),
        "$name: nginx's clock has jumped"
    );

    my $split = $status->{splits}{baseline};
    my $canary = $split->{variants}{canary};
    my $elapsed = time - $begun;

    cmp_ok(abs($split->{stage}{elapsed} - $elapsed),
        '<', 2, "$name: the stage is as old as it is");
    cmp_ok($canary->{window}{requests}, '>=', 40, "$name: in the window");
    is(
        $canary->{window}{requests},
        $canary->{total}{requests},
        "$name: all of them"
    ) if $elapsed < 9;
    cmp_ok($canary->{total}{latency}{max}, '<', 5, "$name: no long latency");
    cmp_ok(
        abs($canary->{stage}{throughput} * $split->{stage}{elapsed} - $user),
        '<',
        2 + $user / 2,
        "$name: the throughput"
    );
    is($split->{state}, 'active', "$name: nothing is rolled back");
    return;
}

requests(40);
jumped(86_400, 'a day ahead');
jumped(-31_536_000, 'a year back');

ok(
    $t->wait_for(
        sub {
            my $canary =
                $t->status()->{splits}{baseline}{variants}{canary};
            return $canary->{window}{requests} == 0;
        },
        14
    ),
    'the window slides on'
);
cmp_ok(time - $begun, '>', 9.5, 'at its own pace');

# gates judge whatever the time of day is

my $n = 0;
ok(
    $t->wait_for(
        sub {
            $t->get('/bad?user=x') for 1 .. 5;
            set_clock($n++ % 2 ? 7200 : -7200);
            return $t->status()->{splits}{baseline}{state} eq 'rolled_back';
        }
    ),
    'a canary that fails is rolled back while the clock jumps'
);

$t->no_alerts();
done_testing();
