/*
 * TAP for the unit tests: ok() and is_u64() print a line each, tap_done()
 * prints the plan and gives the exit status of main().
 */

#ifndef TAP_H_INCLUDED
#define TAP_H_INCLUDED


#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>


static int  tap_run;
static int  tap_failed;


#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static inline int
ok(int passed, const char *fmt, ...)
{
    va_list  args;

    tap_run++;
    tap_failed += !passed;

    printf("%s %d - ", passed ? "ok" : "not ok", tap_run);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    putchar('\n');

    return passed;
}


static inline int
is_u64(uint64_t got, uint64_t expected, const char *name)
{
    if (ok(got == expected, "%s", name)) {
        return 1;
    }

    printf("#      got: %" PRIu64 "\n# expected: %" PRIu64 "\n", got, expected);

    return 0;
}


static inline int
tap_done(void)
{
    printf("1..%d\n", tap_run);

    return tap_failed ? 1 : 0;
}


#endif /* TAP_H_INCLUDED */
