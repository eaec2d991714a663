/*
 * Paths are read from their end, as a location may have any prefix.  nginx has
 * decoded them, and merged slashes unless it is told not to.
 */

#include "ngx_canary_path.h"


size_t
ngx_canary_path_last(const unsigned char *path, size_t len)
{
    while (len && path[len - 1] != '/') {
        len--;
    }

    return len;
}


int
ngx_canary_path_target(const unsigned char *path, size_t len, size_t *name,
    size_t *verb)
{
    *verb = ngx_canary_path_last(path, len);

    if (*verb == 0) {
        return -1;
    }

    *name = ngx_canary_path_last(path, *verb - 1);

    return 0;
}
