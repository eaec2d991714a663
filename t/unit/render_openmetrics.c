/* OpenMetrics 1.0: where it differs from the text format 0.0.4. */

#include "tap.h"

#include "driver/picture.h"


#define LABELS  "{upstream=\"documents\",variant=\"sliceB_documents\""


static ngx_canary_split_t  split;


static char *
rendered(const char *picture, size_t step)
{
    ngx_canary_snapshot_t  snap;

    (void) picture_take(&snap, &split, picture);

    return picture_render(ngx_canary_render_openmetrics, &snap, step);
}


static int
ends(const char *text, const char *end)
{
    size_t  len, n;

    len = strlen(text);
    n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}


static void
counters(const char *text)
{
    is_u64(picture_count(text, "# TYPE nginx_canary_requests counter\n"), 1,
           "a counter's family has no _total");
    is_u64(picture_count(text, "# HELP nginx_canary_requests "), 1,
           "nor has its help");
    is_u64(picture_count(text, "# TYPE nginx_canary_unkeyed counter\n"), 1,
           "each counter's family");
    is_u64(picture_count(text, "_total counter\n"), 0, "no family in _total");
    is_u64(picture_count(text, "nginx_canary_requests_total" LABELS "} 77\n"
                               "nginx_canary_requests_created" LABELS
                               "} 1763840000.250\n"), 1,
           "creation after the sample of the same labels");
    is_u64(picture_count(text, "nginx_canary_errors_total" LABELS "} 1\n"), 1,
           "samples of counters have it");
}


static void
histogram(const char *text)
{
    is_u64(picture_count(text, "_bucket" LABELS ",le=\"0.005\"} 0\n"), 1,
           "bound of 5 ms");
    is_u64(picture_count(text, "_bucket" LABELS ",le=\"1.0\"} 77\n"), 1,
           "bound of 1 s is a float");
    is_u64(picture_count(text, "_bucket" LABELS ",le=\"10.0\"} 77\n"), 1,
           "bound of 10 s is a float");
    is_u64(picture_count(text, "le=\"1\""), 0, "no bound without a point");
    is_u64(picture_count(text, "_bucket" LABELS ",le=\"+Inf\"} 77\n"), 1,
           "bound of everything");
    is_u64(picture_count(text, "nginx_canary_latency_seconds_created" LABELS
                               "} 1763840000.250\n"), 1,
           "creation of the histogram");
}


int
main(void)
{
    char                   *text, *small;
    ngx_canary_snapshot_t   snap;

    text = rendered("sample", 256);
    counters(text);
    histogram(text);
    is_u64(picture_count(text, "# EOF"), 1, "one end mark");
    ok(ends(text, "\n# EOF\n"), "it is the last line");
    ok(picture_less(text, "window_latency") <= 9216,
       "a scrape without the window's quantiles is at most 9 KB");
    free(text);

    text = rendered("none", 256);
    ok(ends(text, "} 1\n# EOF\n"), "without splits: build info and the end");
    free(text);

    (void) picture_take(&snap, &split, "sample");
    split.created_ms = 0;
    text = picture_render(ngx_canary_render_openmetrics, &snap, 256);
    is_u64(picture_count(text, "_created"), 0, "creation unknown: left out");
    free(text);

    small = rendered("full", 1);
    text = rendered("full", 1024 * 1024);
    ok(small && text && strcmp(small, text) == 0,
       "the same text from the smallest rooms");
    free(small);
    free(text);

    return tap_done();
}
