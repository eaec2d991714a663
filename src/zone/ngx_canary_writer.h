/*
 * The threads of a process that write its state files.
 *
 * A thread is started when there is something to write and all others are
 * busy; several at once share the commits of a journaling file system.  Of one
 * disk no more than a few wait, so that one that hangs holds up no other.  The
 * main thread is told by an eventfd what is done.
 */

#ifndef NGX_CANARY_WRITER_H_INCLUDED
#define NGX_CANARY_WRITER_H_INCLUDED


#include "ngx_canary_keep.h"

#pragma GCC visibility push(hidden)


typedef struct {
    ngx_queue_t               queue;        /* guarded by the writer's mutex */
    ngx_queue_t               all;          /* the main thread's, as waits */
    ngx_queue_t               waits;

    ngx_canary_zone_t        *zone;
    ngx_canary_keep_conf_t    keep;         /* with strings of its own */
    ngx_canary_keep_work_t    work;
    ngx_int_t                 rc;           /* of ngx_canary_keep_write() */
    uint64_t                  until_us;     /* it waits for the file's lock */
    ngx_uint_t                urgent;
    ngx_uint_t                begun;        /* it holds what was before */
} ngx_canary_job_t;


/* for a worker that starts; without it results are seen once a second */
void ngx_canary_writer_start(ngx_cycle_t *cycle);

/* whether this process has something to write for "zone" that is not done */
ngx_uint_t ngx_canary_writer_pending(ngx_canary_zone_t *zone);

/*
 * Queues a writing, or returns one that is queued and has not begun; NULL if
 * memory is short.  ngx_canary_keep_done() is called later, never from here.
 */
ngx_canary_job_t *ngx_canary_writer_add(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_uint_t urgent);

/* hands over what is done */
void ngx_canary_writer_reap(ngx_log_t *log);

/* waits until all of it is done, up to "wait_ms" */
void ngx_canary_writer_drain(ngx_msec_t wait_ms, ngx_log_t *log);

/* for who writes last: logs each file that is not written by now */
void ngx_canary_writer_missed(ngx_log_t *log);

/* for a process that exits: ends the threads; others write what is left */
void ngx_canary_writer_end(ngx_log_t *log);

/* ngx_canary_keep.c: takes the result over; the job is freed afterwards */
void ngx_canary_keep_done(ngx_canary_job_t *job, ngx_log_t *log);


#pragma GCC visibility pop

#endif /* NGX_CANARY_WRITER_H_INCLUDED */
