/*
 * Memory and what else runs short on demand: included before each source of
 * the module by t/memory_short.t and scripts/dev/coverage.  Each place that
 * asks nginx or the kernel for some is a site; the file that CANARY_SHORT
 * names is an array of them, which the module fills in as it comes by, and in
 * which the test says which fails.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>


#define SHORT_SITES  256


typedef struct {
    char      name[56];             /* file:line, terminated */
    uint32_t  state;                /* 0: free, 1: being named, 2: named */
    uint32_t  fails;                /* the test's: it fails from this hit on */
    uint32_t  hits;
    uint32_t  failed;
} short_site_t;


__attribute__((weak, visibility("hidden"))) short_site_t *short_sites;


static ngx_inline void
short_open(void)
{
    int    fd;
    char  *path;
    void  *p;

    p = MAP_FAILED;
    path = getenv("CANARY_SHORT");

    if (path) {
        fd = open(path, O_RDWR);

        if (fd != -1) {
            p = mmap(NULL, SHORT_SITES * sizeof(short_site_t),
                     PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
            close(fd);
        }
    }

    short_sites = p;
}


static ngx_inline ngx_uint_t
short_fails(const char *file, int line)
{
    char           name[sizeof(short_sites->name)];
    uint32_t       none, hits, fails;
    ngx_uint_t     i;
    const char    *slash;
    short_site_t  *site;

    if (short_sites == NULL) {
        short_open();
    }

    if (short_sites == MAP_FAILED) {
        return 0;
    }

    slash = strrchr(file, '/');
    snprintf(name, sizeof(name), "%s:%d", slash ? slash + 1 : file, line);

    for (i = 0; i < SHORT_SITES; i++) {
        site = &short_sites[i];
        none = 0;

        if (__atomic_compare_exchange_n(&site->state, &none, 1, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            strcpy(site->name, name);
            __atomic_store_n(&site->state, 2, __ATOMIC_RELEASE);
        }

        while (__atomic_load_n(&site->state, __ATOMIC_ACQUIRE) != 2) {
            sched_yield();
        }

        if (strcmp(site->name, name) == 0) {
            hits = __atomic_add_fetch(&site->hits, 1, __ATOMIC_RELAXED);
            fails = __atomic_load_n(&site->fails, __ATOMIC_RELAXED);

            if (fails == 0 || hits < fails) {
                return 0;
            }

            __atomic_fetch_add(&site->failed, 1, __ATOMIC_RELAXED);
            ngx_set_errno(NGX_ENOMEM);
            return 1;
        }
    }

    abort();
}


#define SHORT(fails, call)                                                    \
    (short_fails(__FILE__, __LINE__) ? (fails) : (call))

#define ngx_palloc(pool, size)    SHORT(NULL, (ngx_palloc)(pool, size))
#define ngx_pnalloc(pool, size)   SHORT(NULL, (ngx_pnalloc)(pool, size))
#define ngx_pcalloc(pool, size)   SHORT(NULL, (ngx_pcalloc)(pool, size))
#define ngx_pstrdup(pool, src)    SHORT(NULL, (ngx_pstrdup)(pool, src))
#define ngx_alloc(size, log)      SHORT(NULL, (ngx_alloc)(size, log))
#define ngx_calloc(size, log)     SHORT(NULL, (ngx_calloc)(size, log))
#define ngx_slab_alloc(pool, n)   SHORT(NULL, (ngx_slab_alloc)(pool, n))
#define ngx_array_push(array)     SHORT(NULL, (ngx_array_push)(array))
#define ngx_list_push(list)       SHORT(NULL, (ngx_list_push)(list))
#define ngx_create_pool(size, log)                                            \
    SHORT(NULL, (ngx_create_pool)(size, log))
#define ngx_alloc_chain_link(pool)                                            \
    SHORT(NULL, (ngx_alloc_chain_link)(pool))
#define ngx_pool_cleanup_add(pool, size)                                      \
    SHORT(NULL, (ngx_pool_cleanup_add)(pool, size))
#define ngx_array_create(pool, n, size)                                       \
    SHORT(NULL, (ngx_array_create)(pool, n, size))
#define ngx_array_init(array, pool, n, size)                                  \
    SHORT(NGX_ERROR, (ngx_array_init)(array, pool, n, size))
#define ngx_http_add_variable(cf, name, flags)                                \
    SHORT(NULL, (ngx_http_add_variable)(cf, name, flags))
#define ngx_shared_memory_add(cf, name, size, tag)                            \
    SHORT(NULL, (ngx_shared_memory_add)(cf, name, size, tag))
#define mmap(addr, len, prot, flags, fd, offset)                              \
    SHORT(MAP_FAILED, (mmap)(addr, len, prot, flags, fd, offset))
#define read(fd, buf, size)       SHORT(-1, (read)(fd, buf, size))
#define fstat(fd, st)             SHORT(-1, (fstat)(fd, st))
#define fchown(fd, uid, gid)      SHORT(-1, (fchown)(fd, uid, gid))
#define getrandom(buf, n, flags)  SHORT(-1, (getrandom)(buf, n, flags))
#define eventfd(value, flags)     SHORT(-1, (eventfd)(value, flags))
#define pthread_mutexattr_init(attr)                                          \
    SHORT(NGX_ENOMEM, (pthread_mutexattr_init)(attr))
#define pthread_mutexattr_setrobust(attr, value)                              \
    SHORT(NGX_ENOMEM, (pthread_mutexattr_setrobust)(attr, value))
#define pthread_create(id, attr, start, data)                                 \
    SHORT(NGX_ENOMEM, (pthread_create)(id, attr, start, data))
#define ngx_get_connection(fd, log)                                           \
    SHORT(NULL, (ngx_get_connection)(fd, log))
#undef ngx_add_event
#define ngx_add_event(event, what, flags)                                     \
    SHORT(NGX_ERROR, ngx_event_actions.add(event, what, flags))
