/* Untrusted text in JSON, in labels and in HTML. */

#include "../../src/render/ngx_canary_out.h"

#include "tap.h"

#include "driver/picture.h"


#define FFFD  "\xef\xbf\xbd"

#define BYTES(text)  text, sizeof(text) - 1


typedef void (*write_pt)(ngx_canary_out_t *out, ngx_canary_str_t str);

typedef struct {
    const char  *what;
    const char  *bytes;
    size_t       len;
    const char  *json;                  /* without its quotes */
    const char  *label;
    const char  *html;
} text_t;


static const text_t  texts[] = {
    { "nothing", BYTES(""), "", "", "" },
    { "plain", BYTES("sliceB_documents"), "sliceB_documents",
      "sliceB_documents", "sliceB_documents" },
    { "quote", BYTES("a\"b"), "a\\\"b", "a\\\"b", "a&quot;b" },
    { "apostrophe", BYTES("a'b"), "a'b", "a'b", "a&#39;b" },
    { "backslash", BYTES("\\n\\"), "\\\\n\\\\", "\\\\n\\\\", "\\n\\" },
    { "LF", BYTES("a\nb"), "a\\nb", "a\\nb", "a b" },
    { "CR, tab", BYTES("\r\t"), "\\r\\t", "\r\t", "  " },
    { "braces", BYTES("{}"), "{}", "{}", "{}" },
    { "markup", BYTES("<script>&lt;"), "<script>&lt;", "<script>&lt;",
      "&lt;script&gt;&amp;lt;" },
    { "NUL", BYTES("a\0b"), "a\\u0000b", "a" FFFD "b", "a" FFFD "b" },
    { "control", BYTES("\x01\x1f"), "\\u0001\\u001f", "\x01\x1f",
      FFFD FFFD },
    { "DEL", BYTES("\x7f"), "\x7f", "\x7f", FFFD },
    { "two bytes", BYTES("\xc2\x80\xdf\xbf"), "\xc2\x80\xdf\xbf",
      "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
    { "three bytes", BYTES("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
      "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
      "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
      "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
    { "four bytes", BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
      "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
      "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
    { "lone continuation", BYTES("a\x80" "b"), "a" FFFD "b", "a" FFFD "b",
      "a" FFFD "b" },
    { "overlong slash", BYTES("\xc0\xaf"), FFFD FFFD, FFFD FFFD, FFFD FFFD },
    { "overlong NUL", BYTES("\xc0\x80"), FFFD FFFD, FFFD FFFD, FFFD FFFD },
    { "overlong in three", BYTES("\xe0\x9f\xbf"), FFFD FFFD FFFD,
      FFFD FFFD FFFD, FFFD FFFD FFFD },
    { "overlong in four", BYTES("\xf0\x8f\xbf\xbf"), FFFD FFFD FFFD FFFD,
      FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD },
    { "surrogate", BYTES("\xed\xa0\x80"), FFFD FFFD FFFD, FFFD FFFD FFFD,
      FFFD FFFD FFFD },
    { "beyond U+10FFFF", BYTES("\xf4\x90\x80\x80"), FFFD FFFD FFFD FFFD,
      FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD },
    { "no lead", BYTES("\xf5\xff\xfe"), FFFD FFFD FFFD, FFFD FFFD FFFD,
      FFFD FFFD FFFD },
    { "cut at the end", BYTES("a\xe2\x82"), "a" FFFD FFFD, "a" FFFD FFFD,
      "a" FFFD FFFD },
    { "cut by a quote", BYTES("\xe2\x82\"" "b"), FFFD FFFD "\\\"b",
      FFFD FFFD "\\\"b", FFFD FFFD "&quot;b" }
};


static void
is_written(const char *format, const text_t *t, write_pt write,
    const char *expected, size_t step)
{
    char              name[80], *text;
    picture_out_t     p;
    ngx_canary_out_t  out;

    picture_open(&out, &p, step);

    /* an own allocation: reading beyond its end shows */
    text = malloc(t->len + (t->len == 0));
    memcpy(text, t->bytes, t->len);
    write(&out, picture_str(text, t->len));
    free(text);

    text = picture_close(&out);
    snprintf(name, sizeof(name), "%s in %s, rooms of %d", t->what, format,
             (int) step);
    is_text(text, expected, name);
    free(text);
}


/* every byte after every lead: valid exactly where the standard's table says */
static int
pairs(void)
{
    int               a, b, valid;
    char              bytes[2], *text;
    picture_out_t     p;
    ngx_canary_out_t  out;

    for (a = 0x80; a < 0x100; a++) {
        for (b = 0x80; b < 0x100; b++) {
            bytes[0] = (char) a;
            bytes[1] = (char) b;
            valid = (a >= 0xc2 && a <= 0xdf && b <= 0xbf);

            picture_open(&out, &p, 256);
            ngx_canary_out_label(&out, picture_str(bytes, 2));
            text = picture_close(&out);

            if (valid ? memcmp(text, bytes, 2) || p.len != 2
                      : strcmp(text, FFFD FFFD))
            {
                printf("# %02x %02x\n", (unsigned) a, (unsigned) b);
                free(text);
                return 0;
            }

            free(text);
        }
    }

    return 1;
}


int
main(void)
{
    char              expected[64];
    size_t            i, step;
    const text_t     *t;
    picture_out_t     p;
    ngx_canary_out_t  out;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        t = &texts[i];
        snprintf(expected, sizeof(expected), "\"%s\"", t->json);

        for (step = 1; step <= 256; step += 255) {
            is_written("JSON", t, ngx_canary_out_json, expected, step);
            is_written("a label", t, ngx_canary_out_label, t->label, step);
            is_written("HTML", t, ngx_canary_out_html, t->html, step);
        }
    }

    ok(pairs(), "two bytes of any value");

    picture_open(&out, &p, 1);
    ngx_canary_out_json(&out, picture_str(NULL, 0));
    is_text(picture_close(&out), "\"\"", "no data at all");
    free(p.text);

    return tap_done();
}
