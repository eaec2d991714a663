use strict;
use warnings;

# A canary whose errors show in the gRPC status alone, under HTTP status 200,
# is rolled back by itself.  A server sends that status in a trailer, or in the
# header where there is no message.

use Test::More;
use Canary;
use Canary::Fault;

for my $add ('add_trailer', 'add_header') {
    my $t = Canary->new();
    my $fault = Canary::Fault->new(
        $t,
        gates => 'error_rate <= 1%',
        split => 'canary_errors 5xx if=$upstream_http_grpc_status'
            . '$upstream_trailer_grpc_status;',
        listen => ' http2',
        pass => 'grpc_pass documents;',
        canary => <<"CONF",
            if (-f %%DIR%%/broken) {
                $add Grpc-Status 14;
                return 200 canary;
            }
            $add Grpc-Status 0;
            return 200 canary;
CONF
        baseline => "$add Grpc-Status 0; return 200 baseline;"
    );
    $t->start();

    $fault->run(
        break => sub { $t->write('broken', '') },
        reason => qr/^canary: error_rate <= 1% is broken: \S+% in the stage/,
        is_bad => sub { $_[0]{grpc} =~ /14/ }
    );
    is($fault->failed(), 0, "$add: no client saw an HTTP error");

    my $total = $fault->documents()->{variants}{canary}{total};
    is($total->{responses}{'5xx'}, 0, "$add: nor did the canary send one");
    cmp_ok($total->{errors}, '>', 0, "$add: its errors are counted");

    $t->no_alerts();
}

done_testing();
