/*
 * Any bytes as the body of a POST: what is accepted, and what it is worth, is
 * what a reader of another kind makes of them, who cuts first, decodes into a
 * buffer of its own and takes characters apart.
 */

#include "../../src/pure/ngx_canary_fields.h"

#include "require.h"

#include <string.h>


#define FIELDS  2


typedef struct {
    int      given;
    size_t   len;
    uint8_t  value[4096];
} expected_t;


static const char  *names[FIELDS] = { "by", "reason" };


static int read_form(expected_t *expected, const uint8_t *data, size_t size);
static int read_field(expected_t *expected, const uint8_t *data, size_t size);
static int read_value(expected_t *expected, const uint8_t *data, size_t size);
static int is_text(const uint8_t *text, size_t len);
static int has_control(const uint8_t *text, size_t len);
static int digit(uint8_t ch);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 i, wrong;
    uint8_t            *copy;
    expected_t          expected[FIELDS];
    const char         *error;
    ngx_canary_field_t  fields[FIELDS];

    if (size > sizeof(expected[0].value)) {
        return 0;
    }

    /* of its very size, so that a read beyond its end is seen */

    copy = malloc(size ? size : 1);
    require(copy != NULL);
    memcpy(copy, data, size);

    memset(fields, 0, sizeof(fields));

    for (i = 0; i < FIELDS; i++) {
        fields[i].name = names[i];
        expected[i].given = 0;
    }

    error = ngx_canary_fields_parse(fields, FIELDS, copy, size);
    wrong = read_form(expected, data, size);

    require((error != NULL) == (wrong != 0));

    /* whatever was wrong, what is left is clean */

    for (i = 0; i < FIELDS; i++) {
        require(fields[i].len == 0
                || (is_text(fields[i].value, fields[i].len)
                    && !has_control(fields[i].value, fields[i].len)));
    }

    for (i = 0; error == NULL && i < FIELDS; i++) {
        require((fields[i].value != NULL) == expected[i].given);

        if (expected[i].given) {
            require(fields[i].value >= copy
                    && fields[i].value + fields[i].len <= copy + size);
            require(fields[i].len == expected[i].len
                    && memcmp(fields[i].value, expected[i].value,
                              expected[i].len)
                       == 0);
        }
    }

    require(ngx_canary_fields_is_utf8(data, size) == is_text(data, size));

    free(copy);

    return 0;
}


static int
read_form(expected_t *expected, const uint8_t *data, size_t size)
{
    size_t  begin, end;

    if (size == 0) {
        return 0;
    }

    for (begin = 0; begin <= size; begin = end + 1) {

        for (end = begin; end < size && data[end] != '&'; end++) { /* void */ }

        if (read_field(expected, data + begin, end - begin) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
read_field(expected_t *expected, const uint8_t *data, size_t size)
{
    int     i;
    size_t  len;

    for (i = 0; i < FIELDS; i++) {
        len = strlen(names[i]);

        if (size > len && memcmp(data, names[i], len) == 0
            && data[len] == '=')
        {
            if (expected[i].given++) {
                return -1;
            }

            return read_value(&expected[i], data + len + 1, size - len - 1);
        }
    }

    return -1;
}


static int
read_value(expected_t *expected, const uint8_t *data, size_t size)
{
    size_t   i;
    uint8_t  ch;

    expected->len = 0;

    for (i = 0; i < size; i++) {
        ch = data[i];

        if (ch == '+') {
            ch = ' ';

        } else if (ch == '%') {

            if (size - i < 3 || digit(data[i + 1]) < 0
                || digit(data[i + 2]) < 0)
            {
                return -1;
            }

            ch = (uint8_t) (digit(data[i + 1]) << 4 | digit(data[i + 2]));
            i += 2;
        }

        expected->value[expected->len++] = ch;
    }

    return is_text(expected->value, expected->len)
           && !has_control(expected->value, expected->len) ? 0 : -1;
}


/* U+0080 to U+009F are written as C2 80 to C2 9F */

static int
has_control(const uint8_t *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (text[i] < ' ' || text[i] == 127
            || (i && text[i - 1] == 0xc2 && text[i] < 0xa0))
        {
            return 1;
        }
    }

    return 0;
}


/* each character is decoded, and must be encoded in the shortest way */

static int
is_text(const uint8_t *text, size_t len)
{
    size_t    i, n, more;
    uint32_t  code;

    static const uint32_t  least[] = { 0, 0x80, 0x800, 0x10000 };

    for (i = 0; i < len; i += n) {

        if (text[i] < 0x80) {
            n = 1;
            continue;
        }

        if ((text[i] & 0xe0) == 0xc0) {
            n = 2;
            code = text[i] & 0x1f;

        } else if ((text[i] & 0xf0) == 0xe0) {
            n = 3;
            code = text[i] & 0x0f;

        } else if ((text[i] & 0xf8) == 0xf0) {
            n = 4;
            code = text[i] & 0x07;

        } else {
            return 0;
        }

        if (len - i < n) {
            return 0;
        }

        for (more = 1; more < n; more++) {

            if ((text[i + more] & 0xc0) != 0x80) {
                return 0;
            }

            code = code << 6 | (text[i + more] & 0x3f);
        }

        if (code < least[n - 1] || code > 0x10ffff
            || (code >= 0xd800 && code <= 0xdfff))
        {
            return 0;
        }
    }

    return 1;
}


static int
digit(uint8_t ch)
{
    const char  *at;

    static const char  digits[] = "0123456789abcdef0123456789ABCDEF";

    at = ch ? strchr(digits, ch) : NULL;

    return at ? (int) ((at - digits) % 16) : -1;
}
