/*
 * The page in each state: its sentence, what its tiles draw, its size and its
 * time; and its curves, read back from the SVG and held against what was
 * counted.
 */

#define _POSIX_C_SOURCE  200112L

#include <time.h>

#include "tap.h"

#include "driver/picture.h"
#include "driver/states.h"

#include "../../src/pure/ngx_canary_interval.h"


#define WIDTH    3600.0                 /* of a plot, in its own units */
#define HEIGHT   1000.0
#define PLACES   1000
#define LARGEST  100000                 /* bytes */
#ifndef SLOWEST
#define SLOWEST  2000.0                 /* us */
#endif


typedef struct {
    size_t   n;
    double   x[PLACES];
    double   y[PLACES];                 /* from the bottom, as x: 0 to 1 */
} places_t;


static char *
rendered(const char *state, ngx_canary_snapshot_t *snap)
{
    if (!states_take(snap, state)) {
        return NULL;
    }

    return picture_render(ngx_canary_render_page, snap, 256);
}


/* the points of a path of class "class" behind "from": M x y, l dx dy, h0 */
static void
read_back(const char *from, const char *class, places_t *places)
{
    long   x, y, dx, dy;
    char   open[64];
    char  *end;

    memset(places, 0, sizeof(*places));
    snprintf(open, sizeof(open), "<path class=\"%s\" d=\"", class);

    from = strstr(from, open);

    if (from == NULL) {
        return;
    }

    x = 0;
    y = 0;

    for (from += strlen(open); *from != '"'; /* void */ ) {

        switch (*from) {

        case 'M':
            x = strtol(from + 1, &end, 10);
            y = strtol(end, &end, 10);
            break;

        case 'h':
            from += 2;
            continue;

        case 'l':
            from++;
            continue;

        default:
            dx = strtol(from, &end, 10);
            dy = strtol(end, &end, 10);
            x += dx;
            y += dy;
        }

        if (end == from || places->n == PLACES) {
            places->n = 0;
            return;
        }

        places->x[places->n] = (double) x / WIDTH;
        places->y[places->n++] = 1 - (double) y / HEIGHT;
        from = end;
    }
}


/* what the pointer finds stands where it is drawn */
static void
pointed(const char *text, const places_t *places)
{
    long         at;
    char        *end;
    size_t       n, wrong;
    const char  *p;

    wrong = 0;
    p = strstr(text, "data-points=\"") + strlen("data-points=\"");

    for (n = 0; *p != '"' && n < places->n; n++) {
        at = strtol(p, &end, 10);
        wrong += end == p || at != lround(places->x[n] * WIDTH);

        p = end + strcspn(end, "\n\"");
        p += *p == '\n';
    }

    ok(n == places->n && *p == '"' && wrong == 0,
       "%zu points to point at, %zu elsewhere", n, wrong);
}


/* "class" draws errors of variant v, two points of 10 s as one, up to "top" */
static void
errors(const char *text, const ngx_canary_split_t *split, size_t v,
    const char *class, double top)
{
    size_t                            i, n, wrong;
    double                            part;
    places_t                          places;
    const ngx_canary_point_t         *p;
    const ngx_canary_point_counts_t  *c;

    text = strstr(text, "id=\"errors-hour\"");
    read_back(text, class, &places);

    p = split->history[NGX_CANARY_SERIES_HOUR].points;
    c = split->history[NGX_CANARY_SERIES_HOUR].counts[v];
    n = 0;
    wrong = 0;

    for (i = 0; i < split->history->npoints; n++) {
        uint32_t  bad, all;

        bad = c[i].errors;
        all = c[i].samples;

        if (i + 1 < split->history->npoints
            && p[i + 1].start_ms / 20000 == p[i].start_ms / 20000)
        {
            bad += c[i + 1].errors;
            all += c[i + 1].samples;
            i++;
        }

        i++;
        part = (double) bad / (double) all;
        wrong += n >= places.n || fabs(places.y[n] * top - part) > top / HEIGHT;
    }

    is_u64(places.n, n, class);
    pointed(text, &places);
    is_u64(wrong, 0, "error rates are at their places");
}


/* the tail: from the buckets, one by one, to the place of the curve */
static void
tails(const char *text, const ngx_canary_split_t *split, size_t v,
    const char *class)
{
    size_t                       i, k, wrong, near;
    double                       from, to, us, part;
    uint64_t                     above;
    places_t                     places;
    const ngx_canary_latency_t  *l, *other;

    read_back(strstr(text, "id=\"tail\""), class, &places);

    other = &split->variants[!v].figures[NGX_CANARY_STAGE].latency;
    l = &split->variants[v].figures[NGX_CANARY_STAGE].latency;
    from = (double) (l->min_us < other->min_us ? l->min_us : other->min_us);
    to = (double) (l->max_us > other->max_us ? l->max_us : other->max_us);
    to = fmax(to, 1000000) * 1.3;
    wrong = 0;
    near = 0;

    for (i = 0; i < places.n; i++) {
        us = from * pow(to / from, places.x[i]);
        above = 0;

        for (k = 0; k < NGX_CANARY_HIST_BUCKETS; k++) {
            if ((double) ngx_canary_hist_upper(k) > us * 1.0005) {
                above += l->hist[k];
            }
        }

        part = (double) above / (double) l->count;
        near += part > 0.01;
        wrong += part > 0.01
                 && fabs(log10(part) - (places.y[i] - 1) * 4) > 0.05;
    }

    ok(near > 30 && wrong == 0, "%s: %zu places of the tail, %zu wrong", class,
       near, wrong);
}


/* each tag that is opened is closed, in order; returns where not, or NULL */

static const char *
unbalanced(const char *p)
{
    int          closes;
    size_t       n, depth, len;
    const char  *name, *open[64];

    static const char  *empty[] = { "meta", "link", "br", "col" };

    depth = 0;

    while ((p = strchr(p, '<')) != NULL) {

        if (p[1] == '!') {
            p++;
            continue;
        }

        closes = (p[1] == '/');
        name = p + 1 + closes;
        len = strcspn(name, " />\n");
        p = strchr(name, '>');

        if (p == NULL || len == 0) {
            return name;
        }

        for (n = 0; n < sizeof(empty) / sizeof(empty[0]); n++) {
            if (strlen(empty[n]) == len && memcmp(empty[n], name, len) == 0) {
                break;
            }
        }

        if (p[-1] == '/' || n < sizeof(empty) / sizeof(empty[0])) {
            continue;
        }

        if (!closes) {
            if (depth == sizeof(open) / sizeof(open[0])) {
                return name;
            }

            open[depth++] = name;
            continue;
        }

        if (depth == 0 || memcmp(open[--depth], name, len) != 0
            || strcspn(open[depth], " />\n") != len)
        {
            return name;
        }
    }

    return depth ? open[depth - 1] : NULL;
}


/* a disc in the tab of the browser for what needs nobody, else a square */
static void
icons(void)
{
    char                   *text;
    size_t                  i;
    ngx_canary_snapshot_t   snap;

    static const struct {
        const char         *state;
        const char         *corner;
        const char         *colour;
    } rows[] = {
        { "young", "8", "8a6d00" },
        { "pass", "8", "15803d" },
        { "off", "8", "6b7280" },
        { "none", "8", "6b7280" },
        { "failed", "2", "b91c1c" },
        { "rolled", "2", "b91c1c" },
        { "person", "2", "b91c1c" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char  icon[64];

        text = rendered(rows[i].state, &snap);
        snprintf(icon, sizeof(icon),
                 "rx=&quot;%s&quot; fill=&quot;%%23%s&quot;", rows[i].corner,
                 rows[i].colour);
        ok(text && strstr(text, icon) != NULL, "%s: its icon: %s",
           rows[i].state, icon);
        free(text);
    }
}


/* where no gate has one, no limit is drawn */
static void
limitless(void)
{
    char                   *text;
    ngx_canary_snapshot_t   snap;

    text = rendered("pass", &snap);
    ok(picture_count(text, "<path class=\"limit\"") >= 2, "limits are drawn");
    free(text);

    (void) states_take(&snap, "pass");
    snap.splits[0].nrules = 0;
    snap.splits[0].ngates = 0;
    text = picture_render(ngx_canary_render_page, &snap, 256);
    is_u64(picture_count(text, "<path class=\"limit\""), 0,
           "none without gates");
    free(text);
}


static void
sentences(void)
{
    char                   *text;
    size_t                  i;
    ngx_canary_snapshot_t   snap;

    static const struct {
        const char         *state;
        const char         *text;
    } rows[] = {
        { "young", "Nothing speaks against the canary.</strong> 1 of 8 gates "
                   "pass. 7 gates wait for samples. The last of them, "
                   "p99 &lt;= 1s, needs " },
        { "pass", "Nothing speaks against the canary.</strong> All 8 gates "
                  "pass.</p>" },
        { "failed", "The canary fails and still gets requests.</strong> "
                    "p95 &lt;= 500ms is broken: " },
        { "rolled", "Rolled back at 12:58:07 UTC by the gate p95 &lt;= "
                    "500ms.</strong> " },
        { "person", "Rolled back at 12:58:07 UTC by anna: timeouts in search."
                    "</strong> No request reaches sliceB_documents.</p>" },
        { "off", "Off since 12:10:02 UTC.</strong> No request reaches "
                 "sliceB_documents.</p>" },
        { "none", "No canary.</strong> All requests go to documents.</p>" },
        { "three", "Gates of sliceB_documents_3</h2>" },
        { "hostile", "&lt;/h1&gt;&lt;script&gt;www" },
        { "empty", "<p>No upstream is split.</p>" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = rendered(rows[i].state, &snap);
        ok(text && strstr(text, rows[i].text) != NULL, "%s: %s",
           rows[i].state, rows[i].text);
        ok(text && picture_count(text, "nan") + picture_count(text, "style=")
                   == 0, "%s: nothing that is no number, no style",
           rows[i].state);
        ok(text && strlen(text) < LARGEST, "%s: %zu bytes", rows[i].state,
           text ? strlen(text) : 0);
        ok(text && unbalanced(text) == NULL, "%s: tags: %.40s", rows[i].state,
           text && unbalanced(text) ? unbalanced(text) : "balanced");
        free(text);
    }
}


/* without markup, and with what the escapes of HTML or JSON mean */
static void
plain(char *text, const char *end, int html)
{
    char   *to;
    size_t  i;

    static const struct {
        const char  *from;
        char         to;
    } escapes[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&#39;", '\'' },
        { "&quot;", '"' }, { "\\\"", '"' }, { "\\\\", '\\' }
    };

    to = text;

    while (text < end) {

        if (html && *text == '<') {
            text = strchr(text, '>') + 1;
            continue;
        }

        for (i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
            if (strncmp(text, escapes[i].from, strlen(escapes[i].from)) == 0) {
                break;
            }
        }

        if (i < sizeof(escapes) / sizeof(escapes[0])) {
            text += strlen(escapes[i].from);
            *to++ = escapes[i].to;

        } else {
            *to++ = *text++;
        }
    }

    *to = '\0';
}


/* status.json has the words and the icon of the page */
static void
same_words(void)
{
    char                   *page, *json, *said, *text, *end;
    size_t                  i;
    ngx_canary_snapshot_t   snap;

    static const char *states[] = {
        "young", "pending", "pass", "failed", "rolled", "person", "off",
        "none", "three", "hostile"
    };

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        page = rendered(states[i], &snap);
        json = picture_render(ngx_canary_render_json, &snap, 256);

        said = strstr(page, "<p class=\"say ");
        plain(said, strstr(said, "</p>"), 1);

        text = strstr(json, "\"icon\":\"") + strlen("\"icon\":\"");
        end = strchr(text, '"');
        ok(strncmp(said, text, (size_t) (end - text)) == 0, "%s: the icon",
           states[i]);
        said += end - text + 1;

        text = strstr(end, "\"sentence\":\"") + strlen("\"sentence\":\"");
        end = strstr(text, "\",\"state_file\"");

        plain(text, end, 0);
        is_text(text, said, states[i]);
        free(page);
        free(json);
    }
}


/* where there is more than one canary, each gate says whose it is */

static void
whose(void)
{
    char                   *text;
    size_t                  i;
    ngx_canary_snapshot_t   snap;

    static const struct {
        const char         *state;
        size_t              canaries;   /* that are named */
    } rows[] = {
        { "pass", 0 }, { "two", 2 }, { "three", 3 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = rendered(rows[i].state, &snap);
        is_u64(picture_count(text, "<h2>Gates of sliceB_documents"),
               rows[i].canaries, "headings of tiles");
        is_u64(picture_count(text, "<td>sliceB_documents p95 &lt;= 500ms</td>"),
               rows[i].canaries > 0, "rows of the table");
        is_u64(picture_count(text, "<td>sliceB_documents_2 p95 &lt;= 500ms<"),
               rows[i].canaries > 1, "of the second");
        is_u64(picture_count(text, " of sliceB_documents<")
               + picture_count(text, " of sliceB_documents_2<")
               + picture_count(text, " of sliceB_documents_3<"),
               rows[i].canaries ? rows[i].canaries + 2 : 0,
               "and the gate with the most evidence, in two charts");
        free(text);
    }
}


static void
overview(void)
{
    char                   *text;
    const char             *worst, *well, *off;
    ngx_canary_snapshot_t   snap;

    text = rendered("two-hundred", &snap);
    ok(strlen(text) < LARGEST, "200 splits: %zu bytes", strlen(text));
    is_u64(picture_count(text, "<a href=\"?upstream=service-"), 200,
           "a line each");

    worst = strstr(text, "\xe2\x9c\x95 rolled back</td>");
    well = strstr(text, "\xe2\x9c\x93 go</td>");
    off = strstr(text, "\xe2\x97\x8b off</td>");
    ok(worst && well && off && worst < well && well < off,
       "the worst on top");
    is_u64(picture_count(well, "rolled back</td>"), 0, "all of them");
    free(text);
}


/* points whose clock was set in the middle of them */

static void
clocks(void)
{
    char                   *text;
    long                    at, wrong;
    size_t                  i, k, labels;
    const char             *p;
    ngx_canary_snapshot_t   snap;

    static ngx_canary_point_t    points[NGX_CANARY_HISTORY_POINTS];
    static ngx_canary_history_t  history[NGX_CANARY_SERIES];

    static const struct {
        const char         *name;
        int64_t             ms;         /* the later points are so much later */
    } rows[] = {
        { "by nothing", 0 },
        { "back by 25 s", -25000 },
        { "back by an hour", -3600000 },
        { "back by ten years", -315360000000 },
        { "on by an hour", 3600000 },
        { "on by ten years", 315360000000 },
        { "on by 1000 years", 31557600000000 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void) states_take(&snap, "pass");
        memcpy(history, snap.splits[0].history, sizeof(history));
        memcpy(points, history[0].points, sizeof(points));

        for (k = history[0].npoints / 2 + 1; k < history[0].npoints; k++) {
            points[k].start_ms += (uint64_t) rows[i].ms;
        }

        history[0].points = points;
        history[1].points = points;
        snap.splits[0].history = history;
        text = picture_render(ngx_canary_render_page, &snap, 256);

        ok(strlen(text) < LARGEST, "set %s: %zu bytes", rows[i].name,
           strlen(text));
        labels = picture_count(text, "class=\"mid\" y=\"144\"");
        ok(labels > 0 && labels <= 6 * 7, "no label on another one");

        wrong = 0;
        p = strstr(text, "data-points=\"") + strlen("data-points=\"");

        for (k = 0; *p != '"'; k++) {
            at = strtol(p, NULL, 10);
            wrong += at < 0 || at > (long) WIDTH;

            p += strcspn(p, "\n\"");
            p += *p == '\n';
        }

        ok(k > 100 && wrong == 0, "%zu points in the picture, %ld beside it",
           k, wrong);
        free(text);
    }
}


static void
duration(void)
{
    size_t                  i;
    double                  us;
    struct timespec         from, to;
    ngx_canary_snapshot_t   snap;

    (void) states_take(&snap, "three");
    us = 1e9;

    /* the best of several, as the processor has it: others use it as well */

    for (i = 0; i < 20; i++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        free(picture_render(ngx_canary_render_page, &snap, 8192));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        us = fmin(us, (double) (to.tv_sec - from.tv_sec) * 1e6
                      + (double) (to.tv_nsec - from.tv_nsec) / 1e3);
    }

    ok(us < SLOWEST, "%.0f us for a split of three canaries", us);
}


/* the points of a gate's line, as parts of the same axis as its limit */
static void
tile(const char *text, const ngx_canary_split_t *split)
{
    char        *end;
    double       limit, at, low, high, from, to, part;
    const char  *p, *label;

    /* error_rate <= 1%: the axis ends at half as much again as the limit */

    p = strstr(text, "<h3>error_rate &lt;= 1%");
    label = strstr(p, "aria-label=\"canary ") + strlen("aria-label=\"canary ");
    part = strtod(label, &end);
    ok(end > label && *end == '%'
       && fabs(part - (double) split->gates[3].actual / 10000) < 0.006,
       "it is said to be at %g%%", part);
    label = strstr(end, "; baseline ");
    ok(label && label < strchr(end, '"')
       && strstr(label, "; limit ") < strchr(end, '"'),
       "beside the baseline and the limit");
    p = strstr(p, "class=\"limit\"");
    limit = strtod(strstr(p, "x1=\"") + 4, NULL);
    p = strstr(p, "class=\"sure v1\"");
    from = strtod(strstr(p, "x1=\"") + 4, NULL);
    to = strtod(strstr(p, "x2=\"") + 4, NULL);
    p = strstr(p, "circle class=\"v1\"");
    at = strtod(strstr(p, "cx=\"") + 4, NULL);

    ngx_canary_interval_part((double) split->gates[3].canary[1].bad,
                             (double) split->gates[3].canary[1].n, &low,
                             &high);

    ok(fabs(limit - 100 / 1.5) < 0.01, "the limit at %.2f%%", limit);
    ok(fabs(at / limit - (double) split->gates[3].actual / 10000) < 0.001,
       "the canary at %.2f%%", at);
    ok(fabs(from / limit - low * 100) < 0.001
       && fabs(to / limit - high * 100) < 0.001,
       "its interval from %.2f%% to %.2f%%", from, to);
}


int
main(void)
{
    char                   *text;
    ngx_canary_snapshot_t   snap;

    sentences();
    icons();
    limitless();
    same_words();
    whose();
    overview();
    clocks();
    duration();

    text = rendered("rolled", &snap);
    errors(text, &snap.splits[0], 0, "curve v0", 0.05);
    errors(text, &snap.splits[0], 1, "curve v1", 0.05);
    tails(text, &snap.splits[0], 0, "curve v0");
    tails(text, &snap.splits[0], 1, "curve v1");
    free(text);

    text = rendered("pass", &snap);
    tile(text, &snap.splits[0]);
    free(text);

    return tap_done();
}
