/*
 * What a path says: the upstream and the action at the end of a POST's.
 */

#ifndef NGX_CANARY_PATH_H_INCLUDED
#define NGX_CANARY_PATH_H_INCLUDED


#include <stddef.h>


#pragma GCC visibility push(hidden)


/* where the last part begins: behind the last "/", 0 if there is none */
size_t ngx_canary_path_last(const unsigned char *path, size_t len);

/*
 * Of ".../NAME/VERB", where the two begin; NAME ends before VERB's "/".  Either
 * may be empty.  Returns 0, or -1 if there is no "/".
 */
int ngx_canary_path_target(const unsigned char *path, size_t len, size_t *name,
    size_t *verb);


#pragma GCC visibility pop

#endif /* NGX_CANARY_PATH_H_INCLUDED */
