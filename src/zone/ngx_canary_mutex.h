/*
 * A mutex in shared memory that the kernel frees with its holder.  Nobody waits
 * for it: who does not get it leaves the work to the next tick.
 */

#ifndef NGX_CANARY_MUTEX_H_INCLUDED
#define NGX_CANARY_MUTEX_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>


#pragma GCC visibility push(hidden)


/* in fresh memory; NGX_ERROR if the system has no such mutex */
ngx_int_t ngx_canary_mutex_init(pthread_mutex_t *mutex);

/*
 * 1 if it is the caller's now.  What a dead holder was writing may be there in
 * part, and must not be in force yet.
 */
ngx_uint_t ngx_canary_mutex_try(pthread_mutex_t *mutex);

void ngx_canary_mutex_free(pthread_mutex_t *mutex);


#pragma GCC visibility pop

#endif /* NGX_CANARY_MUTEX_H_INCLUDED */
