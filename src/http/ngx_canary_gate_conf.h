/*
 * What the parts of the parser of canary_gate share.
 */

#ifndef NGX_CANARY_GATE_CONF_H_INCLUDED
#define NGX_CANARY_GATE_CONF_H_INCLUDED


#include "ngx_canary_http.h"


#pragma GCC visibility push(hidden)


/* sets rule->limit; "value" stands behind the metric and the "<=" or ">=" */
char *ngx_canary_conf_limit(ngx_conf_t *cf, ngx_str_t *value,
    ngx_canary_rule_t *rule);

/* digits, at most six decimals, and "unit"; the number in 1e-6 */
ngx_int_t ngx_canary_conf_number(ngx_str_t *value, char *unit,
    uint64_t *micro);


#pragma GCC visibility pop

#endif /* NGX_CANARY_GATE_CONF_H_INCLUDED */
