/*
 * Files whose checksum is right and whose fields are not: each number is tried
 * beyond what its field may hold, and none is taken over.
 */

#include "saved.h"

#include "tap.h"
#include "crafted.h"

#include <math.h>


static ngx_canary_saved_t        in, out;
static ngx_canary_saved_event_t  in_events[2], out_events[2];
static unsigned char             buf[65536], bad[65536];


/* "len" bytes, less the checksum */

static int
decode(unsigned char *data, size_t len, size_t room)
{
    memset(&out, 0, sizeof(out));
    out.events = out_events;
    out.nevents = room;

    return crafted_decode(&out, data, crafted_seal(data, len));
}


static int
finite_dispersion(const ngx_canary_saved_dispersion_t *d)
{
    size_t         i;
    const double  *value;

    value = (const double *) d;

    for (i = 0; i < sizeof(*d) / sizeof(double); i++) {
        if (!(fabs(value[i]) <= 1e60)) {
            return 0;
        }
    }

    return d->rate >= 0;
}


static int
finite_gate(const ngx_canary_saved_gate_t *gate)
{
    size_t  i;

    for (i = 0; i < NGX_CANARY_DETECTOR_ALTERNATIVES; i++) {
        if (!(gate->ln1p[i] >= 0
              && gate->ln1p[i] <= NGX_CANARY_DETECTOR_CERTAIN))
        {
            return 0;
        }
    }

    return gate->failed <= 1
           && gate->trials >= 0 && gate->trials <= 1e18
           && gate->bad >= 0 && gate->bad <= 1e18
           && gate->expected >= 0 && gate->expected <= 1e18
           && gate->held_ln >= 0 && gate->held_ln <= 1e18
           && finite_dispersion(&gate->dispersion);
}


static int
within_bounds(void)
{
    size_t  i, wrong;

    wrong = out.split.len > NGX_CANARY_SAVED_NAME
            || out.stage.len > NGX_CANARY_SAVED_NAME
            || out.reason.len > NGX_CANARY_SAVED_TEXT
            || out.latched > 1
            || out.cause >= NGX_CANARY_CAUSES
            || out.ncanaries > NGX_CANARY_MAX_CANARIES
            || out.njournal > NGX_CANARY_JOURNAL
            || out.nevents > 2;

    for (i = 0; i < NGX_CANARY_MAX_CANARIES; i++) {
        wrong += out.canaries[i].slot > NGX_CANARY_MAX_CANARIES
                 || out.canaries[i].share_ppm > NGX_CANARY_PPM;
    }

    wrong += out.judge.nrules > NGX_CANARY_MAX_RULES
             || out.judge.ncanaries > NGX_CANARY_MAX_CANARIES;

    for (i = 0; i < NGX_CANARY_MAX_RULES; i++) {
        wrong += out.judge.rules[i].ref_us > NGX_CANARY_HIST_MAX_US
                 || !finite_dispersion(&out.judge.rules[i].dispersion);
    }

    for (i = 0; i < NGX_CANARY_SAVED_GATES; i++) {
        wrong += !finite_gate(&out.judge.gates[i]);
    }

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        wrong += out.variants[i].name.len > NGX_CANARY_SAVED_NAME;
    }

    for (i = 0; i < NGX_CANARY_JOURNAL; i++) {
        wrong += out.journal[i].text.len > NGX_CANARY_SAVED_TEXT;
    }

    return wrong == 0;
}


int
main(void)
{
    size_t               len, i, n, outside, taken;
    static const size_t  values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

    saved_fill(&in, in_events);
    len = ngx_canary_state_encode(&in, buf, sizeof(buf));
    ok(len > 0, "a file of %zu bytes", len);
    len -= NGX_CANARY_STATE_CHECK;

    memcpy(bad, buf, len);
    ok(decode(bad, len, 2) == 0, "made anew it is taken");
    ok(decode(bad, len, 1) == -1, "but not without room for its events");

    outside = 0;
    taken = 0;

    for (i = NGX_CANARY_STATE_HEADER; i < len; i++) {
        for (n = 0; n < sizeof(values) / sizeof(values[0]); n++) {
            memcpy(bad, buf, len);
            bad[i] = (unsigned char) values[n];

            if (decode(bad, len, 2) == 0) {
                taken++;
                outside += !within_bounds();
            }
        }
    }

    ok(taken > 0, "of those with one byte changed some are taken, %zu", taken);
    is_u64(outside, 0, "none of them beyond a bound");

    taken = 0;

    for (i = 0; i < len; i++) {
        memcpy(bad, buf, len);
        taken += i >= NGX_CANARY_STATE_HEADER && decode(bad, i, 2) == 0;
    }

    is_u64(taken, 0, "none that ends before its last field");

    memcpy(bad, buf, len);
    bad[len] = 0;
    ok(decode(bad, len + 1, 2) == -1, "none that goes on behind it");

    return tap_done();
}
