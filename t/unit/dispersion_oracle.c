/*
 * Dispersion against brute force: all pairs of blocks from the whole history,
 * in epochs, aged, less the pair of the greatest excess.
 */

#include "../../src/pure/ngx_canary_dispersion.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


#define TICKS    5000
#define LENGTHS  8


static double  trials[TICKS], bads[TICKS];


typedef struct {
    double    x, e, w, h;
} pair_t;


/* the pair of blocks of m ticks that begins at "from"; 0 if it tells nothing */

static int
pair_at(int from, int m, pair_t *p)
{
    int     i;
    double  n[2] = { 0, 0 }, b[2] = { 0, 0 }, all, bad;

    for (i = 0; i < 2 * m; i++) {
        n[i / m] += trials[from + i];
        b[i / m] += bads[from + i];
    }

    all = n[0] + n[1];
    bad = b[0] + b[1];

    if (n[0] <= 0 || n[1] <= 0 || all <= 1 || bad <= 0 || bad >= all) {
        return 0;
    }

    p->e = bad * (all - bad) / (all - 1);
    p->x = pow(b[0] * n[1] - b[1] * n[0], 2) / (n[0] * n[1]) - p->e;
    p->w = p->e * all / (2 * m);
    p->h = bad;

    return 1;
}


/* ages of an epoch that ended so long ago: those since with bad trials */

static double
weight(int epoch, int now)
{
    int     i, k;
    double  bad, w;

    w = 1;

    /* an epoch counts once two more have ended, and ages with each of those */

    for (i = epoch + 2; i < now; i++) {

        for (k = 0, bad = 0; k < 64; k++) {
            bad += bads[i * 64 + k];
        }

        w *= (bad > 0) ? 0.98 : 1;
    }

    return w;
}


static void
brute(int ticks, double rate, double *all, double *beyond)
{
    int     l, m, from, epoch, now;
    double  one, w, spread;
    pair_t  p, sum, most;

    *all = 1;
    *beyond = 1;
    one = 0;
    now = ticks / 64;

    for (l = 0; l < LENGTHS; l++) {
        m = 1 << l;
        memset(&sum, 0, sizeof(sum));
        memset(&most, 0, sizeof(most));

        for (from = 0; from + 2 * m <= ticks; from += 2 * m) {
            epoch = (from + 2 * m - 1) / 64;

            if (epoch + 2 > now || !pair_at(from, m, &p)) {
                continue;
            }

            /* aged by what ended since it began to count */

            w = weight(epoch, now - 0);
            w = (epoch + 2 == now) ? 1 : w;

            p.x *= w;
            p.e *= w;
            p.w *= w;
            p.h *= w;

            sum.x += p.x;
            sum.e += p.e;
            sum.w += p.w;
            sum.h += p.h;

            if (p.x > most.x) {
                most = p;
            }
        }

        sum.x -= most.x;
        sum.e -= most.e;
        sum.w -= most.w;
        sum.h -= most.h;

        if (!(sum.e > 0 && sum.w > 0 && sum.h > 0)) {
            continue;
        }

        *all = fmax(*all, 1 + sum.x / sum.w * fmax(rate, sum.w / sum.e));
        spread = (sum.x + sum.e) / sum.h;

        if (l == 0) {
            one = spread;

        } else if (one > 0) {
            *beyond = fmax(*beyond, spread / one);
        }
    }
}


static double
bound(double d)
{
    return fmin(fmax(1.5 * d - 0.6, 1), 10000);
}


/* a stream old enough that what is assumed of young ones has nearly faded */

static void
compare(double rate, double bad, int burst, const char *name)
{
    int                      i, far;
    double                   mean, all, beyond, least, most;
    uint64_t                 seed;
    ngx_canary_phi_t         phi;
    ngx_canary_dispersion_t  d;

    memset(&d, 0, sizeof(d));
    seed = 3;
    mean = 0;
    far = 0;
    least = 1e9;
    most = 0;

    for (i = 0; i < TICKS; i++) {
        trials[i] = floor(rate * (0.5 + sample_unit(&seed)));
        bads[i] = 0;

        if (sample_unit(&seed) < rate * bad / burst) {
            bads[i] = fmin(burst, trials[i]);
        }

        ngx_canary_dispersion_tick(&d, trials[i], bads[i], trials[i]);
        mean += 0.01 * (trials[i] - mean);

        if (i < 2000 || i % 61) {
            continue;
        }

        phi = ngx_canary_dispersion_phi(&d, NULL);
        brute(i + 1, mean, &all, &beyond);

        /* what is assumed is 9, and never lowers anything */

        far += phi.phi < bound(all) - 1e-6
               || phi.psi < bound(beyond) - 1e-6
               || (all >= 9 && fabs(phi.phi - bound(all)) > 1e-6)
               || (all < 9 && phi.phi > bound(all + (9 - all) / 2));
        least = fmin(least, phi.phi);
        most = fmax(most, phi.phi);
    }

    ok(far == 0, "%s: %d differ, phi from %.2f to %.2f", name, far, least,
       most);
}


int
main(void)
{
    compare(20, 0.05, 1, "one at a time");
    compare(20, 0.05, 12, "twelve of a second");
    compare(200, 0.01, 60, "sixty of a second now and then");

    return tap_done();
}
