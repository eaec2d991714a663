/*
 * A form is read from left to right, once.  What a field holds is decoded over
 * itself, which never makes it longer, and judged when it is decoded: so a
 * character that is written as "%C3%BC" and one that is sent as it is are held
 * to the same rules.
 *
 * A control character is an error that leaves the rest readable: a blank takes
 * its place, and reading goes on.
 */

#include "ngx_canary_fields.h"

#include <string.h>


static const char *ngx_canary_fields_read(ngx_canary_field_t *fields, size_t n,
    unsigned char *text, size_t len);
static const char *ngx_canary_fields_value(ngx_canary_field_t *field);
static int ngx_canary_fields_clean(ngx_canary_field_t *field);
static int ngx_canary_fields_hex(unsigned char ch);


static const char  ngx_canary_fields_control[] =
    "control characters are not allowed";


const char *
ngx_canary_fields_parse(ngx_canary_field_t *fields, size_t n,
    unsigned char *text, size_t len)
{
    size_t          part;
    const char     *error, *first;
    unsigned char  *end;

    first = NULL;

    while (len) {
        end = memchr(text, '&', len);
        part = end ? (size_t) (end - text) : len;

        if (end && part + 1 == len) {
            return first ? first : "an empty field";
        }

        error = ngx_canary_fields_read(fields, n, text, part);

        if (first == NULL) {
            first = error;
        }

        if (error && error != ngx_canary_fields_control) {
            break;
        }

        if (end) {
            part++;
        }

        text += part;
        len -= part;
    }

    return first;
}


static const char *
ngx_canary_fields_read(ngx_canary_field_t *fields, size_t n,
    unsigned char *text, size_t len)
{
    size_t               i, name;
    unsigned char       *equals;
    ngx_canary_field_t  *field;

    equals = len ? memchr(text, '=', len) : NULL;

    if (equals == NULL) {
        return "a field without \"=\"";
    }

    name = (size_t) (equals - text);
    field = NULL;

    for (i = 0; i < n; i++) {

        if (strlen(fields[i].name) == name
            && memcmp(fields[i].name, text, name) == 0)
        {
            field = &fields[i];
        }
    }

    if (field == NULL) {
        return "unknown field, only \"by\" and \"reason\" are allowed";
    }

    if (field->value) {
        return "a field is given twice";
    }

    field->value = equals + 1;
    field->len = len - name - 1;

    return ngx_canary_fields_value(field);
}


static const char *
ngx_canary_fields_value(ngx_canary_field_t *field)
{
    size_t  len;

    len = field->len;

    /* what cannot be decoded is nothing */

    field->len = 0;

    if (ngx_canary_fields_decode(field->value, len, field->value, &len) != 0) {
        return "\"%\" without two hexadecimal digits";
    }

    if (!ngx_canary_fields_is_utf8(field->value, len)) {
        return "text that is not UTF-8";
    }

    field->len = len;

    return ngx_canary_fields_clean(field) ? ngx_canary_fields_control : NULL;
}


int
ngx_canary_fields_decode(const unsigned char *src, size_t len,
    unsigned char *dst, size_t *dlen)
{
    int     high, low;
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {

        if (src[i] != '%') {
            dst[n++] = (unsigned char) (src[i] == '+' ? ' ' : src[i]);
            continue;
        }

        if (len - i < 3) {
            return -1;
        }

        high = ngx_canary_fields_hex(src[i + 1]);
        low = ngx_canary_fields_hex(src[i + 2]);

        if (high < 0 || low < 0) {
            return -1;
        }

        dst[n++] = (unsigned char) (high * 16 + low);
        i += 2;
    }

    *dlen = n;

    return 0;
}


/* of valid UTF-8: U+0000 to U+001F, and U+007F to U+009F; 1 if there was one */

static int
ngx_canary_fields_clean(ngx_canary_field_t *field)
{
    int             found;
    size_t          i;
    unsigned char  *p;

    found = 0;
    p = field->value;

    for (i = 0; i < field->len; i++) {

        if (p[i] == 0xc2 && p[i + 1] < 0xa0) {
            p[i++] = ' ';

        } else if (p[i] >= 0x20 && p[i] != 0x7f) {
            continue;
        }

        p[i] = ' ';
        found = 1;
    }

    return found;
}


/* the value of a hexadecimal digit in either case, or -1 */

static int
ngx_canary_fields_hex(unsigned char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}


int
ngx_canary_fields_is_utf8(const unsigned char *text, size_t len)
{
    unsigned int          more;
    unsigned char         c, low, high;
    const unsigned char  *last;

    last = text + len;

    while (text < last) {
        c = *text++;

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
            if (text == last || *text < low || *text > high) {
                return 0;
            }

            text++;
            low = 0x80;
            high = 0xbf;
        }
    }

    return 1;
}
