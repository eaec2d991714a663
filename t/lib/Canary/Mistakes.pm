package Canary::Mistakes;

# Mistakes in a configuration: each is one [emerg] line of nginx -t that names
# the value, what is allowed, and where it stands.
#
#     use Canary::Mistakes;
#
#     wrong('canary c1;', 'invalid ...');     # inside of upstream "baseline"
#     right('canary c1 5%;');
#
#     $t                        the Canary that tests them
#     around($body)             a whole http block with this upstream: c1, c2
#                               and other are upstreams, split is a split
#     wrong($body, $message)    refused with this message, at the line with
#                               "@@", without it the last of the body
#     refused($text, $message, $name)
#                               the same of a whole http block
#     right($body)              accepted
#     directive($name, $text)   "NAME" directive TEXT
#     $arguments                nginx's own message, a format of the directive

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Canary;

our @EXPORT = qw($t $arguments around refused wrong right directive);

our $t = Canary->new();
our $arguments = 'invalid number of arguments in "%s" directive';

# the upstreams are known only once all is read, so their order is no matter
my $around = <<'CONF';
upstream baseline {
    server 127.0.0.1:%%PORT2%%;
BODY
}
upstream c1 { server 127.0.0.1:%%PORT1%%; }
upstream c2 { server 127.0.0.1:%%PORT1%%; }
upstream other { server 127.0.0.1:%%PORT1%%; }
upstream split { server 127.0.0.1:%%PORT1%%; canary other 1%; }
server {
    listen 127.0.0.1:%%PORT0%%;
    location / { proxy_pass http://baseline; }
    location /literal/ { proxy_pass http://127.0.0.1:%%PORT1%%; }
}
CONF

sub around {
    my ($body) = @_;

    my $text = $around;
    $text =~ s/BODY/$body/;
    return $text;
}

# "@@" marks the line that the message must name, without it the last
sub refused {
    my ($text, $message, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($before) = $text =~ /^(.*?)@@/s;
    my $http = $text =~ s/@@//r;
    my ($exit, $output) = $t->test_config("# begins\n$http");
    my $file = $t->dir() . '/test.conf';
    my ($head) = $t->read($file) =~ /^(.*?# begins\n)/s;
    my $line = 1 + ("$head$before" =~ tr/\n//);

    my @emerg = grep { /\[emerg\]/ } split /\n/, $output;
    is_deeply(\@emerg, ["nginx: [emerg] $message in $file:$line"], $name);
    is($exit, 1, "$name: refused");
    return;
}

sub wrong {
    my ($body, $message) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $name = length $body > 60 ? substr($body, 0, 57) . '...' : $body;
    $name =~ s/[^ -~]/?/g;
    $name =~ s/@@//;
    $name =~ s/#/\\#/g;

    $body .= '@@' if $body !~ /@@/;
    refused(around($body), $message, $name);
    return;
}

sub right {
    my ($body) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($exit, $output) = $t->test_config(around($body));
    my $name = length $body > 60 ? substr($body, 0, 57) . '...' : $body;
    $name =~ s/\n/ /g;
    $name =~ s/#/\\#/g;
    is($exit, 0, "valid: $name") or diag($output);
    return;
}

sub directive {
    my ($name, $text) = @_;

    return "\"$name\" directive $text";
}


1;
