package Canary::Fault;

# A canary that is well and then starts to fail, under load: it must be rolled
# back by itself.  The time that takes is nginx's own, from its access log.
#
#     my $fault = Canary::Fault->new($t, gates => 'error_rate <= 1%');
#     $t->start();
#     $fault->run(break => sub { $t->write('broken', '') },
#         reason => qr/^canary: error_rate/);
#
#     new($t, %opts)   gates    a rule of canary_gate, or a list of them
#                      rollback auto pause=0 false_alarm=1h, which is faster
#                               than the default of canary_rollback
#                      split    more directives of the split
#                      share    50%
#                      pass     proxy_pass http://documents;
#                      listen   more parameters of listen of both servers
#                      canary   directives of the canary's location, undef for
#                               a server of the test's own at port 1
#                      baseline likewise, at port 2
#                      http     more text in the http block
#     run(%opts)       break    what makes it fail
#                      reason   what the split's reason must be like
#                      within   seconds from the first bad answer until the
#                               last request begins on the canary (5)
#                      good     requests before it breaks (400)
#                      clients  of the load (8)
#                      is_bad   of upstream (its statuses), latency and grpc:
#                               whether an answer of the canary is bad; by
#                               default its status is above 499
#     failed           how many answers of 500 and more the clients had

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Canary::Load;


sub new {
    my ($class, $t, %opts) = @_;

    my %o = (
        share => '50%',
        rollback => 'auto pause=0 false_alarm=1h',
        split => '',
        pass => 'proxy_pass http://documents;',
        listen => '',
        canary => 'if (-f %%DIR%%/broken) { return 503; } return 200 canary;',
        baseline => 'return 200 baseline;',
        http => '',
        %opts
    );
    my @rules = ref $o{gates} ? @{$o{gates}} : $o{gates};
    my $gates = join '', map { "        canary_gate $_;\n" } @rules;
    my $servers = '';

    for my $role ([1, $o{canary}], [2, $o{baseline}]) {
        my ($port, $text) = @$role;
        next if !defined $text;
        $servers .= <<"CONF";
    server {
        listen 127.0.0.1:%%PORT$port%%$o{listen};
        location / { $text }
    }
CONF
    }

    $t->conf(<<"CONF", workers => 2);
    log_format fault '\$msec \$request_time \$canary_variant '
                     '"\$upstream_status" "\$upstream_response_time" '
                     '"\$upstream_http_grpc_status'
                     '\$upstream_trailer_grpc_status"';
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 32;
    }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        keepalive 32;
        canary canary $o{share} stage=stage1;
        canary_key \$arg_user;
$gates
        canary_rollback $o{rollback};
        $o{split}
    }
    $o{http}
$servers
    server {
        listen 127.0.0.1:%%PORT0%%;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {
            access_log %%DIR%%/fault.log fault;
            $o{pass}
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF

    return bless {t => $t, user => 0, failed => 0}, $class;
}


sub documents {
    my ($self) = @_;

    return $self->{t}->status()->{splits}{documents};
}


# until() is asked some ten times a second; returns what it said last
sub load {
    my ($self, $clients, $seconds, $until) = @_;

    my ($next, $done) = (0);
    my $load;
    $load = Canary::Load->new(
        $self->{t}->port(0),
        clients => $clients,
        request => sub { return '/?user=' . $self->{user}++ },
        answered => sub { $self->{failed}++ if $_[1] >= 500 }
    );
    $load->run(
        seconds => $seconds * $self->{t}->slow(),
        until => sub {
            return 0 if time < $next;
            $next = time + 0.1;
            return $done = $until->($load);
        }
    );

    return $done;
}


sub run {
    my ($self, %opts) = @_;

    my %o = (
        good => 400,
        clients => 8,
        within => 5,
        is_bad => sub { $_[0]{upstream} =~ /^(?:5\d\d|-)/ },
        %opts
    );
    my $t = $self->{t};

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $enough = sub { $_[0]{answers} >= $o{good} };
    ok($self->load($o{clients}, 20, $enough), 'a good time');
    is($self->documents()->{state}, 'active', 'it is active');
    is($self->{failed}, 0, 'nothing has failed');

    $o{break}->();

    my $rolled_back = sub { $self->documents()->{state} eq 'rolled_back' };
    ok($self->load($o{clients}, 20, $rolled_back), 'rolled back by itself');

    my $known = time;
    $self->load($o{clients}, 5, sub { $_[0]{answers} >= 100 });

    my $split = $self->documents();
    like($split->{reason}, $o{reason}, 'the reason');
    is($split->{verdict}, 'rollback', 'the verdict');
    is($split->{journal}[-1]{event}, 'rollback', 'in the journal');

    my ($first, $last, $bad, $after) = $self->_measure($known, $o{is_bad});
    ok($first, 'the log has a bad answer');
    is($after, 0, 'no request reaches it once that is known');
    cmp_ok(
        $last - $first,
        '<',
        $o{within} * $t->slow(),
        'the last request on the canary'
    );
    diag(
        sprintf '%s: last request on the canary %.2f s after the first bad'
            . ' answer, %d bad answers',
        $0 =~ m{(\w+)\.t$},
        $last - $first,
        $bad
    );

    return;
}


# when the first bad answer of the canary came and its last request began, how
# many were bad, and how many began after the moment that is known
sub _measure {
    my ($self, $known, $is_bad) = @_;

    my ($first, $last, $bad, $after) = (0, 0, 0, 0);
    for (split /\n/, $self->{t}->read('fault.log')) {
        my ($at, $took, $variant, $upstream, $times, $grpc) =
            /^(\S+) (\S+) (\S*) "(.*?)" "(.*?)" "(.*?)"$/
            or next;
        next if $variant ne 'canary';

        # the canary's own time, of a request that fell back
        my ($own) = $times =~ /^([\d.]+)/;
        my $begun = $at - $took;
        my $answered = $begun + ($own || 0);

        $last = $begun if $begun > $last;
        $after++ if $begun > $known;

        my %answer = (upstream => $upstream, latency => $own, grpc => $grpc);
        next if !$is_bad->(\%answer);
        $bad++;
        $first = $answered if !$first || $answered < $first;
    }

    return ($first, $last, $bad, $after);
}


sub failed {
    my ($self) = @_;

    return $self->{failed};
}


1;
