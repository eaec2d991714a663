/*
 * Any bytes as a query string: an argument is found where a reader of another
 * kind finds it, who takes the query apart from its end, and any bytes that
 * are encoded as a value come back as they were.
 */

#include "../../src/pure/ngx_canary_query.h"

#include "require.h"

#include <string.h>


static void check_any(const uint8_t *data, size_t size, const char *name);
static ngx_canary_query_e expect(const uint8_t *data, size_t size,
    const char *name, size_t *first, size_t *len);
static int matches(const uint8_t *value, size_t len, const uint8_t *data,
    size_t size);
static void check_encoded(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_any(data, size, "upstream");
    check_any(data, size, "expect");
    check_any(data, size, "u");
    check_encoded(data, size);

    return 0;
}


static void
check_any(const uint8_t *data, size_t size, const char *name)
{
    size_t              first, len, vlen;
    uint8_t            *copy, *value;
    ngx_canary_query_e  rc, expected;

    /* of their very size, so that an access beyond the end is seen */

    copy = malloc(size ? size : 1);
    value = malloc(size ? size : 1);
    require(copy != NULL && value != NULL);
    memcpy(copy, data, size);

    vlen = size + 1;
    rc = ngx_canary_query_find(copy, size, name, value, &vlen);
    expected = expect(data, size, name, &first, &len);

    require(rc == expected);
    require(memcmp(copy, data, size) == 0);

    if (rc == NGX_CANARY_QUERY_FOUND) {
        require(vlen <= size);
        require(matches(value, vlen, data + first, len));
    }

    free(copy);
    free(value);
}


/* where the value begins that counts, and its length as it is written */

static ngx_canary_query_e
expect(const uint8_t *data, size_t size, const char *name, size_t *first,
    size_t *len)
{
    int     found, wrong;
    size_t  begin, end, at, nlen;

    nlen = strlen(name);
    found = 0;
    wrong = 0;

    end = size;

    for ( ;; ) {

        for (begin = end; begin > 0 && data[begin - 1] != '&'; begin--) {
            /* void */
        }

        if (end - begin >= nlen && memcmp(data + begin, name, nlen) == 0
            && (end - begin == nlen || data[begin + nlen] == '='))
        {
            *first = begin + nlen + (end - begin > nlen);
            *len = end - *first;

            found++;
            wrong = 0;

            for (at = *first; at < end; at++) {

                if (data[at] == '%'
                    && (end - at < 3
                        || !strchr("0123456789abcdefABCDEF", data[at + 1])
                        || !strchr("0123456789abcdefABCDEF", data[at + 2])
                        || data[at + 1] == '\0' || data[at + 2] == '\0'))
                {
                    wrong = 1;
                }
            }
        }

        if (begin == 0) {
            break;
        }

        end = begin - 1;
    }

    if (found == 0) {
        return NGX_CANARY_QUERY_NONE;
    }

    /* the first one is read before a second is met */

    if (wrong) {
        return NGX_CANARY_QUERY_MALFORMED;
    }

    return found > 1 ? NGX_CANARY_QUERY_REPEATED : NGX_CANARY_QUERY_FOUND;
}


/* whether "value" is what "data" says, byte by byte */

static int
matches(const uint8_t *value, size_t len, const uint8_t *data, size_t size)
{
    char      digits[3];
    size_t    i, n;
    uint8_t   ch;

    for (i = 0, n = 0; i < size; i++, n++) {
        ch = data[i] == '+' ? ' ' : data[i];

        if (ch == '%') {
            digits[0] = (char) data[i + 1];
            digits[1] = (char) data[i + 2];
            digits[2] = '\0';
            ch = (uint8_t) strtoul(digits, NULL, 16);
            i += 2;
        }

        if (n >= len || value[n] != ch) {
            return 0;
        }
    }

    return n == len;
}


static void
check_encoded(const uint8_t *data, size_t size)
{
    size_t    i, len, vlen;
    uint8_t  *query, *value;

    static const char  digits[] = "0123456789aBcDeF";
    static const char  before[] = "upstreams=1&&=&upstream=";
    static const char  after[] = "&Upstream=2&xupstream";

    len = sizeof(before) - 1 + 3 * size + sizeof(after) - 1;
    query = malloc(len);
    value = malloc(len);
    require(query != NULL && value != NULL);

    memcpy(query, before, sizeof(before) - 1);
    len = sizeof(before) - 1;

    for (i = 0; i < size; i++) {
        query[len++] = '%';
        query[len++] = (uint8_t) digits[data[i] >> 4];
        query[len++] = (uint8_t) digits[data[i] & 15];
    }

    memcpy(query + len, after, sizeof(after) - 1);
    len += sizeof(after) - 1;

    require(ngx_canary_query_find(query, len, "upstream", value, &vlen)
            == NGX_CANARY_QUERY_FOUND);
    require(vlen == size && memcmp(value, data, size) == 0);

    free(query);
    free(value);
}
