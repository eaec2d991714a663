/*
 * What is UTF-8: every text of one to four of the bytes at which something
 * changes, against a decoder that takes all that has the right form and then
 * looks at the number (RFC 3629).
 */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_fields.h"

#include "fenced.h"
#include "tap.h"


#define BYTES  (sizeof(bytes) / sizeof(bytes[0]))


static const unsigned char  bytes[] = {
    0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
    0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4,
    0xf5, 0xf8, 0xff
};


/* the length of the character at p, of which there are len bytes, or 0 */

static size_t
character(const unsigned char *p, size_t len)
{
    size_t         i, n;
    unsigned long  number;

    /* the least number that takes so many bytes */
    static const unsigned long  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (p[0] < 0x80) {
        return 1;
    }

    n = (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3
        : (p[0] & 0xf8) == 0xf0 ? 4 : 0;

    if (n == 0 || n > len) {
        return 0;
    }

    number = p[0] & (0x7fu >> n);

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        number = number << 6 | (p[i] & 0x3f);
    }

    return (number >= least[n] && number <= 0x10ffff
            && !(number >= 0xd800 && number <= 0xdfff)) ? n : 0;
}


static int
expected(const unsigned char *p, size_t len)
{
    size_t  n;

    while (len) {
        n = character(p, len);

        if (n == 0) {
            return 0;
        }

        p += n;
        len -= n;
    }

    return 1;
}


int
main(void)
{
    size_t         len, n, k, total, good, wrong;
    unsigned char  text[4];

    total = 1;

    for (len = 0; len <= sizeof(text); len++) {
        good = 0;
        wrong = 0;

        for (n = 0; n < total; n++) {

            for (k = 0; k < len; k++) {
                text[k] = bytes[k == 0 ? n % BYTES
                                : k == 1 ? n / BYTES % BYTES
                                : k == 2 ? n / (BYTES * BYTES) % BYTES
                                : n / (BYTES * BYTES * BYTES)];
            }

            good += expected(text, len) != 0;
            wrong += !ngx_canary_fields_is_utf8(fenced(text, len), len)
                     != !expected(text, len);
        }

        ok(wrong == 0 && good > 0 && (len == 0 || good < total),
           "%zu texts of %zu bytes, %zu of them good: %zu wrong", total, len,
           good, wrong);
        total *= BYTES;
    }

    return tap_done();
}
