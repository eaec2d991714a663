
/*
 * A balancer for the tests that does what lua's does: "borrow TIME" in an
 * upstream block wraps the balancer before it, puts its own data into
 * u->peer.data and reads variables while it looks for a server, and sets what
 * is for its own server: the time, of proxy_read_timeout, in a copy of the
 * configuration, and a local address.  "borrow TIME tls" sets TLS as well,
 * "borrow TIME header" adds X-Balancer to the response, as "sticky cookie"
 * does a cookie, and "borrow TIME fails" has no peers for a request.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_int_t                       timeout;    /* milliseconds */
    ngx_flag_t                      tls;
    ngx_flag_t                      header;
    ngx_flag_t                      fails;
    ngx_http_upstream_init_pt       original_init_upstream;
    ngx_http_upstream_init_peer_pt  original_init_peer;
} ngx_test_balancer_conf_t;


typedef struct {
    /* none of this is a passage through a split */
    void                           *nothing[8];
    ngx_http_request_t             *request;
    ngx_test_balancer_conf_t       *conf;
    void                           *data;
    ngx_event_get_peer_pt           original_get;
    ngx_event_free_peer_pt          original_free;
#if (NGX_HTTP_SSL)
    ngx_event_set_peer_session_pt   original_set_session;
    ngx_event_save_peer_session_pt  original_save_session;
#endif
    ngx_addr_t                      local;
    struct sockaddr_in              address;
} ngx_test_balancer_peer_t;


static ngx_int_t ngx_test_balancer_init(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_test_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_test_balancer_get(ngx_peer_connection_t *pc, void *data);
static void ngx_test_balancer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_test_balancer_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type);
#if (NGX_HTTP_SSL)
static ngx_int_t ngx_test_balancer_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_test_balancer_save_session(ngx_peer_connection_t *pc,
    void *data);
#endif
static void *ngx_test_balancer_create_conf(ngx_conf_t *cf);
static char *ngx_test_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_test_balancer_commands[] = {

    { ngx_string("borrow"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE12,
      ngx_test_balancer,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_test_balancer_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_test_balancer_create_conf,         /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_test_balancer_module = {
    NGX_MODULE_V1,
    &ngx_test_balancer_module_ctx,         /* module context */
    ngx_test_balancer_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* what nginx looks for in a dynamic module */

extern ngx_module_t  *ngx_modules[];
extern char          *ngx_module_names[];
extern char          *ngx_module_order[];

ngx_module_t  *ngx_modules[] = { &ngx_test_balancer_module, NULL };
char          *ngx_module_names[] = { "ngx_test_balancer_module", NULL };
char          *ngx_module_order[] = { NULL };


static ngx_int_t
ngx_test_balancer_init(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us)
{
    ngx_test_balancer_conf_t  *conf;

    conf = ngx_http_conf_upstream_srv_conf(us, ngx_test_balancer_module);

    if (conf->original_init_upstream(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    conf->original_init_peer = us->peer.init;
    us->peer.init = ngx_test_balancer_init_peer;

    return NGX_OK;
}


static ngx_int_t
ngx_test_balancer_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_peer_connection_t     *pc;
    ngx_test_balancer_conf_t  *conf;
    ngx_test_balancer_peer_t  *tp;

    conf = ngx_http_conf_upstream_srv_conf(us, ngx_test_balancer_module);

    if (conf->fails || conf->original_init_peer(r, us) != NGX_OK) {
        return NGX_ERROR;
    }

    tp = ngx_pcalloc(r->pool, sizeof(ngx_test_balancer_peer_t));
    if (tp == NULL) {
        return NGX_ERROR;
    }

    pc = &r->upstream->peer;

    tp->request = r;
    tp->conf = conf;
    tp->data = pc->data;
    tp->original_get = pc->get;
    tp->original_free = pc->free;

    pc->data = tp;
    pc->get = ngx_test_balancer_get;
    pc->free = ngx_test_balancer_free;
    pc->notify = ngx_test_balancer_notify;

#if (NGX_HTTP_SSL)
    tp->original_set_session = pc->set_session;
    tp->original_save_session = pc->save_session;
    pc->set_session = ngx_test_balancer_set_session;
    pc->save_session = ngx_test_balancer_save_session;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_test_balancer_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_test_balancer_peer_t  *tp = data;

    void                      *saved;
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_table_elt_t           *h;
    ngx_http_upstream_t       *u;
    ngx_http_request_t        *r;
    ngx_http_upstream_conf_t  *ucf;

    static ngx_str_t  names[] = {
        ngx_string("canary_variant"),
        ngx_string("canary_fallback"),
        ngx_string("canary_latency")
    };

    r = tp->request;
    u = r->upstream;

    saved = u->peer.data;
    u->peer.data = tp;

    for (i = 0; i < sizeof(names) / sizeof(ngx_str_t); i++) {
        name = names[i];

        if (ngx_http_get_variable(r, &name,
                                  ngx_hash_key(name.data, name.len))
            == NULL)
        {
            return NGX_ERROR;
        }
    }

    u->peer.data = saved;

    ucf = ngx_palloc(r->pool, sizeof(ngx_http_upstream_conf_t));
    if (ucf == NULL) {
        return NGX_ERROR;
    }

    *ucf = *u->conf;
    ucf->read_timeout = tp->conf->timeout;
    u->conf = ucf;

    tp->address.sin_family = AF_INET;
    tp->address.sin_addr.s_addr = inet_addr("127.0.0.2");
    tp->local.sockaddr = (struct sockaddr *) &tp->address;
    tp->local.socklen = sizeof(struct sockaddr_in);
    ngx_str_set(&tp->local.name, "127.0.0.2");
    pc->local = &tp->local;

    if (tp->conf->header) {
        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));
        h->hash = 1;
        ngx_str_set(&h->key, "X-Balancer");
        ngx_str_set(&h->value, "borrowed");
    }

#if (NGX_HTTP_SSL)

    if (tp->conf->tls) {
        u->ssl = 1;
        ngx_str_set(&u->schema, "https://");
        ngx_str_set(&u->ssl_name, "borrowed");
    }

#endif

    return tp->original_get(pc, tp->data);
}


static void
ngx_test_balancer_free(ngx_peer_connection_t *pc, void *data, ngx_uint_t state)
{
    ngx_test_balancer_peer_t  *tp = data;

    tp->original_free(pc, tp->data, state);
}


static void
ngx_test_balancer_notify(ngx_peer_connection_t *pc, void *data, ngx_uint_t type)
{
    (void) pc;
    (void) data;
    (void) type;
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_test_balancer_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_test_balancer_peer_t  *tp = data;

    return tp->original_set_session(pc, tp->data);
}


static void
ngx_test_balancer_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_test_balancer_peer_t  *tp = data;

    tp->original_save_session(pc, tp->data);
}

#endif


static void *
ngx_test_balancer_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_test_balancer_conf_t));
}


static char *
ngx_test_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_test_balancer_conf_t *tcf = conf;

    ngx_str_t                     *value;
    ngx_http_upstream_srv_conf_t  *us;

    (void) cmd;

    value = cf->args->elts;

    tcf->timeout = ngx_atoi(value[1].data, value[1].len);
    if (tcf->timeout == NGX_ERROR) {
        return "has an invalid time";
    }

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (cf->args->nelts > 2) {
        tcf->tls = ngx_strcmp(value[2].data, "tls") == 0;
        tcf->header = ngx_strcmp(value[2].data, "header") == 0;
        tcf->fails = ngx_strcmp(value[2].data, "fails") == 0;
    }

    tcf->original_init_upstream = us->peer.init_upstream
                                  ? us->peer.init_upstream
                                  : ngx_http_upstream_init_round_robin;

    us->peer.init_upstream = ngx_test_balancer_init;

    return NGX_CONF_OK;
}
