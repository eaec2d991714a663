/*
 * Overdispersion in time: by how much the bad trials of a stream come together,
 * in units of what independent trials would do, whatever it is that bunches
 * them (sessions, pauses, slow minutes).  It is worked out from the stream
 * itself, at eight lengths from one tick to 128, and from what is at least 64
 * ticks old, so that a fault does not excuse itself.
 */

#ifndef NGX_CANARY_DISPERSION_H_INCLUDED
#define NGX_CANARY_DISPERSION_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_DISPERSION_LENGTHS  8        /* 1, 2, 4 .. 128 ticks */
#define NGX_CANARY_DISPERSION_EPOCH    64       /* ticks */
#define NGX_CANARY_DISPERSION_MAX      10000.0
#define NGX_CANARY_DISPERSION_SECOND   1e6      /* trials, of events */


/* of one pair of blocks, or a sum over pairs */
typedef struct {
    double    excess;       /* squared difference beyond "even" */
    double    even;         /* what independent trials would have */
    double    weight;       /* even, times the requests of a tick */
    double    bad;
    double    pairs;
} ngx_canary_spread_t;


typedef struct {
    ngx_canary_spread_t  sum;
    ngx_canary_spread_t  largest;   /* the pair of the greatest excess */
} ngx_canary_epoch_t;


typedef struct {
    double              n;          /* the block that is being filled */
    double              bad;
    double              requests;
    double              before_n;   /* the first block of its pair */
    double              before_bad;
    double              before_requests;
    ngx_canary_epoch_t  now;        /* epochs: the one that is running, */
    ngx_canary_epoch_t  last;       /* the one before, which waits as well, */
    ngx_canary_epoch_t  past;       /* and what counts */
} ngx_canary_length_t;


/* zeroed memory is a stream of which nothing was seen */
typedef struct {
    uint64_t             ticks;     /* since the open blocks began */
    uint64_t             age;       /* ticks of the epoch that is running */
    double               bad;       /* of that epoch */
    double               rate;      /* requests of a tick, at present */
    ngx_canary_length_t  lengths[NGX_CANARY_DISPERSION_LENGTHS];
} ngx_canary_dispersion_t;


/* by what the evidence of a tick is divided: 1 to NGX_CANARY_DISPERSION_MAX */
typedef struct {
    double    phi;          /* all of it: for likelihood ratios */
    double    psi;          /* what goes beyond one tick: for bets */
} ngx_canary_phi_t;


/*
 * A tick of n trials, "bad" of them bad (0 to n), n from 0: a tick without
 * trials is a tick as well.  "requests": of what the trials are; they are the
 * trials themselves, but where these are what is bad on two sides.  A burst is
 * taken to grow with them.  What is not a number, or negative, counts as 0.
 */
void ngx_canary_dispersion_tick(ngx_canary_dispersion_t *d, double n,
    double bad, double requests);

/*
 * Begins the open blocks anew: after a gap in time, or where the share of the
 * canary changed under a relative gate.
 */
void ngx_canary_dispersion_cut(ngx_canary_dispersion_t *d);

/*
 * Before the tick that it is for is seen.  "baseline" is the stream of the
 * baseline against the same limit, from which a stream that is young borrows,
 * or NULL.
 */
ngx_canary_phi_t ngx_canary_dispersion_phi(const ngx_canary_dispersion_t *d,
    const ngx_canary_dispersion_t *baseline);


#pragma GCC visibility pop

#endif /* NGX_CANARY_DISPERSION_H_INCLUDED */
