/*
 * Events on the page: which make a funnel, in which order its steps come, how
 * long their bars are and how many of the step before came to each.  The
 * expected parts are worked out by hand.
 */

#include "tap.h"

#include "driver/picture.h"


#define EVENTS  5


static ngx_canary_split_t  split;
static ngx_canary_event_t  events[EVENTS];
static ngx_canary_rule_t   rules[3];


static void
event(size_t i, const char *name, uint64_t baseline, uint64_t canary)
{
    memset(&events[i], 0, sizeof(ngx_canary_event_t));

    events[i].name.data = (const unsigned char *) name;
    events[i].name.len = strlen(name);
    events[i].figures[0][NGX_CANARY_STAGE].count = baseline;
    events[i].figures[1][NGX_CANARY_STAGE].count = canary;
}


/* of 1000 requests of the baseline, and 100 of the canary */

static void
ratio(size_t i, ngx_canary_op_e op, uint32_t of, uint32_t per)
{
    memset(&rules[i], 0, sizeof(ngx_canary_rule_t));

    rules[i].metric = NGX_CANARY_METRIC_EVENT_RATIO;
    rules[i].op = op;
    rules[i].event = of;
    rules[i].per = per;
}


static char *
page(size_t nrules)
{
    ngx_canary_snapshot_t  snap;

    (void) picture_take(&snap, &split, "sample");

    split.variants[0].figures[NGX_CANARY_STAGE].requests = 1000;
    split.variants[1].figures[NGX_CANARY_STAGE].requests = 100;
    split.nevents = EVENTS;
    split.events = events;
    split.nrules = nrules;
    split.rules = rules;

    return picture_render(ngx_canary_render_page, &snap, 256);
}


/* the names in bars, in their order, and what each is for */

static void
is_order(const char *text, const char *expected, const char *name)
{
    char         got[512];
    size_t       n;
    const char  *p, *end;

    n = 0;

    for (p = text; (p = strstr(p, "scope=\"rowgroup\">")) != NULL; p = end) {
        p += sizeof("scope=\"rowgroup\">") - 1;
        end = strstr(p, "</span>");
        n += (size_t) snprintf(got + n, sizeof(got) - n, "%.*s\n",
                               (int) (end - p), p);
    }

    got[n] = '\0';

    if (!ok(strcmp(got, expected) == 0, "%s", name)) {
        printf("# got: %s\n# expected: %s\n", got, expected);
    }
}


static void
has_bar(const char *text, unsigned v, const char *width, const char *rest,
    const char *name)
{
    char  part[256];

    (void) snprintf(part, sizeof(part), "<rect class=\"v%u\" height=\"100%%\" "
                    "width=\"%s\"/></svg></td><td>%s</td></tr>\n", v, width,
                    rest);

    if (!ok(picture_count(text, part) == 1, "%s: variant %u", name, v)) {
        printf("# expected one: %s\n", part);
    }
}


static void
test_funnel(void)
{
    char  *text;

    event(0, "uploaded", 90, 9);
    event(1, "started", 200, 40);
    event(2, "verified", 150, 20);
    event(3, "failed", 3, 1);
    event(4, "asked", 20, 10);

    events[1].unique = 1;
    events[1].figures[0][NGX_CANARY_STAGE].unique = 150;
    events[1].figures[1][NGX_CANARY_STAGE].unique = 1;
    events[3].unique = 1;

    ratio(0, NGX_CANARY_AT_LEAST, 0, 2);
    ratio(1, NGX_CANARY_AT_LEAST, 2, 1);
    ratio(2, NGX_CANARY_AT_MOST, 3, 0);

    text = page(3);

    is_order(text,
             "started <span>for each request\n"
             "<i aria-hidden=\"true\">&#8627;</i> verified <span>of started\n"
             "<i aria-hidden=\"true\">&#8627;</i> uploaded <span>of verified\n"
             "failed <span>for each request\n"
             "asked <span>for each request\n"
             "failed <span>for each uploaded\n", "a funnel first");

    /* 0.2 and 0.4 of the requests begin: 0.4 fills a bar */

    has_bar(text, 0, "50%", "20%</td><td>200 of 1000, by 150 users",
            "the first step");
    has_bar(text, 1, "100%", "40%</td><td>40 of 100, by 1 user",
            "the first step");
    has_bar(text, 0, "37.5%", "75%</td><td>150 of 200", "the second step");
    has_bar(text, 1, "50%", "50%</td><td>20 of 40", "the second step");
    has_bar(text, 0, "22.5%", "60%</td><td>90 of 150", "the third step");
    has_bar(text, 1, "22.5%", "45%</td><td>9 of 20", "the third step");

    /* rows are as long as they are of what they are counted for */

    has_bar(text, 0, "2%", "2%</td><td>20 of 1000", "a row");
    has_bar(text, 1, "10%", "10%</td><td>10 of 100", "a row");
    has_bar(text, 0, "3.33%", "3.33%</td><td>3 of 90", "a row of two");
    has_bar(text, 1, "11.11%", "11.1%</td><td>1 of 9", "a row of two");

    free(text);
}


/* one step leads to two others, and nothing came to it on one side */

static void
test_branches(void)
{
    char  *text;

    event(1, "started", 200, 0);
    ratio(0, NGX_CANARY_AT_LEAST, 4, 1);
    ratio(1, NGX_CANARY_AT_LEAST, 2, 1);

    text = page(2);

    is_order(text,
             "started <span>for each request\n"
             "<i aria-hidden=\"true\">&#8627;</i> verified <span>of started\n"
             "<i aria-hidden=\"true\">&#8627;</i> asked <span>of started\n"
             "uploaded <span>for each request\n"
             "failed <span>for each request\n", "a funnel with two ends");
    has_bar(text, 1, "0%", "0%</td><td>0 of 100", "nobody began");
    has_bar(text, 1, "100%", "&ndash;</td><td>20 of 0", "of nobody");

    free(text);
}


/* a ring has no first step, and what hangs on it none either */

static void
test_ring(void)
{
    char  *text;

    ratio(0, NGX_CANARY_AT_LEAST, 1, 2);
    ratio(1, NGX_CANARY_AT_LEAST, 2, 1);
    ratio(2, NGX_CANARY_AT_LEAST, 0, 2);

    text = page(3);

    is_order(text,
             "uploaded <span>for each request\n"
             "started <span>for each request\n"
             "verified <span>for each request\n"
             "failed <span>for each request\n"
             "asked <span>for each request\n"
             "started <span>for each verified\n"
             "verified <span>for each started\n"
             "uploaded <span>for each verified\n", "a ring is no funnel");

    free(text);
}


int
main(void)
{
    test_funnel();
    test_branches();
    test_ring();

    return tap_done();
}
