/*
 * Parts of the page: the gates, the journal, and numbers and moments for
 * people.
 */


#include "ngx_canary_page.h"


static void ngx_canary_page_gate(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out);
static void ngx_canary_page_figure(const ngx_canary_gate_t *gate,
    uint64_t there, uint64_t micro, ngx_canary_out_t *out);
static void ngx_canary_page_evidence(const ngx_canary_gate_t *gate,
    ngx_canary_out_t *out);
static void ngx_canary_page_digits(unsigned n, unsigned digits,
    ngx_canary_out_t *out);


/* the last millisecond of the year 9999 */
#define NGX_CANARY_PAGE_MAX_MS  253402300799999u

#define NGX_CANARY_PAGE_MINUTE  60000000u           /* us */


void
ngx_canary_page_gates(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i;

    if (split->ngates == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<table class=\"text gates\">\n"
                            "<tr><td>gate</td><td>status</td><td>stage</td>"
                            "<td>window</td><td>samples</td><td>evidence</td>"
                            "<td>reason</td></tr>\n");

    for (i = 0; i < split->ngates && !out->failed; i++) {
        ngx_canary_page_gate(split, &split->gates[i], out);
    }

    ngx_canary_out_lit(out, "</table>\n");
}


static void
ngx_canary_page_gate(const ngx_canary_split_t *split,
    const ngx_canary_gate_t *gate, ngx_canary_out_t *out)
{
    ngx_canary_str_t  status;

    status = ngx_canary_statuses[gate->status];

    ngx_canary_out_lit(out, "<tr><td>");

    if (split->nvariants > 2) {
        ngx_canary_out_html(out, gate->variant);
        ngx_canary_out_lit(out, " ");
    }

    ngx_canary_out_html(out, gate->text);
    ngx_canary_out_lit(out, "</td><td class=\"");
    ngx_canary_out_str(out, status);
    ngx_canary_out_lit(out, "\">");
    ngx_canary_out_str(out, status);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_figure(gate, gate->has_actual, gate->actual, out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_figure(gate, gate->has_window, gate->window, out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_out_u64(out, gate->samples);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_page_evidence(gate, out);
    ngx_canary_out_lit(out, "</td><td>");
    ngx_canary_out_html(out, gate->reason);
    ngx_canary_out_lit(out, "</td></tr>\n");
}


static void
ngx_canary_page_figure(const ngx_canary_gate_t *gate, uint64_t there,
    uint64_t micro, ngx_canary_out_t *out)
{
    if (there == 0) {
        ngx_canary_out_lit(out, "&ndash;");
        return;
    }

    switch (gate->rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        ngx_canary_page_percent(micro, out);
        break;

    case NGX_CANARY_METRIC_THROUGHPUT:
    case NGX_CANARY_METRIC_EVENT_RATE:
        ngx_canary_out_decimal(out, ngx_canary_mean(micro, 10000), 2);
        ngx_canary_out_lit(out, "/s");
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        ngx_canary_out_micro(out, micro);
        break;

    default:
        ngx_canary_page_time(micro, out);
    }
}


/* the part of what fails, rounded down: 100% fails */
static void
ngx_canary_page_evidence(const ngx_canary_gate_t *gate, ngx_canary_out_t *out)
{
    if (gate->rule->metric == NGX_CANARY_METRIC_THROUGHPUT) {
        ngx_canary_out_lit(out, "&ndash;");
        return;
    }

    ngx_canary_out_u64(out, (uint64_t) (gate->evidence_ratio * 100));
    ngx_canary_out_lit(out, "%");
}


/* the newest first */
void
ngx_canary_page_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    if (split->njournal == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<h3>Journal</h3>\n<table class=\"text\">\n");

    for (i = split->njournal; i > 0 && !out->failed; i--) {
        note = &split->journal[i - 1];

        ngx_canary_out_lit(out, "<tr><td>");
        ngx_canary_page_moment(note->time_ms, out);
        ngx_canary_out_lit(out, "</td><td>");
        ngx_canary_out_html(out, note->event);
        ngx_canary_out_lit(out, "</td><td>");
        ngx_canary_out_html(out, note->text);
        ngx_canary_out_lit(out, "</td></tr>\n");
    }

    ngx_canary_out_lit(out, "</table>\n");
}


void
ngx_canary_page_percent(uint64_t ppm, ngx_canary_out_t *out)
{
    ngx_canary_out_decimal(out, ppm, 4);
    ngx_canary_out_lit(out, "%");
}


void
ngx_canary_page_time(uint64_t us, ngx_canary_out_t *out)
{
    if (us < 1000) {
        ngx_canary_out_u64(out, us);
        ngx_canary_out_lit(out, " &micro;s");

    } else if (us < 1000000) {
        ngx_canary_out_decimal(out, us, 3);
        ngx_canary_out_lit(out, " ms");

    } else {
        ngx_canary_out_decimal(out, ngx_canary_mean(us, 1000), 3);
        ngx_canary_out_lit(out, " s");
    }
}


void
ngx_canary_page_age(uint64_t us, ngx_canary_out_t *out)
{
    uint64_t  minutes;

    minutes = us / NGX_CANARY_PAGE_MINUTE;

    if (minutes == 0) {
        ngx_canary_out_u64(out, us / 1000000);
        ngx_canary_out_lit(out, " s");
        return;
    }

    if (minutes >= 60) {
        ngx_canary_out_u64(out, minutes / 60);
        ngx_canary_out_lit(out, " h ");
    }

    ngx_canary_out_u64(out, minutes % 60);
    ngx_canary_out_lit(out, " min");
}


/*
 * UTC as 2025-11-22 21:10:12.  The date is counted in years that begin on
 * March 1, so that a leap day is a year's last, in eras of 400 years
 * (146097 days) since 0000-03-01, which is 719468 days before 1970-01-01.
 */
void
ngx_canary_page_moment(uint64_t ms, ngx_canary_out_t *out)
{
    unsigned  days, era, day, year, month, seconds;

    if (ms > NGX_CANARY_PAGE_MAX_MS) {
        ngx_canary_out_moment(out, ms);
        return;
    }

    days = (unsigned) (ms / 86400000) + 719468;
    seconds = (unsigned) (ms / 1000 % 86400);

    era = days / 146097;
    day = days % 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;                    /* 0 is March */
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);

    ngx_canary_page_digits(year, 4, out);
    ngx_canary_out_lit(out, "-");
    ngx_canary_page_digits(month < 10 ? month + 3 : month - 9, 2, out);
    ngx_canary_out_lit(out, "-");
    ngx_canary_page_digits(day + 1, 2, out);
    ngx_canary_out_lit(out, " ");
    ngx_canary_page_digits(seconds / 3600, 2, out);
    ngx_canary_out_lit(out, ":");
    ngx_canary_page_digits(seconds / 60 % 60, 2, out);
    ngx_canary_out_lit(out, ":");
    ngx_canary_page_digits(seconds % 60, 2, out);
}


static void
ngx_canary_page_digits(unsigned n, unsigned digits, ngx_canary_out_t *out)
{
    unsigned       i;
    unsigned char  buf[4];

    for (i = digits; i > 0; i--) {
        buf[i - 1] = (unsigned char) ('0' + n % 10);
        n /= 10;
    }

    ngx_canary_out_bytes(out, buf, digits);
}
