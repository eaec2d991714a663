#include <string.h>

#include "ngx_canary_out.h"


#define NGX_CANARY_OUT_MAX_NEED   256
#define NGX_CANARY_OUT_NUMBER     32    /* 20 digits, a point, an exponent */

#define NGX_CANARY_REPLACEMENT    "\xef\xbf\xbd"


/* writes what stands for an ASCII character that cannot stand for itself */
typedef void (*ngx_canary_replace_pt)(ngx_canary_out_t *out, unsigned char ch);


static int ngx_canary_out_room(ngx_canary_out_t *out, size_t need);
static unsigned char *ngx_canary_digits(unsigned char *p, uint64_t n);
static void ngx_canary_escape(ngx_canary_out_t *out, ngx_canary_str_t str,
    const uint32_t *map, ngx_canary_replace_pt replace);
static size_t ngx_canary_utf8(const unsigned char *p, size_t len);
static void ngx_canary_replace_json(ngx_canary_out_t *out, unsigned char ch);
static void ngx_canary_replace_label(ngx_canary_out_t *out, unsigned char ch);
static void ngx_canary_replace_html(ngx_canary_out_t *out, unsigned char ch);


/* a bit for each byte that cannot be copied as it is: ch >> 5, ch & 31 */

static const uint32_t  ngx_canary_map_json[] = {
    0xffffffff,                         /* control characters */
    0x00000004,                         /* " */
    0x10000000,                         /* \ */
    0x00000000,
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};

static const uint32_t  ngx_canary_map_label[] = {
    0x00000401,                         /* NUL, LF */
    0x00000004,                         /* " */
    0x10000000,                         /* \ */
    0x00000000,
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};

static const uint32_t  ngx_canary_map_html[] = {
    0xffffffff,                         /* control characters */
    0x500000c4,                         /* " & ' < > */
    0x00000000,
    0x80000000,                         /* DEL */
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};

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
ngx_canary_out_bytes(ngx_canary_out_t *out, const void *bytes, size_t len)
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


void
ngx_canary_out_str(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_out_bytes(out, str.data, str.len);
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


void
ngx_canary_out_ratio(ngx_canary_out_t *out, uint64_t a, uint64_t b)
{
    ngx_canary_out_micro(out, ngx_canary_ratio_ppm(a, b));
}


void
ngx_canary_out_rate(ngx_canary_out_t *out, uint64_t n, uint64_t us)
{
    ngx_canary_out_micro(out, ngx_canary_rate_ppm(n, us));
}


void
ngx_canary_out_json(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_out_lit(out, "\"");
    ngx_canary_escape(out, str, ngx_canary_map_json, ngx_canary_replace_json);
    ngx_canary_out_lit(out, "\"");
}


void
ngx_canary_out_label(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_escape(out, str, ngx_canary_map_label,
                      ngx_canary_replace_label);
}


void
ngx_canary_out_html(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_escape(out, str, ngx_canary_map_html, ngx_canary_replace_html);
}


int
ngx_canary_out_end(const ngx_canary_out_t *out)
{
    return out->failed ? -1 : 0;
}


static void
ngx_canary_escape(ngx_canary_out_t *out, ngx_canary_str_t str,
    const uint32_t *map, ngx_canary_replace_pt replace)
{
    size_t                n;
    const unsigned char  *p, *run, *end;

    if (str.len == 0) {
        return;                         /* data may be NULL */
    }

    p = str.data;
    end = p + str.len;

    while (p < end) {
        run = p;

        while (p < end && !(map[*p >> 5] & (1u << (*p & 31)))) {
            p++;
        }

        ngx_canary_out_bytes(out, run, (size_t) (p - run));

        if (p == end) {
            break;
        }

        if (*p < 0x80) {
            replace(out, *p++);
            continue;
        }

        n = ngx_canary_utf8(p, (size_t) (end - p));

        if (n) {
            ngx_canary_out_bytes(out, p, n);
            p += n;

        } else {
            ngx_canary_out_lit(out, NGX_CANARY_REPLACEMENT);
            p++;
        }
    }
}


/*
 * The length of the valid sequence of two to four bytes that "p" starts with,
 * or 0.  Table 3-7 of the Unicode standard: the second byte of some leads is
 * narrowed, against overlong forms, surrogates and what is beyond U+10FFFF.
 */
static size_t
ngx_canary_utf8(const unsigned char *p, size_t len)
{
    size_t         n, i;
    unsigned char  low, high;

    low = 0x80;
    high = 0xbf;

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;

    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        low = p[0] == 0xe0 ? 0xa0 : low;
        high = p[0] == 0xed ? 0x9f : high;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = p[0] == 0xf0 ? 0x90 : low;
        high = p[0] == 0xf4 ? 0x8f : high;

    } else {
        return 0;
    }

    if (len < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


static void
ngx_canary_replace_json(ngx_canary_out_t *out, unsigned char ch)
{
    unsigned char      code[6] = { '\\', 'u', '0', '0', '0', '0' };
    static const char  hex[] = "0123456789abcdef";

    switch (ch) {

    case '"':
        ngx_canary_out_lit(out, "\\\"");
        return;

    case '\\':
        ngx_canary_out_lit(out, "\\\\");
        return;

    case '\n':
        ngx_canary_out_lit(out, "\\n");
        return;

    case '\r':
        ngx_canary_out_lit(out, "\\r");
        return;

    case '\t':
        ngx_canary_out_lit(out, "\\t");
        return;
    }

    code[4] = (unsigned char) hex[ch >> 4];
    code[5] = (unsigned char) hex[ch & 0xf];

    ngx_canary_out_bytes(out, code, sizeof(code));
}


static void
ngx_canary_replace_label(ngx_canary_out_t *out, unsigned char ch)
{
    switch (ch) {

    case '"':
        ngx_canary_out_lit(out, "\\\"");
        break;

    case '\\':
        ngx_canary_out_lit(out, "\\\\");
        break;

    case '\n':
        ngx_canary_out_lit(out, "\\n");
        break;

    default:
        ngx_canary_out_lit(out, NGX_CANARY_REPLACEMENT);
    }
}


static void
ngx_canary_replace_html(ngx_canary_out_t *out, unsigned char ch)
{
    switch (ch) {

    case '"':
        ngx_canary_out_lit(out, "&quot;");
        break;

    case '&':
        ngx_canary_out_lit(out, "&amp;");
        break;

    case '\'':
        ngx_canary_out_lit(out, "&#39;");
        break;

    case '<':
        ngx_canary_out_lit(out, "&lt;");
        break;

    case '>':
        ngx_canary_out_lit(out, "&gt;");
        break;

    case '\t':
    case '\n':
    case '\r':
        ngx_canary_out_lit(out, " ");
        break;

    default:
        ngx_canary_out_lit(out, NGX_CANARY_REPLACEMENT);
    }
}
