/*
 * usage: matrix [PROCESSES]
 *
 * Prints how often gates that keep their limits are called broken, by kind of
 * traffic, beside what is promised.  A count is beyond the promise if its lower
 * bound (one-sided, 95%) is; since of many cells some are by chance, such a
 * cell is run again, with another seed and ten times the ticks, and that run
 * decides.  Exits with 1 if one is beyond.
 */

#define _DEFAULT_SOURCE

#include "cells.h"
#include "fleet.h"
#include "known.h"
#include "several.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define MATRIX_SIDES  2                 /* a fleet's sums, and its strata */


typedef struct {
    unsigned  found;
    unsigned  again;                    /* of the second run */
    int       beyond;                   /* of the first run */
} matrix_result_t;


/* in memory that the processes share */
typedef struct {
    size_t           next;              /* job */
    unsigned         known[KNOWN];
    unsigned         several[SEVERAL_CASES];
    unsigned         fleet[MATRIX_SIDES];
    matrix_result_t  cells[CELLS_MOST];
} matrix_t;


static void matrix_run(const cells_t *all, matrix_t *m, unsigned processes);
static void matrix_jobs(const cells_t *all, matrix_t *m);
static void matrix_cell(const cells_cell_t *cell, matrix_result_t *result);
static unsigned matrix_known(const matrix_t *m);
static unsigned matrix_together(const matrix_t *m);
static unsigned matrix_line(const char *name, unsigned found, double promised,
    int covered);
static void matrix_groups(const cells_t *all, const matrix_t *m, int covered);
static void matrix_group(const cells_t *all, const matrix_t *m, int covered,
    cells_group_e group, size_t gate);
static unsigned matrix_beyond(const cells_t *all, const matrix_t *m,
    int covered);


int
main(int argc, char **argv)
{
    cells_t   *all;
    matrix_t  *m;
    unsigned   beyond;

    all = cells_make();

    m = mmap(NULL, sizeof(matrix_t), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) {
        perror("mmap");
        return 2;
    }

    matrix_run(all, m, argc > 1 ? (unsigned) atoi(argv[1]) : 2);

    beyond = matrix_known(m);
    beyond += matrix_together(m);

    printf("\ngates at their limits: %u cells of %.0f ticks, in which %g alarms"
           " are promised; with fresh\ncounters %u beginnings, each of two"
           " hours, at 90 days and 6 gates; %u cells whose pauses\nalone are"
           " beyond the limit are left out\n\n", (unsigned) all->n,
           CELLS_PROMISE * CELLS_EXPECTED, CELLS_EXPECTED, CELLS_BEGINNINGS,
           (unsigned) all->left_out);

    matrix_groups(all, m, 1);

    printf("\nbeyond the promise, and again with %u times the ticks:\n",
           CELLS_AGAIN);
    beyond += matrix_beyond(all, m, 1);

    printf("\nnot promised: bursts of 10 minutes, pauses longer than pause=,"
           " ramps with sessions of 30,\nheavy users; fresh counters where"
           " more than ten come together\n\n");

    matrix_groups(all, m, 0);

    printf("\nof these, with more alarms than others have by chance:\n");
    (void) matrix_beyond(all, m, 0);

    printf("\n%-6s  counts of alarms beyond the promise: %u of at most 0\n",
           beyond ? "MISSED" : "met", beyond);

    free(all);

    return beyond ? 1 : 0;
}


static void
matrix_run(const cells_t *all, matrix_t *m, unsigned processes)
{
    int       status;
    unsigned  i;

    for (i = 1; i < processes; i++) {
        switch (fork()) {

        case -1:
            perror("fork");
            exit(2);

        case 0:
            matrix_jobs(all, m);
            _exit(0);

        default:
            break;
        }
    }

    matrix_jobs(all, m);

    while (wait(&status) > 0) {
        if (status) {
            exit(2);
        }
    }
}


static void
matrix_jobs(const cells_t *all, matrix_t *m)
{
    size_t  i;

    for ( ;; ) {
        i = __atomic_fetch_add(&m->next, 1, __ATOMIC_RELAXED);

        if (i < KNOWN) {
            m->known[i] = known_count(&known[i]);
            continue;
        }

        i -= KNOWN;

        if (i < SEVERAL_CASES) {
            m->several[i] = several_alarms(&several_cases[i], SEVERAL_TICKS);
            continue;
        }

        i -= SEVERAL_CASES;

        if (i < MATRIX_SIDES) {
            m->fleet[i] = fleet_alarms((int) i, FLEET_TICKS);
            continue;
        }

        i -= MATRIX_SIDES;

        if (i >= all->n) {
            return;
        }

        matrix_cell(&all->cells[i], &m->cells[i]);
    }
}


static void
matrix_cell(const cells_cell_t *cell, matrix_result_t *result)
{
    result->found = cells_count(cell, 0);
    result->beyond = alarms_beyond(result->found, cell->promised);

    if (result->beyond && cell->covered) {
        result->again = cells_count(cell, 1);
    }
}


static unsigned
matrix_known(const matrix_t *m)
{
    size_t    i;
    unsigned  beyond;

    printf("%-50s %6s %8s %7s\n", "traffic that the method was chosen by",
           "alarms", "promised", "design");

    beyond = 0;

    for (i = 0; i < KNOWN; i++) {
        beyond += matrix_line(known[i].name, m->known[i],
                              known_promised(&known[i]), known[i].covered);
        printf(" %7.0f\n", known[i].design);
    }

    return beyond;
}


static unsigned
matrix_together(const matrix_t *m)
{
    size_t    i;
    double    promised;
    unsigned  beyond;

    static const char *const  names[MATRIX_SIDES] = {
        "a fleet of 20 that differ, by sums", ".. machine by machine"
    };

    printf("\n");
    beyond = 0;
    promised = SEVERAL_TICKS / SEVERAL_PROMISE;

    for (i = 0; i < SEVERAL_CASES; i++) {
        beyond += matrix_line(several_cases[i].name, m->several[i], promised,
                              1);
        printf("\n");
    }

    promised = FLEET_TICKS / FLEET_PROMISE;

    for (i = 0; i < MATRIX_SIDES; i++) {
        beyond += matrix_line(names[i], m->fleet[i], promised, i != 0);
        printf("\n");
    }

    return beyond;
}


/* without its end; returns 1 if it is beyond what is promised */

static unsigned
matrix_line(const char *name, unsigned found, double promised, int covered)
{
    int  beyond;

    beyond = covered && alarms_beyond(found, promised);

    printf("%-50s %6u %8.2f%s", name, found, promised,
           beyond ? " BEYOND" : covered ? "" : " (not promised)");

    return beyond ? 1 : 0;
}


static void
matrix_groups(const cells_t *all, const matrix_t *m, int covered)
{
    size_t         gate;
    cells_group_e  group;

    printf("%-22s %-21s %5s %6s %8s   %s\n", "traffic", "gate", "cells",
           "alarms", "promised", "the worst of them");

    for (group = 0; group < CELLS_GROUPS; group++) {
        for (gate = 0; gate < CELLS_GATES; gate++) {
            matrix_group(all, m, covered, group, gate);
        }
    }
}


static void
matrix_group(const cells_t *all, const matrix_t *m, int covered,
    cells_group_e group, size_t gate)
{
    double               promised;
    size_t               i, cells, worst;
    unsigned             found;
    const cells_cell_t  *cell;

    found = 0;
    cells = 0;
    worst = 0;
    promised = 0;

    for (i = 0; i < all->n; i++) {
        cell = &all->cells[i];

        if (cell->group != group || cell->gate != gate
            || cell->covered != covered)
        {
            continue;
        }

        if (cells++ == 0 || m->cells[i].found > m->cells[worst].found) {
            worst = i;
        }

        found += m->cells[i].found;
        promised += cell->promised;
    }

    if (cells == 0) {
        return;
    }

    printf("%-22s %-21s %5u %6u %8.1f   %u of %g: %s\n", cells_groups[group],
           cells_gates[gate].name, (unsigned) cells, found, promised,
           m->cells[worst].found, all->cells[worst].promised,
           all->cells[worst].name);
}


static unsigned
matrix_beyond(const cells_t *all, const matrix_t *m, int covered)
{
    size_t                  i;
    double                  promised;
    unsigned                beyond;
    const cells_cell_t     *cell;
    const matrix_result_t  *result;

    beyond = 0;

    for (i = 0; i < all->n; i++) {
        cell = &all->cells[i];
        result = &m->cells[i];

        if (!result->beyond || cell->covered != covered) {
            continue;
        }

        printf("    %s: %u of %g", cell->name, result->found, cell->promised);

        if (!covered) {
            printf("\n");
            continue;
        }

        promised = cell->promised * CELLS_AGAIN;

        printf("; again %u of %g, at least %.1f: ", result->again, promised,
               alarms_lower(result->again));

        if (alarms_beyond(result->again, promised)) {
            printf("BEYOND\n");
            beyond++;

        } else {
            printf("chance\n");
        }
    }

    return beyond;
}
