/*
 * Renderers: a snapshot to JSON, to the Prometheus text format 0.0.4, to
 * OpenMetrics 1.0 and to a page for people.  All of them loop over one table
 * of metrics (ngx_canary_metrics.c).
 */

#ifndef NGX_CANARY_RENDER_H_INCLUDED
#define NGX_CANARY_RENDER_H_INCLUDED


#include "../pure/ngx_canary_snapshot.h"


#pragma GCC visibility push(hidden)


typedef struct ngx_canary_out_s  ngx_canary_out_t;

/*
 * Called when fewer than "need" bytes (at most 256) are left: hands over what
 * was written up to out->pos, and sets pos and last to at least that much new
 * room.  Returns 0, or -1 if there is none: the renderer then stops.
 */
typedef int (*ngx_canary_out_more_pt)(ngx_canary_out_t *out, size_t need);

struct ngx_canary_out_s {
    unsigned char           *pos;
    unsigned char           *last;
    ngx_canary_out_more_pt   more;
    void                    *data;      /* the owner's */
    int                      failed;    /* set after "more" returned -1 */
};


/* each returns 0, or -1 if the output had no room */
int ngx_canary_render_json(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
int ngx_canary_render_prometheus(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
int ngx_canary_render_openmetrics(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
/* of snap->splits[0], which has its history */
int ngx_canary_render_history(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
int ngx_canary_render_page(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);

/* the page's page.css and page.js */
extern const ngx_canary_str_t  ngx_canary_page_css;
extern const ngx_canary_str_t  ngx_canary_page_js;

/*
 * The state of one split, the answer of canary_control:
 * {"split":NAME,"state":..,"reason":..,"generation":..,"changed":true|false}
 * with a "warning" unless that is NULL
 */
int ngx_canary_render_state(const ngx_canary_split_t *split, int changed,
    const char *warning, ngx_canary_out_t *out);

/* {"error":TEXT} */
int ngx_canary_render_error(ngx_canary_str_t text, ngx_canary_out_t *out);


#pragma GCC visibility pop

#endif /* NGX_CANARY_RENDER_H_INCLUDED */
