package Canary;

# The tests' helper: an nginx of one's own in a folder of one's own, clients
# and misbehaving upstream servers, with perl's core modules only.
#
#     use strict;
#     use warnings;
#     use Test::More;
#     use Canary;
#
#     my $t = Canary->new();
#     $t->conf(<<'CONF', workers => 2);
#         upstream canary   { server 127.0.0.1:%%PORT1%%; }
#         upstream baseline {
#             server 127.0.0.1:%%PORT2%%;
#             canary canary 100%;
#         }
#         server {
#             listen 127.0.0.1:%%PORT0%%;
#             location /        { proxy_pass http://baseline; }
#             location /canary/ { canary_status; }
#         }
#     CONF
#     $t->http_upstream($t->port(1), name => 'new', broken => 'truncate');
#     $t->http_upstream($t->port(2), name => 'old');
#     $t->start();
#
#     is($t->get('/a')->{status}, 200, 'the header was already passed on');
#     is($t->seen($t->port(1)), 1, 'the canary saw it');
#     ok($t->wait_for(sub {
#         $t->status()->{splits}{baseline}{variants}{canary}{total}{errors};
#     }), 'a body cut short is an error');
#
#     $t->no_alerts();
#     done_testing();
#
# Folder and ports
#     new()                own folder, 20 ports for this process alone
#     dir(), port($n)      "%%DIR%%" and "%%PORTn%%" (n 0 to 19) of any text;
#                          port 0 is where clients connect unless told; a port
#                          that nobody listens on refuses connections
#     write($name, $text)  a file in the folder, %%..%% replaced; its path
#     read($name)          its contents, '' if there is none
#
# nginx
#     conf($http, %opts)   writes nginx.conf around the text of the http block;
#                          workers (1), master ('on'), log ('info'; 'debug'),
#                          main, events (more text there), connections (512),
#                          module (1; 0 leaves out load_module), user (root)
#     test_config()        nginx -t of that file: (exit status, its output);
#                          with the arguments of conf(), of a file apart
#     start()              dies with nginx's message if it does not come up
#     reload(%opts)        1 once new workers are there and old ones accept no
#                          more; 0 if refused; drain => 1 also waits until old
#                          workers are gone; wait => 0 only signals
#     stop()               QUIT, TERM after 5 s, KILL after 5 more
#     signal($name)        to the master;  master() is its pid
#     workers()            pids of workers that are not shutting down
#     kill_worker($pid)    SIGKILL, to the first by default; waits for another
#     error_log()          its text
#     no_alerts(%opts)     a test: stops nginx, then no alert, crit, emerg or
#                          sanitizer report; allow => qr/../ excepts lines
#     wait_for($sub, $s)   polls up to $s seconds (30) until it is true, and
#                          returns that; an exception counts as false
#     slow()               by how much to scale times: 1, more under valgrind
#
# Clients: Canary::Http.  Upstream servers: Canary::Upstream.
#
# Environment: TEST_NGINX_BINARY, TEST_CANARY_MODULE, TEST_NGINX_VALGRIND=1
# (memcheck and leaks, reported by no_alerts), TEST_SLOW (factor for times),
# TEST_LEAVE=1 (keeps the folder and names it).

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use parent qw(Canary::Http Canary::Process Canary::Report Canary::Upstream);


sub new {
    my ($class) = @_;

    my $leave = $ENV{TEST_LEAVE};
    my $self = bless {
        dir => tempdir('canary-XXXXXX', TMPDIR => 1, CLEANUP => !$leave),
        killed => {},
        stopped_hard => 0,
        tested => '',
    }, $class;

    diag("folder $self->{dir}") if $leave;
    chmod 0755, $self->{dir};
    $self->_reserve_ports();
    $SIG{PIPE} = 'IGNORE';
    for my $signal (qw(INT TERM HUP)) {
        $SIG{$signal} = sub { exit 1 };
    }

    return $self;
}


sub dir {
    my ($self) = @_;

    return $self->{dir};
}


sub port {
    my ($self, $n) = @_;

    die "no port $n\n" if $n < 0 || $n >= Canary::Process::PORTS;
    return $self->{base} + $n;
}


sub slow {
    return $ENV{TEST_SLOW} || ($ENV{TEST_NGINX_VALGRIND} ? 10 : 1);
}


sub write {
    my ($self, $name, $text) = @_;

    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";
    open my $out, '>:raw', $path or die "$path: $!\n";
    print {$out} $self->_expand($text);
    close $out or die "$path: $!\n";

    return $path;
}


sub read {
    my ($self, $name) = @_;

    my $path = $name =~ m{^/} ? $name : "$self->{dir}/$name";
    open my $in, '<:raw', $path or return '';
    local $/ = undef;
    my $text = <$in>;

    return defined $text ? $text : '';
}


sub conf {
    my ($self, $http, %opts) = @_;

    return $self->write('nginx.conf', $self->_conf_text($http, %opts));
}


sub test_config {
    my ($self, $http, %opts) = @_;

    my $conf = "$self->{dir}/nginx.conf";
    if (defined $http) {
        $conf = $self->write('test.conf', $self->_conf_text($http, %opts));
    }

    my $pid = open my $out, '-|';
    die "fork: $!\n" if !defined $pid;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
        $self->_forget_leaks();
        exec $self->_nginx(), '-t', '-p', $self->{dir}, '-e', 'test.log',
            '-c', $conf
            or POSIX::_exit(127);
    }
    my $text = do { local $/ = undef; <$out> };
    close $out;
    my $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;

    $text = '' if !defined $text;
    $self->{tested} .= $text;

    return ($exit, $text);
}


# a test of the configuration frees nothing, on purpose
sub _forget_leaks {
    $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} || (), 'detect_leaks=0';
    return;
}


sub start {
    my ($self) = @_;

    my @command = (
        $self->_nginx(), '-p', $self->{dir}, '-e', 'error.log', '-c',
        "$self->{dir}/nginx.conf"
    );
    unshift @command, $self->_valgrind() if $ENV{TEST_NGINX_VALGRIND};

    my $conf = $self->read('nginx.conf');
    my ($port) = $conf =~ /\blisten\s+127\.0\.0\.1:(\d+)/;
    my ($workers) = $conf =~ /^worker_processes (\d+)/m;
    $workers = 0 if $conf =~ /^master_process off/m;

    # written when nginx listens; one that was killed has left its own
    unlink "$self->{dir}/nginx.pid";
    my $pid = $self->_spawn(
        sub {
            open STDIN, '<', '/dev/null';
            open STDOUT, '>>', "$self->{dir}/stderr.log";
            open STDERR, '>&', \*STDOUT;
            exec @command or POSIX::_exit(127);
        }
    );
    $self->{master} = $pid;

    my $up = $self->wait_for(
        sub {
            if ($self->_reap($pid)) {
                delete $self->{master};
                return -1;
            }
            return 0 if !-s "$self->{dir}/nginx.pid";
            return 0 if $self->workers() < ($workers || 0);
            return !defined $port || Canary::Process::_accepts($port);
        },
        15
    );
    return $self if $up && $up > 0;

    $self->stop() if $self->{master};
    die "nginx did not start:\n"
        . $self->read('stderr.log')
        . $self->error_log();
}


sub reload {
    my ($self, %opts) = @_;

    my $offset = length $self->error_log();
    my @old = $self->workers();
    $self->signal('HUP');
    return 1 if exists $opts{wait} && !$opts{wait};

    my $done = $self->wait_for(
        sub {
            my $log = substr $self->error_log(), $offset;
            return -1 if $log =~ /\[emerg\]/;
            return 0 if $log !~ /start worker process \d+/;
            for my $pid (@old) {
                next if !-d "/proc/$pid";
                return 0 if $opts{drain};
                return 0 if $log !~ /\] $pid#\d+: gracefully shutting down/;
            }
            return 1;
        },
        30
    );

    die "nginx did not finish the reload\n" if !$done;
    return $done > 0 ? 1 : 0;
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{master};
    return if !defined $pid;

    for my $signal (qw(QUIT TERM KILL)) {
        kill $signal, $pid;
        $self->{stopped_hard} = 1 if $signal eq 'KILL';
        last if $self->wait_for(sub { $self->_reap($pid) }, 5);
    }
    return;
}


sub signal {
    my ($self, $name) = @_;

    die "nginx is not running\n" if !$self->{master};
    kill $name, $self->{master} or die "kill: $!\n";
    return;
}


sub master {
    my ($self) = @_;

    return $self->{master};
}


sub workers {
    my ($self) = @_;

    # the title comes after the log, and under valgrind not at all
    my $log = $self->error_log();
    my @pids;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid) = $stat =~ /(\d+)/;
        my ($state, $parent) = $self->read($stat) =~ /^.*\) (\S) (\d+)/s;
        next if !defined $parent || $parent != $self->{master};
        next if $state eq 'Z';
        next if $self->read("/proc/$pid/cmdline") =~ /shutting down|cache /;

        # since it started: another one may have had its pid
        my $since = rindex $log, "start worker process $pid\n";
        next
            if substr($log, $since < 0 ? 0 : $since) =~
            /\] $pid#\d+: gracefully shutting down/;
        push @pids, $pid;
    }

    @pids = sort { $a <=> $b } @pids;
    return @pids;
}


sub kill_worker {
    my ($self, $pid) = @_;

    my @before = $self->workers();
    $pid = $before[0] if !defined $pid;
    $self->{killed}{$pid} = 1;
    kill 'KILL', $pid or die "kill: $!\n";

    $self->wait_for(sub { !-d "/proc/$pid" && $self->workers() >= @before })
        or die "nginx did not replace worker $pid\n";

    return $pid;
}


sub error_log {
    my ($self) = @_;

    return $self->read('error.log');
}


sub wait_for {
    my ($self, $condition, $seconds) = @_;

    my $end = time + ($seconds || 30) * slow();
    while (1) {
        my $value = eval { $condition->() };
        return $value if $value;
        return $value if time > $end;
        sleep 0.02;
    }
}


sub _conf_text {
    my ($self, $http, %opts) = @_;

    my %o = (
        workers => 1,
        master => 'on',
        log => 'info',
        main => '',
        events => '',
        connections => 512,
        module => 1,
        user => 'root',
        %opts
    );
    my $main = $o{module} ? 'load_module ' . $self->_module() . ";\n" : '';
    $main .= "user $o{user};\n" if $> == 0;

    # a binary that takes over gets no other variables
    for my $name (qw(ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS GCOV_PREFIX)) {
        $main .= "env $name;\n" if defined $ENV{$name};
    }

    # where the text says nothing, nothing outside the folder is written to
    my $paths = '';
    for my $name (qw(client_body proxy fastcgi uwsgi scgi)) {
        next if $http =~ /\b${name}_temp_path\b/;
        $paths .= "    ${name}_temp_path %%DIR%%/temp_$name;\n";
    }
    my $access = $http =~ /\baccess_log\b/ ? '%%DIR%%/access.log' : 'off';

    return <<"CONF";
${main}daemon off;
master_process $o{master};
worker_processes $o{workers};
error_log %%DIR%%/error.log $o{log};
pid %%DIR%%/nginx.pid;
$o{main}
events {
    worker_connections $o{connections};
    $o{events}
}
http {
$paths    access_log $access;
$http
}
CONF
}


sub _expand {
    my ($self, $text) = @_;

    $text =~ s/%%DIR%%/$self->{dir}/g;
    $text =~ s/%%PORT(\d+)%%/$self->port($1)/ge;

    return $text;
}


sub _root {
    return abs_path(dirname(__FILE__) . '/../..');
}


sub _nginx {
    return $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
}


sub _module {
    return $ENV{TEST_CANARY_MODULE}
        || _root() . '/build/ngx_http_canary_module.so';
}


sub _valgrind {
    my ($self) = @_;

    return (
        'valgrind',
        '--quiet',
        '--leak-check=full',
        '--show-leak-kinds=definite',
        '--errors-for-leak-kinds=definite',
        '--suppressions=' . _root() . '/t/lib/valgrind.supp',
        "--log-file=$self->{dir}/valgrind.%p"
    );
}


1;
