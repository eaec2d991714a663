use strict;
use warnings;

# A split remembers seven names.  The eighth takes the place of the one that has
# been out of the split for longest: never of one that is in it, wherever in
# the file the new name is, nor of one that left later.

use Test::More;
use Canary;
use Canary::Slots;

my $t = Canary->new();
my $s = Canary::Slots->new($t, workers => 2);

sub of_14 {
    return map { "$_ 14%" } @_;
}

# [requests] by name; those of a canary that is not in the split are not shown
sub totals {
    my %variants = %{$s->split_of()->{variants}};
    delete $variants{baseline};
    return {map { $_ => $variants{$_}{total}{requests} } keys %variants};
}

sub subset {
    my ($of, @names) = @_;
    return {map { $_ => $of->{$_} } @names};
}

$s->load(of_14('a' .. 'g'));
$t->start();

my %sent;
for my $k (1 .. 140) {
    $sent{$t->get("/?k=$k")->{header}{'x-name'}}++;
}
my %expected = map { $_ => $sent{$_} || 0 } 'a' .. 'g';
is((grep { $_ > 0 } values %expected), 7, 'each of seven has requests');
$s->counted($_, $expected{$_}) for 'a' .. 'g';
is_deeply(totals(), \%expected, 'each has its own');

# they leave: d first, f at last
ok($s->load(of_14(qw(a b c e f g))), 'd leaves');
ok($s->load(of_14(qw(a c e f g))), 'b leaves');
ok($s->load(of_14(qw(a c e g))), 'f leaves');

ok($s->load(of_14(qw(h a c e g))), 'an eighth name');
is_deeply(
    totals(),
    {%{subset(\%expected, qw(a c e g))}, h => 0},
    'begins from zero, and takes from none that is in use'
);

ok($s->load(of_14(qw(h a c e g b f))), 'b and f come back');
is_deeply(
    totals(),
    {%{subset(\%expected, qw(a b c e f g))}, h => 0},
    'with what they had: d had been away for longest'
);

# no name has been away at all, but for the one that leaves
ok($s->load(of_14(qw(d a b c e f g))), 'd in the place of h');
is_deeply(
    totals(),
    {%{subset(\%expected, qw(a b c e f g))}, d => 0},
    'd has lost what it had, nobody else'
);

$t->no_alerts();
done_testing();
