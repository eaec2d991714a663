/*
 * The shares in force as a bar, the baseline first, and in words below it:
 * what each side gets now, and what is configured where that differs.
 */

#include "ngx_canary_chart.h"
#include "ngx_canary_page.h"


static void ngx_canary_page_side(const ngx_canary_variant_t *v,
    ngx_canary_out_t *out);


void
ngx_canary_page_share(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                       i;
    uint64_t                     left;
    const ngx_canary_variant_t  *v;

    left = 0;

    ngx_canary_out_lit(out, "<svg class=\"bar\" aria-hidden=\"true\">");

    for (i = 0; i < split->nvariants; i++) {
        v = &split->variants[i];

        if (v->share_ppm == 0) {
            continue;
        }

        ngx_canary_print(out, "<rect class=\"v%z\" x=\"%P\" width=\"%P\" "
                              "height=\"100%%\"/>",
                         i, left, (uint64_t) v->share_ppm);

        left += v->share_ppm;
    }

    ngx_canary_out_lit(out, "</svg>\n<ul class=\"share\">\n");

    for (i = 0; i < split->nvariants; i++) {
        ngx_canary_print(out, "<li class=\"v%z\">", i);
        ngx_canary_page_side(&split->variants[i], out);
        ngx_canary_out_lit(out, "</li>\n");
    }

    ngx_canary_out_lit(out, "</ul>\n");
}


/* "canary sliceB_documents 0% (25% configured), 31.2/s" */
static void
ngx_canary_page_side(const ngx_canary_variant_t *v, ngx_canary_out_t *out)
{
    const ngx_canary_figures_t  *f;

    f = &v->figures[NGX_CANARY_WINDOW];

    ngx_canary_print(out, "%s <b>%H</b> %P", v->canary ? "canary" : "baseline",
                     &v->name, (uint64_t) v->share_ppm);

    if (v->share_ppm != v->configured_share_ppm) {
        ngx_canary_print(out, " (%P configured)",
                         (uint64_t) v->configured_share_ppm);
    }

    ngx_canary_out_lit(out, ", ");
    ngx_canary_page_rate(ngx_canary_page_round(
                             ngx_canary_rate_ppm(f->requests, f->elapsed_us)),
                         out);
}
