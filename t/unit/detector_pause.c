/*
 * No moment up to "pause" decides, and what fails altogether is found soon
 * after: from ordinary states of gates at a few rates, on traffic with bursts
 * and without.
 */

#include "driver/delays.h"

#include "tap.h"


static void
moment(double rate, double limit, double pause, const traffic_kind_t *kind,
    const char *name)
{
    int              decided;
    unsigned         i, k, most;
    uint64_t         sum;
    traffic_t        t;
    sim_gate_t       g, copy;
    sim_rule_t       rule;
    traffic_count_t  c[2];

    rule.relative = 0;
    rule.limit = limit;
    rule.threshold = ngx_canary_detector_threshold(SIM_DAYS_90, 1, SIM_GATES,
                                                   0);
    rule.pause = fmax(pause, 1);

    traffic_begin(&t, kind, rate, rate * 19, 5);
    sim_gate_begin(&g, &rule);
    decided = 0;
    most = 0;
    sum = 0;

    for (i = 0; i < 200; i++) {

        for (k = 0; k < 97; k++) {
            traffic_tick(&t, c);
            sim_gate_tick(&g, c);
        }

        if (i < 20) {
            continue;
        }

        /* a moment lies in one tick more than it is long */

        copy = g;

        for (k = 0; k < (unsigned) ceil(pause) + 1; k++) {
            traffic_tick(&t, c);
            c[0].bad = c[0].n;
            decided |= sim_gate_tick(&copy, c);
        }

        copy = g;

        for (k = 1; k < 100; k++) {
            traffic_tick(&t, c);
            c[0].bad = c[0].n;

            if (sim_gate_tick(&copy, c)) {
                break;
            }
        }

        most = (k > most) ? k : most;
        sum += k;
    }

    ok(!decided, "%s: a moment of %g s does not decide", name, pause);
    ok((double) sum / 180 <= rule.pause + 6 && most <= rule.pause + 8,
       "%s: all bad, found in %.1f ticks, %u at most", name,
       (double) sum / 180, most);
}


int
main(void)
{
    static const traffic_kind_t  good = { .bad = 0.003 };
    static const traffic_kind_t  slow = { .bad = 0.02 };
    static const traffic_kind_t  pauses = {
        .bad = 0.02 + 1 / 60.0, .pause = 1, .every = 60
    };

    moment(10, 0.01, 1, &good, "errors, 10/s");
    moment(100, 0.01, 0.2, &good, "errors, 100/s");
    moment(100, 0.01, 1, &good, "errors, 100/s");
    moment(1000, 0.01, 3, &good, "errors, 1000/s");
    moment(50, 0.05, 1, &slow, "p95, 50/s");
    moment(50, 0.05, 1, &pauses, "p95, 50/s, with pauses");

    return tap_done();
}
