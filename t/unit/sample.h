/*
 * Reproducible random numbers (splitmix64, Steele, Lea and Flood 2014), the
 * keys of users, and sorting.  None of it is derived from the code under test.
 */

#ifndef SAMPLE_H_INCLUDED
#define SAMPLE_H_INCLUDED


#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


typedef enum {
    KEY_NUMBER = 0,                     /* a serial number */
    KEY_ADDRESS,                        /* IPv4 as text */
    KEY_SESSION,                        /* 128 random bits as hex */
    KEY_SHAPES
} key_shape_e;


static inline uint64_t
sample_u64(uint64_t *state)
{
    uint64_t  z;

    *state += 0x9e3779b97f4a7c15;

    z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

    return z ^ (z >> 31);
}


/* uniform in (0, 1) */

static inline double
sample_unit(uint64_t *state)
{
    return ((double) (sample_u64(state) >> 11) + 0.5) / 9007199254740992.0;
}


/* standard normal, by Box and Muller */

static inline double
sample_normal(uint64_t *state)
{
    double  radius, angle;

    radius = sqrt(-2 * log(sample_unit(state)));
    angle = 6.283185307179586 * sample_unit(state);

    return radius * cos(angle);
}


/* the nth user's key, all different; returns its length */

static inline size_t
sample_key(char *buf, size_t size, key_shape_e shape, uint32_t nth)
{
    int       len;
    uint64_t  state, high;

    switch (shape) {

    case KEY_ADDRESS:
        len = snprintf(buf, size, "10.%u.%u.%u", (unsigned) (nth >> 16 & 255),
                       (unsigned) (nth >> 8 & 255), (unsigned) (nth & 255));
        break;

    case KEY_SESSION:
        state = nth;
        high = sample_u64(&state);
        len = snprintf(buf, size, "%016" PRIx64 "%016" PRIx64, high,
                       sample_u64(&state));
        break;

    default:
        len = snprintf(buf, size, "%u", (unsigned) nth);
    }

    return (size_t) len;
}


static inline int
sample_compare(const void *one, const void *two)
{
    uint64_t  a, b;

    a = *(const uint64_t *) one;
    b = *(const uint64_t *) two;

    return (a > b) - (a < b);
}


static inline void
sample_sort(uint64_t *values, size_t n)
{
    qsort(values, n, sizeof(uint64_t), sample_compare);
}


#endif /* SAMPLE_H_INCLUDED */
