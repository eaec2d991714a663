/*
 * A number as a server writes it into an answer's header, in 1e-3 of its unit.
 */

#ifndef NGX_CANARY_NUMBER_H_INCLUDED
#define NGX_CANARY_NUMBER_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


#define NGX_CANARY_NUMBER_DIGITS  12    /* before the point, at most */


/*
 * Reads "12", "0.25", "1700.5": digits, and decimals of which those behind the
 * third are cut.  Returns 0, or -1 for any other text, such as a sign, blanks,
 * an exponent, a point without a digit on either side, or more than
 * NGX_CANARY_NUMBER_DIGITS digits before it.
 */
int ngx_canary_number_parse(const unsigned char *text, size_t len,
    uint64_t *milli);


#pragma GCC visibility pop

#endif /* NGX_CANARY_NUMBER_H_INCLUDED */
