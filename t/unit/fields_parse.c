/* What is a form that may come with a POST, and what its fields hold. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_fields.h"

#include "fenced.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char  *text;
    const char  *by;                    /* NULL: not given */
    const char  *reason;
} form_t;


typedef struct {
    const char  *text;
    const char  *error;
} wrong_t;


static const form_t  forms[] = {
    { "", NULL, NULL },
    { "by=anna", "anna", NULL },
    { "by=", "", NULL },
    { "by=anna&reason=too+slow", "anna", "too slow" },
    { "reason=a%26b%3dc&by=%2B1", "+1", "a&b=c" },
    { "reason=a=b", NULL, "a=b" },
    { "reason=%c3%BC", NULL, "\xc3\xbc" },
    { "reason=\xc3\xbc", NULL, "\xc3\xbc" },
    { "reason=%F4%8F%BF%BF", NULL, "\xf4\x8f\xbf\xbf" },
    { "reason=%ED%9F%BF%EE%80%80", NULL, "\xed\x9f\xbf\xee\x80\x80" }
};

static const wrong_t  wrongs[] = {
    { "by", "a field without \"=\"" },
    { "&by=a", "a field without \"=\"" },
    { "by=a&&reason=b", "a field without \"=\"" },
    { "by=a&", "an empty field" },
    { "by=a&by=b", "a field is given twice" },
    { "by=&by=", "a field is given twice" },
    { "By=a", "unknown field, only \"by\" and \"reason\" are allowed" },
    { "=a", "unknown field, only \"by\" and \"reason\" are allowed" },
    { "b%79=a", "unknown field, only \"by\" and \"reason\" are allowed" },
    { "by=%", "\"%\" without two hexadecimal digits" },
    { "by=%4", "\"%\" without two hexadecimal digits" },
    { "by=%4&reason=1", "\"%\" without two hexadecimal digits" },
    { "by=%4g", "\"%\" without two hexadecimal digits" },
    { "by=%-1", "\"%\" without two hexadecimal digits" },
    { "by=%00", "control characters are not allowed" },
    { "by=a\x1f", "control characters are not allowed" },
    { "by=%7f", "control characters are not allowed" },
    { "by=%C2%80", "control characters are not allowed" },
    { "by=a\xc2\x9f", "control characters are not allowed" },
    { "by=%80", "text that is not UTF-8" },
    { "by=%C3", "text that is not UTF-8" },
    { "by=%C3%28", "text that is not UTF-8" },
    { "by=%C0%AF", "text that is not UTF-8" },
    { "by=%E0%9F%BF", "text that is not UTF-8" },
    { "by=%ED%A0%80", "text that is not UTF-8" },
    { "by=%F0%8F%BF%BF", "text that is not UTF-8" },
    { "by=%F4%90%80%80", "text that is not UTF-8" }
};


/* with an error, and what can be read all the same */
static const form_t  halves[] = {
    { "by=a%0Ab&reason=c%C2%9Fd", "a b", "c  d" },
    { "by=a%7f&reason=b", "a ", "b" },
    { "by=a&reason=%ff", "a", "" },
    { "by=a&reason=b%4", "a", "" },
    { "by=%00&x=b&reason=c", " ", NULL },
    { "by=%C2%A0%1f", "\xc2\xa0 ", NULL },
    { "by=a&by=b", "a", NULL }
};


static const char *
parse(const char *text, ngx_canary_field_t *fields)
{
    size_t          len;
    unsigned char  *copy;

    len = strlen(text);

    copy = fenced(text, len);
    memset(fields, 0, 2 * sizeof(ngx_canary_field_t));

    fields[0].name = "by";
    fields[1].name = "reason";

    return ngx_canary_fields_parse(fields, 2, copy, len);
}


static int
holds(ngx_canary_field_t *field, const char *text)
{
    if (text == NULL) {
        return field->value == NULL;
    }

    return field->value && field->len == strlen(text)
           && memcmp(field->value, text, field->len) == 0;
}


int
main(void)
{
    size_t               i;
    const char          *error;
    ngx_canary_field_t   fields[2];

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        error = parse(forms[i].text, fields);
        ok(error == NULL && holds(&fields[0], forms[i].by)
           && holds(&fields[1], forms[i].reason), "\"%s\"", forms[i].text);
    }

    for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        error = parse(wrongs[i].text, fields);
        ok(error && strcmp(error, wrongs[i].error) == 0, "number %d: %s",
           (int) i, wrongs[i].error);
    }

    for (i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        error = parse(halves[i].text, fields);
        ok(error && holds(&fields[0], halves[i].by)
           && holds(&fields[1], halves[i].reason), "\"%s\", in part",
           halves[i].text);
    }

    return tap_done();
}
