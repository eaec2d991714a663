/* Numbers as text: trimmed, rounded, saturated. */

#include <math.h>

#include "../../src/render/ngx_canary_out.h"

#include "tap.h"

#include "driver/picture.h"


typedef struct {
    uint64_t     n;
    unsigned     digits;
    const char  *text;
} decimal_t;

typedef struct {
    double       value;
    const char  *text;
} real_t;

typedef struct {
    uint64_t     us;
    const char  *plain;
    const char  *point;                 /* as OpenMetrics has it */
} bound_t;

typedef struct {
    uint64_t     a;
    uint64_t     b;
    uint64_t     ppm;
} ratio_t;


static const decimal_t  decimals[] = {
    { 12900000, 6, "12.9" },
    { 50000, 6, "0.05" },
    { 1000000, 6, "1" },
    { 0, 6, "0" },
    { 1, 6, "0.000001" },
    { 999999, 6, "0.999999" },
    { 10000001, 6, "10.000001" },
    { 100, 6, "0.0001" },
    { 12987, 4, "1.2987" },
    { 50000, 4, "5" },
    { 7, 0, "7" },
    { UINT64_MAX, 6, "18446744073709.551615" },
    { UINT64_MAX, 0, "18446744073709551615" }
};

static const real_t  reals[] = {
    { 0, "0" },
    { -0.0, "0" },
    { -1, "0" },
    { NAN, "0" },
    { 0.0004, "0" },
    { 0.0006, "0.001" },
    { 7.6914, "7.691" },
    { 12, "12" },
    { 0.3, "0.3" },
    { 123456789.25, "123456789.25" },
    { 1e15, "1000000000000000" },
    { 1e300, "1000000000000000" },
    { HUGE_VAL, "1000000000000000" }
};

static const bound_t  bounds[] = {
    { 1, "1e-06", "1e-06" },
    { 9, "9e-06", "9e-06" },
    { 10, "1e-05", "1e-05" },
    { 25, "2.5e-05", "2.5e-05" },
    { 99, "9.9e-05", "9.9e-05" },
    { 100, "0.0001", "0.0001" },
    { 5000, "0.005", "0.005" },
    { 1000000, "1", "1.0" },
    { 2500000, "2.5", "2.5" },
    { 10000000, "10", "10.0" },
    { 1000000000, "1000", "1000.0" }
};

static const ratio_t  ratios[] = {
    { 1, 77, 12987 },
    { 0, 77, 0 },
    { 2, 3, 666667 },
    { 1, 3, 333333 },
    { 1, 2000000, 1 },                  /* 0.5e-6: half up */
    { 1, 2000001, 0 },
    { 5, 0, 0 },
    { 7, 2, 3500000 },
    { UINT64_MAX, UINT64_MAX, 1000000 },
    { UINT64_MAX / 2, UINT64_MAX, 500000 },
    { UINT64_MAX, 1, UINT64_MAX }
};


static void
is_written(ngx_canary_out_t *out, const char *expected)
{
    char   name[64], *text;

    snprintf(name, sizeof(name), "writes %s", expected);

    text = picture_close(out);
    is_text(text, expected, name);
    free(text);
}


static void
moments(void)
{
    picture_out_t     p;
    ngx_canary_out_t  out;

    picture_open(&out, &p, 1);
    ngx_canary_out_moment(&out, 1763845812123);
    is_written(&out, "1763845812.123");

    picture_open(&out, &p, 1);
    ngx_canary_out_moment(&out, 1763845800000);
    is_written(&out, "1763845800.000");

    picture_open(&out, &p, 1);
    ngx_canary_out_moment(&out, 7);
    is_written(&out, "0.007");

    picture_open(&out, &p, 1);
    ngx_canary_out_moment(&out, UINT64_MAX);
    is_written(&out, "18446744073709551.615");
}


static void
rates(void)
{
    is_u64(ngx_canary_rate_ppm(77, 12122000), 6352087,
           "77 in 12.122 s are 6.352087 a second");
    is_u64(ngx_canary_rate_ppm(5, 0), 0, "rate over no time");
    is_u64(ngx_canary_rate_ppm(3, 1), 3000000000000, "3 in a microsecond");
    is_u64(ngx_canary_rate_ppm(UINT64_MAX, 1), UINT64_MAX,
           "rate saturates");

    /* half of 2^64 in 2^63 us is one in a microsecond */
    is_u64(ngx_canary_rate_ppm((uint64_t) 1 << 63, (uint64_t) 1 << 63),
           1000000000000, "large count over a long time");
}


static void
means(void)
{
    is_u64(ngx_canary_mean(12900000, 77), 167532, "mean rounds down");
    is_u64(ngx_canary_mean(5, 2), 3, "mean rounds half up");
    is_u64(ngx_canary_mean(5, 3), 2, "mean rounds up");
    is_u64(ngx_canary_mean(5, 0), 0, "mean of nothing");
    is_u64(ngx_canary_mean(UINT64_MAX, UINT64_MAX), 1, "mean of the largest");
}


int
main(void)
{
    char              name[64];
    size_t            i;
    picture_out_t     p;
    ngx_canary_out_t  out;

    for (i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++) {
        picture_open(&out, &p, 1);
        ngx_canary_out_decimal(&out, decimals[i].n, decimals[i].digits);
        is_written(&out, decimals[i].text);
    }

    for (i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        picture_open(&out, &p, 1);
        ngx_canary_out_real(&out, reals[i].value);
        is_written(&out, reals[i].text);
    }

    for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        picture_open(&out, &p, 1);
        ngx_canary_out_bound(&out, bounds[i].us, 0);
        is_written(&out, bounds[i].plain);

        picture_open(&out, &p, 1);
        ngx_canary_out_bound(&out, bounds[i].us, 1);
        is_written(&out, bounds[i].point);
    }

    for (i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
        snprintf(name, sizeof(name), "%" PRIu64 " / %" PRIu64, ratios[i].a,
                 ratios[i].b);
        is_u64(ngx_canary_ratio_ppm(ratios[i].a, ratios[i].b), ratios[i].ppm,
               name);
    }

    moments();
    rates();
    means();

    picture_open(&out, &p, 1);
    ngx_canary_out_u64(&out, UINT64_MAX);
    is_written(&out, "18446744073709551615");

    return tap_done();
}
