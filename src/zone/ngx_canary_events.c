
#include "ngx_canary_events.h"


static ngx_int_t ngx_canary_events_init(ngx_shm_zone_t *shm_zone, void *data);
static size_t ngx_canary_events_size(void);
static ngx_uint_t ngx_canary_events_free(ngx_canary_events_t *events);
static ngx_canary_event_counts_t *ngx_canary_events_counts(
    ngx_canary_event_place_t *place);


ngx_shm_zone_t *
ngx_canary_events_add(ngx_conf_t *cf, ngx_str_t *split)
{
    return ngx_canary_zone_declare(cf, "canary_events:", split,
                                   ngx_canary_events_size(),
                                   ngx_canary_events_init);
}


/* as ngx_canary_zone_init(): it only creates, or adopts as is */

static ngx_int_t
ngx_canary_events_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_events_t  *events = data;

    if (events) {
        if (events->magic != NGX_CANARY_EVENTS_MAGIC
            || events->layout != NGX_CANARY_EVENTS_LAYOUT)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" " NGX_CANARY_ZONE_OTHER,
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        shm_zone->data = events;
        return NGX_OK;
    }

    events = ngx_canary_zone_alloc(shm_zone, ngx_canary_events_size());
    if (events == NULL) {
        return NGX_ERROR;
    }

    events->magic = NGX_CANARY_EVENTS_MAGIC;
    events->layout = NGX_CANARY_EVENTS_LAYOUT;
    events->nshards = ngx_canary_zone_nshards();
    events->created_us = ngx_canary_now_us();
    events->slice_us[0] = events->created_us;
    ngx_canary_ring_complete(&events->slices, &events->slice_mark[0],
                             ngx_canary_ring_take(&events->slices));

    shm_zone->data = events;

    return NGX_OK;
}


static size_t
ngx_canary_events_size(void)
{
    return offsetof(ngx_canary_events_t, shards)
           + ngx_canary_zone_nshards() * sizeof(ngx_canary_event_shard_t);
}


void
ngx_canary_events_name(ngx_canary_event_plan_t *plan, uint64_t generation)
{
    ngx_int_t                 n;
    ngx_uint_t                i, v;
    ngx_canary_events_t      *events;
    ngx_canary_event_slot_t  *slot;

    events = plan->events;

    for (i = 0; i < plan->nnames; i++) {
        n = ngx_canary_events_find(events, &plan->names[i].name);

        if (n != NGX_ERROR) {
            events->slots[n].used = generation;
        }
    }

    for (i = 0; i < plan->nnames; i++) {

        if (ngx_canary_events_find(events, &plan->names[i].name) != NGX_ERROR) {
            continue;
        }

        n = ngx_canary_events_free(events);
        slot = &events->slots[n];

        if (slot->used) {
            for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
                ngx_canary_events_clear(events, n, v);
            }
        }

        slot->len = ngx_min(plan->names[i].name.len, NGX_CANARY_MAX_EVENT_NAME);
        ngx_memcpy(slot->data, plan->names[i].name.data, slot->len);
        slot->used = generation;

        ngx_canary_store(&events->naming, events->naming + 1);
    }
}


/* there are as many slots as a plan may have names */

static ngx_uint_t
ngx_canary_events_free(ngx_canary_events_t *events)
{
    ngx_uint_t  i, best;

    best = 0;

    for (i = 1; i < NGX_CANARY_MAX_EVENTS; i++) {
        if (events->slots[i].used < events->slots[best].used) {
            best = i;
        }
    }

    return best;
}


ngx_int_t
ngx_canary_events_find(ngx_canary_events_t *events, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_canary_event_slot_t  *slot;

    for (i = 0; i < NGX_CANARY_MAX_EVENTS; i++) {
        slot = &events->slots[i];

        if (slot->used
            && slot->len == name->len
            && ngx_memcmp(slot->data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    return NGX_ERROR;
}


static ngx_canary_event_counts_t *
ngx_canary_events_counts(ngx_canary_event_place_t *place)
{
    ngx_uint_t  worker;

    worker = ngx_canary_worker(place->events->nshards);

    return &place->events->shards[worker][place->event][place->slot];
}


void
ngx_canary_event_count(ngx_canary_event_place_t *place)
{
    ngx_canary_add(&ngx_canary_events_counts(place)->count, 1);
}


void
ngx_canary_event_user(ngx_canary_event_place_t *place, ngx_str_t *user)
{
    uint64_t                  hash, slice;
    ngx_uint_t                e, v;
    ngx_canary_events_t      *events;
    ngx_canary_event_cell_t  *cell;

    events = place->events;
    e = place->event;
    v = place->slot;
    cell = &events->cells[e][v];

    if (ngx_canary_load(&cell->users) == 0) {
        ngx_canary_store(&cell->users, 1);
    }

    slice = (ngx_canary_load(&events->slices.next) - 1) % NGX_CANARY_SLICES;
    hash = ngx_canary_unique_hash(user->data, user->len);

    ngx_canary_unique_put(events->users[e][v], hash);
    ngx_canary_unique_put(events->stage_users[place->base][e][v], hash);
    ngx_canary_unique_put(events->slice_users[slice][e][v], hash);
}


/* the extremes first: who reads a bucket looks for it between them */

void
ngx_canary_event_value(ngx_canary_event_place_t *place, uint64_t milli)
{
    ngx_uint_t                  e, v;
    ngx_canary_events_t        *events;
    ngx_canary_event_cell_t    *cell;
    ngx_canary_event_counts_t  *counts;

    events = place->events;
    e = place->event;
    v = place->slot;
    cell = &events->cells[e][v];

    ngx_canary_raise(&cell->max[place->base], milli);
    ngx_canary_raise(&cell->low[place->base], UINT64_MAX - milli);
    ngx_canary_store(&cell->last, milli);

    ngx_canary_add(&events->hist[e][v][ngx_canary_hist_index(milli)], 1);

    counts = ngx_canary_events_counts(place);

    ngx_canary_add(&counts->nvalues, 1);
    ngx_canary_add(&counts->sum_high, milli >> NGX_CANARY_EVENT_LOW_BITS);
    ngx_canary_add(&counts->sum_low,
                   milli & ((1 << NGX_CANARY_EVENT_LOW_BITS) - 1));
}
