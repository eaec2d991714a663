/* A sketch is a set: order, repetition and who adds at once do not matter. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_unique.h"

#include "sample.h"
#include "tap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


#define REGISTERS  NGX_CANARY_UNIQUE_REGISTERS
#define WORKERS    4


static uint8_t  one[REGISTERS], two[REGISTERS], both[REGISTERS];


static void
add(uint8_t *reg, uint32_t from, uint32_t to)
{
    char      key[64];
    size_t    len;
    uint32_t  n;

    for (n = from; n < to; n++) {
        len = sample_key(key, sizeof(key), KEY_SESSION, n);
        ngx_canary_unique_put(reg, ngx_canary_unique_hash(key, len));
    }
}


/* a register by its definition: bit by bit from the top */

static void
definition(void)
{
    char      key[64];
    size_t    len;
    uint32_t  n, k, rank, wrong;
    uint64_t  hash, index;

    wrong = 0;

    for (n = 0; n < 20000; n++) {
        len = sample_key(key, sizeof(key), KEY_NUMBER, n);
        hash = XXH3_64bits_withSeed(key, len, 0x63616e6172790000u);

        for (k = 0, index = 0; k < 12; k++) {
            index = 2 * index + (hash >> (63 - k) & 1);
        }

        for (rank = 1; rank <= 52; rank++) {
            if (hash >> (52 - rank) & 1) {
                break;
            }
        }

        memset(one, 0, sizeof(one));
        ngx_canary_unique_put(one, ngx_canary_unique_hash(key, len));

        wrong += one[index] != rank;
        one[index] = 0;
        memset(two, 0, sizeof(two));
        wrong += memcmp(one, two, sizeof(one)) != 0;
    }

    is_u64(wrong, 0, "one register, the place of the first 1");
}


static void
sets(void)
{
    memset(one, 0, sizeof(one));
    memset(two, 0, sizeof(two));
    memset(both, 0, sizeof(both));

    add(one, 0, 6000);
    memcpy(both, one, sizeof(one));
    add(one, 0, 6000);
    ok(!memcmp(one, both, sizeof(one)), "adding again changes nothing");

    ngx_canary_unique_merge(one, both);
    ok(!memcmp(one, both, sizeof(one)), "nor merging the same");

    ngx_canary_unique_merge(one, two);
    ok(!memcmp(one, both, sizeof(one)), "nor merging nobody");

    add(two, 4000, 9000);
    memset(both, 0, sizeof(both));
    add(both, 5000, 9000);
    add(both, 0, 5000);

    ngx_canary_unique_merge(one, two);
    ok(!memcmp(one, both, sizeof(one)), "the merge of two is their union");

    ngx_canary_unique_merge(two, one);
    ok(!memcmp(two, both, sizeof(two)), "from either side");
}


/* all of them write to the same registers, in different order */

static void
workers(void)
{
    int       status;
    pid_t     pids[WORKERS];
    size_t    i, failed;
    uint8_t  *shared;

    shared = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        ok(0, "no shared memory");
        return;
    }

    for (i = 0; i < WORKERS; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            add(shared, (uint32_t) i * 50000, 200000);
            add(shared, 0, (uint32_t) i * 50000);
            _exit(0);
        }
    }

    failed = 0;

    for (i = 0; i < WORKERS; i++) {
        failed += pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i]
                  || status != 0;
    }

    is_u64(failed, 0, "workers end");

    memset(both, 0, sizeof(both));
    add(both, 0, 200000);
    ok(!memcmp(shared, both, REGISTERS), "at once: nothing is lost");

    munmap(shared, REGISTERS);
}


int
main(void)
{
    definition();
    sets();
    workers();

    return tap_done();
}
