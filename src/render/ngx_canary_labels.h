/*
 * "{upstream=..,variant=.." of the series of a split: escaped once for all of
 * its metrics, as the escaping of names costs more than all the numbers.
 */

#ifndef NGX_CANARY_LABELS_H_INCLUDED
#define NGX_CANARY_LABELS_H_INCLUDED


#include "ngx_canary_out.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_LABELS_LEN  248


typedef struct {
    size_t                     len;     /* 0: too long to be kept */
    unsigned char              text[NGX_CANARY_LABELS_LEN];
} ngx_canary_label_t;


/* zeroed at first */
typedef struct {
    const ngx_canary_split_t  *split;   /* whose labels are kept */
    ngx_canary_label_t         label[1 + NGX_CANARY_MAX_VARIANTS];
} ngx_canary_labels_t;


/* without the brace that closes them; "variant" NULL: of the whole split */
void ngx_canary_labels_out(ngx_canary_labels_t *labels,
    const ngx_canary_split_t *split, const ngx_canary_variant_t *variant,
    ngx_canary_out_t *out);


#pragma GCC visibility pop

#endif /* NGX_CANARY_LABELS_H_INCLUDED */
