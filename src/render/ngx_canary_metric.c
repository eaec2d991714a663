/* The value of a row of the table of metrics: what it is, and how it looks. */

#include <string.h>

#include "ngx_canary_metrics.h"


static const void *ngx_canary_metric_field(const void *base, size_t offset);


static const void *
ngx_canary_metric_field(const void *base, size_t offset)
{
    return (const char *) base + offset;
}


int
ngx_canary_metric_same(const ngx_canary_str_t *a, const ngx_canary_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


int
ngx_canary_metric_counter(const ngx_canary_metric_t *m)
{
    return m->type == NGX_CANARY_TYPE_COUNTER
           || m->type == NGX_CANARY_TYPE_CREATED;
}


int
ngx_canary_metric_null(const ngx_canary_metric_t *m, const void *base)
{
    return m->per != NGX_CANARY_ALWAYS && ngx_canary_metric_per(m, base) == 0;
}


uint64_t
ngx_canary_metric_u64(const ngx_canary_metric_t *m, const void *base)
{
    if (m->kind == NGX_CANARY_KIND_SHARE) {
        return *(const uint32_t *) ngx_canary_metric_field(base, m->offset);
    }

    return *(const uint64_t *) ngx_canary_metric_field(base, m->offset);
}


uint64_t
ngx_canary_metric_per(const ngx_canary_metric_t *m, const void *base)
{
    return *(const uint64_t *) ngx_canary_metric_field(base, m->per);
}


ngx_canary_str_t
ngx_canary_metric_text(const ngx_canary_metric_t *m, const void *base)
{
    switch (m->kind) {

    case NGX_CANARY_KIND_STATE:
        return ngx_canary_states[ngx_canary_metric_state(m, base)];

    case NGX_CANARY_KIND_VERDICT:
        return ngx_canary_verdicts[ngx_canary_metric_state(m, base)];

    case NGX_CANARY_KIND_STATUS:
        return ngx_canary_statuses[ngx_canary_metric_state(m, base)];

    default: /* NGX_CANARY_KIND_TEXT */
        return *(const ngx_canary_str_t *)
                   ngx_canary_metric_field(base, m->offset);
    }
}


unsigned
ngx_canary_metric_state(const ngx_canary_metric_t *m, const void *base)
{
    return *(const unsigned *) ngx_canary_metric_field(base, m->offset);
}


void
ngx_canary_metric_number(const ngx_canary_metric_t *m, const void *base,
    ngx_canary_out_t *out)
{
    uint64_t  n;

    if (m->kind == NGX_CANARY_KIND_REAL) {
        ngx_canary_out_real(out, *(const double *)
                                     ngx_canary_metric_field(base, m->offset));
        return;
    }

    n = ngx_canary_metric_u64(m, base);

    switch (m->kind) {

    case NGX_CANARY_KIND_MOMENT:
        ngx_canary_out_moment(out, n);
        break;

    case NGX_CANARY_KIND_SECONDS:
    case NGX_CANARY_KIND_MICRO:
    case NGX_CANARY_KIND_SHARE:
        ngx_canary_out_micro(out, n);
        break;

    case NGX_CANARY_KIND_MILLI:
        ngx_canary_out_decimal(out, n, 3);
        break;

    case NGX_CANARY_KIND_RATIO:
        ngx_canary_out_micro(out, ngx_canary_ratio_ppm(n,
                                           ngx_canary_metric_per(m, base)));
        break;

    case NGX_CANARY_KIND_RATE:
        ngx_canary_out_micro(out, ngx_canary_rate_ppm(n,
                                           ngx_canary_metric_per(m, base)));
        break;

    case NGX_CANARY_KIND_MEAN:
        ngx_canary_out_micro(out, ngx_canary_mean(n,
                                           ngx_canary_metric_per(m, base)));
        break;

    default:
        ngx_canary_out_u64(out, n);
    }
}
