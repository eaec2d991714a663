
#include "ngx_canary_zone.h"
#include "ngx_canary_mutex.h"


static ngx_int_t ngx_canary_zone_name(ngx_conf_t *cf, const char *prefix,
    ngx_str_t *split, ngx_str_t *event, ngx_str_t *name);
static ngx_shm_zone_t *ngx_canary_zone_find(ngx_conf_t *cf, ngx_str_t *name);
static ngx_int_t ngx_canary_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void *ngx_canary_zone_alloc(ngx_shm_zone_t *shm_zone, size_t size);
static ngx_int_t ngx_canary_common_init(ngx_shm_zone_t *shm_zone, void *data);
static size_t ngx_canary_zone_payload(void);
static size_t ngx_canary_zone_pages(size_t size);


ngx_shm_zone_t *
ngx_canary_zone_add(ngx_conf_t *cf, ngx_str_t *split)
{
    return ngx_canary_zone_declare(cf, "canary:", split, NULL,
                                   ngx_canary_zone_payload(),
                                   ngx_canary_zone_init);
}


ngx_shm_zone_t *
ngx_canary_common_add(ngx_conf_t *cf)
{
    ngx_str_t  none = ngx_string("");

    return ngx_canary_zone_declare(cf, "canary:", &none, NULL,
                                   sizeof(ngx_canary_common_t),
                                   ngx_canary_common_init);
}


/*
 * The tag is an address of nginx itself: another build of the module, which a
 * reload may have loaded from another path, has to find what this one left.
 * nginx would put a zone of another size or tag in the place of the one in use,
 * and with it the latch would be gone.
 */

ngx_shm_zone_t *
ngx_canary_zone_declare(ngx_conf_t *cf, const char *prefix, ngx_str_t *split,
    ngx_str_t *event, size_t size, ngx_shm_zone_init_pt init)
{
    ngx_str_t        name;
    ngx_shm_zone_t  *zone, *old;

    if (ngx_canary_zone_name(cf, prefix, split, event, &name) != NGX_OK) {
        return NULL;
    }

    zone = ngx_shared_memory_add(cf, &name, ngx_canary_zone_pages(size),
                                 &ngx_core_module);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = init;
    old = ngx_canary_zone_find(cf, &name);

    if (old && (old->tag != zone->tag || old->shm.size != zone->shm.size)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "zone \"%V\" " NGX_CANARY_ZONE_OTHER, &name);
        return NULL;
    }

    return zone;
}


ngx_shm_zone_t *
ngx_canary_zone_old(ngx_conf_t *cf, const char *prefix, ngx_str_t *split,
    ngx_str_t *event)
{
    ngx_str_t  name;

    if (ngx_canary_zone_name(cf, prefix, split, event, &name) != NGX_OK) {
        return NULL;
    }

    return ngx_canary_zone_find(cf, &name);
}


/* there is no ":" in the name of an event */

static ngx_int_t
ngx_canary_zone_name(ngx_conf_t *cf, const char *prefix, ngx_str_t *split,
    ngx_str_t *event, ngx_str_t *name)
{
    u_char  *p;

    name->len = ngx_strlen(prefix) + split->len + (event ? 1 + event->len : 0);
    name->data = ngx_pnalloc(cf->pool, name->len);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(name->data, "%s%V", prefix, split);

    if (event) {
        (void) ngx_sprintf(p, ":%V", event);
    }

    return NGX_OK;
}


/* of the configuration in force, or NULL */

static ngx_shm_zone_t *
ngx_canary_zone_find(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *old;

    for (part = &cf->cycle->old_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        old = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (old[i].shm.name.len == name->len
                && ngx_memcmp(old[i].shm.name.data, name->data, name->len) == 0)
            {
                return &old[i];
            }
        }
    }

    return NULL;
}


void *
ngx_canary_zone_open(ngx_shm_zone_t *shm_zone, void *data, size_t size,
    uint64_t layout)
{
    ngx_canary_head_t  *head = data;

    if (head == NULL) {
        head = ngx_canary_zone_alloc(shm_zone, size);
        if (head == NULL) {
            return NULL;
        }

        head->magic = NGX_CANARY_ZONE_MAGIC;
        head->layout = layout;
    }

    if (head->magic != NGX_CANARY_ZONE_MAGIC || head->layout != layout) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" " NGX_CANARY_ZONE_OTHER,
                      &shm_zone->shm.name);
        return NULL;
    }

    shm_zone->data = head;

    return head;
}


static void *
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


ngx_int_t
ngx_canary_zone_mutex(ngx_shm_zone_t *shm_zone, pthread_mutex_t *mutex)
{
    if (ngx_canary_mutex_init(mutex) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no robust mutex for zone \"%V\"", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
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


static ngx_int_t
ngx_canary_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_zone_t  *zone;

    zone = ngx_canary_zone_open(shm_zone, data, ngx_canary_zone_payload(),
                                NGX_CANARY_ZONE_LAYOUT);
    if (zone == NULL || data) {
        return zone ? NGX_OK : NGX_ERROR;
    }

    zone->created_ms = ngx_canary_now_ms();
    zone->created_us = ngx_canary_now_us();

    ngx_canary_shards_init(zone, ngx_canary_zone_nshards());
    ngx_memset(zone->limits_us, 0xff, sizeof(zone->limits_us));

    return ngx_canary_zone_mutex(shm_zone, &zone->stage_mutex);
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
