# canary_cookie with subrequests and internal redirects: one id and one
# Set-Cookie, whoever meets the split first.

use strict;
use warnings;

use Test::More;

use Canary;

my $t = Canary->new();
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_cookie id;
        canary_key $arg_key;
    }
    upstream twin {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_cookie id;
        canary_salt documents;
    }
    upstream other {
        server 127.0.0.1:%%PORT2%%;
        canary canary 50%;
        canary_cookie other;
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location / {
            auth_request /auth;
            mirror /mirror;
            proxy_pass http://documents;
        }
        location /auth { internal; proxy_pass http://documents; }
        location /mirror { internal; proxy_pass http://twin; }
        location /fails {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 500 = @twin;
        }
        location /accel { proxy_pass http://documents; }
        location /moved { internal; proxy_pass http://twin; }
        location @twin { proxy_set_header X-Twin 1; proxy_pass http://twin; }
        location /ssi { ssi on; ssi_types *; proxy_pass http://documents; }
        location /late { ssi on; ssi_types *; root %%DIR%%; }
        location /part { internal; proxy_pass http://documents; }
        location /canary/ { canary_status; }
        location /both { auth_request /auth; proxy_pass http://other; }
        location /variable { proxy_pass http://$canary_variant_documents; }
        location /after {
            add_header X-Variant "$canary_variant_documents";
            return 200;
        }
    }
CONF
for my $upstream ([1, 'new'], [2, 'old']) {
    my ($port, $name) = @$upstream;
    $t->http_upstream(
        $t->port($port),
        name => $name,
        status => sub {
            my ($request) = @_;
            return 500 if $request->{uri} =~ m{^/fails/both};
            return 200 if $request->{headers}{'x-twin'};
            return $request->{uri} =~ m{^/fails} ? 500 : 200;
        },
        headers => sub {
            $_[0]{uri} =~ /accel/ ? {'X-Accel-Redirect' => '/moved'} : {};
        },
        body => sub {
            my $body = '<!--#include virtual="/mirror" -->';
            return $_[0]{uri} =~ /ssi/ ? "$name $body" x 3 : "$name ";
        }
    );
}
$t->write('late', ('<!--#include virtual="/part" -->' x 2) . "\n");
$t->start();

for my $path (qw(/ /accel /ssi /variable /fails /plain)) {
    my %wrong;
    for (1 .. 12) {
        my $r = $t->get($path);
        my @cookies = @{$r->{headers}{'set-cookie'} || []};
        my ($id) = ($cookies[0] || '') =~ /^id=([0-9a-f]{32}); Path=\/$/;
        $wrong{"cookies: @cookies"}++ if @cookies != 1 || !defined $id;
        next if !defined $id;

        # the body names each variant that took part
        my %names = map { $_ => 1 } split ' ', $r->{body};
        my $again = $t->get('/plain', Cookie => "id=$id");
        $wrong{'other variant'}++
            if join(' ', keys %names) ne $again->{header}{'x-upstream'};
        $wrong{'issued again'}++ if $again->{headers}{'set-cookie'};
    }
    is_deeply(\%wrong, {}, "$path: one id, one cookie, one variant");
}

my $r = $t->get('/fails/both');
is($r->{status}, 500, 'both variants fail, by error_page');
is(scalar @{$r->{headers}{'set-cookie'} || []}, 1, 'one cookie');

$r = $t->get('/both');
my @names = sort map { /^(\w+)=/ } @{$r->{headers}{'set-cookie'} || []};
is("@names", 'id other', 'two names: a cookie of each');

$r = $t->get('/after');
my ($id) = ($r->{header}{'set-cookie'} || '') =~ /^id=([0-9a-f]{32})/;
ok(defined $id, 'a variable alone issues it too');

# behind a header that is sent nobody can get an id: canary_key is used

my $before = $t->status()->{splits}{documents}{unkeyed};
my @late = map { $t->get('/late') } 1 .. 8;
is(join('', map { $_->{body} } @late), "old old \n" x 8, 'parts: no key');
is_deeply([map { @{$_->{headers}{'set-cookie'} || []} } @late],
    [], 'and no cookie');
is($t->status()->{splits}{documents}{unkeyed} - $before,
    16, 'each of them is unkeyed');

$t->no_alerts();
done_testing();
