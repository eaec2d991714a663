#!/usr/bin/perl

# What "make mutants" would put into a source: each kind of fault where there
# is one to make and nowhere else, the same ones for the same seed.

use strict;
use warnings;

use Canary::Files qw(read_file);
use Canary::Mutants;
use Canary::Mutate;
use Test::More;


sub faults {
    my ($text, $kind) = @_;

    return map { $_->{after} }
        grep { !$kind || $_->{kind} eq $kind } Canary::Mutate::mutations($text);
}

# the statements of a function with nothing else in it
sub of {
    my ($body, $kind) = @_;

    return faults("int\nf(int a, int b)\n{\n    int  i;\n\n$body\n}\n", $kind);
}

sub made {
    my ($body, $kind, $expected, $name) = @_;

    is_deeply([sort +(of($body, $kind))], [sort @{$expected}], "$kind: $name");
    return;
}

made(
    'if (a < b) {}',
    'compare',
    ['if (a <= b) {}', 'if (a >= b) {}'],
    'the bound, and the opposite'
);
made('if (a == b->c) {}', 'compare', ['if (a != b->c) {}'], 'an arrow is none');
made(
    'if (a < b[i + 1].c) {}',
    'bound',
    ['if (a < b[i + 1].c - 1) {}'],
    'the whole right side'
);
made('if (a <= b) {}', 'bound', ['if (a <= b + 1) {}'], 'one more');
made('if (a < b * c) {}', 'bound', [], 'no part of a product');
made('a = 10;', 'constant', ['a = 11;', 'a = 20;', 'a = 0;'], 'a number');
made('a = 1;', 'constant', ['a = 2;', 'a = 0;'], 'one');
made(
    'a = 0xffu;', 'constant',
    ['a = 0x100u;', 'a = 0x1feu;', 'a = 0x0u;'],
    'hexadecimal, with a suffix'
);
made('a = 1e6;', 'constant', ['a = (1 + 1e6);', 'a = (2 * 1e6);', 'a = 0.0;'],
    'a real one');
made(
    'if (a && b || c) {}',
    'logic', ['if (a || b || c) {}', 'if (a && b && c) {}'],
    'each of them'
);
made('a = b - c;', 'arith', ['a = b + c;'], 'two sides');
made('a = (int) -c;', 'arith', [], 'a sign has one');
made('return -a;', 'arith', [], 'nor has that of a return');
made('a = sizeof(b) - c;', 'arith', ['a = sizeof(b) + c;'], 'of a size');
made('a += b;', 'arith', ['a -= b;'], 'a sum');
made('a++;', 'arith', ['a--;'], 'a count');
made('for (i = a; i < b; i++) { f(a); }', 'arith', [], 'no loop backwards');
made('if (!a) {}', 'not', ['if (a) {}'], 'away with it');
made('if (!a) {}', 'negate', [], 'which "not" does');
made('if (a < b) {}', 'negate', [], 'nor what "compare" does');
made('if (f(a)) {}', 'negate', ['if (!(f(a))) {}'], 'of a call');
made("if (a\n    && b)\n{\n}", 'negate', ['if (!(a && b))'], 'of two lines');
made(
    'a = f(a, g(b, c), d);',
    'args',
    ['a = f(g(b, c), a, d);', 'a = f(a, d, g(b, c));', 'a = f(a, g(c, b), d);'],
    'neighbours, inner ones too'
);
made('f(a, a); f(a, "text"); a = ngx_min(a, b);',
    'args', [], 'none that are alike, of other types, in any order');
made(
    'a = b; f(a); break; continue;',
    'drop',
    [
        '; f(a); break; continue;',
        'a = b; ; break; continue;',
        'a = b; f(a); ; continue;',
        'a = b; f(a); break; ;'
    ],
    'stores, calls, jumps'
);
made("f(a,\n  b);", 'drop', [';'], 'over two lines');
made(
    "if (a) {\n    return;\n}\na = b;",
    'drop',
    [';', ';'],
    'a return that is not the last'
);
made('return;', 'drop', [], 'one that is');
made(
    'return NGX_OK;',
    'return', ['return NGX_ERROR;', 'return NGX_DECLINED;'],
    'another code'
);
made('return -1;', 'return', ['return 0;'], 'of two tokens');
made('return -1;', 'constant', [], 'and no number besides');
made(
    'return NGX_HTTP_CONFLICT;', 'return',
    ['return NGX_HTTP_INTERNAL_SERVER_ERROR;'], 'of HTTP'
);

is_deeply([of('(void) a;')], [], 'an argument that is not used');
is_deeply([of('int  j, k[10];')], [], 'a declaration');
is_deeply([of('size_t  *p = a;')], [], 'with a value');
is_deeply([of('ngx_log_debug1(a, b, 0, "%d", 7);')], [], 'a debug line');
is_deeply([of('ngx_log_error(a, b, 0, "%d", 7);')],
    [';'], 'of another log line, only all of it');
is_deeply([of('switch (a) { case 7: break; }', 'constant')], [], 'a label');
is_deeply([of('/* a < 1 */ // b > 2')], [], 'comments');
is_deeply([of('f("a < 1", \'2\');', 'compare')], [], 'strings');
is_deeply(
    [
        faults(
                  "#include <7>\n#if (A > 7)\n#endif\nint f(int a, int b);\n"
                . "struct s {\n    int  a[7];\n};\n"
                . "typedef char  assert_t[sizeof(int) == 4 ? 1 : -1];\n"
        )
    ],
    [],
    'preprocessor, prototypes, types, static asserts'
);

my ($macro) = Canary::Mutate::mutations("#define A  (1 + B)    /* 7 */\n");
is(
    "$macro->{name}: $macro->{after}",
    'A: #define A (2 + B) /* 7 */',
    'a macro, which knows its name'
);
my @table = Canary::Mutate::mutations("static int  t[3] = {\n    0, 5\n};\n");
is_deeply(
    [map { "$_->{name} $_->{line}: $_->{after}" } @table],
    ['t 2: 0, 6', 't 2: 0, 10', 't 2: 0, 0'],
    'the numbers of a table'
);
is_deeply([faults("static ngx_command_t  t[] = {\n    { 1, 2 }\n};\n")],
    [], 'but not of a table of directives');

my $text = "void\nf(void)\n{\n    a = b;\n    a = b;\n    if (a < 7) {}\n}\n";
for my $mutation (Canary::Mutate::mutations($text)) {
    my @after = split /^/, Canary::Mutate::apply($text, $mutation);
    is(join(' ', split ' ', $after[$mutation->{line} - 1]),
        $mutation->{after}, "applied: $mutation->{after}");
}

# the same lines in the same order, be there others or not
sub drawn {
    my ($seed, %files) = @_;

    return map { $_->{mutations}[0] } Canary::Mutants::lines(\%files, $seed);
}

sub texts {
    return join "\n", map { "$_->{before} -> $_->{after}" } @_;
}

my $more = join '', map { "    a$_ = b + $_;\n" } 2 .. 20;
my $long = $text =~ s/\{\n/{\n$more/r;
my $longer = $long =~ s/\{\n/{\n    x = y;\n/r;
is(texts(drawn(1, f => $long)), texts(drawn(1, f => $long)), 'the same seed');
isnt(texts(drawn(1, f => $long)), texts(drawn(2, f => $long)), 'another one');
is(
    texts(grep { $_->{before} ne 'x = y;' } drawn(1, f => $longer)),
    texts(drawn(1, f => $long)),
    'a new line moves none'
);
is(scalar(grep { $_->{before} eq 'a = b;' } drawn(1, f => $long)),
    2, 'each of two lines that say the same');

is_deeply(
    Canary::Mutants::equivalents(<<'EQUIVALENT'),
# a comment

file: src/a.c
before: a  = b;
after: ;
because: nobody reads it
    any more
EQUIVALENT
    {"src/a.c\ta = b;\t;" => 'nobody reads it any more'},
    'equivalent ones, with the reason'
);
ok(!eval { Canary::Mutants::equivalents("file: a\nbefore: b\nafter: c\n") },
    'none without a reason');

my ($first) = @{Canary::Mutants::first_tests("src/a*.c  t/x.t t/y.t # z\n")};
ok('src/abc.c' =~ $first->[0] && 'src/ab.h' !~ $first->[0], 'a pattern');
is_deeply($first->[1], ['t/x.t', 't/y.t'], 'and its tests');

my $map = read_file('t/mutants.map');
for my $test (map { @{$_->[1]} } @{Canary::Mutants::first_tests($map)}) {
    fail("t/mutants.map: $test") if !-f $test;
}

done_testing();
