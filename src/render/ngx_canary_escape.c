/*
 * Names that people gave, in JSON, in labels of Prometheus and in HTML: of any
 * bytes, and always valid UTF-8 behind it.
 */


#include "ngx_canary_out.h"


#define NGX_CANARY_REPLACEMENT    "\xef\xbf\xbd"


/* how a format escapes; all that is in none of its texts is U+FFFD */
typedef struct {
    uint32_t          map[8];   /* a bit for each byte that cannot be copied
                                   as it is: ch >> 5, ch & 31 */
    unsigned          code:1;   /* .. is \u00XX instead */
    struct {
        unsigned char      ch;
        ngx_canary_str_t   text;
    } texts[8];
} ngx_canary_escape_t;


static void ngx_canary_escape(ngx_canary_out_t *out, ngx_canary_str_t str,
    const ngx_canary_escape_t *e);
static size_t ngx_canary_utf8(const unsigned char *p, size_t len);
static void ngx_canary_escape_ascii(ngx_canary_out_t *out, unsigned char ch,
    const ngx_canary_escape_t *e);


static const ngx_canary_escape_t  ngx_canary_escape_json = {
    {
        0xffffffff,                         /* control characters */
        0x00000004,                         /* " */
        0x10000000,                         /* \ */
        0x00000000,
        0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
    }, 1, {
        { '"', ngx_canary_text("\\\"") },
        { '\\', ngx_canary_text("\\\\") },
        { '\n', ngx_canary_text("\\n") },
        { '\r', ngx_canary_text("\\r") },
        { '\t', ngx_canary_text("\\t") }
    }
};

static const ngx_canary_escape_t  ngx_canary_escape_label = {
    {
        0x00000401,                         /* NUL, LF */
        0x00000004,                         /* " */
        0x10000000,                         /* \ */
        0x00000000,
        0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
    }, 0, {
        { '"', ngx_canary_text("\\\"") },
        { '\\', ngx_canary_text("\\\\") },
        { '\n', ngx_canary_text("\\n") }
    }
};

static const ngx_canary_escape_t  ngx_canary_escape_html = {
    {
        0xffffffff,                         /* control characters */
        0x500000c4,                         /* " & ' < > */
        0x00000000,
        0x80000000,                         /* DEL */
        0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
    }, 0, {
        { '"', ngx_canary_text("&quot;") },
        { '&', ngx_canary_text("&amp;") },
        { '\'', ngx_canary_text("&#39;") },
        { '<', ngx_canary_text("&lt;") },
        { '>', ngx_canary_text("&gt;") },
        { '\t', ngx_canary_text(" ") },
        { '\n', ngx_canary_text(" ") },
        { '\r', ngx_canary_text(" ") }
    }
};


void
ngx_canary_out_json(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_out_lit(out, "\"");
    ngx_canary_out_json_part(out, str);
    ngx_canary_out_lit(out, "\"");
}


void
ngx_canary_out_json_part(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_escape(out, str, &ngx_canary_escape_json);
}


void
ngx_canary_out_label(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_escape(out, str, &ngx_canary_escape_label);
}


void
ngx_canary_out_html(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    ngx_canary_escape(out, str, &ngx_canary_escape_html);
}


void
ngx_canary_out_query(ngx_canary_out_t *out, ngx_canary_str_t str)
{
    size_t         i;
    unsigned char  ch, hex[3];

    static const unsigned char  digits[] = "0123456789ABCDEF";

    for (i = 0; i < str.len; i++) {
        ch = str.data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
            || (ch >= '0' && ch <= '9') || ch == '-' || ch == '.' || ch == '_')
        {
            ngx_canary_out_bytes(out, &ch, 1);
            continue;
        }

        hex[0] = '%';
        hex[1] = digits[ch >> 4];
        hex[2] = digits[ch & 15];
        ngx_canary_out_bytes(out, hex, 3);
    }
}


static void
ngx_canary_escape(ngx_canary_out_t *out, ngx_canary_str_t str,
    const ngx_canary_escape_t *e)
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

        while (p < end && !(e->map[*p >> 5] & (1u << (*p & 31)))) {
            p++;
        }

        ngx_canary_out_bytes(out, run, (size_t) (p - run));

        if (p == end) {
            break;
        }

        if (*p < 0x80) {
            ngx_canary_escape_ascii(out, *p++, e);
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
ngx_canary_escape_ascii(ngx_canary_out_t *out, unsigned char ch,
    const ngx_canary_escape_t *e)
{
    size_t         i;
    unsigned char  code[6] = { '\\', 'u', '0', '0', '0', '0' };

    static const unsigned char  hex[] = "0123456789abcdef";

    for (i = 0; i < 8 && e->texts[i].text.len; i++) {
        if (e->texts[i].ch == ch) {
            ngx_canary_out_str(out, e->texts[i].text);
            return;
        }
    }

    if (e->code) {
        code[4] = hex[ch >> 4];
        code[5] = hex[ch & 0xf];
        ngx_canary_out_bytes(out, code, sizeof(code));

    } else {
        ngx_canary_out_lit(out, NGX_CANARY_REPLACEMENT);
    }
}
