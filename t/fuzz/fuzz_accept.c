/*
 * Any bytes as an Accept header: qualities stay between 0 and 1, what is at
 * the end of the header adds to what is before it, and a range that nobody
 * could misread counts whatever stands around it.
 */

#include "../../src/pure/ngx_canary_accept.h"

#include "require.h"

#include <stdio.h>
#include <string.h>


static void check_added(const uint8_t *data, size_t size,
    const ngx_canary_accept_t *before);
static void check_parts(const uint8_t *data, size_t size,
    const ngx_canary_accept_t *whole);
static int holds(const uint8_t *data, size_t size, const char *text);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t             *copy;
    ngx_canary_accept_t  accept;

    /* of its very size, so that a read beyond its end is seen */

    copy = malloc(size ? size : 1);
    require(copy != NULL);
    memcpy(copy, data, size);

    memset(&accept, 0, sizeof(accept));
    ngx_canary_accept_parse(&accept, copy, size);

    require(accept.openmetrics <= 1000 && accept.plain <= 1000);

    /* nothing is accepted that is not named, whatever the case */

    if (!holds(copy, size, "application/openmetrics-text")) {
        require(accept.openmetrics == 0);
    }

    if (!holds(copy, size, "text/plain")) {
        require(accept.plain == 0);
    }

    check_parts(copy, size, &accept);
    check_added(copy, size, &accept);

    free(copy);

    return 0;
}


/* a list is worth what its ranges are worth, each by itself */

static void
check_parts(const uint8_t *data, size_t size, const ngx_canary_accept_t *whole)
{
    size_t               begin, end;
    ngx_canary_accept_t  parts;

    memset(&parts, 0, sizeof(parts));

    for (begin = 0; begin < size; begin = end + 1) {

        for (end = begin; end < size && data[end] != ','; end++) { /* void */ }

        ngx_canary_accept_parse(&parts, data + begin, end - begin);
    }

    require(memcmp(&parts, whole, sizeof(parts)) == 0);
}


static void
check_added(const uint8_t *data, size_t size, const ngx_canary_accept_t *before)
{
    char                *text;
    unsigned int         quality;
    ngx_canary_accept_t  after;

    static const char  form[] = ", text/PLAIN ;\tq=0.%03u;v=1 , */*;q=1";

    quality = size ? data[0] * 3u : 0;

    text = malloc(size + sizeof(form));
    require(text != NULL);

    if (size) {
        memcpy(text, data, size);
    }

    snprintf(text + size, sizeof(form), form, quality);

    memset(&after, 0, sizeof(after));
    ngx_canary_accept_parse(&after, (uint8_t *) text,
                            size + strlen(text + size));

    require(after.openmetrics == before->openmetrics);
    require(after.plain
            == (quality > before->plain ? quality : before->plain));

    free(text);
}


static int
holds(const uint8_t *data, size_t size, const char *text)
{
    size_t  i, n, len;

    len = strlen(text);

    for (i = 0; i + len <= size; i++) {

        for (n = 0; n < len; n++) {
            if ((data[i + n] | 0x20) != (text[n] | 0x20)) {
                break;
            }
        }

        if (n == len) {
            return 1;
        }
    }

    return 0;
}
