/*
 * Decimal numbers without floating point: what is summed up must be exact.
 */

#include "ngx_canary_number.h"


int
ngx_canary_number_parse(const unsigned char *text, size_t len, uint64_t *milli)
{
    size_t    i, digits;
    uint64_t  value, weight;

    value = 0;

    for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
        value = value * 10 + (uint64_t) (text[i] - '0');

        if (i == NGX_CANARY_NUMBER_DIGITS) {
            return -1;
        }
    }

    if (i == 0) {
        return -1;
    }

    value *= 1000;

    if (i < len && text[i] == '.') {
        weight = 1000;
        digits = 0;

        for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
            weight /= 10;
            value += (uint64_t) (text[i] - '0') * weight;
            digits++;
        }

        if (digits == 0) {
            return -1;
        }
    }

    if (i != len) {
        return -1;
    }

    *milli = value;

    return 0;
}
