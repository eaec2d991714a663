/*
 * How a split does, in one sentence: what was done, what speaks against the
 * canary, and what is still missing.
 */

#include <string.h>

#include "ngx_canary_page.h"


static void ngx_canary_page_go(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_waits(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_doubt(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out);
static void ngx_canary_page_needs(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, size_t waits, ngx_canary_out_t *out);
static uint64_t ngx_canary_page_wait(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate);
static void ngx_canary_page_fails(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_rolled_back(const ngx_canary_split_t *split,
    uint64_t now_ms, ngx_canary_out_t *out);
static void ngx_canary_page_cause(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static int ngx_canary_page_begins(ngx_canary_str_t *text,
    ngx_canary_str_t part);
static void ngx_canary_page_unreached(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_gate_name(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out);
static void ngx_canary_page_when(uint64_t ms, uint64_t now_ms,
    ngx_canary_out_t *out);


#define NGX_CANARY_PAGE_NAMED   3       /* gates in doubt that are named */
#define NGX_CANARY_PAGE_DAY     86400000u           /* ms */

/* a gate's text in the reason of a rollback is cut at this length */
#define NGX_CANARY_PAGE_TEXT    150


void
ngx_canary_page_sentence(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out)
{
    ngx_canary_mood_e         mood;
    const ngx_canary_look_t  *look;

    mood = ngx_canary_page_mood(split);
    look = ngx_canary_page_look(mood);

    ngx_canary_out_lit(out, "<p class=\"say ");
    ngx_canary_out_str(out, look->class);
    ngx_canary_out_lit(out, "\"><span class=\"icon\" aria-hidden=\"true\">");
    ngx_canary_out_str(out, look->icon);
    ngx_canary_out_lit(out, "</span> <strong>");

    switch (mood) {

    case NGX_CANARY_MOOD_NONE:
        ngx_canary_out_lit(out, "No canary.</strong> All requests go to ");
        ngx_canary_out_html(out, split->name);
        ngx_canary_out_lit(out, ".");
        break;

    case NGX_CANARY_MOOD_OFF:
        ngx_canary_out_lit(out, "Off since ");
        ngx_canary_page_when(split->stage_start_ms, now_ms, out);
        ngx_canary_out_lit(out, ".</strong>");
        ngx_canary_page_unreached(split, out);
        break;

    case NGX_CANARY_MOOD_IDLE:
        if (split->ngates == 0) {
            ngx_canary_out_lit(out, "No gate judges the canary.</strong> "
                               "Nothing rolls it back by itself.");
        } else {
            ngx_canary_out_lit(out, "The canary has no share yet.</strong> "
                               "Only forced requests reach it.");
        }

        break;

    case NGX_CANARY_MOOD_GO:
    case NGX_CANARY_MOOD_YOUNG:
        ngx_canary_out_lit(out, "Nothing speaks against the canary.</strong>");
        ngx_canary_page_go(split, out);
        break;

    case NGX_CANARY_MOOD_DOUBT:
        ngx_canary_out_lit(out, "The canary is in doubt.</strong>");
        ngx_canary_page_go(split, out);
        break;

    case NGX_CANARY_MOOD_HELD:
        ngx_canary_out_lit(out, "All gates pass, but clients give up.</strong> "
                           );
        ngx_canary_out_html(out, split->reason);
        ngx_canary_out_lit(out, ".");
        break;

    case NGX_CANARY_MOOD_FAILS:
        ngx_canary_page_fails(split, out);
        break;

    default: /* NGX_CANARY_MOOD_ROLLED_BACK */
        ngx_canary_page_rolled_back(split, now_ms, out);
    }

    ngx_canary_out_lit(out, "</p>\n");
}


static void
ngx_canary_page_go(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i, passed;

    passed = 0;

    for (i = 0; i < split->ngates; i++) {
        passed += split->gates[i].status == NGX_CANARY_GATE_PASS;
    }

    if (passed == split->ngates) {
        ngx_canary_out_lit(out, " All ");
        ngx_canary_page_number(passed, "gate passes.", "gates pass.", out);
        return;
    }

    ngx_canary_out_lit(out, " ");
    ngx_canary_out_u64(out, passed);
    ngx_canary_out_lit(out, " of ");
    ngx_canary_page_number(split->ngates, "gate passes.", "gates pass.", out);

    ngx_canary_page_waits(split, out);
}


/* the gates in doubt, or else the one that waits longest for samples */
static void
ngx_canary_page_waits(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                    i, doubts, waits;
    uint64_t                  missing, most;
    const ngx_canary_gate_t  *gate, *last;

    doubts = 0;
    waits = 0;
    most = 0;
    last = NULL;

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];

        if (gate->status != NGX_CANARY_GATE_PENDING) {
            continue;
        }

        if (!ngx_canary_page_missing(gate)) {

            if (++doubts <= NGX_CANARY_PAGE_NAMED) {
                ngx_canary_out_lit(out, " ");
                ngx_canary_page_doubt(split, gate, out);
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
        ngx_canary_out_lit(out, " And ");
        ngx_canary_out_u64(out, doubts - NGX_CANARY_PAGE_NAMED);
        ngx_canary_out_lit(out, " more.");
    }

    if (last) {
        ngx_canary_page_needs(split, last, waits, out);
    }
}


static void
ngx_canary_page_doubt(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out)
{
    ngx_canary_page_gate_name(split, gate, out);
    ngx_canary_out_lit(out, ": ");
    ngx_canary_out_html(out, gate->reason);
    ngx_canary_out_lit(out, ".");
}


/*
 * "p99 <= 1s needs 700 more samples, about 9 min.", or of several "5 gates wait
 * for samples. The last of them, .."
 */
static void
ngx_canary_page_needs(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, size_t waits, ngx_canary_out_t *out)
{
    uint64_t  us;

    ngx_canary_out_lit(out, " ");

    if (gate->samples >= gate->min) {
        ngx_canary_page_doubt(split, gate, out);
        return;
    }

    if (waits > 1) {
        ngx_canary_out_u64(out, waits);
        ngx_canary_out_lit(out, " gates wait for samples. The last of them, ");
        ngx_canary_page_gate_name(split, gate, out);
        ngx_canary_out_lit(out, ", needs ");

    } else {
        ngx_canary_page_gate_name(split, gate, out);
        ngx_canary_out_lit(out, " needs ");
    }

    ngx_canary_page_number(gate->min - gate->samples, "more sample",
                           "more samples", out);

    us = ngx_canary_page_wait(split, gate);

    if (us) {
        ngx_canary_out_lit(out, ", about ");
        ngx_canary_page_age(us, out);

    } else {
        ngx_canary_out_lit(out, " and gets none at present");
    }

    ngx_canary_out_lit(out, ".");
}


/* how long the missing samples take, as fast as they come in the window */
static uint64_t
ngx_canary_page_wait(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate)
{
    double                       us;
    uint64_t                     n;
    const ngx_canary_figures_t  *f;

    f = &split->variants[gate->index].figures[NGX_CANARY_WINDOW];

    switch (gate->rule->metric) {

    case NGX_CANARY_METRIC_THROUGHPUT:
        n = split->passages[NGX_CANARY_WINDOW];
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

    return us < 1e18 ? (uint64_t) us + 1 : 0;
}


/* canary_rollback manual: it is up to the reader */
static void
ngx_canary_page_fails(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                    i;
    const ngx_canary_gate_t  *gate;

    ngx_canary_out_lit(out, "The canary fails and still gets requests."
                            "</strong>");

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];

        if (gate->status == NGX_CANARY_GATE_FAIL) {
            ngx_canary_out_lit(out, " ");

            if (split->nvariants > 2) {
                ngx_canary_out_html(out, gate->variant);
                ngx_canary_out_lit(out, ": ");
            }

            ngx_canary_out_html(out, gate->reason);
            ngx_canary_out_lit(out, ".");
        }
    }

    ngx_canary_out_lit(out, " Roll it back: <code>canaryctl rollback</code>");
}


static void
ngx_canary_page_rolled_back(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    ngx_canary_out_lit(out, "Rolled back");

    for (i = split->njournal; i > 0; i--) {
        note = &split->journal[i - 1];

        if (note->event.len == sizeof("rollback") - 1
            && memcmp(note->event.data, "rollback", note->event.len) == 0)
        {
            ngx_canary_out_lit(out, " at ");
            ngx_canary_page_when(note->time_ms, now_ms, out);
            break;
        }
    }

    ngx_canary_page_cause(split, out);
    ngx_canary_page_unreached(split, out);
}


/* "by the gate p95 <= 500ms: 620ms ..", "by anna: timeouts" or only why */
static void
ngx_canary_page_cause(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                         i;
    ngx_canary_str_t               rest, text;
    const ngx_canary_gate_t       *gate;

    static const ngx_canary_str_t  colon = ngx_canary_text(": ");
    static const ngx_canary_str_t  broken = ngx_canary_text(" is broken: ");
    static const ngx_canary_str_t  by = ngx_canary_text("by ");

    for (i = 0; i < split->ngates; i++) {
        gate = &split->gates[i];
        rest = split->reason;
        text = gate->text;

        if (text.len > NGX_CANARY_PAGE_TEXT) {
            text.len = NGX_CANARY_PAGE_TEXT;
        }

        if (ngx_canary_page_begins(&rest, gate->variant)
            && ngx_canary_page_begins(&rest, colon)
            && ngx_canary_page_begins(&rest, text)
            && ngx_canary_page_begins(&rest, broken))
        {
            ngx_canary_out_lit(out, " by the gate ");
            ngx_canary_page_gate_name(split, gate, out);
            ngx_canary_out_lit(out, ".</strong> ");
            ngx_canary_out_html(out, rest);
            ngx_canary_out_lit(out, ".");
            return;
        }
    }

    rest = split->reason;

    if (ngx_canary_page_begins(&rest, by)) {
        ngx_canary_out_lit(out, " ");
        ngx_canary_out_html(out, split->reason);
        ngx_canary_out_lit(out, ".</strong>");
        return;
    }

    ngx_canary_out_lit(out, ".</strong> ");
    ngx_canary_out_html(out, split->reason);
    ngx_canary_out_lit(out, ".");
}


/* takes "part" off the front of "text" */
static int
ngx_canary_page_begins(ngx_canary_str_t *text, ngx_canary_str_t part)
{
    if (text->len < part.len
        || memcmp(text->data, part.data, part.len) != 0)
    {
        return 0;
    }

    text->data += part.len;
    text->len -= part.len;

    return 1;
}


static void
ngx_canary_page_unreached(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    size_t  i;

    for (i = 1; i < split->nvariants; i++) {
        if (i == 1) {
            ngx_canary_out_lit(out, " No request reaches ");

        } else if (i + 1 == split->nvariants) {
            ngx_canary_out_lit(out, " or ");

        } else {
            ngx_canary_out_lit(out, ", ");
        }

        ngx_canary_out_html(out, split->variants[i].name);
    }

    if (split->nvariants > 1) {
        ngx_canary_out_lit(out, ".");
    }
}


static void
ngx_canary_page_gate_name(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out)
{
    ngx_canary_out_html(out, gate->text);

    if (split->nvariants > 2) {
        ngx_canary_out_lit(out, " of ");
        ngx_canary_out_html(out, gate->variant);
    }
}


/* the date as well if that is another day */
static void
ngx_canary_page_when(uint64_t ms, uint64_t now_ms, ngx_canary_out_t *out)
{
    if (ms / NGX_CANARY_PAGE_DAY == now_ms / NGX_CANARY_PAGE_DAY) {
        ngx_canary_page_clock(ms, out);

    } else {
        ngx_canary_page_moment(ms, out);
    }

    ngx_canary_out_lit(out, " UTC");
}
