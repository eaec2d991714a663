/*
 * How a split does, in one sentence: what was done, what speaks against the
 * canary, and what is still missing.  For the page, and the same words for
 * status.json.
 */

#include <string.h>

#include "ngx_canary_saying.h"


static void ngx_canary_page_say(const ngx_canary_saying_t *s);
static void ngx_canary_page_mark(const ngx_canary_saying_t *s,
    const char *tag);
static void ngx_canary_page_fails(const ngx_canary_saying_t *s);
static void ngx_canary_page_rolled_back(const ngx_canary_saying_t *s);
static void ngx_canary_page_cause(const ngx_canary_saying_t *s);
static int ngx_canary_page_begins(ngx_canary_str_t *text,
    ngx_canary_str_t part);
static void ngx_canary_page_unreached(const ngx_canary_saying_t *s);
static void ngx_canary_page_when(const ngx_canary_saying_t *s, uint64_t ms);


#define NGX_CANARY_PAGE_DAY     86400000u           /* ms */

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

    ngx_canary_out_lit(out, "<p class=\"say ");
    ngx_canary_out_str(out, look->class);
    ngx_canary_out_lit(out, "\"><span class=\"icon\" aria-hidden=\"true\">");
    ngx_canary_out_str(out, look->icon);
    ngx_canary_out_lit(out, "</span> <strong>");
    ngx_canary_page_say(&s);
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
    ngx_canary_page_say(&s);
    ngx_canary_out_lit(out, "\"");
}


/* the literals have nothing that HTML or JSON would have to escape */
static void
ngx_canary_page_say(const ngx_canary_saying_t *s)
{
    switch (ngx_canary_page_mood(s->split)) {

    case NGX_CANARY_MOOD_NONE:
        ngx_canary_out_lit(s->out, "No canary.");
        ngx_canary_page_mark(s, "</strong>");
        ngx_canary_out_lit(s->out, " All requests go to ");
        ngx_canary_page_text(s, s->split->name);
        ngx_canary_out_lit(s->out, ".");
        break;

    case NGX_CANARY_MOOD_OFF:
        ngx_canary_out_lit(s->out, "Off since ");
        ngx_canary_page_when(s, s->split->stage_start_ms);
        ngx_canary_out_lit(s->out, ".");
        ngx_canary_page_mark(s, "</strong>");
        ngx_canary_page_unreached(s);
        break;

    case NGX_CANARY_MOOD_IDLE:
        if (s->split->ngates == 0) {
            ngx_canary_out_lit(s->out, "No gate judges the canary.");
            ngx_canary_page_mark(s, "</strong>");
            ngx_canary_out_lit(s->out, " Nothing rolls it back by itself.");
        } else {
            ngx_canary_out_lit(s->out, "The canary has no share yet.");
            ngx_canary_page_mark(s, "</strong>");
            ngx_canary_out_lit(s->out, " Only forced requests reach it.");
        }

        break;

    case NGX_CANARY_MOOD_GO:
    case NGX_CANARY_MOOD_YOUNG:
        ngx_canary_out_lit(s->out, "Nothing speaks against the canary.");
        ngx_canary_page_mark(s, "</strong>");
        ngx_canary_page_go(s);
        break;

    case NGX_CANARY_MOOD_DOUBT:
        ngx_canary_out_lit(s->out, "The canary is in doubt.");
        ngx_canary_page_mark(s, "</strong>");
        ngx_canary_page_go(s);
        break;

    case NGX_CANARY_MOOD_HELD:
        ngx_canary_out_lit(s->out, "All gates pass, but clients give up.");
        ngx_canary_page_mark(s, "</strong>");
        ngx_canary_out_lit(s->out, " ");
        ngx_canary_page_text(s, s->split->reason);
        ngx_canary_out_lit(s->out, ".");
        break;

    case NGX_CANARY_MOOD_FAILS:
        ngx_canary_page_fails(s);
        break;

    default: /* NGX_CANARY_MOOD_ROLLED_BACK */
        ngx_canary_page_rolled_back(s);
    }
}


/* markup, which JSON goes without */
static void
ngx_canary_page_mark(const ngx_canary_saying_t *s, const char *tag)
{
    if (s->html) {
        ngx_canary_out_bytes(s->out, tag, strlen(tag));
    }
}


void
ngx_canary_page_text(const ngx_canary_saying_t *s, ngx_canary_str_t str)
{
    if (s->html) {
        ngx_canary_out_html(s->out, str);

    } else {
        ngx_canary_out_json_part(s->out, str);
    }
}


/* canary_rollback manual: it is up to the reader */
static void
ngx_canary_page_fails(const ngx_canary_saying_t *s)
{
    size_t                    i;
    const ngx_canary_gate_t  *gate;

    ngx_canary_out_lit(s->out, "The canary fails and still gets requests.");
    ngx_canary_page_mark(s, "</strong>");

    for (i = 0; i < s->split->ngates; i++) {
        gate = &s->split->gates[i];

        if (gate->status == NGX_CANARY_GATE_FAIL) {
            ngx_canary_out_lit(s->out, " ");

            if (s->split->nvariants > 2) {
                ngx_canary_page_text(s, gate->variant);
                ngx_canary_out_lit(s->out, ": ");
            }

            ngx_canary_page_text(s, gate->reason);
            ngx_canary_out_lit(s->out, ".");
        }
    }

    ngx_canary_out_lit(s->out, " Roll it back: ");
    ngx_canary_page_mark(s, "<code>");
    ngx_canary_out_lit(s->out, "canaryctl rollback");
    ngx_canary_page_mark(s, "</code>");
}


static void
ngx_canary_page_rolled_back(const ngx_canary_saying_t *s)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    ngx_canary_out_lit(s->out, "Rolled back");

    for (i = s->split->njournal; i > 0; i--) {
        note = &s->split->journal[i - 1];

        if (note->event.len == sizeof("rollback") - 1
            && memcmp(note->event.data, "rollback", note->event.len) == 0)
        {
            ngx_canary_out_lit(s->out, " at ");
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
            ngx_canary_out_lit(s->out, " by the gate ");
            ngx_canary_page_gate_name(s, gate);
            ngx_canary_out_lit(s->out, ".");
            ngx_canary_page_mark(s, "</strong>");
            ngx_canary_out_lit(s->out, " ");
            ngx_canary_page_text(s, rest);
            ngx_canary_out_lit(s->out, ".");
            return;
        }
    }

    rest = s->split->reason;

    if (ngx_canary_page_begins(&rest, by)) {
        ngx_canary_out_lit(s->out, " ");
        ngx_canary_page_text(s, s->split->reason);
        ngx_canary_out_lit(s->out, ".");
        ngx_canary_page_mark(s, "</strong>");
        return;
    }

    ngx_canary_out_lit(s->out, ":");
    ngx_canary_page_mark(s, "</strong>");
    ngx_canary_out_lit(s->out, " ");
    ngx_canary_page_text(s, s->split->reason);
    ngx_canary_out_lit(s->out, ".");
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
            ngx_canary_out_lit(s->out, " No request reaches ");

        } else if (i + 1 == s->split->nvariants) {
            ngx_canary_out_lit(s->out, " or ");

        } else {
            ngx_canary_out_lit(s->out, ", ");
        }

        ngx_canary_page_text(s, s->split->variants[i].name);
    }

    if (s->split->nvariants > 1) {
        ngx_canary_out_lit(s->out, ".");
    }
}


void
ngx_canary_page_gate_name(const ngx_canary_saying_t *s,
    const ngx_canary_gate_t *gate)
{
    ngx_canary_page_text(s, gate->text);

    if (s->split->nvariants > 2) {
        ngx_canary_out_lit(s->out, " of ");
        ngx_canary_page_text(s, gate->variant);
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

    ngx_canary_out_lit(s->out, " UTC");
}
