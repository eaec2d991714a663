/*
 * Sequential evidence that a canary breaks a limit: it may be looked at after
 * every tick, for ever, and says so by mistake no more often than promised.
 *
 *     one detector a gate; each tick one call with the counts of that tick
 *     broken   when ngx_canary_detector_evidence() reaches
 *              ngx_canary_detector_threshold(), both natural logarithms
 *
 * Where all gates keep their limits, the mean time until the first of them is
 * called broken is at least "false_alarm_s", also where what is bad comes in
 * bursts (ngx_canary_dispersion.h), and no moment up to "pause" is enough.
 */

#ifndef NGX_CANARY_DETECTOR_H_INCLUDED
#define NGX_CANARY_DETECTOR_H_INCLUDED


#include "ngx_canary_dispersion.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_DETECTOR_RATIOS        6
#define NGX_CANARY_DETECTOR_STAKES        6
#define NGX_CANARY_DETECTOR_ALTERNATIVES                                      \
    (NGX_CANARY_DETECTOR_RATIOS + NGX_CANARY_DETECTOR_STAKES)

/* evidence: of nothing seen yet, and beyond any threshold */
#define NGX_CANARY_DETECTOR_NONE          -708.0
#define NGX_CANARY_DETECTOR_CERTAIN       100.0


typedef enum {
    /* n trials; the probability of bad is at most the limit */
    NGX_CANARY_STREAM_LIMIT = 0,
    /*
     * The trials are what is bad on both sides, "bad" is what is the canary's;
     * the limit is that of ngx_canary_detector_pair_limit()
     */
    NGX_CANARY_STREAM_PAIR,
    /* n seconds; events come at random, at most the limit of them a second */
    NGX_CANARY_STREAM_RATE
} ngx_canary_stream_e;


typedef struct {
    ngx_canary_stream_e  stream;
    double               threshold;     /* natural logarithm, above 0 */
    double               pause_ticks;   /* 0: any evidence decides at once */
} ngx_canary_detector_rule_t;


/*
 * ln(1 + R) for each alternative: 0 to NGX_CANARY_DETECTOR_CERTAIN; the stream
 * of the trials.  Zeroed memory is a detector that has seen nothing; zero it to
 * start again.
 */
typedef struct {
    double                   ln1p[NGX_CANARY_DETECTOR_ALTERNATIVES];
    ngx_canary_dispersion_t  dispersion;
} ngx_canary_detector_t;


/*
 * A tick of n trials or seconds, "bad" of them bad; more than n trials count as
 * n.  Fractions are allowed: a trial that is bad by a part.  A limit of 0 or
 * less: anything bad is certain evidence, whatever the pause; of 1 or more, but
 * for a rate: nothing is any.  Without trials only time passes.  What is not a
 * number changes nothing.  "baseline": of ngx_canary_dispersion_phi();
 * "requests", which only a pair needs: those of both sides.
 *
 * Returns 1 if the evidence of this tick was cut to what one tick may count,
 * else 0.
 */
int ngx_canary_detector_tick(ngx_canary_detector_t *d,
    const ngx_canary_detector_rule_t *rule,
    const ngx_canary_dispersion_t *baseline, double n, double bad,
    double limit, double requests);

/* what one tick may count at most, a natural logarithm; HUGE_VAL: anything */
double ngx_canary_detector_cap(const ngx_canary_detector_rule_t *rule);

/*
 * The limit of a pair, while the canary had the share "rho" of the requests of
 * both sides: at most (1 + margin) times as many of the canary's requests are
 * bad as of the baseline's.  Not a number where there is nothing to compare:
 * rho <= 0, rho >= 1, or no margin (-1 to 1e9).
 */
double ngx_canary_detector_pair_limit(double rho, double margin);

/*
 * The natural logarithm of the mean of R over the alternatives, from
 * NGX_CANARY_DETECTOR_NONE to NGX_CANARY_DETECTOR_CERTAIN.
 */
double ngx_canary_detector_evidence(const ngx_canary_detector_t *d,
    ngx_canary_stream_e stream);

/*
 * What the evidence of one of so many gates must reach: ln(false_alarm_s /
 * tick_s * gates), at least 0; and ln(fleet + 1) more where "fleet" machines
 * share the promise, fleet above 0.  Times above 0; gates at least 1.
 */
double ngx_canary_detector_threshold(double false_alarm_s, double tick_s,
    unsigned gates, unsigned fleet);


#pragma GCC visibility pop

#endif /* NGX_CANARY_DETECTOR_H_INCLUDED */
