/*
 * The state file of a split: what is kept over a restart of nginx.
 *
 * Who writes: any worker of the configuration in force, in threads of its own
 * (ngx_canary_writer.c), and the master as it exits; one at a time, by a lock
 * on a file beside it that the kernel frees if its holder is killed.  What is
 * written is put together once the lock is held, so that an older state never
 * replaces a newer one; the file is replaced as a whole.  Who reads: the
 * master, and only into memory that no request has seen.
 */

#ifndef NGX_CANARY_KEEP_H_INCLUDED
#define NGX_CANARY_KEEP_H_INCLUDED


#include "ngx_canary_events.h"
#include "ngx_canary_series.h"

#include "../pure/ngx_canary_state.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_KEEP_ERROR   256     /* bytes of an error's text */
/* the names of the files beside it: .FILE.tmp, .FILE.lock */
#define NGX_CANARY_KEEP_BESIDE  sizeof(".lock.")


/* of the configuration; strings are terminated */
typedef struct {
    ngx_str_t                 split;        /* name of the baseline */
    ngx_str_t                 path;
    ngx_str_t                 folder;
    u_char                   *name;         /* in the folder, as the others */
    u_char                   *tmp;
    u_char                   *lock;
    dev_t                     device;       /* of the folder */
    ino_t                     inode;
    uint64_t                  key;          /* of the path, never 0 */
    u_char                   *file;         /* where it is configured */
    ngx_uint_t                line;

    ngx_canary_event_plan_t  *events;       /* or NULL */
    ngx_canary_series_zone_t *history;

    /* whose the file is to be, if not ours */
    ngx_str_t                 user;
    ngx_uint_t                other;
    ngx_uid_t                 uid;
    ngx_gid_t                 gid;
} ngx_canary_keep_conf_t;


typedef struct ngx_canary_keep_wait_s  ngx_canary_keep_wait_t;

/* NGX_OK, NGX_DECLINED, or NGX_ERROR and what failed in "error" */
typedef void (*ngx_canary_keep_pt)(ngx_canary_keep_wait_t *wait,
    ngx_int_t rc, uint64_t error);

/* of one who waits for a writing */
struct ngx_canary_keep_wait_s {
    ngx_queue_t               queue;
    ngx_canary_keep_pt        handler;
    void                     *data;
    ngx_uint_t                waits;        /* handler will be called */
};


/*
 * For the master, before it publishes: into fresh memory it reads the file,
 * which is from then on replaced by what is in force.  A file that cannot be
 * trusted is kept aside, and the split starts rolled back.  "keep" is NULL for
 * a split that has no state file.  The first writing is due at "due_us".
 */
void ngx_canary_keep_start(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, uint64_t due_us, ngx_log_t *log);

/* for a worker that starts: says if it will not be able to write */
void ngx_canary_keep_check(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/*
 * For each worker, once a second: has the file written every few seconds, if
 * no other does.
 */
void ngx_canary_keep_tick(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/*
 * Has written what is in force by now, and calls wait->handler, which the
 * caller has set, once it is on the disk or cannot be; "wait" may be NULL.
 * Returns NGX_AGAIN, or NGX_ERROR if memory is short, which is logged.
 */
ngx_int_t ngx_canary_keep_now(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_keep_wait_t *wait,
    ngx_log_t *log);

/* the handler will not be called; what is under way goes on */
void ngx_canary_keep_forget(ngx_canary_keep_wait_t *wait);

/* for the master as it exits: queues a writing; see ngx_canary_writer_end() */
void ngx_canary_keep_last(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_log_t *log);

/* the text of what a handler is given, of NGX_CANARY_KEEP_ERROR bytes */
void ngx_canary_keep_text(uint64_t error, u_char *text);

/* what is wrong with the last attempt to write, empty if nothing is */
void ngx_canary_keep_error(ngx_canary_zone_t *zone, u_char *error);

/*
 * Counts an error, or that there is none any more (0); logs it once for each
 * error, by whichever worker meets it, and once when it ends.
 */
void ngx_canary_keep_report(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, uint64_t error, ngx_log_t *log);


/* whose a file is */
typedef struct {
    uint64_t                  run;
    uint64_t                  pid;          /* of the master */
    uint64_t                  place;        /* where that holds, or 0 */
    uint64_t                  changed_ns;   /* the file */
} ngx_canary_owner_t;


/*
 * ngx_canary_keep_write.c: one writing.  Threads run it: it calls nothing of
 * nginx, and no memory is touched but shared memory, its own, and what it is
 * given.
 */

typedef struct {
    ngx_canary_owner_t        self;         /* see ngx_canary_keep_self() */
    int                       folder;       /* open until it is synced */
    dev_t                     device;       /* of the folder */
    ino_t                     inode;
    uint64_t                  taken_ms;     /* moment of what is written */
    uint64_t                  taken_us;     /* the same, monotonic */
    uint64_t                  error;
} ngx_canary_keep_work_t;

/*
 * Replaces the file by what is in force: NGX_OK, then ngx_canary_keep_sync() is
 * due; NGX_AGAIN if another process has the lock, NGX_DECLINED if the file
 * belongs to a newer configuration, NGX_ERROR and work->error.
 */
ngx_int_t ngx_canary_keep_write(ngx_canary_zone_t *zone,
    ngx_canary_keep_conf_t *keep, ngx_canary_keep_work_t *work);

/* syncs the folder and closes it */
void ngx_canary_keep_sync(ngx_canary_keep_work_t *work);

/* the owner of what this process writes: its master */
void ngx_canary_keep_self(ngx_canary_owner_t *self);

/* for the master, before it forks: finds out its place */
void ngx_canary_keep_place(void);

/* zeroed memory that a thread may ask for; goes back to the system at once */
void *ngx_canary_keep_alloc(size_t size);
void ngx_canary_keep_free(void *p, size_t size);


/* ngx_canary_saved.c: shared memory from and to what is written */

/* in a thread: nothing of nginx; "saved" is zeroed, and has its moment */
void ngx_canary_saved_take(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved);

/* into memory that nobody else uses yet */
void ngx_canary_saved_give(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved);

/* the same of one tally and its slot; what comes of other values is zeroed */
void ngx_canary_saved_tally(ngx_canary_tally_t *tally, ngx_uint_t slot,
    uint64_t base, ngx_canary_saved_tally_t *total,
    ngx_canary_saved_tally_t *begin);
void ngx_canary_given_tally(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_canary_saved_tally_t *total, ngx_canary_saved_tally_t *begin);

/* ngx_canary_saved_history.c: into zeroed memory, and from it */
void ngx_canary_saved_history(ngx_canary_series_zone_t *history,
    ngx_canary_saved_history_t *saved);
void ngx_canary_given_history(ngx_canary_series_zone_t *history,
    ngx_canary_saved_history_t *saved);

/* ngx_canary_saved_judge.c: the part of the gates */
void ngx_canary_saved_judge(ngx_canary_zone_t *zone,
    ngx_canary_saved_judge_t *saved);
void ngx_canary_given_judge(ngx_canary_zone_t *zone,
    ngx_canary_saved_judge_t *saved);

/*
 * ngx_canary_saved_events.c: the same; NGX_ERROR if memory is short.  What it
 * takes is from ngx_canary_keep_alloc(), by saved->nevents.
 */
ngx_int_t ngx_canary_saved_events_take(ngx_canary_event_plan_t *plan,
    uint64_t base, ngx_canary_saved_t *saved);
void ngx_canary_saved_events_give(ngx_canary_event_plan_t *plan,
    ngx_canary_saved_t *saved);


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
    NGX_CANARY_KEEP_ASIDE,
    NGX_CANARY_KEEP_LOCKFILE,
    NGX_CANARY_KEEP_MOVED,
    NGX_CANARY_KEEP_LATE
} ngx_canary_keep_step_e;

/* a step that failed and errno in a word; 0: nothing failed */
#define ngx_canary_keep_failed(step, err)                                     \
    ((uint64_t) (step) << 32 | (uint32_t) (err))
#define ngx_canary_keep_errno(error)   ((ngx_err_t) ((error) & 0xffffffff))

/* opens the folder; -1 and *error if it cannot, or must not be used */
int ngx_canary_keep_folder(ngx_canary_keep_conf_t *keep, uint64_t *error);

/*
 * Opens and locks the lock file: a descriptor, or -1 and *error, which is
 * NGX_CANARY_KEEP_LOCK without an errno if another process has it.
 */
int ngx_canary_keep_lock(ngx_canary_keep_conf_t *keep, int folder,
    uint64_t *error);

/* replaces the file by "len" bytes; it is locked.  Returns an error or 0 */
uint64_t ngx_canary_keep_replace(ngx_canary_keep_conf_t *keep, int folder,
    const u_char *data, size_t len);

/* NGX_DECLINED if there is no file that has an owner */
ngx_int_t ngx_canary_keep_owner(ngx_canary_keep_conf_t *keep, int folder,
    ngx_canary_owner_t *owner);

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
