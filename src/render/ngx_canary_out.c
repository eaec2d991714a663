#include <string.h>

#include "ngx_canary_out.h"


#define NGX_CANARY_OUT_MAX_NEED   256
#define NGX_CANARY_OUT_NUMBER     32    /* 20 digits, a point, an exponent */
#define NGX_CANARY_OUT_MAX_REAL   1e15


static int ngx_canary_out_room(ngx_canary_out_t *out, size_t need);
static unsigned char *ngx_canary_digits(unsigned char *p, uint64_t n);


static const uint64_t  ngx_canary_power[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000
};


static int
ngx_canary_out_room(ngx_canary_out_t *out, size_t need)
{
    if ((size_t) (out->last - out->pos) >= need) {
        return 0;
    }

    if (!out->failed && out->more(out, need) == 0) {
        return 0;
    }

    /* no room at all: every later write ends up here */

    out->failed = 1;
    out->last = out->pos;

    return -1;
}


void
ngx_canary_out_rest(ngx_canary_out_t *out, const void *bytes, size_t len)
{
    size_t                n, need;
    const unsigned char  *p;

    p = bytes;

    while (len) {
        if (out->pos == out->last) {
            need = len < NGX_CANARY_OUT_MAX_NEED ? len
                                                 : NGX_CANARY_OUT_MAX_NEED;

            if (ngx_canary_out_room(out, need) != 0) {
                return;
            }
        }

        n = (size_t) (out->last - out->pos);
        n = len < n ? len : n;

        memcpy(out->pos, p, n);

        out->pos += n;
        p += n;
        len -= n;
    }
}


static unsigned char *
ngx_canary_digits(unsigned char *p, uint64_t n)
{
    unsigned char  *end, buf[20];

    end = buf + sizeof(buf);

    do {
        *--end = (unsigned char) ('0' + n % 10);
        n /= 10;
    } while (n);

    while (end < buf + sizeof(buf)) {
        *p++ = *end++;
    }

    return p;
}


void
ngx_canary_out_u64(ngx_canary_out_t *out, uint64_t n)
{
    if (ngx_canary_out_room(out, NGX_CANARY_OUT_NUMBER) == 0) {
        out->pos = ngx_canary_digits(out->pos, n);
    }
}


void
ngx_canary_out_decimal(ngx_canary_out_t *out, uint64_t n, unsigned digits)
{
    unsigned   i;
    uint64_t   fraction;

    if (ngx_canary_out_room(out, NGX_CANARY_OUT_NUMBER) != 0) {
        return;
    }

    fraction = n % ngx_canary_power[digits];

    out->pos = ngx_canary_digits(out->pos, n / ngx_canary_power[digits]);

    if (fraction == 0) {
        return;
    }

    while (fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }

    *out->pos++ = '.';

    for (i = digits; i > 0; i--) {
        out->pos[i - 1] = (unsigned char) ('0' + fraction % 10);
        fraction /= 10;
    }

    out->pos += digits;
}


void
ngx_canary_out_real(ngx_canary_out_t *out, double value)
{
    if (!(value > 0)) {
        value = 0;

    } else if (value > NGX_CANARY_OUT_MAX_REAL) {
        value = NGX_CANARY_OUT_MAX_REAL;
    }

    ngx_canary_out_decimal(out, (uint64_t) (value * 1000 + 0.5), 3);
}


void
ngx_canary_out_micro(ngx_canary_out_t *out, uint64_t n)
{
    ngx_canary_out_decimal(out, n, 6);
}


void
ngx_canary_out_moment(ngx_canary_out_t *out, uint64_t ms)
{
    if (ngx_canary_out_room(out, NGX_CANARY_OUT_NUMBER) != 0) {
        return;
    }

    out->pos = ngx_canary_digits(out->pos, ms / 1000);

    *out->pos++ = '.';
    *out->pos++ = (unsigned char) ('0' + ms / 100 % 10);
    *out->pos++ = (unsigned char) ('0' + ms / 10 % 10);
    *out->pos++ = (unsigned char) ('0' + ms % 10);
}


void
ngx_canary_out_bound(ngx_canary_out_t *out, uint64_t us, int point)
{
    /* as %g does, with an exponent below 0.0001 */

    if (us > 0 && us < 10) {
        ngx_canary_out_u64(out, us);
        ngx_canary_out_lit(out, "e-06");
        return;
    }

    if (us >= 10 && us < 100) {
        ngx_canary_out_decimal(out, us, 1);
        ngx_canary_out_lit(out, "e-05");
        return;
    }

    ngx_canary_out_micro(out, us);

    if (point && us % 1000000 == 0) {
        ngx_canary_out_lit(out, ".0");
    }
}


uint64_t
ngx_canary_ratio_ppm(uint64_t a, uint64_t b)
{
    uint64_t  whole, rest;

    if (b == 0) {
        return 0;
    }

    whole = a / b;
    rest = a % b;

    if (whole >= UINT64_MAX / 1000000) {
        return UINT64_MAX;
    }

    /* keeps rest * 1e6 + b / 2 within 64 bits, at no loss of six decimals */

    while (b > UINT64_MAX / 2000000) {
        b >>= 1;
        rest >>= 1;
    }

    return whole * 1000000 + (rest * 1000000 + b / 2) / b;
}


uint64_t
ngx_canary_rate_ppm(uint64_t n, uint64_t us)
{
    if (us == 0) {
        return 0;
    }

    while (n > UINT64_MAX / 1000000) {
        n >>= 1;
        us = us > 1 ? us >> 1 : 1;
    }

    return ngx_canary_ratio_ppm(n * 1000000, us);
}


uint64_t
ngx_canary_mean(uint64_t a, uint64_t b)
{
    if (b == 0) {
        return 0;
    }

    return a / b + (a % b >= b - a % b);
}


int
ngx_canary_out_end(const ngx_canary_out_t *out)
{
    return out->failed ? -1 : 0;
}
