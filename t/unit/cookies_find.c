/* Which cookie of a header is found, and what is an id by its form. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_cookies.h"

#include "fenced.h"
#include "tap.h"


typedef struct {
    const char  *text;
    const char  *value;                 /* of "id"; NULL: none */
    const char  *commas;                /* where "," ends a cookie too */
} header_t;


static const header_t  headers[] = {
    { "", NULL, NULL },
    { "i", NULL, NULL },
    { "id", NULL, NULL },
    { "id=", "", "" },
    { "id=1", "1", "1" },
    { "ID=1", "1", "1" },
    { "id = 1 ; a=2", "1 ", "1 " },
    { "a=1; id=2; id=3", "2", "2" },
    { "a=1;id=2", "2", "2" },
    { "a=1,id=2", NULL, "2" },
    { "a=1, id=2;id=3", "3", "2" },
    { "id=1,2", "1,2", "1,2" },
    { "ida=1; bid=2", NULL, NULL },
    { "idaid=1", NULL, NULL },
    { "id;id=1", NULL, NULL },
    { "id;;id=1", "1", "1" },
    { "a=id=1", NULL, NULL },
    { ";;; id=1", "1", "1" },
    { ";id=1", "1", "1" }
};


static int
holds(const char *text, int commas, const char *value)
{
    size_t  offset, len;

    offset = ngx_canary_cookies_find(fenced(text, strlen(text) + 1),
                                     strlen(text),
                                     (const unsigned char *) "id", 2, commas,
                                     &len);

    if (value == NULL) {
        return offset == NGX_CANARY_COOKIES_NONE;
    }

    return offset != NGX_CANARY_COOKIES_NONE && len == strlen(value)
           && memcmp(text + offset, value, len) == 0;
}


static int
is_id(const char *text)
{
    return ngx_canary_cookies_is_id(fenced(text, strlen(text)), strlen(text));
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        ok(holds(headers[i].text, 0, headers[i].value), "\"%s\"",
           headers[i].text);
        ok(holds(headers[i].text, 1, headers[i].commas), "\"%s\", commas",
           headers[i].text);
    }

    ok(is_id("0123456789abcdef0123456789abcdef"), "an id");
    ok(!is_id("0123456789abcdef0123456789abcde"), "too short");
    ok(!is_id("0123456789abcdef0123456789abcdef0"), "too long");
    ok(!is_id("0123456789abcdef0123456789abcdeF"), "an upper case letter");
    ok(!is_id("0123456789abcdef0123456789abcdeg"), "no hexadecimal digit");
    ok(!is_id(""), "empty");

    return tap_done();
}
