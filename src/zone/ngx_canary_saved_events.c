
#include "ngx_canary_keep.h"


#if (NGX_CANARY_SAVED_NAME < NGX_CANARY_MAX_EVENT_NAME                        \
     || NGX_CANARY_SAVED_EVENTS != NGX_CANARY_MAX_EVENTS                      \
     || NGX_CANARY_SAVED_SKETCH != 1 << NGX_CANARY_UNIQUE_BITS)
#error what is kept of an event differs from its place in the file
#endif


static void ngx_canary_saved_event(ngx_canary_event_plan_t *plan, ngx_uint_t e,
    uint64_t base, ngx_canary_saved_event_t *event);
static void ngx_canary_given_event(ngx_canary_event_plan_t *plan, ngx_uint_t e,
    ngx_canary_saved_event_t *event);
static void ngx_canary_saved_parts(ngx_canary_event_plan_t *plan,
    ngx_canary_event_slot_t *slot, ngx_canary_values_t **values,
    ngx_canary_users_t **users);
static ngx_uint_t ngx_canary_saved_is_used(const unsigned char *sketch);


ngx_int_t
ngx_canary_saved_events_take(ngx_canary_event_plan_t *plan, uint64_t base,
    ngx_canary_saved_t *saved)
{
    ngx_uint_t            e, n;
    ngx_canary_events_t  *events;

    events = plan->events;
    n = 0;

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        n += events->slots[e].used != 0;
    }

    if (n == 0) {
        return NGX_OK;
    }

    saved->events = ngx_canary_keep_alloc(n * sizeof(ngx_canary_saved_event_t));
    if (saved->events == NULL) {
        return NGX_ERROR;
    }

    for (e = 0; e < NGX_CANARY_MAX_EVENTS && saved->nevents < n; e++) {
        if (events->slots[e].used) {
            ngx_canary_saved_event(plan, e, base,
                                   &saved->events[saved->nevents++]);
        }
    }

    return NGX_OK;
}


static void
ngx_canary_saved_event(ngx_canary_event_plan_t *plan, ngx_uint_t e,
    uint64_t base, ngx_canary_saved_event_t *event)
{
    uint64_t                     count;
    ngx_uint_t                   v;
    ngx_canary_users_t          *users;
    ngx_canary_events_t         *events;
    ngx_canary_values_t         *values;
    ngx_canary_event_slot_t     *slot;
    ngx_canary_saved_figures_t  *f;

    events = plan->events;
    slot = &events->slots[e];

    event->used = slot->used;
    event->name.len = ngx_min(slot->len, NGX_CANARY_MAX_EVENT_NAME);
    ngx_memcpy(event->name.data, slot->data, event->name.len);

    ngx_canary_saved_parts(plan, slot, &values, &users);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        f = &event->figures[v];
        count = ngx_canary_events_sum(events, e, v);

        if (count == 0) {
            continue;
        }

        if (values) {
            ngx_canary_saved_tally(&values->tally, v, base, &f->total,
                                   &f->base);
            f->last = ngx_canary_load(&values->last[v]);
        }

        if (users && ngx_canary_load(&users->used[v])) {
            ngx_memcpy(f->total.sketch, users->total[v],
                       NGX_CANARY_SAVED_SKETCH);
            ngx_memcpy(f->base.sketch, users->stage[base][v],
                       NGX_CANARY_SAVED_SKETCH);
        }

        f->total.n[NGX_CANARY_EVENT_COUNT] = count;
        f->base.n[NGX_CANARY_EVENT_COUNT] = events->base[base][e][v];
        f->elapsed_us = ngx_canary_now_us() - events->since_us[e][v];
    }
}


void
ngx_canary_saved_events_give(ngx_canary_event_plan_t *plan,
    ngx_canary_saved_t *saved)
{
    ngx_uint_t  e;

    for (e = 0; e < NGX_CANARY_MAX_EVENTS; e++) {
        if (plan->events->slots[e].used) {
            return;
        }
    }

    for (e = 0; e < saved->nevents; e++) {
        ngx_canary_given_event(plan, e, &saved->events[e]);
    }

    plan->events->naming++;
}


static void
ngx_canary_given_event(ngx_canary_event_plan_t *plan, ngx_uint_t e,
    ngx_canary_saved_event_t *event)
{
    ngx_uint_t                   v;
    ngx_canary_users_t          *users;
    ngx_canary_events_t         *events;
    ngx_canary_values_t         *values;
    ngx_canary_event_slot_t     *slot;
    ngx_canary_saved_figures_t  *f;

    events = plan->events;
    slot = &events->slots[e];

    slot->used = event->used;
    slot->len = ngx_min(event->name.len, NGX_CANARY_MAX_EVENT_NAME);
    ngx_memcpy(slot->data, event->name.data, slot->len);

    ngx_canary_saved_parts(plan, slot, &values, &users);

    for (v = 0; v < NGX_CANARY_MAX_VARIANTS; v++) {
        f = &event->figures[v];

        if (f->total.n[NGX_CANARY_EVENT_COUNT] == 0) {
            continue;
        }

        events->since_us[e][v] = ngx_canary_now_us() - f->elapsed_us;
        events->shards[0][e][v] = f->total.n[NGX_CANARY_EVENT_COUNT];
        events->base[0][e][v] = f->base.n[NGX_CANARY_EVENT_COUNT];

        if (values) {
            f->total.n[NGX_CANARY_EVENT_COUNT] = 0;
            f->base.n[NGX_CANARY_EVENT_COUNT] = 0;

            ngx_canary_given_tally(&values->tally, v, &f->total, &f->base);
            values->last[v] = f->last;
        }

        if (users && ngx_canary_saved_is_used(f->total.sketch)) {
            ngx_memcpy(users->total[v], f->total.sketch,
                       NGX_CANARY_SAVED_SKETCH);
            ngx_memcpy(users->stage[0][v], f->base.sketch,
                       NGX_CANARY_SAVED_SKETCH);
            users->used[v] = 1;
        }
    }
}


/* values and users have a place only where they are asked for */

static void
ngx_canary_saved_parts(ngx_canary_event_plan_t *plan,
    ngx_canary_event_slot_t *slot, ngx_canary_values_t **values,
    ngx_canary_users_t **users)
{
    ngx_uint_t  i;

    i = ngx_canary_events_index(plan, slot);

    *values = (i < plan->nall) ? plan->values[i] : NULL;
    *users = (i < plan->nall) ? plan->users[i] : NULL;
}


static ngx_uint_t
ngx_canary_saved_is_used(const unsigned char *sketch)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_SAVED_SKETCH; i++) {
        if (sketch[i]) {
            return 1;
        }
    }

    return 0;
}
