/* The page for people. */

#include "tap.h"

#include "driver/picture.h"


static const char  *sample[] = {
    "<!DOCTYPE html>",
    "stage1_5pct for 12 s &middot; generation 3 &middot; "
        "2025-11-22 21:10:12 UTC</p>",
    "<h1>documents <span>&rarr; sliceB_documents</span></h1>",
    "<strong>No gate judges the canary.</strong>",
    "<rect class=\"v0\" x=\"0%\" width=\"95%\" height=\"100%\"/>",
    "<rect class=\"v1\" x=\"95%\" width=\"5%\" height=\"100%\"/>",
    "baseline <b>documents</b> 95%, 121/s",
    "canary <b>sliceB_documents</b> 5%, 6.35/s",
    "<footer>loaded 2025-11-22 21:10:00 UTC",
    ">error rate</th><td class=\"first\">0.2051%</td><td>1.3333%</td>",
    ">requests</th><td class=\"first\">1463</td><td>77</td>"
        "<td class=\"first\">1463</td><td>77</td>"
        "<td class=\"first\">1463</td><td>77</td></tr>",
    ">share</th><td class=\"first\">95%</td><td>5%</td>",
    ">throughput</th><td class=\"first\">120.69/s</td><td>6.35/s</td>",
    ">responses 5xx</th><td class=\"first\">0</td><td>1</td>",
    ">latency sum</th><td class=\"first\">123.457 s</td><td>12.9 s</td>",
    ">latency mean</th><td class=\"first\">84.502 ms</td><td>167.532 ms</td>",
    ">latency min</th><td class=\"first\">999 &micro;s</td><td>51 ms</td>",
    ">latency p95</th><td class=\"first\">241.5 ms</td><td>385 ms</td>",
    "<link rel=\"stylesheet\" href=\"page.css\">",
    "<script src=\"page.js\" defer></script>",
    "href=\"status.json\"",
    "href=\"metrics\"",
    "</html>\n"
};


static ngx_canary_split_t  split;


static char *
rendered(const char *picture, size_t step)
{
    ngx_canary_snapshot_t  snap;

    (void) picture_take(&snap, &split, picture);

    return picture_render(ngx_canary_render_page, &snap, step);
}


/* dates that `date -u -d @N` gives */
static void
dates(void)
{
    char                   *text;
    size_t                  i;
    ngx_canary_snapshot_t   snap;

    static const struct {
        uint64_t            ms;
        const char         *text;
    } moments[] = {
        { 0, ">loaded 1970-01-01 00:00:00 " },
        { 951782399999, ">loaded 2000-02-28 23:59:59 " },
        { 951782400000, ">loaded 2000-02-29 00:00:00 " },
        { 951868800000, ">loaded 2000-03-01 00:00:00 " },
        { 1735689599000, ">loaded 2024-12-31 23:59:59 " },
        { 1735689600000, ">loaded 2025-01-01 00:00:00 " },
        { 4107542399000, ">loaded 2100-02-28 23:59:59 " },
        { 4107542400000, ">loaded 2100-03-01 00:00:00 " },
        { 253402300799000, ">loaded 9999-12-31 23:59:59 " },
        { 253402300800000, ">loaded 253402300800.000 " }
    };

    for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        (void) picture_take(&snap, &split, "none");
        snap.loaded_at_ms = moments[i].ms;

        text = picture_render(ngx_canary_render_page, &snap, 256);
        is_u64(picture_count(text, moments[i].text), 1, moments[i].text);
        free(text);
    }
}


static void
ages(void)
{
    char                   *text;
    ngx_canary_snapshot_t   snap;

    (void) picture_take(&snap, &split, "sample");

    split.stage_elapsed_us = 3599999999;
    text = picture_render(ngx_canary_render_page, &snap, 256);
    is_u64(picture_count(text, " for 59 min "), 1, "age below an hour");
    free(text);

    split.stage_elapsed_us = 93600000000;
    text = picture_render(ngx_canary_render_page, &snap, 256);
    is_u64(picture_count(text, " for 26 h 0 min "), 1, "age of hours");
    free(text);
}


static void
hostile(void)
{
    char  *text;

    text = rendered("hostile", 256);

    is_u64(picture_count(text, "<script"), 1, "no markup from names");
    is_u64(picture_count(text, "<b>"), picture_count(text, "</b>"),
           "elements stay closed");
    ok(picture_count(text, "&lt;script&gt;alert(&#39;x&#39;)") > 5,
       "it is escaped");
    is_u64(picture_count(text, "\xff") + picture_count(text, "\xed\xa0"), 0,
           "no bytes that are no UTF-8");
    free(text);
}


/* a location whose prefix was asked for without the slash behind it */
static void
links(void)
{
    char                   *text;
    size_t                  i;
    ngx_canary_snapshot_t   snap;

    static const struct {
        const char         *page;
        const char         *link;
    } pages[] = {
        { "canary", "href=\"./canary/page.css\"" },
        { "canary", "src=\"./canary/page.js\"" },
        { "canary", "href=\"./canary/status.json\"" },
        { "canary", "href=\"./canary/metrics\"" },
        { "a:b", "href=\"./a:b/metrics\"" },
        { "%22", "href=\"./%22/metrics\"" },
        { "\"><b>", "href=\"./&quot;&gt;&lt;b&gt;/metrics\"" }
    };

    for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        (void) picture_take(&snap, &split, "sample");
        snap.page = picture_str(pages[i].page, strlen(pages[i].page));

        text = picture_render(ngx_canary_render_page, &snap, 256);
        is_u64(picture_count(text, pages[i].link), 1, pages[i].link);
        free(text);
    }
}


int
main(void)
{
    char    *text, *small, *newest;
    ngx_canary_snapshot_t   snap;
    size_t   i;

    text = rendered("sample", 256);

    for (i = 0; i < sizeof(sample) / sizeof(sample[0]); i++) {
        ok(picture_count(text, sample[i]) == 1, "once: %.*s",
           (int) strcspn(sample[i], "\n"), sample[i]);
    }

    newest = strstr(text, "generation 3</td>");
    ok(newest && strstr(newest, "generation 2</td>"),
       "journal: the newest first");
    is_u64(picture_count(text, "colspan"), 3,
           "total, stage and window");
    is_u64(picture_count(text, ">count</th>") + picture_count(text, ">unique<")
           + picture_count(text, ">value "), 0, "no figures of events");
    is_u64(picture_count(text, "src=") - 1 + picture_count(text, "//"), 1,
           "nothing from elsewhere, but the name of SVG");
    is_u64(picture_count(text, "style=") + picture_count(text, "<style")
           + picture_count(text, "<script>")
           + picture_count(text, "javascript:"),
           0,
           "nothing inline");
    free(text);

    text = rendered("quiet", 256);
    is_u64(picture_count(text, ">latency p50</th><td class=\"first\">&ndash;"
                               "</td><td>&ndash;</td>"), 1,
           "a quantile of nothing");
    free(text);

    text = rendered("rolled", 256);
    is_u64(picture_count(text, "<strong>Rolled back:</strong> "
                               "rolled back by alice. No request reaches "
                               "sliceB_documents.</p>"), 1,
           "rolled back, and why");
    is_u64(picture_count(text, "rolled back &middot; documents"), 1,
           "the title says so");
    is_u64(picture_count(text, "<rect class=\"v1\""), 0,
           "no bar without a share");
    is_u64(picture_count(text, "id=\"journal\""), split.njournal > 0,
           "a journal where there is one");
    free(text);

    (void) picture_take(&snap, &split, "rolled");
    split.njournal = 0;
    text = picture_render(ngx_canary_render_page, &snap, 256);
    is_u64(picture_count(text, "id=\"journal\""), 0, "and else none");
    free(text);

    text = rendered("events", 256);
    is_u64(picture_count(text, "<tr><td>document_upload</td>"
                               "<td>sliceB_documents</td><td>19</td>"
                               "<td>18</td><td>135</td><td>10</td>"
                               "<td>10.5</td><td>31.5</td><td>50</td></tr>"),
           1, "an event with users and values");
    is_u64(picture_count(text, "<tr><td>login</td><td>documents</td>"
                               "<td>3</td><td>3</td><td>&ndash;</td><td></td>"
                               "<td>&ndash;</td><td>&ndash;</td>"
                               "<td>&ndash;</td></tr>"), 1,
           "and with neither");
    is_u64(picture_count(text, "<td>event</td>"), 1, "one table of events");
    free(text);

    text = rendered("gated", 256);
    is_u64(picture_count(text, "<td>event</td>"), 0, "none without events");
    free(text);

    text = rendered("none", 256);
    is_u64(picture_count(text, "No upstream is split."), 1, "no split");
    free(text);

    small = rendered("full", 1);
    text = rendered("full", 1024 * 1024);
    ok(small && text && strcmp(small, text) == 0,
       "the same text from the smallest rooms");
    free(small);
    free(text);

    dates();
    ages();
    hostile();
    links();

    return tap_done();
}
