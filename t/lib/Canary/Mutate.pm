package Canary::Mutate;

# Single faults in a C source of nginx's style.
#
#     my @all = Canary::Mutate::mutations($text);
#
# Each is a hash: kind, line (the first one that it changes), before and after
# (those lines with blanks as one, for people and as a key), name (of the macro
# or table that it changes, if it is in no function), and offset, length and
# with: what replaces which bytes.  apply($text, $mutation) returns the source
# with the fault.
#
#     compare    < <= > >= == != for another one of them
#     bound      the right side of a < is one less, that of a <= one more
#     constant   a number is one more, twice as much, 0
#     logic      && for ||
#     arith      + for -, += for -=, ++ for --
#     not        no "!"
#     negate     "if (a)" is "if (!(a))", of what compares nothing by itself
#     args       two neighbours among the arguments of a call, swapped
#     drop       a statement less: a call, a store, break, continue, return
#     return     NGX_OK for NGX_ERROR, 0 for 1, and the like
#
# Left alone: comments, strings, what goes into a log, declarations, prototypes
# and types, case labels, lines of the preprocessor but for a macro's numbers.

use strict;
use warnings;

my %compare = (
    '<' => ['<=', '>='],
    '<=' => ['<', '>'],
    '>' => ['>=', '<='],
    '>=' => ['>', '<'],
    '==' => ['!='],
    '!=' => ['=='],
);

# the others would be what "compare" does
my %bound = ('<' => '- 1', '<=' => '+ 1', '>' => '+ 1', '>=' => '- 1');

my %swap = (
    '&&' => '||',
    '||' => '&&',
    '+=' => '-=',
    '-=' => '+=',
    '++' => '--',
    '--' => '++',
    '+' => '-',
    '-' => '+',
);

my %code = (
    NGX_OK => ['NGX_ERROR', 'NGX_DECLINED'],
    NGX_ERROR => ['NGX_OK'],
    NGX_DECLINED => ['NGX_OK', 'NGX_ERROR'],
    NGX_DONE => ['NGX_OK'],
    NGX_AGAIN => ['NGX_OK'],
    NGX_BUSY => ['NGX_OK', 'NGX_ERROR'],
    NGX_ABORT => ['NGX_OK'],
    NGX_CONF_OK => ['NGX_CONF_ERROR'],
    NGX_CONF_ERROR => ['NGX_CONF_OK'],
    '0' => ['1', '-1'],
    '1' => ['0'],
    '-1' => ['0'],
);

my %keyword = map { $_ => 1 } qw(if else for while do switch case default
    return break continue goto sizeof);
my $type = qr/^(?:static|const|unsigned|signed|struct|enum|union|volatile|int|
    char|long|short|double|float|void|size_t|ssize_t|off_t|time_t|u_char|
    \w+_t|\w+_e|\w+_pt)$/x;

# a text for people, in no order of its arguments that a test could know; and
# what is the same either way round
my $log = qr/^ngx_(?:conf_)?(?:log_|ssl_error)/;
my $debug = qr/^ngx_log_debug/;
my $same = qr{^(?:ngx_min|ngx_max|fmin|fmax|ngx_string|offsetof|va_\w+
    |(?:ngx_)?memcmp)$}x;

# tables of names and handlers, in which numbers are placeholders
my $table = qr/^(?:ngx_command_t|ngx_http_module_t|ngx_module_t|
    ngx_http_variable_t)$/x;


sub mutations {
    my ($text) = @_;

    my $self = bless {
        text => $text,
        tokens => _tokens($text),
        found => [],
        },
        __PACKAGE__;
    $self->_match();

    my $tokens = $self->{tokens};
    for (my $i = 0; $i < @{$tokens}; $i++) {
        my $token = $tokens->[$i];
        if ($token->{kind} eq 'define') {
            $self->_constant($token, $token->{name});

        } elsif ($token->{text} eq '{') {
            my $end = $token->{match};
            if ($i && $tokens->[$i - 1]{text} eq ')') {
                $self->_block($i + 1, $end - 1);
            } elsif ($i && $tokens->[$i - 1]{text} eq '=') {
                $self->_table($i, $end);
            }
            $i = $end;
        }
    }

    my @lines = split /^/, $text;
    my @found = map { _described($_, $text, \@lines) }
        sort { $a->{offset} <=> $b->{offset} } @{$self->{found}};
    my %seen;
    return grep { !$seen{"$_->{line} $_->{after}"}++ } @found;
}


sub apply {
    my ($text, $mutation) = @_;

    substr $text, $mutation->{offset}, $mutation->{length}, $mutation->{with};
    return $text;
}


sub _tokens {
    my ($text) = @_;

    my @tokens;
    while (1) {
        my $at = pos $text || 0;
        last if $at == length $text;

        my $kind;
        if ($text =~ m{\G(?:\s+|/\*.*?\*/|//[^\n]*)}gcs) {
            next;
        } elsif ($text =~ /\G#(?:[^\n\\]|\\.)*/gcs) {
            push @tokens, _defined($&, $at);
            next;
        } elsif ($text =~ /\G(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/gcs) {
            $kind = 'string';
        } elsif (
            $text =~ /\G(?:0[xX][0-9a-fA-F]+|
                (?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[uUlLfF]*/gcx
            )
        {
            $kind = 'number';
        } elsif ($text =~ /\G\w+/gc) {
            $kind = 'name';
        } elsif (
            $text =~ /\G(?:<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[<>=!]=|&&|
                \|\||[-+*\/%&|^]=|.)/gcxs
            )
        {
            $kind = 'mark';
        }
        push @tokens, {kind => $kind, text => $&, at => $at};
    }

    return \@tokens;
}


# the numbers in what a macro without arguments stands for
sub _defined {
    my ($line, $at) = @_;

    return if $line !~ /^#\s*define\s+(\w+)\s+/;
    my ($name, $from) = ($1, $+[0]);

    return map {
        {
            %{$_},
                at => $_->{at} + $at + $from,
                kind => 'define',
                name => $name
        }
        }
        grep { $_->{kind} eq 'number' } @{_tokens(substr $line, $from)};
}


# each bracket knows its other half
sub _match {
    my ($self) = @_;

    my @open;
    my $tokens = $self->{tokens};
    for my $i (0 .. $#{$tokens}) {
        my $text = $tokens->[$i]{text};
        next if $tokens->[$i]{kind} ne 'mark';
        if ($text =~ /^[({[]$/) {
            push @open, $i;
        } elsif ($text =~ /^[)}\]]$/) {
            my $other = pop @open;
            $tokens->[$i]{match} = $other;
            $tokens->[$other]{match} = $i;
        }
    }
    return;
}


# "static const type name[] = {": its numbers, but for 0
sub _table {
    my ($self, $from, $to) = @_;

    my $tokens = $self->{tokens};
    my $i = $from - 2;
    $i = $tokens->[$i]{match} - 1 while $tokens->[$i]{text} eq ']';
    my $name = $tokens->[$i]{text};
    while ($i > 0 && $tokens->[$i - 1]{text} !~ /^[;}]$/) {
        $i--;
        return if $tokens->[$i]{text} =~ $table;
    }

    for my $token (@{$tokens}[$from .. $to]) {
        next if $token->{kind} ne 'number' || $token->{text} =~ /^0\.?0*$/;
        $self->_constant($token, $name);
    }
    return;
}


# statements from one token to another
sub _block {
    my ($self, $from, $to) = @_;

    my $tokens = $self->{tokens};
    my $i = $from;
    while ($i <= $to) {
        my ($text, $next) = map { $_ ? $_->{text} : '' } @{$tokens}[$i, $i + 1];

        if ($text =~ /^(?:[{};]|else|do)$/) {
            $i++;

        } elsif ($text =~ /^(?:if|while|for|switch)$/) {
            my $end = $tokens->[$i + 1]{match};
            $self->_expression($i + 2, $end - 1, $text);
            $self->_negate($i + 2, $end - 1) if $text =~ /^(?:if|while)$/;
            $i = $end + 1;

        } elsif ($text eq 'case' || $next eq ':') {
            $i++ while $tokens->[$i]{text} ne ':';
            $i++;

        } else {
            my $end = $i;
            while ($tokens->[$end]{text} ne ';') {
                $end = $tokens->[$end]{match}
                    if $tokens->[$end]{text} =~ /^[({[]$/;
                $end++;
            }
            $self->_statement($i, $end, $to);
            $i = $end + 1;
        }
    }
    return;
}


sub _statement {
    my ($self, $from, $end, $last) = @_;

    my $tokens = $self->{tokens};
    my $first = $tokens->[$from];

    if ($self->_is_declaration($from, $end)) {
        for my $i ($from .. $end) {
            next if $tokens->[$i]{text} ne '{';
            $self->_table($i, $tokens->[$i]{match});
            last;
        }
        return;
    }
    return if $first->{text} eq 'goto';

    if ($first->{text} eq 'return') {
        $self->_return($from, $end);
        $self->_drop($from, $end) if $end == $from + 1 && $end < $last;
        $self->_expression($from + 1, $end - 1, 'return');
        return;
    }

    # "(void) argument;"
    return if $first->{text} eq '(' && $end == $from + 4;

    $self->_drop($from, $end) if $first->{text} !~ $debug;
    $self->_expression($from, $end - 1, 'statement');
    return;
}


sub _is_declaration {
    my ($self, $from, $end) = @_;

    my @text = map { $_->{text} } @{$self->{tokens}}[$from .. $end];
    return 0 if $keyword{$text[0]};
    return 1 if $text[0] =~ /^(?:static|const|struct|enum|union|unsigned)$/;

    # "type name", "type **name"
    return "@text[0 .. ($#text < 6 ? $#text : 6)]" =~
        /^[a-zA-Z_]\w* (?:(?:\* )*)[a-zA-Z_]\w* [;,=\[]/;
}


sub _drop {
    my ($self, $from, $end) = @_;

    my ($first, $last) = @{$self->{tokens}}[$from, $end];
    $self->_found('drop', $first, $last, ';');
    return;
}


sub _return {
    my ($self, $from, $end) = @_;

    my $tokens = $self->{tokens};
    my @text = map { $_->{text} } @{$tokens}[$from + 1 .. $end - 1];
    return if !@text || @text > 2;

    my $value = join '', @text;
    my $codes = $code{$value};
    if ($value =~ /^NGX_HTTP_[A-Z_]+$/) {
        $codes = [
            $value eq 'NGX_HTTP_INTERNAL_SERVER_ERROR'
            ? 'NGX_OK'
            : 'NGX_HTTP_INTERNAL_SERVER_ERROR'
        ];
    } elsif ($value =~ /^"/ && $self->{text} =~ /\bNGX_CONF_OK\b/) {
        $codes = ['NGX_CONF_OK'];
    }

    for my $other (@{$codes || []}) {
        $self->_found('return', @{$tokens}[$from + 1, $end - 1], $other);
    }
    return;
}


sub _negate {
    my ($self, $from, $to) = @_;

    my ($marks, $joined) = (0, 0);
    for my $token (@{$self->{tokens}}[$from .. $to]) {
        $marks++ if $compare{$token->{text}};
        $joined++ if $token->{text} =~ /^(?:&&|\|\|)$/;
    }
    my ($first, $last) = @{$self->{tokens}}[$from, $to];
    return if !$joined && ($marks || $first->{text} eq '!');

    my $text = $self->_between($from, $to);
    $self->_found('negate', $first, $last, "!($text)");
    return;
}


sub _expression {
    my ($self, $from, $to, $where) = @_;

    my $tokens = $self->{tokens};
    for (my $i = $from; $i <= $to; $i++) {
        my ($token, $text) = ($tokens->[$i], $tokens->[$i]{text});
        my $next = $tokens->[$i + 1]{text};

        if ($token->{kind} eq 'name' && $next eq '(' && !$keyword{$text}) {
            my $end = $tokens->[$i + 1]{match};
            if ($text =~ $log) {
                $i = $end;
                next;
            }
            $self->_args($i + 1, $end) if $text !~ $same;
        }

        if ($token->{kind} eq 'number') {
            next if $where eq 'return' && $i == $to && $i - $from < 2;
            $self->_constant($token);

        } elsif ($token->{kind} ne 'mark') {
            next;

        } elsif ($compare{$text}) {
            $self->_found('compare', $token, $token, $_) for @{$compare{$text}};
            $self->_bound($i, $to);

        } elsif ($text eq '!') {
            $self->_found('not', $token, $token, '');

        } elsif ($text =~ /^(?:&&|\|\|)$/) {
            $self->_found('logic', $token, $token, $swap{$text});

        } elsif ($text =~ /^[-+]=$/) {
            $self->_found('arith', $token, $token, $swap{$text});

        } elsif ($text =~ /^(?:\+\+|--)$/) {

            # a loop that counts away from its end is no fault of one place
            $self->_found('arith', $token, $token, $swap{$text})
                if $where ne 'for';

        } elsif ($text =~ /^[-+]$/ && $i > $from && $self->_is_value($i - 1)) {
            $self->_found('arith', $token, $token, $swap{$text});
        }
    }
    return;
}


# whether a value ends here, so that what follows has two sides
sub _is_value {
    my ($self, $i) = @_;

    my $tokens = $self->{tokens};
    my $token = $tokens->[$i];
    return !$keyword{$token->{text}} if $token->{kind} ne 'mark';
    return 1 if $token->{text} eq ']';
    return 0 if $token->{text} ne ')';

    # "(size_t)" is a cast, "sizeof(size_t)" is not
    my $open = $token->{match};
    return 1 if $open && $tokens->[$open - 1]{text} eq 'sizeof';
    my @inner = map { $_->{text} } @{$tokens}[$open + 1 .. $i - 1];
    return 0 if @inner && !grep { !/^\*$/ && $_ !~ $type } @inner;
    return 1;
}


sub _bound {
    my ($self, $i, $to) = @_;

    my $tokens = $self->{tokens};
    my $end = $i + 1;
    my $first = $tokens->[$end];
    my $change = $bound{$tokens->[$i]{text}};
    return if !$change || $first->{kind} !~ /^(?:name|number)$/;

    while ($end < $to) {
        my $next = $tokens->[$end + 1];
        if ($next->{text} =~ /^(?:->|\.)$/) {
            $end += 2;
        } elsif ($next->{text} =~ /^[(\[]$/) {
            $end = $next->{match};
        } else {
            last;
        }
    }
    return
        if $end < $to && $tokens->[$end + 1]{text} !~ /^(?:[);,?:]|&&|\|\|)$/;

    my $text = $self->_between($i + 1, $end);
    $self->_found('bound', $first, $tokens->[$end], "$text $change");
    return;
}


sub _args {
    my ($self, $open, $close) = @_;

    my $tokens = $self->{tokens};
    my ($from, @args) = ($open + 1);
    for (my $i = $open + 1; $i <= $close; $i++) {
        my $text = $tokens->[$i]{text};
        if ($i == $close || $text eq ',') {
            push @args, [$from, $i - 1];
            $from = $i + 1;
        } elsif ($text =~ /^[({[]$/) {
            $i = $tokens->[$i]{match};
        }
    }

    for my $n (1 .. $#args) {
        my ($left, $right) = @args[$n - 1, $n];
        my ($one, $other) = map { $self->_between(@{$_}) } $left, $right;
        next if $one eq $other || "$one $other" =~ /["']|__ATOMIC_/;
        $self->_found(
            'args',
            $tokens->[$left->[0]],
            $tokens->[$right->[1]],
            "$other, $one"
        );
    }
    return;
}


sub _constant {
    my ($self, $token, $name) = @_;

    my ($value, $suffix) = $token->{text} =~ /^(0[xX][0-9a-fA-F]+|.*?)
        ([uUlLfF]*)$/x;
    my @others;
    if ($value =~ /[.eE]/ && $value !~ /^0[xX]/) {
        @others = ("(1 + $value)", "(2 * $value)", '0.0');
        @others = ('1.0') if $value == 0;
    } elsif (length $value > 15) {
        @others = ("($value$suffix + 1)", "($value$suffix * 2)");
        $suffix = '';
    } else {
        my $n = $value =~ /^0/ ? oct $value : $value;
        my $form = $value =~ /^0[xX]/ ? '0x%x' : '%d';
        @others = map { sprintf $form, $_ } $n + 1, 2 * $n, 0;
    }

    for my $other (@others) {
        next if $other eq $value;
        $self->_found('constant', $token, $token, $other . $suffix, $name);
    }
    return;
}


sub _between {
    my ($self, $from, $to) = @_;

    my ($first, $last) = @{$self->{tokens}}[$from, $to];
    return substr $self->{text}, $first->{at},
        $last->{at} + length($last->{text}) - $first->{at};
}


sub _found {
    my ($self, $kind, $first, $last, $with, $name) = @_;

    push @{$self->{found}},
        {
        kind => $kind,
        offset => $first->{at},
        length => $last->{at} + length($last->{text}) - $first->{at},
        with => $with,
        name => $name
        };
    return;
}


sub _described {
    my ($found, $text, $lines) = @_;

    my $end = $found->{offset} + $found->{length};
    my $line = 1 + (substr($text, 0, $found->{offset}) =~ tr/\n//);
    my $last =
        $line + (substr($text, $found->{offset}, $found->{length}) =~ tr/\n//);

    my $start = rindex($text, "\n", $found->{offset} - 1) + 1;
    $start = 0 if !$found->{offset};
    my $before = join '', @{$lines}[$line - 1 .. $last - 1];
    my $after = $before;
    substr $after, $found->{offset} - $start, $found->{length}, $found->{with};

    return {
        %{$found},
        line => $line,
        before => _one_line($before),
        after => _one_line($after)
    };
}


sub _one_line {
    my ($text) = @_;

    return join ' ', split ' ', $text;
}


1;
