/* What a tick does at the edges of what it may be given. */

#include "../../src/pure/ngx_canary_detector.h"

#include "tap.h"

#include <math.h>
#include <string.h>


static ngx_canary_detector_t       d;
static ngx_canary_detector_rule_t  rule;


static void
begin(ngx_canary_stream_e stream)
{
    memset(&d, 0, sizeof(d));
    rule.stream = stream;
    rule.threshold = 17.6;
    rule.pause_ticks = 1;
}


static int
tick(double n, double bad, double limit)
{
    return ngx_canary_detector_tick(&d, &rule, NULL, n, bad, limit, n);
}


static double
evidence(void)
{
    return ngx_canary_detector_evidence(&d, rule.stream);
}


static void
trials(void)
{
    ngx_canary_detector_t  before;

    begin(NGX_CANARY_STREAM_LIMIT);
    ok(evidence() == NGX_CANARY_DETECTOR_NONE, "nothing is no evidence");

    tick(0, 0, 0.01);
    ok(evidence() == NGX_CANARY_DETECTOR_NONE && d.dispersion.ticks == 1,
       "without trials only time passes");

    tick(10, 20, 0.01);
    before = d;
    begin(NGX_CANARY_STREAM_LIMIT);
    tick(0, 0, 0.01);
    tick(10, 10, 0.01);
    ok(memcmp(before.ln1p, d.ln1p, sizeof(d.ln1p)) == 0,
       "more bad ones than trials count as all of them");

    before = d;
    tick(NAN, 1, 0.01);
    tick(10, NAN, 0.01);
    tick(10, 1, NAN);
    tick(-1, 0, 0.01);
    tick(10, -1, 0.01);
    tick(INFINITY, 1, 0.01);
    ok(memcmp(&before, &d, sizeof(d)) == 0, "no number, no change");

    begin(NGX_CANARY_STREAM_LIMIT);
    ok(tick(10, 0, 0) == 0 && evidence() == NGX_CANARY_DETECTOR_NONE,
       "a limit of 0 that is kept");
    tick(10, 1, 0);
    ok(evidence() >= NGX_CANARY_DETECTOR_CERTAIN - 1e-9,
       "one beyond a limit of 0 is certain");

    begin(NGX_CANARY_STREAM_LIMIT);
    tick(10, 10, 1);
    ok(evidence() == NGX_CANARY_DETECTOR_NONE, "a limit of 1 is never broken");

    begin(NGX_CANARY_STREAM_LIMIT);
    tick(1e9, 1e9, 0.01);
    ok(evidence() < 17.6 / 6 + 0.01, "a huge tick counts as one");
    rule.pause_ticks = 0;
    tick(1e9, 1e9, 0.01);
    ok(evidence() > 17.6 && evidence() <= NGX_CANARY_DETECTOR_CERTAIN,
       "without a pause it decides, and stays finite");
}


static void
rates(void)
{
    int  i;

    begin(NGX_CANARY_STREAM_RATE);
    tick(1, 50, 20);
    ok(evidence() > 0, "more events than trials of time");

    begin(NGX_CANARY_STREAM_RATE);
    tick(1, 50, 2e6);
    ok(evidence() < 0, "a rate of more than one in a microsecond");

    begin(NGX_CANARY_STREAM_RATE);
    rule.pause_ticks = 0;

    for (i = 0; i < 2000; i++) {
        tick(1, 20, 20);
    }

    ok(evidence() < 17.6, "a rate at its limit");
}


static void
pairs(void)
{
    ok(fabs(ngx_canary_detector_pair_limit(0.05, 0) - 0.05) < 1e-12,
       "no margin: the canary's share of the requests");
    ok(fabs(ngx_canary_detector_pair_limit(0.5, 0.5) - 0.6) < 1e-12,
       "half as many again of a half are three in five");
    ok(isnan(ngx_canary_detector_pair_limit(0, 0.5))
       && isnan(ngx_canary_detector_pair_limit(1, 0.5))
       && isnan(ngx_canary_detector_pair_limit(NAN, 0.5))
       && isnan(ngx_canary_detector_pair_limit(0.5, -1)),
       "nothing to compare with");
    ok(isnan(ngx_canary_detector_pair_limit(0.5, 1e9))
       && !isnan(ngx_canary_detector_pair_limit(0.5, 9.9e8)),
       "nor with so many times as much");
}


static void
thresholds(void)
{
    double  one;

    one = ngx_canary_detector_threshold(86400, 1, 6, 0);

    ok(fabs(one - log(86400.0 * 6)) < 1e-12, "a promise for all gates");
    ok(fabs(ngx_canary_detector_threshold(86400, 1, 6, 20) - one - log(21.0))
       < 1e-12, "shared by a fleet of 20");
    ok(ngx_canary_detector_threshold(86400, 1, 0, 0) == log(86400.0),
       "at least one gate");
    ok(ngx_canary_detector_threshold(0.5, 1, 1, 0) == 0, "never below 0");

    rule.threshold = 12;
    rule.pause_ticks = 1;
    ok(ngx_canary_detector_cap(&rule) == 2, "a tick counts for a sixth");
    rule.pause_ticks = 3;
    ok(ngx_canary_detector_cap(&rule) == 1.5, "with pause=3s for an eighth");
    rule.pause_ticks = 0;
    ok(ngx_canary_detector_cap(&rule) > 1e300, "with pause=0 for anything");
}


/* what no tick can have is no trial, nor is what is no number */

static void
counts(void)
{
    size_t                   i;
    ngx_canary_dispersion_t  d;

    static const struct {
        double               n;
        double               bad;
        double               requests;
        double               counted_bad;
        double               counted_requests;
    } rows[] = {
        { 10, 3, 10, 3, 10 },
        { 10, 20, 10, 10, 10 },
        { 10, -1, 10, 0, 10 },
        { 999999999999999, 1, 999999999999999, 1, 999999999999999 },
        { 1e15, 1, 1e15, 0, 0 },
        { HUGE_VAL, 1, HUGE_VAL, 0, 0 },
        { NAN, 1, NAN, 0, 0 },
        { 0, 1, 0, 0, 0 },
        { -1, 1, -1, 0, 0 },
        { 0.5, 0.25, 0.5, 0.25, 0.5 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&d, 0, sizeof(d));
        ngx_canary_dispersion_tick(&d, rows[i].n, rows[i].bad,
                                   rows[i].requests);
        ok(d.bad == rows[i].counted_bad, "%g of %g are bad: %g", rows[i].bad,
           rows[i].n, d.bad);
        ok(fabs(d.rate - 0.01 * rows[i].counted_requests)
           <= 1e-9 * rows[i].counted_requests, "%g requests: a rate of %g",
           rows[i].requests, d.rate);
    }
}


int
main(void)
{
    counts();
    trials();
    rates();
    pairs();
    thresholds();

    return tap_done();
}
