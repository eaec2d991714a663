
#include "ngx_canary_mutex.h"
#include "ngx_canary_series.h"


static ngx_int_t ngx_canary_series_init(ngx_shm_zone_t *shm_zone, void *data);


ngx_shm_zone_t *
ngx_canary_series_add(ngx_conf_t *cf, ngx_str_t *split)
{
    return ngx_canary_zone_declare(cf, "canary_history:", split,
                                   sizeof(ngx_canary_series_zone_t),
                                   ngx_canary_series_init);
}


/* as ngx_canary_zone_init(): it only creates, or adopts as is */

static ngx_int_t
ngx_canary_series_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_series_zone_t  *history = data;

    if (history) {
        if (history->magic != NGX_CANARY_SERIES_MAGIC
            || history->layout != NGX_CANARY_SERIES_LAYOUT)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" " NGX_CANARY_ZONE_OTHER,
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        shm_zone->data = history;
        return NGX_OK;
    }

    history = ngx_canary_zone_alloc(shm_zone,
                                    sizeof(ngx_canary_series_zone_t));
    if (history == NULL) {
        return NGX_ERROR;
    }

    history->magic = NGX_CANARY_SERIES_MAGIC;
    history->layout = NGX_CANARY_SERIES_LAYOUT;

    if (ngx_canary_mutex_init(&history->mutex) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no robust mutex for zone \"%V\"", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    shm_zone->data = history;

    return NGX_OK;
}
