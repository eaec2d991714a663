use strict;
use warnings;

# What the journal says of a load: each canary's share before and after it,
# with no more digits than it has, the stage and the generation.

use Test::More;
use Canary;
use Canary::State;

my $t = Canary->new();
my $s = Canary::State->new($t, workers => 1, force => '');

my @loads = (
    ['canary canary 5%;', 'canary 0% -> 5%, generation 1'],
    [
        'canary canary 12.5% stage=second;',
        'canary 5% -> 12.5%, stage second, generation 2'
    ],
    [
        'canary canary 0.01%; canary other off;',
        'canary 12.5% -> 0.01%, other 0% -> off, generation 3'
    ],
    [
        'canary canary off;',
        'canary 0.01% -> off, other off -> 0%, generation 4'
    ],
    ['canary canary 100%;', 'canary off -> 100%, generation 5']
);

for my $load (@loads) {
    my ($text, $told) = @$load;
    $s->load($text);
    $t->start() if !$t->master();
    is($s->of('journal')->[-1]{text}, $told, $text);
}

$t->no_alerts();
done_testing();
