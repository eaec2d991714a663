/*
 * The forms of fields: each row is some bytes, and what is read of them or
 * that they are refused.  Nothing is written behind the end of what they are
 * read into, whatever they say.
 */

#include "../../src/pure/ngx_canary_hist.h"
#include "../../src/pure/ngx_canary_walk.h"

#include "tap.h"

#include <string.h>


#define SKETCH  300
#define GUARD   400
#define LAST    (NGX_CANARY_HIST_BUCKETS - 1)
/* a number of two bytes */
#define TWO(n)  0x80 | ((n) & 0x7f), (n) >> 7


typedef struct {
    const char     *name;
    int             taken;
    size_t          n;
    unsigned char   bytes[16];
} row_t;


static ngx_canary_walk_t  w;


static void
begin(const row_t *row)
{
    memset(&w, 0, sizeof(w));
    w.in = row->bytes;
    w.size = row->n;
}


static int
as_told(const row_t *row)
{
    if (row->taken) {
        return !w.failed && w.pos == w.size;
    }

    return w.failed && w.pos <= w.size;
}


static void
numbers(void)
{
    size_t    i;
    uint64_t  value;

    static const row_t  rows[] = {
        { "0", 1, 1, { 0 } },
        { "127", 1, 1, { 0x7f } },
        { "128", 1, 2, { 0x80, 1 } },
        { "2^63", 1, 10, { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                           0x80, 1 } },
        { "2^64 - 1", 1, 10, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                               0xff, 1 } },
        { "2^64", 0, 10, { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                           0x80, 2 } },
        { "2^64 and 1 + 2^63", 0, 10, { 0x81, 0x80, 0x80, 0x80, 0x80, 0x80,
                                        0x80, 0x80, 0x80, 3 } },
        { "11 bytes", 0, 11, { 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                               0x80, 0x81, 0 } },
        { "11 bytes, the last one 1", 0, 11,
          { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1 } },
        { "0 in two bytes", 0, 2, { 0x80, 0 } },
        { "127 in two bytes", 0, 2, { 0xff, 0 } },
        { "128 in three bytes", 0, 3, { 0x80, 0x81, 0 } },
        { "1 in ten bytes", 0, 10, { 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0 } },
        { "no byte", 0, 0, { 0 } },
        { "an end within", 0, 1, { 0x80 } }
    };

    static const uint64_t  values[] = {
        0, 127, 128, (uint64_t) 1 << 63, UINT64_MAX
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(&rows[i]);
        value = 4711;
        ngx_canary_walk_number(&w, &value, UINT64_MAX);
        ok(as_told(&rows[i]) && value == (rows[i].taken ? values[i] : 0),
           "number, %s: %s", rows[i].name,
           rows[i].taken ? "taken" : "refused, and read as 0");
    }

    begin(&rows[2]);
    ngx_canary_walk_number(&w, &value, 128);
    ok(!w.failed && value == 128, "number, 128 of 128");

    begin(&rows[2]);
    ngx_canary_walk_number(&w, &value, 127);
    ok(w.failed && value == 0, "number, 128 of 127: refused, and read as 0");
}


/* once something is wrong, all else is 0, and the place is kept */

static void
failed(void)
{
    double               real;
    uint64_t             value;
    unsigned char        byte;
    static const row_t   row = { "", 0, 12, { 0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8,
                                              9, 10 } };

    begin(&row);
    ngx_canary_walk_number(&w, &value, UINT64_MAX);

    byte = 5;
    ngx_canary_walk_byte(&w, &byte);
    ngx_canary_walk_number(&w, &value, UINT64_MAX);
    ok(byte == 0 && value == 0, "behind a mistake: zeros");

    value = 5;
    real = 5;
    ngx_canary_walk_fixed(&w, &value, 8);
    ngx_canary_walk_double(&w, &real, 0, 10);
    ok(value == 0 && real <= 0, "of a fixed size, and a fraction");
    is_u64(w.pos, 2, "and no further");
}


/* one that is refused is read as 0 as well */

static void
fractions(void)
{
    double  real;
    size_t  i;

    static const row_t  rows[] = {
        { "1", 1, 8, { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f } },
        { "2", 0, 8, { 0, 0, 0, 0, 0, 0, 0, 0x40 } },
        { "no number", 0, 8, { 0, 0, 0, 0, 0, 0, 0xf8, 0x7f } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(&rows[i]);
        real = 5;
        ngx_canary_walk_double(&w, &real, 0, 1);
        ok(as_told(&rows[i]) && (int) (real * 10) == (i ? 0 : 10),
           "fraction, %s of 1: %s", rows[i].name,
           rows[i].taken ? "taken" : "refused, and read as 0");
    }
}


/* each stretch: its value, and how many */

static void
bytes(void)
{
    size_t         i, k;
    unsigned char  data[SKETCH + GUARD];

    static const row_t  rows[] = {
        { "one stretch", 1, 3, { 0, TWO(SKETCH) } },
        { "two", 1, 5, { 5, 1, 6, TWO(SKETCH - 1) } },
        { "the greatest value", 1, 3, { 127, TWO(SKETCH) } },
        { "a greater one", 0, 4, { 0x80, 1, TWO(SKETCH) } },
        { "one byte too many", 0, 3, { 7, TWO(SKETCH + 1) } },
        { "one too many at the end", 0, 5, { 5, 1, 7, TWO(SKETCH) } },
        { "many too many", 0, 3, { 7, TWO(SKETCH + GUARD) } },
        { "one too few", 0, 3, { 7, TWO(SKETCH - 1) } },
        { "a stretch of none", 0, 5, { 5, 0, 6, TWO(SKETCH) } },
        { "two alike side by side", 0, 5, { 5, 1, 5, TWO(SKETCH - 1) } },
        { "a length that is too long", 0, 12,
          { 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0 } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(data, 0xee, sizeof(data));
        begin(&rows[i]);
        ngx_canary_walk_bytes(&w, data, SKETCH);

        for (k = SKETCH; k < sizeof(data) && data[k] == 0xee; k++) {
            /* void */
        }

        ok(as_told(&rows[i]), "sketch, %s: %s", rows[i].name,
           rows[i].taken ? "taken" : "refused");
        ok(k == sizeof(data), "sketch, %s: nothing behind it", rows[i].name);

        if (rows[i].taken) {
            ok(data[0] == rows[i].bytes[0]
               && data[SKETCH - 1] == rows[i].bytes[rows[i].n - 3],
               "sketch, %s: as the bytes say", rows[i].name);
        }
    }
}


/* for each bucket the empty ones before it, and its count; a count of 0 ends */

static void
buckets(void)
{
    size_t           i, k, sum;
    static uint64_t  hist[NGX_CANARY_HIST_BUCKETS + GUARD];

    static const row_t  rows[] = {
        { "empty", 1, 3, { TWO(LAST + 1), 0 } },
        { "the first bucket", 1, 5, { 0, 1, TWO(LAST), 0 } },
        { "the last bucket", 1, 5, { TWO(LAST), 1, 0, 0 } },
        { "one behind it", 0, 6, { TWO(LAST + 1), 1, 0, 0 } },
        { "one further behind it", 0, 6, { TWO(LAST + 2), 1, 0, 0 } },
        { "one behind the last bucket", 0, 7,
          { TWO(LAST), 1, 0, 1, 0, 0 } },
        { "beyond it by a gap", 0, 8, { 0, 1, TWO(LAST + 1), 1, 0, 0 } },
        { "far beyond it", 0, 6, { TWO(LAST + 300), 1, 0, 0 } },
        { "an end that is too early", 0, 3, { TWO(LAST), 0 } },
        { "an end at once", 0, 2, { 0, 0 } },
        { "a bucket in use with none", 0, 5, { 0, 0, TWO(LAST), 0 } },
        { "an end that is too late", 0, 3, { TWO(LAST + 2), 0 } },
        { "no end", 0, 3, { TWO(LAST), 1 } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(hist, 0, sizeof(hist));
        begin(&rows[i]);
        ngx_canary_walk_hist(&w, hist);

        sum = 0;

        for (k = 0; k < NGX_CANARY_HIST_BUCKETS; k++) {
            sum += hist[k];
        }

        while (k < sizeof(hist) / sizeof(hist[0]) && hist[k] == 0) {
            k++;
        }

        ok(as_told(&rows[i]), "histogram, %s: %s", rows[i].name,
           rows[i].taken ? "taken" : "refused");
        ok(k == sizeof(hist) / sizeof(hist[0]),
           "histogram, %s: nothing behind it", rows[i].name);

        if (rows[i].taken) {
            ok(sum == (i > 0) && hist[i == 1 ? 0 : LAST] == sum,
               "histogram, %s: as the bytes say", rows[i].name);
        }
    }
}


/* a length and as many bytes */

static void
texts(void)
{
    size_t         i;
    uint64_t       len;
    unsigned char  data[8];

    static const row_t  rows[] = {
        { "none", 1, 1, { 0 } },
        { "as long as its room", 1, 5, { 4, 'a', 'b', 'c', 'd' } },
        { "longer than its room", 0, 6, { 5, 'a', 'b', 'c', 'd', 'e' } },
        { "longer than the file", 0, 4, { 4, 'a', 'b', 'c' } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(data, 0xee, sizeof(data));
        begin(&rows[i]);
        ngx_canary_walk_text(&w, &len, data, 4);

        ok(as_told(&rows[i]), "text, %s: %s", rows[i].name,
           rows[i].taken ? "taken" : "refused");
        ok(data[4] == 0xee, "text, %s: nothing behind it", rows[i].name);

        if (rows[i].taken) {
            ok(len == rows[i].bytes[0]
               && memcmp(data, rows[i].bytes + 1, len) == 0,
               "text, %s: as the bytes say", rows[i].name);
        }
    }
}


int
main(void)
{
    numbers();
    failed();
    fractions();
    bytes();
    buckets();
    texts();

    return tap_done();
}
