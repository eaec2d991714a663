/*
 * A disk for the tests, put before the C library by LD_PRELOAD: what happens to
 * files below $DISK_FOLDER is ruled by files in $DISK_RULES:
 *
 *     hang    as long as it is there, no fsync() returns
 *     short   write() takes 100 bytes at most, and each other time a signal
 *             comes first
 *     full    write() finds no room
 *     log     each fsync() and rename is added to it, by name
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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


/* the path of what is open, or NULL if it is not in the folder */

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

    return strncmp(path, folder, strlen(folder)) == 0 ? path : NULL;
}


static const char *
disk_rule(const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%.4000s/%s", rules, name);

    return access(path, F_OK) == 0 ? path : NULL;
}


static void
disk_log(const char *what, const char *path)
{
    int   fd, n;
    char  line[PATH_MAX + 64], log[PATH_MAX];

    if (disk_rule("log", log) == NULL) {
        return;
    }

    fd = open(log, O_WRONLY|O_APPEND|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    n = snprintf(line, sizeof(line), "%s %s\n", what, path);

    if (write(fd, line, (size_t) n) != n) {
        abort();
    }

    close(fd);
}


int
fsync(int fd)
{
    int  (*next)(int);
    char   path[PATH_MAX], rule[PATH_MAX];

    *(void **) &next = dlsym(RTLD_NEXT, "fsync");

    if (disk_path(fd, path) == NULL) {
        return next(fd);
    }

    while (disk_rule("hang", rule)) {
        usleep(10000);
    }

    disk_log("fsync", path);

    return next(fd);
}


ssize_t
write(int fd, const void *buf, size_t n)
{
    ssize_t      (*next)(int, const void *, size_t);
    char           path[PATH_MAX], rule[PATH_MAX];
    static __thread int  interrupted;

    *(void **) &next = dlsym(RTLD_NEXT, "write");

    if (disk_path(fd, path) == NULL) {
        return next(fd, buf, n);
    }

    if (disk_rule("full", rule)) {
        errno = ENOSPC;
        return -1;
    }

    if (disk_rule("short", rule)) {
        interrupted = !interrupted;

        if (interrupted) {
            errno = EINTR;
            return -1;
        }

        n = n > 100 ? 100 : n;
    }

    return next(fd, buf, n);
}


int
renameat(int from, const char *old, int to, const char *new)
{
    int  (*next)(int, const char *, int, const char *);
    int    rc;
    char   path[PATH_MAX];

    *(void **) &next = dlsym(RTLD_NEXT, "renameat");

    rc = next(from, old, to, new);

    if (rc == 0 && disk_path(to, path)) {
        disk_log("rename", new);
    }

    return rc;
}
