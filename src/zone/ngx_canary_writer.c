
#include "ngx_canary_writer_thread.h"

#include <ngx_event.h>

#include <sys/eventfd.h>


#define NGX_CANARY_WRITER_EXIT_S   1        /* for the threads, at exit */


static void ngx_canary_writer_init(void);
static void ngx_canary_writer_handler(ngx_event_t *ev);
static ngx_canary_job_t *ngx_canary_writer_waiting(ngx_canary_zone_t *zone,
    uint64_t key);
static ngx_canary_job_t *ngx_canary_writer_job(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep);
static ngx_int_t ngx_canary_writer_thread(void);


ngx_canary_writer_t  ngx_canary_writer;


static void
ngx_canary_writer_init(void)
{
    ngx_canary_writer_t *w = &ngx_canary_writer;

    if (w->ready) {
        return;
    }

    (void) pthread_mutex_init(&w->mutex, NULL);
    (void) pthread_cond_init(&w->cond, NULL);

    ngx_queue_init(&w->all);
    ngx_queue_init(&w->urgent);
    ngx_queue_init(&w->queued);
    ngx_queue_init(&w->renamed);
    ngx_queue_init(&w->done);

    w->event = -1;
    w->ready = 1;
}


void
ngx_canary_writer_start(ngx_cycle_t *cycle)
{
    int                fd;
    ngx_connection_t  *c;

    ngx_canary_writer_init();

    fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno, "eventfd() failed");
        return;
    }

    c = ngx_get_connection(fd, cycle->log);

    if (c == NULL) {
        (void) close(fd);
        return;
    }

    /* nginx takes a channel for no client, whatever it waits for */

    c->read->channel = 1;
    c->write->channel = 1;

    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_canary_writer_handler;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) != NGX_OK) {
        ngx_free_connection(c);
        (void) close(fd);
        return;
    }

    ngx_canary_writer.connection = c;
    ngx_canary_writer.event = fd;
}


static void
ngx_canary_writer_handler(ngx_event_t *ev)
{
    ssize_t            n;
    uint64_t           count;
    ngx_connection_t  *c;

    c = ev->data;

    do {
        n = read(c->fd, &count, sizeof(uint64_t));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    ngx_canary_writer_reap(ev->log);
}


ngx_uint_t
ngx_canary_writer_pending(ngx_canary_zone_t *zone)
{
    ngx_queue_t          *q;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    ngx_canary_writer_init();

    for (q = ngx_queue_head(&w->all);
         q != ngx_queue_sentinel(&w->all);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_canary_job_t, all);

        if (job->zone == zone) {
            return 1;
        }
    }

    return 0;
}


ngx_canary_job_t *
ngx_canary_writer_add(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_uint_t urgent)
{
    ngx_int_t             rc;
    ngx_canary_job_t     *job, *fresh;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    ngx_canary_writer_init();

    fresh = ngx_canary_writer_job(zone, keep);
    if (fresh == NULL) {
        return NULL;
    }

    (void) pthread_mutex_lock(&w->mutex);

    job = ngx_canary_writer_waiting(zone, keep->key);

    if (job) {
        ngx_queue_remove(&job->queue);
        w->nwaiting--;
        ngx_free(fresh);

    } else {
        job = fresh;
        ngx_queue_insert_tail(&w->all, &job->all);
    }

    ngx_canary_writer_queue(job, urgent || job->urgent);

    rc = ngx_canary_writer_thread();

    (void) pthread_mutex_unlock(&w->mutex);

    if (rc != NGX_OK) {
        (void) ngx_canary_writer_run(NULL);
    }

    return job;
}


/* what has not begun will hold all that is in force by now */

static ngx_canary_job_t *
ngx_canary_writer_waiting(ngx_canary_zone_t *zone, uint64_t key)
{
    ngx_queue_t          *q;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    for (q = ngx_queue_head(&w->all);
         q != ngx_queue_sentinel(&w->all);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_canary_job_t, all);

        if (job->zone == zone && job->keep.key == key && !job->begun) {
            return job;
        }
    }

    return NULL;
}


/* with strings of its own: the configuration may be gone before it is done */

static ngx_canary_job_t *
ngx_canary_writer_job(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep)
{
    u_char            *p;
    size_t             name;
    ngx_canary_job_t  *job;

    name = ngx_strlen(keep->name);

    job = ngx_calloc(sizeof(ngx_canary_job_t) + keep->split.len
                     + keep->path.len + keep->folder.len + keep->user.len
                     + 2 * (name + NGX_CANARY_KEEP_BESIDE) + 4,
                     ngx_cycle->log);
    if (job == NULL) {
        return NULL;
    }

    ngx_queue_init(&job->waits);

    job->zone = zone;
    ngx_canary_keep_self(&job->work.self);

    job->keep = *keep;
    job->keep.file = NULL;

    p = (u_char *) (job + 1);

    job->keep.split.data = p;
    p = ngx_sprintf(p, "%V%Z", &keep->split);

    job->keep.path.data = p;
    p = ngx_sprintf(p, "%V%Z", &keep->path);
    job->keep.name = p - 1 - name;

    job->keep.folder.data = p;
    p = ngx_sprintf(p, "%V%Z", &keep->folder);

    job->keep.user.data = p;
    p = ngx_sprintf(p, "%V%Z", &keep->user);

    job->keep.tmp = p;
    p = ngx_sprintf(p, "%s%Z", keep->tmp);

    job->keep.lock = p;
    (void) ngx_sprintf(p, "%s%Z", keep->lock);

    return job;
}


/* one more where it has something to do; NGX_ERROR if there is none at all */

static ngx_int_t
ngx_canary_writer_thread(void)
{
    int                   rc;
    sigset_t              all, old;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    if (w->idle >= w->nwaiting
        || (w->idle && w->nthreads >= NGX_CANARY_WRITER_DISK)
        || w->nthreads == NGX_CANARY_WRITER_THREADS)
    {
        (void) pthread_cond_signal(&w->cond);
        return NGX_OK;
    }

    /* signals are the main thread's */

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = pthread_create(&w->threads[w->nthreads], NULL, ngx_canary_writer_run,
                        &w->current[w->nthreads]);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (rc == 0) {
        w->nthreads++;
    }

    return w->nthreads ? NGX_OK : NGX_ERROR;
}


void
ngx_canary_writer_reap(ngx_log_t *log)
{
    ngx_queue_t          *q;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    ngx_canary_writer_init();

    for ( ;; ) {
        (void) pthread_mutex_lock(&w->mutex);

        job = NULL;

        if (!ngx_queue_empty(&w->done)) {
            q = ngx_queue_head(&w->done);
            ngx_queue_remove(q);
            job = ngx_queue_data(q, ngx_canary_job_t, queue);
        }

        (void) pthread_mutex_unlock(&w->mutex);

        if (job == NULL) {
            return;
        }

        ngx_queue_remove(&job->all);

        ngx_canary_keep_done(job, log);

        ngx_free(job);
    }
}


void
ngx_canary_writer_drain(ngx_msec_t wait_ms, ngx_log_t *log)
{
    uint64_t              until_us;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    until_us = ngx_canary_now_us() + (uint64_t) wait_ms * 1000;

    ngx_canary_writer_reap(log);

    while (!ngx_queue_empty(&w->all) && ngx_canary_now_us() < until_us) {
        ngx_msleep(1);
        ngx_canary_writer_reap(log);
    }
}


void
ngx_canary_writer_missed(ngx_log_t *log)
{
    ngx_queue_t          *q;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    for (q = ngx_queue_head(&w->all);
         q != ngx_queue_sentinel(&w->all);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_canary_job_t, all);

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "state file \"%V\" of split \"%V\" is not written while "
                      "nginx exits, the disk has not answered in time: the "
                      "next start knows nothing of the last seconds",
                      &job->keep.path, &job->keep.split);
    }
}


void
ngx_canary_writer_end(ngx_log_t *log)
{
    ngx_uint_t            i, n;
    ngx_queue_t          *q;
    struct timespec       until;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    ngx_canary_writer_init();

    (void) pthread_mutex_lock(&w->mutex);

    w->quit = 1;
    n = w->nthreads;

    (void) pthread_cond_broadcast(&w->cond);
    (void) pthread_mutex_unlock(&w->mutex);

    (void) clock_gettime(CLOCK_REALTIME, &until);

    until.tv_sec += NGX_CANARY_WRITER_EXIT_S;

    for (i = 0; i < n; i++) {
        if (pthread_timedjoin_np(w->threads[i], NULL, &until) != 0) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "a disk has not answered while nginx exits");
            break;
        }
    }

    /* a process without a master writes once more */

    if (i == n) {
        w->nthreads = 0;
        w->quit = 0;
    }

    ngx_canary_writer_reap(log);

    /* what has not begun stays: the same process may write once more */

    for (q = ngx_queue_head(&w->all);
         q != ngx_queue_sentinel(&w->all);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_canary_job_t, all);

        ngx_canary_store(&job->zone->keep.due_us, 0);

        while (!ngx_queue_empty(&job->waits)) {
            ngx_canary_keep_forget(ngx_queue_data(ngx_queue_head(&job->waits),
                                                  ngx_canary_keep_wait_t,
                                                  queue));
        }
    }

    if (w->connection) {
        ngx_close_connection(w->connection);
        w->connection = NULL;
    }
}
