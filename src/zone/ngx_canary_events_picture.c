
#include "ngx_canary_picture.h"


static void ngx_canary_events_variant(ngx_canary_picture_t *pic,
    ngx_uint_t index, ngx_uint_t slot, ngx_uint_t variant);
static uint64_t ngx_canary_events_count(ngx_canary_picture_t *pic,
    ngx_uint_t slot, ngx_canary_scope_e scope);
static void ngx_canary_events_values(ngx_canary_picture_t *pic,
    ngx_canary_values_t *values, ngx_canary_scope_e scope,
    ngx_canary_event_figures_t *f);
static uint64_t ngx_canary_events_users(ngx_canary_picture_t *pic,
    ngx_canary_users_t *users, ngx_canary_scope_e scope);


/* __int128 is no C of the standard, but every compiler of 64 bits has it */
typedef unsigned __int128  ngx_canary_event_sum_t;


void
ngx_canary_picture_events(ngx_canary_picture_t *pic)
{
    ngx_int_t                 slot;
    ngx_uint_t                i, v;
    ngx_canary_event_t       *event;
    ngx_canary_event_name_t  *name;

    for (i = 0; i < pic->events->nnames; i++) {
        event = &pic->split->events[i];
        name = &pic->events->names[i];

        ngx_memzero(event, sizeof(ngx_canary_event_t));

        event->name.len = name->name.len;
        event->name.data = name->name.data;
        event->unique = name->unique;
        event->value = name->value;

        slot = ngx_canary_events_find(pic->events->events, &name->name);

        for (v = 0; slot != NGX_ERROR && v < pic->split->nvariants; v++) {
            ngx_canary_events_variant(pic, i, slot, v);
        }
    }

    ngx_canary_events_ratios(pic->split);
}


static void
ngx_canary_events_variant(ngx_canary_picture_t *pic, ngx_uint_t index,
    ngx_uint_t slot, ngx_uint_t variant)
{
    uint64_t                     start_us;
    ngx_uint_t                   i;
    ngx_canary_scope_e           s;
    ngx_canary_users_t          *users;
    ngx_canary_values_t         *values;
    ngx_canary_event_figures_t  *f;

    values = pic->events->values[index];
    users = pic->events->users[index];

    pic->slot = pic->split->variants[variant].slot;

    if (values) {
        ngx_canary_tally_sum(&values->tally, pic->slot, pic->sum);
    }

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        s = ngx_canary_figures_scopes[i];
        f = &pic->split->events[index].figures[variant][s];

        start_us = ngx_max(pic->start_us[s],
                           pic->events->events->since_us[slot][pic->slot]);

        f->elapsed_us = pic->now_us > start_us ? pic->now_us - start_us : 0;
        f->count = ngx_canary_events_count(pic, slot, s);

        if (values) {
            ngx_canary_figures_scope(pic, &values->tally, s);
            ngx_canary_events_values(pic, values, s, f);
        }

        if (users && (pic->split->want & NGX_CANARY_WANT_USERS)) {
            f->unique = ngx_canary_events_users(pic, users, s);
        }

        ngx_canary_events_trials(pic, index, variant, s);
    }
}


static uint64_t
ngx_canary_events_count(ngx_canary_picture_t *pic, ngx_uint_t slot,
    ngx_canary_scope_e scope)
{
    uint64_t              sum;
    ngx_canary_events_t  *events;

    events = pic->events->events;
    sum = ngx_canary_events_sum(events, slot, pic->slot);

    if (scope == NGX_CANARY_STAGE) {
        return sum - events->base[pic->base][slot][pic->slot];
    }

    /* the event or the variant may have been another one at that time */

    if (scope == NGX_CANARY_WINDOW
        && pic->step != NGX_CANARY_NO_STEP
        && pic->start_us[scope] >= events->since_us[slot][pic->slot])
    {
        return sum - events->steps[pic->at][slot][pic->slot];
    }

    return sum;
}


static void
ngx_canary_events_values(ngx_canary_picture_t *pic, ngx_canary_values_t *values,
    ngx_canary_scope_e scope, ngx_canary_event_figures_t *f)
{
    ngx_canary_event_sum_t  sum;

    sum = ((ngx_canary_event_sum_t) pic->n[NGX_CANARY_EVENT_SUM_HIGH]
           << NGX_CANARY_EVENT_LOW_BITS)
          + pic->n[NGX_CANARY_EVENT_SUM_LOW];

    f->nvalues = pic->n[NGX_CANARY_EVENT_VALUES];
    f->sum = sum > UINT64_MAX ? UINT64_MAX : (uint64_t) sum;

    if (f->nvalues) {
        f->mean = (uint64_t) (sum * 1000 / f->nvalues);
        f->last = ngx_canary_load(&values->last[pic->slot]);
    }

    f->ncounted = ngx_canary_figures_values(pic, scope, &f->min, &f->max,
                                            f->quantile);
}


static uint64_t
ngx_canary_events_users(ngx_canary_picture_t *pic, ngx_canary_users_t *users,
    ngx_canary_scope_e scope)
{
    uint64_t             n, next;
    ngx_uint_t           at;
    ngx_canary_sketch_t  sketch;

    if (ngx_canary_load(&users->used[pic->slot]) == 0) {
        return 0;
    }

    switch (scope) {

    case NGX_CANARY_TOTAL:
        return ngx_canary_unique_estimate(users->total[pic->slot]);

    case NGX_CANARY_STAGE:
        return ngx_canary_unique_estimate(users->stage[pic->base][pic->slot]);

    default:
        break;
    }

    ngx_memzero(sketch, sizeof(ngx_canary_sketch_t));

    next = ngx_canary_load(&pic->zone->steps.next);

    for (n = pic->step + 1; n <= next; n++) {
        at = n % NGX_CANARY_STEPS;

        if (ngx_canary_ring_holds(&users->marks[at], n)) {
            ngx_canary_unique_merge(sketch, users->slices[at][pic->slot]);
        }
    }

    return ngx_canary_unique_estimate(sketch);
}
