/*
 * render FORMAT [PICTURE [TIMES]] prints one of the pictures of picture.h in a
 * format; "table" prints the rows of the table of metrics.  With TIMES it
 * renders that often into one buffer and prints nothing, to be measured.
 */

#include "picture.h"

#include "../../../src/render/ngx_canary_metrics.h"


#define BUFFER  (1024 * 1024)


typedef struct {
    const char         *name;
    picture_render_pt   render;
} format_t;


static int render_state(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
static int render_error(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
static int render_table(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
static int full(ngx_canary_out_t *out, size_t need);


static const format_t  formats[] = {
    { "json", ngx_canary_render_json },
    { "prometheus", ngx_canary_render_prometheus },
    { "openmetrics", ngx_canary_render_openmetrics },
    { "page", ngx_canary_render_page },
    { "state", render_state },
    { "error", render_error },
    { "table", render_table }
};

/* by level and type */
static const char  *levels[] = {
    "snapshot", "split", "stage", "gate", "variant", "figures", "event",
    "event", "event"
};
static const char  *labels[] = {
    "version nginx_version", "upstream", "upstream stage",
    "upstream variant gate", "upstream variant", "upstream variant",
    "upstream variant event", "upstream variant event",
    "upstream variant event"
};
static const char  *types[] = {
    "gauge", "counter", "summary", "counter", "histogram"
};


int
main(int argc, char **argv)
{
    int                            rc;
    long                           times;
    size_t                         i;
    ngx_canary_out_t               out;
    ngx_canary_snapshot_t          snap;
    static unsigned char           buffer[BUFFER];
    static ngx_canary_split_t      split;
    picture_render_pt              render;

    render = NULL;

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (argc > 1 && strcmp(argv[1], formats[i].name) == 0) {
            render = formats[i].render;
        }
    }

    if (render == NULL
        || picture_take(&snap, &split, argc > 2 ? argv[2] : "sample") != 0)
    {
        fprintf(stderr, "usage: render FORMAT [PICTURE [TIMES]]\n");
        return 2;
    }

    times = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    rc = 0;

    memset(&out, 0, sizeof(out));

    while (times-- > 0 && rc == 0) {
        out.pos = buffer;
        out.last = buffer + BUFFER;
        out.more = full;

        rc = render(&snap, &out);
    }

    if (argc <= 3) {
        fwrite(buffer, 1, (size_t) (out.pos - buffer), stdout);
    }

    return rc == 0 ? 0 : 1;
}


static int
full(ngx_canary_out_t *out, size_t need)
{
    (void) out;
    (void) need;

    return -1;
}


static int
render_state(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    return ngx_canary_render_state(&snap->splits[0], 1, NULL, out);
}


static int
render_error(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    return ngx_canary_render_error(snap->splits[0].name, out);
}


static void
table_label(const ngx_canary_metric_t *m)
{
    const char  *name;

    if (m->kind == NGX_CANARY_KIND_VERDICT) {
        printf(" verdict");

    } else if (m->kind == NGX_CANARY_KIND_STATUS) {
        printf(" status");

    } else if (m->type == NGX_CANARY_TYPE_HISTOGRAM) {
        printf(" le");

    } else if (m->type == NGX_CANARY_TYPE_SUMMARY) {
        printf(" quantile");

    } else if (m->label.len) {
        name = (const char *) m->label.data;
        printf(" %.*s", (int) strcspn(name, "="), name);
    }
}


/* level, key of status.json or "-", and name, type and labels or "-" */
static int
render_table(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    size_t                      i;
    const ngx_canary_metric_t  *m;

    (void) snap;
    (void) out;

    for (i = 0; i < ngx_canary_nmetrics; i++) {
        m = &ngx_canary_metrics[i];

        printf("%s\t%s%s%s\t", levels[m->level],
               m->object.len ? (const char *) m->object.data : "",
               m->object.len ? "." : "",
               m->key.len ? (const char *) m->key.data : "-");

        if (m->name.len) {
            printf("%s%s\t%s\t%s", (const char *) m->name.data,
                   ngx_canary_metric_counter(m) ? "_total" : "",
                   types[m->type], labels[m->level]);
            table_label(m);
            printf("\n");

        } else {
            printf("-\t-\t-\n");
        }
    }

    return 0;
}
