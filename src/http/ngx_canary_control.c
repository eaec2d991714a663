
#include "ngx_canary_response.h"


#define NGX_CANARY_MAX_BODY  1024


typedef enum {
    NGX_CANARY_VERB_ROLLBACK = 0,
    NGX_CANARY_VERB_RESUME
} ngx_canary_verb_e;


typedef struct {
    ngx_canary_srv_conf_t  *conf;
    ngx_canary_verb_e       verb;
    ngx_str_t               by;         /* data NULL: not given */
    ngx_str_t               reason;
} ngx_canary_command_t;


static ngx_int_t ngx_canary_control_handler(ngx_http_request_t *r);
static void ngx_canary_control_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_canary_control_process(ngx_http_request_t *r);
static ngx_int_t ngx_canary_control_apply(ngx_http_request_t *r,
    ngx_canary_command_t *command);
static ngx_int_t ngx_canary_control_target(ngx_http_request_t *r,
    ngx_canary_command_t *command);
static ngx_uint_t ngx_canary_control_is_form(ngx_http_request_t *r);
static ngx_int_t ngx_canary_control_read(ngx_http_request_t *r,
    ngx_str_t *body);
static char *ngx_canary_control_parse(ngx_canary_command_t *command,
    ngx_str_t *body);
static char *ngx_canary_control_decode(ngx_str_t *value);
static ngx_uint_t ngx_canary_control_is_utf8(u_char *p, u_char *last);
static ngx_int_t ngx_canary_control_text(ngx_canary_command_t *command,
    ngx_pool_t *pool, ngx_str_t *text);
static ngx_int_t ngx_canary_control_refuse(ngx_http_request_t *r,
    ngx_uint_t status, char *text);


static ngx_str_t  ngx_canary_json_type = ngx_string("application/json");


static ngx_int_t
ngx_canary_control_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_canary_command_t  command;

    if (r->method != NGX_HTTP_POST) {

        if (ngx_canary_response_header(r, "Allow", "POST") != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_canary_control_refuse(r, NGX_HTTP_NOT_ALLOWED,
                                         "only POST is allowed");
    }

    if (ngx_canary_control_target(r, &command) != NGX_OK) {
        return ngx_canary_control_refuse(r, NGX_HTTP_NOT_FOUND,
                                         "unknown upstream or action");
    }

    if (r->headers_in.content_length_n > NGX_CANARY_MAX_BODY) {
        return ngx_canary_control_refuse(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                         "the body is larger than 1 KB");
    }

    if (!ngx_canary_control_is_form(r)) {
        return ngx_canary_control_refuse(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                         "the body must be of the type "
                                         "application/x-www-form-urlencoded");
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_canary_control_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_canary_control_body_handler(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, ngx_canary_control_process(r));
}


static ngx_int_t
ngx_canary_control_process(ngx_http_request_t *r)
{
    char                  *error;
    ngx_int_t              rc;
    ngx_str_t              body;
    ngx_canary_command_t   command;

    ngx_memzero(&command, sizeof(ngx_canary_command_t));

    if (ngx_canary_control_target(r, &command) != NGX_OK) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_canary_control_read(r, &body);

    if (rc == NGX_DECLINED) {
        return ngx_canary_control_refuse(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                         "the body is larger than 1 KB");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    error = ngx_canary_control_parse(&command, &body);

    if (error) {
        return ngx_canary_control_refuse(r, NGX_HTTP_BAD_REQUEST, error);
    }

    return ngx_canary_control_apply(r, &command);
}


static ngx_int_t
ngx_canary_control_apply(ngx_http_request_t *r, ngx_canary_command_t *command)
{
    char                   *what;
    ngx_str_t               text;
    ngx_uint_t              changed, rollback;
    ngx_canary_zone_t      *zone;
    ngx_canary_split_t     *split;
    ngx_canary_response_t   rs;

    /* whatever may fail for want of memory comes before the change */

    split = ngx_palloc(r->pool, sizeof(ngx_canary_split_t));

    if (split == NULL
        || ngx_canary_control_text(command, r->pool, &text) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    zone = command->conf->shm_zone->data;
    rollback = (command->verb == NGX_CANARY_VERB_ROLLBACK);

    changed = rollback ? ngx_canary_latch_set(zone, NGX_CANARY_CAUSE_OPERATOR,
                                              &text)
                       : ngx_canary_latch_clear(zone);

    if (changed) {
        ngx_canary_journal_add(zone, rollback ? NGX_CANARY_KIND_ROLLBACK
                                              : NGX_CANARY_KIND_RESUME,
                               &text);

        what = rollback ? "was rolled back" : "was resumed";

        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "split \"%V\" %s%s %V", &command->conf->name, what,
                      (command->by.len == 0 && command->reason.len) ? ":" : "",
                      &text);
    }

    if (ngx_canary_split_picture(command->conf, split, r->pool) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_canary_response_init(&rs, r);

    if (ngx_canary_render_state(split, changed ? 1 : 0, &rs.out) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_canary_response_send(&rs, NGX_HTTP_OK, &ngx_canary_json_type);
}


/* the last two parts of the path: .../UPSTREAM/VERB */

static ngx_int_t
ngx_canary_control_target(ngx_http_request_t *r, ngx_canary_command_t *command)
{
    u_char                  *p, *name, *verb, *last;
    ngx_uint_t               i;
    ngx_canary_srv_conf_t  **conf;
    ngx_canary_main_conf_t  *cmcf;

    last = r->uri.data + r->uri.len;

    for (p = last; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }

    if (p == r->uri.data) {
        return NGX_DECLINED;
    }

    verb = p;

    for (p = verb - 1; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }

    name = p;

    if (last - verb == sizeof("rollback") - 1
        && ngx_strncmp(verb, "rollback", sizeof("rollback") - 1) == 0)
    {
        command->verb = NGX_CANARY_VERB_ROLLBACK;

    } else if (last - verb == sizeof("resume") - 1
               && ngx_strncmp(verb, "resume", sizeof("resume") - 1) == 0)
    {
        command->verb = NGX_CANARY_VERB_RESUME;

    } else {
        return NGX_DECLINED;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_canary_module);
    conf = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {

        if (conf[i]->name.len == (size_t) (verb - 1 - name)
            && ngx_memcmp(conf[i]->name.data, name, conf[i]->name.len) == 0)
        {
            command->conf = conf[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* a request without a content type passes, its body is judged as it is read */

static ngx_uint_t
ngx_canary_control_is_form(ngx_http_request_t *r)
{
    size_t      len;
    u_char     *end;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL) {
        return 1;
    }

    type = &r->headers_in.content_type->value;
    end = ngx_strlchr(type->data, type->data + type->len, ';');
    len = end ? (size_t) (end - type->data) : type->len;

    while (len && (type->data[len - 1] == ' ' || type->data[len - 1] == '\t')) {
        len--;
    }

    return len == sizeof("application/x-www-form-urlencoded") - 1
           && ngx_strncasecmp(type->data,
                              (u_char *) "application/x-www-form-urlencoded",
                              len)
              == 0;
}


/* NGX_DECLINED if it is too large, as a chunked body may turn out to be */

static ngx_int_t
ngx_canary_control_read(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t                     total, size;
    u_char                   *p;
    ngx_chain_t              *cl, *bufs;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;
    bufs = rb ? rb->bufs : NULL;
    total = 0;

    for (cl = bufs; cl; cl = cl->next) {
        total += ngx_buf_size(cl->buf);
    }

    if (total > NGX_CANARY_MAX_BODY) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, NGX_CANARY_MAX_BODY);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    for (cl = bufs; cl; cl = cl->next) {
        size = ngx_buf_size(cl->buf);

        if (ngx_buf_in_memory(cl->buf)) {
            p = ngx_cpymem(p, cl->buf->pos, size);
            continue;
        }

        if (size
            && ngx_read_file(cl->buf->file, p, (size_t) size,
                             cl->buf->file_pos)
               != (ssize_t) size)
        {
            return NGX_ERROR;
        }

        p += size;
    }

    body->len = p - body->data;

    return NGX_OK;
}


/* decodes in place; returns what is wrong, or NULL */

static char *
ngx_canary_control_parse(ngx_canary_command_t *command, ngx_str_t *body)
{
    char       *error;
    u_char     *p, *last, *end, *equals;
    ngx_str_t  *field;

    p = body->data;
    last = p + body->len;

    while (p < last) {
        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;

        } else if (end + 1 == last) {
            return "an empty field";
        }

        equals = ngx_strlchr(p, end, '=');

        if (equals == NULL) {
            return "a field without \"=\"";
        }

        if (equals - p == 2 && ngx_memcmp(p, "by", 2) == 0) {
            field = &command->by;

        } else if (equals - p == 6 && ngx_memcmp(p, "reason", 6) == 0) {
            field = &command->reason;

        } else {
            return "unknown field, only \"by\" and \"reason\" are allowed";
        }

        if (field->data) {
            return "a field is given twice";
        }

        field->data = equals + 1;
        field->len = end - field->data;

        error = ngx_canary_control_decode(field);

        if (error) {
            return error;
        }

        p = (end == last) ? last : end + 1;
    }

    return NULL;
}


static char *
ngx_canary_control_decode(ngx_str_t *value)
{
    u_char     *src, *dst, *last;
    ngx_int_t   n;

    src = value->data;
    dst = value->data;
    last = src + value->len;

    while (src < last) {

        if (*src == '%') {
            n = (last - src > 2) ? ngx_hextoi(src + 1, 2) : NGX_ERROR;

            if (n == NGX_ERROR) {
                return "\"%\" without two hexadecimal digits";
            }

            *dst = (u_char) n;
            src += 3;

        } else {
            *dst = (*src == '+') ? ' ' : *src;
            src++;
        }

        if (*dst < 0x20 || *dst == 0x7f) {
            return "control characters are not allowed";
        }

        dst++;
    }

    value->len = dst - value->data;

    if (!ngx_canary_control_is_utf8(value->data, dst)) {
        return "text that is not UTF-8";
    }

    return NULL;
}


/*
 * By table 3-7 of the Unicode standard: no overlong forms, no surrogates, and
 * nothing above U+10FFFF.  ngx_utf8_decode() lets some of these pass.
 */

static ngx_uint_t
ngx_canary_control_is_utf8(u_char *p, u_char *last)
{
    u_char      c, low, high;
    ngx_uint_t  more;

    while (p < last) {
        c = *p++;

        if (c < 0x80) {
            continue;
        }

        if (c < 0xc2 || c > 0xf4) {
            return 0;
        }

        more = (c < 0xe0) ? 1 : (c < 0xf0) ? 2 : 3;

        low = (c == 0xe0) ? 0xa0 : (c == 0xf0) ? 0x90 : 0x80;
        high = (c == 0xed) ? 0x9f : (c == 0xf4) ? 0x8f : 0xbf;

        while (more--) {
            if (p == last || *p < low || *p > high) {
                return 0;
            }

            p++;
            low = 0x80;
            high = 0xbf;
        }
    }

    return 1;
}


/* "by anna: too slow"; cut between two characters if it is too long */

static ngx_int_t
ngx_canary_control_text(ngx_canary_command_t *command, ngx_pool_t *pool,
    ngx_str_t *text)
{
    u_char     *p;
    ngx_str_t  *by, *reason;

    by = &command->by;
    reason = &command->reason;

    if (by->len == 0 && reason->len == 0) {
        ngx_str_set(text, "by an operator");
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, sizeof("by : ") - 1 + by->len + reason->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    if (by->len) {
        p = ngx_sprintf(p, "by %V", by);
    }

    if (by->len && reason->len) {
        *p++ = ':';
        *p++ = ' ';
    }

    p = ngx_cpymem(p, reason->data, reason->len);

    text->len = p - text->data;

    if (text->len > NGX_CANARY_MAX_TEXT) {
        text->len = NGX_CANARY_MAX_TEXT;

        while (text->len && (text->data[text->len] & 0xc0) == 0x80) {
            text->len--;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_canary_control_refuse(ngx_http_request_t *r, ngx_uint_t status, char *text)
{
    ngx_int_t              rc;
    ngx_canary_str_t       str;
    ngx_canary_response_t  rs;

    /* it returns at once if the body was read already */

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        r->keepalive = 0;
    }

    str.len = ngx_strlen(text);
    str.data = (u_char *) text;

    ngx_canary_response_init(&rs, r);

    if (ngx_canary_render_error(str, &rs.out) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_canary_response_send(&rs, status, &ngx_canary_json_type);
}


char *
ngx_canary_conf_control(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    clcf->handler = ngx_canary_control_handler;

    return NGX_CONF_OK;
}
