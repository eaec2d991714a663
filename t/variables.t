use strict;
use warnings;

# The variables in headers, logs, maps and proxy_pass, before and after the
# request was passed on, and where no split was met.

use Test::More;
use Canary;

my $t = Canary->new();

my $http = <<'CONF';
    upstream new { server 127.0.0.1:%%PORT1%%; }
    upstream broken { server 127.0.0.1:%%PORT3%%; }
    upstream a-b.Cd {
        server 127.0.0.1:%%PORT2%%;
        canary new 100% stage=ramp;
        canary_key $arg_k;
        canary_force $arg_f old a-b.Cd;
    }
    upstream falls {
        server 127.0.0.1:%%PORT2%%;
        canary broken 100%;
        canary_key $arg_k;
    }
    upstream whole {
        server 127.0.0.1:%%PORT2%%;
        canary new 100%;
        canary_key $arg_k;
        canary_latency request;
    }
    upstream quiet {
        server 127.0.0.1:%%PORT2%%;
        canary new off;
        canary_key $arg_k;
    }
    map $canary_variant_a_b_cd $mapped {
        new     1;
        default 0;
    }
    log_format fields '$uri|$canary_variant|$canary_assignment|$canary_stage|'
                      '$canary_generation|$canary_fallback|$canary_latency';
    access_log %%DIR%%/access.log fields;
    server {
        listen 127.0.0.1:%%PORT1%%;
        access_log off;
        location / { return 200 new; }
    }
    server {
        listen 127.0.0.1:%%PORT2%%;
        access_log off;
        location / { return 200 old:$http_x_variant; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        add_header X-Variant $canary_variant;
        location /split {
            add_header X-Variant $canary_variant;
            add_header X-Mapped $mapped;
            proxy_set_header X-Variant $canary_variant_A_B_CD;
            proxy_pass http://a-b.Cd;
        }
        location /direct { proxy_pass http://$canary_variant_a_b_cd; }
        location /early { return 200 "$canary_variant_a_b_cd $canary_variant"; }
        location /falls { proxy_pass http://falls; }
        location /whole { proxy_pass http://whole; }
        location /quiet { proxy_pass http://quiet; }
        location /none { return 200 "[$canary_variant$canary_assignment]"; }
        location /canary/control/ { canary_control; access_log off; }
    }
CONF

$t->conf($http);
$t->start();


# the fields that the access log has for a path
sub logged {
    my ($path) = @_;

    my $line;
    $t->wait_for(
        sub { ($line) = $t->read('access.log') =~ /^\Q$path\E\|(.*)$/m });
    return [split /\|/, defined $line ? $line : '', -1];
}

# variant, assignment, stage ("-" is no split, empty a stage without a name),
# generation and fallback, then the latency
sub is_logged {
    my ($path, $fields, $timed) = @_;

    my $got = logged($path);
    my $latency = pop @$got;
    is_deeply($got, $fields, "$path: in the log");
    like(
        defined $latency ? $latency : '',
        $timed ? qr/^\d+\.\d{6}$/ : qr/^-?$/,
        "$path: latency"
    );
    return;
}

my $r = $t->get('/split/key?k=1');
is($r->{body}, 'new', 'the canary answers');
is($r->{header}{'x-variant'}, 'new', 'in a header of the response');
is($r->{header}{'x-mapped'}, '1', 'in a map');
is_logged('/split/key', ['new', 'split', 'ramp', '1', '-'], 1);

$r = $t->get('/split/forced?k=1&f=old');
is($r->{body}, 'old:a-b.Cd', 'in a header to the upstream');
is($r->{header}{'x-mapped'}, '0', 'in the map again');
is_logged('/split/forced', ['a-b.Cd', 'forced', 'ramp', '1', '-'], 1);

$t->get('/split/unkeyed');
is_logged('/split/unkeyed', ['a-b.Cd', 'unkeyed', 'ramp', '1', '-'], 1);

$t->get('/quiet/off?k=1');
is_logged('/quiet/off', ['quiet', 'off', '', '1', '-'], 1);

is($t->get('/early/a?k=1')->{body}, 'new new', 'before it is passed on');
is_logged('/early/a', ['new', 'split', 'ramp', '1', '-'], 0);

is($t->get('/direct/a?k=1')->{body}, 'new', 'in proxy_pass');
is_logged('/direct/a', ['new', 'split', 'ramp', '1', '-'], 1);
is($t->get('/direct/b?k=1&f=old')->{body}, 'old:', 'the baseline there');

is($t->get('/falls/a?k=1')->{body}, 'old:', 'the baseline steps in');
is_logged('/falls/a', ['broken', 'split', '', '1', '1'], 1);

$t->get('/whole/a?k=1');
is_logged('/whole/a', ['new', 'split', '', '1', '-'], 1);

is($t->get('/none/a')->{body}, '[]', 'no split was met');
is_logged('/none/a', ['-', '-', '-', '-', '-'], 0);

ok($t->reload(), 'the next generation');
is($t->post('/canary/control/a-b.Cd/rollback', '')->{status}, 200, 'back');
is($t->get('/split/back?k=1')->{body}, 'old:a-b.Cd', 'the baseline answers');
is_logged('/split/back', ['a-b.Cd', 'rolled_back', 'ramp', '2', '-'], 1);

$t->no_alerts();

# a name that is no split is a mistake, not an empty string

for my $name (qw(canary_variant_nobody canary_variant_new canary_variant_)) {
    my ($exit, $output) =
        $t->test_config("$http server { location / { return 200 \$$name; } }");
    isnt($exit, 0, "\$$name is refused");
    like(
        $output,
        qr/\[emerg\].*unknown split in the variable "\$\Q$name\E"/,
        'with its name'
    );
}

done_testing();
