
#include "ngx_canary_series.h"


static ngx_int_t ngx_canary_series_init(ngx_shm_zone_t *shm_zone, void *data);


ngx_shm_zone_t *
ngx_canary_series_add(ngx_conf_t *cf, ngx_str_t *split)
{
    return ngx_canary_zone_declare(cf, "canary_history:", split, NULL,
                                   sizeof(ngx_canary_series_zone_t),
                                   ngx_canary_series_init);
}


static ngx_int_t
ngx_canary_series_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_canary_series_zone_t  *history;

    history = ngx_canary_zone_open(shm_zone, data,
                                   sizeof(ngx_canary_series_zone_t),
                                   NGX_CANARY_SERIES_LAYOUT);
    if (history == NULL || data) {
        return history ? NGX_OK : NGX_ERROR;
    }

    return ngx_canary_zone_mutex(shm_zone, &history->mutex);
}
