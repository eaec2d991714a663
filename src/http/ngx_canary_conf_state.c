
#include "ngx_canary_http.h"
#include "../zone/ngx_canary_writer.h"


/* room for what is put around a name: ".bad.100", "." and ".lock" */
#define NGX_CANARY_STATE_NAME     (255 - 8)
/* for the disk, at exit; Debian kills an nginx that takes 5 s to stop */
#define NGX_CANARY_STATE_EXIT_MS  3500


static char *ngx_canary_state_folder(ngx_conf_t *cf,
    ngx_canary_keep_conf_t *keep);
static char *ngx_canary_state_beside(ngx_conf_t *cf,
    ngx_canary_keep_conf_t *keep);
static ngx_uint_t ngx_canary_state_taken(u_char *name);


/* canary_state FILE; */

char *
ngx_canary_conf_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_canary_srv_conf_t *cscf = conf;

    u_char                  *slash;
    ngx_str_t               *value;
    struct stat              st;
    ngx_canary_keep_conf_t  *keep;

    cscf->split = 1;

    if (cscf->keep) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty file name";
    }

    keep = ngx_pcalloc(cf->pool, sizeof(ngx_canary_keep_conf_t));
    if (keep == NULL) {
        return NGX_CONF_ERROR;
    }

    cscf->keep = keep;

    keep->path = value[1];
    keep->file = cf->conf_file->file.name.data;
    keep->line = cf->conf_file->line;

    if (ngx_conf_full_name(cf->cycle, &keep->path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    slash = keep->path.data + keep->path.len;

    while (slash > keep->path.data && slash[-1] != '/') {
        slash--;
    }

    keep->name = slash;

    if (keep->path.len >= NGX_MAX_PATH - 8
        || ngx_strlen(keep->name) > NGX_CANARY_STATE_NAME)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "state file \"%V\" has a name that is too long, "
                           "at most %d bytes are allowed",
                           &keep->path, NGX_CANARY_STATE_NAME);
        return NGX_CONF_ERROR;
    }

    if (*keep->name == '\0'
        || (lstat((char *) keep->path.data, &st) == 0 && S_ISDIR(st.st_mode)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "state file \"%V\" is a folder, it must be a file",
                           &keep->path);
        return NGX_CONF_ERROR;
    }

    if (ngx_canary_state_taken(keep->name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "state file \"%V\" has a name that is kept for what "
                           "lies beside a state file, it must not end in "
                           "\".bad\" or \".bad.N\", nor begin with \".\" and "
                           "end in \".tmp\" or \".lock\"", &keep->path);
        return NGX_CONF_ERROR;
    }

    return ngx_canary_state_folder(cf, keep);
}


static char *
ngx_canary_state_folder(ngx_conf_t *cf, ngx_canary_keep_conf_t *keep)
{
    u_char       *p;
    size_t        len;
    struct stat   st;

    len = keep->name - keep->path.data;

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    keep->folder.data = p;
    keep->folder.len = len;

    p = ngx_cpymem(p, keep->path.data, len);
    *p = '\0';

    if (stat((char *) keep->folder.data, &st) == -1 || !S_ISDIR(st.st_mode)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the folder of state file \"%V\" does not exist",
                           &keep->path);
        return NGX_CONF_ERROR;
    }

    keep->device = st.st_dev;
    keep->inode = st.st_ino;

    /* never 0, which means that there is no state file */

    keep->key = ngx_canary_split_seed(keep->path.data, keep->path.len) | 1;

    return ngx_canary_state_beside(cf, keep);
}


static char *
ngx_canary_state_beside(ngx_conf_t *cf, ngx_canary_keep_conf_t *keep)
{
    size_t  len;

    len = ngx_strlen(keep->name) + NGX_CANARY_KEEP_BESIDE;

    keep->tmp = ngx_pnalloc(cf->pool, len);
    keep->lock = ngx_pnalloc(cf->pool, len);

    if (keep->tmp == NULL || keep->lock == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_sprintf(keep->tmp, ".%s.tmp%Z", keep->name);
    (void) ngx_sprintf(keep->lock, ".%s.lock%Z", keep->name);

    return NGX_CONF_OK;
}


/* or it might be that of a file beside another split's */

static ngx_uint_t
ngx_canary_state_taken(u_char *name)
{
    u_char  *p, *last;

    last = name + ngx_strlen(name);

    if (*name == '.'
        && ((last - name > 4 && ngx_strcmp(last - 4, ".tmp") == 0)
            || (last - name > 5 && ngx_strcmp(last - 5, ".lock") == 0)))
    {
        return 1;
    }

    for (p = last; p > name && p[-1] >= '0' && p[-1] <= '9'; p--) { /* void */ }

    if (p < last && p > name && p[-1] == '.') {
        last = p - 1;
    }

    return last - name > 4 && ngx_strncmp(last - 4, ".bad", 4) == 0;
}


/* two splits in one file would refuse each other's state */

ngx_int_t
ngx_canary_conf_state_once(ngx_conf_t *cf, ngx_canary_srv_conf_t *conf)
{
    ngx_uint_t                i;
    ngx_canary_keep_conf_t   *keep, *other;
    ngx_canary_srv_conf_t   **split;
    ngx_canary_main_conf_t   *cmcf;

    keep = conf->keep;

    if (keep == NULL) {
        return NGX_OK;
    }

    keep->split = conf->name;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_canary_module);
    split = cmcf->splits.elts;

    for (i = 0; i < conf->number; i++) {
        other = split[i]->keep;

        if (other
            && other->device == keep->device
            && other->inode == keep->inode
            && ngx_strcmp(other->name, keep->name) == 0)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "state file \"%V\" is that of split \"%V\" already, "
                          "each must have its own in %s:%ui",
                          &keep->path, &split[i]->name, keep->file, keep->line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* in the master, before anything is published */

uint64_t
ngx_canary_state_start(ngx_canary_srv_conf_t *conf, ngx_cycle_t *cycle)
{
    uint64_t                 due_us;
    ngx_core_conf_t         *ccf;
    ngx_canary_record_t      record;
    ngx_canary_keep_conf_t  *keep;

    keep = conf->keep;

    if (keep) {
        keep->history = conf->series_zone->data;
        keep->events = conf->events;

        ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                               ngx_core_module);

        ngx_str_set(&keep->user, "");

        if (geteuid() == 0 && ccf->username) {
            keep->user.data = (u_char *) ccf->username;
            keep->user.len = ngx_strlen(ccf->username);
            keep->other = 1;
            keep->uid = ccf->user;
            keep->gid = ccf->group;
        }
    }

    /* a quarter of all splits each second, and each within four */

    due_us = ngx_canary_now_us() + (conf->number & 3) * 1000000;

    ngx_canary_keep_start(conf->zone, keep, due_us, cycle->log);

    (void) ngx_canary_published(conf->zone, &record);

    return record.generation;
}


ngx_int_t
ngx_canary_state_picture(ngx_canary_srv_conf_t *conf,
    ngx_canary_split_t *split, ngx_pool_t *pool)
{
    u_char             *p;
    ngx_canary_zone_t  *zone;

    ngx_memzero(&split->state_path, sizeof(ngx_canary_str_t));
    ngx_memzero(&split->state_error, sizeof(ngx_canary_str_t));

    zone = conf->zone;

    split->state_errors = ngx_canary_load(&zone->keep.errors);
    split->state_written_ms = ngx_canary_load(&zone->keep.written_ms);

    if (conf->keep == NULL) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, NGX_CANARY_KEEP_ERROR);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_canary_keep_error(zone, p);

    split->state_path.len = conf->keep->path.len;
    split->state_path.data = conf->keep->path.data;
    split->state_error.len = ngx_strlen(p);
    split->state_error.data = p;

    return NGX_OK;
}


void
ngx_canary_state_each(ngx_cycle_t *cycle, ngx_canary_state_pt call)
{
    ngx_uint_t                i;
    ngx_canary_srv_conf_t   **split;
    ngx_canary_main_conf_t   *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_canary_module);

    if (cmcf == NULL) {
        return;
    }

    split = cmcf->splits.elts;

    for (i = 0; i < cmcf->splits.nelts; i++) {
        if (split[i]->keep) {
            call(split[i]->zone, split[i]->keep, cycle->log);
        }
    }
}


/* workers have left it to the master, which writes what all of them counted */

void
ngx_canary_exit_master(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_canary_srv_conf_t   **split;
    ngx_canary_main_conf_t   *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_canary_module);

    split = cmcf ? cmcf->splits.elts : NULL;

    for (i = 0; split && i < cmcf->splits.nelts; i++) {

        if (split[i]->keep == NULL) {
            continue;
        }

        /* what was counted since the last tick */

        if (split[i]->zone) {
            ngx_canary_history_add_now(split[i], cycle->log);
        }

        ngx_canary_keep_last(split[i]->zone, split[i]->keep, cycle->log);
    }

    ngx_canary_writer_drain(NGX_CANARY_STATE_EXIT_MS, cycle->log);

    /* the log tells when it was */

    ngx_time_update();

    ngx_canary_writer_missed(cycle->log);
    ngx_canary_writer_end(cycle->log);
}
