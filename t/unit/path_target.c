/* The upstream and the action that the path of a POST names. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_path.h"

#include "fenced.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char  *path;
    const char  *name;                  /* NULL: no target */
    const char  *verb;
} path_t;


static const path_t  paths[] = {
    { "", NULL, NULL },
    { "rollback", NULL, NULL },
    { "/", "", "" },
    { "/rollback", "", "rollback" },
    { "a/rollback", "a", "rollback" },
    { "/a/rollback", "a", "rollback" },
    { "/canary/control/a.b-c/resume", "a.b-c", "resume" },
    { "/canary/control/a/resume/", "resume", "" },
    { "/canary/control/a//resume", "", "resume" }
};


static int
is(const char *path, size_t begin, size_t end, const char *text)
{
    return end - begin == strlen(text)
           && memcmp(path + begin, text, end - begin) == 0;
}


int
main(void)
{
    int          rc;
    size_t       i, len, name, verb;
    const char  *path;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        path = paths[i].path;
        len = strlen(path);

        rc = ngx_canary_path_target(fenced(path, len), len, &name, &verb);

        if (paths[i].name == NULL) {
            ok(rc == -1, "\"%s\" has none", path);
            continue;
        }

        ok(rc == 0 && is(path, name, verb - 1, paths[i].name)
           && is(path, verb, len, paths[i].verb), "\"%s\"", path);
    }

    return tap_done();
}
