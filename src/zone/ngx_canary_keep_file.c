
#include "ngx_canary_keep.h"

#include <sys/file.h>


#define NGX_CANARY_KEEP_ASIDES   100    /* files kept aside */
#define NGX_CANARY_KEEP_POLL_MS  2


static ngx_int_t ngx_canary_keep_load(int fd, u_char **data, size_t *len,
    u_char *error);
static ngx_int_t ngx_canary_keep_name(ngx_canary_keep_conf_t *keep,
    u_char *path);


static const char  *ngx_canary_keep_steps[] = {
    "",
    "the folder cannot be opened",
    "the folder is locked by another process",
    "the file belongs to another nginx that is running",
    "there is no memory",
    "the state cannot be encoded",
    "no file can be created in the folder",
    "the file cannot be written",
    "the file cannot be synced to the disk",
    "the file cannot be renamed",
    "the folder cannot be written to",
    "a file that cannot be trusted cannot be kept aside"
};


void
ngx_canary_keep_text(uint64_t error, u_char *text)
{
    u_char      *p, *last;
    uint64_t     step;
    ngx_err_t    err;

    step = error >> 32;
    err = ngx_canary_keep_errno(error);

    last = text + NGX_CANARY_KEEP_ERROR - 1;

    if (step >= sizeof(ngx_canary_keep_steps) / sizeof(char *)) {
        step = 0;
    }

    p = ngx_slprintf(text, last, "%s", ngx_canary_keep_steps[step]);

    if (err) {
        p = ngx_slprintf(p, last, ": ");
        p = ngx_strerror(err, p, last - p);
    }

    *p = '\0';
}


int
ngx_canary_keep_lock(ngx_canary_keep_conf_t *keep, ngx_msec_t wait_ms,
    uint64_t *error)
{
    int         fd;
    ngx_err_t   err;
    ngx_msec_t  waited;

    fd = open((char *) keep->folder.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_FOLDER, ngx_errno);
        return -1;
    }

    for (waited = 0; /* void */ ; waited += NGX_CANARY_KEEP_POLL_MS) {

        if (flock(fd, LOCK_EX|LOCK_NB) == 0) {
            return fd;
        }

        err = ngx_errno;

        if ((err != EWOULDBLOCK && err != EINTR) || waited >= wait_ms) {
            break;
        }

        ngx_msleep(NGX_CANARY_KEEP_POLL_MS);
    }

    (void) close(fd);

    *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCK,
                                    err == EWOULDBLOCK ? 0 : err);
    return -1;
}


uint64_t
ngx_canary_keep_replace(int folder, const char *name, const char *tmp,
    const u_char *data, size_t len, ngx_uint_t other, ngx_uid_t uid,
    ngx_gid_t gid)
{
    int       fd;
    ssize_t   n;
    uint64_t  error;

    /* of one that was killed over it */

    (void) unlinkat(folder, tmp, 0);

    fd = openat(folder, tmp, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                0600);

    if (fd == -1) {
        return ngx_canary_keep_failed(NGX_CANARY_KEEP_CREATE, ngx_errno);
    }

    error = 0;

    while (len && error == 0) {
        n = write(fd, data, len);

        if (n > 0) {
            data += n;
            len -= n;

        } else if (n == 0 || ngx_errno != NGX_EINTR) {
            error = ngx_canary_keep_failed(NGX_CANARY_KEEP_WRITE,
                                           n == 0 ? NGX_ENOSPC : ngx_errno);
        }
    }

    /* where it is not replaced in time, others must be able to */

    if (error == 0 && other && fchown(fd, uid, gid) == -1) {
        error = ngx_canary_keep_failed(NGX_CANARY_KEEP_CREATE, ngx_errno);
    }

    if (error == 0 && fsync(fd) == -1) {
        error = ngx_canary_keep_failed(NGX_CANARY_KEEP_SYNC, ngx_errno);
    }

    if (close(fd) == -1 && error == 0) {
        error = ngx_canary_keep_failed(NGX_CANARY_KEEP_SYNC, ngx_errno);
    }

    if (error == 0 && renameat(folder, tmp, folder, name) == -1) {
        error = ngx_canary_keep_failed(NGX_CANARY_KEEP_RENAME, ngx_errno);
    }

    if (error) {
        (void) unlinkat(folder, tmp, 0);
        return error;
    }

    if (fsync(folder) == -1) {
        return ngx_canary_keep_failed(NGX_CANARY_KEEP_SYNC, ngx_errno);
    }

    return 0;
}


ngx_int_t
ngx_canary_keep_owner(int folder, const char *name, uint64_t *run,
    uint64_t *owner)
{
    int              fd;
    u_char           header[NGX_CANARY_STATE_HEADER];
    ssize_t          n;
    struct stat      st;

    fd = openat(folder, name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return NGX_DECLINED;
    }

    n = -1;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        n = read(fd, header, sizeof(header));
    }

    (void) close(fd);

    if (n != (ssize_t) sizeof(header)
        || ngx_canary_state_owner(header, run, owner) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_canary_keep_read(ngx_canary_keep_conf_t *keep, ngx_canary_saved_t *saved,
    u_char *error)
{
    int          fd;
    size_t       len;
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

    rc = ngx_canary_keep_load(fd, &data, &len, error);

    (void) close(fd);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_canary_state_decode(saved, data, len, (char *) error);

    ngx_free(data);

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
ngx_canary_keep_load(int fd, u_char **data, size_t *len, u_char *error)
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

    p = malloc(size + 1);
    if (p == NULL) {
        (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                            "there is no memory to read it%Z");
        return NGX_ERROR;
    }

    for (*len = 0; *len < size; *len += n) {
        n = read(fd, p + *len, size - *len);

        if (n == -1) {
            (void) ngx_snprintf(error, NGX_CANARY_KEEP_ERROR,
                                "it cannot be read (%s)%Z",
                                strerror(ngx_errno));
            free(p);
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }
    }

    *data = p;

    return NGX_OK;
}


ngx_int_t
ngx_canary_keep_aside(ngx_canary_keep_conf_t *keep, u_char *path)
{
    u_char  *file;

    file = keep->path.data;

    if (ngx_canary_keep_name(keep, path) != NGX_OK) {
        return NGX_ERROR;
    }

    /* two names: at no time is there no file, which would be a fresh start */

    if (linkat(AT_FDCWD, (char *) file, AT_FDCWD, (char *) path, 0) == 0) {
        return NGX_OK;
    }

    return rename((char *) file, (char *) path) == 0 ? NGX_OK : NGX_ERROR;
}


/* the first name that is free */

static ngx_int_t
ngx_canary_keep_name(ngx_canary_keep_conf_t *keep, u_char *path)
{
    ngx_uint_t   n;
    struct stat  st;

    (void) ngx_snprintf(path, NGX_MAX_PATH, "%V.bad%Z", &keep->path);

    for (n = 1; n <= NGX_CANARY_KEEP_ASIDES; n++) {

        if (lstat((char *) path, &st) == -1) {
            return ngx_errno == NGX_ENOENT ? NGX_OK : NGX_ERROR;
        }

        (void) ngx_snprintf(path, NGX_MAX_PATH, "%V.bad.%ui%Z", &keep->path,
                            n);
    }

    ngx_set_errno(NGX_EEXIST);

    return NGX_ERROR;
}
