/*
 * The shared memory of a split's history: two series of points, the last hour
 * and the last stage with a share.  It outlives any reload.
 *
 * Who writes: the winner of a tick, and the master before the first request;
 * one at a time, by a mutex that the kernel frees with its holder.  A point is
 * what the totals grew by since its base, so each tick writes the last point of
 * a series anew, and whoever is killed over it has lost nothing.  A word names
 * the last point, its base and the row that it is in; what it will name next is
 * complete before it changes.  Who reads a point finds its mark changed if it
 * was torn.
 *
 * The stage's points double their stretch when there are too many of them: the
 * sums of two each go into the row that is not in use.
 *
 * Columns belong to names: a variant has that of its slot as long as the slot
 * is its own, a rule has the one with its signature.  A column that another one
 * takes is cleared.
 */

#ifndef NGX_CANARY_SERIES_H_INCLUDED
#define NGX_CANARY_SERIES_H_INCLUDED


#include "ngx_canary_zone.h"

#include "../pure/ngx_canary_history.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_SERIES_LAYOUT  2

#define NGX_CANARY_SERIES_HOUR_US   10000000    /* of a point */
#define NGX_CANARY_SERIES_STAGE_US  1000000     /* until it doubles */
/* one of the hour, two of the stage */
#define NGX_CANARY_SERIES_ROWS      3

/*
 * What a series' word tells: so many points began, 0 for none, the last of them
 * with this base and in this row, after so many doublings.  Each change takes
 * the next number.
 */
#define ngx_canary_series_word(number, shift, row, base, count)               \
    ((number) << 40 | (shift) << 35 | (row) << 33 | (base) << 32 | (count))
#define ngx_canary_series_number(word)  ((word) >> 40)
#define ngx_canary_series_shift(word)   ((word) >> 35 & 31)
#define ngx_canary_series_row(word)     ((word) >> 33 & 3)
#define ngx_canary_series_base(word)    ((word) >> 32 & 1)
#define ngx_canary_series_count(word)   ((word) & UINT32_MAX)


/* what the totals were when a point began */
typedef struct {
    uint64_t                   start_us;    /* monotonic; 0: none yet */
    uint64_t                   start_ms;
    uint64_t                   stage_ms;    /* of the stage: when that began */
    uint64_t                   limits_us[NGX_CANARY_HISTORY_LIMITS];
    uint64_t                   known[NGX_CANARY_MAX_VARIANTS];
    ngx_canary_point_totals_t  totals[NGX_CANARY_MAX_VARIANTS];
} ngx_canary_series_base_t;


typedef struct {
    uint64_t                   word;
    ngx_canary_series_base_t   bases[2];
} ngx_canary_series_t;


typedef struct {
    uint64_t                   mark;        /* its number and 1, or 0 */
    ngx_canary_point_t         point;       /* shares by slot */
} ngx_canary_series_point_t;


/* by slot; counts that no name has, and gates without a rule, are 0 */
typedef struct {
    ngx_canary_series_point_t  points[NGX_CANARY_HISTORY_POINTS];
    ngx_canary_point_counts_t  counts[NGX_CANARY_MAX_VARIANTS]
                                     [NGX_CANARY_HISTORY_POINTS];
    ngx_canary_point_gate_t    gates[NGX_CANARY_MAX_RULES]
                                    [NGX_CANARY_MAX_VARIANTS]
                                    [NGX_CANARY_HISTORY_POINTS];
} ngx_canary_series_row_t;


typedef struct {
    uint64_t                   used;        /* 1: some name had it */
    uint64_t                   len;         /* 0: none */
    u_char                     data[NGX_CANARY_MAX_NAME + 1];
} ngx_canary_series_name_t;


typedef struct {
    uint64_t                   signature;   /* 0: none */
    uint64_t                   used_us;     /* monotonic; by a tick */
} ngx_canary_series_rule_t;


typedef struct {
    ngx_canary_head_t          head;
    pthread_mutex_t            mutex;
    ngx_canary_series_t        series[NGX_CANARY_SERIES];
    ngx_canary_series_name_t   names[NGX_CANARY_MAX_VARIANTS];
    ngx_canary_series_rule_t   rules[NGX_CANARY_MAX_RULES];
    ngx_canary_series_row_t    rows[NGX_CANARY_SERIES_ROWS];
} ngx_canary_series_zone_t;


/* ngx_canary_series_zone.c: declares the zone; as ngx_canary_zone_add() */
ngx_shm_zone_t *ngx_canary_series_add(ngx_conf_t *cf, ngx_str_t *split);

/*
 * ngx_canary_series.c: adds what was counted up to now, from a picture of
 * "zone" that has totals.  Where nothing was yet, it begins here.
 */
void ngx_canary_series_tick(ngx_canary_series_zone_t *history,
    ngx_canary_zone_t *zone, ngx_canary_split_t *split);

/* 1 if there is no base to count from, as after a start */
ngx_uint_t ngx_canary_series_due(ngx_canary_series_zone_t *history);

/*
 * ngx_canary_series_names.c: the column of a name or a rule is its own from
 * here on.  For the holder of the mutex.
 */
void ngx_canary_series_name(ngx_canary_series_zone_t *history, ngx_uint_t slot,
    const u_char *name, size_t len);
void ngx_canary_series_rules(ngx_canary_series_zone_t *history,
    ngx_canary_split_t *split, uint64_t now_us);

/* 1 if the column of that slot is the name's */
ngx_uint_t ngx_canary_series_is(ngx_canary_series_zone_t *history,
    ngx_uint_t slot, const u_char *name, size_t len);

/* the column of a rule, or NGX_ERROR */
ngx_int_t ngx_canary_series_find(ngx_canary_series_zone_t *history,
    uint64_t signature);

/*
 * ngx_canary_series_picture.c: sets split->history.  NGX_ERROR if memory is
 * short.
 */
ngx_int_t ngx_canary_series_picture(ngx_canary_series_zone_t *history,
    ngx_canary_split_t *split, ngx_pool_t *pool);

/* of counters and their buckets, of which those from .. to are set */
void ngx_canary_series_totals(ngx_canary_point_totals_t *totals,
    const ngx_canary_counts_t *counts, const uint64_t *hist, size_t from,
    size_t to, const uint64_t *limits_us);


#pragma GCC visibility pop

#endif /* NGX_CANARY_SERIES_H_INCLUDED */
