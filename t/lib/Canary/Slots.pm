package Canary::Slots;

# A split with eight possible canaries, one more than there are slots for them.
#
#     my $s = Canary::Slots->new($t, more => 'canary_gate error_rate <= 1%;');
#     $s->load('a 100%', map { "$_ 0%" } 'b' .. 'g');  writes it; reloads if it
#                                                      runs, until old workers
#                                                      are gone
#     $t->start();
#     $s->requests(5, '/fail');        to the split
#     $s->counted('a', 5);             waits until it has so many in total;
#                                      returns it as in the status
#     $s->split_of()                   of the status
#
# The canaries are a to h, of two servers each.  They answer 500 to a URI with
# "fail", 503 to one with "busy", which is then tried on the next server, after
# 50 ms to one with "/slow/50", never to one with "hang".  X-Name: the variant.
#
# "more" is text of the upstream block, and "location" of the location that
# passes to it; other options go to conf().  $arg_k is the key, or else the
# address; $arg_f forces requests to the one with 100%.

use strict;
use warnings;


sub new {
    my ($class, $t, %opts) = @_;

    my $more = delete $opts{more} || '';
    my $location = delete $opts{location} || '';
    my $server = "server 127.0.0.1:%%PORT1%% max_fails=0;";
    my $canaries = join '',
        map { "upstream $_ { $server $server }\n" } 'a' .. 'h';

    $t->conf(<<"CONF", %opts);
$canaries
    upstream baseline {
        server 127.0.0.1:%%PORT2%%;
        include %%DIR%%/split;
        canary_key \$arg_k \$remote_addr;
        $more
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            proxy_pass http://baseline;
            proxy_next_upstream error timeout http_503;
            add_header X-Name \$canary_variant always;
            $location
        }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
        location /clock { return 204; }
    }
CONF
    $t->http_upstream(
        $t->port(1),
        status => sub {
            my ($uri) = $_[0]{uri};
            return $uri =~ /fail/ ? 500 : $uri =~ /busy/ ? 503 : 200;
        },
        delay => sub { $_[0]{uri} =~ m{/slow/(\d+)} ? $1 / 1000 : 0 },
        broken => sub { $_[0]{uri} =~ /hang/ ? 'hang' : undef }
    );

    return bless {t => $t}, $class;
}


sub load {
    my ($self, @canaries) = @_;

    my $t = $self->{t};
    my ($whole) = grep { / 100%/ } @canaries;
    my ($forced) = split / /, $whole || $canaries[0];
    $t->write(
        'split', join '',
        (map { "canary $_;\n" } @canaries),
        "canary_force \$arg_f 1 $forced;\n"
    );

    return $t->master() ? $t->reload(drain => 1) : 1;
}


sub requests {
    my ($self, $n, $uri) = @_;

    return map { $self->{t}->get(defined $uri ? $uri : '/') } 1 .. $n;
}



sub split_of {
    my ($self) = @_;

    return $self->{t}->status()->{splits}{baseline};
}


# a passage may be counted a moment after the client has its answer
sub counted {
    my ($self, $name, $n) = @_;

    my $variant;
    $self->{t}->wait_for(
        sub {
            $variant = $self->split_of()->{variants}{$name};
            return $variant->{total}{requests} >= $n;
        },
        5
    );

    return $variant;
}


1;
