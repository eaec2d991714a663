
#include "ngx_canary_events.h"


static ngx_int_t ngx_canary_events_before(ngx_conf_t *cf, ngx_str_t *split,
    ngx_canary_event_plan_t *plan);
static ngx_uint_t ngx_canary_events_stays(ngx_canary_events_t *events,
    ngx_canary_event_plan_t *plan, ngx_uint_t e);
static ngx_uint_t ngx_canary_events_is(ngx_canary_event_slot_t *slot,
    ngx_str_t *name);
static ngx_int_t ngx_canary_events_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_canary_values_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_canary_users_init(ngx_shm_zone_t *shm_zone, void *data);
static size_t ngx_canary_events_size(void);
static ngx_uint_t ngx_canary_events_free(ngx_canary_events_t *events);
static void ngx_canary_events_clear(ngx_canary_events_t *events,
    ngx_uint_t event, ngx_uint_t slot);
static void ngx_canary_events_anew(ngx_canary_event_plan_t *plan, ngx_uint_t i,
    ngx_uint_t slot);


static const char  ngx_canary_events_prefix[] = "canary_events:";
static const char  ngx_canary_values_prefix[] = "canary_values:";
static const char  ngx_canary_users_prefix[] = "canary_users:";


ngx_int_t
ngx_canary_events_add(ngx_conf_t *cf, ngx_str_t *split,
    ngx_canary_event_plan_t *plan)
{
    ngx_uint_t                i;
    ngx_canary_event_name_t  *name;

    plan->events_zone = ngx_canary_zone_declare(cf, ngx_canary_events_prefix,
                                                split, NULL,
                                                ngx_canary_events_size(),
                                                ngx_canary_events_init);
    if (plan->events_zone == NULL) {
        return NGX_ERROR;
    }

    if (ngx_canary_events_before(cf, split, plan) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < plan->nall; i++) {
        name = &plan->names[i];

        if (name->value) {
            plan->values_zone[i] = ngx_canary_zone_declare(cf,
                                                   ngx_canary_values_prefix,
                                                   split, &name->name,
                                                   sizeof(ngx_canary_values_t),
                                                   ngx_canary_values_init);
            if (plan->values_zone[i] == NULL) {
                return NGX_ERROR;
            }
        }

        if (name->unique) {
            plan->users_zone[i] = ngx_canary_zone_declare(cf,
                                                    ngx_canary_users_prefix,
                                                    split, &name->name,
                                                    sizeof(ngx_canary_users_t),
                                                    ngx_canary_users_init);
            if (plan->users_zone[i] == NULL) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* names that are not asked for, as many as will have a slot still */

static ngx_int_t
ngx_canary_events_before(ngx_conf_t *cf, ngx_str_t *split,
    ngx_canary_event_plan_t *plan)
{
    ngx_uint_t                e;
    ngx_shm_zone_t           *zone;
    ngx_canary_events_t      *events;
    ngx_canary_event_name_t  *name;

    plan->nall = plan->nnames;

    zone = ngx_canary_zone_old(cf, ngx_canary_events_prefix, split, NULL);
    events = zone ? zone->data : NULL;

    if (events == NULL || events->head.layout != NGX_CANARY_EVENTS_LAYOUT) {
        return NGX_OK;
    }

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {

        if (!ngx_canary_events_stays(events, plan, e)) {
            continue;
        }

        name = &plan->names[plan->nall++];

        name->name.len = events->slots[e].len;
        name->name.data = ngx_pnalloc(cf->pool, name->name.len);
        if (name->name.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(name->name.data, events->slots[e].data, name->name.len);

        name->value = ngx_canary_zone_old(cf, ngx_canary_values_prefix, split,
                                          &name->name) != NULL;
        name->unique = ngx_canary_zone_old(cf, ngx_canary_users_prefix, split,
                                           &name->name) != NULL;
    }

    return NGX_OK;
}


/* as ngx_canary_events_free() gives slots to others */

static ngx_uint_t
ngx_canary_events_stays(ngx_canary_events_t *events,
    ngx_canary_event_plan_t *plan, ngx_uint_t e)
{
    ngx_uint_t                i, later;
    ngx_canary_event_slot_t  *slot;

    slot = &events->slots[e];

    if (slot->used == 0
        || ngx_canary_events_index(plan, slot) < plan->nnames)
    {
        return 0;
    }

    later = 0;

    for (i = 0; i < NGX_CANARY_MAX_EVENTS; i++) {
        later += ngx_canary_events_index(plan, &events->slots[i])
                 >= plan->nnames
                 && (events->slots[i].used > slot->used
                     || (events->slots[i].used == slot->used && i > e));
    }

    return plan->nnames + later < NGX_CANARY_MAX_EVENTS;
}


ngx_uint_t
ngx_canary_events_index(ngx_canary_event_plan_t *plan,
    ngx_canary_event_slot_t *slot)
{
    ngx_uint_t  i;

    for (i = 0; i < plan->nall; i++) {
        if (ngx_canary_events_is(slot, &plan->names[i].name)) {
            break;
        }
    }

    return i;
}


static ngx_uint_t
ngx_canary_events_is(ngx_canary_event_slot_t *slot, ngx_str_t *name)
{
    return slot->len == name->len
           && ngx_memcmp(slot->data, name->data, name->len) == 0;
}


void
ngx_canary_events_accept(ngx_canary_event_plan_t *plan)
{
    ngx_uint_t  i;

    plan->events = plan->events_zone->data;

    for (i = 0; i < plan->nall; i++) {

        if (plan->values_zone[i]) {
            plan->values[i] = plan->values_zone[i]->data;
        }

        if (plan->users_zone[i]) {
            plan->users[i] = plan->users_zone[i]->data;
        }
    }
}


static ngx_int_t
ngx_canary_events_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_events_t  *events;

    events = ngx_canary_zone_open(shm_zone, data, ngx_canary_events_size(),
                                  NGX_CANARY_EVENTS_LAYOUT);
    if (events == NULL || data) {
        return events ? NGX_OK : NGX_ERROR;
    }

    events->nshards = ngx_canary_zone_nshards();

    return NGX_OK;
}


static ngx_int_t
ngx_canary_values_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_uint_t            v;
    ngx_canary_values_t  *values;

    values = ngx_canary_zone_open(shm_zone, data, sizeof(ngx_canary_values_t),
                                  NGX_CANARY_VALUES_LAYOUT);
    if (values == NULL || data) {
        return values ? NGX_OK : NGX_ERROR;
    }

    ngx_canary_tally_place(&values->tally, values->cells, 0, 1);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        values->tally.since_us[v] = ngx_canary_now_us();
    }

    return NGX_OK;
}


static ngx_int_t
ngx_canary_users_init(ngx_shm_zone_t *shm_zone, void *data)
{
    return ngx_canary_zone_open(shm_zone, data, sizeof(ngx_canary_users_t),
                                NGX_CANARY_USERS_LAYOUT)
           ? NGX_OK : NGX_ERROR;
}


static size_t
ngx_canary_events_size(void)
{
    return offsetof(ngx_canary_events_t, shards)
           + ngx_canary_zone_nshards() * sizeof(ngx_canary_event_counts_t);
}


void
ngx_canary_events_name(ngx_canary_event_plan_t *plan, ngx_canary_zone_t *zone,
    uint64_t generation)
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

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            ngx_canary_events_clear(events, n, v);
            ngx_canary_events_anew(plan, i, v);
        }

        slot->len = ngx_min(plan->names[i].name.len, NGX_CANARY_MAX_EVENT_NAME);
        ngx_memcpy(slot->data, plan->names[i].name.data, slot->len);
        slot->used = generation;

        ngx_canary_store(&events->naming, events->naming + 1);
    }

    /* memory that is new has no slice yet */

    ngx_canary_events_slice(plan, ngx_canary_load(&zone->steps.next));
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

        if (slot->used && ngx_canary_events_is(slot, name)) {
            return i;
        }
    }

    return NGX_ERROR;
}


void
ngx_canary_event_count(ngx_canary_event_place_t *place)
{
    ngx_uint_t            worker;
    ngx_canary_events_t  *events;

    events = place->plan->events;
    worker = ngx_canary_worker(events->nshards);

    ngx_canary_add(&events->shards[worker][place->event][place->slot], 1);
}


void
ngx_canary_event_user(ngx_canary_event_place_t *place, ngx_str_t *user)
{
    uint64_t             hash, slice;
    ngx_uint_t           v;
    ngx_canary_users_t  *users;

    users = place->plan->users[place->index];
    v = place->slot;

    if (ngx_canary_load(&users->used[v]) == 0) {
        ngx_canary_store(&users->used[v], 1);
    }

    slice = ngx_canary_load(&place->zone->steps.next) % NGX_CANARY_STEPS;
    hash = ngx_canary_unique_hash(user->data, user->len);

    ngx_canary_unique_put(users->total[v], hash);
    ngx_canary_unique_put(users->stage[place->base][v], hash);
    ngx_canary_unique_put(users->slices[slice][v], hash);
}


void
ngx_canary_event_value(ngx_canary_event_place_t *place, uint64_t milli)
{
    uint64_t             *n;
    ngx_canary_cell_t    *cell;
    ngx_canary_values_t  *values;

    values = place->plan->values[place->index];
    cell = &values->cells[place->slot];
    n = cell->counts.n;

    ngx_canary_tally_value(cell, place->base, milli);
    ngx_canary_store(&values->last[place->slot], milli);

    ngx_canary_add(&n[NGX_CANARY_EVENT_VALUES], 1);
    ngx_canary_add(&n[NGX_CANARY_EVENT_SUM_HIGH],
                   milli >> NGX_CANARY_EVENT_LOW_BITS);
    ngx_canary_add(&n[NGX_CANARY_EVENT_SUM_LOW],
                   milli & ((1 << NGX_CANARY_EVENT_LOW_BITS) - 1));
}


uint64_t
ngx_canary_events_sum(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < events->nshards; i++) {
        sum += ngx_canary_load(&events->shards[i][event][slot]);
    }

    return sum;
}


void
ngx_canary_events_base(ngx_canary_event_plan_t *plan, ngx_uint_t slot,
    ngx_uint_t base, ngx_canary_sum_t *sum)
{
    ngx_uint_t           i;
    ngx_canary_users_t  *users;

    for (i = 0; i < NGX_CANARY_MAX_EVENTS; i++) {
        plan->events->base[base][i][slot] = ngx_canary_events_sum(plan->events,
                                                                  i, slot);
    }

    for (i = 0; i < plan->nall; i++) {
        users = plan->users[i];

        if (plan->values[i]) {
            ngx_canary_tally_base(&plan->values[i]->tally, slot, base, sum);
        }

        if (users && ngx_canary_load(&users->used[slot])) {
            ngx_memzero(users->stage[base][slot], sizeof(ngx_canary_sketch_t));
        }
    }
}


void
ngx_canary_events_step(ngx_canary_event_plan_t *plan, ngx_uint_t slot,
    ngx_uint_t step, ngx_canary_sum_t *sum)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CANARY_MAX_EVENTS; i++) {
        plan->events->steps[step][i][slot] = ngx_canary_events_sum(plan->events,
                                                                   i, slot);
    }

    for (i = 0; i < plan->nall; i++) {
        if (plan->values[i]) {
            ngx_canary_tally_step(&plan->values[i]->tally, slot, step, sum);
        }
    }
}


/* one that was stopped for so long that others went on leaves theirs alone */

void
ngx_canary_events_slice(ngx_canary_event_plan_t *plan, uint64_t number)
{
    uint64_t            *mark;
    ngx_uint_t           i, v, n;
    ngx_canary_users_t  *users;

    n = number % NGX_CANARY_STEPS;

    for (i = 0; i < plan->nall; i++) {
        users = plan->users[i];

        if (users == NULL) {
            continue;
        }

        mark = &users->marks[n];

        if (ngx_canary_load(mark) > number) {
            continue;
        }

        ngx_canary_store(mark, 0);

        for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
            if (ngx_canary_load(&users->used[v])) {
                ngx_memzero(users->slices[n][v], sizeof(ngx_canary_sketch_t));
            }
        }

        ngx_canary_store(mark, number + 1);
    }
}


void
ngx_canary_events_reset(ngx_canary_event_plan_t *plan, ngx_uint_t slot)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CANARY_MAX_EVENTS; i++) {
        ngx_canary_events_clear(plan->events, i, slot);
    }

    for (i = 0; i < plan->nall; i++) {
        ngx_canary_events_anew(plan, i, slot);
    }
}


/* what was never used stays untouched, and costs no memory */

static void
ngx_canary_events_anew(ngx_canary_event_plan_t *plan, ngx_uint_t i,
    ngx_uint_t slot)
{
    ngx_uint_t            n;
    ngx_canary_users_t   *users;
    ngx_canary_values_t  *values;

    values = plan->values[i];
    users = plan->users[i];

    if (values && values->cells[slot].counts.n[NGX_CANARY_EVENT_VALUES]) {
        ngx_canary_tally_clear(&values->tally, slot);
        values->last[slot] = 0;
    }

    if (users == NULL || users->used[slot] == 0) {
        return;
    }

    ngx_memzero(users->total[slot], sizeof(ngx_canary_sketch_t));

    for (n = 0; n < NGX_CANARY_BASES; n++) {
        ngx_memzero(users->stage[n][slot], sizeof(ngx_canary_sketch_t));
    }

    for (n = 0; n < NGX_CANARY_STEPS; n++) {
        ngx_memzero(users->slices[n][slot], sizeof(ngx_canary_sketch_t));
    }

    users->used[slot] = 0;
}


/* what a step remembers is older than this */

static void
ngx_canary_events_clear(ngx_canary_events_t *events, ngx_uint_t event,
    ngx_uint_t slot)
{
    ngx_uint_t  i;

    events->since_us[event][slot] = ngx_canary_now_us();

    for (i = 0; i < events->nshards; i++) {
        events->shards[i][event][slot] = 0;
    }

    for (i = 0; i < NGX_CANARY_BASES; i++) {
        events->base[i][event][slot] = 0;
    }
}
