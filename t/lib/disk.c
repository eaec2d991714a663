/*
 * A disk for the tests, put before the C library by LD_PRELOAD: what happens to
 * files below $DISK_FOLDER is ruled by files in $DISK_RULES:
 *
 *     hang    as long as it is there, no fsync() returns
 *     short   write() and read() take 100 bytes at most, and each other time a
 *             signal comes first
 *     fail    each line, CALL PATH ERRNO, a call that fails
 *     log     each call that works is added to it, CALL PATH
 *
 * CALL is "create" (an open that may create), "read", "write", "fsync",
 * "close", "chown", "rename" (by its new name) or "remove"; PATH is from $DISK_FOLDER on, where
 * it is "." itself.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static char  folder[PATH_MAX], rules[PATH_MAX];


__attribute__((constructor)) static void
disk_init(void)
{
    const char  *value;

    value = getenv("DISK_FOLDER");
    snprintf(folder, sizeof(folder), "%s", value ? value : "/nowhere");

    value = getenv("DISK_RULES");
    snprintf(rules, sizeof(rules), "%s", value ? value : "/nowhere");
}


/* a path below the folder from there on, or NULL */

static const char *
disk_below(const char *path)
{
    size_t  n;

    n = strlen(folder);

    if (strncmp(path, folder, n) != 0) {
        return NULL;
    }

    return path[n] == '/' ? path + n + 1 : path[n] == '\0' ? "." : NULL;
}


/* of what is open */

static const char *
disk_path(int fd, char *path)
{
    char     link[64];
    ssize_t  n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    n = readlink(link, path, PATH_MAX - 1);

    if (n <= 0) {
        return NULL;
    }

    path[n] = '\0';

    return disk_below(path);
}


/* of a name in an open folder */

static const char *
disk_name(int dir, const char *name, char *path)
{
    size_t  n;

    if (name[0] == '/') {
        return disk_below(name);
    }

    if (disk_path(dir, path) == NULL) {
        return NULL;
    }

    n = strlen(path);
    snprintf(path + n, PATH_MAX - n, "/%s", name);

    return disk_below(path);
}


static const char *
disk_rule(const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%.4000s/%s", rules, name);

    return access(path, F_OK) == 0 ? path : NULL;
}


static int
disk_fails(const char *what, const char *path)
{
    int    err, fails;
    FILE  *in;
    char   rule[PATH_MAX], call[16], name[256];

    if (path == NULL || disk_rule("fail", rule) == NULL) {
        return 0;
    }

    in = fopen(rule, "re");

    if (in == NULL) {
        return 0;
    }

    fails = 0;

    while (!fails && fscanf(in, "%15s %255s %d", call, name, &err) == 3) {
        fails = strcmp(call, what) == 0 && strcmp(name, path) == 0;
    }

    fclose(in);

    if (fails) {
        errno = err;
    }

    return fails;
}


static void
disk_log(const char *what, const char *path)
{
    int   fd, n, err;
    char  line[PATH_MAX + 64], log[PATH_MAX];

    err = errno;

    if (path && disk_rule("log", log)) {
        fd = open(log, O_WRONLY|O_APPEND|O_CLOEXEC);

        if (fd != -1) {
            n = snprintf(line, sizeof(line), "%s %s\n", what, path);

            if (write(fd, line, (size_t) n) != n) {
                abort();
            }

            close(fd);
        }
    }

    errno = err;
}


int
openat(int dir, const char *name, int flags, ...)
{
    int          (*next)(int, const char *, int, ...);
    int            fd;
    char           path[PATH_MAX];
    mode_t         mode;
    va_list        args;
    const char    *below;

    *(void **) &next = dlsym(RTLD_NEXT, "openat64");

    if (!(flags & O_CREAT)) {
        return next(dir, name, flags);
    }

    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);

    below = disk_name(dir, name, path);

    if (disk_fails("create", below)) {
        return -1;
    }

    fd = next(dir, name, flags, mode);

    if (fd != -1) {
        disk_log("create", below);
    }

    return fd;
}


/* as nginx calls it */
int openat64(int dir, const char *name, int flags, ...)
    __attribute__((alias("openat")));


int
fsync(int fd)
{
    int         (*next)(int);
    int           rc;
    char          path[PATH_MAX], rule[PATH_MAX];
    const char   *below;

    *(void **) &next = dlsym(RTLD_NEXT, "fsync");

    below = disk_path(fd, path);

    while (below && disk_rule("hang", rule)) {
        usleep(10000);
    }

    if (disk_fails("fsync", below)) {
        return -1;
    }

    rc = next(fd);

    if (rc == 0) {
        disk_log("fsync", below);
    }

    return rc;
}


/* 100 bytes at most, or -1 as a signal comes first */

static ssize_t
disk_short(const char *path, size_t n)
{
    char                   rule[PATH_MAX];
    static __thread int    interrupted;

    if (path == NULL || disk_rule("short", rule) == NULL) {
        return (ssize_t) n;
    }

    interrupted = !interrupted;

    if (interrupted) {
        errno = EINTR;
        return -1;
    }

    return n > 100 ? 100 : (ssize_t) n;
}


ssize_t
write(int fd, const void *buf, size_t n)
{
    ssize_t     (*next)(int, const void *, size_t);
    ssize_t       most, written;
    char          path[PATH_MAX];
    const char   *below;

    *(void **) &next = dlsym(RTLD_NEXT, "write");

    below = disk_path(fd, path);

    if (disk_fails("write", below)) {
        return -1;
    }

    most = disk_short(below, n);

    if (most == -1) {
        return -1;
    }

    written = next(fd, buf, (size_t) most);

    if (written != -1) {
        disk_log("write", below);
    }

    return written;
}


ssize_t
read(int fd, void *buf, size_t n)
{
    ssize_t     (*next)(int, void *, size_t);
    ssize_t       most;
    char          path[PATH_MAX];
    const char   *below;

    *(void **) &next = dlsym(RTLD_NEXT, "read");

    below = disk_path(fd, path);

    if (disk_fails("read", below)) {
        return -1;
    }

    most = disk_short(below, n);

    return most == -1 ? -1 : next(fd, buf, (size_t) most);
}


int
fchown(int fd, uid_t user, gid_t group)
{
    int         (*next)(int, uid_t, gid_t);
    char          path[PATH_MAX];

    *(void **) &next = dlsym(RTLD_NEXT, "fchown");

    return disk_fails("chown", disk_path(fd, path)) ? -1
                                                    : next(fd, user, group);
}


/* one that fails closes the file all the same */

int
close(int fd)
{
    int         (*next)(int);
    int           rc, fails;
    char          path[PATH_MAX];
    const char   *below;

    *(void **) &next = dlsym(RTLD_NEXT, "close");

    below = disk_path(fd, path);
    rc = next(fd);

    fails = rc == 0 && disk_fails("close", below);

    return fails ? -1 : rc;
}


int
renameat(int from, const char *old, int to, const char *new)
{
    int         (*next)(int, const char *, int, const char *);
    int           rc;
    char          path[PATH_MAX];
    const char   *below;

    *(void **) &next = dlsym(RTLD_NEXT, "renameat");

    below = disk_name(to, new, path);

    if (disk_fails("rename", below)) {
        return -1;
    }

    rc = next(from, old, to, new);

    if (rc == 0) {
        disk_log("rename", below);
    }

    return rc;
}


int
unlinkat(int dir, const char *name, int flags)
{
    int         (*next)(int, const char *, int);
    int           rc;
    char          path[PATH_MAX];
    const char   *below;

    *(void **) &next = dlsym(RTLD_NEXT, "unlinkat");

    below = disk_name(dir, name, path);

    if (disk_fails("remove", below)) {
        return -1;
    }

    rc = next(dir, name, flags);

    if (rc == 0) {
        disk_log("remove", below);
    }

    return rc;
}
