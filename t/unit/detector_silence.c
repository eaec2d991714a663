/*
 * Silence is no evidence.  Ticks that say next to nothing lead to no rollback,
 * however many there are; evidence that is there grows by no more than that,
 * and does not go at once, as it does with good requests.
 */

#include "../../src/pure/ngx_canary_detector.h"

#include "tap.h"

#include <math.h>
#include <string.h>


#define LIMIT   0.0001
#define SILENT  6.9                     /* ln(1 + R), R of some 1,000 */


static ngx_canary_detector_t       d;
static ngx_canary_detector_rule_t  rule;


static double
tick(double n, double bad)
{
    (void) ngx_canary_detector_tick(&d, &rule, NULL, n, bad, LIMIT, n);

    return ngx_canary_detector_evidence(&d, rule.stream);
}


static void
begin(ngx_canary_stream_e stream, double pause)
{
    memset(&d, 0, sizeof(d));
    rule.stream = stream;
    rule.threshold = ngx_canary_detector_threshold(3600, 1, 1, 0);
    rule.pause_ticks = pause;
}


/* without a bad one, for more than two days */

static void
nothing_bad(ngx_canary_stream_e stream, double n, const char *name)
{
    long    i;
    double  most;

    begin(stream, 1);
    most = 0;

    for (i = 0; i < 200000; i++) {
        most = fmax(most, tick(n, 0));
    }

    ok(most <= SILENT && most < rule.threshold,
       "%s: nothing bad for 200,000 ticks, evidence of e^%.2f at most", name,
       most);
}


/* by one tick of n bad ones; what it is then */

static double
some(double n)
{
    double  evidence;

    begin(NGX_CANARY_STREAM_LIMIT, 0);
    evidence = tick(n, n);

    ok(evidence > 5 && evidence < 50, "evidence of e^%.2f", evidence);

    return evidence;
}


static void
then_silence(double n)
{
    long    i;
    double  evidence, last, most;

    evidence = some(n);

    for (i = 0; i < 1000; i++) {
        (void) tick(0, 0);
    }

    last = tick(0, 0);
    ok(last == evidence, "time alone changes nothing");

    /* a request now and then */

    last = tick(1, 0);
    most = log(exp(evidence) + exp(SILENT));
    ok(last <= most && last > evidence - 0.1, "it is worn off slowly");

    for (i = 0; i < 20000 && last <= most; i++) {
        last = tick(1, 0);
    }

    is_u64((uint64_t) i, 20000, "and grows by none beyond silence");

    evidence = some(n);
    last = tick(50000, 0);
    ok(last < evidence - 1, "good requests do so at once, to e^%.2f", last);
}


int
main(void)
{
    nothing_bad(NGX_CANARY_STREAM_LIMIT, 1, "a limit");
    nothing_bad(NGX_CANARY_STREAM_RATE, 1, "a rate");
    nothing_bad(NGX_CANARY_STREAM_PAIR, 1, "a pair");

    then_silence(30);
    then_silence(60);

    return tap_done();
}
