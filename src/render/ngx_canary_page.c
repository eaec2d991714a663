/* The frame of the page: its head, and one split or a line for each. */

#include "ngx_canary_page.h"


static void ngx_canary_page_head(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
static void ngx_canary_page_title(const ngx_canary_snapshot_t *snap,
    const ngx_canary_look_t *look, ngx_canary_out_t *out);
static void ngx_canary_page_icon(const ngx_canary_look_t *look,
    ngx_canary_out_t *out);
static const ngx_canary_look_t *ngx_canary_page_worst(
    const ngx_canary_snapshot_t *snap);
static void ngx_canary_page_link(const ngx_canary_snapshot_t *snap,
    const char *name, ngx_canary_out_t *out);
static void ngx_canary_page_split(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
static void ngx_canary_page_heading(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_page_stage(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);
static void ngx_canary_page_foot(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out);


static const ngx_canary_str_t  ngx_canary_page_open = ngx_canary_text(
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n"
);


int
ngx_canary_render_page(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    ngx_canary_page_head(snap, out);

    /* told by the script; a place for it, so that nothing moves */

    ngx_canary_print(out, "<body>\n<p id=\"lost\" role=\"status\"></p>\n"
                          "<main data-time=\"%C UTC\">\n", snap->time_ms);

    if (snap->nsplits == 1) {
        ngx_canary_page_split(snap, out);

    } else {
        ngx_canary_page_overview(snap, out);
    }

    ngx_canary_out_lit(out, "</main>\n");
    ngx_canary_page_foot(snap, out);
    ngx_canary_out_lit(out, "</body>\n</html>\n");

    return ngx_canary_out_end(out);
}


static void
ngx_canary_page_head(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    const ngx_canary_look_t  *look;

    look = ngx_canary_page_worst(snap);

    ngx_canary_out_str(out, ngx_canary_page_open);
    ngx_canary_page_title(snap, look, out);
    ngx_canary_page_icon(look, out);
    ngx_canary_out_lit(out, "<link rel=\"stylesheet\" href=\"");
    ngx_canary_page_link(snap, "page.css", out);
    ngx_canary_out_lit(out, "\">\n<script src=\"");
    ngx_canary_page_link(snap, "page.js", out);
    ngx_canary_out_lit(out, "\" defer></script>\n</head>\n");
}


static void
ngx_canary_page_title(const ngx_canary_snapshot_t *snap,
    const ngx_canary_look_t *look, ngx_canary_out_t *out)
{
    ngx_canary_out_lit(out, "<title>");

    if (snap->nsplits) {
        ngx_canary_print(out, "%V %V &middot; ", &look->icon, &look->word);
    }

    if (snap->nsplits == 1) {
        ngx_canary_out_html(out, snap->splits[0].name);

    } else {
        ngx_canary_page_number(snap->nsplits, "split", "splits", out);
    }

    ngx_canary_out_lit(out, " &middot; canary</title>\n");
}


/* a disc for what needs nobody, a square for what does */
static void
ngx_canary_page_icon(const ngx_canary_look_t *look, ngx_canary_out_t *out)
{
    int  square;

    square = (look->class.data[0] == 'b' || look->class.data[2] == 'r');

    ngx_canary_print(out, "<link rel=\"icon\" href=\"data:image/svg+xml,"
                          "%%3Csvg xmlns=&quot;http://www.w3.org/2000/svg"
                          "&quot; viewBox=&quot;0 0 16 16&quot;%%3E"
                          "%%3Crect width=&quot;16&quot; height=&quot;16"
                          "&quot; rx=&quot;%s&quot; fill=&quot;%%23%V&quot;"
                          "/%%3E%%3C/svg%%3E\">\n",
                          square ? "2" : "8", &look->colour);
}


static const ngx_canary_look_t *
ngx_canary_page_worst(const ngx_canary_snapshot_t *snap)
{
    size_t             i;
    ngx_canary_mood_e  mood, worst;

    worst = NGX_CANARY_MOOD_NONE;

    for (i = 0; i < snap->nsplits; i++) {
        mood = ngx_canary_page_mood(&snap->splits[i]);
        worst = mood > worst ? mood : worst;
    }

    return ngx_canary_page_look(worst);
}


/* relative, for a location whose prefix was asked for without its slash too */
static void
ngx_canary_page_link(const ngx_canary_snapshot_t *snap, const char *name,
    ngx_canary_out_t *out)
{
    if (snap->page.len) {
        ngx_canary_print(out, "./%H/", &snap->page);
    }

    ngx_canary_print(out, "%s", name);
}


static void
ngx_canary_page_split(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    const ngx_canary_split_t  *split;

    split = &snap->splits[0];

    ngx_canary_out_lit(out, "<header>\n");

    if (snap->others) {
        ngx_canary_out_lit(out, "<p class=\"back\"><a href=\"?\">&larr; all ");
        ngx_canary_page_number(snap->others + 1, "split", "splits", out);
        ngx_canary_out_lit(out, "</a></p>\n");
    }

    ngx_canary_page_heading(split, out);
    ngx_canary_page_stage(snap, out);
    ngx_canary_out_lit(out, "</header>\n");

    ngx_canary_page_sentence(split, snap->time_ms, out);
    ngx_canary_page_share(split, out);
    ngx_canary_page_tiles(split, out);
    ngx_canary_page_times(split, out);
    ngx_canary_page_tail(split, out);
    ngx_canary_page_events(split, out);
    ngx_canary_page_tables(split, out);
    ngx_canary_page_journal(split, out);
}


/* "documents -> sliceB_documents" */
static void
ngx_canary_page_heading(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_print(out, "<h1>%H", &split->name);

    for (i = 1; i < split->nvariants; i++) {
        ngx_canary_print(out, "%s%H", i == 1 ? " <span>&rarr; " : ", ",
                         &split->variants[i].name);
    }

    ngx_canary_print(out, "%s</h1>\n", split->nvariants > 1 ? "</span>" : "");
}


static void
ngx_canary_page_stage(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    const ngx_canary_str_t    *stage;
    const ngx_canary_split_t  *split;

    static const ngx_canary_str_t  unnamed = ngx_canary_text("stage");

    split = &snap->splits[0];
    stage = split->stage.len ? &split->stage : &unnamed;

    ngx_canary_print(out, "<p class=\"dim\">%H for %A &middot; generation %u "
                          "&middot; %D UTC</p>\n",
                     stage, split->stage_elapsed_us, split->generation,
                     snap->time_ms);
}


static void
ngx_canary_page_foot(const ngx_canary_snapshot_t *snap, ngx_canary_out_t *out)
{
    ngx_canary_print(out, "<footer>loaded %D UTC &middot; <a href=\"",
                     snap->loaded_at_ms);
    ngx_canary_page_link(snap, "status.json", out);
    ngx_canary_out_lit(out, "\">status.json</a> &middot; <a href=\"");
    ngx_canary_page_link(snap, "metrics", out);
    ngx_canary_print(out, "\">metrics</a> &middot; canary %H &middot; nginx "
                          "%H</footer>\n",
                     &snap->version, &snap->server_version);
}
