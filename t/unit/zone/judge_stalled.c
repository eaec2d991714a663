/*
 * A worker that is stopped in the middle of a tick, while another one does it,
 * changes nothing when it goes on; one that is killed there has changed nothing
 * either.
 */

#include "judge.h"

#include <setjmp.h>


static ngx_uint_t  depth;
static jmp_buf     killed;


static void
another(void)
{
    if (depth++ == 0) {
        judge_more(&canary[0], 10, 10);
        judge_tick();
    }

    depth--;
}


static void
kill_it(void)
{
    longjmp(killed, 1);
}


int
main(void)
{
    ngx_canary_judge_t  *before;

    before = malloc(sizeof(ngx_canary_judge_t));

    if (before == NULL || !judge_setup()) {
        return 2;
    }

    judge_tick();
    judge_more(&canary[0], 10, 1);
    judge_tick();

    is_u64(zone->judged, 2, "two ticks");
    ok(judge_seen(0)->trials == 10 && judge_seen(0)->bad == 1, "are judged");

    judge_hook = another;
    judge_more(&canary[0], 5, 0);
    judge_tick();
    judge_hook = NULL;

    is_u64(zone->judged, 3, "a tick that another one did meanwhile");
    ok(judge_seen(0)->trials == 25 && judge_seen(0)->bad == 11,
       "is the other's, once");

    *before = zone->judges[zone->judged & 1];

    if (setjmp(killed) == 0) {
        judge_hook = kill_it;
        judge_more(&canary[0], 7, 7);
        judge_tick();
    }

    judge_hook = NULL;
    free(judge_memory);

    is_u64(zone->judged, 3, "a tick whose worker is killed");
    ok(memcmp(before, &zone->judges[zone->judged & 1], sizeof(*before)) == 0,
       "has changed nothing");

    judge_tick();
    ok(judge_seen(0)->trials == 32 && judge_seen(0)->bad == 18,
       "and the next one judges what it would have");

    free(zone);
    free(before);

    return tap_done();
}
