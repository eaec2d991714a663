
#include "ngx_canary_zone.h"


static ngx_int_t ngx_canary_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_canary_common_init(ngx_shm_zone_t *shm_zone, void *data);
static size_t ngx_canary_zone_payload(ngx_uint_t nshards);


ngx_shm_zone_t *
ngx_canary_zone_add(ngx_conf_t *cf, ngx_str_t *split, void *tag)
{
    size_t           size;
    ngx_str_t        name;
    ngx_shm_zone_t  *shm_zone;

    size = split ? ngx_canary_zone_payload(ngx_canary_zone_nshards())
                 : sizeof(ngx_canary_common_t);

    name.len = sizeof("canary:") - 1 + (split ? split->len : 0);
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NULL;
    }

    (void) ngx_sprintf(name.data, "canary:%*s", split ? split->len : (size_t) 0,
                       split ? split->data : (u_char *) "");

    shm_zone = ngx_shared_memory_add(cf, &name, ngx_canary_zone_pages(size),
                                     tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    shm_zone->init = split ? ngx_canary_zone_init : ngx_canary_common_init;

    return shm_zone;
}


uint64_t
ngx_canary_now_us(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000
           + NGX_CANARY_EPOCH_US;
}


uint64_t
ngx_canary_now_ms(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + (uint64_t) tp->msec;
}


/*
 * Runs before nginx has accepted the whole configuration, so it must not
 * change what is in force: it only creates, or adopts as is.
 */

static ngx_int_t
ngx_canary_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    size_t              size;
    ngx_slab_pool_t    *shpool;
    ngx_canary_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        zone = shpool->data;

        if (zone == NULL
            || zone->magic != NGX_CANARY_ZONE_MAGIC
            || zone->layout != NGX_CANARY_ZONE_LAYOUT)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" has a layout other than %d of this "
                          "version of the module, nginx must be restarted",
                          &shm_zone->shm.name, NGX_CANARY_ZONE_LAYOUT);
            return NGX_ERROR;
        }

        shm_zone->data = zone;
        return NGX_OK;
    }

    size = ngx_canary_zone_payload(ngx_canary_zone_nshards());

    /*
     * Not ngx_slab_calloc(): fresh shared memory is zeroed, and pages that
     * nobody touches cost nothing.
     */

    zone = ngx_slab_alloc(shpool, size);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->magic = NGX_CANARY_ZONE_MAGIC;
    zone->layout = NGX_CANARY_ZONE_LAYOUT;
    zone->size = size;
    zone->nshards = ngx_canary_zone_nshards();
    zone->created_ms = ngx_canary_now_ms();
    zone->created_us = ngx_canary_now_us();

    ngx_memset(zone->limits_us, 0xff, sizeof(zone->limits_us));

    shpool->data = zone;
    shm_zone->data = zone;

    return NGX_OK;
}


static ngx_int_t
ngx_canary_common_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t      *shpool;
    ngx_canary_common_t  *common;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data == NULL && !shm_zone->shm.exists) {
        common = ngx_slab_calloc(shpool, sizeof(ngx_canary_common_t));
        if (common == NULL) {
            return NGX_ERROR;
        }

        common->magic = NGX_CANARY_ZONE_MAGIC;
        shpool->data = common;
    }

    shm_zone->data = shpool->data;

    return NGX_OK;
}


static size_t
ngx_canary_zone_payload(ngx_uint_t nshards)
{
    return offsetof(ngx_canary_zone_t, shards)
           + nshards * sizeof(ngx_canary_shard_t);
}


/* with the slab allocator's own header and its entry for each page */

size_t
ngx_canary_zone_pages(size_t size)
{
    size_t  pages;

    pages = size / ngx_pagesize + 1;
    pages += pages * sizeof(ngx_slab_page_t) / ngx_pagesize + 8;

    return pages * ngx_pagesize;
}


/* by processors, not worker_processes: a reload must find the same size */

ngx_uint_t
ngx_canary_zone_nshards(void)
{
    return ngx_min(ngx_max(ngx_ncpu, 1), NGX_CANARY_MAX_SHARDS);
}
