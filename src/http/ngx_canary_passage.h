/*
 * One passage of a request through a split: from the choice of an upstream to
 * the outcome that is counted, once, whatever happens in between.
 */

#ifndef NGX_CANARY_PASSAGE_H_INCLUDED
#define NGX_CANARY_PASSAGE_H_INCLUDED


#include "ngx_canary_http.h"
#include "../zone/ngx_canary_record.h"


#pragma GCC visibility push(hidden)


/* bits of ngx_canary_passage_t.state, beside what became of it */
#define NGX_CANARY_SPARE          0x0008    /* may fall back yet */
#define NGX_CANARY_CONNECTED      0x0010    /* an attempt was made */
#define NGX_CANARY_BUSY           0x0020    /* no server to try */
#define NGX_CANARY_ENDED          0x0040    /* the last attempt failed */
#define NGX_CANARY_SETTLED        0x0080    /* its outcome is known */
#define NGX_CANARY_COUNTED        0x0100
#define NGX_CANARY_UNTIMED        0x20000   /* its end is not timed */
#define NGX_CANARY_JOINT          0x40000   /* tries are those of both */
#define NGX_CANARY_ENTERED        0x100000  /* its header's time is counted */
/* of the last attempt; these but the last, and errors: in conf->statuses */
#define NGX_CANARY_ANSWERED       0x0200    /* it sent a whole header */
#define NGX_CANARY_TUNNEL         0x0400    /* and switched the protocol */
#define NGX_CANARY_CLASS          0x7000    /* of its status */
#define NGX_CANARY_HELD           0x80000   /* its header's time is not yet */

#define NGX_CANARY_ANSWER                                                     \
    (NGX_CANARY_ERROR|NGX_CANARY_ANSWERED|NGX_CANARY_TUNNEL|NGX_CANARY_CLASS  \
     |NGX_CANARY_HELD)

/* so that no bit at all is no valid status */
#define ngx_canary_class_bits(class)                                          \
    (((class) ^ NGX_CANARY_COUNT_NONE) << 12)
#define ngx_canary_class_of(state)                                            \
    (((state) >> 12 & 7) ^ NGX_CANARY_COUNT_NONE)


/* of an upstream, that a balancer may set for its own servers */
typedef struct {
    ngx_http_upstream_conf_t      *conf;
    ngx_addr_t                    *local;
#if (NGX_HTTP_SSL || NGX_COMPAT)
    ngx_str_t                      schema;
    ngx_str_t                      ssl_name;
    ngx_uint_t                     ssl;
#endif
} ngx_canary_settings_t;


/* lives in u->peer.data */
struct ngx_canary_passage_s {
    ngx_queue_t                    queue;       /* of those not counted */
    ngx_http_request_t            *request;
    ngx_canary_srv_conf_t         *conf;
    ngx_canary_assignment_t       *assignment;  /* the pool's, not the ctx's */

    /* the balancer of the upstream that is being tried */
    void                          *data;
    ngx_event_get_peer_pt          original_get;
    ngx_event_free_peer_pt         original_free;
    ngx_event_notify_peer_pt       original_notify;     /* if there is one */
#if (NGX_SSL || NGX_COMPAT)
    ngx_event_set_peer_session_pt  original_set_session;
    ngx_event_save_peer_session_pt original_save_session;
#endif
    void                         (*original_finalize)(ngx_http_request_t *r,
                                                      ngx_int_t rc);
#if (defined NGX_HTTP_EARLY_HINTS && NGX_HTTP_CACHE)
    /* if there may be a stale response in the cache */
    ngx_int_t                    (*original_reinit)(ngx_http_request_t *r);
#endif
    /* with NGX_CANARY_LATENCY_HEADER */
    ngx_int_t                    (*header)(ngx_http_request_t *r);
    ngx_int_t                    (*header_reinit)(ngx_http_request_t *r);

    ngx_uint_t                     shown;       /* tries that nginx sees */
    /* only with NGX_CANARY_JOINT */
    ngx_uint_t                     tries;       /* left to that balancer */
    ngx_uint_t                     attempts;    /* failed so far */
    ngx_uint_t                     limit;       /* of attempts; 0: none */

    /* the end of the response's headers, while NGX_CANARY_SPARE */
    ngx_list_part_t               *headers;
    ngx_uint_t                     headers_kept;        /* in that part */
    ngx_canary_settings_t          settings;

    ngx_uint_t                     state;
    ngx_uint_t                     outcome;     /* settled, not counted yet */

    struct timespec                start;       /* monotonic */
    struct timespec                end;
    uint64_t                       latency_us;  /* once it is timed */
};


/* ngx_canary_peer.c */

/* hands r to its variant of the split; what an init of nginx's peers returns */
ngx_int_t ngx_canary_pass_on(ngx_http_request_t *r,
    ngx_canary_srv_conf_t *conf);

/* the request's passage through a split, the last one, or NULL */
ngx_canary_passage_t *ngx_canary_passage(ngx_http_request_t *r);

/* ngx_canary_streams.c */

/* after a failed attempt: a gRPC or HTTP/2 request is for a new connection */
void ngx_canary_streams_reset(ngx_http_upstream_t *u);

/* ngx_canary_take_back.c */

/* before a fallback: what the balancer of the canary has left behind */
void ngx_canary_take_back(ngx_canary_passage_t *p);

/* the passages of this worker that are not counted yet */
extern ngx_queue_t  ngx_canary_queue;

/* ngx_canary_passage.c: outcome and counting */

/* settles the outcome and passes on to nginx's own u->finalize_request */
void ngx_canary_passage_finalize(ngx_http_request_t *r, ngx_int_t rc)
    __attribute__((flatten));

#if (defined NGX_HTTP_EARLY_HINTS && NGX_HTTP_CACHE)
/* keeps the status of the final response and passes on to nginx's own */
ngx_int_t ngx_canary_passage_reinit(ngx_http_request_t *r);
#endif

void ngx_canary_passage_attempt_failed(ngx_canary_passage_t *p);
void ngx_canary_passage_fall_back(ngx_canary_passage_t *p);

/* counts it; with NGX_CANARY_TIMED, p->latency_us is set */
void ngx_canary_passage_counted(ngx_canary_passage_t *p, ngx_uint_t state);

/* ngx_canary_latency.c: what is not measured when the upstream is finalized */

ngx_int_t ngx_canary_latency_begin(ngx_canary_passage_t *p,
    ngx_http_upstream_t *u);

/* its outcome is known */
void ngx_canary_latency_settled(ngx_canary_passage_t *p, ngx_uint_t state);

/* the request ends: counts it, if that is not done yet */
void ngx_canary_latency_end(ngx_canary_passage_t *p);


/* from here on it is counted, once */
static ngx_inline ngx_int_t
ngx_canary_passage_begin(ngx_canary_passage_t *p, ngx_http_upstream_t *u)
{
    (void) clock_gettime(CLOCK_MONOTONIC, &p->start);

    if (ngx_canary_rare(p->conf->latency != NGX_CANARY_LATENCY_UPSTREAM)
        && ngx_canary_latency_begin(p, u) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p->original_finalize = u->finalize_request;
    u->finalize_request = ngx_canary_passage_finalize;

#if (defined NGX_HTTP_EARLY_HINTS && NGX_HTTP_CACHE)
    if (ngx_canary_rare(p->request->cache != NULL)) {
        p->original_reinit = u->reinit_request;
        u->reinit_request = ngx_canary_passage_reinit;
    }
#endif

    ngx_queue_insert_tail(&ngx_canary_queue, &p->queue);

    return NGX_OK;
}


/* since it began, in microseconds */
static ngx_inline uint64_t
ngx_canary_passage_elapsed(ngx_canary_passage_t *p)
{
    int64_t  ns;

    (void) clock_gettime(CLOCK_MONOTONIC, &p->end);

    ns = (int64_t) (p->end.tv_sec - p->start.tv_sec) * 1000000000
         + p->end.tv_nsec - p->start.tv_nsec;

    return (uint64_t) ns / 1000;
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_PASSAGE_H_INCLUDED */
