
#include "ngx_canary_writer.h"


/* the next tick, and then the disk, take their time: 5 s at most */
#define NGX_CANARY_KEEP_EVERY_US  2500000
#define NGX_CANARY_KEEP_RETRY_US  1000000   /* if the file is locked */
#define NGX_CANARY_KEEP_LATE_US   10000000


static ngx_uint_t ngx_canary_keep_late(ngx_canary_zone_t *zone,
    uint64_t now_us);
static void ngx_canary_keep_memory(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);
static ngx_int_t ngx_canary_keep_result(ngx_canary_job_t *job,
    ngx_log_t *log);


static const char  *ngx_canary_keep_steps[] = {
    "",
    "the folder cannot be opened",
    "the file is locked by another process",
    "the file belongs to another nginx that is running",
    "there is no memory",
    "the state cannot be encoded",
    "no file can be created in the folder",
    "the file cannot be written",
    "the file cannot be synced to the disk",
    "the file cannot be renamed",
    "the folder cannot be written to",
    "a file that cannot be trusted cannot be kept aside",
    "the lock file cannot be opened",
    "the folder is not the one that it was when the configuration was loaded",
    "the disk has not answered for 10 seconds"
};


void
ngx_canary_keep_check(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    if (ngx_canary_load(&zone->keep.key) != keep->key
        || access((char *) keep->folder.data, W_OK|X_OK) == 0)
    {
        return;
    }

    ngx_canary_keep_report(zone, keep,
                           ngx_canary_keep_failed(NGX_CANARY_KEEP_ACCESS,
                                                  ngx_errno),
                           log);
}


void
ngx_canary_keep_tick(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    uint64_t    now_us, due;
    ngx_uint_t  pending;

    now_us = ngx_canary_now_us();
    due = ngx_canary_load(&zone->keep.due_us);

    if (now_us < due || ngx_canary_load(&zone->keep.key) != keep->key) {
        return;
    }

    /* what waits for a disk here may be written by another worker */

    pending = ngx_canary_writer_pending(zone);

    if (pending && !ngx_canary_keep_late(zone, now_us)) {
        return;
    }

    if (!__atomic_compare_exchange_n(&zone->keep.due_us, &due,
                                     now_us + NGX_CANARY_KEEP_EVERY_US, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return;
    }

    if (pending) {
        ngx_canary_keep_report(zone, keep,
                               ngx_canary_keep_failed(NGX_CANARY_KEEP_LATE, 0),
                               log);
        return;
    }

    if (ngx_canary_writer_add(zone, keep, 0) == NULL) {
        ngx_canary_keep_memory(zone, keep, log);
    }
}


ngx_int_t
ngx_canary_keep_now(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_keep_wait_t *wait, ngx_log_t *log)
{
    ngx_canary_job_t  *job;

    job = ngx_canary_writer_add(zone, keep, 1);

    if (job == NULL) {
        ngx_canary_keep_memory(zone, keep, log);
        return NGX_ERROR;
    }

    if (wait) {
        wait->waits = 1;
        ngx_queue_insert_tail(&job->waits, &wait->queue);
    }

    return NGX_AGAIN;
}


void
ngx_canary_keep_forget(ngx_canary_keep_wait_t *wait)
{
    if (wait->waits) {
        wait->waits = 0;
        ngx_queue_remove(&wait->queue);
    }
}


void
ngx_canary_keep_last(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    (void) ngx_canary_keep_now(zone, keep, NULL, log);
}


void
ngx_canary_keep_done(ngx_canary_job_t *job, ngx_log_t *log)
{
    ngx_int_t                rc;
    ngx_queue_t             *q;
    ngx_canary_keep_wait_t  *wait;

    rc = ngx_canary_keep_result(job, log);

    while (!ngx_queue_empty(&job->waits)) {
        q = ngx_queue_head(&job->waits);
        wait = ngx_queue_data(q, ngx_canary_keep_wait_t, queue);

        ngx_canary_keep_forget(wait);

        wait->handler(wait, rc, job->work.error);
    }
}


static ngx_int_t
ngx_canary_keep_result(ngx_canary_job_t *job, ngx_log_t *log)
{
    uint64_t            now_us;
    ngx_canary_zone_t  *zone;

    zone = job->zone;

    switch (job->rc) {

    case NGX_OK:
        ngx_canary_store(&zone->keep.written_ms, job->work.taken_ms);
        ngx_canary_store(&zone->keep.written_us, job->work.taken_us);
        ngx_canary_keep_report(zone, &job->keep, 0, log);
        return NGX_OK;

    case NGX_DECLINED:
        return NGX_DECLINED;

    case NGX_AGAIN:

        /* another process writes it just now, if it does not last */

        now_us = ngx_canary_now_us();

        ngx_canary_store(&zone->keep.due_us, now_us + NGX_CANARY_KEEP_RETRY_US);

        if (!job->urgent && !ngx_canary_keep_late(zone, now_us)) {
            return NGX_AGAIN;
        }
    }

    ngx_canary_keep_report(zone, &job->keep, job->work.error, log);

    return NGX_ERROR;
}


static ngx_uint_t
ngx_canary_keep_late(ngx_canary_zone_t *zone, uint64_t now_us)
{
    return now_us > ngx_canary_load(&zone->keep.written_us)
                    + NGX_CANARY_KEEP_LATE_US;
}


static void
ngx_canary_keep_memory(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    ngx_canary_keep_report(zone, keep,
                           ngx_canary_keep_failed(NGX_CANARY_KEEP_MEMORY,
                                                  NGX_ENOMEM),
                           log);
}


void
ngx_canary_keep_error(ngx_canary_zone_t *zone, u_char *error)
{
    ngx_canary_keep_text(ngx_canary_load(&zone->keep.error), error);
}


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


void
ngx_canary_keep_report(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    uint64_t error, ngx_log_t *log)
{
    u_char    text[NGX_CANARY_KEEP_ERROR];
    uint64_t  old;

    if (error) {
        ngx_canary_add(&zone->keep.errors, 1);
    }

    old = __atomic_exchange_n(&zone->keep.error, error, __ATOMIC_ACQ_REL);

    if (old == error) {
        return;
    }

    if (error == 0) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "state file \"%V\" of split \"%V\" is written again",
                      &keep->path, &keep->split);
        return;
    }

    ngx_canary_keep_text(error, text);

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "state file \"%V\" of split \"%V\" is not written by user "
                  "\"%V\": %s; requests are served as before, but a restart "
                  "of nginx now would lose what was counted and decided since "
                  "the last writing; it is tried again within 5 seconds",
                  &keep->path, &keep->split, &keep->user, text);
}
