
#include "src/http/ngx_canary_http.h"


static ngx_command_t  ngx_canary_commands[] = {

    { ngx_string("canary"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE23,
      ngx_canary_conf_canary,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_key"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_canary_conf_key,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_salt"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_canary_conf_salt,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_cookie"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_canary_conf_cookie,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_force"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE3,
      ngx_canary_conf_force,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_fallback"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_canary_conf_fallback,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_errors"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_canary_conf_errors,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_latency"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_canary_conf_latency,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_bypass"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_canary_conf_bypass,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_canary_srv_conf_t, bypass),
      NULL },

    { ngx_string("canary_buckets"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_canary_conf_buckets,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_window"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_canary_conf_window,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_gate"),
      NGX_HTTP_UPS_CONF|NGX_CONF_2MORE,
      ngx_canary_conf_gate,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_rollback"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1234,
      ngx_canary_conf_rollback,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_state"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_canary_conf_state,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_event"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_canary_conf_event,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_canary_conf_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("canary_control"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_canary_conf_control,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_canary_module_ctx = {
    ngx_canary_add_variables,              /* preconfiguration */
    ngx_canary_postconfiguration,          /* postconfiguration */

    ngx_canary_create_main_conf,           /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_canary_create_srv_conf,            /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_canary_create_loc_conf,            /* create location configuration */
    ngx_canary_merge_loc_conf              /* merge location configuration */
};


ngx_module_t  ngx_http_canary_module = {
    NGX_MODULE_V1,
    &ngx_canary_module_ctx,                /* module context */
    ngx_canary_commands,                   /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_canary_init_module,                /* init module */
    ngx_canary_init_process,               /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_canary_exit_process,               /* exit process */
    ngx_canary_exit_master,                /* exit master */
    NGX_MODULE_V1_PADDING
};
