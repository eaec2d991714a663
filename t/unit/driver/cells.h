/*
 * The matrix: kinds of traffic that keep the limit, each with gates of all
 * types, at four rates of the canary, at four shares and in a ramp.
 *
 * All of it is fixed, the seeds too, which are made of the names of the cells:
 * nothing in here is chosen by a result.
 */

#ifndef CELLS_H_INCLUDED
#define CELLS_H_INCLUDED


#include "alarms.h"


#define CELLS_MOST        4096
#define CELLS_SHARES      4
#define CELLS_PROMISE     86400.0       /* ticks until an alarm, at least */
#define CELLS_EXPECTED    5.5           /* alarms, in the ticks simulated */
#define CELLS_FRESH       7200.0        /* ticks */
#define CELLS_BEGINNINGS  100
#define CELLS_PER_FRESH   0.01          /* alarms, at most */
#define CELLS_AGAIN       10            /* times the ticks */
#define CELLS_ASIDE       0.2           /* of them, where nothing is promised */
#define CELLS_MARGIN      0.5           /* of relative gates, if any */
#define CELLS_COVERED     120           /* ticks that a burst may last */


typedef enum {
    CELLS_CHANCE = 0,
    CELLS_SESSIONS,
    CELLS_USERS,
    CELLS_PAUSES,
    CELLS_SLOW,
    CELLS_NIGHT,
    CELLS_ANEW,
    CELLS_GROUPS
} cells_group_e;


typedef struct {
    const char  *name;
    int          relative;
    double       bad;                   /* the limit, or of both sides */
} cells_gate_t;


typedef struct {
    char            name[96];
    cells_group_e   group;
    traffic_kind_t  kind;
    double          pause;              /* of the rule, ticks */
    int             anew;               /* with fresh counters, too */
} cells_kind_t;


typedef struct {
    char            name[160];
    cells_group_e   group;
    size_t          gate;
    alarms_t        alarms;
    size_t          nshares;
    double          shares[CELLS_SHARES];
    double          promised;           /* alarms, in all */
    int             covered;            /* 0: the promise does not reach it */
} cells_cell_t;


typedef struct {
    cells_cell_t  cells[CELLS_MOST];
    size_t        n;
    size_t        left_out;             /* pauses beyond the limit */
} cells_t;


static const char *const  cells_groups[CELLS_GROUPS] = {
    "independent requests", "sessions", "users who always fail", "pauses",
    "slow minutes", "day and night, 20:1", "fresh counters"
};

static const cells_gate_t  cells_gates[] = {
    { "error_rate <= 1%", 0, 0.01 },
    { "p95 <= limit", 0, 0.05 },
    { "error_rate not_worse", 1, 0.01 },
    { "p95 not_worse", 1, 0.05 }
};

#define CELLS_GATES  (sizeof(cells_gates) / sizeof(cells_gates[0]))

static const double  cells_rates[] = { 1, 10, 100, 1000 };
static const double  cells_shares[CELLS_SHARES] = { 0.01, 0.05, 0.25, 0.5 };


/* the traffic of a cell: at the limit, or both sides equal, but for a margin */

static inline int
cells_traffic(cells_cell_t *cell, const cells_kind_t *kind,
    const cells_gate_t *gate)
{
    double           most;
    sim_rule_t      *rule;
    traffic_kind_t  *k;

    k = &cell->alarms.kind;
    *k = kind->kind;
    k->bad = gate->bad;
    most = gate->bad;

    rule = &cell->alarms.rule;
    rule->relative = gate->relative;
    rule->limit = gate->relative ? 0 : gate->bad;
    rule->pause = kind->pause;

    /* a canary that pauses alone is worse, so within a margin */

    if (gate->relative && k->pause > 0 && k->pauses == TRAFFIC_ALONE) {
        k->margin = CELLS_MARGIN;
        rule->limit = CELLS_MARGIN;
        most *= 1 + CELLS_MARGIN;
    }

    return !(k->pause > 0 && k->pause > most * k->every * (1 + 1e-9));
}


/*
 * Not covered: bursts longer than some two minutes, pauses longer than the
 * rule's, ramps with sessions of 30, and users of whom a few fail far more
 * often in a row than others: what was measured does not show them.  Nor are
 * counters that have just begun, where more than ten come together: users with
 * any number of failures, sessions of 30, and 3 s of each minute.
 */

static inline int
cells_covered(const cells_cell_t *cell)
{
    const traffic_kind_t  *k;

    k = &cell->alarms.kind;

    if (cell->group == CELLS_ANEW
        && (k->sessions == TRAFFIC_USERS || k->session_size >= 30
            || (k->pause > 1 && k->every <= 60)))
    {
        return 0;
    }

    return !((k->session_size > 0 && k->session_span > CELLS_COVERED)
             || k->sessions == TRAFFIC_HEAVY_USERS
             || k->pause > cell->alarms.rule.pause
             || (k->session_size >= 30 && cell->alarms.ramp));
}


static inline void
cells_name(cells_cell_t *cell, const cells_kind_t *kind)
{
    char  share[32];

    snprintf(share, sizeof(share), "%g%%", cell->shares[0] * 100);

    snprintf(cell->name, sizeof(cell->name), "%s%s, %s, %g/s, %s",
             cell->group == CELLS_ANEW ? "fresh, " : "", kind->name,
             cells_gates[cell->gate].name, cell->alarms.rate,
             cell->alarms.ramp ? "a ramp"
             : cell->nshares > 1 ? "all shares" : share);
}


static inline void
cells_add(cells_t *all, const cells_cell_t *cell, const cells_kind_t *kind)
{
    alarms_t      *a;
    cells_cell_t  *c;

    if (all->n == CELLS_MOST) {
        abort();
    }

    c = &all->cells[all->n++];
    *c = *cell;
    a = &c->alarms;
    c->covered = cells_covered(c);

    if (c->group == CELLS_ANEW) {
        a->rule.threshold = ngx_canary_detector_threshold(SIM_DAYS_90, 1,
                                                          SIM_GATES, 0);
        a->fresh = CELLS_FRESH;
        a->ticks = CELLS_FRESH * CELLS_BEGINNINGS / (double) c->nshares;
        c->promised = CELLS_PER_FRESH * CELLS_BEGINNINGS;

    } else {
        a->rule.threshold = ngx_canary_detector_threshold(CELLS_PROMISE, 1, 1,
                                                          0);
        a->fresh = a->ramp ? ALARMS_STAGES * ALARMS_STAGE : 0;
        a->ticks = CELLS_PROMISE * CELLS_EXPECTED / (double) c->nshares;
        c->promised = CELLS_EXPECTED;
    }

    if (!c->covered) {
        a->ticks *= CELLS_ASIDE;
        c->promised *= CELLS_ASIDE;
    }

    cells_name(c, kind);
}


/*
 * A ramp begins with fresh counters, and is judged by that where they are.  A
 * gate with a limit does not see the other side, whose share says no more
 * than how much there is to borrow: all shares are one cell.
 */

static inline void
cells_positions(cells_t *all, cells_cell_t *cell, const cells_kind_t *kind)
{
    size_t  i;

    if (!cells_gates[cell->gate].relative || cell->group == CELLS_ANEW) {
        cell->nshares = CELLS_SHARES;
        memcpy(cell->shares, cells_shares, sizeof(cells_shares));
        cells_add(all, cell, kind);

    } else {
        for (i = 0; i < CELLS_SHARES; i++) {
            cell->nshares = 1;
            cell->shares[0] = cells_shares[i];
            cells_add(all, cell, kind);
        }
    }

    if (cell->group == CELLS_ANEW || !kind->anew) {
        cell->nshares = 1;
        cell->alarms.ramp = &alarms_up;
        cells_add(all, cell, kind);
    }
}


static inline void
cells_kind(cells_t *all, const cells_kind_t *kind)
{
    int           anew;
    size_t        gate, rate;
    cells_cell_t  cell;

    for (gate = 0; gate < CELLS_GATES; gate++) {
        for (rate = 0; rate < sizeof(cells_rates) / sizeof(double); rate++) {
            for (anew = 0; anew <= kind->anew; anew++) {
                memset(&cell, 0, sizeof(cell));

                cell.group = anew ? CELLS_ANEW : kind->group;
                cell.gate = gate;
                cell.alarms.rate = cells_rates[rate];

                if (cells_traffic(&cell, kind, &cells_gates[gate])) {
                    cells_positions(all, &cell, kind);

                } else {
                    all->left_out++;
                }
            }
        }
    }
}


static inline void
cells_sessions(cells_t *all)
{
    size_t        i, k;
    cells_kind_t  kind;

    static const double  sizes[] = { 3, 10, 30 };
    static const double  spans[] = { 1, 30, 600 };

    memset(&kind, 0, sizeof(kind));
    kind.group = CELLS_SESSIONS;
    kind.pause = 1;
    kind.anew = 1;

    for (i = 0; i < 3; i++) {
        for (k = 0; k < 3; k++) {
            kind.kind.session_size = sizes[i];
            kind.kind.session_span = spans[k];

            snprintf(kind.name, sizeof(kind.name), "sessions of %g over %g s",
                     sizes[i], spans[k]);
            cells_kind(all, &kind);
        }
    }

    kind.group = CELLS_USERS;
    kind.kind.session_span = 60;

    kind.kind.session_size = 10;
    kind.kind.sessions = TRAFFIC_USERS;
    snprintf(kind.name, sizeof(kind.name), "users who come and go");
    cells_kind(all, &kind);

    kind.kind.session_size = 5;
    kind.kind.sessions = TRAFFIC_HEAVY_USERS;
    snprintf(kind.name, sizeof(kind.name), "heavy users");
    cells_kind(all, &kind);
}


static inline void
cells_pauses(cells_t *all)
{
    size_t        i, k, side;
    cells_kind_t  kind;

    static const double             lengths[] = { 0.2, 1, 3, 3 };
    static const double             rules[] = { 1, 1, 3, 1 };
    static const double             every[] = { 20, 60, 600, 3600 };
    static const traffic_pauses_e   sides[] = {
        TRAFFIC_ALONE, TRAFFIC_TOGETHER, TRAFFIC_APART
    };
    static const char *const        names[] = { "canary", "at once", "each" };

    memset(&kind, 0, sizeof(kind));
    kind.group = CELLS_PAUSES;

    for (i = 0; i < 4; i++) {
        for (k = 0; k < 4; k++) {
            for (side = 0; side < 3; side++) {
                kind.kind.pause = lengths[i];
                kind.kind.every = every[k];
                kind.kind.pauses = sides[side];
                kind.pause = rules[i];
                kind.anew = (sides[side] == TRAFFIC_APART
                             && (every[k] == 60 || every[k] == 600));

                snprintf(kind.name, sizeof(kind.name),
                         "pauses of %g s every %g s, %s, pause=%gs",
                         lengths[i], every[k], names[side], rules[i]);
                cells_kind(all, &kind);
            }
        }
    }
}


/* all of them; to be freed */

static inline cells_t *
cells_make(void)
{
    cells_t       *all;
    cells_kind_t   kind;

    all = calloc(1, sizeof(cells_t));
    if (all == NULL) {
        abort();
    }

    memset(&kind, 0, sizeof(kind));
    kind.pause = 1;
    kind.group = CELLS_CHANCE;
    kind.anew = 1;
    snprintf(kind.name, sizeof(kind.name), "independent");
    cells_kind(all, &kind);

    cells_sessions(all);
    cells_pauses(all);

    kind.group = CELLS_SLOW;
    kind.kind.slow_every = 600;
    snprintf(kind.name, sizeof(kind.name), "a slow minute in ten");
    cells_kind(all, &kind);

    kind.group = CELLS_NIGHT;
    kind.anew = 0;
    kind.kind.slow_every = 0;
    kind.kind.night = 0.05;
    snprintf(kind.name, sizeof(kind.name), "day and night");
    cells_kind(all, &kind);

    return all;
}


/* alarms of a cell; "again" is another seed and more ticks */

static inline unsigned
cells_count(const cells_cell_t *cell, int again)
{
    char      name[192];
    size_t    i;
    alarms_t  a;
    unsigned  found;

    a = cell->alarms;
    a.ticks *= again ? CELLS_AGAIN : 1;
    found = 0;

    for (i = 0; i < cell->nshares; i++) {
        a.share = cell->shares[i];

        snprintf(name, sizeof(name), "%s %g%s", cell->name, a.share,
                 again ? " again" : "");
        found += alarms_count(&a, alarms_seed(name));
    }

    return found;
}


#endif /* CELLS_H_INCLUDED */
