/* status.json and the answers of canary_control, letter by letter. */

#include "tap.h"

#include "driver/picture.h"


#define NO_LATENCY                                                            \
    "\"latency\":{\"count\":0,\"sum\":0,\"mean\":null,\"min\":null,"          \
    "\"max\":null,\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null,"       \
    "\"p999\":null}"

#define NO_FIGURES                                                            \
    "{\"requests\":0,\"forced\":0,\"errors\":0,\"fallbacks\":0,"              \
    "\"aborted\":0,\"retries\":0,"                                            \
    "\"error_rate\":null,\"throughput\":null,\"responses\":{\"1xx\":0,"       \
    "\"2xx\":0,\"3xx\":0,\"4xx\":0,\"5xx\":0,\"none\":0}," NO_LATENCY "}"

#define BASELINE                                                              \
    "{\"requests\":1463,\"forced\":12,\"errors\":3,\"fallbacks\":0,"          \
    "\"aborted\":0,\"retries\":0,"                                            \
    "\"error_rate\":0.002051,\"throughput\":120.689655,\"responses\":{"       \
    "\"1xx\":0,\"2xx\":1400,\"3xx\":20,\"4xx\":40,\"5xx\":0,\"none\":3},"     \
    "\"latency\":{\"count\":1461,\"sum\":123.456789,\"mean\":0.084502,"       \
    "\"min\":0.000999,\"max\":12.345678,\"p50\":0.0805,\"p90\":0.161,"        \
    "\"p95\":0.2415,\"p99\":0.322,\"p999\":0.4025}}"

#define CANARY                                                                \
    "{\"requests\":77,\"forced\":0,\"errors\":1,\"fallbacks\":1,"             \
    "\"aborted\":2,\"retries\":5,"                                            \
    "\"error_rate\":0.013333,\"throughput\":6.352087,\"responses\":{"         \
    "\"1xx\":0,\"2xx\":76,\"3xx\":0,\"4xx\":0,\"5xx\":1,\"none\":0},"         \
    "\"latency\":{\"count\":77,\"sum\":12.9,\"mean\":0.167532,"               \
    "\"min\":0.051,\"max\":0.702,\"p50\":0.145,\"p90\":0.31,\"p95\":0.385,"   \
    "\"p99\":0.701,\"p999\":0.702}}"

#define TOP                                                                   \
    "{\"version\":\"0.1.0\",\"nginx_version\":\"1.22.1\","                    \
    "\"time\":1763845812.123,\"generation\":3,"                               \
    "\"loaded_at\":1763845800.001,\"splits\":{"

#define SPLIT                                                                 \
    "\"documents\":{\"state\":\"active\",\"reason\":\"\",\"generation\":3,"   \
    "\"stage\":{\"name\":\"stage1_5pct\",\"started_at\":1763845800.001,"      \
    "\"elapsed\":12.122},\"verdict\":\"pending\",\"unkeyed\":9,"              \
    "\"bypassed\":31,"                                                        \
    "\"mood\":{\"word\":\"not judged\",\"class\":\"idle\","                   \
    "\"icon\":\"\xe2\x97\x8b\",\"rank\":3},"                                  \
    "\"sentence\":\"No gate judges the canary. Nothing rolls it back by "     \
    "itself.\","                                                              \
    "\"state_file\":{\"path\":\"/var/lib/nginx/documents.state\","            \
    "\"written_at\":1763845810.002,\"error\":\"\"},"                          \
    "\"gates\":[],\"variants\":{"

#define VARIANT(name, role, share, total, window)                             \
    "\"" name "\":{\"role\":\"" role "\",\"configured_share\":" share ","     \
    "\"share\":" share ",\"total\":" total ",\"stage\":" total ","            \
    "\"window\":" window "}"

#define REST                                                                  \
    "},\"events\":{},\"journal\":["                                           \
    "{\"number\":1,\"time\":1763840000.250,\"event\":\"published\","          \
    "\"text\":\"sliceB_documents 0%, generation 2\"},"                        \
    "{\"number\":2,\"time\":1763845800.001,\"event\":\"published\","          \
    "\"text\":\"sliceB_documents 0% -> 5%, stage stage1_5pct, "               \
    "generation 3\"}]}}}\n"

#define PICTURE(baseline, baseline_window, canary, canary_window)             \
    TOP SPLIT                                                                 \
    VARIANT("documents", "baseline", "0.95", baseline, baseline_window) ","   \
    VARIANT("sliceB_documents", "canary", "0.05", canary, canary_window)      \
    REST


static const char  sample[] = PICTURE(BASELINE, BASELINE, CANARY, CANARY);
static const char  quiet[] = PICTURE(NO_FIGURES, NO_FIGURES, NO_FIGURES,
                                     NO_FIGURES);


static ngx_canary_split_t  splits[2];


static void
is_json(const char *picture, const char *expected)
{
    char                   *text;
    size_t                  step;
    ngx_canary_snapshot_t   snap;

    (void) picture_take(&snap, splits, picture);

    for (step = 1; step <= 65536; step *= 256) {
        text = picture_render(ngx_canary_render_json, &snap, step);
        is_text(text, expected, picture);
        free(text);
    }
}


static void
is_answer(ngx_canary_split_t *split, int changed, const char *warning,
    const char *expected)
{
    picture_out_t     p;
    ngx_canary_out_t  out;

    picture_open(&out, &p, 256);
    ok(ngx_canary_render_state(split, changed, warning, &out) == 0,
       "answer fits");
    is_text(picture_close(&out), expected, "state of a split");
    free(p.text);
}


static void
answers(void)
{
    picture_out_t          p;
    ngx_canary_out_t       out;
    ngx_canary_snapshot_t  snap;

    (void) picture_take(&snap, splits, "rolled");

    is_answer(splits, 1, "the text is \"cut\"",
              "{\"split\":\"documents\",\"state\":\"rolled_back\","
              "\"reason\":\"rolled back by alice\",\"generation\":3,"
              "\"changed\":true,\"written\":true,"
              "\"warning\":\"the text is \\\"cut\\\"\"}\n");

    splits[0].state_error = PICTURE_STR("the disk is \"full\"");

    is_answer(splits, 1, NULL,
              "{\"split\":\"documents\",\"state\":\"rolled_back\","
              "\"reason\":\"rolled back by alice\",\"generation\":3,"
              "\"changed\":true,\"written\":false,"
              "\"error\":\"the disk is \\\"full\\\"\"}\n");

    splits[0].state_path.data = NULL;

    splits[0].state = NGX_CANARY_STATE_OFF;
    splits[0].reason = PICTURE_STR("\"\n\xff");

    is_answer(splits, 0, NULL,
              "{\"split\":\"documents\",\"state\":\"off\","
              "\"reason\":\"\\\"\\n\xef\xbf\xbd\",\"generation\":3,"
              "\"changed\":false,\"written\":null}\n");

    picture_open(&out, &p, 1);
    ok(ngx_canary_render_error(PICTURE_STR("no \"x\"\r\n"), &out) == 0,
       "error fits");
    is_text(picture_close(&out), "{\"error\":\"no \\\"x\\\"\\r\\n\"}\n",
            "text of an error");
    free(p.text);
}


/* whichever room is refused: -1, and what was written is a prefix */
static void
no_room(void)
{
    int                    rc, passed;
    char                  *whole;
    size_t                 rooms, steps;
    picture_out_t          p;
    ngx_canary_out_t       out;
    ngx_canary_snapshot_t  snap;

    (void) picture_take(&snap, splits, "sample");
    whole = picture_render(ngx_canary_render_json, &snap, 256);
    steps = strlen(whole) / 256;
    passed = 1;

    for (rooms = 0; rooms < steps; rooms++) {
        picture_open(&out, &p, 256);
        p.rooms = rooms;
        rc = ngx_canary_render_json(&snap, &out);
        (void) picture_close(&out);

        passed &= (rc == -1 && strncmp(whole, p.text, p.len) == 0
                   && p.len <= rooms * 256 && p.largest <= 256);
        free(p.text);
    }

    ok(steps > 5 && passed, "stops where there is no room");
    free(whole);
}


int
main(void)
{
    char                   *text;
    ngx_canary_snapshot_t   snap;

    is_json("sample", sample);
    is_json("quiet", quiet);
    is_json("none", TOP "}}\n");

    (void) picture_take(&snap, splits, "rolled");
    splits[1] = splits[0];
    splits[1].name = PICTURE_STR("images");
    splits[1].state = NGX_CANARY_STATE_OFF;
    splits[1].verdict = NGX_CANARY_VERDICT_GO;
    snap.nsplits = 2;

    text = picture_render(ngx_canary_render_json, &snap, 256);
    ok(strstr(text, "{\"documents\":{\"state\":\"rolled_back\",\"reason\":"
                    "\"rolled back by alice\",") != NULL, "rolled back");
    ok(strstr(text, "]},\"images\":{\"state\":\"off\",") != NULL,
       "a second split, off");
    is_u64(picture_count(text, "\"verdict\":\"rollback\""), 1,
           "verdict rollback");
    is_u64(picture_count(text, "\"verdict\":\"go\""), 1, "verdict go");
    is_u64(picture_count(text, "\"configured_share\":0.05,\"share\":0,"), 2,
           "no share in force");
    free(text);

    answers();
    no_room();

    return tap_done();
}
