/*
 * The Allan factor of a stream of trials (S. Lowen and M. Teich, "Fractal-Based
 * Point Processes", 2005, chapter 3), for trials of which some are bad.
 *
 * Two blocks of the same length follow each other, with b1 of n1 and b2 of n2
 * bad; x = b1 + b2, N = n1 + n2.  If each trial is bad independently, then, x
 * and N given, (b1 n2 - b2 n1)^2 / (n1 n2) has the mean
 *
 *     e = x (N - x) / (N - 1)
 *
 * and what is beyond it is excess, whatever the rate of bad is.  Summed over
 * pairs, 1 + X / E says how many times the variance of independent trials there
 * is.  What comes in bursts scales with the requests of a tick, so W = sum of
 * e times these is kept too: D = 1 + X / W * rate.
 *
 * Of each length the pair with the greatest excess is left out, as a fault
 * begins in one; and sums move on by epochs, so that a fault is not excused by
 * itself as soon as it has begun.  They age by epochs with bad trials, not by
 * time: a night without any forgets nothing.
 */

#include "ngx_canary_dispersion.h"

#include <math.h>
#include <string.h>


#define NGX_CANARY_DISPERSION_RATE   0.01   /* of a tick in the mean rate */
#define NGX_CANARY_DISPERSION_AGE    0.98   /* an epoch's part in the next */

/*
 * What is taken for granted of a stream that is young: a dispersion of 9, as
 * if it had been seen in 3 clusters.  It fades with the clusters that are seen,
 * but no faster than time passes: a pair of blocks of 16 ticks tells as much as
 * so many clusters at most.
 */
#define NGX_CANARY_DISPERSION_PRIOR           27.0
#define NGX_CANARY_DISPERSION_CLUSTERS        3.0
#define NGX_CANARY_DISPERSION_PRIOR_MAX       60.0
#define NGX_CANARY_DISPERSION_FADE            5.0
#define NGX_CANARY_DISPERSION_KNOWN           4     /* 1 << 4 ticks */
#define NGX_CANARY_DISPERSION_PAIR_OWN        6.0
#define NGX_CANARY_DISPERSION_PAIR_BASELINE   12.0


/* what was measured */
typedef struct {
    double    all;          /* the dispersion */
    double    beyond;       /* its part that goes beyond one tick */
    double    even;         /* of so many bad trials */
    double    most;         /* .. and clusters at most */
} ngx_canary_measured_t;


static void ngx_canary_dispersion_pair(ngx_canary_length_t *length,
    double ticks);
static void ngx_canary_dispersion_epoch(ngx_canary_length_t *length,
    double bad);
static void ngx_canary_spread_add(ngx_canary_spread_t *sum,
    const ngx_canary_spread_t *spread, double times);
static void ngx_canary_dispersion_measure(const ngx_canary_dispersion_t *d,
    int baseline, ngx_canary_measured_t *m);
static ngx_canary_spread_t ngx_canary_dispersion_counted(
    const ngx_canary_length_t *length, int baseline);
static double ngx_canary_dispersion_prior(double own, double own_clusters,
    double baseline, double baseline_clusters);
static double ngx_canary_dispersion_clusters(const ngx_canary_measured_t *m,
    double dispersion);
static double ngx_canary_dispersion_bound(double measured);


void
ngx_canary_dispersion_tick(ngx_canary_dispersion_t *d, double n, double bad,
    double requests)
{
    size_t                i;
    uint64_t              ticks;
    ngx_canary_length_t  *length;

    n = (n > 0 && n < 1e15) ? n : 0;
    bad = (bad > 0) ? fmin(bad, n) : 0;
    requests = (requests > 0 && requests < 1e15) ? requests : 0;

    d->ticks++;
    d->age++;
    d->bad += bad;
    d->rate += NGX_CANARY_DISPERSION_RATE * (requests - d->rate);

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        length = &d->lengths[i];
        ticks = (uint64_t) 1 << i;

        length->n += n;
        length->bad += bad;
        length->requests += requests;

        if (d->ticks % ticks) {
            break;
        }

        if (d->ticks % (2 * ticks) == 0) {
            ngx_canary_dispersion_pair(length, 2 * (double) ticks);

        } else {
            length->before_n = length->n;
            length->before_bad = length->bad;
            length->before_requests = length->requests;
        }

        /* the next length is filled by blocks of this one */

        n = length->n;
        bad = length->bad;
        requests = length->requests;
        length->n = 0;
        length->bad = 0;
        length->requests = 0;
    }

    if (d->age == NGX_CANARY_DISPERSION_EPOCH) {

        for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
            ngx_canary_dispersion_epoch(&d->lengths[i], d->bad);
        }

        d->age = 0;
        d->bad = 0;
    }
}


void
ngx_canary_dispersion_cut(ngx_canary_dispersion_t *d)
{
    size_t  i;

    d->ticks = 0;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        d->lengths[i].n = 0;
        d->lengths[i].bad = 0;
        d->lengths[i].requests = 0;
    }
}


ngx_canary_phi_t
ngx_canary_dispersion_phi(const ngx_canary_dispersion_t *d,
    const ngx_canary_dispersion_t *baseline)
{
    ngx_canary_phi_t       phi;
    ngx_canary_measured_t  own, other;

    ngx_canary_dispersion_measure(d, 0, &own);

    memset(&other, 0, sizeof(other));
    other.all = 1;
    other.beyond = 1;

    if (baseline) {
        ngx_canary_dispersion_measure(baseline, 1, &other);
    }

    phi.phi = ngx_canary_dispersion_bound(
                   ngx_canary_dispersion_prior(own.all,
                       ngx_canary_dispersion_clusters(&own, own.all), other.all,
                       ngx_canary_dispersion_clusters(&other, other.all)));

    phi.psi = ngx_canary_dispersion_bound(
                   ngx_canary_dispersion_prior(own.beyond,
                       ngx_canary_dispersion_clusters(&own, own.beyond),
                       other.beyond,
                       ngx_canary_dispersion_clusters(&other, other.beyond)));

    return phi;
}


/* length->before_.. and length->n, length->bad are the two blocks */

static void
ngx_canary_dispersion_pair(ngx_canary_length_t *length, double ticks)
{
    double               n, diff;
    ngx_canary_epoch_t  *now;
    ngx_canary_spread_t  pair;

    n = length->before_n + length->n;
    pair.bad = length->before_bad + length->bad;

    if (length->before_n <= 0 || length->n <= 0 || n <= 1
        || pair.bad <= 0 || pair.bad >= n)
    {
        return;
    }

    diff = length->before_bad * length->n - length->bad * length->before_n;

    pair.even = pair.bad * (n - pair.bad) / (n - 1);
    pair.excess = diff / length->n * (diff / length->before_n) - pair.even;
    pair.weight = pair.even * (length->before_requests + length->requests)
                  / ticks;
    pair.pairs = 1;

    now = &length->now;
    ngx_canary_spread_add(&now->sum, &pair, 1);

    if (pair.excess > now->largest.excess) {
        now->largest = pair;
    }
}


static void
ngx_canary_dispersion_epoch(ngx_canary_length_t *length, double bad)
{
    double               age;
    ngx_canary_epoch_t  *past, aged;

    past = &length->past;
    age = (bad > 0) ? NGX_CANARY_DISPERSION_AGE : 1;

    memset(&aged, 0, sizeof(aged));
    ngx_canary_spread_add(&aged.sum, &past->sum, age);
    ngx_canary_spread_add(&aged.largest, &past->largest, age);
    ngx_canary_spread_add(&aged.sum, &length->last.sum, 1);

    if (length->last.largest.excess > aged.largest.excess) {
        aged.largest = length->last.largest;
    }

    *past = aged;
    length->last = length->now;
    memset(&length->now, 0, sizeof(length->now));
}


static void
ngx_canary_spread_add(ngx_canary_spread_t *sum,
    const ngx_canary_spread_t *spread, double times)
{
    sum->excess += times * spread->excess;
    sum->even += times * spread->even;
    sum->weight += times * spread->weight;
    sum->bad += times * spread->bad;
    sum->pairs += times * spread->pairs;
}


/* scaled up with the rate of today, never down */

static void
ngx_canary_dispersion_measure(const ngx_canary_dispersion_t *d, int baseline,
    ngx_canary_measured_t *m)
{
    size_t               i;
    double               one, spread, rate;
    ngx_canary_spread_t  s;

    m->all = 1;
    m->beyond = 1;
    m->even = 0;
    m->most = 0;
    one = 0;

    for (i = 0; i < NGX_CANARY_DISPERSION_LENGTHS; i++) {
        s = ngx_canary_dispersion_counted(&d->lengths[i], baseline);

        if (!(s.even > 0 && s.weight > 0 && s.bad > 0)) {
            continue;
        }

        rate = fmax(d->rate, s.weight / s.even);
        m->all = fmax(m->all, 1 + s.excess / s.weight * rate);

        if (i == NGX_CANARY_DISPERSION_KNOWN) {
            m->even = s.even;
            m->most = s.pairs * (baseline ? NGX_CANARY_DISPERSION_PAIR_BASELINE
                                          : NGX_CANARY_DISPERSION_PAIR_OWN);
        }

        spread = (s.excess + s.even) / s.bad;

        if (i == 0) {
            one = spread;

        } else if (one > 0) {
            m->beyond = fmax(m->beyond, spread / one);
        }
    }
}


/*
 * What a baseline does is no fault of the canary's: all of it counts, to the
 * present, as it is asked only for what a young stream does not know.
 */

static ngx_canary_spread_t
ngx_canary_dispersion_counted(const ngx_canary_length_t *length, int baseline)
{
    ngx_canary_spread_t  s;

    s = length->past.sum;

    if (baseline) {
        ngx_canary_spread_add(&s, &length->last.sum, 1);
        ngx_canary_spread_add(&s, &length->now.sum, 1);

    } else {
        ngx_canary_spread_add(&s, &length->past.largest, -1);
    }

    return s;
}


static double
ngx_canary_dispersion_clusters(const ngx_canary_measured_t *m,
    double dispersion)
{
    return fmin(m->even / dispersion, m->most);
}


static double
ngx_canary_dispersion_prior(double own, double own_clusters, double baseline,
    double baseline_clusters)
{
    double  prior;

    prior = (NGX_CANARY_DISPERSION_PRIOR + baseline_clusters * baseline)
            / (NGX_CANARY_DISPERSION_CLUSTERS + baseline_clusters);
    prior = fmin(prior, NGX_CANARY_DISPERSION_PRIOR_MAX);

    if (prior <= own) {
        return own;
    }

    return own + NGX_CANARY_DISPERSION_FADE * (prior - own)
                 / (NGX_CANARY_DISPERSION_FADE + own_clusters);
}


/*
 * The measure is itself an estimate: half as much again is taken, less what
 * makes independent trials pay nothing.
 */

static double
ngx_canary_dispersion_bound(double measured)
{
    double  phi;

    phi = 1.5 * measured - 0.6;

    if (!(phi < NGX_CANARY_DISPERSION_MAX)) {
        return NGX_CANARY_DISPERSION_MAX;
    }

    return (phi > 1) ? phi : 1;
}
