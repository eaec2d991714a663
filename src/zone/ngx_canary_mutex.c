
#include "ngx_canary_mutex.h"


ngx_int_t
ngx_canary_mutex_init(pthread_mutex_t *mutex)
{
    int                  rc;
    pthread_mutexattr_t  attr;

    if (pthread_mutexattr_init(&attr) != 0) {
        return NGX_ERROR;
    }

    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);

    if (rc == 0) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }

    if (rc == 0) {
        rc = pthread_mutex_init(mutex, &attr);
    }

    (void) pthread_mutexattr_destroy(&attr);

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_canary_mutex_try(pthread_mutex_t *mutex)
{
    int  rc;

    rc = pthread_mutex_trylock(mutex);

    if (rc == EOWNERDEAD) {
        rc = pthread_mutex_consistent(mutex);
    }

    return rc == 0;
}


void
ngx_canary_mutex_free(pthread_mutex_t *mutex)
{
    (void) pthread_mutex_unlock(mutex);
}
