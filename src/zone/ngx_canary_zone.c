
#include "ngx_canary_zone.h"
#include "ngx_canary_mutex.h"


static ngx_int_t ngx_canary_zone_compare(ngx_conf_t *cf,
    ngx_shm_zone_t *zone);
static ngx_int_t ngx_canary_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_canary_common_init(ngx_shm_zone_t *shm_zone, void *data);
static size_t ngx_canary_zone_payload(void);
static size_t ngx_canary_zone_pages(size_t size);


ngx_shm_zone_t *
ngx_canary_zone_add(ngx_conf_t *cf, ngx_str_t *split)
{
    return ngx_canary_zone_declare(cf, "canary:", split,
                                   ngx_canary_zone_payload(),
                                   ngx_canary_zone_init);
}


ngx_shm_zone_t *
ngx_canary_common_add(ngx_conf_t *cf)
{
    ngx_str_t  none = ngx_string("");

    return ngx_canary_zone_declare(cf, "canary:", &none,
                                   sizeof(ngx_canary_common_t),
                                   ngx_canary_common_init);
}


/*
 * The tag is an address of nginx itself: another build of the module, which a
 * reload may have loaded from another path, has to find what this one left.
 */

ngx_shm_zone_t *
ngx_canary_zone_declare(ngx_conf_t *cf, const char *prefix, ngx_str_t *split,
    size_t size, ngx_shm_zone_init_pt init)
{
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    name.len = ngx_strlen(prefix) + split->len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NULL;
    }

    (void) ngx_sprintf(name.data, "%s%V", prefix, split);

    zone = ngx_shared_memory_add(cf, &name, ngx_canary_zone_pages(size),
                                 &ngx_core_module);

    if (zone == NULL || ngx_canary_zone_compare(cf, zone) != NGX_OK) {
        return NULL;
    }

    zone->init = init;

    return zone;
}


/*
 * nginx would put a zone of another size or tag in the place of the one in
 * use, and with it the latch would be gone.
 */

static ngx_int_t
ngx_canary_zone_compare(ngx_conf_t *cf, ngx_shm_zone_t *zone)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *old;

    part = &cf->cycle->old_cycle->shared_memory.part;
    old = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            old = part->elts;
            i = 0;
        }

        if (part->nelts
            && old[i].shm.name.len == zone->shm.name.len
            && ngx_memcmp(old[i].shm.name.data, zone->shm.name.data,
                          zone->shm.name.len) == 0)
        {
            break;
        }
    }

    if (old[i].tag == zone->tag && old[i].shm.size == zone->shm.size) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "zone \"%V\" " NGX_CANARY_ZONE_OTHER, &zone->shm.name);

    return NGX_ERROR;
}


void *
ngx_canary_zone_alloc(ngx_shm_zone_t *shm_zone, size_t size)
{
    uint64_t         *p;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    p = ngx_slab_alloc(shpool, size);
    if (p == NULL) {
        return NULL;
    }

    /*
     * Fresh shared memory is zeroed, and pages that nobody touches cost
     * nothing; but an nginx built with NGX_DEBUG_MALLOC has filled it.
     */

    if (*p != 0) {
        ngx_memzero(p, size);
    }

    shpool->data = p;

    return p;
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
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (uint64_t) tv.tv_sec * 1000 + (uint64_t) tv.tv_usec / 1000;
}


/*
 * Runs before nginx has accepted the whole configuration, so it must not
 * change what is in force: it only creates, or adopts as is.
 */

static ngx_int_t
ngx_canary_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_zone_t  *zone = data;

    if (zone) {
        if (zone->magic != NGX_CANARY_ZONE_MAGIC
            || zone->layout != NGX_CANARY_ZONE_LAYOUT)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" " NGX_CANARY_ZONE_OTHER,
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        shm_zone->data = zone;
        return NGX_OK;
    }

    zone = ngx_canary_zone_alloc(shm_zone, ngx_canary_zone_payload());
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->magic = NGX_CANARY_ZONE_MAGIC;
    zone->layout = NGX_CANARY_ZONE_LAYOUT;
    zone->nshards = ngx_canary_zone_nshards();
    zone->created_ms = ngx_canary_now_ms();
    zone->created_us = ngx_canary_now_us();

    ngx_memset(zone->limits_us, 0xff, sizeof(zone->limits_us));

    if (ngx_canary_mutex_init(&zone->stage_mutex) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no robust mutex for zone \"%V\"", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    shm_zone->data = zone;

    return NGX_OK;
}


static ngx_int_t
ngx_canary_common_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_common_t  *common = data;

    if (common == NULL) {
        common = ngx_canary_zone_alloc(shm_zone, sizeof(ngx_canary_common_t));
        if (common == NULL) {
            return NGX_ERROR;
        }
    }

    shm_zone->data = common;

    return NGX_OK;
}


static size_t
ngx_canary_zone_payload(void)
{
    return offsetof(ngx_canary_zone_t, shards)
           + ngx_canary_zone_nshards() * sizeof(ngx_canary_shard_t);
}


/* with the slab allocator's own header and its entry for each page */

static size_t
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
