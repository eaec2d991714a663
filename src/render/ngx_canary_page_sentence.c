/*
 * How a split does, in one sentence: what was done, what speaks against the
 * canary, and what it still waits for.  For the page, and the same words for
 * status.json.
 */

#include <stdarg.h>
#include <string.h>

#include "ngx_canary_page.h"


typedef struct {
    const ngx_canary_split_t  *split;
    uint64_t                   now_ms;
    ngx_canary_out_t          *out;
    int                        html;    /* or else within a string of JSON */
} ngx_canary_saying_t;


static void ngx_canary_page_mood_say(const ngx_canary_saying_t *s);
static void ngx_canary_say(const ngx_canary_saying_t *s, const char *fmt, ...);
static void ngx_canary_page_fails(const ngx_canary_saying_t *s);
static void ngx_canary_page_rolled_back(const ngx_canary_saying_t *s);
static void ngx_canary_page_cause(const ngx_canary_saying_t *s);
static int ngx_canary_page_begins(ngx_canary_str_t *text,
    ngx_canary_str_t part);
static void ngx_canary_page_unreached(const ngx_canary_saying_t *s);
static void ngx_canary_page_gate_name(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate);
static void ngx_canary_page_when(const ngx_canary_saying_t *s, uint64_t ms);
static void ngx_canary_page_go(const ngx_canary_saying_t *s);
static void ngx_canary_page_waits(const ngx_canary_saying_t *s);
static void ngx_canary_page_doubt(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate);
static void ngx_canary_page_needs(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate, size_t waits);
static uint64_t ngx_canary_page_wait(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate);


#define NGX_CANARY_PAGE_DAY     86400000u           /* ms */
#define NGX_CANARY_PAGE_SECOND  1000000             /* us */
#define NGX_CANARY_PAGE_NAMED   3       /* gates in doubt that are named */

/* a gate's text in the reason of a rollback is cut at this length */
#define NGX_CANARY_PAGE_TEXT    150


void
ngx_canary_page_sentence(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out)
{
    ngx_canary_saying_t       s;
    const ngx_canary_look_t  *look;

    s.split = split;
    s.now_ms = now_ms;
    s.out = out;
    s.html = 1;

    look = ngx_canary_page_look(ngx_canary_page_mood(split));

    ngx_canary_print(out, "<p class=\"say %V\"><span class=\"icon\" "
                          "aria-hidden=\"true\">%V</span> <strong>",
                     &look->class, &look->icon);
    ngx_canary_page_mood_say(&s);
    ngx_canary_out_lit(out, "</p>\n");
}


void
ngx_canary_json_sentence(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out)
{
    ngx_canary_saying_t  s;

    s.split = split;
    s.now_ms = now_ms;
    s.out = out;
    s.html = 0;

    ngx_canary_out_lit(out, "\"");
    ngx_canary_page_mood_say(&s);
    ngx_canary_out_lit(out, "\"");
}


/* the literals have nothing that HTML or JSON would have to escape */
static void
ngx_canary_page_mood_say(const ngx_canary_saying_t *s)
{
    switch (ngx_canary_page_mood(s->split)) {

    case NGX_CANARY_MOOD_NONE:
        ngx_canary_say(s, "No canary.</strong> All requests go to %V.",
                       &s->split->name);
        break;

    case NGX_CANARY_MOOD_OFF:
        ngx_canary_say(s, "Off since ");
        ngx_canary_page_when(s, s->split->stage_start_ms);
        ngx_canary_say(s, ".</strong>");
        ngx_canary_page_unreached(s);
        break;

    case NGX_CANARY_MOOD_IDLE:
        if (s->split->ngates == 0) {
            ngx_canary_say(s, "No gate judges the canary.</strong> Nothing "
                              "rolls it back by itself.");
        } else {
            ngx_canary_say(s, "The canary has no share yet.</strong> Only "
                              "forced requests reach it.");
        }

        break;

    case NGX_CANARY_MOOD_GO:
    case NGX_CANARY_MOOD_YOUNG:
        ngx_canary_say(s, "Nothing speaks against the canary.</strong>");
        ngx_canary_page_go(s);
        break;

    case NGX_CANARY_MOOD_DOUBT:
        ngx_canary_say(s, "The canary is in doubt.</strong>");
        ngx_canary_page_go(s);
        break;

    case NGX_CANARY_MOOD_HELD:
        ngx_canary_say(s, "All gates pass, but clients give up.</strong> %V.",
                       &s->split->reason);
        break;

    case NGX_CANARY_MOOD_FAILS:
        ngx_canary_page_fails(s);
        break;

    default: /* NGX_CANARY_MOOD_ROLLED_BACK */
        ngx_canary_page_rolled_back(s);
    }
}


/*
 * "%V" is text of others, escaped, and "%z" a size_t.  The rest has nothing
 * that HTML or JSON would have to escape: JSON goes without its tags.
 */
static void
ngx_canary_say(const ngx_canary_saying_t *s, const char *fmt, ...)
{
    size_t                   len;
    va_list                  args;
    const ngx_canary_str_t  *text;

    va_start(args, fmt);

    for ( /* void */ ; *fmt; fmt += len) {

        if (fmt[0] == '%' && fmt[1] == 'z') {
            len = 2;
            ngx_canary_out_u64(s->out, va_arg(args, size_t));

        } else if (fmt[0] == '%') {
            len = 2;
            text = va_arg(args, const ngx_canary_str_t *);

            if (s->html) {
                ngx_canary_out_html(s->out, *text);

            } else {
                ngx_canary_out_json_part(s->out, *text);
            }

        } else if (fmt[0] == '<' && !s->html) {
            len = strcspn(fmt, ">") + 1;

        } else {
            len = 1 + strcspn(fmt + 1, "%<");
            ngx_canary_out_bytes(s->out, fmt, len);
        }
    }

    va_end(args);
}


/* canary_rollback manual: it is up to the reader */
static void
ngx_canary_page_fails(const ngx_canary_saying_t *s)
{
    size_t                    i;
    const ngx_canary_gate_t  *gate;

    ngx_canary_say(s, "The canary fails and still gets requests.</strong>");

    for (i = 0; i < s->split->ngates; i++) {
        gate = &s->split->gates[i];

        if (gate->status != NGX_CANARY_GATE_FAIL) {
            continue;
        }

        if (s->split->nvariants > 2) {
            ngx_canary_say(s, " %V:", &gate->variant);
        }

        ngx_canary_say(s, " %V.", &gate->reason);
    }

    ngx_canary_say(s, " Roll it back: <code>canaryctl rollback</code>");
}


static void
ngx_canary_page_rolled_back(const ngx_canary_saying_t *s)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    ngx_canary_say(s, "Rolled back");

    for (i = s->split->njournal; i > 0; i--) {
        note = &s->split->journal[i - 1];

        if (note->event.len == sizeof("rollback") - 1
            && memcmp(note->event.data, "rollback", note->event.len) == 0)
        {
            ngx_canary_say(s, " at ");
            ngx_canary_page_when(s, note->time_ms);
            break;
        }
    }

    ngx_canary_page_cause(s);
    ngx_canary_page_unreached(s);
}


/* "by the gate p95 <= 500ms: 620ms ..", "by anna: timeouts" or only why */
static void
ngx_canary_page_cause(const ngx_canary_saying_t *s)
{
    size_t                         i;
    ngx_canary_str_t               rest, text;
    const ngx_canary_gate_t       *gate;

    static const ngx_canary_str_t  colon = ngx_canary_text(": ");
    static const ngx_canary_str_t  broken = ngx_canary_text(" is broken: ");
    static const ngx_canary_str_t  by = ngx_canary_text("by ");

    for (i = 0; i < s->split->ngates; i++) {
        gate = &s->split->gates[i];
        rest = s->split->reason;
        text = gate->text;

        if (text.len > NGX_CANARY_PAGE_TEXT) {
            text.len = NGX_CANARY_PAGE_TEXT;
        }

        if (ngx_canary_page_begins(&rest, gate->variant)
            && ngx_canary_page_begins(&rest, colon)
            && ngx_canary_page_begins(&rest, text)
            && ngx_canary_page_begins(&rest, broken))
        {
            ngx_canary_say(s, " by the gate ");
            ngx_canary_page_gate_name(s, gate);
            ngx_canary_say(s, ".</strong> %V.", &rest);
            return;
        }
    }

    rest = s->split->reason;

    if (ngx_canary_page_begins(&rest, by)) {
        ngx_canary_say(s, " %V.</strong>", &s->split->reason);

    } else {
        ngx_canary_say(s, ":</strong> %V.", &s->split->reason);
    }
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
ngx_canary_page_unreached(const ngx_canary_saying_t *s)
{
    size_t  i;

    for (i = 1; i < s->split->nvariants; i++) {
        if (i == 1) {
            ngx_canary_say(s, " No request reaches ");

        } else if (i + 1 == s->split->nvariants) {
            ngx_canary_say(s, " or ");

        } else {
            ngx_canary_say(s, ", ");
        }

        ngx_canary_say(s, "%V", &s->split->variants[i].name);
    }

    if (s->split->nvariants > 1) {
        ngx_canary_say(s, ".");
    }
}


static void
ngx_canary_page_gate_name(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate)
{
    ngx_canary_say(s, "%V", &gate->text);

    if (s->split->nvariants > 2) {
        ngx_canary_say(s, " of %V", &gate->variant);
    }
}


/* the date as well if that is another day */
static void
ngx_canary_page_when(const ngx_canary_saying_t *s, uint64_t ms)
{
    if (ms / NGX_CANARY_PAGE_DAY == s->now_ms / NGX_CANARY_PAGE_DAY) {
        ngx_canary_page_clock(ms, s->out);

    } else {
        ngx_canary_page_moment(ms, s->out);
    }

    ngx_canary_say(s, " UTC");
}


/* how many gates pass, and what the others wait for */
static void
ngx_canary_page_go(const ngx_canary_saying_t *s)
{
    size_t  i, passed;

    passed = 0;

    for (i = 0; i < s->split->ngates; i++) {
        passed += s->split->gates[i].status == NGX_CANARY_GATE_PASS;
    }

    if (passed < s->split->ngates) {
        ngx_canary_say(s, " %z of ", passed);
        ngx_canary_page_number(s->split->ngates, "gate passes.",
                               "gates pass.", s->out);
        ngx_canary_page_waits(s);

    } else if (passed == 1) {
        ngx_canary_say(s, " The gate passes.");

    } else {
        ngx_canary_say(s, " All %z gates pass.", passed);
    }
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
        ngx_canary_say(s, " And %z more.", doubts - NGX_CANARY_PAGE_NAMED);
    }

    if (last) {
        ngx_canary_page_needs(s, last, waits);
    }
}


static void
ngx_canary_page_doubt(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate)
{
    ngx_canary_say(s, " ");
    ngx_canary_page_gate_name(s, gate);
    ngx_canary_say(s, ": %V.", &gate->reason);
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

    if (gate->samples >= gate->min) {
        ngx_canary_page_doubt(s, gate);
        return;
    }

    ngx_canary_say(s, " ");

    if (waits > 1) {
        ngx_canary_say(s, "%z gates wait for samples. The last of them, ",
                       waits);
    }

    ngx_canary_page_gate_name(s, gate);
    ngx_canary_say(s, waits > 1 ? ", needs " : " needs ");
    ngx_canary_page_number(gate->min - gate->samples, "more sample",
                           "more samples", s->out);

    us = ngx_canary_page_wait(s, gate);

    if (us) {
        ngx_canary_print(s->out, ", about %A.", us);

    } else {
        ngx_canary_say(s, " and gets none at present.");
    }
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
