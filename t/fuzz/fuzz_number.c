/*
 * Any bytes as a number in a header: what is accepted has the form that the
 * contract gives, and is worth what is left of it without its point.
 */

#include "../../src/pure/ngx_canary_number.h"

#include "require.h"

#include <stdlib.h>
#include <string.h>


#define UNTOUCHED  4711
#define DIGITS     "0123456789"


static int read_number(const char *text, uint64_t *milli);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int       rc;
    char     *text;
    uint8_t  *copy;
    uint64_t  milli, expected;

    /* of its very size, so that a read beyond its end is seen */

    copy = malloc(size ? size : 1);
    text = malloc(size + 1);
    require(copy != NULL && text != NULL);

    if (size) {
        memcpy(copy, data, size);
        memcpy(text, data, size);
    }

    text[size] = '\0';

    milli = UNTOUCHED;
    rc = ngx_canary_number_parse(copy, size, &milli);

    if (strlen(text) == size && read_number(text, &expected)) {
        require(rc == 0 && milli == expected);

    } else {
        require(rc == -1 && milli == UNTOUCHED);
    }

    free(copy);
    free(text);

    return 0;
}


/* the digits before the point and three behind it, as one number */

static int
read_number(const char *text, uint64_t *milli)
{
    char         number[NGX_CANARY_NUMBER_DIGITS + 4];
    size_t       whole, part;
    const char  *point;

    whole = strspn(text, DIGITS);

    if (whole == 0 || whole > NGX_CANARY_NUMBER_DIGITS) {
        return 0;
    }

    point = text + whole;
    part = 0;

    if (*point == '.') {
        part = strspn(point + 1, DIGITS);

        if (part == 0 || point[1 + part] != '\0') {
            return 0;
        }

    } else if (*point != '\0') {
        return 0;
    }

    memset(number, '0', sizeof(number));
    memcpy(number, text, whole);
    memcpy(number + whole, point + (part > 0), part < 3 ? part : 3);
    number[whole + 3] = '\0';

    *milli = strtoull(number, NULL, 10);

    return 1;
}
