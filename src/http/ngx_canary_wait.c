
#include "ngx_canary_response.h"


#define NGX_CANARY_WAIT_MS  5000        /* for the disk */


/* a request that is answered once the state file is written */
struct ngx_canary_wait_s {
    ngx_http_request_t      *request;
    ngx_canary_answer_pt     answer;
    void                    *data;
    /* the event's ident must be after 3 pointers, as in ngx_connection_t */
    ngx_int_t                ident;
    ngx_event_t              timer;
    ngx_canary_keep_wait_t   keep;
};


static void ngx_canary_wait_cleanup(void *data);
static void ngx_canary_wait_done(ngx_canary_keep_wait_t *keep, ngx_int_t rc,
    uint64_t error);
static void ngx_canary_wait_expired(ngx_event_t *ev);
static void ngx_canary_wait_end(ngx_canary_wait_t *wait, u_char *error);


ngx_canary_wait_t *
ngx_canary_wait_create(ngx_http_request_t *r, ngx_canary_answer_pt answer,
    void *data)
{
    ngx_canary_wait_t   *wait;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_canary_wait_t));
    if (cln == NULL) {
        return NULL;
    }

    wait = cln->data;

    ngx_memzero(wait, sizeof(ngx_canary_wait_t));

    wait->request = r;
    wait->answer = answer;
    wait->data = data;
    wait->ident = -1;

    wait->keep.handler = ngx_canary_wait_done;
    wait->keep.data = wait;

    /* a worker that leaves waits for this one: it cannot be cancelled */

    wait->timer.handler = ngx_canary_wait_expired;
    wait->timer.data = wait;
    wait->timer.log = r->connection->log;

    cln->handler = ngx_canary_wait_cleanup;

    return wait;
}


/* also of a client that has left */

static void
ngx_canary_wait_cleanup(void *data)
{
    ngx_canary_wait_t *wait = data;

    ngx_canary_keep_forget(&wait->keep);

    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }
}


ngx_int_t
ngx_canary_wait_begin(ngx_canary_wait_t *wait, ngx_canary_srv_conf_t *conf)
{
    u_char               error[NGX_CANARY_KEEP_ERROR];
    ngx_http_request_t  *r;

    r = wait->request;

    if (conf->keep == NULL) {
        return wait->answer(r, wait->data, (u_char *) "");
    }

    if (ngx_canary_keep_now(conf->zone, conf->keep, &wait->keep,
                            r->connection->log)
        != NGX_AGAIN)
    {
        ngx_canary_keep_error(conf->zone, error);
        return wait->answer(r, wait->data, error);
    }

    ngx_add_timer(&wait->timer, NGX_CANARY_WAIT_MS);

    if (r == r->main) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;
    r->main->count++;

    return NGX_DONE;
}


static void
ngx_canary_wait_done(ngx_canary_keep_wait_t *keep, ngx_int_t rc,
    uint64_t error)
{
    u_char  text[NGX_CANARY_KEEP_ERROR];

    *text = '\0';

    if (rc == NGX_DECLINED) {
        (void) ngx_cpystrn(text, (u_char *) "the file is that of a newer "
                           "configuration, which writes it within 5 seconds",
                           NGX_CANARY_KEEP_ERROR);

    } else if (rc != NGX_OK) {
        ngx_canary_keep_text(error, text);
    }

    ngx_canary_wait_end(keep->data, text);
}


static void
ngx_canary_wait_expired(ngx_event_t *ev)
{
    ngx_canary_wait_t *wait = ev->data;

    ngx_canary_keep_forget(&wait->keep);

    ngx_canary_wait_end(wait, (u_char *) "the disk has not answered within "
                        "5 seconds, the file is written once it does");
}


static void
ngx_canary_wait_end(ngx_canary_wait_t *wait, u_char *error)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = wait->request;
    c = r->connection;

    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, wait->answer(r, wait->data, error));

    ngx_http_run_posted_requests(c);
}
