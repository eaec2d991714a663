
#include "ngx_canary_keep.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


/* an owner elsewhere that has not written for so long is gone */
#define NGX_CANARY_KEEP_GONE_US  15000000


static ngx_int_t ngx_canary_keep_owned(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_keep_work_t *work);
static ngx_uint_t ngx_canary_keep_alive(ngx_canary_zone_t *zone,
    ngx_canary_owner_t *self, ngx_canary_owner_t *owner);
static uint64_t ngx_canary_keep_put(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_keep_work_t *work);
static ngx_int_t ngx_canary_keep_take(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_keep_work_t *work,
    ngx_canary_saved_t *saved);


static uint64_t  ngx_canary_keep_here;


ngx_int_t
ngx_canary_keep_write(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_keep_work_t *work)
{
    int           lock;
    ngx_int_t     rc;
    struct stat   st;

    work->folder = -1;
    work->error = 0;

    if (ngx_canary_load(&zone->keep.key) != keep->key) {
        return NGX_DECLINED;
    }

    work->folder = ngx_canary_keep_folder(keep, &work->error);

    if (work->folder == -1) {
        return NGX_ERROR;
    }

    lock = ngx_canary_keep_lock(keep, work->folder, &work->error);

    if (lock == -1) {
        rc = (work->error == ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCK, 0))
             ? NGX_AGAIN : NGX_ERROR;

    } else {
        rc = ngx_canary_keep_owned(zone, keep, work);

        if (rc == NGX_OK) {
            work->error = ngx_canary_keep_put(zone, keep, work);
            rc = work->error ? NGX_ERROR : NGX_OK;
        }

        (void) close(lock);
    }

    if (rc == NGX_OK && fstat(work->folder, &st) == 0) {
        work->device = st.st_dev;
        work->inode = st.st_ino;
        return NGX_OK;
    }

    (void) close(work->folder);
    work->folder = -1;

    return rc;
}


void
ngx_canary_keep_sync(ngx_canary_keep_work_t *work)
{
    if (fsync(work->folder) == -1) {
        work->error = ngx_canary_keep_failed(NGX_CANARY_KEEP_SYNC, ngx_errno);
    }

    (void) close(work->folder);
    work->folder = -1;
}


/*
 * While a binary is upgraded two masters run, and the younger one's state is
 * the one to keep; unless it is given up.
 */

static ngx_int_t
ngx_canary_keep_owned(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_keep_work_t *work)
{
    uint64_t             own;
    ngx_canary_owner_t   owner, *self;

    /* once more, with the lock: no older configuration writes from now on */

    if (ngx_canary_load(&zone->keep.key) != keep->key) {
        return NGX_DECLINED;
    }

    own = ngx_canary_load(&zone->keep.run);
    self = &work->self;

    if (ngx_canary_keep_owner(keep, work->folder, &owner) != NGX_OK
        || owner.run < own
        || (owner.pid == self->pid && owner.place == self->place))
    {
        return NGX_OK;
    }

    if (ngx_canary_keep_alive(zone, self, &owner)) {
        work->error = ngx_canary_keep_failed(NGX_CANARY_KEEP_OWNER, 0);
        return NGX_ERROR;
    }

    ngx_canary_raise(&zone->keep.run, owner.run + 1);

    return NGX_OK;
}


/*
 * A process id says something only where it was given out.  Of an owner in
 * another container or on another machine it is seen whether it writes.
 */

static ngx_uint_t
ngx_canary_keep_alive(ngx_canary_zone_t *zone, ngx_canary_owner_t *self,
    ngx_canary_owner_t *owner)
{
    uint64_t  now_us;

    if (owner->place == self->place || owner->place == 0) {
        return owner->pid && owner->pid <= INT32_MAX
               && (kill((pid_t) owner->pid, 0) == 0 || ngx_errno == NGX_EPERM);
    }

    now_us = ngx_canary_now_us();

    if (ngx_canary_load(&zone->keep.seen_ns) != owner->changed_ns) {
        ngx_canary_store(&zone->keep.seen_us, now_us);
        ngx_canary_store(&zone->keep.seen_ns, owner->changed_ns);
    }

    return now_us - ngx_canary_load(&zone->keep.seen_us)
           < NGX_CANARY_KEEP_GONE_US;
}


static uint64_t
ngx_canary_keep_put(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_keep_work_t *work)
{
    size_t               len;
    u_char              *data;
    uint64_t             error;
    ngx_canary_saved_t  *saved;

    error = ngx_canary_keep_failed(NGX_CANARY_KEEP_MEMORY, NGX_ENOMEM);

    saved = ngx_canary_keep_alloc(sizeof(ngx_canary_saved_t));
    if (saved == NULL) {
        return error;
    }

    if (ngx_canary_keep_take(zone, keep, work, saved) == NGX_OK) {
        len = ngx_canary_state_encode(saved, NULL, 0);
        data = len ? ngx_canary_keep_alloc(len) : NULL;

        if (len == 0
            || (data && ngx_canary_state_encode(saved, data, len) != len))
        {
            error = ngx_canary_keep_failed(NGX_CANARY_KEEP_ENCODE, 0);

        } else if (data) {
            error = ngx_canary_keep_replace(keep, work->folder, data, len);
        }

        ngx_canary_keep_free(data, len);
    }

    ngx_canary_keep_free(saved->events,
                         saved->nevents * sizeof(ngx_canary_saved_event_t));
    ngx_canary_keep_free(saved->history, sizeof(ngx_canary_saved_history_t));
    ngx_canary_keep_free(saved, sizeof(ngx_canary_saved_t));

    return error;
}


static ngx_int_t
ngx_canary_keep_take(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_keep_work_t *work, ngx_canary_saved_t *saved)
{
    uint64_t         base;
    struct timespec  now;

    (void) clock_gettime(CLOCK_REALTIME, &now);

    work->taken_ms = (uint64_t) now.tv_sec * 1000
                     + (uint64_t) now.tv_nsec / 1000000;
    work->taken_us = ngx_canary_now_us();

    saved->owner = work->self.pid;
    saved->place = work->self.place;
    saved->saved_ms = work->taken_ms;
    saved->split.len = keep->split.len;
    ngx_memcpy(saved->split.data, keep->split.data, keep->split.len);

    ngx_canary_saved_take(zone, saved);

    saved->history = ngx_canary_keep_alloc(sizeof(ngx_canary_saved_history_t));
    if (saved->history == NULL) {
        return NGX_ERROR;
    }

    ngx_canary_saved_history(keep->history, saved->history);

    if (keep->events == NULL) {
        return NGX_OK;
    }

    base = ngx_canary_base_at(ngx_canary_load(&zone->published));

    return ngx_canary_saved_events_take(keep->events, base, saved);
}


void
ngx_canary_keep_self(ngx_canary_owner_t *self)
{
    self->pid = (uint64_t) (ngx_process == NGX_PROCESS_WORKER ? ngx_parent
                                                              : ngx_pid);
    self->place = ngx_canary_keep_here;
}


void
ngx_canary_keep_place(void)
{
    int           fd;
    ssize_t       n;
    struct stat   st;
    struct {
        uint64_t  inode;
        u_char    boot[64];
    } place;

    if (stat("/proc/self/ns/pid", &st) == -1) {
        return;
    }

    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    ngx_memzero(&place, sizeof(place));

    n = read(fd, place.boot, sizeof(place.boot));

    (void) close(fd);

    if (n > 0) {
        place.inode = st.st_ino;
        ngx_canary_keep_here = XXH3_64bits(&place, sizeof(place)) | 1;
    }
}


/*
 * Not from the heap: it would keep what a state takes, and with it each worker
 * that is forked later.
 */

void *
ngx_canary_keep_alloc(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1,
             0);

    return p == MAP_FAILED ? NULL : p;
}


void
ngx_canary_keep_free(void *p, size_t size)
{
    if (p) {
        (void) munmap(p, size);
    }
}
