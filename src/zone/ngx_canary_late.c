
/*
 * Requests that their clients give up are counted for the limit of each latency
 * rule, as there is no histogram of them: when one has given up, nothing but a
 * lower bound is known of its latency.  A limit changes with the configuration,
 * and with the latency that a relative rule compares beyond (ref_us).
 */

#include "ngx_canary_judge.h"


static void ngx_canary_late_wanted(ngx_canary_tick_t *tick,
    uint64_t *limits_us);
static void ngx_canary_late_change(ngx_canary_zone_t *zone, ngx_uint_t i,
    uint64_t limit_us);


ngx_uint_t
ngx_canary_late_index(const ngx_canary_rule_t *rule)
{
    return rule->op == NGX_CANARY_NOT_WORSE
           ? NGX_CANARY_QUANTILES + rule->metric : rule->metric;
}


void
ngx_canary_late_limits(ngx_canary_tick_t *tick)
{
    uint64_t    limits_us[NGX_CANARY_LIMITS];
    ngx_uint_t  i;

    ngx_canary_late_wanted(tick, limits_us);

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        if (ngx_canary_load(&tick->zone->limits_us[i]) != limits_us[i]) {
            ngx_canary_late_change(tick->zone, i, limits_us[i]);
        }
    }
}


static void
ngx_canary_late_wanted(ngx_canary_tick_t *tick, uint64_t *limits_us)
{
    uint64_t                  us;
    ngx_uint_t                i;
    const ngx_canary_rule_t  *rule;

    ngx_memset(limits_us, 0xff, NGX_CANARY_LIMITS * sizeof(uint64_t));

    for (i = 0; i < tick->split->nrules; i++) {
        rule = &tick->split->rules[i];

        if (rule->metric > NGX_CANARY_METRIC_P999) {
            continue;
        }

        us = rule->op == NGX_CANARY_NOT_WORSE ? tick->rules[i].ref_us
                                              : rule->limit;

        if (us) {
            limits_us[ngx_canary_late_index(rule)] = us;
        }
    }
}


/*
 * What was counted so far is another limit's.  While no limit is set none is
 * counted, and whoever is killed here leaves it so: the next tick sets it.
 */

static void
ngx_canary_late_change(ngx_canary_zone_t *zone, ngx_uint_t i,
    uint64_t limit_us)
{
    uint64_t    sum;
    ngx_uint_t  s, v;

    ngx_canary_store(&zone->limits_us[i], UINT64_MAX);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        sum = 0;

        for (s = 0; s < zone->requests.nshards; s++) {
            sum += ngx_canary_load(&zone->shards[s].variants[v].counts
                                   .n[NGX_CANARY_TALLY_LATE + i]);
        }

        ngx_canary_store(&zone->late_from[v][i], sum);
    }

    ngx_canary_store(&zone->limits_us[i], limit_us);
}
