
#include "ngx_canary_keep.h"

#include <pthread.h>


/* ticks are a second apart: 5 s at most */
#define NGX_CANARY_KEEP_EVERY_US  4000000
#define NGX_CANARY_KEEP_RETRY_US  1000000   /* if the folder is locked */
#define NGX_CANARY_KEEP_WAIT_MS   1000      /* for the folder's lock */
#define NGX_CANARY_KEEP_EXIT_MS   5000      /* for a thread, at exit */


/* one writing: what a thread needs of it, and no more */
struct ngx_canary_keep_job_s {
    int                       folder;       /* locked as long as it is open */
    char                     *name;
    char                     *tmp;
    u_char                   *data;
    size_t                    len;
    ngx_uint_t                other;
    ngx_uid_t                 uid;
    ngx_gid_t                 gid;
    uint64_t                  error;
    uint64_t                  saved_ms;
    uint32_t                  done;         /* set last by the thread */
};


static ngx_int_t ngx_canary_keep_begin(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_msec_t wait_ms, uint64_t *error);
static ngx_int_t ngx_canary_keep_owned(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, int folder);
static ngx_canary_keep_job_t *ngx_canary_keep_job(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, int folder, uint64_t *error);
static ngx_int_t ngx_canary_keep_take(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_saved_t *saved);
static uint64_t ngx_canary_keep_self(void);
static void ngx_canary_keep_thread(ngx_canary_keep_job_t *job);
static void *ngx_canary_keep_run(void *data);
static void ngx_canary_keep_end(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);
static void ngx_canary_keep_report(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, uint64_t error, ngx_log_t *log);


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
    uint64_t   now_us, due, error;
    ngx_int_t  rc;

    if (keep->job) {

        if (!__atomic_load_n(&keep->job->done, __ATOMIC_ACQUIRE)) {
            return;
        }

        ngx_canary_keep_end(zone, keep, log);
    }

    now_us = ngx_canary_now_us();
    due = ngx_canary_load(&zone->keep.due_us);

    if (now_us < due
        || !__atomic_compare_exchange_n(&zone->keep.due_us, &due,
                                        now_us + NGX_CANARY_KEEP_EVERY_US, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return;
    }

    rc = ngx_canary_keep_begin(zone, keep, 0, &error);

    if (rc == NGX_OK) {
        ngx_canary_keep_thread(keep->job);
        return;
    }

    if (rc == NGX_DECLINED) {
        return;
    }

    if (error == ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCK, 0)) {
        ngx_canary_store(&zone->keep.due_us, now_us + NGX_CANARY_KEEP_RETRY_US);
        return;
    }

    ngx_canary_keep_report(zone, keep, error, log);
}


ngx_int_t
ngx_canary_keep_now(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    u_char *error, ngx_log_t *log)
{
    uint64_t    failed;
    ngx_int_t   rc;
    ngx_msec_t  waited;

    *error = '\0';

    /* a thread of this process has the lock, and an older state */

    for (waited = 0; keep->job && waited < NGX_CANARY_KEEP_EXIT_MS; waited++) {

        if (__atomic_load_n(&keep->job->done, __ATOMIC_ACQUIRE)) {
            ngx_canary_keep_end(zone, keep, log);
            break;
        }

        ngx_msleep(1);
    }

    if (keep->job) {
        rc = NGX_ERROR;
        failed = ngx_canary_keep_failed(NGX_CANARY_KEEP_LOCK, 0);

    } else {
        rc = ngx_canary_keep_begin(zone, keep, NGX_CANARY_KEEP_WAIT_MS,
                                   &failed);
    }

    if (rc == NGX_DECLINED) {
        return rc;
    }

    if (rc == NGX_OK) {
        (void) ngx_canary_keep_run(keep->job);
        failed = keep->job->error;
        ngx_canary_keep_end(zone, keep, log);

    } else {
        ngx_canary_keep_report(zone, keep, failed, log);
    }

    if (failed) {
        ngx_canary_keep_text(failed, error);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_canary_keep_exit(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    u_char  error[NGX_CANARY_KEEP_ERROR];

    (void) ngx_canary_keep_now(zone, keep, error, log);
}


void
ngx_canary_keep_error(ngx_canary_zone_t *zone, u_char *error)
{
    ngx_canary_keep_text(ngx_canary_load(&zone->keep.error), error);
}


/* locks, and puts together what is to be written, as keep->job */

static ngx_int_t
ngx_canary_keep_begin(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_msec_t wait_ms, uint64_t *error)
{
    int  folder;

    if (ngx_canary_load(&zone->keep.key) != keep->key) {
        return NGX_DECLINED;
    }

    folder = ngx_canary_keep_lock(keep, wait_ms, error);

    if (folder == -1) {
        return NGX_ERROR;
    }

    if (ngx_canary_load(&zone->keep.key) != keep->key) {
        (void) close(folder);
        return NGX_DECLINED;
    }

    if (ngx_canary_keep_owned(zone, keep, folder) != NGX_OK) {
        *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_OWNER, 0);
        (void) close(folder);
        return NGX_ERROR;
    }

    keep->job = ngx_canary_keep_job(zone, keep, folder, error);

    if (keep->job == NULL) {
        (void) close(folder);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * While a binary is upgraded two masters run, and the younger one's state is
 * the one to keep; unless it is given up.
 */

static ngx_int_t
ngx_canary_keep_owned(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    int folder)
{
    uint64_t  run, owner, own;

    own = ngx_canary_load(&zone->keep.run);

    if (ngx_canary_keep_owner(folder, (char *) keep->name, &run, &owner)
        != NGX_OK
        || run < own
        || owner == ngx_canary_keep_self())
    {
        return NGX_OK;
    }

    if (owner && owner <= INT32_MAX
        && (kill((pid_t) owner, 0) == 0 || ngx_errno == NGX_EPERM))
    {
        return NGX_ERROR;
    }

    ngx_canary_raise(&zone->keep.run, run + 1);

    return NGX_OK;
}


static ngx_canary_keep_job_t *
ngx_canary_keep_job(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    int folder, uint64_t *error)
{
    size_t                  len, name;
    ngx_canary_saved_t     *saved;
    ngx_canary_keep_job_t  *job;

    *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_MEMORY, NGX_ENOMEM);

    /* zeroed by the system: most of it is never looked at */

    saved = calloc(1, sizeof(ngx_canary_saved_t));
    if (saved == NULL) {
        return NULL;
    }

    if (ngx_canary_keep_take(zone, keep, saved) != NGX_OK) {
        free(saved);
        return NULL;
    }

    len = ngx_canary_state_encode(saved, NULL, 0);
    name = ngx_strlen(keep->name);

    job = malloc(sizeof(ngx_canary_keep_job_t)
                 + 2 * (name + sizeof(".tmp")) + len);

    if (job == NULL) {
        free(saved->events);
        free(saved);
        return NULL;
    }

    ngx_memzero(job, sizeof(ngx_canary_keep_job_t));

    job->folder = folder;
    job->other = keep->other && geteuid() == 0;
    job->uid = keep->uid;
    job->gid = keep->gid;
    job->saved_ms = saved->saved_ms;

    job->name = (char *) (job + 1);
    job->tmp = (char *) ngx_sprintf((u_char *) job->name, "%s%Z", keep->name);
    job->data = ngx_sprintf((u_char *) job->tmp, "%s.tmp%Z", keep->name);
    job->len = ngx_canary_state_encode(saved, job->data, len);

    free(saved->events);
    free(saved);

    if (job->len == 0) {
        *error = ngx_canary_keep_failed(NGX_CANARY_KEEP_ENCODE, 0);
        free(job);
        return NULL;
    }

    return job;
}


static ngx_int_t
ngx_canary_keep_take(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_saved_t *saved)
{
    uint64_t  base;

    saved->owner = ngx_canary_keep_self();
    saved->split.len = keep->split.len;
    ngx_memcpy(saved->split.data, keep->split.data, keep->split.len);

    ngx_canary_saved_take(zone, saved);

    if (keep->events == NULL) {
        return NGX_OK;
    }

    base = ngx_canary_base_at(ngx_canary_load(&zone->published));

    return ngx_canary_saved_events_take(keep->events, base, saved);
}


/* the master's process id, as far as this process knows it */

static uint64_t
ngx_canary_keep_self(void)
{
    return (uint64_t) (ngx_process == NGX_PROCESS_WORKER ? ngx_parent
                                                         : ngx_pid);
}


/* signals are the main thread's; without a thread it takes a bit longer */

static void
ngx_canary_keep_thread(ngx_canary_keep_job_t *job)
{
    int             rc;
    sigset_t        all, old;
    pthread_t       thread;
    pthread_attr_t  attr;

    (void) sigfillset(&all);

    rc = pthread_attr_init(&attr);

    if (rc == 0) {
        (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = pthread_create(&thread, &attr, ngx_canary_keep_run, job);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

        (void) pthread_attr_destroy(&attr);
    }

    if (rc != 0) {
        (void) ngx_canary_keep_run(job);
    }
}


/* in a thread: nothing of nginx, no memory but the job's */

static void *
ngx_canary_keep_run(void *data)
{
    ngx_canary_keep_job_t *job = data;

    job->error = ngx_canary_keep_replace(job->folder, job->name, job->tmp,
                                         job->data, job->len, job->other,
                                         job->uid, job->gid);

    (void) close(job->folder);

    __atomic_store_n(&job->done, 1, __ATOMIC_RELEASE);

    return NULL;
}


static void
ngx_canary_keep_end(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    if (keep->job->error == 0) {
        ngx_canary_store(&zone->keep.written_ms, keep->job->saved_ms);
    }

    ngx_canary_keep_report(zone, keep, keep->job->error, log);

    free(keep->job);
    keep->job = NULL;
}


/* once for each error, by whichever worker meets it, and once when it ends */

static void
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
