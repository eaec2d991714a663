/* The journal, the newest entry first. */

#include "ngx_canary_page.h"


void
ngx_canary_page_journal(const ngx_canary_split_t *split,
    ngx_canary_out_t *out)
{
    size_t                    i;
    const ngx_canary_note_t  *note;

    if (split->njournal == 0) {
        return;
    }

    ngx_canary_out_lit(out, "<details id=\"journal\"><summary>Journal, ");
    ngx_canary_page_number(split->njournal, "entry", "entries", out);
    ngx_canary_out_lit(out, "</summary>\n<table class=\"text\">\n"
                            "<thead><tr><th scope=\"col\">UTC</th>"
                            "<th scope=\"col\">event</th>"
                            "<th scope=\"col\">text</th></tr></thead>\n");

    for (i = split->njournal; i > 0 && !out->failed; i--) {
        note = &split->journal[i - 1];

        ngx_canary_print(out, "<tr><td>%D</td><td>%H</td><td>%H</td></tr>\n",
                         note->time_ms, &note->event, &note->text);
    }

    ngx_canary_out_lit(out, "</table>\n</details>\n");
}
