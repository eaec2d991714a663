/*
 * Any bytes as a Cookie header, and as the name that is looked for: what is
 * found is what nginx finds, whose loop is written out below.  The first byte
 * says how long the name is, which stands at the end.
 */

#include "../../src/pure/ngx_canary_cookies.h"

#include "require.h"

#include <ctype.h>


#define LONGEST_NAME  16


static int nginx_finds(const uint8_t *text, size_t len, const uint8_t *name,
    size_t name_len, int commas, size_t *offset, size_t *value);
static int nginx_differs(const uint8_t *text, const uint8_t *name, size_t len);
static void check_id(const uint8_t *text, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int       found, commas;
    size_t    i, name_len, offset, value, expected, expected_len;
    uint8_t  *text, name[LONGEST_NAME];

    if (size == 0) {
        return 0;
    }

    name_len = 1 + data[0] % LONGEST_NAME;
    data++;
    size--;

    if (name_len > size) {
        return 0;
    }

    /* the name of a variable is in lower case, and holds no zero byte */

    for (i = 0; i < name_len; i++) {
        name[i] = data[size - name_len + i];
        name[i] = name[i] ? (uint8_t) tolower(name[i]) : '_';
    }

    text = malloc(size + 1);
    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';

    for (commas = 0; commas < 2; commas++) {
        value = 0;
        expected = 0;
        expected_len = 0;

        offset = ngx_canary_cookies_find(text, size, name, name_len, commas,
                                         &value);
        found = nginx_finds(text, size, name, name_len, commas, &expected,
                            &expected_len);

        if (!found) {
            require(offset == NGX_CANARY_COOKIES_NONE);
            continue;
        }

        require(offset == expected && value == expected_len);
        require(offset + value <= size);

        check_id(text + offset, value);
    }

    check_id(text, size);

    free(text);

    return 0;
}


/* ngx_http_parse_multi_header_lines(), one header, in 1.22 to 1.31 */

static int
nginx_finds(const uint8_t *text, size_t len, const uint8_t *name,
    size_t name_len, int commas, size_t *offset, size_t *value)
{
    uint8_t         ch;
    const uint8_t  *start, *last, *end;

    if (name_len > len) {
        return 0;
    }

    start = text;
    end = text + len;

    while (start < end) {

        if (nginx_differs(start, name, name_len)) {
            goto skip;
        }

        for (start += name_len; start < end && *start == ' '; start++) {
            /* void */
        }

        if (start == end || *start++ != '=') {
            goto skip;
        }

        while (start < end && *start == ' ') { start++; }

        for (last = start; last < end && *last != ';'; last++) { /* void */ }

        *offset = (size_t) (start - text);
        *value = (size_t) (last - start);

        return 1;

    skip:

        while (start < end) {
            ch = *start++;
            if (ch == ';' || (commas && ch == ',')) {
                break;
            }
        }

        while (start < end && *start == ' ') { start++; }
    }

    return 0;
}


/* ngx_strncasecmp(), which ends at the zero behind the header */

static int
nginx_differs(const uint8_t *text, const uint8_t *name, size_t len)
{
    for ( /* void */ ; len; len--, text++, name++) {

        if (tolower(*text) != *name) {
            return 1;
        }
    }

    return 0;
}


static void
check_id(const uint8_t *text, size_t len)
{
    char  id[NGX_CANARY_ID_LEN + 1];
    int   valid;

    valid = 0;

    if (len == NGX_CANARY_ID_LEN) {
        memcpy(id, text, len);
        id[len] = '\0';
        valid = strspn(id, "0123456789abcdef") == len;
    }

    require(ngx_canary_cookies_is_id(text, len) == valid);
}
