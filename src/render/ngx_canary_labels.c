#include "ngx_canary_labels.h"


static void ngx_canary_labels_keep(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split);
static void ngx_canary_labels_write(const ngx_canary_split_t *split,
    const ngx_canary_variant_t *variant, ngx_canary_out_t *out);
static int ngx_canary_labels_full(ngx_canary_out_t *out, size_t need);


void
ngx_canary_labels_out(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split, const ngx_canary_variant_t *variant,
    ngx_canary_out_t *out)
{
    const ngx_canary_label_t  *label;

    if (labels->split != split) {
        ngx_canary_labels_keep(labels, split);
        labels->split = split;
    }

    label = &labels->label[variant ? 1 + (size_t) (variant - split->variants)
                                   : 0];

    if (label->len) {
        ngx_canary_out_bytes(out, label->text, label->len);

    } else {
        ngx_canary_labels_write(split, variant, out);
    }
}


static void
ngx_canary_labels_keep(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split)
{
    size_t               i;
    ngx_canary_out_t     out;
    ngx_canary_label_t  *label;

    for (i = 0; i <= split->nvariants; i++) {
        label = &labels->label[i];

        out.pos = label->text;
        out.last = label->text + NGX_CANARY_LABELS_LEN;
        out.more = ngx_canary_labels_full;
        out.data = NULL;
        out.failed = 0;

        ngx_canary_labels_write(split, i ? &split->variants[i - 1] : NULL,
                                &out);

        label->len = out.failed ? 0 : (size_t) (out.pos - label->text);
    }
}


static void
ngx_canary_labels_write(const ngx_canary_split_t *split,
    const ngx_canary_variant_t *variant, ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, "{upstream=\"");
    ngx_canary_out_label(out, split->name);

    if (variant) {
        ngx_canary_out_lit(out, "\",variant=\"");
        ngx_canary_out_label(out, variant->name);
    }

    ngx_canary_out_lit(out, "\"");
}


static int
ngx_canary_labels_full(ngx_canary_out_t *out, size_t need)
{
    (void) out;
    (void) need;

    return -1;
}
