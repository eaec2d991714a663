/*
 * The writer's threads, and what they share with the main thread.
 */

#ifndef NGX_CANARY_WRITER_THREAD_H_INCLUDED
#define NGX_CANARY_WRITER_THREAD_H_INCLUDED


#include "ngx_canary_writer.h"

#include <pthread.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_WRITER_THREADS  16
#define NGX_CANARY_WRITER_DISK     4        /* of them for one disk */


typedef struct {
    /* of the main thread alone */
    ngx_uint_t            ready;
    ngx_queue_t           all;
    ngx_connection_t     *connection;

    int                   event;        /* or -1; set before any thread */

    pthread_mutex_t       mutex;        /* of all that follows */
    pthread_cond_t        cond;
    ngx_queue_t           urgent;
    ngx_queue_t           queued;
    ngx_queue_t           renamed;      /* their folders are to be synced */
    ngx_uint_t            nrenamed;
    ngx_queue_t           done;
    ngx_uint_t            quit;
    ngx_uint_t            nwaiting;     /* urgent and queued */
    ngx_uint_t            idle;
    ngx_uint_t            nthreads;
    pthread_t             threads[NGX_CANARY_WRITER_THREADS];
    /* what each of them is at, or NULL */
    ngx_canary_job_t     *current[NGX_CANARY_WRITER_THREADS];
} ngx_canary_writer_t;


extern ngx_canary_writer_t  ngx_canary_writer;


/*
 * In a thread, with its place in w->current: until w->quit.  In the main
 * thread, with NULL, where there can be no other: until nothing is left to do.
 */
void *ngx_canary_writer_run(void *data);

/* puts a job into its queue, with the mutex held */
void ngx_canary_writer_queue(ngx_canary_job_t *job, ngx_uint_t urgent);


#pragma GCC visibility pop

#endif /* NGX_CANARY_WRITER_THREAD_H_INCLUDED */
