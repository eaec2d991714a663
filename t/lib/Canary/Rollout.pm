package Canary::Rollout;

# A roll-out under load: nginx with gates, both upstreams, Prometheus,
# Alertmanager and node_exporter, and a client that counts what it got.
#
#     my $roll = Canary::Rollout->new($t, stages => 's1:5%:3s s2:100%:3s',
#         gates => 'canary_gate error_rate <= 5% min=10;');
#     $roll->start();
#     $roll->load(10, sub { $roll->state()->{verdict} eq 'go' });
#     my $n = $roll->counted('s1', 'sliceB');
#
#     new($t, %opts)       as Canary::Evidence, and gates, more text for the
#                          split's upstream; hold, as of Canary::Monitoring;
#                          http, for the http block; request,
#                          a sub that gives the n-th request: its path, and a
#                          user for "$cookie_session"; headers, a sub that gives
#                          the upstreams' headers for a request
#     start()              all of it
#     ev(), monitoring()   the Canary::Evidence and Canary::Monitoring
#     load($s, $until)     requests by 4 clients for $s seconds at most, until
#                          $until is true, which is asked five times a second
#     state()              the split's object of status.json
#     counted($stage, $variant, $what)
#                          answers that the client got in this stage from this
#                          variant: all that were passed on, those with a status
#                          of "5xx", with a header "Event" (X-Event), or with
#                          "Cache=HIT"
#     users($variant, $what)
#                          different users of such answers in all stages
#     break()              the canary fails half of its requests from now on
#
# The upstreams are at port 1 (the baseline, 10 ms) and port 2 (20 ms).

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Time::HiRes qw(time);

use Canary::Evidence;
use Canary::Load;
use Canary::Monitoring;

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class, $t, %opts) = @_;

    my $monitoring = Canary::Monitoring->new($t, hold => delete $opts{hold});
    my $gates = delete $opts{gates} || '';
    my $http = delete $opts{http} || '';
    my %client = map { $_ => delete $opts{$_} } qw(request headers);
    my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';

    my $ev = Canary::Evidence->new(
        $t, %opts,
        split => "canary sliceB off;\n",
        settings => {
            $monitoring->settings(),
            on_stage_end => "$ROOT/scripts/collect-evidence.sh",
            %{$opts{settings} || {}}
        },
        http => <<"CONF" . $http
    proxy_http_version 1.1;
    proxy_set_header   Connection "";
    add_header         X-Stage   \$canary_stage   always;
    add_header         X-Variant \$canary_variant always;
CONF
    );
    $t->write('split/more.split', "keepalive 8;\ncanary_window 60s;\n$gates");

    return bless {
        t => $t,
        ev => $ev,
        monitoring => $monitoring,
        n => 0,
        counts => {},
        users => {},
        request => $client{request}
            || sub { my ($n) = @_; return ('/documents/', $n % 1000) },
        headers => $client{headers}
            || sub { return {} }
    }, $class;
}


sub start {
    my ($self) = @_;

    my $t = $self->{t};
    my $dir = $t->dir();
    $t->http_upstream(
        $t->port(1),
        name => 'old',
        delay => 0.01,
        headers => $self->{headers}
    );
    $t->http_upstream(
        $t->port(2),
        name => 'new',
        delay => 0.02,
        headers => $self->{headers},
        status => sub { -e "$dir/broken" && $_[0]{n} % 2 ? 500 : 200 }
    );
    $t->start();
    $self->{monitoring}->start();

    return;
}


sub ev {
    my ($self) = @_;

    return $self->{ev};
}


sub monitoring {
    my ($self) = @_;

    return $self->{monitoring};
}


sub state {
    my ($self) = @_;

    return $self->{t}->status()->{splits}{documents};
}


sub break {
    my ($self) = @_;

    $self->{t}->write('broken', '');
    return;
}


sub load {
    my ($self, $seconds, $until) = @_;

    my $asked = 0;
    my $done = 0;
    Canary::Load->new(
        $self->{t}->port(0),
        clients => 4,
        request => sub {
            my ($path, $user) = $self->{request}->($self->{n}++);
            return "$path?user=$user";
        },
        answered => sub {
            my ($request, $status, $head) = @_;
            my ($user) = $request->{uri} =~ /user=(.*)/;
            $self->_count($user, $status, $head);
        }
    )->run(
        seconds => $seconds * $self->{t}->slow(),
        until => sub {
            if ($until && time > $asked + 0.2) {
                $done = eval { $until->() };
                $asked = time;
            }
            return $done;
        }
    );

    return $done;
}


sub counted {
    my ($self, $stage, $variant, $what) = @_;

    return $self->{counts}{$stage}{$variant}{defined $what ? $what : 'all'}
        || 0;
}


sub users {
    my ($self, $variant, $what) = @_;

    return scalar keys %{$self->{users}{$variant}{$what}};
}


sub _count {
    my ($self, $user, $status, $head) = @_;

    my %header = $head =~ /^X-([\w-]+): ([^\r]*)\r$/mg;
    my $stage = defined $header{Stage} ? $header{Stage} : '';
    my $variant = defined $header{Variant} ? $header{Variant} : '';
    my $counts = $self->{counts}{$stage}{$variant} ||= {};

    $counts->{all}++ if ($header{Cache} || '') ne 'HIT';
    $counts->{substr($status, 0, 1) . 'xx'}++;
    for my $name (grep { length $header{$_} } keys %header) {
        for my $what ($name, "$name=$header{$name}") {
            $counts->{$what}++;
            $self->{users}{$variant}{$what}{$user} = 1;
        }
    }

    return;
}


1;
