package Canary::Disk;

# A disk that hangs, is full or is interrupted, for the nginx of a test: t/lib/
# disk.c, loaded into it before the C library.
#
#     my $disk = Canary::Disk->new($t)
#         or plan skip_all => 'no library can be put before this nginx';
#     $t->start();
#     $disk->hang();           no fsync() in DIR/state returns
#     $disk->works();          all is well again
#
#     short()     a write takes 100 bytes, and each other one is interrupted
#     full()      there is no room
#     record()    from now on, what happens is written down
#     events()    that, as [what, name] with the last part of the path

use strict;
use warnings;

use File::Basename qw(basename dirname);


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


sub full {
    my ($self) = @_;

    return $self->_rule('full');
}


sub works {
    my ($self) = @_;

    unlink map { "$self->{dir}/$_" } qw(hang short full);

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
    my @events = map { [(split)[0], basename((split)[1])] } <$in>;
    close $in;

    return @events;
}


sub _rule {
    my ($self, $name) = @_;

    open my $out, '>', "$self->{dir}/$name" or die "$name: $!\n";
    close $out;
    chmod 0666, "$self->{dir}/$name";

    return;
}


1;
