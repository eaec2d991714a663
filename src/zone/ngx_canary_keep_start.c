
#include "ngx_canary_keep.h"


#define NGX_CANARY_KEEP_EVENTS                                                \
    (NGX_CANARY_SAVED_EVENTS * sizeof(ngx_canary_saved_event_t))
#define NGX_CANARY_KEEP_WAIT_MS  1000       /* for the file's lock */
#define NGX_CANARY_KEEP_POLL_MS  2


static void ngx_canary_keep_unread(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);
static void ngx_canary_keep_roll_back(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_str_t *reason, ngx_log_t *log);
static void ngx_canary_keep_fresh(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_saved_t *saved, ngx_log_t *log);
static void ngx_canary_keep_found(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_saved_t *saved, ngx_log_t *log);
static void ngx_canary_keep_again(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep);
static void ngx_canary_keep_once(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);
static void ngx_canary_keep_refuse(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, u_char *error, ngx_uint_t fresh,
    ngx_log_t *log);


void
ngx_canary_keep_start(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    uint64_t due_us, ngx_log_t *log)
{
    ngx_canary_saved_t          *saved;
    ngx_canary_saved_event_t    *events;
    ngx_canary_saved_history_t  *history;

    if (keep == NULL) {
        ngx_canary_store(&zone->keep.key, 0);
        ngx_canary_store(&zone->keep.error, 0);
        return;
    }

    /* a reload has nothing to read: what is in force is newer */

    if (zone->published && zone->keep.key == keep->key) {
        ngx_canary_keep_again(zone, keep);
        return;
    }

    ngx_canary_store(&zone->keep.due_us, due_us);
    ngx_canary_store(&zone->keep.written_us, ngx_canary_now_us());

    saved = ngx_canary_keep_alloc(sizeof(ngx_canary_saved_t));
    events = ngx_canary_keep_alloc(NGX_CANARY_KEEP_EVENTS);

    history = ngx_canary_keep_alloc(sizeof(ngx_canary_saved_history_t));

    if (saved == NULL || events == NULL || history == NULL) {
        ngx_canary_keep_free(saved, sizeof(ngx_canary_saved_t));
        ngx_canary_keep_free(events, NGX_CANARY_KEEP_EVENTS);
        ngx_canary_keep_free(history, sizeof(ngx_canary_saved_history_t));
        ngx_canary_keep_unread(zone, keep, log);
        return;
    }

    saved->events = events;
    saved->nevents = NGX_CANARY_SAVED_EVENTS;
    saved->history = history;

    if (zone->published == 0) {
        ngx_canary_keep_fresh(zone, keep, saved, log);

    } else {
        ngx_canary_keep_found(zone, keep, saved, log);
    }

    ngx_canary_keep_free(history, sizeof(ngx_canary_saved_history_t));
    ngx_canary_keep_free(events, NGX_CANARY_KEEP_EVENTS);
    ngx_canary_keep_free(saved, sizeof(ngx_canary_saved_t));
}


/* whether it is rolled back is not known, so it is */

static void
ngx_canary_keep_unread(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    ngx_str_t  reason;

    ngx_log_error(NGX_LOG_ERR, log, NGX_ENOMEM,
                  "no memory to read state file \"%V\" of split \"%V\"",
                  &keep->path, &keep->split);

    if (zone->published == 0) {
        ngx_str_set(&reason, "there was no memory to read the state file");
        ngx_canary_keep_roll_back(zone, keep, &reason, log);
    }
}


static void
ngx_canary_keep_roll_back(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_str_t *reason, ngx_log_t *log)
{
    if (ngx_canary_latch_set(zone, NGX_CANARY_CAUSE_STATE, reason)) {
        ngx_canary_journal_add(zone, NGX_CANARY_KIND_ROLLBACK, reason);
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "split \"%V\" starts rolled back: no request goes to a "
                  "canary until the split is loaded with \"0%%\" in place of "
                  "other shares, or resumed through canary_control",
                  &keep->split);
}


static void
ngx_canary_keep_fresh(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_saved_t *saved, ngx_log_t *log)
{
    u_char     error[NGX_CANARY_KEEP_ERROR];
    ngx_int_t  rc;

    rc = ngx_canary_keep_read(keep, saved, error);

    if (rc == NGX_OK) {
        ngx_canary_saved_give(zone, saved);
        ngx_canary_given_history(keep->history, saved->history);

        if (keep->events) {
            ngx_canary_saved_events_give(keep->events, saved);
        }

        zone->keep.run = saved->run + 1;
        zone->keep.written_ms = saved->saved_ms;
        zone->keep.key = keep->key;

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "split \"%V\" goes on from state file \"%V\"%s",
                      &keep->split, &keep->path,
                      zone->latch ? ", rolled back" : "");
        return;
    }

    zone->keep.run = 1;

    if (rc == NGX_DECLINED) {
        zone->keep.key = keep->key;
        return;
    }

    ngx_canary_keep_refuse(zone, keep, error, 1, log);
}


/* of another master: this one is in charge from now on */

static void
ngx_canary_keep_again(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep)
{
    int                 folder;
    uint64_t            error;
    ngx_canary_owner_t  owner, self;

    folder = ngx_canary_keep_folder(keep, &error);

    if (folder == -1) {
        return;
    }

    ngx_canary_keep_self(&self);

    if (ngx_canary_keep_owner(keep, folder, &owner) == NGX_OK
        && (owner.pid != self.pid || owner.place != self.place))
    {
        ngx_canary_raise(&zone->keep.run, owner.run + 1);
    }

    (void) close(folder);
}


/* what is in force is newer than any file */

static void
ngx_canary_keep_found(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_canary_saved_t *saved, ngx_log_t *log)
{
    u_char     error[NGX_CANARY_KEEP_ERROR];
    ngx_int_t  rc;

    rc = ngx_canary_keep_read(keep, saved, error);

    if (rc == NGX_OK) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "state file \"%V\" of split \"%V\" is replaced by the "
                      "state in force", &keep->path, &keep->split);

        /* of another master: this one is in charge now */

        ngx_canary_raise(&zone->keep.run, saved->run + 1);
    }

    if (rc == NGX_ERROR) {
        ngx_canary_keep_refuse(zone, keep, error, 0, log);
        return;
    }

    ngx_canary_store(&zone->keep.key, keep->key);
}


/*
 * The file gets another name, and its own one goes to a state that is rolled
 * back: whenever this is cut off, the next start finds one or the other.
 */

static void
ngx_canary_keep_refuse(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    u_char *error, ngx_uint_t fresh, ngx_log_t *log)
{
    u_char      aside[NGX_MAX_PATH], text[NGX_CANARY_MAX_TEXT], *p;
    ngx_str_t   reason;
    ngx_int_t   rc;
    ngx_err_t   err;

    if (fresh) {
        p = ngx_snprintf(text, sizeof(text),
                         "the state file \"%V\" cannot be trusted: %s",
                         &keep->path, error);
        reason.data = text;
        reason.len = p - text;

        ngx_canary_keep_roll_back(zone, keep, &reason, log);
    }

    rc = ngx_canary_keep_aside(keep, aside);
    err = ngx_errno;

    if (rc == NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "state file \"%V\" of split \"%V\" cannot be trusted: "
                      "%s; it is kept as \"%s\"%s",
                      &keep->path, &keep->split, error, aside,
                      fresh ? "" : ", and the state in force is not affected");

    } else {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "state file \"%V\" of split \"%V\" cannot be trusted: "
                      "%s; it cannot be kept aside either, so it is left as it "
                      "is, and no state is written",
                      &keep->path, &keep->split, error);

        ngx_canary_store(&zone->keep.key, 0);
        ngx_canary_store(&zone->keep.error,
                         ngx_canary_keep_failed(NGX_CANARY_KEEP_ASIDE, err));
        ngx_canary_add(&zone->keep.errors, 1);
    }

    if (rc == NGX_OK) {
        ngx_canary_store(&zone->keep.key, keep->key);
        ngx_canary_keep_once(zone, keep, log);
    }
}


/* nobody waits for the master: it writes itself */

static void
ngx_canary_keep_once(ngx_canary_zone_t *zone, ngx_canary_keep_conf_t *keep,
    ngx_log_t *log)
{
    ngx_int_t               rc;
    ngx_msec_t              waited;
    ngx_canary_keep_work_t  work;

    ngx_memzero(&work, sizeof(ngx_canary_keep_work_t));

    ngx_canary_keep_self(&work.self);

    for (waited = 0; /* void */ ; waited += NGX_CANARY_KEEP_POLL_MS) {
        rc = ngx_canary_keep_write(zone, keep, &work);

        if (rc != NGX_AGAIN || waited >= NGX_CANARY_KEEP_WAIT_MS) {
            break;
        }

        ngx_msleep(NGX_CANARY_KEEP_POLL_MS);
    }

    if (rc == NGX_OK) {
        ngx_canary_keep_sync(&work);
    }

    if (work.error == 0) {
        ngx_canary_store(&zone->keep.written_ms, work.taken_ms);
    }

    ngx_canary_keep_report(zone, keep, work.error, log);
}
