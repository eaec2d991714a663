use strict;
use warnings;

# DNS rebinding: the samples' server for the two locations answers to its own
# names; whoever comes under another one, or none, gets no answer.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;
use Canary;

my $root = abs_path(dirname(__FILE__) . '/..');

my %samples = (
    'conf.d/status.conf' => sub {
        return
              'upstream sliceB_documents { server 127.0.0.1:%%PORT2%%; }'
            . ' upstream documents { server 127.0.0.1:%%PORT2%%;'
            . ' canary sliceB_documents 5%; }'
            . $_[0];
    },
    'README.md' => sub {
        my ($conf) =
            $_[0] =~ /^```nginx\nload_module .*?^http \{\n(.*?)^\}\n```$/ms;
        $conf =~ s{include\s+canary/documents\.split;.*}
            {canary sliceB_documents 5%;};
        $conf =~ s{/var/lib/nginx/canary/}{%%DIR%%/};
        return $conf =~ s{listen 80;}{listen 127.0.0.1:%%PORT1%%;}r;
    }
);

for my $name (sort keys %samples) {
    my $t = Canary->new();
    my $http = $samples{$name}->($t->read("$root/$name"));
    $t->conf($http =~ s/:8080\b(?=[ ;])/:%%PORT0%%/gr);
    $t->start();

    my $port = $t->port(0);
    my $status = '/canary/status.json';
    my $rollback = '/canary/control/documents/rollback';

    for my $host ('127.0.0.1', "127.0.0.1:$port", 'localhost', 'LOCALHOST.') {
        is($t->get($status, Host => $host)->{status}, 200, "$name: as $host");
    }
    for my $host (
        'evil.example', "evil.example:$port",
        '127.0.0.1.evil.example', '[::1]',
        '0.0.0.0', '2130706433'
        )
    {
        for my $r (
            $t->get($status, Host => $host),
            $t->post($rollback, '', Host => $host),
            $t->post(
                $rollback, '',
                Host => $host,
                'Sec-Fetch-Site' => 'same-origin',
                Origin => "http://$host"
            )
            )
        {
            is($r->{raw}, '', "$name: as $host");
        }
    }
    is($t->http("GET $status HTTP/1.0\r\n\r\n")->{raw},
        '', "$name: without a name");
    is($t->status()->{splits}{documents}{state},
        'active', "$name: nothing was rolled back");
    is($t->post($rollback, '')->{status}, 200, "$name: but can be");

    $t->no_alerts();
}

done_testing();
