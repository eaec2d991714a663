/*
 * Any bytes as the path of a POST: name and action are the last two parts of
 * it, and put together again they are the end of the path.
 */

#include "../../src/pure/ngx_canary_path.h"

#include "require.h"

#include <string.h>


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int      rc;
    size_t   i, name, verb, last;
    uint8_t  *copy;

    copy = malloc(size ? size : 1);
    require(copy != NULL);
    memcpy(copy, data, size);

    last = ngx_canary_path_last(copy, size);

    require(last <= size);
    require(last == 0 || copy[last - 1] == '/');
    require(memchr(copy + last, '/', size - last) == NULL);

    rc = ngx_canary_path_target(copy, size, &name, &verb);

    require((rc != 0) == (last == 0));

    if (rc == 0) {
        require(verb == last && name < verb && copy[verb - 1] == '/');
        require(name == 0 || copy[name - 1] == '/');

        for (i = name; i < verb - 1; i++) {
            require(copy[i] != '/');
        }
    }

    free(copy);

    return 0;
}
