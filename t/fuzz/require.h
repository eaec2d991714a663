/* What holds for any input: a fuzzer sees where it does not. */

#ifndef REQUIRE_H_INCLUDED
#define REQUIRE_H_INCLUDED


#include <stdint.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static inline void
require(int condition)
{
    if (!condition) {
        abort();
    }
}


#endif /* REQUIRE_H_INCLUDED */
