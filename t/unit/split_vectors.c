/*
 * The hash is XXH3 64 as published, so that an assignment is the same in every
 * release and on every machine.  Three oracles: what xxhsum -H3 (0.8.1) prints
 * for a file of these bytes; the known answers of xxHash's own self-test,
 * seeded; and libxxhash, linked here, whereas the code under test has its own
 * copy inlined.
 */

#include "../../src/pure/ngx_canary_split.h"

#include <string.h>

#include <xxhash.h>

#include "sample.h"
#include "tap.h"


#define LONGEST  65536


/* the bytes of the self-test: powers of one prime times another */

#define PRIME32  2654435761u
#define PRIME64  11400714785074694797u


typedef struct {
    const char  *text;
    size_t       times;
    uint64_t     hash;
} unseeded_t;


typedef struct {
    size_t       len;
    uint64_t     hash;
} seeded_t;


static const unseeded_t  unseeded[] = {
    { "", 1, 0x2d06800538d394c2 },
    { "a", 1, 0xe6c632b61e964e1f },
    { "documents", 1, 0xb56519816216103c },
    { "203.0.113.7", 1, 0x5a3c573130817a24 },
    { "0123456789abcdef0123456789abcdef", 1, 0x01121d5b6c0ac055 },
    { "x", 100, 0xc90984ffdf50ce42 },
    { "x", 200, 0x50ef124fb1e4de53 },
    { "x", 300, 0xa5d1b4607dc83554 },
    { "x", 1025, 0x9cd2e05a61b8a761 },
    { "x", 65536, 0x3688558138047f8a }
};

/* under the seed PRIME64 */

static const seeded_t  seeded[] = {
    { 0, 0xa8a6b918b2f0364a },
    { 1, 0x032be332dd766ef8 },
    { 6, 0x84589c116ab59ab9 },
    { 12, 0xe7303e1b2336de0e },
    { 24, 0x850e80fc35bdd690 },
    { 48, 0xadc2cbaa44acc616 },
    { 80, 0xc6dd0cb699532e73 },
    { 195, 0xba68003d370cb3d9 },
    { 403, 0x6259f6ecfd6443fd },
    { 512, 0x3ce457de14c27708 },
    { 2048, 0x66f81670669ababc },
    { 2367, 0xd2db3415b942b42a }
};

static unsigned char  bytes[LONGEST];


static void
check_unseeded(const unseeded_t *vector)
{
    size_t  i, len;

    len = strlen(vector->text);

    for (i = 0; i < len * vector->times; i++) {
        bytes[i] = (unsigned char) vector->text[i % len];
    }

    len *= vector->times;

    ok(ngx_canary_split_seed(bytes, len) == vector->hash,
       "the seed of %u bytes, \"%s\"", (unsigned) len, vector->text);
    ok(ngx_canary_split_hash(0, bytes, len) == vector->hash,
       "the hash of them under seed 0");
}


static void
check_library(void)
{
    size_t    len, wrong;
    uint64_t  seed, state;

    state = 1;
    wrong = 0;

    for (len = 0; len <= 2100; len++) {
        seed = sample_u64(&state);
        wrong += ngx_canary_split_hash(seed, bytes, len)
                 != XXH3_64bits_withSeed(bytes, len, seed);
        wrong += ngx_canary_split_seed(bytes, len) != XXH3_64bits(bytes, len);
    }

    is_u64(wrong, 0, "every length up to 2100 as libxxhash has it");

    seed = sample_u64(&state);

    is_u64(ngx_canary_split_hash(seed, bytes, LONGEST),
           XXH3_64bits_withSeed(bytes, LONGEST, seed), "64 KB as well");
    is_u64(ngx_canary_split_hash(seed, NULL, 0),
           XXH3_64bits_withSeed("", 0, seed), "no bytes at no address");
}


int
main(void)
{
    size_t    i;
    uint64_t  power;

    for (i = 0; i < sizeof(unseeded) / sizeof(unseeded[0]); i++) {
        check_unseeded(&unseeded[i]);
    }

    for (power = PRIME32, i = 0; i < LONGEST; i++, power *= PRIME64) {
        bytes[i] = (unsigned char) (power >> 56);
    }

    for (i = 0; i < sizeof(seeded) / sizeof(seeded[0]); i++) {
        ok(ngx_canary_split_hash(PRIME64, bytes, seeded[i].len)
           == seeded[i].hash, "the self-test's answer for %u bytes",
           (unsigned) seeded[i].len);
    }

    check_library();

    return tap_done();
}
