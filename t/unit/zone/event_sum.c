/*
 * Sums of values beyond 64 bits: the mean is that of what was added, the sum is
 * as great as can be shown, and what it grew by since a stage began is exact.
 */

#include "../../../src/zone/ngx_canary_events.c"
#include "../../../src/zone/ngx_canary_events_picture.c"
#include "../../../src/zone/ngx_canary_figures.c"
#include "../../../src/zone/ngx_canary_tally.c"

#include "../tap.h"


/* as many of the greatest value that is read as are beyond 64 bits */
#define VALUES    40000
#define GREATEST  999999999999999


/* nginx's own */
ngx_uint_t     ngx_worker = 0;
ngx_module_t   ngx_core_module;

static uint64_t                 work[NGX_CANARY_HIST_BUCKETS];
static ngx_canary_sum_t         sum;
static ngx_canary_split_t       split;
static ngx_canary_values_t     *values;
static ngx_canary_picture_t     pic;
static ngx_canary_event_plan_t  plan;

static ngx_canary_event_figures_t  figures;


uint64_t
ngx_canary_now_us(void)
{
    return NGX_CANARY_EPOCH_US;
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    (void) pool;
    (void) size;

    return NULL;
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    (void) pool;
    (void) size;

    return NULL;
}


ngx_shm_zone_t *
ngx_canary_zone_declare(ngx_conf_t *cf, const char *prefix, ngx_str_t *of,
    ngx_str_t *event, size_t size, ngx_shm_zone_init_pt init)
{
    (void) cf;
    (void) prefix;
    (void) of;
    (void) event;
    (void) size;
    (void) init;

    return NULL;
}


ngx_shm_zone_t *
ngx_canary_zone_old(ngx_conf_t *cf, const char *prefix, ngx_str_t *of,
    ngx_str_t *event)
{
    (void) cf;
    (void) prefix;
    (void) of;
    (void) event;

    return NULL;
}


ngx_uint_t
ngx_canary_zone_nshards(void)
{
    return 1;
}


void *
ngx_canary_zone_open(ngx_shm_zone_t *shm_zone, void *data, size_t size,
    uint64_t layout)
{
    (void) shm_zone;
    (void) data;
    (void) layout;

    values = calloc(1, size);

    return values;
}


void
ngx_canary_events_trials(ngx_canary_picture_t *p, ngx_uint_t event,
    ngx_uint_t variant, ngx_canary_scope_e scope)
{
    (void) p;
    (void) event;
    (void) variant;
    (void) scope;
}


void
ngx_canary_events_ratios(ngx_canary_split_t *s)
{
    (void) s;
}


/* what is shown of the values so far */

static void
show(ngx_canary_scope_e scope)
{
    memset(&figures, 0, sizeof(figures));

    ngx_canary_tally_sum(&values->tally, 0, &sum);
    ngx_canary_figures_scope(&pic, &values->tally, scope);
    ngx_canary_events_values(&pic, values, scope, &figures);
}


int
main(void)
{
    ngx_uint_t                i;
    ngx_canary_zone_t        *zone;
    ngx_canary_event_place_t  place;

    zone = calloc(1, sizeof(ngx_canary_zone_t));

    if (zone == NULL || ngx_canary_values_init(NULL, NULL) != NGX_OK) {
        return 2;
    }

    memset(&place, 0, sizeof(place));
    plan.values[0] = values;
    place.zone = zone;
    place.plan = &plan;

    pic.zone = zone;
    pic.split = &split;
    pic.sum = &sum;
    pic.work = work;
    pic.step = NGX_CANARY_NO_STEP;
    split.want = NGX_CANARY_WANT_QUANTILES;

    for (i = 0; i < VALUES; i++) {
        ngx_canary_event_value(&place, GREATEST);
    }

    show(NGX_CANARY_TOTAL);
    is_u64(figures.nvalues, VALUES, "all values");
    is_u64(figures.sum, UINT64_MAX, "their sum is more than 64 bits hold");
    is_u64(figures.mean, (uint64_t) GREATEST * 1000, "the mean is exact");
    is_u64(figures.last, GREATEST, "the last of them");

    ngx_canary_tally_base(&values->tally, 0, 0, &sum);

    ngx_canary_event_value(&place, 1);
    ngx_canary_event_value(&place, 0);
    ngx_canary_event_value(&place, 3 << NGX_CANARY_EVENT_LOW_BITS);

    show(NGX_CANARY_STAGE);
    is_u64(figures.nvalues, 3, "those of a stage that began then");
    is_u64(figures.sum, 1 + (3 << NGX_CANARY_EVENT_LOW_BITS),
           "and what the sum grew by");
    is_u64(figures.max, 3 << NGX_CANARY_EVENT_LOW_BITS, "the greatest");
    ok(figures.min == 0 && figures.ncounted == 3, "and the least");

    free(values);
    free(zone);

    return tap_done();
}
