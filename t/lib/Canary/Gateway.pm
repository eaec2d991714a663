package Canary::Gateway;

# Upstream servers that speak just enough FastCGI, SCGI or uwsgi, and what a
# split in front of them must do, which is the same for all three.
#
#     gateway($t, $protocol, $port, $name)    answers with its name and body
#     check($protocol)                        the whole test
#
# A server obeys the last part of the URI: /500 is that status, /close closes
# without an answer, /truncate cuts the body short, anything else is a 200.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;

use Canary;
use Canary::Figures;

# a connection that is forgotten ends by itself
use constant MAX_CONNECTION_SECONDS => 60;

my %protocol = (
    fastcgi => [\&_read_fastcgi, \&_write_fastcgi],
    scgi => [\&_read_scgi, \&_write_plain],
    uwsgi => [\&_read_uwsgi, \&_write_plain],
);


sub gateway {
    my ($t, $protocol, $port, $name) = @_;

    my $listener = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $port,
        ReuseAddr => 1,
        Listen => 64
    ) or die "port $port: $!\n";

    my $parent = $$;
    $t->{upstreams}{$port} =
        $t->_spawn(sub { _serve($listener, $parent, $protocol, $name) },
        group => 1);
    close $listener;

    return;
}


sub check {
    my ($protocol) = @_;

    my $t = Canary->new();
    my $keep = $protocol eq 'fastcgi' ? 'fastcgi_keep_conn on;' : '';
    $t->conf(_conf($protocol, $keep));
    gateway($t, $protocol, $t->port(1), 'new');
    gateway($t, $protocol, $t->port(2), 'old');
    $t->start();

    my $f = Canary::Figures->new($t, 'documents');
    my %users;
    for my $user (map { "user$_" } 1 .. 20) {
        my $r = $t->get("/a?user=$user");
        push @{$users{$r->{header}{'x-upstream'} || ''}}, $user;
    }
    my ($new, $old) = map { scalar @{$users{$_} || []} } qw(new old);
    is($new + $old, 20, 'every user has an answer');
    ok($new && $old, 'both variants have users') or diag("$new $old");
    $f->counted(
        'each request is counted once',
        canary => Canary::Figures::success($new),
        documents => Canary::Figures::success($old)
    );

    for my $name (qw(new old)) {
        my $wrong =
            grep { $t->get("/b?user=$_")->{header}{'x-upstream'} ne $name }
            @{$users{$name}};
        is($wrong, 0, "the same users on $name");
    }
    $f->counted(
        'and they are counted again',
        canary => Canary::Figures::success($new),
        documents => Canary::Figures::success($old)
    );

    _cases($t, $f, "user=$users{new}[0]", "user=$users{old}[0]");

    $t->no_alerts();
    done_testing();
    return;
}


sub _conf {
    my ($protocol, $keep) = @_;

    my $pass = "${protocol}_pass";
    return <<"CONF";
    upstream canary {
        server 127.0.0.1:%%PORT1%%;
        keepalive 4;
    }
    upstream down { server 127.0.0.1:%%PORT3%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        keepalive 4;
        canary canary 50%;
        canary_key \$arg_user;
    }
    upstream lost {
        server 127.0.0.1:%%PORT2%%;
        canary down 100%;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        ${protocol}_param REQUEST_URI \$uri;
        ${protocol}_param REQUEST_METHOD \$request_method;
        ${protocol}_param CONTENT_LENGTH \$content_length;
        ${protocol}_param LONG "@{['x' x 300]}";
        add_header X-Fallback "[\$canary_fallback]" always;
        $keep
        location / { $pass documents; }
        location /direct { $pass \$canary_variant_documents; }
        location /lost { $pass lost; }
        location /canary/ { canary_status; }
    }
CONF
}


sub _cases {
    my ($t, $f, $new, $old) = @_;

    my $one = Canary::Figures::success(1);
    my $five = {requests => 1, errors => 1, '5xx' => 1, timed => 1};
    my $body = 'b' x 100_000;

    is($t->post("/body?$new", $body)->{body}, "new\n$body", 'a body');
    $f->counted('once', canary => $one);

    is($t->get("/direct?$new")->{header}{'x-upstream'},
        'new', 'by the variable, the canary');
    is($t->get("/direct?$old")->{header}{'x-upstream'},
        'old', 'by the variable, the baseline');
    $f->counted('as without', canary => $one, documents => $one);

    is($t->get("/500?$new")->{status}, 500, 'an error of the canary');
    $f->counted('on its account', canary => $five);
    is($t->get("/500?$old")->{status}, 500, 'an error of the baseline');
    $f->counted('on its account', documents => $five);

    my $r = $t->get("/close?$old");
    is($r->{status}, 502, 'the baseline closes');
    $f->counted('a failure', documents => Canary::Figures::failure(1));

    $r = $t->get("/truncate?$new");
    is($r->{status}, 200, 'the header of a body that is cut short');
    ok(!$r->{complete}, 'the body is cut short');
    $f->counted('an error',
        canary => {requests => 1, errors => 1, '2xx' => 1, timed => 1});

    my $lost = Canary::Figures->new($t, 'lost');
    $r = $t->get('/lost');
    is($r->{header}{'x-upstream'}, 'old', 'a canary that is down');
    is($r->{header}{'x-fallback'}, '[1]', 'falls back');
    $lost->counted('on its account',
        down => {%{Canary::Figures::failure(1)}, fallbacks => 1});

    return;
}


sub _serve {
    my ($listener, $parent, $protocol, $name) = @_;

    my $ready = IO::Select->new($listener);
    $SIG{CHLD} = 'IGNORE';

    while (getppid == $parent) {
        next if !$ready->can_read(0.5);
        my $socket = $listener->accept() or next;
        my $pid = fork;
        if (defined $pid && $pid == 0) {
            close $listener;
            alarm MAX_CONNECTION_SECONDS;
            binmode $socket;
            $socket->autoflush(1);
            eval { _converse($socket, @{$protocol{$protocol}}, $name); 1 }
                or print STDERR "gateway: $@";
            POSIX::_exit(0);
        }
        close $socket;
    }

    return;
}


sub _converse {
    my ($socket, $read, $write, $name) = @_;

    while (my $request = $read->($socket)) {
        my $uri = $request->{REQUEST_URI};
        return if $uri =~ m{/close$};

        my $status = $uri =~ m{/(\d{3})$} ? $1 : 200;
        my $body = "$name\n$request->{body}";
        my $length = length $body;
        $length += 1000 if $uri =~ m{/truncate$};
        $write->(
            $socket,
            "Status: $status Text\r\nX-Upstream: $name\r\n"
                . "Content-Length: $length\r\n\r\n$body"
        );
        return if $uri =~ m{/truncate$} || !$request->{keep};
    }

    return;
}


# Exactly so many bytes; undef at the end of the stream.
sub _bytes {
    my ($socket, $length) = @_;

    my $bytes = '';
    while (length $bytes < $length) {
        my $n = sysread $socket, $bytes, $length - length $bytes, length $bytes;
        return if !$n;
    }

    return $bytes;
}


sub _read_scgi {
    my ($socket) = @_;

    my $length = '';
    while ($length !~ s/^(\d+):$/$1/) {
        my $byte = _bytes($socket, 1);
        return if !defined $byte;
        $length .= $byte;
        die "not a netstring\n" if length $length > 10;
    }
    my $head = _bytes($socket, $length);
    die "no comma\n" if _bytes($socket, 1) ne ',';
    my @pairs = split /\0/, $head, -1;
    pop @pairs;    # behind the last NUL
    my %request = @pairs;
    $request{body} = _bytes($socket, $request{CONTENT_LENGTH} || 0);

    return \%request;
}


sub _read_uwsgi {
    my ($socket) = @_;

    my $head = _bytes($socket, 4);
    return if !defined $head;
    my (undef, $size) = unpack 'CvC', $head;
    my %request = unpack '(v/a*)*', _bytes($socket, $size);
    $request{body} = _bytes($socket, $request{CONTENT_LENGTH} || 0);

    return \%request;
}


sub _write_plain {
    my ($socket, $answer) = @_;

    # nginx looks for a status line or a Status header
    print {$socket} $answer;
    return;
}


sub _read_fastcgi {
    my ($socket) = @_;

    my ($params, $body, $keep) = ('', '', 0);
    while (defined(my $head = _bytes($socket, 8))) {
        my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $head;
        my $content = _bytes($socket, $length);
        _bytes($socket, $padding);
        $keep = ord(substr $content, 2, 1) & 1 if $type == 1;
        $params .= $content if $type == 4;
        $body .= $content if $type == 5;
        next if $type != 5 || $length;
        return {_fastcgi_params($params), body => $body, keep => $keep};
    }

    return;
}


sub _fastcgi_params {
    my ($bytes) = @_;

    my %params;
    while (length $bytes) {
        my @lengths;
        for (1, 2) {
            my $long = ord($bytes) & 0x80;
            my $field = substr $bytes, 0, $long ? 4 : 1, '';
            push @lengths,
                $long ? unpack('N', $field) & 0x7fff_ffff : ord $field;
        }
        my $name = substr $bytes, 0, $lengths[0], '';
        $params{$name} = substr $bytes, 0, $lengths[1], '';
    }

    return %params;
}


sub _write_fastcgi {
    my ($socket, $answer) = @_;

    my $records = join '',
        map { pack('CCnnCx', 1, 6, 1, length $_, 0) . $_ } unpack '(a30000)*',
        $answer;
    print {$socket} $records, pack('CCnnCx', 1, 6, 1, 0, 0),
        pack('CCnnCxNCx3', 1, 3, 1, 8, 0, 0, 0);

    return;
}


1;
