/*
 * Bytes behind which nothing may be read: a page without access follows, so a
 * parser that goes one too far is killed.
 */

#ifndef FENCED_H_INCLUDED
#define FENCED_H_INCLUDED


#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>


#define FENCED_MAX  65536


/* a copy, good until the next one; at most FENCED_MAX bytes */

static inline unsigned char *
fenced(const void *data, size_t len)
{
    size_t                 page;
    unsigned char         *copy;
    static unsigned char  *end;

    if (end == NULL) {
        page = (size_t) sysconf(_SC_PAGESIZE);
        end = mmap(NULL, FENCED_MAX + page, PROT_READ|PROT_WRITE,
                   MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

        if ((void *) end == MAP_FAILED
            || mprotect(end + FENCED_MAX, page, PROT_NONE) == -1)
        {
            abort();
        }

        end += FENCED_MAX;
    }

    copy = end - len;

    if (len) {
        memcpy(copy, data, len);
    }

    return copy;
}


#endif /* FENCED_H_INCLUDED */
