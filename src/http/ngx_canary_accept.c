
#include "ngx_canary_response.h"


static void ngx_canary_accept_parse(ngx_str_t *value, ngx_int_t *openmetrics,
    ngx_int_t *plain);
static u_char *ngx_canary_accept_token(u_char *p, u_char *last, u_char stop,
    ngx_str_t *token);
static ngx_int_t ngx_canary_accept_quality(ngx_str_t *param);


ngx_uint_t
ngx_canary_accepts_openmetrics(ngx_http_request_t *r)
{
    ngx_int_t         openmetrics, plain;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    openmetrics = 0;
    plain = 0;

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept",
                               sizeof("Accept") - 1)
               == 0)
        {
            ngx_canary_accept_parse(&header[i].value, &openmetrics, &plain);
        }
    }

    return openmetrics > 0 && openmetrics >= plain;
}


/* raises the qualities, which are in 1e-3, to those in "value" */

static void
ngx_canary_accept_parse(ngx_str_t *value, ngx_int_t *openmetrics,
    ngx_int_t *plain)
{
    u_char     *p, *last, *q, *end;
    ngx_int_t   quality;
    ngx_str_t   range, type, param;

    p = value->data;
    last = p + value->len;

    while (p < last) {
        p = ngx_canary_accept_token(p, last, ',', &range);

        end = range.data + range.len;
        q = ngx_canary_accept_token(range.data, end, ';', &type);
        quality = 1000;

        while (q < end) {
            q = ngx_canary_accept_token(q, end, ';', &param);

            if (param.len >= 2 && (param.data[0] | 0x20) == 'q'
                && param.data[1] == '=')
            {
                quality = ngx_canary_accept_quality(&param);
            }
        }

        if (type.len == sizeof("application/openmetrics-text") - 1
            && ngx_strncasecmp(type.data,
                               (u_char *) "application/openmetrics-text",
                               type.len)
               == 0)
        {
            *openmetrics = ngx_max(*openmetrics, quality);

        } else if (type.len == sizeof("text/plain") - 1
                   && ngx_strncasecmp(type.data, (u_char *) "text/plain",
                                      type.len)
                      == 0)
        {
            *plain = ngx_max(*plain, quality);
        }
    }
}


/* what stands before "stop", less blanks; returns where to go on */

static u_char *
ngx_canary_accept_token(u_char *p, u_char *last, u_char stop,
    ngx_str_t *token)
{
    u_char  *end;

    end = ngx_strlchr(p, last, stop);

    if (end == NULL) {
        end = last;
    }

    last = (end == last) ? last : end + 1;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    token->len = end - p;
    token->data = p;

    return last;
}


/* of "q=0.5", in 1e-3; 0 if it is malformed */

static ngx_int_t
ngx_canary_accept_quality(ngx_str_t *param)
{
    ngx_int_t  quality;

    if (param->len == 3) {
        quality = ngx_atofp(param->data + 2, 1, 3);

    } else if (param->len > 4 && param->len <= sizeof("q=0.999") - 1
               && param->data[3] == '.')
    {
        quality = ngx_atofp(param->data + 2, param->len - 2, 3);

    } else {
        return 0;
    }

    return (quality < 0 || quality > 1000) ? 0 : quality;
}
