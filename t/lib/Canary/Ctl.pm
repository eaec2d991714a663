package Canary::Ctl;

# canaryctl in the tests: an nginx with the split "documents" of two canaries,
# and a settings file that fits.
#
#     my $t = Canary->new();
#     my $ctl = Canary::Ctl->new($t, split => "canary sliceB 5%;\n");
#     $t->start();
#     my $r = $ctl->run('set', '10%');     # status, out, err, json
#
#     new($t, %opts)       split    the split file's text; undef: there is none
#                          settings { key => value or undef }, over the usual
#                          http     more text in the http block
#                          upstream  more directives of the split
#     run(@args)           runs canaryctl; a hash of the exit status, standard
#                          output and error, and json: the output decoded
#     spawn(@args)         the same in the background: its pid, for finish($pid)
#                          and for output($pid), the name of its output's file
#     terminal("ROWS COLUMNS", @args)
#                          as spawn(), on a terminal of that size; undef where
#                          there is no script(1).  terminal_pid() is canaryctl's
#                          own pid then; terminal_size("ROWS COLUMNS") changes
#                          the size
#     env                  { NAME => value } for these commands
#     settings(%settings)  writes the settings file anew
#     split_file()         its path;  split() its text
#     leftovers()          names of other files beside it
#     break_config()       nginx -t fails from now on; mend_config() ends that
#     variant($user)       the upstream that answers a request of this user
#     generation()         in force, from status.json
#     state()              the split's object of status.json
#     log($name)           changes.log, or another log of JSON lines in the
#                          evidence folder: a list of its lines decoded
#     say(%fields)         from now on canaryctl is shown a status in which
#                          these fields of the split stand in place of nginx's
#                          own, those of "stage" one by one; none: nginx's own.
#                          settings() must have url => $ctl->said_url()
#
# Ports: 0 clients, status and control; 1 baseline "documents"; 2 canary
# "sliceB"; 3 canary "sliceC".

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class, $t, %opts) = @_;

    my $self = bless {t => $t, env => {}}, $class;
    my $dir = $t->dir();
    mkdir "$dir/$_" for qw(split extra evidence);

    if (!exists $opts{split} || defined $opts{split}) {
        $t->write('split/documents.split',
            exists $opts{split} ? $opts{split} : "canary sliceB 5%;\n");
    }

    my $http = $opts{http} || '';
    my $upstream = $opts{upstream} || '';
    $t->conf(<<"CONF");
    upstream sliceB { server 127.0.0.1:%%PORT2%%; }
    upstream sliceC { server 127.0.0.1:%%PORT3%%; }
    upstream documents {
        server 127.0.0.1:%%PORT1%%;
        include %%DIR%%/split/*.split;
        canary_key \$arg_user;
$upstream
    }
    server {
        listen 127.0.0.1:%%PORT0%%;
        location /         { proxy_pass http://documents; }
        location /canary/  { canary_status; }
        location /control/ { canary_control; }
    }
    include %%DIR%%/extra/*.conf;
$http
CONF
    $self->settings(%{$opts{settings} || {}});

    return $self;
}


sub settings {
    my ($self, %settings) = @_;

    my $t = $self->{t};
    my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
    my $at = '127.0.0.1:%%PORT0%%';
    my %all = (
        url => "http://$at/canary/",
        control_url => "http://$at/control/",
        upstream => 'documents',
        canary => 'sliceB',
        split_file => '%%DIR%%/split/documents.split',
        nginx => "$nginx -p %%DIR%% -e %%DIR%%/ctl.log -c %%DIR%%/nginx.conf",
        evidence_dir => '%%DIR%%/evidence',
        timeout => 20 * $t->slow(),
        %settings
    );

    $t->write('canaryctl.conf', join '',
        map { qq($_="$all{$_}"\n) } grep { defined $all{$_} } sort keys %all);
    return;
}


sub env {
    my ($self) = @_;

    return $self->{env};
}


sub run {
    my ($self, @args) = @_;

    return $self->finish($self->spawn(@args));
}


sub spawn {
    my ($self, @args) = @_;

    return $self->_start($self->_command(@args));
}


sub _command {
    my ($self, @args) = @_;

    my @conf =
        $self->{env}{CANARYCTL_CONF}
        ? ()
        : ('--conf', $self->{t}->dir() . '/canaryctl.conf');

    return ("$ROOT/scripts/canaryctl", @conf, @args);
}


sub _start {
    my ($self, @command) = @_;

    return $self->{t}->_start_program(
        sub {
            delete @ENV{grep { /^CANARYCTL_|^NO_COLOR$/ } keys %ENV};
            @ENV{keys %{$self->{env}}} = values %{$self->{env}};
            $self->{t}->_forget_leaks();
        },
        @command
    );
}


sub terminal {
    my ($self, $size, @args) = @_;

    my $script =
        (grep { -x } map { "$_/script" } CORE::split /:/, $ENV{PATH})[0];
    return undef if !$script;

    my ($rows, $columns) = CORE::split / /, $size;
    my $pid = $self->{t}->dir() . '/terminal.pid';
    unlink $pid;
    return $self->_start(
        $script,
        '-qefc',
        "stty rows $rows cols $columns; echo \$\$ >$pid; exec "
            . join(' ', map { "'$_'" } $self->_command(@args)),
        '/dev/null'
    );
}


sub terminal_pid {
    my ($self) = @_;

    my ($pid) = $self->{t}->read('terminal.pid') =~ /^(\d+)\n/;
    return $pid;
}


sub terminal_size {
    my ($self, $size) = @_;

    my ($rows, $columns) = CORE::split / /, $size;
    my $tty = '/proc/' . $self->terminal_pid() . '/fd/1';
    return system('stty', '-F', $tty, 'rows', $rows, 'cols', $columns) == 0;
}


# the file that its output goes to
sub output {
    my ($self, $pid) = @_;

    return "$self->{t}{outputs}{$pid}.out";
}


sub finish {
    my ($self, $pid) = @_;

    return $self->{t}->_end_of_program($pid, 60);
}


sub split_file {
    my ($self) = @_;

    return $self->{t}->dir() . '/split/documents.split';
}


sub split {
    my ($self) = @_;

    return $self->{t}->read($self->split_file());
}


sub leftovers {
    my ($self) = @_;

    opendir my $dir, $self->{t}->dir() . '/split' or die "split: $!\n";
    return sort grep { !/^(?:\.|\.\.|documents\.split)$/ } readdir $dir;
}


sub break_config {
    my ($self) = @_;

    $self->{t}->write('extra/broken.conf', "no_such_directive on;\n");
    return;
}


sub mend_config {
    my ($self) = @_;

    unlink $self->{t}->dir() . '/extra/broken.conf' or die "unlink: $!\n";
    return;
}


sub variant {
    my ($self, $user) = @_;

    return $self->{t}->get("/?user=$user")->{header}{"x-upstream"};
}


sub generation {
    my ($self) = @_;

    return $self->{t}->status()->{generation};
}


sub state {
    my ($self) = @_;

    return $self->{t}->status()->{splits}{documents};
}


sub log {
    my ($self, $name) = @_;

    $name ||= 'changes.log';
    return map { JSON::PP::decode_json($_) } CORE::split /\n/,
        $self->{t}->read("evidence/$name");
}


# What gates find takes time and traffic; what canaryctl makes of it does not.
sub said_url {
    my ($self) = @_;

    my $t = $self->{t};
    my $port = $t->port(6);
    $self->say();

    $t->http_upstream(
        $port,
        body => sub {
            my $status = $t->status();
            my $said = JSON::PP::decode_json($t->read('said.json'));
            my $split = $status->{splits}{documents};
            my $stage = {%{$split->{stage}}, %{$said->{stage} || {}}};
            %$split = (%$split, %$said, stage => $stage);
            return JSON::PP::encode_json($status);
        }
    );

    return "http://127.0.0.1:$port/";
}


sub say {
    my ($self, %fields) = @_;

    # replaced at once: it is read at any time
    my $file = $self->{t}->write('said.new', JSON::PP::encode_json(\%fields));
    rename $file, $self->{t}->dir() . '/said.json' or die "said.json: $!\n";
    return;
}


1;
