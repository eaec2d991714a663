
#include "ngx_canary_http.h"


static char *ngx_canary_conf_stage(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf,
    ngx_str_t *value);
static char *ngx_canary_conf_sum(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf);
static char *ngx_canary_conf_pattern(ngx_conf_t *cf, ngx_str_t *pattern,
    ngx_canary_force_conf_t *force);


/* canary UPSTREAM SHARE [stage=NAME]; */

char *
ngx_canary_conf_canary(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_canary_target_conf_t  *target;

    cscf->split = 1;
    value = cf->args->elts;

    if (cscf->targets.nalloc == 0
        && ngx_array_init(&cscf->targets, cf->pool, NGX_CANARY_MAX_CANARIES,
                          sizeof(ngx_canary_target_conf_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    target = cscf->targets.elts;

    for (i = 0; i < cscf->targets.nelts; i++) {
        if (target[i].name.len == value[1].len
            && ngx_strncasecmp(target[i].name.data, value[1].data,
                               value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate canary \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (cscf->targets.nelts == NGX_CANARY_MAX_CANARIES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many canaries with \"%V\", at most %d are "
                           "allowed", &value[1], NGX_CANARY_MAX_CANARIES);
        return NGX_CONF_ERROR;
    }

    if (value[1].len == 0) {
        return "has an empty upstream name";
    }

    target = ngx_array_push(&cscf->targets);
    if (target == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(target, sizeof(ngx_canary_target_conf_t));

    target->name = value[1];
    target->file = cf->conf_file->file.name.data;
    target->line = cf->conf_file->line;

    if (ngx_strcmp(value[2].data, "off") == 0) {
        target->off = 1;

    } else if (ngx_canary_split_parse_share(value[2].data, value[2].len,
                                            &target->share_ppm)
               != 0)
    {
        return ngx_canary_conf_invalid(cf, "share", &value[2],
                                       "between 0% and 100% with at most four "
                                       "decimals, or \"off\"");
    }

    if (cf->args->nelts == 4
        && ngx_canary_conf_stage(cf, cscf, &value[3]) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_canary_conf_sum(cf, cscf);
}


static char *
ngx_canary_conf_stage(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf,
    ngx_str_t *value)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    if (!ngx_canary_conf_param(value, "stage=", &name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", only \"stage=\" is "
                           "allowed", value);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < name.len; i++) {
        if (name.data[i] < 0x20 || name.data[i] == 0x7f) {
            break;
        }
    }

    if (name.len == 0 || name.len > NGX_CANARY_MAX_STAGE || i < name.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid stage \"%V\", it must have 1 to %d bytes "
                           "and no control characters",
                           &name, NGX_CANARY_MAX_STAGE);
        return NGX_CONF_ERROR;
    }

    if (conf->stage.len
        && (conf->stage.len != name.len
            || ngx_memcmp(conf->stage.data, name.data, name.len) != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "stage \"%V\" differs from stage \"%V\" of another "
                           "canary of this upstream, they must be the same",
                           &name, &conf->stage);
        return NGX_CONF_ERROR;
    }

    conf->stage = name;

    return NGX_CONF_OK;
}


static char *
ngx_canary_conf_sum(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    uint32_t                   sum;
    ngx_uint_t                 i;
    ngx_canary_target_conf_t  *target;

    sum = 0;
    target = conf->targets.elts;

    for (i = 0; i < conf->targets.nelts; i++) {
        sum += target[i].share_ppm;
    }

    if (sum > NGX_CANARY_PPM) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the shares of all canaries add up to %uD.%04uD%%, "
                           "at most 100%% is allowed",
                           sum / 10000, sum % 10000);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* canary_key VALUE ...; */

char *
ngx_canary_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t           *value;
    ngx_uint_t           i;
    ngx_canary_value_t  *key;

    cscf->split = 1;

    if (cscf->keys.nelts) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_array_init(&cscf->keys, cf->pool, cf->args->nelts - 1,
                       sizeof(ngx_canary_value_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            return "has an empty value";
        }

        key = ngx_array_push(&cscf->keys);

        if (key == NULL || ngx_canary_value_compile(cf, &value[i], key)
                           != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* canary_salt STRING; */

char *
ngx_canary_conf_salt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t  *value;

    cscf->split = 1;

    if (cscf->salt.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty salt";
    }

    cscf->salt = value[1];

    return NGX_CONF_OK;
}


/* canary_force VALUE PATTERN UPSTREAM; */

char *
ngx_canary_conf_force(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t                *value;
    ngx_canary_force_conf_t  *force;

    cscf->split = 1;
    value = cf->args->elts;

    if (cscf->forces.nalloc == 0
        && ngx_array_init(&cscf->forces, cf->pool, 2,
                          sizeof(ngx_canary_force_conf_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (value[1].len == 0) {
        return "has an empty value";
    }

    if (value[2].len == 0) {
        return "has an empty pattern";
    }

    force = ngx_array_push(&cscf->forces);
    if (force == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(force, sizeof(ngx_canary_force_conf_t));

    force->upstream = value[3];
    force->file = cf->conf_file->file.name.data;
    force->line = cf->conf_file->line;

    if (ngx_canary_value_compile(cf, &value[1], &force->value) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_canary_conf_pattern(cf, &value[2], force);
}


/* canary_bypass VALUE ...; */

char *
ngx_canary_conf_bypass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    cscf->split = 1;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (value[i].len == 0) {
            return "has an empty value";
        }
    }

    return ngx_http_set_predicate_slot(cf, cmd, conf);
}


static char *
ngx_canary_conf_pattern(ngx_conf_t *cf, ngx_str_t *pattern,
    ngx_canary_force_conf_t *force)
{
#if (NGX_PCRE)
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;
#endif

    if (pattern->data[0] != '~') {
        force->pattern = *pattern;
        return NGX_CONF_OK;
    }

#if (NGX_PCRE)

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern.data = pattern->data + 1;
    rc.pattern.len = pattern->len - 1;
    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (rc.pattern.len && rc.pattern.data[0] == '*') {
        rc.pattern.data++;
        rc.pattern.len--;
        rc.options = NGX_REGEX_CASELESS;
    }

    if (rc.pattern.len == 0) {
        return "has an empty regular expression";
    }

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid pattern \"%V\": %V",
                           pattern, &rc.err);
        return NGX_CONF_ERROR;
    }

    force->regex = rc.regex;

    return NGX_CONF_OK;

#else

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "pattern \"%V\" requires PCRE library", pattern);
    return NGX_CONF_ERROR;

#endif
}
