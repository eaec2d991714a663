/*
 * A picture whose window begins with a step that is taken for another one
 * meanwhile, as by a reader that was stopped: it is taken once more, and no
 * figure is of both.
 */

#include "../../../src/zone/ngx_canary_figures.c"
#include "../../../src/zone/ngx_canary_picture.c"
#include "../../../src/zone/ngx_canary_series_point.c"
#include "../../../src/zone/ngx_canary_tally.c"

#include "step.h"
#include "picture.h"


static ngx_canary_split_t  split;
static ngx_uint_t          taken, read_word;
/* when the reader is stopped, and for so many steps */
static ngx_uint_t          at, stops;


/* all that is counted in a second */

static void
count(void)
{
    ngx_canary_cell_t  *cell;

    cell = &zone->shards[0].variants[0];

    ngx_canary_add(&cell->counts.n[NGX_CANARY_COUNT_2XX], 10);
    ngx_canary_add(&cell->counts.n[NGX_CANARY_TALLY_SUM], 10);
    ngx_canary_add(&zone->shards[0].unkeyed, 4);
    ngx_canary_add(&zone->shards[1].unkeyed, 3);
    ngx_canary_tally_value(cell, 0, 1);
    ngx_canary_add(&cell->hist[1], 9);
}


static void
second(void)
{
    count();
    now_us += SECOND;
    ngx_canary_step_add(zone, NULL, 10 * SECOND, 0);
}


static void
stop(void)
{
    ngx_uint_t  i;

    if (++taken == at) {
        for (i = 0; i < stops; i++) {
            second();
        }
    }
}


uint64_t
ngx_canary_now_ms(void)
{
    return now_us / 1000;
}


/* a reader is stopped where it copies a name */

u_char *
ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src)
{
    (void) pool;
    (void) src;

    stop();

    return (u_char *) "";
}


uint64_t
ngx_canary_published(ngx_canary_zone_t *z, ngx_canary_record_t *record)
{
    read_word++;
    *record = z->records[0];

    return z->published;
}


ngx_int_t
ngx_canary_picture_gates(ngx_canary_picture_t *pic, ngx_pool_t *pool)
{
    (void) pic;
    (void) pool;

    return NGX_OK;
}


void
ngx_canary_picture_trials(ngx_canary_picture_t *pic, ngx_canary_scope_e scope)
{
    (void) pic;
    (void) scope;
}


/* 1 if all figures of the window are those of the same seconds */

static int
fits(void)
{
    uint64_t               seconds;
    ngx_canary_figures_t  *f;

    f = &split.variants[0].figures[NGX_CANARY_WINDOW];
    seconds = f->elapsed_us / SECOND;

    return f->requests == 10 * seconds
           && f->latency.count == 10 * seconds
           && f->latency.sum_us == 10 * seconds
           && split.passages[NGX_CANARY_WINDOW] == 17 * seconds
           && seconds == 10;
}


static void
picture(ngx_uint_t copy, ngx_uint_t steps)
{
    forget();

    taken = 0;
    read_word = 0;
    at = copy;
    stops = steps;

    if (ngx_canary_picture(zone, NULL, &split, NULL) != NGX_OK) {
        abort();
    }

    at = 0;
}


int
main(void)
{
    ngx_uint_t  i;

    zone = calloc(1, sizeof(ngx_canary_zone_t) + sizeof(ngx_canary_shard_t));
    if (zone == NULL) {
        return 2;
    }

    ngx_canary_shards_init(zone, 2);
    zone->slots[0].used = 1;
    zone->created_us = now_us;
    zone->stages[0].start_us = now_us;
    zone->published = ngx_canary_word(1, 0, 1, 0);
    split.window_us = 10 * SECOND;
    split.want = NGX_CANARY_WANT_QUANTILES;

    ngx_canary_step_add(zone, NULL, 0, 1);

    for (i = 0; i < 50; i++) {
        second();
    }

    picture(0, 0);
    ok(fits() && read_word == 1, "a window of ten seconds");

    picture(1, NGX_CANARY_STEPS - 11);
    is_u64(read_word, 1, "its step is still there, if not for long");

    /* it goes on when that place of the ring has another step */

    picture(1, NGX_CANARY_STEPS - 10);
    ok(fits() && read_word == 2, "stopped for longer it begins anew");

    picture(2, NGX_CANARY_STEPS - 10);
    ok(fits() && read_word == 2, "and wherever it is stopped");

    picture(2, 3 * NGX_CANARY_STEPS);
    ok(fits() && read_word == 2, "for however long");

    forget();
    free(zone);

    return tap_done();
}
