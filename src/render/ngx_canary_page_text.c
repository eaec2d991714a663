/* Numbers and moments as people read them. */

#include "ngx_canary_page.h"


static void ngx_canary_page_digits(unsigned n, unsigned digits,
    ngx_canary_out_t *out);


/* the last millisecond of the year 9999 */
#define NGX_CANARY_PAGE_MAX_MS  253402300799999u

#define NGX_CANARY_PAGE_MINUTE  60000000u           /* us */


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
        ngx_canary_print(out, "%u &micro;s", us);

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
        ngx_canary_print(out, "%u s", us / 1000000);

    } else if (minutes < 60) {
        ngx_canary_print(out, "%u min", minutes);

    } else {
        ngx_canary_print(out, "%u h %u min", minutes / 60, minutes % 60);
    }
}


/*
 * UTC as 2025-11-22 21:10:12.  The date is counted in years that begin on
 * March 1, so that a leap day is a year's last, in eras of 400 years
 * (146097 days) since 0000-03-01, which is 719468 days before 1970-01-01.
 */
void
ngx_canary_page_moment(uint64_t ms, ngx_canary_out_t *out)
{
    unsigned  days, era, day, year, month;

    if (ms > NGX_CANARY_PAGE_MAX_MS) {
        ngx_canary_out_moment(out, ms);
        return;
    }

    days = (unsigned) (ms / 86400000) + 719468;

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
    ngx_canary_page_clock(ms, out);
}


void
ngx_canary_page_clock(uint64_t ms, ngx_canary_out_t *out)
{
    ngx_canary_page_minute(ms, out);
    ngx_canary_out_lit(out, ":");
    ngx_canary_page_digits((unsigned) (ms / 1000 % 60), 2, out);
}


void
ngx_canary_page_minute(uint64_t ms, ngx_canary_out_t *out)
{
    ngx_canary_page_digits((unsigned) (ms / 3600000 % 24), 2, out);
    ngx_canary_out_lit(out, ":");
    ngx_canary_page_digits((unsigned) (ms / 60000 % 60), 2, out);
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


void
ngx_canary_page_rate(uint64_t micro, ngx_canary_out_t *out)
{
    ngx_canary_out_decimal(out, ngx_canary_mean(micro, 10000), 2);
    ngx_canary_out_lit(out, "/s");
}


void
ngx_canary_page_figure(const ngx_canary_rule_t *rule, uint64_t micro,
    ngx_canary_out_t *out)
{
    switch (rule->metric) {

    case NGX_CANARY_METRIC_ERROR_RATE:
    case NGX_CANARY_METRIC_ABORT_RATE:
    case NGX_CANARY_METRIC_RETRY_RATE:
    case NGX_CANARY_METRIC_EVENT_RATIO:
        ngx_canary_page_percent(micro, out);
        break;

    case NGX_CANARY_METRIC_THROUGHPUT:
    case NGX_CANARY_METRIC_EVENT_RATE:
        ngx_canary_page_rate(micro, out);
        break;

    case NGX_CANARY_METRIC_EVENT_MEAN:
    case NGX_CANARY_METRIC_EVENT_QUANTILE:
        ngx_canary_out_micro(out, micro);
        break;

    default:
        ngx_canary_page_time(micro, out);
    }
}


uint64_t
ngx_canary_page_round(uint64_t n)
{
    uint64_t  unit;

    for (unit = 1; n / unit >= 1000; unit *= 10) { /* void */ }

    return ngx_canary_mean(n, unit) * unit;
}


void
ngx_canary_page_number(uint64_t n, const char *one, const char *many,
    ngx_canary_out_t *out)
{
    ngx_canary_print(out, "%u %s", n, n == 1 ? one : many);
}
