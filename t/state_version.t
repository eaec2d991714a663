# A state file of the first version, written by the module before it counted
# "aborted", "retries" and "bypassed", is read on: what it lacks is 0.

use strict;
use warnings;

use Compress::Zlib qw(uncompress);
use MIME::Base64 qw(decode_base64);
use Test::More;

use Canary;
use Canary::State;

# 20 keyed requests, 3 forced ones, 4 without a key, at 50% in a stage "half"
my $file = uncompress(decode_base64(<<'FILE'));
eJzrdPYLiuTlkmJkYGAoYmUAA0YIxeCoDaE5khKLU3My81K7nr+YtdDk9FwQ+aV9HwsLVCEDI0QM
Qm5pA8pkJOakMTIuOCQHk2PQSk7MSyyqVDBQVdC1UzA1UNVRKC5JTE9VACnVUUhPzUstSizJzM9T
MPwPA4yksxjhrmXghLruL0vcQbi8HRPQf0DICMTiQHKxIQMCIKlrMmLABRhxylAX4LIHXZwQn5A4
tQETjc2nW/izQZIsAzeIx8zA8J+1FCUhMYOSESMTE6MuYw9yMiolKRkR8g6tg5PWgF7RRS5Ajwd0
9+IKfxL9JTPl/6KIIyUZAI9Sl/w=
FILE

my $t = Canary->new();
my $s = Canary::State->new($t);

is(unpack('x8 V', $file), 1, 'a file of version 1');
open my $out, '>:raw', $s->file() or die "$!\n";
print {$out} $file;
close $out or die "$!\n";
chmod 0666, $s->file();

$s->load('canary canary 50% stage=half;');
$t->start();

is($s->of('state'), 'active', 'it is trusted');
is($s->logged(qr/goes on from state file/), 1, 'and said so');
is($s->of('generation'), 2, 'the next generation');
is($s->of('stage')->{name}, 'half', 'the stage');
is($s->of('unkeyed'), 4, 'requests without a key');
is($s->of('bypassed'), 0, 'bypassed ones: none');
is($s->figures('canary')->{forced}, 3, 'forced ones');
is($s->figures('canary')->{requests} + $s->figures('baseline')->{requests},
    20, 'requests');
is(
    $s->figures('canary')->{latency}{count},
    $s->figures('canary')->{requests},
    'each with its latency'
);

for my $variant (qw(canary baseline)) {
    is($s->figures($variant)->{$_}, 0, "$variant: $_") for qw(aborted retries);
}

my $before = $s->figures('canary')->{requests};
is($s->canary(20), $before, 'the same users');
is($s->figures('canary')->{requests}, 2 * $before, 'are counted on');

$s->restart();
is(unpack('x8 V', $t->read('state/file')), 3, 'it is written in version 3');
is($s->figures('canary')->{requests}, 2 * $before, 'which is read as well');

$t->no_alerts();
done_testing();
