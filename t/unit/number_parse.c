/* What is a number in an answer's header, and what is none. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_number.h"

#include "sample.h"
#include "fenced.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char  *text;
    uint64_t     milli;
} number_t;


static const number_t  numbers[] = {
    { "0", 0 },
    { "7", 7000 },
    { "12", 12000 },
    { "0.001", 1 },
    { "0.0009", 0 },
    { "0.25", 250 },
    { "1700.5", 1700500 },
    { "1.9999999999999999999999999999", 1999 },
    { "007", 7000 },
    { "1000000", 1000000000 },
    { "999999999999.999", 999999999999999 }
};

static const char  *others[] = {
    "", "-1", "+1", " 1", "1 ", ".5", "5.", ".", "1e3", "1,5", "0x10", "1.2.3",
    "nan", "inf", "1234567890123", "0000000000001", "1;", "one", "1.5ms"
};


int
main(void)
{
    char      text[64];
    size_t    i;
    uint64_t  milli, seed, n, wrong;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        milli = 4711;
        ok(ngx_canary_number_parse(fenced(numbers[i].text,
                                          strlen(numbers[i].text)),
                                   strlen(numbers[i].text), &milli) == 0
           && milli == numbers[i].milli, "\"%s\"", numbers[i].text);
    }

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        milli = 4711;
        ok(ngx_canary_number_parse(fenced(others[i], strlen(others[i])),
                                   strlen(others[i]), &milli) == -1
           && milli == 4711, "\"%s\" is none", others[i]);
    }

    ok(ngx_canary_number_parse((const unsigned char *) "12\0", 3, &milli) == -1,
       "nor with a zero byte");
    ok(ngx_canary_number_parse((const unsigned char *) "129", 2, &milli) == 0
       && milli == 12000, "no byte behind the length is read");

    wrong = 0;
    seed = 1;

    for (i = 0; i < 100000; i++) {
        n = sample_u64(&seed) % 1000000000000000;
        snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, n / 1000,
                 n % 1000);
        wrong += ngx_canary_number_parse((const unsigned char *) text,
                                         strlen(text), &milli) != 0
                 || milli != n;
    }

    is_u64(wrong, 0, "any of them as printf wrote it");

    return tap_done();
}
