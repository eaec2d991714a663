/*
 * Sequential evidence that a canary breaks a limit: it may be looked at after
 * every tick, for ever, and says so by mistake no more often than promised.
 *
 *     one detector a gate; each tick one call with the counts of that tick
 *     broken   when ngx_canary_detector_evidence() reaches
 *              ngx_canary_detector_threshold(), both natural logarithms
 *
 * Where all gates keep their limits, the mean time until the first of them is
 * called broken is at least "false_alarm_s", whatever the traffic does.
 */

#ifndef NGX_CANARY_DETECTOR_H_INCLUDED
#define NGX_CANARY_DETECTOR_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_DETECTOR_ALTERNATIVES  6

/* evidence: of nothing seen yet, and beyond any threshold */
#define NGX_CANARY_DETECTOR_NONE          -708.0
#define NGX_CANARY_DETECTOR_CERTAIN       100.0

#define NGX_CANARY_DISPERSION_EVENTS      20    /* before them it is 1 */
#define NGX_CANARY_DISPERSION_MAX         100.0


/*
 * ln(1 + R) for each alternative: 0 to NGX_CANARY_DETECTOR_CERTAIN.  Zeroed
 * memory is a detector that has seen nothing; zero it to start again.
 */
typedef struct {
    double  ln1p[NGX_CANARY_DETECTOR_ALTERNATIVES];
} ngx_canary_detector_t;


/*
 * In all of these, "phi" is the overdispersion by which the counts are divided
 * (ngx_canary_dispersion()); below 1, or not a number, it is taken as 1.  A
 * call with a limit or a figure that is not a number changes nothing.
 */

/*
 * A tick of n trials, "bad" of them bad (more than n count as n).  The limit:
 * the probability of bad is at most theta0.  At theta0 <= 0 anything bad is
 * certain evidence; at theta0 >= 1 nothing is any.  Without trials nothing
 * changes.
 */
void ngx_canary_detector_trials(ngx_canary_detector_t *d, uint64_t bad,
    uint64_t n, double theta0, double phi);

/*
 * A tick in which so many were bad on the canary and on the baseline, while
 * the canary had the share "rho" of the requests of both, 0 to 1.  The limit:
 * at most (1 + margin) times as many of the canary's requests are bad as of
 * the baseline's.  The base rate need not be known.  Where nothing was bad, or
 * one of the two had no requests (rho <= 0, rho >= 1), nothing changes.
 */
void ngx_canary_detector_pair(ngx_canary_detector_t *d, uint64_t bad_canary,
    uint64_t bad_baseline, double rho, double margin, double phi);

/*
 * A tick of "seconds" with so many events.  The limit: they come at random, at
 * most rate0 of them a second.  At rate0 <= 0 any event is certain evidence.
 * A tick of no time changes nothing.
 */
void ngx_canary_detector_rate(ngx_canary_detector_t *d, uint64_t events,
    double seconds, double rate0, double phi);

/*
 * The natural logarithm of the mean of R over the alternatives, from
 * NGX_CANARY_DETECTOR_NONE to NGX_CANARY_DETECTOR_CERTAIN.
 */
double ngx_canary_detector_evidence(const ngx_canary_detector_t *d);

/*
 * What the evidence of one of so many gates must reach: ln(false_alarm_s /
 * tick_s * gates), at least 0.  All in seconds and above 0; gates at least 1.
 */
double ngx_canary_detector_threshold(double false_alarm_s, double tick_s,
    unsigned gates);

/*
 * The overdispersion of bad events over cells of users, each cell with its
 * requests and how many of them were bad: by how much the errors of one user
 * come together.  1 where they do not, or where there are fewer than
 * NGX_CANARY_DISPERSION_EVENTS; at most NGX_CANARY_DISPERSION_MAX.  Cells
 * without requests do not count.
 */
double ngx_canary_dispersion(const uint64_t *bad, const uint64_t *requests,
    size_t cells);

/*
 * The same from the second event on, for the canary's own users as long as
 * the baseline has too few: on fresh counters the first user who fails ten
 * times would be ten times the evidence.  A fault that hits all users alike is
 * spread over the cells, and so costs nothing by it.
 */
double ngx_canary_dispersion_early(const uint64_t *bad,
    const uint64_t *requests,
    size_t cells);


#pragma GCC visibility pop

#endif /* NGX_CANARY_DETECTOR_H_INCLUDED */
