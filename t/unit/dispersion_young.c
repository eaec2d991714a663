/*
 * A stream that is young: it is taken to come in clusters of nine, or as the
 * baseline's do, and the more clusters it has seen itself the less that is so.
 * Against the definition, from what both were given.
 */

#include "../../src/pure/ngx_canary_dispersion.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


/* 32 ticks are a pair of blocks of 16, by which clusters are counted */
#define PAIR   32
#define EPOCH  64
#define MOST   (3 * EPOCH)


static double  trials[2][MOST], bads[2][MOST];


typedef struct {
    double  all;
    double  clusters;
} known_t;


static double
bound(double measured)
{
    return fmin(fmax(1.5 * measured - 0.6, 1), 10000);
}


/* the sums over pairs of blocks of m ticks, of what one has seen by then */

static void
sums(int who, int m, int ticks, int young, double *x, double *e, double *w,
    double *pairs)
{
    int     from, i, epoch;
    double  n[2], b[2], even, excess, most_x, most_e, most_w;

    *x = *e = *w = *pairs = 0;
    most_x = most_e = most_w = 0;

    for (from = 0; from + 2 * m <= ticks; from += 2 * m) {
        epoch = (from + 2 * m - 1) / EPOCH;

        if (!young && epoch + 2 > ticks / EPOCH) {
            break;
        }

        n[0] = n[1] = b[0] = b[1] = 0;

        for (i = 0; i < 2 * m; i++) {
            n[i / m] += trials[who][from + i];
            b[i / m] += bads[who][from + i];
        }

        if (n[0] <= 0 || n[1] <= 0 || b[0] + b[1] <= 0
            || b[0] + b[1] >= n[0] + n[1])
        {
            continue;
        }

        even = (b[0] + b[1]) * (n[0] + n[1] - b[0] - b[1])
               / (n[0] + n[1] - 1);
        excess = pow(b[0] * n[1] - b[1] * n[0], 2) / (n[0] * n[1]) - even;

        *x += excess;
        *e += even;
        *w += even * (n[0] + n[1]) / (2 * m);
        *pairs += 1;

        if (excess > most_x) {
            most_x = excess;
            most_e = even;
            most_w = even * (n[0] + n[1]) / (2 * m);
        }
    }

    /* of one's own the pair with the greatest excess may be the fault */

    if (!young && most_x > 0) {
        *x -= most_x;
        *e -= most_e;
        *w -= most_w;
        *pairs -= 1;
    }
}


/* "young": all up to now counts, as it does of a baseline */

static known_t
known(int who, int ticks, int young)
{
    int      m;
    double   x, e, w, pairs, rate;
    known_t  k;

    k.all = 1;
    k.clusters = 0;
    rate = 0;

    for (m = 0; m < ticks; m++) {
        rate += 0.01 * (trials[who][m] - rate);
    }

    for (m = 1; m <= 128; m *= 2) {
        sums(who, m, ticks, young, &x, &e, &w, &pairs);

        if (e > 0 && w > 0) {
            k.all = fmax(k.all, 1 + x / w * fmax(rate, w / e));
        }
    }

    sums(who, PAIR / 2, ticks, young, &x, &e, &w, &pairs);

    if (e > 0 && w > 0) {
        k.clusters = fmin(e / k.all, pairs * (young ? 12 : 6));
    }

    return k;
}


static double
expected(int ticks, int borrowed)
{
    double   prior;
    known_t  own, other;

    own = known(0, ticks, 0);
    memset(&other, 0, sizeof(other));

    if (borrowed) {
        other = known(1, ticks, 1);
    }

    /* 3 clusters of nine, and those that the baseline has shown */

    prior = (27 + other.clusters * other.all) / (3 + other.clusters);
    prior = fmin(prior, 60);

    return bound(prior > own.all
                 ? own.all + 5 * (prior - own.all) / (5 + own.clusters)
                 : own.all);
}


static void
compare(const char *name, double rate, double bad, int burst, double base_rate,
    double base_bad, int base_burst)
{
    int                      i, far;
    double                   phi, without, least, most;
    uint64_t                 seed;
    ngx_canary_dispersion_t  d[2];

    memset(d, 0, sizeof(d));
    seed = 5;
    far = 0;
    least = 1e9;
    most = 0;

    /* until the third epoch ends: then what is past begins to age */

    for (i = 0; i < 3 * EPOCH - 1; i++) {
        trials[0][i] = rate;
        trials[1][i] = base_rate;
        bads[0][i] = (sample_unit(&seed) < rate * bad / burst)
                     ? fmin(burst, rate) : 0;
        bads[1][i] = (sample_unit(&seed) < base_rate * base_bad / base_burst)
                     ? fmin(base_burst, base_rate) : 0;

        ngx_canary_dispersion_tick(&d[0], trials[0][i], bads[0][i], rate);
        ngx_canary_dispersion_tick(&d[1], trials[1][i], bads[1][i], base_rate);

        phi = ngx_canary_dispersion_phi(&d[0], &d[1]).phi;
        without = ngx_canary_dispersion_phi(&d[0], NULL).phi;

        far += fabs(phi - expected(i + 1, 1)) > 1e-6;
        far += fabs(without - expected(i + 1, 0)) > 1e-6;
        least = fmin(least, phi);
        most = fmax(most, phi);
    }

    ok(far == 0, "%s: %d differ, phi from %.2f to %.2f", name, far, least,
       most);
}


static void
fresh(void)
{
    ngx_canary_phi_t         phi;
    ngx_canary_dispersion_t  none, quiet;

    memset(&none, 0, sizeof(none));
    memset(&quiet, 0, sizeof(quiet));

    phi = ngx_canary_dispersion_phi(&none, NULL);
    ok(fabs(phi.phi - 12.9) < 1e-9 && fabs(phi.psi - 12.9) < 1e-9,
       "nothing seen: clusters of nine, half as much again less 0.6");

    while (quiet.ticks < 1000) {
        ngx_canary_dispersion_tick(&quiet, 100, 0, 100);
    }

    phi = ngx_canary_dispersion_phi(&none, &quiet);
    ok(fabs(phi.phi - 12.9) < 1e-9,
       "a baseline in which nothing was bad tells nothing");

    phi = ngx_canary_dispersion_phi(&quiet, NULL);
    ok(fabs(phi.phi - 12.9) < 1e-9, "nor does a canary, however old it is");
}


int
main(void)
{
    fresh();

    compare("a good baseline", 10, 0.02, 1, 200, 0.02, 1);
    compare("one with bursts", 10, 0.02, 1, 200, 0.02, 20);
    compare("long bursts", 10, 0.02, 1, 1000, 0.1, 500);
    compare("both with bursts", 50, 0.02, 10, 50, 0.02, 10);
    compare("hardly anything", 1, 0.01, 1, 19, 0.01, 1);
    compare("always as many", 200, 0.025, 5, 200, 0.025, 20);

    return tap_done();
}
