/*
 * The state file of a split: what is kept over a restart of nginx.
 *
 * Who writes: any worker of the configuration in force, one at a time, by a
 * lock on the folder that the kernel frees if its holder is killed.  What is
 * written is put together once the lock is held, so that an older state never
 * replaces a newer one; the file is replaced as a whole.  Who reads: the
 * master, and only into memory that no request has seen.
 */

#ifndef NGX_CANARY_KEEP_H_INCLUDED
#define NGX_CANARY_KEEP_H_INCLUDED


#include "ngx_canary_events.h"

#include "../pure/ngx_canary_state.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_KEEP_ERROR  256      /* bytes of an error's text */


typedef struct ngx_canary_keep_job_s  ngx_canary_keep_job_t;

/* of the configuration; strings are terminated */
typedef struct {
    ngx_str_t                 split;        /* name of the baseline */
    ngx_str_t                 path;
    ngx_str_t                 folder;
    u_char                   *name;         /* in the folder */
    dev_t                     device;       /* of the folder */
    ino_t                     inode;
    uint64_t                  key;          /* of the path, never 0 */
    u_char                   *file;         /* where it is configured */
    ngx_uint_t                line;

    ngx_canary_events_t      *events;       /* of the zone, or NULL */

    /* whose the file is to be, if not ours */
    ngx_str_t                 user;
    ngx_uint_t                other;
    ngx_uid_t                 uid;
    ngx_gid_t                 gid;

    ngx_canary_keep_job_t    *job;          /* of this process, under way */
} ngx_canary_keep_conf_t;


/*
 * For the master, before it publishes: into fresh memory it reads the file,
 * which is from then on replaced by what is in force.  A file that cannot be
 * trusted is kept aside, and the split starts rolled back.  "keep" is NULL for
 * a split that has no state file.
 */
void ngx_canary_keep_start(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/* for a worker that starts: says if it will not be able to write */
void ngx_canary_keep_check(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/*
 * For each worker, once a second: writes every few seconds, in a thread, if no
 * other does; says how the last time went.
 */
void ngx_canary_keep_tick(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/*
 * Writes, and returns once it is on the disk: NGX_OK, NGX_DECLINED if the file
 * belongs to a newer configuration, or NGX_ERROR with what is wrong in "error"
 * of NGX_CANARY_KEEP_ERROR bytes, terminated, which has been logged.
 */
ngx_int_t ngx_canary_keep_now(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, u_char *error, ngx_log_t *log);

/* for a process that exits: as ngx_canary_keep_now() */
void ngx_canary_keep_exit(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/* what is wrong with the last attempt to write, empty if nothing is */
void ngx_canary_keep_error(ngx_canary_zone_t *zone, u_char *error);


/* ngx_canary_saved.c: shared memory from and to what is written */

/* "saved" is zeroed */
void ngx_canary_saved_take(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved);

/* into memory that nobody else uses yet */
void ngx_canary_saved_give(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved);

/* ngx_canary_saved_events.c: the same; NGX_ERROR if memory is short */
ngx_int_t ngx_canary_saved_events_take(ngx_canary_events_t *events,
    uint64_t base, ngx_canary_saved_t *saved);
void ngx_canary_saved_events_give(ngx_canary_events_t *events,
    uint64_t created_us, ngx_canary_saved_t *saved);


/* ngx_canary_keep_file.c: the file itself; errors are not logged */

typedef enum {
    NGX_CANARY_KEEP_FOLDER = 1,
    NGX_CANARY_KEEP_LOCK,
    NGX_CANARY_KEEP_OWNER,
    NGX_CANARY_KEEP_MEMORY,
    NGX_CANARY_KEEP_ENCODE,
    NGX_CANARY_KEEP_CREATE,
    NGX_CANARY_KEEP_WRITE,
    NGX_CANARY_KEEP_SYNC,
    NGX_CANARY_KEEP_RENAME,
    NGX_CANARY_KEEP_ACCESS,
    NGX_CANARY_KEEP_ASIDE
} ngx_canary_keep_step_e;

/* a step that failed and errno in a word; 0: nothing failed */
#define ngx_canary_keep_failed(step, err)                                     \
    ((uint64_t) (step) << 32 | (uint32_t) (err))
#define ngx_canary_keep_errno(error)   ((ngx_err_t) ((error) & 0xffffffff))

/* the text of such a word */
void ngx_canary_keep_text(uint64_t error, u_char *text);

/* opens and locks the folder, within "wait_ms"; -1 and *error if it cannot */
int ngx_canary_keep_lock(ngx_canary_keep_conf_t *keep, ngx_msec_t wait_ms,
    uint64_t *error);

/*
 * Replaces the file by "len" bytes; the folder is locked.  Calls nothing of
 * nginx, so that a thread may run it.
 */
uint64_t ngx_canary_keep_replace(int folder, const char *name, const char *tmp,
    const u_char *data, size_t len, ngx_uint_t other, ngx_uid_t uid,
    ngx_gid_t gid);

/* run and owner of the file; NGX_DECLINED if there is none that has them */
ngx_int_t ngx_canary_keep_owner(int folder, const char *name, uint64_t *run,
    uint64_t *owner);

/*
 * Reads the file: NGX_OK, NGX_DECLINED if there is none, NGX_ERROR and in
 * "error", of NGX_CANARY_KEEP_ERROR bytes, why it cannot be trusted.
 */
ngx_int_t ngx_canary_keep_read(ngx_canary_keep_conf_t *keep,
    ngx_canary_saved_t *saved, u_char *error);

/*
 * Gives the file a second name, FILE.bad or FILE.bad.N, which is left in
 * "path" of NGX_MAX_PATH bytes.  Where the file cannot have two names it is
 * renamed.
 */
ngx_int_t ngx_canary_keep_aside(ngx_canary_keep_conf_t *keep, u_char *path);


#pragma GCC visibility pop

#endif /* NGX_CANARY_KEEP_H_INCLUDED */
