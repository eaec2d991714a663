/*
 * A split in each of the states that the page shows, with the traffic that
 * led to it: requests whose latencies and errors are drawn from a known course,
 * counted as nginx counts them and judged by the gates themselves.
 */

#ifndef STATES_H_INCLUDED
#define STATES_H_INCLUDED


#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/pure/ngx_canary_gate.h"
#include "../../../src/pure/ngx_canary_hist.h"
#include "../../../src/pure/ngx_canary_history.h"


#define STATES_NOW_MS    1763816402000u         /* 2025-11-22 13:00:02 UTC */
#define STATES_STEP_MS   10000u
#define STATES_RULES     8
#define STATES_EVENTS    4
#define STATES_MAX       200
#define STATES_WINDOW    30                     /* points */


typedef struct {
    const char          *name;
    size_t               canaries;
    double               rate;          /* requests a second of the split */
    double               share;         /* of each canary */
    size_t               points;        /* of 10 s, that the stage has */
    double               slower;        /* the canary's latency, as a factor */
    double               errors;        /* its error rate */
    size_t               bad_from;      /* the point from which it is bad */
    ngx_canary_state_e   state;
    int                  manual;        /* it fails and is not rolled back */
    const char          *reason;        /* instead of the gate's */
} states_course_t;


typedef struct {
    ngx_canary_split_t          split;
    ngx_canary_rule_t           rules[STATES_RULES];
    ngx_canary_gate_t           gates[STATES_RULES * NGX_CANARY_MAX_VARIANTS];
    ngx_canary_event_t          events[STATES_EVENTS];
    ngx_canary_history_t        history[NGX_CANARY_SERIES];
    ngx_canary_point_t          points[NGX_CANARY_HISTORY_POINTS];
    ngx_canary_point_counts_t   counts[NGX_CANARY_MAX_VARIANTS]
                                      [NGX_CANARY_HISTORY_POINTS];
    ngx_canary_point_gate_t     evidence[STATES_RULES * NGX_CANARY_MAX_VARIANTS]
                                        [NGX_CANARY_HISTORY_POINTS];
    const ngx_canary_point_gate_t *gate_points[STATES_RULES
                                               * NGX_CANARY_MAX_VARIANTS];
    uint64_t                    stage[NGX_CANARY_MAX_VARIANTS]
                                     [NGX_CANARY_HIST_BUCKETS];
    uint64_t                    window[NGX_CANARY_MAX_VARIANTS]
                                      [NGX_CANARY_HIST_BUCKETS];
    char                        names[NGX_CANARY_MAX_VARIANTS][256];
    char                        text[600];
} states_t;


static const states_course_t  states_courses[] = {
    { "young", 1, 20, 0.05, 3, 1.1, 0.003, 0,
      NGX_CANARY_STATE_ACTIVE, 0, NULL },
    { "pending", 1, 20, 0.25, 40, 1.1, 0.003, 0,
      NGX_CANARY_STATE_ACTIVE, 0, NULL },
    { "pass", 1, 125, 0.25, 300, 1.1, 0.003, 0,
      NGX_CANARY_STATE_ACTIVE, 0, NULL },
    { "failed", 1, 125, 0.25, 300, 2, 0.02, 250,
      NGX_CANARY_STATE_ACTIVE, 1, NULL },
    { "rolled", 1, 125, 0.25, 300, 2, 0.02, 270,
      NGX_CANARY_STATE_ROLLED_BACK, 0, NULL },
    { "person", 1, 125, 0.25, 300, 1.1, 0.004, 0,
      NGX_CANARY_STATE_ROLLED_BACK, 0, "by anna: timeouts in search" },
    { "off", 1, 125, 0, 300, 1.1, 0.003, 0,
      NGX_CANARY_STATE_OFF, 0, NULL },
    { "none", 0, 125, 0, 300, 1.1, 0.003, 0,
      NGX_CANARY_STATE_OFF, 0, NULL },
    { "two", 2, 125, 0.1, 200, 1.3, 0.004, 100,
      NGX_CANARY_STATE_ACTIVE, 0, NULL },
    { "three", 3, 125, 0.1, 200, 1.3, 0.004, 100,
      NGX_CANARY_STATE_ACTIVE, 0, NULL }
};


static uint64_t  states_seed;


static inline double
states_random(void)
{
    states_seed = states_seed * 6364136223846793005u + 1442695040888963407u;

    return ((double) (states_seed >> 11) + 0.5) / 9007199254740992.0;
}


static inline double
states_normal(void)
{
    double  a, b;

    a = states_random();
    b = states_random();

    return sqrt(-2 * log(a)) * cos(6.283185307179586 * b);
}


static inline ngx_canary_str_t
states_str(const char *text)
{
    ngx_canary_str_t  str;

    str.len = strlen(text);
    str.data = (const unsigned char *) text;

    return str;
}


static inline void
states_rule(states_t *s, const char *text, const char *metric,
    ngx_canary_metric_e m, ngx_canary_op_e op, uint64_t limit, uint64_t min)
{
    ngx_canary_rule_t      *rule;
    static const uint32_t   ppm[] = {
        500000, 900000, 950000, 990000, 999000
    };

    rule = &s->rules[s->split.nrules++];
    rule->text = states_str(text);
    rule->metric_text = states_str(metric);
    rule->metric = m;
    rule->op = op;
    rule->limit = limit;
    rule->min = min;

    if (m <= NGX_CANARY_METRIC_P999) {
        rule->quantile_ppm = ppm[m];
    }
}


/* the metric is all before the blank */

static inline void
states_ratio(states_t *s, const char *text, uint32_t event, uint32_t per,
    uint64_t limit)
{
    ngx_canary_rule_t  *rule;

    states_rule(s, text, text, NGX_CANARY_METRIC_EVENT_RATIO,
                NGX_CANARY_AT_LEAST, limit, 200);

    rule = &s->rules[s->split.nrules - 1];
    rule->metric_text.len = strcspn(text, " ");
    rule->event = event;
    rule->per = per;
}


static inline void
states_rules(states_t *s)
{
    states_rule(s, "p50 <= 200ms", "p50", NGX_CANARY_METRIC_P50,
                NGX_CANARY_AT_MOST, 200000, 200);
    states_rule(s, "p95 <= 500ms", "p95", NGX_CANARY_METRIC_P95,
                NGX_CANARY_AT_MOST, 500000, 400);
    states_rule(s, "p99 <= 1s", "p99", NGX_CANARY_METRIC_P99,
                NGX_CANARY_AT_MOST, 1000000, 2000);
    states_rule(s, "error_rate <= 1%", "error_rate",
                NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_AT_MOST, 10000, 200);
    states_rule(s, "error_rate not_worse margin=50%", "error_rate",
                NGX_CANARY_METRIC_ERROR_RATE, NGX_CANARY_NOT_WORSE, 500000,
                200);
    states_rule(s, "throughput >= 10r/s", "throughput",
                NGX_CANARY_METRIC_THROUGHPUT, NGX_CANARY_AT_LEAST, 10000000,
                1);
    states_ratio(s, "event:email_verified/registration_started >= 70%", 1, 0,
                 700000);
    states_ratio(s, "event:document_uploaded/email_verified >= 60%", 2, 1,
                 600000);
    s->split.rules = s->rules;
}


/* one request: its latency and whether it failed */
static inline void
states_request(states_t *s, size_t v, size_t point, int window, double slower,
    double errors)
{
    size_t                      i, bucket;
    double                      us;
    int                         failed;
    ngx_canary_figures_t       *f;
    ngx_canary_point_counts_t  *c;

    us = 0.14e6 * slower * exp(0.55 * states_normal());
    failed = states_random() < errors;
    bucket = ngx_canary_hist_index((uint64_t) us);
    c = &s->counts[v][point];

    c->requests++;
    c->samples++;
    c->errors += (uint32_t) failed;
    c->count++;

    for (i = 0; i < NGX_CANARY_HISTORY_LE; i++) {
        c->le[i] += us <= (double) ngx_canary_history_le_us[i];
    }

    for (i = 0; i < NGX_CANARY_HISTORY_LIMITS; i++) {
        c->limits[i] += s->split.limits_us[i]
                        && us <= (double) s->split.limits_us[i];
    }

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        if (i == NGX_CANARY_WINDOW && !window) {
            continue;
        }

        f = &s->split.variants[v].figures[i];
        f->requests++;
        f->samples++;
        ngx_canary_count(f, ERRORS) += (uint64_t) failed;
        f->counts[failed ? NGX_CANARY_COUNT_5XX : NGX_CANARY_COUNT_2XX]++;
        f->latency.sum_us += (uint64_t) us;
    }

    s->stage[v][bucket]++;
    s->window[v][bucket] += (uint64_t) window;
}


static inline void
states_latency(states_t *s, size_t v, ngx_canary_scope_e scope)
{
    size_t                 from, to, i;
    uint64_t              *hist, q[NGX_CANARY_QUANTILES + 2];
    ngx_canary_latency_t  *latency;
    static const uint32_t  ppm[] = {
        0, 500000, 900000, 950000, 990000, 999000, 1000000
    };

    hist = scope == NGX_CANARY_WINDOW ? s->window[v] : s->stage[v];
    latency = &s->split.variants[v].figures[scope].latency;
    from = 0;
    to = NGX_CANARY_HIST_BUCKETS - 2;

    latency->count = ngx_canary_hist_quantiles(hist, from, to, 0, UINT64_MAX,
                                               ppm, q,
                                               NGX_CANARY_QUANTILES + 2);

    if (latency->count == 0) {
        return;
    }

    latency->min_us = q[0];
    latency->max_us = q[NGX_CANARY_QUANTILES + 1];
    latency->hist = scope == NGX_CANARY_STAGE ? hist : NULL;

    for (i = 0; i < NGX_CANARY_QUANTILES; i++) {
        latency->quantile_us[i] = q[i + 1];
    }

    ngx_canary_hist_cumulate(hist, from, to, s->split.le_us, latency->le,
                             s->split.nle);
}


/* a funnel of three steps, and what is in none */

static inline void
states_events(states_t *s)
{
    size_t    e, v, k;
    uint64_t  requests, count[STATES_EVENTS];

    s->split.nevents = STATES_EVENTS;
    s->split.events = s->events;
    s->events[0].name = states_str("registration_started");
    s->events[0].unique = 1;
    s->events[1].name = states_str("email_verified");
    s->events[2].name = states_str("document_uploaded");
    s->events[3].name = states_str("upload_failed");

    for (v = 0; v < s->split.nvariants; v++) {
        for (k = 0; k < NGX_CANARY_SCOPES; k++) {
            requests = s->split.variants[v].figures[k].requests;

            count[0] = requests / 10;
            count[1] = count[0] * (v ? 76 : 78) / 100;
            count[2] = count[1] * (v ? 71 : 70) / 100;
            count[3] = requests / 500;

            for (e = 0; e < STATES_EVENTS; e++) {
                s->events[e].figures[v][k].elapsed_us =
                    s->split.variants[v].figures[k].elapsed_us;
                s->events[e].figures[v][k].count = count[e];
            }

            s->events[0].figures[v][k].unique = count[0] * 9 / 10;
        }
    }
}


static inline void
states_trials(states_t *s, ngx_canary_gate_t *gate, size_t scope)
{
    size_t               v;
    uint64_t             n;
    ngx_canary_trial_t  *t;

    for (v = 0; v <= gate->index; v += gate->index) {
        t = v ? &gate->canary[scope] : &gate->baseline[scope];
        n = s->events[gate->rule->event].figures[v][scope].count;

        t->n = s->events[gate->rule->per].figures[v][scope].count;
        t->bad = t->n - n;
    }
}


static inline void
states_gate(states_t *s, size_t i, const states_course_t *course, int bad)
{
    size_t                 k, n;
    uint64_t               within;
    ngx_canary_gate_t     *gate;
    const uint64_t        *hist;
    ngx_canary_variant_t  *v, *base;

    gate = &s->gates[i];
    v = &s->split.variants[gate->index];
    base = &s->split.variants[0];

    for (k = 0; k < NGX_CANARY_SCOPES; k++) {
        if (gate->rule->metric == NGX_CANARY_METRIC_ERROR_RATE) {
            gate->canary[k].n = v->figures[k].samples;
            gate->canary[k].bad = ngx_canary_count(&v->figures[k], ERRORS);
            gate->baseline[k].n = base->figures[k].samples;
            gate->baseline[k].bad = ngx_canary_count(&base->figures[k], ERRORS);
            continue;
        }

        if (gate->rule->metric == NGX_CANARY_METRIC_EVENT_RATIO) {
            states_trials(s, gate, k);
            continue;
        }

        if (gate->rule->metric > NGX_CANARY_METRIC_P999) {
            continue;
        }

        hist = k == NGX_CANARY_WINDOW ? s->window[gate->index]
                                      : s->stage[gate->index];
        ngx_canary_hist_cumulate(hist, 0, NGX_CANARY_HIST_BUCKETS - 2,
                                 &gate->rule->limit, &within, 1);
        gate->canary[k].n = v->figures[k].latency.count;
        gate->canary[k].bad = gate->canary[k].n - within;
        gate->quantile_us[k] = v->figures[k].latency
                                   .quantile_us[gate->rule->metric];
    }

    gate->threshold = 7.7 * 2.302585092994046;
    gate->stream = 1;

    /* what there was against it: little, or ever more since it is bad */

    n = course->points;

    for (k = 0; k < n; k++) {
        double  log10;

        log10 = 0.2 + 0.4 * states_random() + (i == 1) * 0.2;

        if (bad && i == 1 && k >= course->bad_from) {
            log10 += 7.6 * (double) (k - course->bad_from + 1)
                     / (double) (n - course->bad_from);
        }

        s->evidence[i][k].evidence = ngx_canary_history_evidence(log10);
        s->evidence[i][k].threshold = ngx_canary_history_evidence(7.7);
        gate->evidence = log10 * 2.302585092994046;
    }
}


static inline void
states_journal(states_t *s, size_t n, uint64_t ms, const char *event,
    const char *text)
{
    ngx_canary_note_t  *note;

    note = &s->split.journal[n];
    note->number = n + 1;
    note->time_ms = ms;
    note->event = states_str(event);
    note->text = states_str(text);
    s->split.njournal = n + 1;
}


static inline void
states_traffic(states_t *s, const states_course_t *course)
{
    int     window, bad;
    size_t  p, v, i, n;
    double  share;

    for (p = 0; p < course->points; p++) {
        window = p + STATES_WINDOW >= course->points;
        bad = p >= course->bad_from;

        s->points[p].start_ms = STATES_NOW_MS
                                - (course->points - p) * STATES_STEP_MS;
        s->points[p].length_ms = STATES_STEP_MS;
        memcpy(s->points[p].limits_us, s->split.limits_us,
               sizeof(s->split.limits_us));

        for (v = 0; v < s->split.nvariants; v++) {
            share = v ? course->share
                      : 1 - course->share * (double) course->canaries;
            n = (size_t) (share * course->rate * 10
                          * (1 + 0.1 * states_normal()) + states_random());

            for (i = 0; i < n; i++) {
                states_request(s, v, p, window,
                               v == 1 && bad ? course->slower : 1,
                               v == 1 && bad ? course->errors : 0.003);
            }
        }
    }
}


/* the state "course" of the split "name"; from calloc() */
static inline states_t *
states_split(const states_course_t *course, const char *name,
    const char *canary)
{
    size_t               i, k, v;
    uint64_t             start_ms;
    states_t            *s;
    ngx_canary_split_t  *split;

    s = calloc(1, sizeof(states_t));
    split = &s->split;
    states_seed = 7;

    split->name = states_str(name);
    split->generation = 7;
    split->stage = states_str("stage2_25pct");
    split->pause_s = 1;
    split->state = course->state;
    split->nvariants = 1 + course->canaries;
    split->stage_elapsed_us = course->points * STATES_STEP_MS * 1000;
    start_ms = STATES_NOW_MS - course->points * STATES_STEP_MS;
    split->stage_start_ms = start_ms;
    states_rules(s);
    ngx_canary_history_rules(s->rules, split->nrules, split->limits_us);
    split->nle = 3;
    split->le_us[0] = 200000;
    split->le_us[1] = 500000;
    split->le_us[2] = 1000000;

    for (v = 0; v < split->nvariants; v++) {
        snprintf(s->names[v], sizeof(s->names[v]), v > 1 ? "%.250s_%zu" : "%s",
                 v ? canary : name, v);
        split->variants[v].name = states_str(s->names[v]);
        split->variants[v].canary = v > 0;
        split->variants[v].configured_share_ppm = (uint32_t)
            ((v ? course->share
                : 1 - course->share * (double) course->canaries) * 1e6 + 0.5);
        split->variants[v].share_ppm = split->variants[v].configured_share_ppm;

        if (split->state == NGX_CANARY_STATE_ROLLED_BACK) {
            split->variants[v].share_ppm = v ? 0 : 1000000;
        }

        for (i = 0; i < NGX_CANARY_SCOPES; i++) {
            split->variants[v].figures[i].elapsed_us = i == NGX_CANARY_WINDOW
                && course->points > STATES_WINDOW
                ? STATES_WINDOW * STATES_STEP_MS * 1000
                : split->stage_elapsed_us;
        }
    }

    states_traffic(s, course);

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        split->elapsed_us[i] = split->variants[0].figures[i].elapsed_us;

        for (v = 0; v < split->nvariants; v++) {
            states_latency(s, v, (ngx_canary_scope_e) i);
            split->passages[i] += split->variants[v].figures[i].requests;
        }
    }

    states_events(s);
    split->gates = s->gates;

    for (v = 1; v < split->nvariants; v++) {
        for (i = 0; i < split->nrules; i++) {
            k = split->ngates++;
            s->gates[k].rule = &s->rules[i];
            s->gates[k].index = v;
            s->gates[k].variant = split->variants[v].name;
            s->gates[k].text = s->rules[i].text;
            s->gates[k].metric = s->rules[i].metric_text;
            s->gates[k].op = states_str(s->rules[i].op == NGX_CANARY_AT_MOST
                                        ? "<=" : s->rules[i].op
                                                 == NGX_CANARY_AT_LEAST
                                                 ? ">=" : "not_worse");
            s->gates[k].limit = s->rules[i].limit;
            s->gates[k].min = s->rules[i].min;
            states_gate(s, k, course, course->manual
                                      || (course->state
                                          == NGX_CANARY_STATE_ROLLED_BACK
                                          && course->reason == NULL));
            s->gate_points[k] = s->evidence[k];
        }
    }

    for (i = 0; i < NGX_CANARY_SERIES; i++) {
        s->history[i].npoints = course->points;
        s->history[i].stretch_ms = STATES_STEP_MS;
        s->history[i].points = s->points;
        s->history[i].gates = s->gate_points;

        for (v = 0; v < split->nvariants; v++) {
            s->history[i].counts[v] = s->counts[v];
        }
    }

    split->history = s->history;

    ngx_canary_gates_judge(split);

    states_journal(s, 0, start_ms - 86400000, "published",
                   "sliceB_documents 0% -> 5%, stage stage1_5pct, "
                   "generation 6");

    snprintf(s->text, sizeof(s->text), "%s 5%% -> 25%%, stage stage2_25pct, "
             "generation 7", canary);
    states_journal(s, 1, start_ms + 5000, "published", s->text);

    if (split->state == NGX_CANARY_STATE_ROLLED_BACK) {
        static char  reason[600];

        snprintf(reason, sizeof(reason), "%s: %.*s", canary,
                 (int) s->gates[1].reason.len,
                 (const char *) s->gates[1].reason.data);
        split->reason = states_str(course->reason ? course->reason : reason);
        states_journal(s, 2, STATES_NOW_MS - 115000, "rollback", "");
        split->journal[2].text = split->reason;
    }

    return s;
}


/* NULL: all but the names of splits; 0 if there is no such state */
static inline int
states_take(ngx_canary_snapshot_t *snap, const char *name)
{
    size_t                     i, n;
    states_t                  *s;
    char                      *text;
    const states_course_t     *course;
    static char                longest[2][256];
    static ngx_canary_split_t  splits[STATES_MAX];

    memset(snap, 0, sizeof(*snap));
    snap->version = states_str(NGX_CANARY_VERSION);
    snap->server_version = states_str("1.22.1");
    snap->time_ms = STATES_NOW_MS;
    snap->generation = 7;
    snap->loaded_at_ms = STATES_NOW_MS - 4000000;
    snap->splits = splits;

    n = strcmp(name, "fifty") == 0 ? 50
        : strcmp(name, "two-hundred") == 0 ? 200 : 1;

    if (strcmp(name, "empty") == 0) {
        return 1;
    }

    if (n > 1) {
        for (i = 0; i < n; i++) {
            course = &states_courses[(i * 7 + 1)
                                     % (sizeof(states_courses)
                                        / sizeof(states_courses[0]))];
            text = malloc(64);
            snprintf(text, 64, "service-%03zu.example", i);
            s = states_split(course, text, "canary");
            splits[i] = s->split;
        }

        snap->nsplits = n;
        return 1;
    }

    snap->nsplits = 1;

    if (strcmp(name, "hostile") == 0) {
        memset(longest, 'w', sizeof(longest));
        memcpy(longest[0], "<b>\"&", 5);
        memcpy(longest[1], "</h1><script>", 13);
        longest[0][255] = '\0';
        longest[1][255] = '\0';
        s = states_split(&states_courses[2], longest[0], longest[1]);
        splits[0] = s->split;
        return 1;
    }

    for (i = 0; i < sizeof(states_courses) / sizeof(states_courses[0]); i++) {
        if (strcmp(name, states_courses[i].name) == 0) {
            s = states_split(&states_courses[i], "documents",
                             "sliceB_documents");
            splits[0] = s->split;
            return 1;
        }
    }

    return 0;
}


#endif /* STATES_H_INCLUDED */
