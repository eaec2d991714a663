/* What gates of a canary that was not rolled back still wait for. */

#include "ngx_canary_saying.h"


static void ngx_canary_page_waits(const ngx_canary_saying_t *s);
static void ngx_canary_page_doubt(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate);
static void ngx_canary_page_needs(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate, size_t waits);
static uint64_t ngx_canary_page_wait(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate);


#define NGX_CANARY_PAGE_NAMED   3       /* gates in doubt that are named */
#define NGX_CANARY_PAGE_SECOND  1000000


void
ngx_canary_page_go(const ngx_canary_saying_t *s)
{
    size_t  i, passed;

    passed = 0;

    for (i = 0; i < s->split->ngates; i++) {
        passed += s->split->gates[i].status == NGX_CANARY_GATE_PASS;
    }

    if (passed == s->split->ngates) {

        if (passed == 1) {
            ngx_canary_out_lit(s->out, " The gate passes.");
            return;
        }

        ngx_canary_out_lit(s->out, " All ");
        ngx_canary_out_u64(s->out, passed);
        ngx_canary_out_lit(s->out, " gates pass.");
        return;
    }

    ngx_canary_out_lit(s->out, " ");
    ngx_canary_out_u64(s->out, passed);
    ngx_canary_out_lit(s->out, " of ");
    ngx_canary_page_number(s->split->ngates, "gate passes.", "gates pass.",
                           s->out);

    ngx_canary_page_waits(s);
}


/* the gates in doubt, or else the one that waits longest for samples */
static void
ngx_canary_page_waits(const ngx_canary_saying_t *s)
{
    size_t                    i, doubts, waits;
    uint64_t                  missing, most;
    const ngx_canary_gate_t  *gate, *last;

    doubts = 0;
    waits = 0;
    most = 0;
    last = NULL;

    for (i = 0; i < s->split->ngates; i++) {
        gate = &s->split->gates[i];

        if (gate->status != NGX_CANARY_GATE_PENDING) {
            continue;
        }

        if (!ngx_canary_page_missing(gate)) {

            if (++doubts <= NGX_CANARY_PAGE_NAMED) {
                ngx_canary_out_lit(s->out, " ");
                ngx_canary_page_doubt(s, gate);
            }

            continue;
        }

        waits++;
        missing = gate->samples < gate->min ? gate->min - gate->samples : 0;

        if (last == NULL || missing > most) {
            most = missing;
            last = gate;
        }
    }

    if (doubts > NGX_CANARY_PAGE_NAMED) {
        ngx_canary_out_lit(s->out, " And ");
        ngx_canary_out_u64(s->out, doubts - NGX_CANARY_PAGE_NAMED);
        ngx_canary_out_lit(s->out, " more.");
    }

    if (last) {
        ngx_canary_page_needs(s, last, waits);
    }
}


static void
ngx_canary_page_doubt(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate)
{
    ngx_canary_page_gate_name(s, gate);
    ngx_canary_out_lit(s->out, ": ");
    ngx_canary_page_text(s, gate->reason);
    ngx_canary_out_lit(s->out, ".");
}


/*
 * "p99 <= 1s needs 700 more samples, about 9 min.", or of several "5 gates wait
 * for samples. The last of them, .."
 */
static void
ngx_canary_page_needs(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate, size_t waits)
{
    uint64_t  us;

    ngx_canary_out_lit(s->out, " ");

    if (gate->samples >= gate->min) {
        ngx_canary_page_doubt(s, gate);
        return;
    }

    if (waits > 1) {
        ngx_canary_out_u64(s->out, waits);
        ngx_canary_out_lit(s->out, " gates wait for samples. "
                                   "The last of them, ");
        ngx_canary_page_gate_name(s, gate);
        ngx_canary_out_lit(s->out, ", needs ");

    } else {
        ngx_canary_page_gate_name(s, gate);
        ngx_canary_out_lit(s->out, " needs ");
    }

    ngx_canary_page_number(gate->min - gate->samples, "more sample",
                           "more samples", s->out);

    us = ngx_canary_page_wait(s, gate);

    if (us) {
        ngx_canary_out_lit(s->out, ", about ");
        ngx_canary_page_age(us, s->out);

    } else {
        ngx_canary_out_lit(s->out, " and gets none at present");
    }

    ngx_canary_out_lit(s->out, ".");
}


/*
 * How long the missing samples take, as fast as they come in the window: a
 * second at least.  0 if none come.
 */
static uint64_t
ngx_canary_page_wait(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate)
{
    double                       us;
    uint64_t                     n;
    const ngx_canary_figures_t  *f;

    f = &s->split->variants[gate->index].figures[NGX_CANARY_WINDOW];

    switch (gate->rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        n = s->split->passages[NGX_CANARY_WINDOW];
        break;

    case NGX_CANARY_METRIC_EVENT_RATE:
        n = f->requests;
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
        n = gate->canary[NGX_CANARY_WINDOW].n / NGX_CANARY_MEAN_PARTS;
        break;

    default:
        n = gate->canary[NGX_CANARY_WINDOW].n;
    }

    if (n == 0) {
        return 0;
    }

    us = (double) (gate->min - gate->samples) / (double) n
         * (double) f->elapsed_us;

    if (us > 1e18) {
        return 0;
    }

    return us > NGX_CANARY_PAGE_SECOND ? (uint64_t) us : NGX_CANARY_PAGE_SECOND;
}
