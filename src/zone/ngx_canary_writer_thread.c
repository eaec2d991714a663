
/*
 * What runs in threads: nothing of nginx, but for its queues, which are macros.
 */

#include "ngx_canary_writer_thread.h"


#define NGX_CANARY_WRITER_ROUND    64       /* files to one fsync of a folder */
#define NGX_CANARY_WRITER_LOCK_US  4000000  /* for the lock of a file */
#define NGX_CANARY_WRITER_POLL_NS  2000000


static ngx_uint_t ngx_canary_writer_turn(ngx_canary_job_t **current);
static ngx_canary_job_t *ngx_canary_writer_next(ngx_queue_t *queue);
static ngx_uint_t ngx_canary_writer_free(ngx_canary_job_t *job);
static void ngx_canary_writer_write(ngx_canary_job_t *job,
    ngx_canary_job_t **current);
static void ngx_canary_writer_sync(ngx_canary_job_t **current);
static void ngx_canary_writer_tell(void);


void
ngx_canary_writer_queue(ngx_canary_job_t *job, ngx_uint_t urgent)
{
    ngx_canary_writer_t *w = &ngx_canary_writer;

    if (urgent && !job->urgent) {
        job->urgent = 1;
        job->until_us = ngx_canary_now_us() + NGX_CANARY_WRITER_LOCK_US;
    }

    ngx_queue_insert_tail(urgent ? &w->urgent : &w->queued, &job->queue);
    w->nwaiting++;
}


void *
ngx_canary_writer_run(void *data)
{
    ngx_canary_job_t     *current;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    current = NULL;

    (void) pthread_mutex_lock(&w->mutex);

    for ( ;; ) {

        if (ngx_canary_writer_turn(data ? data : &current)) {
            continue;
        }

        if (data == NULL || w->quit) {
            break;
        }

        w->idle++;
        (void) pthread_cond_wait(&w->cond, &w->mutex);
        w->idle--;
    }

    (void) pthread_mutex_unlock(&w->mutex);

    return NULL;
}


/* what follows is called with the mutex held, and returns with it */

static ngx_uint_t
ngx_canary_writer_turn(ngx_canary_job_t **current)
{
    ngx_uint_t            urgent;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    job = w->quit ? NULL : ngx_canary_writer_next(&w->urgent);

    if (job == NULL && !w->quit) {
        job = ngx_canary_writer_next(&w->queued);
    }

    urgent = 0;

    if (job) {
        urgent = job->urgent;
        ngx_canary_writer_write(job, current);
    }

    if (w->nrenamed
        && (job == NULL || urgent || w->nrenamed >= NGX_CANARY_WRITER_ROUND))
    {
        ngx_canary_writer_sync(current);
        return 1;
    }

    return job != NULL;
}


static ngx_canary_job_t *
ngx_canary_writer_next(ngx_queue_t *queue)
{
    ngx_queue_t          *q;
    ngx_canary_job_t     *job;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    for (q = ngx_queue_head(queue);
         q != ngx_queue_sentinel(queue);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_canary_job_t, queue);

        if (ngx_canary_writer_free(job)) {
            ngx_queue_remove(q);
            w->nwaiting--;
            return job;
        }
    }

    return NULL;
}


/* nobody is at its file, and too few to matter are at its disk */

static ngx_uint_t
ngx_canary_writer_free(ngx_canary_job_t *job)
{
    ngx_uint_t            i, n;
    ngx_canary_job_t     *other;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    n = 0;

    for (i = 0; i < w->nthreads; i++) {
        other = w->current[i];

        if (other == NULL) {
            continue;
        }

        if (other->zone == job->zone) {
            return 0;
        }

        if (other->keep.device == job->keep.device) {
            n++;
        }
    }

    return n < NGX_CANARY_WRITER_DISK;
}


static void
ngx_canary_writer_write(ngx_canary_job_t *job, ngx_canary_job_t **current)
{
    struct timespec       pause;
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    *current = job;
    job->begun = 1;

    (void) pthread_mutex_unlock(&w->mutex);

    job->rc = ngx_canary_keep_write(job->zone, &job->keep, &job->work);

    if (job->rc == NGX_AGAIN && job->urgent) {
        pause.tv_sec = 0;
        pause.tv_nsec = NGX_CANARY_WRITER_POLL_NS;
        (void) nanosleep(&pause, NULL);
    }

    (void) pthread_mutex_lock(&w->mutex);

    *current = NULL;

    /* what waits for the disk as well may begin */

    (void) pthread_cond_signal(&w->cond);

    if (job->rc == NGX_OK) {
        ngx_queue_insert_tail(&w->renamed, &job->queue);
        w->nrenamed++;
        return;
    }

    if (job->rc == NGX_AGAIN && job->urgent && !w->quit
        && ngx_canary_now_us() < job->until_us)
    {
        job->begun = 0;
        ngx_canary_writer_queue(job, 1);
        return;
    }

    ngx_queue_insert_tail(&w->done, &job->queue);
    ngx_canary_writer_tell();
}


/* one fsync of a folder makes all that was renamed in it last */

static void
ngx_canary_writer_sync(ngx_canary_job_t **current)
{
    ngx_uint_t            i, n;
    ngx_queue_t          *q;
    ngx_canary_job_t     *job, *first;
    ngx_canary_job_t     *round[NGX_CANARY_WRITER_ROUND];
    ngx_canary_writer_t  *w = &ngx_canary_writer;

    q = ngx_queue_head(&w->renamed);
    first = ngx_queue_data(q, ngx_canary_job_t, queue);
    n = 0;

    while (q != ngx_queue_sentinel(&w->renamed)
           && n < NGX_CANARY_WRITER_ROUND)
    {
        job = ngx_queue_data(q, ngx_canary_job_t, queue);
        q = ngx_queue_next(q);

        if (job->work.device == first->work.device
            && job->work.inode == first->work.inode)
        {
            round[n++] = job;
            ngx_queue_remove(&job->queue);
            w->nrenamed--;
        }
    }

    *current = first;

    (void) pthread_mutex_unlock(&w->mutex);

    ngx_canary_keep_sync(&first->work);

    for (i = 1; i < n; i++) {
        (void) close(round[i]->work.folder);
        round[i]->work.folder = -1;
        round[i]->work.error = first->work.error;
    }

    (void) pthread_mutex_lock(&w->mutex);

    *current = NULL;

    for (i = 0; i < n; i++) {
        round[i]->rc = round[i]->work.error ? NGX_ERROR : NGX_OK;
        ngx_queue_insert_tail(&w->done, &round[i]->queue);
    }

    (void) pthread_cond_signal(&w->cond);

    ngx_canary_writer_tell();
}


static void
ngx_canary_writer_tell(void)
{
    ssize_t   n;
    uint64_t  one;

    if (ngx_canary_writer.event == -1) {
        return;
    }

    one = 1;

    do {
        n = write(ngx_canary_writer.event, &one, sizeof(uint64_t));
    } while (n == -1 && ngx_errno == NGX_EINTR);
}
