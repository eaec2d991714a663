/*
 * Where a stream was cut, blocks begin anew: what comes behind is compared as
 * in a stream that begins there, wherever in a block the cut was.
 */

#include "../../src/pure/ngx_canary_dispersion.h"

#include "tap.h"

#include <string.h>


#define TICKS  40                       /* less than an epoch, with BEFORE */
#define BEFORE 20


/* bad in bursts of three ticks */

static void
feed(ngx_canary_dispersion_t *d)
{
    size_t  i;

    for (i = 0; i < TICKS; i++) {
        ngx_canary_dispersion_tick(d, 100, i % 7 < 3 ? 9 : 0, 100);
    }
}


/* of all lengths, those whose pairs differ */

static size_t
different(const ngx_canary_dispersion_t *a, const ngx_canary_dispersion_t *b)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        n += memcmp(&a->lengths[i].now.sum, &b->lengths[i].now.sum,
                    sizeof(ngx_canary_spread_t))
             != 0;
    }

    return n;
}


int
main(void)
{
    size_t                    i, before, cut, whole;
    ngx_canary_dispersion_t   fresh, d;

    memset(&fresh, 0, sizeof(fresh));
    feed(&fresh);

    cut = 0;
    whole = 0;

    for (before = 1; before <= BEFORE; before++) {
        memset(&d, 0, sizeof(d));

        for (i = 0; i < before; i++) {
            ngx_canary_dispersion_tick(&d, 100, 0, 100);
        }

        fresh.rate = d.rate;
        ngx_canary_dispersion_cut(&d);
        feed(&d);
        cut += different(&d, &fresh);

        memset(&d, 0, sizeof(d));

        for (i = 0; i < before; i++) {
            ngx_canary_dispersion_tick(&d, 100, 0, 100);
        }

        feed(&d);
        whole += different(&d, &fresh);
    }

    is_u64(cut, 0, "pairs are those of a stream that begins there");
    ok(whole > BEFORE, "without the cut they are others: %zu", whole);

    return tap_done();
}
