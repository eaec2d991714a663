/* The text format 0.0.4 of Prometheus. */

#include "tap.h"

#include "driver/picture.h"


#define LABELS  "{upstream=\"documents\",variant=\"sliceB_documents\""


/* one line for each series of the canary and of the split */
static const char  *lines[] = {
    "# HELP nginx_canary_requests_total ",
    "# TYPE nginx_canary_requests_total counter\n",
    "# TYPE nginx_canary_latency_seconds histogram\n",
    "# TYPE nginx_canary_share_ratio gauge\n",
    "nginx_canary_build_info{version=\"0.1.0\",nginx_version=\"1.22.1\"} 1\n",
    "nginx_canary_generation{upstream=\"documents\"} 3\n",
    "nginx_canary_rolled_back{upstream=\"documents\"} 0\n",
    "nginx_canary_unkeyed_total{upstream=\"documents\"} 9\n",
    "nginx_canary_bypassed_total{upstream=\"documents\"} 31\n",
    "nginx_canary_verdict{upstream=\"documents\",verdict=\"pending\"} 1\n",
    "nginx_canary_verdict{upstream=\"documents\",verdict=\"go\"} 0\n",
    "nginx_canary_verdict{upstream=\"documents\",verdict=\"rollback\"} 0\n",
    "nginx_canary_stage_info{upstream=\"documents\",stage=\"stage1_5pct\"} "
        "1\n",
    "nginx_canary_stage_start_time_seconds{upstream=\"documents\","
        "stage=\"stage1_5pct\"} 1763845800.001\n",
    "nginx_canary_rollbacks_total{upstream=\"documents\",cause=\"gate\"} 0\n",
    "nginx_canary_rollbacks_total{upstream=\"documents\",cause=\"operator\"} "
        "2\n",
    "nginx_canary_rollbacks_total{upstream=\"documents\",cause=\"state\"} 0\n",
    "nginx_canary_rollbacks_total{upstream=\"documents\",cause=\"rehearsal\"} "
    "0\n",
    "nginx_canary_state_errors_total{upstream=\"documents\"} 4\n",
    "nginx_canary_share_ratio" LABELS "} 0.05\n",
    "nginx_canary_configured_share_ratio" LABELS "} 0.05\n",
    "nginx_canary_requests_total" LABELS "} 77\n",
    "nginx_canary_errors_total" LABELS "} 1\n",
    "nginx_canary_fallbacks_total" LABELS "} 1\n",
    "nginx_canary_aborted_total" LABELS "} 2\n",
    "nginx_canary_retries_total" LABELS "} 5\n",
    "nginx_canary_forced_total" LABELS "} 0\n",
    "nginx_canary_responses_total" LABELS ",class=\"1xx\"} 0\n",
    "nginx_canary_responses_total" LABELS ",class=\"2xx\"} 76\n",
    "nginx_canary_responses_total" LABELS ",class=\"3xx\"} 0\n",
    "nginx_canary_responses_total" LABELS ",class=\"4xx\"} 0\n",
    "nginx_canary_responses_total" LABELS ",class=\"5xx\"} 1\n",
    "nginx_canary_responses_total" LABELS ",class=\"none\"} 0\n",
    "nginx_canary_latency_seconds_bucket" LABELS ",le=\"0.005\"} 0\n",
    "nginx_canary_latency_seconds_bucket" LABELS ",le=\"0.1\"} 20\n",
    "nginx_canary_latency_seconds_bucket" LABELS ",le=\"1\"} 77\n",
    "nginx_canary_latency_seconds_bucket" LABELS ",le=\"10\"} 77\n",
    "nginx_canary_latency_seconds_bucket" LABELS ",le=\"+Inf\"} 77\n",
    "nginx_canary_latency_seconds_sum" LABELS "} 12.9\n",
    "nginx_canary_latency_seconds_count" LABELS "} 77\n"
};

static const char  *quantiles[] = {
    "nginx_canary_window_latency_seconds" LABELS ",q=\"0.5\"} 0.145\n",
    "nginx_canary_window_latency_seconds" LABELS ",q=\"0.9\"} 0.31\n",
    "nginx_canary_window_latency_seconds" LABELS ",q=\"0.95\"} 0.385\n",
    "nginx_canary_window_latency_seconds" LABELS ",q=\"0.99\"} 0.701\n",
    "nginx_canary_window_latency_seconds" LABELS ",q=\"0.999\"} 0.702\n"
};


static ngx_canary_split_t  splits[2];


static char *
rendered(const char *picture, size_t step)
{
    ngx_canary_snapshot_t  snap;

    (void) picture_take(&snap, splits, picture);

    return picture_render(ngx_canary_render_prometheus, &snap, step);
}


static void
once(const char *text, const char *const *part, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        ok(picture_count(text, part[i]) == 1, "once: %.*s",
           (int) strcspn(part[i], "\n"), part[i]);
    }
}


static void
rooms(const char *picture)
{
    char  *small, *large;

    small = rendered(picture, 1);
    large = rendered(picture, 1024 * 1024);

    ok(small && large && strcmp(small, large) == 0,
       "%s: the same text from the smallest rooms", picture);

    free(small);
    free(large);
}


/* all the series of a name stand together, under one HELP */
static void
families(void)
{
    char                   *text;
    ngx_canary_snapshot_t   snap;

    (void) picture_take(&snap, splits, "sample");
    splits[1] = splits[0];
    splits[1].name = PICTURE_STR("images");
    snap.nsplits = 2;

    text = picture_render(ngx_canary_render_prometheus, &snap, 256);

    is_u64(picture_count(text, "# TYPE "), picture_count(text, "# HELP "),
           "a TYPE for each HELP");
    is_u64(picture_count(text, "# TYPE nginx_canary_responses_total "), 1,
           "two splits, one TYPE");
    is_u64(picture_count(text, "{upstream=\"images\""),
           picture_count(text, "{upstream=\"documents\""),
           "each split has its own labels");
    is_u64(picture_count(text, "{upstream=\"images\",variant=\"documents\","
                               "le=\"+Inf\"} 1461\n"), 1,
           "the second split's histogram");
    free(text);

}


/* labels too long to be kept come out the same */
static void
long_names(void)
{
    char                    expected[700], name[500], *text;
    size_t                  len;
    ngx_canary_snapshot_t   snap;

    for (len = 200; len < 500; len += 17) {
        (void) picture_take(&snap, splits, "sample");
        memset(name, 'n', len);
        splits[0].variants[1].name = picture_str(name, len);

        snprintf(expected, sizeof(expected), "nginx_canary_errors_total{"
                 "upstream=\"documents\",variant=\"%.*s\"} 1\n", (int) len,
                 name);

        text = picture_render(ngx_canary_render_prometheus, &snap, 256);
        ok(picture_count(text, expected) == 1, "name of %d bytes", (int) len);
        free(text);
    }
}


int
main(void)
{
    char  *text;

    text = rendered("sample", 256);
    once(text, lines, sizeof(lines) / sizeof(lines[0]));
    once(text, quantiles, sizeof(quantiles) / sizeof(quantiles[0]));
    is_u64(picture_count(text, "_created"), 0, "no creation times");
    is_u64(picture_count(text, "# EOF"), 0, "no end mark");
    ok(picture_less(text, "window_latency") <= 9216,
       "a scrape without the window's quantiles is at most 9 KB");
    free(text);

    text = rendered("quiet", 256);
    is_u64(picture_count(text, "window_latency"), 0, "quantile of nothing");
    is_u64(picture_count(text, ",le=\"+Inf\"} 0\n"), 2, "empty histograms");
    free(text);

    text = rendered("rolled", 256);
    is_u64(picture_count(text, "nginx_canary_rolled_back{"
                               "upstream=\"documents\"} 1\n"), 1,
           "rolled back");
    is_u64(picture_count(text, "verdict=\"rollback\"} 1\n"), 1,
           "verdict rollback");
    is_u64(picture_count(text, "nginx_canary_share_ratio" LABELS "} 0\n"), 1,
           "no share in force");
    free(text);

    text = rendered("none", 256);
    is_u64(picture_count(text, "\n"), 3, "without splits: build info alone");
    free(text);

    text = rendered("hostile", 256);
    is_u64(picture_count(text, "nginx_canary_unkeyed_total{upstream=\"a\\\"b"
                         "\\\\c\\nd{e}<script>alert('x')</script>&"
                         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                         "\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac\xef\xbf\xbdz"
                         "\x1b\x7f\"} 9\n"), 1, "hostile name");
    free(text);

    rooms("sample");
    rooms("hostile");
    rooms("full");
    families();
    long_names();

    return tap_done();
}
