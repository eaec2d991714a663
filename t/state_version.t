# State files of older versions are read on, each as the module wrote it at its
# time: what a file lacks is 0, and what was dropped since is passed over.
# Version 1 had no "aborted", "retries" and "bypassed"; up to version 2 there
# were errors by the hash of the key, and not what the gates had seen, which
# begin anew; up to version 3 it was not said how many counters there are.

use strict;
use warnings;

use Compress::Zlib qw(uncompress);
use MIME::Base64 qw(decode_base64);
use Test::More;

use Canary;
use Canary::State;

# keyed requests at 50% in a stage "half", 3 forced ones, 4 without a key
my @files = (
    {
        version => 1,
        requests => 20,
        bypassed => 0,
        content => <<'FILE',
eJzrdPYLiuTlkmJkYGAoYmUAA0YIxeCoDaE5khKLU3My81K7nr+YtdDk9FwQ+aV9HwsLVCEDI0QM
Qm5pA8pkJOakMTIuOCQHk2PQSk7MSyyqVDBQVdC1UzA1UNVRKC5JTE9VACnVUUhPzUstSizJzM9T
MPwPA4yksxjhrmXghLruL0vcQbi8HRPQf0DICMTiQHKxIQMCIKlrMmLABRhxylAX4LIHXZwQn5A4
tQETjc2nW/izQZIsAzeIx8zA8J+1FCUhMYOSESMTE6MuYw9yMiolKRkR8g6tg5PWgF7RRS5Ajwd0
9+IKfxL9JTPl/6KIIyUZAI9Sl/w=
FILE
    },
    {
        version => 2,
        requests => 40,
        bypassed => 2,
        content => <<'FILE',
eNrrdPYLiuTlkmJiYGC4ysoABowQikEzFEKfNNrz9mFh+T6OpMTi1JzMvNTD228uWGjSMBdELuk7
z8jCwgTTxggR3QAmJ8w/w8iSkZiTxsi44JAcAzNUkkErOTEvsahSwUBVQddOwdRAVUehuCQxPVUB
pFZHIT01L7UosSQzP0/BkGklWAujcFFqRmpiUXFijgKcxQyxhYkvqVIhMU8hvwCkK78IaNV/GGAk
lsUI9xyDEAMMfOLwOQJXYc3IyMnAxMDExAgCrIxbDRkYOOFK97C4HUJWygwMDqBSTrAyHICJgT6A
iUhxJjL10QqwDFC4UBswskHSO4MYiMcMImZxRxyGJxcbZgYOUIJhZGQAQxZGNiBcCUw43HANt1m9
kDQwAfMSMHUxMPJCFRLwIdMAhzTDMIlJSt2HKz5YqOOvUyrKcdVJaUwAggapnw==
FILE
    },
    {
        version => 3,
        requests => 20,
        bypassed => 0,
        judged => 11,
        content => <<'FILE',
eNrrdPYLiuTlkmJmYGCo4WAAA0YIxfAxH0Ir/+8oW7KlVowjKbE4NSczL3X7np5/i0weLwCRR3tu
MLIwwAEjRBRCPusGymUk5qQxMi44JMfACJVk0EpOzEssqlQwUFXQtVMwNVDVUSguSUxPVQCp1VFI
T81LLUosyczPUzD8DwOMCBbQLGzCpLMY4T5i4GTABF9Zwg7C1doxMTCxMjIwsjAyM7IxrjZkwA6Q
dDQZIYkzskH8zMAN4jGjaprCFn8Irs2WESjNxMTIB7SICWjVIlxWIelBsQpmIxBcv2K8f2cQvytD
7/6mPL7obfYMo2AUDCBgxBBRc0AXmVPayfiX6Zn9scJXGytuPLUv5vq0e37rU/u4MxuFloU8sa9e
nhX2NeKR/abcB2paJ6/b3xX4N2WGyjP7lk//3K4IP7Nf0fPVfPvzp/Ybk7dNW9371P7G+4D9T3Y8
sU+a4r9SY90jeyblr/tvBO0ezQujYGDzArz2gdUNEGF4oU0wK0Gq0yvSkOoVBIA0JwMnJyMQA5nc
DNzcjEC8iZWBhQG5Yr7LTYSWg2tASp+zMzLAlCIYDAwrtuCT7Qe3EDSwSTIyhJjvEMya3h0JAE4S
M88=
FILE
    },
);

read_on($_) for @files;
done_testing();

###############################################################################

sub read_on {
    my ($old) = @_;

    my $t = Canary->new();
    my $s = Canary::State->new($t, more => 'canary_gate p95 <= 500ms;');
    my $file = uncompress(decode_base64($old->{content}));

    is(unpack('x8 V', $file), $old->{version}, "version $old->{version}");
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
    is($s->of('bypassed'), $old->{bypassed}, 'bypassed ones');
    is($s->figures('canary')->{forced}, 3, 'forced ones');
    is(
        $s->figures('canary')->{requests} + $s->figures('baseline')->{requests},
        $old->{requests}, 'requests'
    );
    is(
        $s->figures('canary')->{latency}{count},
        $s->figures('canary')->{requests},
        'each with its latency'
    );

    for my $variant (qw(canary baseline)) {
        is($s->figures($variant)->{$_}, 0, "$variant: $_")
            for qw(aborted retries);
    }

    my $before = $s->figures('canary')->{requests};
    my $more = $s->canary(20);
    is($more, $before * 20 / $old->{requests}, 'the same users');
    is($s->figures('canary')->{requests}, $before + $more, 'it is counted on');

    my $judged = $old->{judged} || 0;
    ok($t->wait_for(sub { $s->of('gates')->[0]{trials} == $judged + $more }),
        $judged ? 'a gate goes on' : 'a gate begins anew');

    $s->restart();
    is(unpack('x8 V', $t->read('state/file')), 4, 'it is written in version 4');
    is(
        $s->figures('canary')->{requests},
        $before + $more,
        'which is read as well'
    );

    $t->no_alerts();

    return;
}
