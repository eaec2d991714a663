#include "ngx_canary_page.h"

#include "../pure/ngx_canary_hist.h"

#include <string.h>


static void ngx_canary_json_rows(const void *base, ngx_canary_level_e level,
    const uint64_t *hist, ngx_canary_out_t *out);
static void ngx_canary_json_value(const ngx_canary_metric_t *m,
    const void *base, ngx_canary_out_t *out);
static void ngx_canary_json_split(const ngx_canary_split_t *split,
    uint64_t now_ms, ngx_canary_out_t *out);
static void ngx_canary_json_state_file(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_json_variant(const ngx_canary_variant_t *variant,
    ngx_canary_out_t *out);
static void ngx_canary_json_hist(const uint64_t *hist, ngx_canary_out_t *out);
static void ngx_canary_json_events(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);
static void ngx_canary_json_event(const ngx_canary_event_t *event,
    const ngx_canary_event_figures_t *figures, ngx_canary_out_t *out);
static void ngx_canary_json_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out);


static const char  *ngx_canary_scopes[NGX_CANARY_SCOPES] = {
    "total", "stage", "window"
};


int
ngx_canary_render_json(const ngx_canary_snapshot_t *snap,
    ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_out_lit(out, "{");
    ngx_canary_json_rows(snap, NGX_CANARY_LEVEL_SNAPSHOT, NULL, out);
    ngx_canary_out_lit(out, ",\"splits\":{");

    for (i = 0; i < snap->nsplits && !out->failed; i++) {
        ngx_canary_print(out, "%s%J:{", i ? "," : "", &snap->splits[i].name);
        ngx_canary_json_split(&snap->splits[i], snap->time_ms, out);
    }

    ngx_canary_out_lit(out, "}}\n");

    return ngx_canary_out_end(out);
}


int
ngx_canary_render_state(const ngx_canary_split_t *split, int changed,
    const char *warning, ngx_canary_out_t *out)
{
    ngx_canary_str_t  text;

    ngx_canary_print(out, "{\"split\":%J,\"state\":%J,\"reason\":%J,"
                          "\"generation\":%u,\"changed\":%s",
                     &split->name, &ngx_canary_states[split->state],
                     &split->reason, split->generation,
                     changed ? "true" : "false");

    /* is it in the state file as well */

    if (split->state_path.data == NULL) {
        ngx_canary_out_lit(out, ",\"written\":null");

    } else if (split->state_error.len == 0) {
        ngx_canary_out_lit(out, ",\"written\":true");

    } else {
        ngx_canary_print(out, ",\"written\":false,\"error\":%J",
                         &split->state_error);
    }

    if (warning) {
        text.len = strlen(warning);
        text.data = (const unsigned char *) warning;

        ngx_canary_print(out, ",\"warning\":%J", &text);
    }

    ngx_canary_out_lit(out, "}\n");

    return ngx_canary_out_end(out);
}


int
ngx_canary_render_error(ngx_canary_str_t text, ngx_canary_out_t *out)
{
    ngx_canary_print(out, "{\"error\":%J}\n", &text);

    return ngx_canary_out_end(out);
}


/*
 * The members of an object, from the rows of its level, a split's stage among
 * them; with a histogram, or NULL, in the last that is an object itself.
 */
static void
ngx_canary_json_rows(const void *base, ngx_canary_level_e level,
    const uint64_t *hist, ngx_canary_out_t *out)
{
    int                         first;
    ngx_canary_level_e          to;
    const ngx_canary_str_t     *object;
    const ngx_canary_metric_t  *m, *end;

    first = 1;
    to = level == NGX_CANARY_LEVEL_SPLIT ? NGX_CANARY_LEVEL_STAGE : level;
    object = NULL;
    end = ngx_canary_metrics + ngx_canary_nmetrics;

    for (m = ngx_canary_metrics; m < end; m++) {

        if (m->level < level || m->level > to || m->key.len == 0) {
            continue;
        }

        if (object && !ngx_canary_metric_same(&m->object, object)) {
            ngx_canary_out_lit(out, "}");
            object = NULL;
        }

        if (!first) {
            ngx_canary_out_lit(out, ",");
        }

        if (object == NULL && m->object.len) {
            ngx_canary_print(out, "\"%V\":{", &m->object);
            object = &m->object;
        }

        ngx_canary_out_lit(out, "\"");
        ngx_canary_out_str(out, m->key);
        ngx_canary_out_lit(out, "\":");
        ngx_canary_json_value(m, base, out);

        first = 0;
    }

    if (hist) {
        ngx_canary_json_hist(hist, out);
    }

    if (object) {
        ngx_canary_out_lit(out, "}");
    }
}


static void
ngx_canary_json_value(const ngx_canary_metric_t *m, const void *base,
    ngx_canary_out_t *out)
{
    if (ngx_canary_metric_null(m, base)) {
        ngx_canary_out_lit(out, "null");
        return;
    }

    switch (m->kind) {

    case NGX_CANARY_KIND_TEXT:
    case NGX_CANARY_KIND_STATE:
    case NGX_CANARY_KIND_STATUS:
    case NGX_CANARY_KIND_VERDICT:
        ngx_canary_out_json(out, ngx_canary_metric_text(m, base));
        break;

    default:
        ngx_canary_metric_number(m, base, out);
    }
}


static void
ngx_canary_json_split(const ngx_canary_split_t *split, uint64_t now_ms,
    ngx_canary_out_t *out)
{
    size_t                    i;
    ngx_canary_mood_e         mood;
    const ngx_canary_look_t  *look;

    ngx_canary_json_rows(split, NGX_CANARY_LEVEL_SPLIT, NULL, out);

    /* as the page shows it; the worse, the higher its rank */

    mood = ngx_canary_page_mood(split);
    look = ngx_canary_page_look(mood);

    ngx_canary_print(out, ",\"mood\":{\"word\":%J,\"class\":%J,\"icon\":%J,"
                          "\"rank\":%u},\"sentence\":",
                     &look->word, &look->class, &look->icon, (uint64_t) mood);
    ngx_canary_json_sentence(split, now_ms, out);
    ngx_canary_out_lit(out, ",\"state_file\":");
    ngx_canary_json_state_file(split, out);
    ngx_canary_out_lit(out, ",\"gates\":[");

    for (i = 0; i < split->ngates && !out->failed; i++) {
        ngx_canary_print(out, "%s{", i ? "," : "");
        ngx_canary_json_rows(&split->gates[i], NGX_CANARY_LEVEL_GATE, NULL,
                             out);
        ngx_canary_out_lit(out, "}");
    }

    ngx_canary_out_lit(out, "],\"variants\":{");

    for (i = 0; i < split->nvariants && !out->failed; i++) {
        ngx_canary_print(out, "%s%J:", i ? "," : "", &split->variants[i].name);
        ngx_canary_json_variant(&split->variants[i], out);
    }

    ngx_canary_out_lit(out, "},\"events\":{");
    ngx_canary_json_events(split, out);
    ngx_canary_out_lit(out, "},\"journal\":[");
    ngx_canary_json_journal(split, out);
    ngx_canary_out_lit(out, "]}");
}


static void
ngx_canary_json_state_file(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    if (split->state_path.data == NULL) {
        ngx_canary_out_lit(out, "null");
        return;
    }

    ngx_canary_print(out, "{\"path\":%J,\"written_at\":", &split->state_path);

    if (split->state_written_ms) {
        ngx_canary_out_moment(out, split->state_written_ms);

    } else {
        ngx_canary_out_lit(out, "null");
    }

    ngx_canary_print(out, ",\"error\":%J}", &split->state_error);
}


static void
ngx_canary_json_variant(const ngx_canary_variant_t *variant,
    ngx_canary_out_t *out)
{
    size_t  i;

    ngx_canary_print(out, "{\"role\":\"%s\",",
                     variant->canary ? "canary" : "baseline");

    ngx_canary_json_rows(variant, NGX_CANARY_LEVEL_VARIANT, NULL, out);

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        ngx_canary_print(out, ",\"%s\":{", ngx_canary_scopes[i]);
        ngx_canary_json_rows(&variant->figures[i], NGX_CANARY_LEVEL_FIGURES,
                             variant->figures[i].latency.hist, out);
        ngx_canary_out_lit(out, "}");
    }

    ngx_canary_out_lit(out, "}");
}


/* the buckets that hold something: [upper bound in seconds, count] */
static void
ngx_canary_json_hist(const uint64_t *hist, ngx_canary_out_t *out)
{
    int       first;
    size_t    i;
    uint64_t  upper;

    ngx_canary_out_lit(out, ",\"histogram\":[");
    first = 1;

    for (i = 0; i < NGX_CANARY_HIST_BUCKETS && !out->failed; i++) {

        if (hist[i] == 0) {
            continue;
        }

        if (!first) {
            ngx_canary_out_lit(out, ",");
        }

        first = 0;
        upper = ngx_canary_hist_upper(i);

        ngx_canary_out_lit(out, "[");

        if (upper == UINT64_MAX) {
            ngx_canary_out_lit(out, "null");

        } else {
            ngx_canary_out_micro(out, upper);
        }

        ngx_canary_out_lit(out, ",");
        ngx_canary_out_u64(out, hist[i]);
        ngx_canary_out_lit(out, "]");
    }

    ngx_canary_out_lit(out, "]");
}


static void
ngx_canary_json_events(const ngx_canary_split_t *split, ngx_canary_out_t *out)
{
    size_t                     i, v;
    const ngx_canary_event_t  *event;

    for (i = 0; i < split->nevents && !out->failed; i++) {
        event = &split->events[i];

        ngx_canary_print(out, "%s%J:{", i ? "," : "", &event->name);

        for (v = 0; v < split->nvariants && !out->failed; v++) {
            ngx_canary_print(out, "%s%J:{", v ? "," : "",
                             &split->variants[v].name);
            ngx_canary_json_event(event, event->figures[v], out);
            ngx_canary_out_lit(out, "}");
        }

        ngx_canary_out_lit(out, "}");
    }
}


/* what an event does not ask for is left out */
static void
ngx_canary_json_event(const ngx_canary_event_t *event,
    const ngx_canary_event_figures_t *figures, ngx_canary_out_t *out)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_SCOPES; i++) {
        ngx_canary_print(out, "%s\"%s\":{", i ? "," : "",
                         ngx_canary_scopes[i]);
        ngx_canary_json_rows(&figures[i], NGX_CANARY_LEVEL_EVENT, NULL, out);

        if (event->unique) {
            ngx_canary_out_lit(out, ",");
            ngx_canary_json_rows(&figures[i], NGX_CANARY_LEVEL_USERS, NULL,
                                 out);
        }

        if (event->value) {
            ngx_canary_out_lit(out, ",");
            ngx_canary_json_rows(&figures[i], NGX_CANARY_LEVEL_VALUES, NULL,
                                 out);
        }

        ngx_canary_out_lit(out, "}");
    }
}


static void
ngx_canary_json_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    for (i = 0; i < split->njournal && !out->failed; i++) {
        note = &split->journal[i];

        ngx_canary_print(out, "%s{\"number\":%u,\"time\":%M,\"event\":%J,"
                              "\"text\":%J}",
                         i ? "," : "", note->number, note->time_ms,
                         &note->event, &note->text);
    }
}
