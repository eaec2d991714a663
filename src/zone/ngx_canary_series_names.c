
#include "ngx_canary_series.h"


static ngx_uint_t ngx_canary_series_free(ngx_canary_series_zone_t *history);
static void ngx_canary_series_rule(ngx_canary_series_zone_t *history,
    ngx_uint_t n, uint64_t signature);


ngx_uint_t
ngx_canary_series_is(ngx_canary_series_zone_t *history, ngx_uint_t slot,
    const u_char *name, size_t len)
{
    ngx_canary_series_name_t  *column;

    column = &history->names[slot];

    return ngx_canary_load(&column->len) == len
           && ngx_memcmp(column->data, name, len) == 0;
}


/*
 * Without a name until nothing of the last one is left.  Memory that was never
 * used is left alone, as it costs nothing.
 */

void
ngx_canary_series_name(ngx_canary_series_zone_t *history, ngx_uint_t slot,
    const u_char *name, size_t len)
{
    ngx_uint_t                 i, n;
    ngx_canary_series_t       *series;
    ngx_canary_series_row_t   *row;
    ngx_canary_series_name_t  *column;

    if (ngx_canary_series_is(history, slot, name, len)) {
        return;
    }

    column = &history->names[slot];

    if (column->used) {
        ngx_canary_store(&column->len, 0);

        for (i = 0; i < NGX_CANARY_SERIES_ROWS; i++) {
            row = &history->rows[i];

            ngx_memzero(row->counts[slot], sizeof(row->counts[slot]));

            for (n = 0; n < NGX_CANARY_MAX_RULES; n++) {
                if (history->rules[n].used_us) {
                    ngx_memzero(row->gates[n][slot],
                                sizeof(row->gates[n][slot]));
                }
            }
        }
    }

    for (i = 0; i < NGX_CANARY_SERIES; i++) {
        series = &history->series[i];

        series->bases[0].known[slot] = 0;
        series->bases[1].known[slot] = 0;
    }

    column->used = 1;
    ngx_memcpy(column->data, name, len);
    ngx_canary_store(&column->len, len);
}


ngx_int_t
ngx_canary_series_find(ngx_canary_series_zone_t *history, uint64_t signature)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        if (ngx_canary_load(&history->rules[i].signature) == signature) {
            return i;
        }
    }

    return NGX_ERROR;
}


/* those that have a column first, so that none is taken from them */

void
ngx_canary_series_rules(ngx_canary_series_zone_t *history,
    ngx_canary_split_t *split, uint64_t now_us)
{
    ngx_int_t   n;
    ngx_uint_t  i;

    for (i = 0; i < split->nrules; i++) {
        n = ngx_canary_series_find(history, split->rules[i].signature);

        if (n != NGX_ERROR) {
            history->rules[n].used_us = now_us;
        }
    }

    for (i = 0; i < split->nrules; i++) {

        if (ngx_canary_series_find(history, split->rules[i].signature)
            == NGX_ERROR)
        {
            n = ngx_canary_series_free(history);

            ngx_canary_series_rule(history, n, split->rules[i].signature);
            history->rules[n].used_us = now_us;
        }
    }
}


/* there are as many columns as a split may have rules */

static ngx_uint_t
ngx_canary_series_free(ngx_canary_series_zone_t *history)
{
    ngx_uint_t  i, best;

    best = 0;

    for (i = 1; i < NGX_CANARY_MAX_RULES; i++) {
        if (history->rules[i].used_us < history->rules[best].used_us) {
            best = i;
        }
    }

    return best;
}


static void
ngx_canary_series_rule(ngx_canary_series_zone_t *history, ngx_uint_t n,
    uint64_t signature)
{
    ngx_uint_t                 i;
    ngx_canary_series_row_t   *row;
    ngx_canary_series_rule_t  *rule;

    rule = &history->rules[n];

    if (rule->used_us) {
        ngx_canary_store(&rule->signature, 0);

        for (i = 0; i < NGX_CANARY_SERIES_ROWS; i++) {
            row = &history->rows[i];
            ngx_memzero(row->gates[n], sizeof(row->gates[n]));
        }
    }

    ngx_canary_store(&rule->signature, signature);
}
