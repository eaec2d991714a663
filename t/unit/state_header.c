/*
 * What stands around the fields: magic, version, length and checksum, each
 * wrong by itself while all else fits.  A state of nothing is a zero for each
 * number, so many in each version, and no byte more.
 */

#include "tap.h"
#include "crafted.h"


/* of a file without canaries, journal, variants, events and history */
static const struct {
    unsigned  version;
    size_t    header;
    size_t    numbers;
    size_t    cause;        /* which of them it is */
    unsigned  causes;
} versions[] = {
    { 1, 36, 35, 11, 3 },
    { 2, 44, 37, 13, 4 },
    { 3, 44, 45, 13, 4 },
    { 4, 44, 45, 13, 4 }
};

static ngx_canary_saved_t  out;
static unsigned char       file[256];


/* zeros behind a header; its length, less the checksum */

static size_t
nothing(unsigned version, size_t header, size_t numbers)
{
    static const unsigned char  magic[] = {
        0x89, 'C', 'N', 'R', 'Y', '\r', '\n', 0x1a
    };

    memset(file, 0, sizeof(file));
    memcpy(file, magic, sizeof(magic));
    crafted_fixed(file + 8, version, 4);
    crafted_fixed(file + 20, 11, 8);
    crafted_fixed(file + 28, 12, 8);

    if (header == 44) {
        crafted_fixed(file + 36, 13, 8);
    }

    return header + numbers;
}


static int
decode(size_t len)
{
    memset(&out, 0, sizeof(out));

    return crafted_decode(&out, file, len);
}


static int
known(unsigned version)
{
    return version >= 1 && version <= 4;
}


static void
in_version(size_t i)
{
    size_t  len;

    len = nothing(versions[i].version, versions[i].header,
                  versions[i].numbers);

    ok(decode(crafted_seal(file, len)) == 0, "version %u: a state of nothing",
       versions[i].version);
    ok(out.run == 11 && out.owner == 12 && out.place == (i ? 13 : 0),
       "version %u: its run, owner and place", versions[i].version);

    ok(decode(crafted_seal(file, len - 1)) == -1
       && crafted_says("does not fit, it is damaged"),
       "version %u: not a number less", versions[i].version);
    nothing(versions[i].version, versions[i].header, versions[i].numbers);
    ok(decode(crafted_seal(file, len + 1)) == -1
       && crafted_says("does not fit, it is damaged"),
       "version %u: not one more", versions[i].version);

    nothing(versions[i].version, versions[i].header, versions[i].numbers);
    file[versions[i].header + versions[i].cause] =
        (unsigned char) (versions[i].causes - 1);
    ok(decode(crafted_seal(file, len)) == 0
       && out.cause == versions[i].causes - 1,
       "version %u: its last cause", versions[i].version);

    file[versions[i].header + versions[i].cause]++;
    ok(decode(crafted_seal(file, len)) == -1
       && crafted_says("does not fit, it is damaged"),
       "version %u: no other", versions[i].version);
}


/* header and checksum, but less than there is room for */

static void
too_short(size_t i)
{
    size_t  len, wrong;

    wrong = 0;

    for (len = versions[i].header - NGX_CANARY_STATE_CHECK;
         len < versions[i].header;
         len++)
    {
        nothing(versions[i].version, versions[i].header, 0);
        crafted_seal(file, len);

        /* where it is another's, the checksum is a part of the header */

        wrong += decode(len + NGX_CANARY_STATE_CHECK) != -1
                 || !crafted_says("where it should have");
    }

    is_u64(wrong, 0, "header and checksum do not share their bytes");
}


static void
magic(void)
{
    size_t    i, len, taken, owned;
    uint64_t  run, owner, place;

    taken = 0;
    owned = 0;

    for (i = 0; i < 8 * 8; i++) {
        len = nothing(3, 44, 45);
        file[i / 8] ^= (unsigned char) (1 << (i % 8));

        taken += decode(crafted_seal(file, len)) != -1
                 || !crafted_says("it is no state file of this module");
        owned += ngx_canary_state_owner(file, &run, &owner, &place) != -1;
    }

    is_u64(taken, 0, "each bit of the magic counts");
    is_u64(owned, 0, "for whose it is as well");
}


static void
version(void)
{
    char      says[64];
    size_t    i, len;
    uint64_t  run, owner, place;

    static const unsigned  others[] = {
        0, 1, 2, 3, 4, 9, 0x103, 0x1000002, 0xffffffff
    };

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        len = nothing(others[i], others[i] == 1 ? 36 : 44, 45);
        crafted_seal(file, len);

        if (known(others[i])) {
            ok(ngx_canary_state_owner(file, &run, &owner, &place) == 0
               && run == 11 && owner == 12
               && place == (others[i] > 1 ? 13 : 0),
               "version %u: whose it is", others[i]);
            continue;
        }

        (void) snprintf(says, sizeof(says),
                        "it has version %u, this module reads 1 to 4",
                        others[i]);
        ok(decode(len + NGX_CANARY_STATE_CHECK) == -1 && crafted_says(says),
           "version %u: refused", others[i]);
        ok(ngx_canary_state_owner(file, &run, &owner, &place) == -1,
           "version %u: nobody's", others[i]);
    }
}


/* a length that lies, in a file whose checksum fits */

static void
length(void)
{
    size_t    i, len;
    uint64_t  all, lies[5];

    len = nothing(3, 44, 45);
    all = len + NGX_CANARY_STATE_CHECK;

    lies[0] = 0;
    lies[1] = all - 1;
    lies[2] = all + 1;
    lies[3] = all + ((uint64_t) 1 << 32);
    lies[4] = UINT64_MAX;

    for (i = 0; i < 5; i++) {
        crafted_fixed(file + 12, lies[i], 8);
        crafted_fixed(file + len, XXH3_64bits(file, len),
                      NGX_CANARY_STATE_CHECK);

        ok(decode((size_t) all) == -1 && crafted_says("where it should have"),
           "a length of %" PRIu64 " is not %" PRIu64, lies[i], all);
        ok((strstr(crafted_error, "cut short") != NULL) == (lies[i] > all),
           "and cut short only if it is less");
    }
}


int
main(void)
{
    size_t  i, len;

    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        in_version(i);
        too_short(i);
    }

    magic();
    version();
    length();

    len = crafted_seal(file, nothing(3, 44, 45));
    file[len - 1] ^= 0x80;
    ok(decode(len) == -1 && crafted_says("checksum"), "its last bit counts");

    return tap_done();
}
