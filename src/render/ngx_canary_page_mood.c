/* How a split does, in a word, an icon and a colour. */

#include "ngx_canary_page.h"


/* by ngx_canary_mood_e */
static const ngx_canary_look_t  ngx_canary_looks[] = {

    { ngx_canary_text("idle"), ngx_canary_text("\xe2\x97\x8b"),
      ngx_canary_text("no canary"), ngx_canary_text("6b7280") },

    { ngx_canary_text("idle"), ngx_canary_text("\xe2\x97\x8b"),
      ngx_canary_text("off"), ngx_canary_text("6b7280") },

    { ngx_canary_text("good"), ngx_canary_text("\xe2\x9c\x93"),
      ngx_canary_text("go"), ngx_canary_text("15803d") },

    { ngx_canary_text("idle"), ngx_canary_text("\xe2\x97\x8b"),
      ngx_canary_text("not judged"), ngx_canary_text("6b7280") },

    { ngx_canary_text("wait"), ngx_canary_text("\xe2\x80\xa6"),
      ngx_canary_text("pending"), ngx_canary_text("8a6d00") },

    { ngx_canary_text("warn"), ngx_canary_text("!"),
      ngx_canary_text("in doubt"), ngx_canary_text("b45309") },

    { ngx_canary_text("warn"), ngx_canary_text("!"),
      ngx_canary_text("held back"), ngx_canary_text("b45309") },

    { ngx_canary_text("bad"), ngx_canary_text("\xe2\x9c\x95"),
      ngx_canary_text("fails"), ngx_canary_text("b91c1c") },

    { ngx_canary_text("bad"), ngx_canary_text("\xe2\x9c\x95"),
      ngx_canary_text("rolled back"), ngx_canary_text("b91c1c") }
};


const ngx_canary_look_t *
ngx_canary_page_look(ngx_canary_mood_e mood)
{
    return &ngx_canary_looks[mood];
}


ngx_canary_mood_e
ngx_canary_page_mood(const ngx_canary_split_t *split)
{
    size_t             i;
    uint32_t           share;
    ngx_canary_mood_e  mood;

    if (split->state == NGX_CANARY_STATE_ROLLED_BACK) {
        return NGX_CANARY_MOOD_ROLLED_BACK;
    }

    if (split->nvariants < 2) {
        return NGX_CANARY_MOOD_NONE;
    }

    if (split->state == NGX_CANARY_STATE_OFF) {
        return NGX_CANARY_MOOD_OFF;
    }

    share = 0;

    for (i = 1; i < split->nvariants; i++) {
        share += split->variants[i].share_ppm;
    }

    if (split->ngates == 0 || share == 0) {
        return NGX_CANARY_MOOD_IDLE;
    }

    mood = split->verdict == NGX_CANARY_VERDICT_GO ? NGX_CANARY_MOOD_GO
                                                   : NGX_CANARY_MOOD_YOUNG;

    for (i = 0; i < split->ngates; i++) {

        if (split->gates[i].status == NGX_CANARY_GATE_FAIL) {
            return NGX_CANARY_MOOD_FAILS;
        }

        if (split->gates[i].status == NGX_CANARY_GATE_PENDING
            && !ngx_canary_page_missing(&split->gates[i]))
        {
            mood = NGX_CANARY_MOOD_DOUBT;
        }
    }

    return split->reason.len ? NGX_CANARY_MOOD_HELD : mood;
}


int
ngx_canary_page_missing(const ngx_canary_gate_t *gate)
{
    if (gate->beyond[NGX_CANARY_STAGE]) {
        return 0;
    }

    return gate->samples < gate->min || !gate->has_actual
           || (!gate->has_window && !gate->beyond[NGX_CANARY_WINDOW])
           || (gate->rule->op == NGX_CANARY_NOT_WORSE
               && (gate->baseline[NGX_CANARY_STAGE].n == 0
                   || gate->baseline[NGX_CANARY_WINDOW].n == 0));
}
