/*
 * How a split does, in one sentence: each mood, what is named, how long it may
 * take.
 */

#include <string.h>

#include "tap.h"

#include "driver/picture.h"

#include "../../src/render/ngx_canary_page.h"


#define NOW    1763845810002            /* 2025-11-22 21:10:10 UTC */
#define GATES  8


static ngx_canary_split_t  split;
static ngx_canary_gate_t   gates[GATES];
static ngx_canary_rule_t   rules[GATES];


/* a canary of 5% that has had 100 requests in a window of 50 s */

static void
begin(void)
{
    picture_split(&split);

    memset(gates, 0, sizeof(gates));
    memset(rules, 0, sizeof(rules));

    split.state = NGX_CANARY_STATE_ACTIVE;
    split.verdict = NGX_CANARY_VERDICT_PENDING;
    split.gates = gates;
    split.passages[NGX_CANARY_WINDOW] = 1000;
    split.variants[1].figures[NGX_CANARY_WINDOW].elapsed_us = 50000000;
    split.variants[1].figures[NGX_CANARY_WINDOW].requests = 100;
}


/* one that has all it needs, and passes */

static ngx_canary_gate_t *
gate(const char *text, ngx_canary_metric_e metric)
{
    ngx_canary_gate_t  *g;

    g = &gates[split.ngates];
    g->rule = &rules[split.ngates++];
    rules[split.ngates - 1].metric = metric;

    g->index = 1;
    g->variant = split.variants[1].name;
    g->text = picture_str(text, strlen(text));
    g->status = NGX_CANARY_GATE_PASS;
    g->min = 500;
    g->samples = 500;
    g->has_actual = 1;
    g->has_window = 1;
    g->canary[NGX_CANARY_WINDOW].n = 100;

    return g;
}


static ngx_canary_gate_t *
waits(const char *text, ngx_canary_metric_e metric, uint64_t samples)
{
    ngx_canary_gate_t  *g;

    g = gate(text, metric);
    g->status = NGX_CANARY_GATE_PENDING;
    g->samples = samples;

    return g;
}


static ngx_canary_gate_t *
doubt(const char *text, const char *reason)
{
    ngx_canary_gate_t  *g;

    g = waits(text, NGX_CANARY_METRIC_ERROR_RATE, 500);
    g->reason = picture_str(reason, strlen(reason));

    return g;
}


static void
says(const char *expected)
{
    char              *text;
    size_t             len;
    picture_out_t      p;
    ngx_canary_out_t   out;

    picture_open(&out, &p, 256);
    ngx_canary_json_sentence(&split, NOW, &out);
    text = picture_close(&out);
    len = strlen(expected);

    if (!ok(strlen(text) == len + 2 && memcmp(text + 1, expected, len) == 0,
            "%s", expected))
    {
        printf("#      got: %s\n", text);
    }

    free(text);
}


static void
nothing_judged(void)
{
    begin();
    says("No gate judges the canary. Nothing rolls it back by itself.");

    begin();
    gate("error_rate <= 1%", NGX_CANARY_METRIC_ERROR_RATE);
    split.variants[1].share_ppm = 0;
    says("The canary has no share yet. Only forced requests reach it.");
    split.variants[1].share_ppm = 1;
    says("Nothing speaks against the canary. The gate passes.");

    begin();
    split.state = NGX_CANARY_STATE_OFF;
    split.stage_start_ms = NOW - 70000;
    says("Off since 21:09:00 UTC. No request reaches sliceB_documents.");
    split.stage_start_ms = NOW - 86400000;
    says("Off since 2025-11-21 21:10:10 UTC. No request reaches "
         "sliceB_documents.");
    split.nvariants = 3;
    split.variants[2].name = PICTURE_STR("b");
    says("Off since 2025-11-21 21:10:10 UTC. No request reaches "
         "sliceB_documents or b.");
    split.nvariants = 4;
    split.variants[3].name = PICTURE_STR("c");
    says("Off since 2025-11-21 21:10:10 UTC. No request reaches "
         "sliceB_documents, b or c.");

    begin();
    split.nvariants = 1;
    says("No canary. All requests go to documents.");
}


static void
samples(void)
{
    ngx_canary_gate_t  *g;

    /* 2 a second: 400 in 200 s, 499 in 249.5 s, 1 in half a second */

    begin();
    gate("error_rate <= 1%", NGX_CANARY_METRIC_ERROR_RATE);
    g = waits("p99 <= 1s", NGX_CANARY_METRIC_P99, 100);
    says("Nothing speaks against the canary. 1 of 2 gates pass. p99 <= 1s "
         "needs 400 more samples, about 3 min.");
    g->samples = 1;
    says("Nothing speaks against the canary. 1 of 2 gates pass. p99 <= 1s "
         "needs 499 more samples, about 4 min.");
    g->samples = 499;
    says("Nothing speaks against the canary. 1 of 2 gates pass. p99 <= 1s "
         "needs 1 more sample, about 1 s.");
    g->samples = 490;
    says("Nothing speaks against the canary. 1 of 2 gates pass. p99 <= 1s "
         "needs 10 more samples, about 5 s.");
    g->canary[NGX_CANARY_WINDOW].n = 0;
    says("Nothing speaks against the canary. 1 of 2 gates pass. p99 <= 1s "
         "needs 10 more samples and gets none at present.");

    /* of several, the one that lacks most; the first of those alike */

    begin();
    waits("p50 <= 1s", NGX_CANARY_METRIC_P50, 400);
    waits("p99 <= 1s", NGX_CANARY_METRIC_P99, 380);
    says("Nothing speaks against the canary. 0 of 2 gates pass. 2 gates wait "
         "for samples. The last of them, p99 <= 1s, needs 120 more samples, "
         "about 1 min.");
    waits("p999 <= 1s", NGX_CANARY_METRIC_P999, 380);
    says("Nothing speaks against the canary. 0 of 3 gates pass. 3 gates wait "
         "for samples. The last of them, p99 <= 1s, needs 120 more samples, "
         "about 1 min.");

    /* each by what its samples are: 20 passages a second of all, 2 requests,
       values of which each is a thousand parts */

    begin();
    waits("throughput >= 1r/s", NGX_CANARY_METRIC_THROUGHPUT, 300);
    says("Nothing speaks against the canary. 0 of 1 gate passes. "
         "throughput >= 1r/s needs 200 more samples, about 10 s.");

    begin();
    g = waits("event:a <= 1r/m", NGX_CANARY_METRIC_EVENT_RATE, 480);
    g->canary[NGX_CANARY_WINDOW].n = 50000000;
    says("Nothing speaks against the canary. 0 of 1 gate passes. "
         "event:a <= 1r/m needs 20 more samples, about 10 s.");

    begin();
    g = waits("event:a:mean <= 1", NGX_CANARY_METRIC_EVENT_MEAN, 480);
    g->canary[NGX_CANARY_WINDOW].n = 50 * NGX_CANARY_MEAN_PARTS;
    says("Nothing speaks against the canary. 0 of 1 gate passes. "
         "event:a:mean <= 1 needs 20 more samples, about 20 s.");

    /* enough of them, but none of the window, or of the baseline */

    begin();
    g = doubt("p99 <= 1s", "no samples in the window");
    g->has_window = 0;
    says("Nothing speaks against the canary. 0 of 1 gate passes. p99 <= 1s: "
         "no samples in the window.");
    g->has_window = 1;
    rules[0].op = NGX_CANARY_NOT_WORSE;
    g->baseline[NGX_CANARY_STAGE].n = 1;
    says("Nothing speaks against the canary. 0 of 1 gate passes. p99 <= 1s: "
         "no samples in the window.");
    g->baseline[NGX_CANARY_WINDOW].n = 1;
    says("The canary is in doubt. 0 of 1 gate passes. p99 <= 1s: "
         "no samples in the window.");
    g->baseline[NGX_CANARY_STAGE].n = 0;
    says("Nothing speaks against the canary. 0 of 1 gate passes. p99 <= 1s: "
         "no samples in the window.");
}


static void
doubts(void)
{
    ngx_canary_gate_t  *g;

    begin();
    gate("p50 <= 1s", NGX_CANARY_METRIC_P50);
    doubt("error_rate <= 1%", "2% in the window");
    says("The canary is in doubt. 1 of 2 gates pass. error_rate <= 1%: "
         "2% in the window.");
    waits("p99 <= 1s", NGX_CANARY_METRIC_P99, 490);
    says("The canary is in doubt. 1 of 3 gates pass. error_rate <= 1%: "
         "2% in the window. p99 <= 1s needs 10 more samples, about 5 s.");

    begin();
    doubt("a", "1");
    doubt("b", "2");
    doubt("c", "3");
    says("The canary is in doubt. 0 of 3 gates pass. a: 1. b: 2. c: 3.");
    doubt("d", "4");
    says("The canary is in doubt. 0 of 4 gates pass. a: 1. b: 2. c: 3. "
         "And 1 more.");
    doubt("e", "5");
    says("The canary is in doubt. 0 of 5 gates pass. a: 1. b: 2. c: 3. "
         "And 2 more.");

    /* a quantile among requests that were given up has no figure */

    begin();
    g = waits("p95 <= 1s", NGX_CANARY_METRIC_P95, 0);
    g->beyond[NGX_CANARY_STAGE] = 1;
    g->reason = PICTURE_STR("clients give up");
    says("The canary is in doubt. 0 of 1 gate passes. p95 <= 1s: clients give "
         "up.");

    begin();
    gate("a", NGX_CANARY_METRIC_ERROR_RATE);
    split.reason = PICTURE_STR("5% aborted");
    says("All gates pass, but clients give up. 5% aborted.");

    /* with several canaries the gate's own is named */

    begin();
    g = doubt("a", "1");
    split.nvariants = 3;
    says("The canary is in doubt. 0 of 1 gate passes. a of sliceB_documents: "
         "1.");
}


static void
failures(void)
{
    static ngx_canary_note_t  *note = split.journal;

    begin();
    doubt("a", "a is broken")->status = NGX_CANARY_GATE_FAIL;
    doubt("b", "2");
    doubt("c", "c is broken")->status = NGX_CANARY_GATE_FAIL;
    says("The canary fails and still gets requests. a is broken. c is broken. "
         "Roll it back: canaryctl rollback");
    split.nvariants = 3;
    says("The canary fails and still gets requests. sliceB_documents: a is "
         "broken. sliceB_documents: c is broken. Roll it back: canaryctl "
         "rollback");

    /* the last rollback of the journal is the one in force */

    begin();
    split.state = NGX_CANARY_STATE_ROLLED_BACK;
    split.reason = PICTURE_STR("by anna: slow");
    split.njournal = 3;
    note[0].event = PICTURE_STR("rollback");
    note[0].time_ms = NOW - 60000;
    note[1].event = PICTURE_STR("rollback");
    note[1].time_ms = NOW - 20000;
    note[2].event = PICTURE_STR("rollbacks");
    note[2].time_ms = NOW;
    says("Rolled back at 21:09:50 UTC by anna: slow. No request reaches "
         "sliceB_documents.");
    split.njournal = 1;
    says("Rolled back at 21:09:10 UTC by anna: slow. No request reaches "
         "sliceB_documents.");
    split.njournal = 0;
    says("Rolled back by anna: slow. No request reaches sliceB_documents.");
    split.reason = PICTURE_STR("the state file is damaged");
    says("Rolled back: the state file is damaged. No request reaches "
         "sliceB_documents.");

    /* by a gate, which the reason names */

    gate("p95 <= 500ms", NGX_CANARY_METRIC_P95);
    split.reason = PICTURE_STR("sliceB_documents: p95 <= 500ms is broken: "
                               "620ms");
    says("Rolled back by the gate p95 <= 500ms. 620ms. No request reaches "
         "sliceB_documents.");
    split.reason = PICTURE_STR("sliceB_documents: p95 <= 50ms is broken: 62ms");
    says("Rolled back: sliceB_documents: p95 <= 50ms is broken: 62ms. No "
         "request reaches sliceB_documents.");
}


int
main(void)
{
    nothing_judged();
    samples();
    doubts();
    failures();

    return tap_done();
}
