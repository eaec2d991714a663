/*
 * An Accept header is a list of media ranges, each with parameters, of which
 * "q" alone matters here.  A range with a wildcard names no format: whoever
 * accepts anything gets the plain one.
 */

#include "ngx_canary_accept.h"
#include "ngx_canary_number.h"

#include <string.h>


/* less the blanks around it */
typedef struct {
    const unsigned char  *data;
    size_t                len;
} ngx_canary_token_t;


static void ngx_canary_accept_range(ngx_canary_accept_t *accept,
    ngx_canary_token_t *range);
static const unsigned char *ngx_canary_accept_token(const unsigned char *p,
    const unsigned char *last, int stop, ngx_canary_token_t *token);
static int ngx_canary_accept_is(const ngx_canary_token_t *token,
    const char *type);
static unsigned int ngx_canary_accept_quality(const unsigned char *text,
    size_t len);


void
ngx_canary_accept_parse(ngx_canary_accept_t *accept, const unsigned char *text,
    size_t len)
{
    ngx_canary_token_t    range;
    const unsigned char  *last;

    last = text + len;

    while (text < last) {
        text = ngx_canary_accept_token(text, last, ',', &range);
        ngx_canary_accept_range(accept, &range);
    }
}


static void
ngx_canary_accept_range(ngx_canary_accept_t *accept, ngx_canary_token_t *range)
{
    unsigned int          quality, *best;
    ngx_canary_token_t    type, param;
    const unsigned char  *p, *last;

    last = range->data + range->len;
    p = ngx_canary_accept_token(range->data, last, ';', &type);
    quality = 1000;

    while (p < last) {
        p = ngx_canary_accept_token(p, last, ';', &param);

        if (param.len >= 2 && (param.data[0] | 0x20) == 'q'
            && param.data[1] == '=')
        {
            quality = ngx_canary_accept_quality(param.data + 2, param.len - 2);
        }
    }

    if (ngx_canary_accept_is(&type, "application/openmetrics-text")) {
        best = &accept->openmetrics;

    } else if (ngx_canary_accept_is(&type, "text/plain")) {
        best = &accept->plain;

    } else {
        return;
    }

    if (*best < quality) {
        *best = quality;
    }
}


/* what stands before "stop"; returns where to go on */

static const unsigned char *
ngx_canary_accept_token(const unsigned char *p, const unsigned char *last,
    int stop, ngx_canary_token_t *token)
{
    const unsigned char  *end, *next;

    end = (p < last) ? memchr(p, stop, (size_t) (last - p)) : NULL;
    next = end ? end + 1 : last;

    if (end == NULL) {
        end = last;
    }

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    token->data = p;
    token->len = (size_t) (end - p);

    return next;
}


/* "type" is in lower case */

static int
ngx_canary_accept_is(const ngx_canary_token_t *token, const char *type)
{
    size_t         i;
    unsigned char  ch;

    if (token->len != strlen(type)) {
        return 0;
    }

    for (i = 0; i < token->len; i++) {
        ch = token->data[i];

        if (ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        if (ch != (unsigned char) type[i]) {
            return 0;
        }
    }

    return 1;
}


static unsigned int
ngx_canary_accept_quality(const unsigned char *text, size_t len)
{
    uint64_t  milli;

    if (len > sizeof("0.999") - 1
        || ngx_canary_number_parse(text, len, &milli) != 0
        || milli > 1000)
    {
        return 0;
    }

    return (unsigned int) milli;
}
