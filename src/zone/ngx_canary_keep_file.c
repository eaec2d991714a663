
#include "ngx_canary_keep.h"

#include <sys/file.h>


#define NGX_CANARY_KEEP_ASIDES  100     /* files kept aside */


static uint64_t ngx_canary_keep_fill(ngx_canary_keep_conf_t *keep, int fd,
    const u_char *data, size_t len);
static ngx_int_t ngx_canary_keep_load(int fd, u_char **data, size_t *len,
    size_t *room, u_char *error);
static ngx_int_t ngx_canary_keep_name(ngx_canary_keep_conf_t *keep,
    int folder, u_char *path);


/*
 * A worker's user may put another folder in the place of its own; root does
 * not follow.
 */

int
ngx_canary_keep_folder(ngx_canary_keep_conf_t *keep, uint64_t *error)
{
    int          fd;
    struct stat  st;

    fd = open((char *) keep->folder.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_FOLDER, ngx_errno);
        return -1;
    }

    if (geteuid() != 0 || !keep->other) {
        return fd;
    }

    if (fstat(fd, &st) == 0
        && st.st_dev == keep->device
        && st.st_ino == keep->inode)
    {
        return fd;
    }

    (void) close(fd);

    *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_MOVED, 0);

    return -1;
}


/*
 * Nobody else may open the lock file, so nobody else can hold the lock.  It is
 * given away by who has made it, and by nobody else: what a worker's user has
 * put there may be a file of root with a second name.
 */

int
ngx_canary_keep_lock(ngx_canary_keep_conf_t *keep, int folder,
    uint64_t *error)
{
    int         fd, tries;
    char       *name;
    ngx_err_t   err;

    name = (char *) keep->lock;
    fd = -1;

    for (tries = 0; fd == -1 && tries < 3; tries++) {
        fd = openat(folder, name,
                    O_RDONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

        if (fd != -1) {

            if (geteuid() == 0 && keep->other
                && fchown(fd, keep->uid, keep->gid) == -1)
            {
                *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCKFILE,
                                                ngx_errno);
                (void) close(fd);
                return -1;
            }

            break;
        }

        err = ngx_errno;
        fd = openat(folder, name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

        /* there is none, so it is why none can be made that tells more */

        if (fd == -1 && ngx_errno == NGX_ENOENT && err != NGX_EEXIST) {
            ngx_set_errno(err);
            break;
        }

        /* of a user that nginx ran as before */

        if (fd == -1 && ngx_errno == NGX_EACCES
            && unlinkat(folder, name, 0) == -1)
        {
            break;
        }
    }

    if (fd == -1) {
        *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCKFILE, ngx_errno);
        return -1;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == 0) {
        return fd;
    }

    err = ngx_errno;

    (void) close(fd);

    *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCK,
                                    (err == EWOULDBLOCK || err == NGX_EINTR)
                                    ? 0 : err);
    return -1;
}


uint64_t
ngx_canary_keep_replace(ngx_canary_keep_conf_t *keep, int folder,
    const u_char *data, size_t len)
{
    int       fd;
    char     *tmp;
    uint64_t  error;

    tmp = (char *) keep->tmp;

    /* of one that was killed over it */

    (void) unlinkat(folder, tmp, 0);

    fd = openat(folder, tmp, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                0600);

    if (fd == -1) {
        return ngx_canary_keep_failed(NGX_CANARY_KEEP_CREATE, ngx_errno);
    }

    error = ngx_canary_keep_fill(keep, fd, data, len);

    if (close(fd) == -1 && error == 0) {
        error = ngx_canary_keep_failed(NGX_CANARY_KEEP_SYNC, ngx_errno);
    }

    if (error == 0
        && renameat(folder, tmp, folder, (char *) keep->name) == -1)
    {
        error = ngx_canary_keep_failed(NGX_CANARY_KEEP_RENAME, ngx_errno);
    }

    if (error) {
        (void) unlinkat(folder, tmp, 0);
    }

    return error;
}


static uint64_t
ngx_canary_keep_fill(ngx_canary_keep_conf_t *keep, int fd, const u_char *data,
    size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, data, len);

        if (n > 0) {
            data += n;
            len -= n;

        } else if (n == 0 || ngx_errno != NGX_EINTR) {
            return ngx_canary_keep_failed(NGX_CANARY_KEEP_WRITE,
                                          n == 0 ? NGX_ENOSPC : ngx_errno);
        }
    }

    /* where it is not replaced in time, others must be able to */

    if (geteuid() == 0 && keep->other
        && fchown(fd, keep->uid, keep->gid) == -1)
    {
        return ngx_canary_keep_failed(NGX_CANARY_KEEP_CREATE, ngx_errno);
    }

    if (fsync(fd) == -1) {
        return ngx_canary_keep_failed(NGX_CANARY_KEEP_SYNC, ngx_errno);
    }

    return 0;
}


ngx_int_t
ngx_canary_keep_owner(ngx_canary_keep_conf_t *keep, int folder,
    ngx_canary_owner_t *owner)
{
    int              fd;
    u_char           header[NGX_CANARY_STATE_HEADER];
    ssize_t          n;
    struct stat      st;

    fd = openat(folder, (char *) keep->name,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return NGX_DECLINED;
    }

    n = -1;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        n = read(fd, header, sizeof(header));
    }

    (void) close(fd);

    if (n != (ssize_t) sizeof(header)
        || ngx_canary_state_owner(header, &owner->run, &owner->pid,
                                  &owner->place)
           != 0)
    {
        return NGX_DECLINED;
    }

    owner->changed_ns = (uint64_t) st.st_mtim.tv_sec * 1000000000
                        + (uint64_t) st.st_mtim.tv_nsec;

    return NGX_OK;
}


ngx_int_t
ngx_canary_keep_read(ngx_canary_keep_conf_t *keep, ngx_canary_saved_t *saved,
    u_char *error)
{
    int          fd;
    size_t       len, room;
    u_char      *data;
    ngx_err_t    err;
    ngx_int_t    rc;

    fd = open((char *) keep->path.data,
              O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY|O_CLOEXEC);

    if (fd == -1) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        if (err == NGX_ELOOP) {
            (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                                "it is a symbolic link%Z");

        } else {
            (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                                "it cannot be opened (%s)%Z", strerror(err));
        }

        return NGX_ERROR;
    }

    rc = ngx_canary_keep_load(fd, &data, &len, &room, error);

    (void) close(fd);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_canary_state_decode(saved, data, len, (char *) error);

    ngx_canary_keep_free(data, room);

    if (rc != 0) {
        return NGX_ERROR;
    }

    if (saved->split.len != keep->split.len
        || ngx_memcmp(saved->split.data, keep->split.data, keep->split.len)
           != 0)
    {
        (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR - 1,
                            "it is that of another split, \"%*s\"%Z",
                            (size_t) saved->split.len, saved->split.data);
        error[NGX_CANARY_KEEP_ERROR - 1] = '\0';
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* nothing is read of what is larger than any state */

static ngx_int_t
ngx_canary_keep_load(int fd, u_char **data, size_t *len, size_t *room,
    u_char *error)
{
    size_t        size;
    u_char       *p;
    ssize_t       n;
    struct stat   st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                            "it is no regular file%Z");
        return NGX_ERROR;
    }

    if (st.st_size > NGX_CANARY_STATE_MAX) {
        (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                            "it is too large with %O bytes%Z", st.st_size);
        return NGX_ERROR;
    }

    size = (size_t) st.st_size;

    p = ngx_canary_keep_alloc(size + 1);
    if (p == NULL) {
        (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                            "there is no memory to read it%Z");
        return NGX_ERROR;
    }

    for (*len = 0; *len < size; *len += n) {
        n = read(fd, p + *len, size - *len);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                                "it cannot be read (%s)%Z",
                                strerror(ngx_errno));
            ngx_canary_keep_free(p, size + 1);
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }
    }

    *data = p;
    *room = size + 1;

    return NGX_OK;
}


ngx_int_t
ngx_canary_keep_aside(ngx_canary_keep_conf_t *keep, u_char *path)
{
    int          folder;
    char        *file, *aside;
    uint64_t     error;
    ngx_err_t    err;
    ngx_int_t    rc;

    folder = ngx_canary_keep_folder(keep, &error);

    if (folder == -1) {
        ngx_set_errno(ngx_canary_keep_errno(error));
        return NGX_ERROR;
    }

    file = (char *) keep->name;
    aside = (char *) path + (keep->name - keep->path.data);

    rc = ngx_canary_keep_name(keep, folder, path);

    /* two names: at no time is there no file, which would be a fresh start */

    if (rc == NGX_DECLINED) {
        rc = (linkat(folder, file, folder, aside, 0) == -1
              && renameat(folder, file, folder, aside) == -1)
             ? NGX_ERROR : NGX_OK;
    }

    err = ngx_errno;

    (void) close(folder);

    ngx_set_errno(err);

    return rc;
}


/*
 * NGX_OK and the name that the file has from a start before, which could write
 * nothing in its place; or NGX_DECLINED and the first name that is free.
 */

static ngx_int_t
ngx_canary_keep_name(ngx_canary_keep_conf_t *keep, int folder, u_char *path)
{
    char         *aside;
    ngx_uint_t    n;
    struct stat   st, file;

    aside = (char *) path + (keep->name - keep->path.data);

    if (fstatat(folder, (char *) keep->name, &file, AT_SYMLINK_NOFOLLOW)
        == -1)
    {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(path, NGX_MAX_PATH, "%V.bad%Z", &keep->path);

    for (n = 1; n <= NGX_CANARY_KEEP_ASIDES; n++) {

        if (fstatat(folder, aside, &st, AT_SYMLINK_NOFOLLOW) == -1) {
            return ngx_errno == NGX_ENOENT ? NGX_DECLINED : NGX_ERROR;
        }

        if (st.st_ino == file.st_ino && st.st_dev == file.st_dev) {
            return NGX_OK;
        }

        (void) ngx_snprintf(path, NGX_MAX_PATH, "%V.bad.%ui%Z", &keep->path,
                            n);
    }

    ngx_set_errno(NGX_EEXIST);

    return NGX_ERROR;
}
