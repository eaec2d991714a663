/*
 * Output of the renderers: bytes, numbers and escaped text into the rooms that
 * the owner of ngx_canary_out_t hands out, however small these are.  After a
 * failure all of these write nothing.
 */

#ifndef NGX_CANARY_OUT_H_INCLUDED
#define NGX_CANARY_OUT_H_INCLUDED


#include <string.h>

#include "ngx_canary_render.h"


#pragma GCC visibility push(hidden)


/* a string literal as an ngx_canary_str_t initializer */
#define ngx_canary_text(text)                                                 \
    { sizeof(text) - 1, (const unsigned char *) (text) }

#define ngx_canary_out_lit(out, text)                                         \
    ngx_canary_out_bytes(out, text, sizeof(text) - 1)


/* any number of bytes, as they are; with the rest where there is no room */
void ngx_canary_out_rest(ngx_canary_out_t *out, const void *bytes, size_t len);

static inline void
ngx_canary_out_bytes(ngx_canary_out_t *out, const void *bytes, size_t len)
{
    if (len && len <= (size_t) (out->last - out->pos)) {
        memcpy(out->pos, bytes, len);
        out->pos += len;
        return;
    }

    ngx_canary_out_rest(out, bytes, len);
}

static inline void
ngx_canary_out_str(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_out_bytes(out, str.data, str.len);
}


void ngx_canary_out_u64(ngx_canary_out_t *out, uint64_t n);

/*
 * n / 10^digits in decimal without trailing zeros, "digits" from 0 to 6:
 * 12900000 of 6 digits is 12.9, 5000000 is 5
 */
void ngx_canary_out_decimal(ngx_canary_out_t *out, uint64_t n,
    unsigned digits);

/*
 * With at most three decimals; below 0, and what is not a number, is 0, beyond
 * 1e15 is 1e15
 */
void ngx_canary_out_real(ngx_canary_out_t *out, double value);

/* microseconds as seconds, or a share in 1e-6 as a fraction of 1 */
void ngx_canary_out_micro(ngx_canary_out_t *out, uint64_t n);

/* milliseconds since the epoch as seconds with three decimals */
void ngx_canary_out_moment(ngx_canary_out_t *out, uint64_t ms);

/*
 * A bound of a histogram in seconds as the canonical float of Prometheus
 * (1e-05, 0.005, 1), with "point" that of OpenMetrics (1.0)
 */
void ngx_canary_out_bound(ngx_canary_out_t *out, uint64_t us, int point);

/* a / b in 1e-6, rounded half up, saturated; 0 if b is 0 */
uint64_t ngx_canary_ratio_ppm(uint64_t a, uint64_t b);

/* n for each second of "us" microseconds, in 1e-6; 0 if "us" is 0 */
uint64_t ngx_canary_rate_ppm(uint64_t n, uint64_t us);

/* a / b rounded half up; 0 if b is 0 */
uint64_t ngx_canary_mean(uint64_t a, uint64_t b);

/*
 * Untrusted text.  A byte that is no part of valid UTF-8 becomes U+FFFD, as
 * do those that the format cannot hold: NUL in a label (the parser of
 * OpenMetrics in Prometheus ends there), control characters in HTML.  A part
 * of a JSON string goes without its quotes.
 */
void ngx_canary_out_json(ngx_canary_out_t *out, ngx_canary_str_t str);
void ngx_canary_out_json_part(ngx_canary_out_t *out, ngx_canary_str_t str);
void ngx_canary_out_label(ngx_canary_out_t *out, ngx_canary_str_t str);
void ngx_canary_out_html(ngx_canary_out_t *out, ngx_canary_str_t str);

/* the very bytes, as the value of an argument in a URL */
void ngx_canary_out_query(ngx_canary_out_t *out, ngx_canary_str_t str);

/*
 * Text with figures in it:
 *
 *     %V %H %J    const ngx_canary_str_t *: as it is, in HTML, a JSON string
 *     %s          const char *, as it is
 *     %u %z       uint64_t, size_t
 *     %M          uint64_t, ms since the epoch: in seconds
 *     %D %C       the same on the page: date and time, time
 *     %A          uint64_t, us on the page: an age
 *     %P          uint64_t, 1e-6 on the page: a percentage
 *     %W          double, a part of 1: where it is in a chart
 *     %%          a "%"
 */
void ngx_canary_print(ngx_canary_out_t *out, const char *fmt, ...);

/* what a renderer returns: 0, or -1 if the output had no room */
int ngx_canary_out_end(const ngx_canary_out_t *out);


#pragma GCC visibility pop

#endif /* NGX_CANARY_OUT_H_INCLUDED */
