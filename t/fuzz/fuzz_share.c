/*
 * Any bytes as a share: what is accepted has the form that the contract gives,
 * is worth what strtod() makes of it, and is that share of all points.
 */

#include "../../src/pure/ngx_canary_split.h"

#include "require.h"

#include <stdlib.h>
#include <string.h>


#define UNTOUCHED  4711
#define LONGEST    128


static void check_form(const uint8_t *data, size_t size);
static void check_value(const uint8_t *data, size_t size, uint32_t ppm);
static void check_points(uint32_t ppm);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int       rc;
    uint32_t  ppm;

    ppm = UNTOUCHED;
    rc = ngx_canary_split_parse_share(data, size, &ppm);

    if (rc != 0) {
        require(rc == -1 && ppm == UNTOUCHED);
        return 0;
    }

    require(ppm <= NGX_CANARY_PPM);

    check_form(data, size);
    check_points(ppm);

    if (size < LONGEST) {
        check_value(data, size, ppm);
    }

    return 0;
}


static void
check_form(const uint8_t *data, size_t size)
{
    size_t  i, points, decimals;

    require(size >= 2 && data[size - 1] == '%' && data[0] != '.');

    points = 0;
    decimals = 0;

    for (i = 0; i < size - 1; i++) {

        if (data[i] == '.') {
            points++;
            continue;
        }

        require(data[i] >= '0' && data[i] <= '9');
        decimals += points;
    }

    require(points <= 1 && decimals <= 4 && (points == 0 || decimals > 0));
}


static void
check_value(const uint8_t *data, size_t size, uint32_t ppm)
{
    char    text[LONGEST];
    double  percent;

    memcpy(text, data, size);
    text[size - 1] = '\0';

    percent = strtod(text, NULL);

    require(ppm == (uint32_t) (percent * 10000 + 0.5));
}


/* the two points on either side of the share's end */

static void
check_points(uint32_t ppm)
{
    if (ppm > 0) {
        require(ngx_canary_split_variant(ppm - 1, &ppm, 1) == 1);
    }

    if (ppm < NGX_CANARY_PPM) {
        require(ngx_canary_split_variant(ppm, &ppm, 1)
                == NGX_CANARY_BASELINE);
    }
}
