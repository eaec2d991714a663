/*
 * Any bytes as a name or a text in JSON, in a label, in HTML and in a link:
 * what is written cannot leave its place, is UTF-8, and says the same bytes
 * where they can be said.
 */

#include "../../src/pure/ngx_canary_fields.h"
#include "../../src/pure/ngx_canary_query.h"
#include "../../src/render/ngx_canary_out.h"
#include "../unit/driver/picture.h"

#include "require.h"


typedef void (*write_pt)(ngx_canary_out_t *out, ngx_canary_str_t str);


static char *written(write_pt write, const uint8_t *data, size_t size,
    size_t *len);
static void check_json(const uint8_t *data, size_t size);
static void check_label(const uint8_t *data, size_t size);
static void check_html(const uint8_t *data, size_t size);
static void check_query(const uint8_t *data, size_t size);
static size_t unescape(const char *text, size_t len, int json, char *to);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_json(data, size);
    check_label(data, size);
    check_html(data, size);
    check_query(data, size);

    return 0;
}


/* into rooms as small as they can be, and UTF-8 */

static char *
written(write_pt write, const uint8_t *data, size_t size, size_t *len)
{
    char             *text;
    picture_out_t     p;
    ngx_canary_out_t  out;

    picture_open(&out, &p, 1 + size % 7);
    write(&out, picture_str((const char *) data, size));
    text = picture_close(&out);
    *len = p.len;

    require(!out.failed);
    require(ngx_canary_fields_is_utf8((const uint8_t *) text, *len));

    return text;
}


static void
check_json(const uint8_t *data, size_t size)
{
    char    *text, *plain;
    size_t   i, len, n;

    text = written(ngx_canary_out_json, data, size, &len);
    require(len >= 2 && text[0] == '"' && text[len - 1] == '"');

    for (i = 0; i < len; i++) {
        require((uint8_t) text[i] >= ' ');
    }

    plain = malloc(len);
    require(plain != NULL);
    n = unescape(text + 1, len - 2, 1, plain);

    if (ngx_canary_fields_is_utf8(data, size)) {
        require(n == size && (n == 0 || memcmp(plain, data, n) == 0));
    }

    free(plain);
    free(text);
}


static void
check_label(const uint8_t *data, size_t size)
{
    char    *text, *plain;
    size_t   len, n;

    text = written(ngx_canary_out_label, data, size, &len);
    require(len == 0 || (memchr(text, '\n', len) == NULL
                         && memchr(text, '\0', len) == NULL));

    plain = malloc(len + 1);
    require(plain != NULL);
    n = unescape(text, len, 0, plain);

    if (ngx_canary_fields_is_utf8(data, size)
        && (size == 0 || memchr(data, '\0', size) == NULL))
    {
        require(n == size && (n == 0 || memcmp(plain, data, n) == 0));
    }

    free(plain);
    free(text);
}


/* what a quote in it would end is still open at its end */

static size_t
unescape(const char *text, size_t len, int json, char *to)
{
    char        hex[5];
    size_t      i, n;
    const char *at;

    static const char  from[] = "\"\\nrt";
    static const char  into[] = "\"\\\n\r\t";

    n = 0;

    for (i = 0; i < len; i++) {
        require(text[i] != '"');

        if (text[i] != '\\') {
            to[n++] = text[i];
            continue;
        }

        require(++i < len && text[i] != '\0');

        if (json && text[i] == 'u') {
            require(len - i > 4 && memcmp(text + i, "u00", 3) == 0);
            memcpy(hex, text + i + 1, 4);
            hex[4] = '\0';
            to[n++] = (char) strtoul(hex, NULL, 16);
            i += 4;
            continue;
        }

        at = strchr(from, text[i]);
        require(at != NULL && (json || at - from < 3));
        to[n++] = into[at - from];
    }

    return n;
}


static void
check_html(const uint8_t *data, size_t size)
{
    char    *text;
    size_t   i, k, len;

    static const char  *entities[] = {
        "&quot;", "&amp;", "&#39;", "&lt;", "&gt;"
    };

    text = written(ngx_canary_out_html, data, size, &len);

    for (i = 0; i < len; i++) {
        require((uint8_t) text[i] >= ' ' && text[i] != 127
                && strchr("\"'<>", text[i]) == NULL);

        if (text[i] == '&') {
            for (k = 0; strncmp(text + i, entities[k], strlen(entities[k]));
                 k++)
            {
                require(k < 4);
            }
        }
    }

    free(text);
}


/* an argument that is read back */

static void
check_query(const uint8_t *data, size_t size)
{
    char     *text, *query;
    size_t    len, vlen;
    uint8_t  *value;

    text = written(ngx_canary_out_query, data, size, &len);

    query = malloc(len + 2);
    value = malloc(len + 2);
    require(query != NULL && value != NULL);
    memcpy(query, "u=", 2);
    memcpy(query + 2, text, len);

    require(ngx_canary_query_find((uint8_t *) query, len + 2, "u", value,
                                  &vlen)
            == NGX_CANARY_QUERY_FOUND);
    require(vlen == size && (size == 0 || memcmp(value, data, size) == 0));

    free(query);
    free(value);
    free(text);
}
