/* Shares as text: exact to four decimals, anything else is refused. */

#include "../../src/pure/ngx_canary_split.h"

#include <string.h>

#include "sample.h"
#include "tap.h"


#define UNTOUCHED  4711


typedef struct {
    const char  *text;
    uint32_t     ppm;
} share_t;


static const share_t  valid[] = {
    { "0%", 0 },
    { "5%", 50000 },
    { "5.0%", 50000 },
    { "5.25%", 52500 },
    { "05%", 50000 },
    { "0000000000000000000000000000000000000000000000005%", 50000 },
    { "0.0001%", 1 },
    { "0.001%", 10 },
    { "0.01%", 100 },
    { "0.1%", 1000 },
    { "33.3333%", 333333 },
    { "99.9%", 999000 },
    { "99.9999%", 999999 },
    { "100%", 1000000 },
    { "100.0000%", 1000000 }
};

static const char  *invalid[] = {
    "", "%", "5", ".", ".%", ".5%", "5.%", "5.", "5..5%", "5.5.5%", "5%%",
    "5% ", " 5%", "5 %", "%5", "5%5", "5.%5", "+5%", "-1%", "-0%", "1e1%",
    "1e9", "0x5%", "5,5%", "nan", "nan%", "inf%", "off", "100.0001%",
    "100.001%", "101%", "999%", "1000%", "0.00001%", "0.00000%", "5.00000%",
    "99.99999%", "4294967296%", "4294967301%", "4294967.301%",
    "18446744073709551621%", "99999999999999999999%",
    "0.99999999999999999999999999999999999999999%"
};


/* a copy of exactly that length, so that a sanitizer sees a byte too far */

static int
parse(const char *text, size_t len, uint32_t *ppm)
{
    int             rc;
    unsigned char  *copy;

    copy = malloc(len ? len : 1);
    if (copy == NULL) {
        abort();
    }

    memcpy(copy, text, len);
    rc = ngx_canary_split_parse_share(copy, len, ppm);
    free(copy);

    return rc;
}


int
main(void)
{
    char      text[32];
    size_t    i;
    uint32_t  ppm, wrong;

    for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        ppm = UNTOUCHED;

        ok(parse(valid[i].text, strlen(valid[i].text), &ppm) == 0
           && ppm == valid[i].ppm, "\"%s\" is %u", valid[i].text,
           (unsigned) valid[i].ppm);
    }

    for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        ppm = UNTOUCHED;

        ok(parse(invalid[i], strlen(invalid[i]), &ppm) == -1
           && ppm == UNTOUCHED, "\"%s\" is refused", invalid[i]);
    }

    ppm = UNTOUCHED;

    ok(parse("5\0%", 3, &ppm) == -1, "a null byte is refused");
    ok(parse("5%\0", 3, &ppm) == -1, "as is one behind the share");
    ok(parse("\xb5%", 2, &ppm) == -1, "a byte beyond ASCII is refused");
    is_u64(ppm, UNTOUCHED, "and none of them gives a share");

    wrong = 0;

    for (i = 0; i <= NGX_CANARY_PPM; i++) {
        snprintf(text, sizeof(text), "%u.%04u%%", (unsigned) (i / 10000),
                 (unsigned) (i % 10000));

        wrong += parse(text, strlen(text), &ppm) != 0 || ppm != i;
    }

    is_u64(wrong, 0, "every share of four decimals is read exactly");

    return tap_done();
}
