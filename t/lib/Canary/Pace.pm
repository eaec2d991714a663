package Canary::Pace;

# Clients that come at a steady rate, however long the answers take, each on a
# connection of its own, and some of them leave before.  For what depends on
# requests a second: Canary::Load sends as many as it can.
#
#     Canary::Pace::site($t,
#         calm => 'canary_gate p95 <= 500ms;',
#         hasty => 'canary_gate p95 <= 500ms; canary_rollback auto pause=0;');
#     $t->start();
#     my $pace = Canary::Pace->new($t, rate => 150);
#     $pace->run(5);
#     $pace->run(1, bad => 'slow');
#     ok($pace->run(20, until => sub { $pace->split('hasty')->{state} ne .. }));
#
#     site($t, NAME => directives, ...)
#                      writes a configuration with a split of each name, whose
#                      canary has 50%, unless the directives have a "canary" of
#                      their own.  The canary of all of them is at port 1, the
#                      baseline at port 2; nginx is both.  $http as the last,
#                      odd argument: more text in the http block
#     new($t, %opts)   rate   requests a second to each split
#                      leave  seconds after which a client leaves (never)
#                      splits a list of their names (all)
#     run($s, %opts)   for so many seconds, or until until() is true, which is
#                      asked ten times a second; returns what it said last.
#                      Requests that are under way stay so
#                      bad    what the canary does: "fail": 503; "slow": 0.7 s;
#                             "hang": no answer; or a sub of the split's name
#                             and the request's number that says so
#     finish()         waits for all answers
#     split($name)     of the status
#     gate($name, $n)  of it
#     {first}{$name}   the moment of the first answer that was bad: a status of
#                      500 and more, more than 0.5 s, or none until it left
#     {bad}{$name}     how many
#     {failed}         how many answers had a status of 500 and more

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

# an answer that takes longer is bad
use constant SLOW => 0.5;


sub site {
    my ($t, @splits) = @_;

    my $http = @splits % 2 ? pop @splits : '';
    my %splits = @splits;
    my ($upstreams, $locations) = ('', '');

    for my $name (sort keys %splits) {
        my $canary = '';
        $canary = 'canary canary 50%;' if $splits{$name} !~ /\bcanary \w+ \d/;
        $upstreams .= <<"CONF";
    upstream $name {
        server 127.0.0.1:%%PORT2%%;
        keepalive 64;
        $canary
        canary_key \$arg_user;
        $splits{$name}
    }
CONF
        $locations .= "        location /$name { proxy_pass http://$name; }\n";
    }

    # a 401 is delayed without anybody waiting for it, so to speak
    my $late = 'auth_basic late; auth_basic_user_file %%DIR%%/nobody;'
        . ' error_page 401 = @late;';

    return $t->conf(<<"CONF", workers => 1, connections => 4096);
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 64;
    }
$upstreams
    $http
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / {
            if (\$arg_bad) { rewrite ^ /bad/\$arg_bad last; }
            return 200 canary;
        }
        location /bad/fail { return 503; }
        location /bad/slow { auth_delay 700ms; $late }
        location /bad/hang { auth_delay 1h; $late }
        location \@late { return 200 canary; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
$locations
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF
}


sub new {
    my ($class, $t, %opts) = @_;

    my $conf = $t->read('nginx.conf');
    my @splits = $conf =~ m{location /\w+ \{ proxy_pass http://(\w+);}g;

    return bless {
        t => $t,
        splits => \@splits,
        n => 0,
        failed => 0,
        first => {},
        bad => {},
        select => IO::Select->new(),
        under_way => {},
        %opts
    }, $class;
}


sub run {
    my ($self, $seconds, %opts) = @_;

    my $rate = $self->{rate} * @{$self->{splits}};
    my $next = time;
    my $end = $next + $seconds * ($opts{until} ? $self->{t}->slow() : 1);
    my $ask = $next;
    my $done = 0;

    while ((my $now = time) < $end) {
        if ($opts{until} && $now >= $ask) {
            $done = $opts{until}->();
            return $done if $done;
            $ask = $now + 0.1;
        }

        for (; $next <= $now; $next += 1 / $rate) {
            $self->_begin($opts{bad});
        }

        $now = $next - time;
        $self->_answers($now > 0 ? $now : 0);
    }

    return $done;
}


sub finish {
    my ($self) = @_;

    my $end = time + 20;
    $self->_answers(0.05) while %{$self->{under_way}} && time < $end;

    return;
}


sub split {
    my ($self, $name) = @_;

    return $self->{t}->status()->{splits}{$name};
}


sub gate {
    my ($self, $name, $n) = @_;

    return $self->split($name)->{gates}[$n || 0];
}


sub _begin {
    my ($self, $bad) = @_;

    my $n = $self->{n}++;
    my $name = $self->{splits}[$n % @{$self->{splits}}];
    $bad = $bad->($name, $n) if ref $bad;
    $bad = defined $bad ? "&bad=$bad" : '';

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{t}->port(0)
    ) or die "connect: $!\n";
    $socket->syswrite("GET /$name?user=$n$bad HTTP/1.1\r\n"
            . "Host: localhost\r\nConnection: close\r\n\r\n");

    $self->{select}->add($socket);
    $self->{under_way}{$socket} = {
        name => $name,
        socket => $socket,
        begun => time,
        head => ''
    };

    return;
}


# what comes within so many seconds
sub _answers {
    my ($self, $seconds) = @_;

    for my $socket ($self->{select}->can_read($seconds)) {
        my $c = $self->{under_way}{$socket};
        my $got = sysread $socket, $c->{head}, 65_536, length $c->{head};
        $self->_end($c) if !$got;
    }

    return if !$self->{leave};

    my $now = time;
    for my $c (values %{$self->{under_way}}) {
        $self->_end($c) if $now - $c->{begun} > $self->{leave};
    }

    return;
}


sub _end {
    my ($self, $c) = @_;

    $self->{select}->remove($c->{socket});
    delete $self->{under_way}{$c->{socket}};
    close $c->{socket};

    my $now = time;
    my ($status) = $c->{head} =~ m{\AHTTP/1\.1 (\d+)};
    my $failed = defined $status && $status >= 500;
    $self->{failed}++ if $failed;

    if ($failed || $now - $c->{begun} > SLOW) {
        $self->{first}{$c->{name}} ||= $now;
        $self->{bad}{$c->{name}}++;
    }

    return;
}


1;
