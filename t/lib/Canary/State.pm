package Canary::State;

# A split with a state file, and what may happen to the two.
#
#     my $s = Canary::State->new($t, workers => 2);
#     $s->load('canary canary 100%;');     writes the split; reloads if it runs
#     $t->start();
#     is($s->canary(5), 5, 'of 5 requests all went to the canary');
#     $s->rollback('reason=slow');         POST; the decoded answer
#     $s->restart();                       QUIT, then a new start
#     $s->crash();                         SIGKILL of the master and all workers
#
# The options are those of Canary's conf(); and file, the path ("state/file" in
# the folder of the test, which new() makes) or '' for no state file; more, text
# in the upstream block; and force, '' where it need not have the canary.
#
#     file()           its path
#     of($key)         a figure of the split's status
#     figures($name)   of the variant's total: requests, errors and so on
#     written()        waits until the file was written anew, and is in order
#     logged($regex)   how many lines of the error log match

use strict;
use warnings;

use JSON::PP ();
use Time::HiRes qw(time);


sub new {
    my ($class, $t, %opts) = @_;

    my $file = delete $opts{file};
    my $self = bless {t => $t, opts => \%opts}, $class;

    mkdir $t->dir() . '/state';
    $self->{file} = defined $file ? $file : $t->dir() . '/state/file';
    $self->configure();

    return $self;
}


# writes nginx.conf anew, with another state file if one is given
sub configure {
    my ($self, $file) = @_;

    my $t = $self->{t};
    $self->{file} = $file if defined $file;
    my $state = $self->{file} eq '' ? '' : "canary_state $self->{file};";
    my %opts = %{$self->{opts}};
    my $more = delete $opts{more} || '';
    my $force = delete $opts{force} // 'canary_force $arg_f 1 canary;';

    $t->conf(<<"CONF", %opts);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream other { server 127.0.0.1:%%PORT1%%; }
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key \$arg_k;
        $force
        $state
        $more
    }
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200 canary; }
        location /fails { return 500; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200 baseline; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / { proxy_pass http://baseline; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF

    return $self;
}


sub file {
    my ($self) = @_;

    return $self->{file};
}


sub load {
    my ($self, $text) = @_;

    my $t = $self->{t};
    $t->write('split', $text);

    return $t->master() ? $t->reload() : 1;
}


sub canary {
    my ($self, $n) = @_;

    return
        scalar grep { $self->{t}->get("/?k=$_")->{body} eq 'canary' } 1 .. $n;
}


sub rollback {
    my ($self, $form) = @_;

    return $self->_control('rollback', $form);
}


sub resume {
    my ($self, $form) = @_;

    return $self->_control('resume', $form);
}


sub restart {
    my ($self) = @_;

    $self->{t}->stop();
    $self->{t}->start();

    return;
}


# the master first, so that it starts no worker anew
sub crash {
    my ($self) = @_;

    my $t = $self->{t};
    my @workers = $t->workers();
    my $master = delete $t->{master};

    kill 'KILL', $master, @workers;
    $t->wait_for(
        sub {
            $t->_reap($master) && !grep { -d "/proc/$_" } @workers;
        }
    ) or die "nginx did not die\n";

    return;
}


sub of {
    my ($self, $key) = @_;

    return $self->{t}->status()->{splits}{baseline}{$key};
}


sub figures {
    my ($self, $variant) = @_;

    return $self->of('variants')->{$variant}{total};
}


sub written {
    my ($self) = @_;

    my $since = time;

    return $self->{t}->wait_for(
        sub {
            my $state = $self->of('state_file');
            return ($state->{written_at} || 0) > $since
                && $state->{error} eq '';
        },
        20
    );
}


sub logged {
    my ($self, $regex) = @_;

    return scalar grep { $_ =~ $regex } split /\n/, $self->{t}->error_log();
}


sub _control {
    my ($self, $verb, $form) = @_;

    my $response = $self->{t}->post(
        "/canary/control/baseline/$verb",
        defined $form ? $form : '',
        'Content-Type' => 'application/x-www-form-urlencoded'
    );
    die "$verb: $response->{status}\n" if $response->{status} != 200;

    return JSON::PP::decode_json($response->{body});
}


1;
