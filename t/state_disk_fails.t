use strict;
use warnings;

# A disk that fails at any call, in any way: the file that was there stays as it
# was, and nothing is left beside it; the status says what is wrong for as long
# as it is.  The same every few seconds, for a POST and as nginx stops.  If the
# folder alone cannot be synced, the new file is there, and said not to be safe.

use Time::HiRes qw(time);
use Test::More;
use Canary;
use Canary::Disk;

my %why = (
    ENOSPC => 'No space left on device',
    EIO => 'Input/output error',
    EINTR => 'Interrupted system call'
);
my %calls = (
    create => 'no file can be created in the folder',
    write => 'the file cannot be written',
    fsync => 'the file cannot be synced to the disk',
    close => 'the file cannot be synced to the disk',
    rename => 'the file cannot be renamed',
    sync => 'the file cannot be synced to the disk'
);

# a write that is interrupted is no failure
my @all = grep { $_ ne 'write_EINTR' }
    map {
    my $call = $_;
    map { "${call}_$_" } sort keys %why
    } sort keys %calls;

my $t = Canary->new();
my $disk = Canary::Disk->new($t)
    or plan skip_all => 'no library can be put before this nginx';
my $dir = $t->dir() . '/state';
mkdir $_ for $dir, map { "$dir/$_" } @all;

my $splits = join '', map { <<"SPLIT" } @all;
    upstream $_ {
        server 127.0.0.1:%%PORT1%%;
        canary canary 100%;
        canary_state %%DIR%%/state/$_/file;
    }
SPLIT

$t->conf(<<"CONF", workers => 1);
    upstream canary { server 127.0.0.1:%%PORT1%%; }
    $splits
    server {
        listen 127.0.0.1:%%PORT1%%;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location ~ ^/pass/(.*) { proxy_pass http://\$1; }
        location /canary/ { canary_status; }
        location /canary/control/ { canary_control; }
    }
CONF

$t->start();
$t->get("/pass/$_") for @all, @all;
ok(written(), 'all are written');

# every few seconds

my %file = failing();
my $began = time;
ok(
    $t->wait_for(
        sub {
            my $splits = $t->status()->{splits};
            return !grep { !$splits->{$_}{state_file}{error} } @all;
        },
        20
    ),
    'each status shows an error'
);
shown();
kept('every few seconds');
my $split = $t->status()->{splits};
is_deeply([grep { $split->{$_}{state_file}{written_at} > $began } @all],
    [], 'and no status says that it was written since');

# for a POST

post('rollback');
kept('a POST');

$disk->works();
ok(written(), 'a disk that works: all are written');
is(logged(qr/is written again/), scalar @all, 'each is logged once');
is(logged(qr/is not written by user/), scalar @all, 'and so was its error');
post('resume', 1);

# as nginx stops

%file = failing();
post('rollback');
$t->stop();
kept('at the end');

$disk->works();
$t->start();
$split = $t->status()->{splits};
is(logged(qr/goes on from state file/), scalar @all, 'all files are read');

for (@all) {
    is(
        $split->{$_}{state},
        /^sync/ ? 'rolled_back' : 'active',
        "$_: what is in force is what the file has"
    );
    is($split->{$_}{variants}{canary}{total}{requests},
        2, "$_: with the counters");
}

$t->no_alerts();
done_testing();

###############################################################################

# the files, once nothing is under way any more
sub failing {
    $disk->fail(
        map {
            my ($call, $errno) = split /_/;
            my $path =
                  $call eq 'sync' ? $_
                : $call eq 'rename' ? "$_/file"
                : "$_/.file.tmp";
            [$call eq 'sync' ? 'fsync' : $call, $path, $errno];
        } @all
    );

    my %before = files();
    my %now;
    $t->wait_for(
        sub {
            %now = files();
            my $same = !grep { $now{$_} ne $before{$_} } @all;
            %before = %now;
            return $same;
        }
    ) or die "files do not settle\n";

    return %now;
}

sub text {
    my ($call, $errno) = split /_/, $_[0];

    return "$calls{$call}: $why{$errno}";
}

sub shown {
    my $splits = $t->status()->{splits};

    is($splits->{$_}{state_file}{error}, text($_), "$_: and says what it is")
        for @all;
    return;
}

sub files {
    return map { $_ => scalar $t->read("state/$_/file") } @all;
}

# only if the folder is not synced there is another file
sub kept {
    my ($when) = @_;

    my %now = files();
    my @same = grep { $now{$_} eq $file{$_} } @all;
    is_deeply(\@same, [grep { !/^sync/ } @all], "$when: the files stay");
    is_deeply([glob "$dir/*/.*.tmp"], [], "$when: nothing is left over");
    return;
}

sub post {
    my ($verb, $written) = @_;

    for (@all) {
        my $response = $t->post("/canary/control/$_/$verb", '');
        my $answer = JSON::PP::decode_json($response->{body});

        is(
            $answer->{state},
            $verb eq 'rollback' ? 'rolled_back' : 'active',
            "$_: $verb is in force"
        );
        if ($written) {
            is($answer->{written}, JSON::PP::true, "$_: and written");
        } else {
            is($answer->{written}, JSON::PP::false, "$_: and not written");
            is($answer->{error}, text($_), "$_: as the answer says");
        }
    }
    return;
}

sub written {
    my $since = time;

    return $t->wait_for(
        sub {
            my $splits = $t->status()->{splits};
            return !grep {
                       $_->{error} ne ''
                    || !$_->{written_at}
                    || $_->{written_at} <= $since
            } map { $splits->{$_}{state_file} } @all;
        },
        20
    );
}

sub logged {
    my ($regex) = @_;

    return scalar grep { $_ =~ $regex } split /\n/, $t->error_log();
}
