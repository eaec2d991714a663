/*
 * Estimates against the truth.  The standard error of 4096 registers is 1.625%;
 * of estimates with a normal error, 1 in 370 is off by more than three of them.
 */

#include "../../src/pure/ngx_canary_unique.h"

#include "sample.h"
#include "tap.h"

#include <string.h>


#define STANDARD_ERROR  (1.04 / 64)

/*
 * The chance that more than two of 100 are beyond three standard errors is
 * 0.3%; the root of the mean square of 20 to 100 errors is within 1.5 times
 * the standard error in all but 1 of 1,000 cases.
 */
#define BEYOND          2
#define ROOT            1.5


static uint8_t  reg[NGX_CANARY_UNIQUE_REGISTERS];


/* user n of a population: all populations are different people */

static double
error_of(unsigned population, uint32_t users, key_shape_e shape)
{
    char      key[64];
    size_t    len;
    uint32_t  n;

    memset(reg, 0, sizeof(reg));

    for (n = 0; n < users; n++) {
        len = (size_t) snprintf(key, sizeof(key), "%u/", population);
        len += sample_key(key + len, sizeof(key) - len, shape, n);
        ngx_canary_unique_put(reg, ngx_canary_unique_hash(key, len));
    }

    return (double) ngx_canary_unique_estimate(reg) / users - 1;
}


static void
truth(uint32_t users, unsigned populations, key_shape_e shape)
{
    double    error, worst, square;
    unsigned  i, beyond;

    worst = square = 0;
    beyond = 0;

    for (i = 0; i < populations; i++) {
        error = error_of(i, users, shape);

        worst = fmax(worst, fabs(error));
        square += error * error / populations;
        beyond += fabs(error) > 3 * STANDARD_ERROR;
    }

    ok(sqrt(square) <= ROOT * STANDARD_ERROR && beyond <= BEYOND,
       "%u different users, %u times: a standard error of %.2f%%, %u beyond"
       " three of 1.625%%", (unsigned) users, populations, 100 * sqrt(square),
       beyond);

    ok(worst <= 0.05, "each within 5%%: %.2f%%", 100 * worst);
}


/*
 * Two of n users share a register with the chance n (n - 1) / 8192, which is
 * 6.5 of these 400 cases; four standard deviations more are 17.
 */

static void
few(void)
{
    double    error, worst;
    uint32_t  users, exact;
    unsigned  i;

    worst = 0;
    exact = 0;

    for (users = 1; users <= 20; users++) {
        for (i = 0; i < 20; i++) {
            error = fabs(error_of(i, users, KEY_SESSION)) * users;
            worst = fmax(worst, error);
            exact += error < 0.5;
        }
    }

    ok(worst < 1.5, "1 to 20 users: off by %.0f at most", worst);
    ok(exact >= 383, "and exact in %u of 400 cases", (unsigned) exact);
}


/* where other estimators change their method: no step, no bias */

static void
middle(void)
{
    double    mean;
    size_t    i;
    unsigned  k;

    static const uint32_t  users[] = { 1000, 4096, 10240, 20480, 40000 };

    for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        mean = 0;

        for (k = 0; k < 40; k++) {
            mean += error_of(k, users[i], KEY_NUMBER) / 40;
        }

        /* the mean of 40: four of its standard errors */

        ok(fabs(mean) < 4 * STANDARD_ERROR / sqrt(40),
           "%u users: no bias, %.2f%% in the mean", (unsigned) users[i],
           100 * mean);
    }
}


/*
 * So many users that registers are full, by the distribution of a register's
 * value, k or less with the chance exp(-users / registers / 2^k), and 53 at
 * most.
 */

static void
full(void)
{
    double    users, value, error, mean;
    size_t    i;
    unsigned  n, k, full;
    uint64_t  state;

    state = 53;

    for (n = 56; n <= 62; n += 2) {
        users = ldexp(1, (int) n);
        mean = 0;
        full = 0;

        for (k = 0; k < 40; k++) {

            for (i = 0; i < NGX_CANARY_UNIQUE_REGISTERS; i++) {
                value = ceil(log2(users / NGX_CANARY_UNIQUE_REGISTERS
                                  / -log(sample_unit(&state))));
                reg[i] = (uint8_t) fmax(0, fmin(53, value));
                full += reg[i] == 53;
            }

            error = (double) ngx_canary_unique_estimate(reg) / users - 1;
            mean += error / 40;
        }

        ok(full > 0 && fabs(mean) < 4 * STANDARD_ERROR / sqrt(40),
           "2^%u users, %u registers full: no bias, %.2f%% in the mean", n,
           full, 100 * mean);
    }
}


static void
ends(void)
{
    memset(reg, 0, sizeof(reg));
    is_u64(ngx_canary_unique_estimate(reg), 0, "nobody: 0");

    ngx_canary_unique_put(reg, ngx_canary_unique_hash("", 0));
    is_u64(ngx_canary_unique_estimate(reg), 1, "the empty name is one");

    memset(reg, 53, sizeof(reg));
    is_u64(ngx_canary_unique_estimate(reg), UINT64_MAX, "all registers full");

    memset(reg, 255, sizeof(reg));
    is_u64(ngx_canary_unique_estimate(reg), UINT64_MAX,
           "no rank is beyond the last");

    memset(reg, 52, sizeof(reg));
    ok(ngx_canary_unique_estimate(reg) > (uint64_t) 1 << 60, "nearly so");

    /* a rank of 10 is met about every 2^10 users */

    memset(reg, 10, sizeof(reg));
    ok(ngx_canary_unique_estimate(reg) > 4096 * 500
       && ngx_canary_unique_estimate(reg) < 4096 * 2000,
       "all at rank 10: about a thousand for each register");
}


int
main(void)
{
    truth(100, 100, KEY_SESSION);
    truth(100, 100, KEY_NUMBER);
    truth(10000, 100, KEY_ADDRESS);
    truth(1000000, 20, KEY_NUMBER);
    few();
    middle();
    full();
    ends();

    return tap_done();
}
