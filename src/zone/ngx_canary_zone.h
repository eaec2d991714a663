/*
 * The shared memory of one split: what is published, the latch, the journal,
 * the counters, the window's steps and what the gates have seen.  It outlives
 * any reload.
 *
 * Who writes: the master publishes (two records and an index, so a killed
 * master leaves the old one in force); workers count (relaxed atomic adds into
 * the shard of their index); any worker moves the latch (one word, compare and
 * swap); the worker that wins a tick adds a step and flips the judge, each
 * complete before the word that names it.  Nobody waits for a lock: a process
 * may be killed or stopped at any instruction.  A stage is begun by the master
 * and by workers, who fill different bases and swap the published word; of the
 * workers one at a time, by a mutex that the kernel frees with its holder, and
 * that nobody waits for.
 */

#ifndef NGX_CANARY_ZONE_H_INCLUDED
#define NGX_CANARY_ZONE_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#include "../pure/ngx_canary_split.h"
#include "ngx_canary_judged.h"
#include "ngx_canary_tally.h"


#pragma GCC visibility push(hidden)


#define NGX_CANARY_ZONE_MAGIC     0x6e676363616e6172ULL     /* "ngccanar" */
/* of this module's memory, in which each counter has its place */
#define NGX_CANARY_ZONE_LAYOUT    (8 << 16 | NGX_CANARY_COUNTS)

/* what is said of a zone that cannot be adopted */
#define NGX_CANARY_ZONE_OTHER                                                 \
    "is in use by a version of the module with another memory layout, "       \
    "restart nginx or upgrade its binary instead of reloading it"

#define NGX_CANARY_MAX_SHARDS     64
#define NGX_CANARY_MAX_LATCHES    64
#define NGX_CANARY_READ_TRIES     20    /* until what is read fits together */
#define NGX_CANARY_MAX_NAME       255   /* bytes of an upstream's name */
#define NGX_CANARY_MAX_STAGE      63    /* bytes of a stage's name */
#define NGX_CANARY_MAX_TEXT       511   /* bytes of a text in the journal */

/* 200 years: what began before the machine did has a time as well */
#define NGX_CANARY_EPOCH_US       ((uint64_t) 6311520000u * 1000000)
#define NGX_CANARY_TICK_US        1000000
#define NGX_CANARY_TICK_S         1.0

/* a step's length: whole ticks, so that so many of them make a window */
#define ngx_canary_step_us(window_us)                                         \
    ((((window_us) - 1) / NGX_CANARY_WINDOW_STEPS / NGX_CANARY_TICK_US + 1)   \
     * NGX_CANARY_TICK_US)

/*
 * What is published is told by one word: its number, which of the two records
 * holds it, which base the stage began with, and which one the master fills for
 * the next; the third is the workers'.  Each change of the word takes the next
 * number, so that a word never comes back.  0: nothing yet.
 */
#define ngx_canary_word(number, record, spare, base)                          \
    ((uint64_t) (number) << 5 | (record) << 4 | (spare) << 2 | (base))
#define ngx_canary_number(word)         ((word) >> 5)
#define ngx_canary_record_at(word)      ((word) >> 4 & 1)
#define ngx_canary_spare_at(word)       ((word) >> 2 & 3)
#define ngx_canary_base_at(word)        ((word) & 3)

/* entries so far of the journal's ring 0 or 1 */
#define ngx_canary_entries(word, ring)  ((word) >> 32 * (ring) & UINT32_MAX)

/* on the request path: what seldom is so is kept out of the straight line */
#define ngx_canary_rare(condition)      __builtin_expect((condition) != 0, 0)


/* what each zone begins with */
typedef struct {
    uint64_t                  magic;
    uint64_t                  layout;       /* and of which kind it is */
} ngx_canary_head_t;


/* bytes in shared memory, not terminated */
typedef struct {
    uint64_t                  len;
    u_char                    data[NGX_CANARY_MAX_TEXT + 1];
} ngx_canary_text_t;


typedef struct {
    uint64_t                  unkeyed;
    uint64_t                  bypassed;
    uint64_t                  pad[6];       /* a cache line of their own */
    ngx_canary_cell_t         variants[NGX_CANARY_MAX_VARIANTS];
} ngx_canary_shard_t;


/*
 * A ring whose slots the winners of ticks fill.  Each takes a number, which
 * tells its slot, and marks it once it is complete: one that was stopped or
 * killed in between leaves a slot that is passed over, and no counter ever goes
 * back.
 */
typedef struct {
    uint64_t                  taken;        /* numbers given out */
    uint64_t                  next;         /* behind the newest complete one */
} ngx_canary_ring_t;


/* a step of the window; the totals are in tallies, by the same index */
typedef struct {
    uint64_t                  mark;         /* of the ring */
    uint64_t                  time_us;      /* monotonic */
    uint64_t                  unkeyed;
} ngx_canary_step_t;


/* a canary as published */
typedef struct {
    uint32_t                  slot;         /* 1 to NGX_CANARY_MAX_CANARIES */
    uint32_t                  share_ppm;
    uint32_t                  off;
} ngx_canary_share_t;


/* what is published at one instant; written by the master only */
typedef struct {
    uint64_t                  generation;
    uint64_t                  loaded_ms;
    uint64_t                  ncanaries;
    ngx_canary_share_t        canaries[NGX_CANARY_MAX_CANARIES];
    uint64_t                  stage_len;
    u_char                    stage[NGX_CANARY_MAX_STAGE + 1];
} ngx_canary_record_t;


/* when a stage began, by the index of its base */
typedef struct {
    uint64_t                  start_ms;
    uint64_t                  start_us;     /* monotonic */
    uint64_t                  armed;        /* the zone's when it began */
} ngx_canary_stage_t;


/* a variant's name by slot; the baseline is slot 0 */
typedef struct {
    uint64_t                  used;         /* generation of its last use */
    uint64_t                  len;
    u_char                    name[NGX_CANARY_MAX_NAME + 1];
} ngx_canary_slot_t;


/* why it is rolled back; complete before the latch names it */
typedef struct {
    uint64_t                  time_ms;
    uint64_t                  cause;        /* ngx_canary_cause_e */
    ngx_canary_text_t         reason;
} ngx_canary_latch_t;


typedef struct {
    uint64_t                  ticket;       /* set last: 0 while written */
    uint64_t                  number;       /* of all entries, from 1 */
    uint64_t                  time_ms;
    uint64_t                  kind;         /* ngx_canary_kind_e */
    ngx_canary_text_t         text;
} ngx_canary_entry_t;


/* a reader's place in both rings of the journal */
typedef struct {
    uint64_t                  next[2];
    uint64_t                  end[2];
} ngx_canary_cursor_t;


/* how the state file is; see ngx_canary_keep.h */
typedef struct {
    uint64_t                  key;          /* of its path, 0: there is none */
    uint64_t                  run;
    uint64_t                  due_us;       /* monotonic; the next writing */
    uint64_t                  written_ms;   /* the last one, or 0 */
    uint64_t                  written_us;   /* monotonic; or when it began */
    uint64_t                  errors;       /* writings that failed */
    uint64_t                  error;        /* of the last one, or 0 */
    uint64_t                  seen_ns;      /* change of a foreign file */
    uint64_t                  seen_us;      /* monotonic; when it was seen */
} ngx_canary_keep_t;


typedef struct {
    ngx_canary_head_t         head;
    uint64_t                  created_ms;
    uint64_t                  created_us;   /* monotonic */
    uint64_t                  pad0[4];

    /* read for each request: one cache line */
    uint64_t                  published;    /* see ngx_canary_record_at() */
    uint64_t                  latch;        /* 0, or ticket of its reason */
    uint64_t                  pad1[6];

    uint64_t                  tick_due_us;  /* monotonic; the next tick */

    uint64_t                  latches;      /* tickets given out */
    uint64_t                  armed;        /* times gates and stage began */
    uint64_t                  entries;      /* see ngx_canary_entries() */
    uint64_t                  rollbacks[NGX_CANARY_CAUSES];

    ngx_canary_record_t       records[2];
    ngx_canary_slot_t         slots[NGX_CANARY_MAX_VARIANTS];
    ngx_canary_latch_t        reasons[NGX_CANARY_MAX_LATCHES];
    /* what was published, which gives way first, and the others */
    ngx_canary_entry_t        journal[2][NGX_CANARY_JOURNAL];

    uint64_t                  base_unkeyed[NGX_CANARY_BASES];
    /* totals when the stage began; written before the word names them */
    ngx_canary_stage_t        stages[NGX_CANARY_BASES];
    /* held by the worker that fills a base; the kernel frees it if it dies */
    pthread_mutex_t           stage_mutex;
    /*
     * Beyond what requests are late that their clients give up, UINT64_MAX:
     * none is; set by ticks.  Those of another limit are in late_from.
     */
    uint64_t                  limits_us[NGX_CANARY_LIMITS];
    uint64_t                  late_from[NGX_CANARY_MAX_VARIANTS]
                                       [NGX_CANARY_LIMITS];

    ngx_canary_keep_t         keep;

    uint64_t                  judged;       /* number; its judge is at & 1 */
    ngx_canary_judge_t        judges[2];

    ngx_canary_ring_t         steps;
    ngx_canary_step_t         ring[NGX_CANARY_STEPS];

    ngx_canary_tally_t        requests;
    ngx_canary_shard_t        shards[1];    /* nshards; cells of "requests" */
} ngx_canary_zone_t;


/* the module's own zone: what is common to all splits */
typedef struct {
    uint64_t                  generation;   /* loads so far */
    uint64_t                  loaded_ms;
} ngx_canary_common_t;


/* what a configuration asks to publish */
typedef struct {
    ngx_str_t                 name;
    uint32_t                  share_ppm;
    unsigned                  off:1;
} ngx_canary_target_t;

typedef struct {
    ngx_str_t                 split;        /* name of the baseline */
    ngx_str_t                 stage;
    ngx_uint_t                ntargets;
    ngx_canary_target_t      *targets;
    struct ngx_canary_event_plan_s *events; /* custom ones, or NULL */
} ngx_canary_plan_t;


typedef enum {
    NGX_CANARY_KIND_PUBLISHED = 0,
    NGX_CANARY_KIND_ROLLBACK,
    NGX_CANARY_KIND_RESUME,
    NGX_CANARY_KIND_REARMED,
    NGX_CANARY_KIND_DECISION,               /* what people said */
    NGX_CANARY_KIND_INCIDENT,
    NGX_CANARY_KIND_GATE
} ngx_canary_kind_e;


/*
 * Declares the zone of a split.  Its size depends on the machine alone.
 * shm_zone->data is the memory once nginx has initialised it.  NULL on error,
 * which is logged: also if the memory in use cannot be adopted.
 */
ngx_shm_zone_t *ngx_canary_zone_add(ngx_conf_t *cf, ngx_str_t *split);

/* the same for what is common to all splits */
ngx_shm_zone_t *ngx_canary_common_add(ngx_conf_t *cf);

/* the same for a zone of "size" bytes, named after the split, and "event" */
ngx_shm_zone_t *ngx_canary_zone_declare(ngx_conf_t *cf, const char *prefix,
    ngx_str_t *split, ngx_str_t *event, size_t size,
    ngx_shm_zone_init_pt init);

/* the one with that name in the configuration in force, or NULL */
ngx_shm_zone_t *ngx_canary_zone_old(ngx_conf_t *cf, const char *prefix,
    ngx_str_t *split, ngx_str_t *event);

/*
 * For the init of a zone that begins with ngx_canary_head_t, which runs before
 * nginx has accepted the whole configuration, and so must not change what is in
 * force: "data", or where that is NULL new memory, zeroed but for its head.
 * NULL if there is too little, or of another layout, which is logged.
 */
void *ngx_canary_zone_open(ngx_shm_zone_t *shm_zone, void *data, size_t size,
    uint64_t layout);

/* likewise, for the init of a zone that has such a mutex */
ngx_int_t ngx_canary_zone_mutex(ngx_shm_zone_t *shm_zone,
    pthread_mutex_t *mutex);

/* how many shards a zone has */
ngx_uint_t ngx_canary_zone_nshards(void);

/* milliseconds since the epoch; nginx's cached clock may be late */
uint64_t ngx_canary_now_ms(void);


/*
 * Publishes a plan under "generation" at one instant.  A new stage begins if
 * the shares or the stage's name differ from what was published before.  A
 * plan whose shares are all 0, one of them "0%" and not "off", re-arms the
 * latch if its shares differ from those before; any other leaves it, and
 * unless it is "off" logs how to re-arm it.  Called by the master only.
 */
void ngx_canary_publish(ngx_canary_zone_t *zone, ngx_canary_plan_t *plan,
    uint64_t generation, ngx_log_t *log);

/*
 * Copies the record in force.  Returns its word, which is 0 before the first
 * one is published.
 */
uint64_t ngx_canary_published(ngx_canary_zone_t *zone,
    ngx_canary_record_t *record);


/*
 * Rolls the split back: in force for each request that is assigned after it
 * returns.  Returns its ticket, or 0 if it was rolled back already.
 */
uint64_t ngx_canary_latch_set(ngx_canary_zone_t *zone,
    ngx_canary_cause_e cause, ngx_str_t *reason);

/*
 * The same for a gate that was judged while zone->armed was "armed": nothing if
 * the split was re-armed since.
 */
uint64_t ngx_canary_latch_judged(ngx_canary_zone_t *zone, ngx_str_t *reason,
    uint64_t armed);

/*
 * The same in two parts, for a cause that is known only later.  Whoever is
 * killed in between has rolled back, uncounted.
 */
uint64_t ngx_canary_latch_hold(ngx_canary_zone_t *zone,
    ngx_canary_cause_e cause, ngx_str_t *reason);
void ngx_canary_latch_count(ngx_canary_zone_t *zone, ngx_canary_cause_e cause);

/* Another reason for the rollback of that ticket, if it is still in force. */
void ngx_canary_latch_reword(ngx_canary_zone_t *zone, uint64_t ticket,
    ngx_canary_cause_e cause, ngx_str_t *reason);

/* Takes a rollback back.  Returns 1, or 0 if there was none. */
ngx_uint_t ngx_canary_latch_clear(ngx_canary_zone_t *zone);

/*
 * The same, and the gates begin anew, and the stage with the next
 * ngx_canary_stage_renew().
 */
ngx_uint_t ngx_canary_latch_resume(ngx_canary_zone_t *zone);


/*
 * The totals of this moment, and those of "events" or NULL, into a base that
 * is not in force.  NGX_ERROR if memory is short, and nothing is changed.
 */
ngx_int_t ngx_canary_stage_fill(ngx_canary_zone_t *zone,
    struct ngx_canary_event_plan_s *events, uint64_t base);

/*
 * Begins the stage anew if it began before the split was last re-armed.  For
 * workers of the configuration in force, any number of them at once.  If
 * another process is at it, or memory is short, whoever wins the next tick does
 * it.
 */
void ngx_canary_stage_renew(ngx_canary_zone_t *zone,
    struct ngx_canary_event_plan_s *events);


/* adds an event; "text" is cut at NGX_CANARY_MAX_TEXT bytes */
void ngx_canary_journal_add(ngx_canary_zone_t *zone, ngx_canary_kind_e kind,
    ngx_str_t *text);

/*
 * Copies entries by their numbers, the oldest first, NGX_CANARY_JOURNAL at
 * most.  Returns 1, or 0 if there is none left.
 */
void ngx_canary_journal_begin(ngx_canary_zone_t *zone,
    ngx_canary_cursor_t *cursor);
ngx_uint_t ngx_canary_journal_next(ngx_canary_zone_t *zone,
    ngx_canary_cursor_t *cursor, ngx_canary_entry_t *copy);

/* fills in split->journal, the oldest first; copies into "pool" */
ngx_int_t ngx_canary_journal_read(ngx_canary_zone_t *zone,
    ngx_canary_split_t *split, ngx_pool_t *pool);


/*
 * Fills in "split" with one consistent picture, less what is derived of gates;
 * "events" may be NULL.  The caller's are name, nle, le_us (the limits of all
 * latency rules among them, and room for one more), window_us, nrules, rules,
 * and want; with rules, bounds and quantiles are always there.  NGX_ERROR if
 * memory is short.
 */
ngx_int_t ngx_canary_picture(ngx_canary_zone_t *zone,
    struct ngx_canary_event_plan_s *events, ngx_canary_split_t *split,
    ngx_pool_t *pool);


/*
 * 1 if the caller is the one process to do what is due each second; a process
 * that is killed over it leaves it to whoever asks a second later.
 */
ngx_uint_t ngx_canary_tick_claim(ngx_canary_zone_t *zone, uint64_t now_us);

/*
 * Remembers the totals of this moment, and those of "events" or NULL, if the
 * last step is old enough for a window of window_us.  Called by the winner of a
 * tick, and with "first" by the master before the first request.
 */
void ngx_canary_step_add(ngx_canary_zone_t *zone,
    struct ngx_canary_event_plan_s *events, uint64_t window_us,
    ngx_uint_t first);

/*
 * The number of the step that a window of "window_us" ending at "now_us" begins
 * with: the newest of those that are at least as old, else the oldest.
 * NGX_CANARY_NO_STEP if there is none.  It is in the ring at its number modulo
 * NGX_CANARY_STEPS, as long as that holds it.
 */
uint64_t ngx_canary_step_find(ngx_canary_zone_t *zone, uint64_t window_us,
    uint64_t now_us);

#define NGX_CANARY_NO_STEP        UINT64_MAX


/* 64 bits that tell two rules apart, whatever their place and sample size */
uint64_t ngx_canary_rule_signature(const ngx_canary_rule_t *rule);

/* of a latency rule's limit in zone->limits_us */
ngx_uint_t ngx_canary_late_index(const ngx_canary_rule_t *rule);

/*
 * What a rule has seen up to the last tick, or NULL; and in "seen" its gate on
 * the canary in "slot", or NULL.
 */
ngx_canary_judged_t *ngx_canary_judged_find(ngx_canary_zone_t *zone,
    const ngx_canary_rule_t *rule, ngx_uint_t slot, ngx_canary_seen_t **seen);

/* 1 if "seen" is of the variant that has the slot, not of one before it */
ngx_uint_t ngx_canary_judged_is_of(ngx_canary_zone_t *zone,
    const ngx_canary_seen_t *seen, ngx_uint_t slot);

/* what is shown of both, which may be NULL, in a gate whose rule is set */
void ngx_canary_judged_show(ngx_canary_judged_t *judged,
    ngx_canary_seen_t *seen, ngx_canary_gate_t *gate);

/*
 * Feeds the trials since the last tick to the detectors of all gates of
 * "split", which is a picture of this moment, and shows what they have seen.
 */
void ngx_canary_judge_tick(ngx_canary_zone_t *zone, ngx_canary_split_t *split);


/* the slot of that number is no more what it was */
static ngx_inline uint64_t
ngx_canary_ring_take(ngx_canary_ring_t *ring)
{
    return __atomic_fetch_add(&ring->taken, 1, __ATOMIC_ACQ_REL);
}


/* 1 if the slot with "mark" holds what number "n" was complete with */
static ngx_inline ngx_uint_t
ngx_canary_ring_holds(uint64_t *mark, uint64_t n)
{
    return ngx_canary_load(mark) == n + 1;
}


/* the index of this worker's shard, of so many */
static ngx_inline ngx_uint_t
ngx_canary_worker(uint64_t nshards)
{
    ngx_uint_t  worker;

    worker = (ngx_uint_t) ngx_worker;

    while (worker >= nshards) {
        worker -= (ngx_uint_t) nshards;
    }

    return worker;
}


static ngx_inline ngx_canary_shard_t *
ngx_canary_shard(ngx_canary_zone_t *zone)
{
    return &zone->shards[ngx_canary_worker(zone->requests.nshards)];
}


/* for who makes a zone of so many shards */
static ngx_inline void
ngx_canary_shards_init(ngx_canary_zone_t *zone, ngx_uint_t nshards)
{
    ngx_canary_tally_place(&zone->requests, zone->shards[0].variants,
                           sizeof(ngx_canary_shard_t), nshards);
}


/* of a field of ngx_canary_shard_t, as "unkeyed" */
#define ngx_canary_shards_sum(zone, field)                                    \
    ngx_canary_shards_sum_at(zone, offsetof(ngx_canary_shard_t, field))

static ngx_inline uint64_t
ngx_canary_shards_sum_at(ngx_canary_zone_t *zone, size_t offset)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < zone->requests.nshards; i++) {
        sum += ngx_canary_load((uint64_t *) ((u_char *) &zone->shards[i]
                                             + offset));
    }

    return sum;
}


static ngx_inline void
ngx_canary_ring_complete(ngx_canary_ring_t *ring, uint64_t *mark, uint64_t n)
{
    ngx_canary_store(mark, n + 1);
    ngx_canary_raise(&ring->next, n + 1);
}


#pragma GCC visibility pop

#endif /* NGX_CANARY_ZONE_H_INCLUDED */
