# error_page and X-Accel-Redirect: the variant's own outcome, once; a second
# split that the request is led through has an account of its own.

use strict;
use warnings;

use Test::More;

use Canary;
use Canary::Figures;

my $t = Canary->new();
$t->write('oops.html', "sorry\n");
$t->conf(<<'CONF');
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    upstream documents {
        server 127.0.0.1:%%PORT2%%;
        canary canary 100%;
        canary_fallback off;
    }
    upstream second_canary { server 127.0.0.1:%%PORT3%%; }
    upstream second {
        server 127.0.0.1:%%PORT2%%;
        canary second_canary 100%;
    }
    upstream plain { server 127.0.0.1:%%PORT2%%; }

    log_format seen "$uri $canary_variant $canary_variant_documents";
    access_log %%DIR%%/access.log seen;

    server {
        listen 127.0.0.1:%%PORT0%%;
        location /file/ {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 400 408 413 500 502 =200 /oops.html;
        }
        location /status/ {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 500 502 /oops.html;
        }
        location = /oops.html { root %%DIR%%; }

        location /other/ {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 500 502 = @second;
        }
        location @second { proxy_pass http://second; }

        location /again/ {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 500 = @again;
        }
        location @again {
            rewrite ^ /good break;
            proxy_pass http://documents;
        }

        location /plain/ {
            proxy_pass http://documents;
            proxy_intercept_errors on;
            error_page 500 = @plain;
        }
        location @plain { proxy_pass http://plain; }

        location /accel/ { proxy_pass http://documents; }
        location /inner/second {
            internal;
            proxy_pass http://second/good;
        }
        location /inner/same {
            internal;
            proxy_pass http://documents/good;
        }
        location /inner/file {
            internal;
            alias %%DIR%%/oops.html;
        }

        location /try/ {
            root %%DIR%%;
            try_files $uri @second;
        }
        location /canary/ {
            access_log off;
            canary_status;
        }
    }
CONF
$t->http_upstream(
    $t->port(1),
    name => 'new',
    status => sub { $_[0]{uri} =~ m{/(\d{3})$} ? $1 : 200 },
    broken => sub { $_[0]{uri} =~ m{/close$} ? 'close' : undef },
    headers => sub {
        my ($inner) = $_[0]{uri} =~ m{^/accel/(\w+)};
        return $inner ? {'X-Accel-Redirect' => "/inner/$inner"} : {};
    }
);
$t->http_upstream($t->port(2), name => 'old');
$t->http_upstream($t->port(3), name => 'second');
$t->start();

my $f = Canary::Figures->new($t, 'documents');
my $second = Canary::Figures->new($t, 'second');
my $one = Canary::Figures::success(1);
my $e500 = {requests => 1, errors => 1, '5xx' => 1, timed => 1};
my $lost = Canary::Figures::failure(1);

my $r = $t->get('/file/500');
is("$r->{status} $r->{body}", "200 sorry\n", 'error_page to a file, as 200');
$f->counted('the canary is charged for its 500', canary => $e500);

$r = $t->get('/file/close');
is("$r->{status} $r->{body}", "200 sorry\n", 'a lost connection, as 200');
$f->counted('the canary is charged for it', canary => $lost);

for my $status (400, 408, 413) {
    $r = $t->get("/file/$status");
    # nginx answers a 408 by closing the connection
    is(
        $r->{body},
        $status == 408 ? q{} : "sorry\n",
        "a $status of the canary's own, intercepted"
    );
    $f->counted('an answer as any other, and timed',
        canary => {requests => 1, '4xx' => 1, timed => 1});
}

is($t->get('/status/500')->{status}, 500, 'error_page that keeps the status');
$f->counted('once', canary => $e500);

$r = $t->get('/other/500');
is($r->{header}{'x-upstream'}, 'second', 'error_page to another split');
$f->counted('the first canary has its error', canary => $e500);
$second->counted('the second its success', second_canary => $one);

$r = $t->get('/other/close');
is($r->{header}{'x-upstream'}, 'second', 'after a lost connection');
$f->counted('the first canary has its error', canary => $lost);
$second->counted('the second its success', second_canary => $one);

$r = $t->get('/again/500');
is($r->{header}{'x-upstream'}, 'new', 'error_page to the same split');
$f->counted(
    'the same split twice: counted twice',
    canary => {
        requests => 2,
        errors => 1,
        '5xx' => 1,
        '2xx' => 1,
        timed => 2
    }
);

$r = $t->get('/plain/500');
is($r->{header}{'x-upstream'}, 'old', 'error_page to a plain upstream');
$f->counted('the canary has its error', canary => $e500);

$r = $t->get('/accel/second');
is($r->{header}{'x-upstream'}, 'second', 'X-Accel-Redirect to another split');
$f->counted('the first has a success', canary => $one);
$second->counted('the second too', second_canary => $one);

$r = $t->get('/accel/same');
is($r->{header}{'x-upstream'}, 'new', 'X-Accel-Redirect to the same split');
$f->counted('counted twice', canary => Canary::Figures::success(2));

$r = $t->get('/accel/file');
is($r->{body}, "sorry\n", 'X-Accel-Redirect to a file');
$f->counted('counted once', canary => $one);

$r = $t->get('/try/nothing');
is($r->{header}{'x-upstream'}, 'second', 'try_files to a split');
$second->counted('counted once', second_canary => $one);

$f->nothing('no more in the first');
$second->nothing('no more in the second');

my $log = $t->read('access.log');
like(
    $log,
    qr{^/other/500 second_canary canary$}m,
    'the log knows the last variant, and that of the first split'
);
like($log, qr{^/oops\.html canary canary$}m, 'also behind error_page');

$t->no_alerts();
done_testing();
