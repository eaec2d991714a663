package Canary::Disk;

# A disk that hangs, fails or is interrupted, for the nginx of a test: t/lib/
# disk.c, loaded into it before the C library.
#
#     my $disk = Canary::Disk->new($t)
#         or plan skip_all => 'no library can be put before this nginx';
#     $t->start();
#     $disk->hang();           no fsync() in DIR/state returns
#     $disk->works();          all is well again
#
#     short()      a write or a read takes 100 bytes, and each other one is
#                  interrupted
#     fail([CALL, PATH, ERRNO], ..)    these calls do, as t/lib/disk.c says
#     record()     from now on, what works is written down
#     events()     that, as "CALL PATH"; a row of writes is one

use strict;
use warnings;

use Errno ();
use File::Basename qw(dirname);


sub new {
    my ($class, $t) = @_;

    my $dir = $t->dir();
    my $self = bless {dir => "$dir/disk"}, $class;
    my $source = dirname(__FILE__) . '/../disk.c';
    my $library = "$dir/disk.so";

    mkdir $self->{dir};
    return
        if system "cc -shared -fPIC -O2 -o $library $source -ldl 2>/dev/null";

    # a sanitizer wants to be the first

    my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
    return if system "LD_PRELOAD=$library $nginx -v >/dev/null 2>&1";

    $ENV{LD_PRELOAD} = $library;
    $ENV{DISK_FOLDER} = "$dir/state";
    $ENV{DISK_RULES} = $self->{dir};

    return $self;
}


sub hang {
    my ($self) = @_;

    return $self->_rule('hang');
}


sub short {
    my ($self) = @_;

    return $self->_rule('short');
}


sub fail {
    my ($self, @calls) = @_;

    my $rules = join '',
        map { "$_->[0] $_->[1] " . Errno->can($_->[2])->() . "\n" } @calls;

    return $self->_rule('fail', $rules);
}


sub works {
    my ($self) = @_;

    unlink map { "$self->{dir}/$_" } qw(hang short fail);

    return;
}


sub record {
    my ($self) = @_;

    unlink "$self->{dir}/log";

    return $self->_rule('log');
}


sub events {
    my ($self) = @_;

    open my $in, '<', "$self->{dir}/log" or return;
    chomp(my @events = <$in>);
    close $in;

    return map { $events[$_] }
        grep {
              !$_
            || $events[$_] !~ /^write/
            || $events[$_] ne $events[$_ - 1]
        } 0 .. $#events;
}


# as a whole: nginx may look at any time
sub _rule {
    my ($self, $name, $text) = @_;

    open my $out, '>', "$self->{dir}/new" or die "$name: $!\n";
    print {$out} defined $text ? $text : '';
    close $out;
    chmod 0666, "$self->{dir}/new";
    rename "$self->{dir}/new", "$self->{dir}/$name" or die "$name: $!\n";

    return;
}


1;
