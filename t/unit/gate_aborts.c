/*
 * No "go" while clients give up too many of a canary's requests: more than 5%
 * in the stage, and more than twice the baseline's part.
 */

#include "gate.h"


static void
count(size_t variant, ngx_canary_scope_e scope, uint64_t n)
{
    ngx_canary_count(&split.variants[variant].figures[scope], ABORTED) = n;
}


static void
aborted(size_t variant, uint64_t n, uint64_t requests)
{
    count(variant, NGX_CANARY_STAGE, n);
    split.variants[variant].figures[NGX_CANARY_STAGE].requests = requests;
}


/* a split whose only gate passes */

static void
passing(void)
{
    canary(error_rate(), 0, 100);
    text(&split.reason, "");
    text(&split.variants[1].name, "sliceB");
}


static void
is_verdict(ngx_canary_verdict_e verdict, const char *reason, const char *name)
{
    text(&split.reason, "");
    ngx_canary_gates_judge(&split);

    ok(split.verdict == verdict, "%s: the verdict", name);

    if (!ok(split.reason.len == strlen(reason)
            && memcmp(split.reason.data, reason, split.reason.len) == 0,
            "%s: the reason", name))
    {
        printf("#      got: %.*s\n# expected: %s\n", (int) split.reason.len,
               (const char *) split.reason.data, reason);
    }
}


static void
goes(const char *name)
{
    is_verdict(NGX_CANARY_VERDICT_GO, "", name);
}


static void
waits(const char *reason, const char *name)
{
    is_verdict(NGX_CANARY_VERDICT_PENDING, reason, name);
}


static void
test_boundaries(void)
{
    passing();
    goes("no requests");

    aborted(1, 0, 1000);
    goes("none given up");

    aborted(0, 0, 1000);
    aborted(1, 50, 1000);
    goes("5% exactly");

    aborted(1, 51, 1000);
    waits("no go: clients gave up 5.1% of the requests to sliceB in the stage, "
          "more than 5% and twice the baseline's 0%", "one more than 5%");

    aborted(0, 255, 10000);
    goes("twice the baseline's exactly");

    aborted(0, 254, 10000);
    waits("no go: clients gave up 5.1% of the requests to sliceB in the stage, "
          "more than 5% and twice the baseline's 2.54%",
          "one less of the baseline");

    aborted(0, 1000, 1000);
    aborted(1, 1000, 1000);
    goes("all of both sides");

    aborted(0, 0, 0);
    waits("no go: clients gave up 100% of the requests to sliceB in the stage, "
          "more than 5%", "the baseline has no requests");

    aborted(1, 50, 1000);
    goes("5% exactly, the baseline has no requests");

    /* 5% of 39 is 1.95 */

    aborted(1, 1, 39);
    goes("1 of 39");

    aborted(1, 2, 39);
    waits("no go: clients gave up 5.128% of the requests to sliceB in the "
          "stage, more than 5%", "2 of 39");
}


static void
test_others(void)
{
    char  name[256];

    /* the stage decides, not what was before or is now */

    passing();
    count(1, NGX_CANARY_TOTAL, 1000);
    split.variants[1].figures[NGX_CANARY_TOTAL].requests = 1000;
    count(1, NGX_CANARY_WINDOW, 1000);
    split.variants[1].figures[NGX_CANARY_WINDOW].requests = 1000;
    goes("in the total and the window only");

    /* a second canary, and the longest name */

    memset(name, 'x', 255);
    name[255] = '\0';

    passing();
    split.nvariants = 3;
    text(&split.variants[2].name, name);
    aborted(0, 1, 8);
    aborted(2, 2, 7);
    ngx_canary_gates_judge(&split);
    ok(split.verdict == NGX_CANARY_VERDICT_PENDING, "the second canary");
    is_u64(split.reason.len, sizeof("no go: clients gave up 28.57% of the "
                                    "requests to  in the stage, more than 5% "
                                    "and twice the baseline's 12.5%") - 1
                             + 255,
           "the longest name is there as a whole");

    /* where there was no go, there is nothing to say */

    passing();
    aborted(1, 1000, 1000);
    canary(&gates[0], 0, 99);
    waits("", "a gate that is pending");

    gates[0].evidence = THRESHOLD;
    is_verdict(NGX_CANARY_VERDICT_ROLLBACK, "", "a gate that fails");

    passing();
    aborted(1, 1000, 1000);
    split.ngates = 0;
    waits("", "no gates");

    passing();
    aborted(1, 1000, 1000);
    split.state = NGX_CANARY_STATE_ROLLED_BACK;
    text(&split.reason, "by anna");
    ngx_canary_gates_judge(&split);
    ok(split.verdict == NGX_CANARY_VERDICT_ROLLBACK
       && split.reason.len == 7 && memcmp(split.reason.data, "by anna", 7) == 0,
       "rolled back: the reason of that stays");
}


int
main(void)
{
    test_boundaries();
    test_others();

    return tap_done();
}
