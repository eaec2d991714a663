/* How far errors that come together, of one user, are told from single ones. */

#include "driver/traffic.h"

#include "tap.h"


#define INSTALLATIONS  2000
#define REQUESTS       100000           /* in a cell */


typedef struct {
    double  mean;
    double  low;                        /* one in twenty is below */
    double  least;
    double  most;
} spread_t;


static int
compare(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


static spread_t
simulate(unsigned cluster, unsigned users, uint64_t seed)
{
    size_t         i;
    spread_t       s;
    traffic_t      t;
    static double  phi[INSTALLATIONS];

    memset(&t, 0, sizeof(t));
    t.cluster = cluster;
    t.baseline_bad = 0.001;

    s.mean = 0;

    for (i = 0; i < INSTALLATIONS; i++) {
        phi[i] = traffic_dispersion(&t, users, &seed);
        s.mean += phi[i] / INSTALLATIONS;
    }

    qsort(phi, INSTALLATIONS, sizeof(double), compare);

    s.least = phi[0];
    s.low = phi[INSTALLATIONS / 20];
    s.most = phi[INSTALLATIONS - 1];

    return s;
}


static void
users(void)
{
    unsigned  k;
    spread_t  s;

    static const unsigned  clusters[] = { 3, 10, 30 };

    s = simulate(1, 20, 1);
    ok(s.least == 1 && s.mean < 1.1, "20 single errors: %.2f", s.mean);

    s = simulate(1, 10000, 2);
    ok(s.least == 1 && s.mean < 1.1, "10,000 single errors: %.2f", s.mean);

    for (k = 0; k < 3; k++) {
        s = simulate(clusters[k], 10000, 3);
        ok(s.low >= 0.8 * clusters[k] && s.mean >= 1.2 * clusters[k]
           && s.mean <= 1.6 * clusters[k],
           "%u errors a user: %.2f in the mean, one in twenty below %.2f",
           clusters[k], s.mean, s.low);
    }

    s = simulate(1000, 5000, 4);
    ok(s.least == NGX_CANARY_DISPERSION_MAX && s.most == s.least,
       "1,000 errors a user: no more than what still lets a fault be seen");
}


/* cells of different size, each with its share of the errors, but for a few */

static void
weights(void)
{
    size_t    i;
    double    chi, mean;
    uint64_t  bad[4], requests[4];

    for (i = 0; i < 4; i++) {
        requests[i] = (i + 1) * 10000;
        bad[i] = (i + 1) * 100;
    }

    ok(ngx_canary_dispersion(bad, requests, 4) == 1,
       "cells of unequal requests with errors to match: 1");

    bad[0] += 150;
    chi = 0;

    for (i = 0; i < 4; i++) {
        mean = (double) requests[i] * 1150 / 100000;
        chi += ((double) bad[i] - mean) * ((double) bad[i] - mean) / mean;
    }

    chi /= 3 * (1 - 0.0115);

    ok(fabs(ngx_canary_dispersion(bad, requests, 4) - (1.5 * chi - 0.6)) < 1e-9,
       "one with more than its share: %.1f by chi-square", chi);

    requests[3] = 0;
    ok(ngx_canary_dispersion(bad, requests, 4)
       == ngx_canary_dispersion(bad, requests, 3),
       "a cell without requests does not count");
}


static void
ends(void)
{
    uint64_t  bad[64], requests[64], i;

    for (i = 0; i < 64; i++) {
        bad[i] = 0;
        requests[i] = REQUESTS;
    }

    ok(ngx_canary_dispersion(bad, requests, 64) == 1, "no errors: 1");

    bad[7] = 19;
    ok(ngx_canary_dispersion(bad, requests, 64) == 1, "19 of one user: 1");

    bad[7] = 20;
    ok(ngx_canary_dispersion(bad, requests, 64) > 19, "20: about as many");

    ok(ngx_canary_dispersion(bad, requests, 0) == 1, "no cells: 1");
    ok(ngx_canary_dispersion(&bad[7], &requests[7], 1) == 1, "one cell: 1");

    for (i = 0; i < 64; i++) {
        bad[i] = requests[i];
    }

    ok(ngx_canary_dispersion(bad, requests, 64) == 1, "all bad: 1");

    for (i = 0; i < 64; i++) {
        bad[i] = requests[i] = UINT64_MAX - i;
        bad[i] /= 2;
    }

    ok(ngx_canary_dispersion(bad, requests, 64) >= 1
       && ngx_canary_dispersion(bad, requests, 64)
       <= NGX_CANARY_DISPERSION_MAX, "any numbers: in its range");
}


int
main(void)
{
    users();
    weights();
    ends();

    return tap_done();
}
