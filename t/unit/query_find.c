/* The argument of a query string, and what is none. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_query.h"

#include "sample.h"
#include "fenced.h"
#include "tap.h"

#include <string.h>


typedef struct {
    const char          *query;
    ngx_canary_query_e   result;
    const char          *value;
} query_t;


static const query_t  queries[] = {
    { "upstream=documents", NGX_CANARY_QUERY_FOUND, "documents" },
    { "a=b&upstream=documents", NGX_CANARY_QUERY_FOUND, "documents" },
    { "upstream=documents&a=b", NGX_CANARY_QUERY_FOUND, "documents" },
    { "&&upstream=documents&&", NGX_CANARY_QUERY_FOUND, "documents" },
    { "upstream=a%2Db%2e%7E", NGX_CANARY_QUERY_FOUND, "a-b.~" },
    { "upstream=%41%5a%5A", NGX_CANARY_QUERY_FOUND, "AZZ" },
    { "upstream=a+b%2Bc%20d", NGX_CANARY_QUERY_FOUND, "a b+c d" },
    { "upstream=a%26b%3Dc%25", NGX_CANARY_QUERY_FOUND, "a&b=c%" },
    { "upstream=a=b", NGX_CANARY_QUERY_FOUND, "a=b" },
    { "upstream==", NGX_CANARY_QUERY_FOUND, "=" },
    { "upstream=\xff%FF", NGX_CANARY_QUERY_FOUND, "\xff\xff" },
    { "upstream=", NGX_CANARY_QUERY_FOUND, "" },
    { "upstream", NGX_CANARY_QUERY_FOUND, "" },
    { "upstream=&a=b", NGX_CANARY_QUERY_FOUND, "" },
    { "a&upstream&b", NGX_CANARY_QUERY_FOUND, "" },

    { "", NGX_CANARY_QUERY_NONE, NULL },
    { "&", NGX_CANARY_QUERY_NONE, NULL },
    { "=upstream", NGX_CANARY_QUERY_NONE, NULL },
    { "a=upstream", NGX_CANARY_QUERY_NONE, NULL },
    { "upstrea=documents", NGX_CANARY_QUERY_NONE, NULL },
    { "upstreams=documents", NGX_CANARY_QUERY_NONE, NULL },
    { "xupstream=documents", NGX_CANARY_QUERY_NONE, NULL },
    { "Upstream=documents", NGX_CANARY_QUERY_NONE, NULL },
    { "a=%&b=%4&upstrea=%zz", NGX_CANARY_QUERY_NONE, NULL },
    { "a;upstream=b", NGX_CANARY_QUERY_NONE, NULL },

    { "upstream=a&upstream=a", NGX_CANARY_QUERY_REPEATED, NULL },
    { "upstream=a&b=c&upstream=", NGX_CANARY_QUERY_REPEATED, NULL },
    { "upstream&upstream", NGX_CANARY_QUERY_REPEATED, NULL },
    { "upstream=a&upstream=%", NGX_CANARY_QUERY_REPEATED, NULL },

    { "upstream=%", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=a%4", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%4g", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%G4", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%%41", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%4&1", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=% 1", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%@1", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%`1", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%/1", NGX_CANARY_QUERY_MALFORMED, NULL },
    { "upstream=%:1", NGX_CANARY_QUERY_MALFORMED, NULL }
};


/* the value in memory of just its size, so that a byte too many is seen */

static ngx_canary_query_e
find(const char *text, size_t len, unsigned char **value, size_t *vlen)
{
    unsigned char       *query;
    ngx_canary_query_e   result;

    query = fenced(text, len);
    *value = malloc(len ? len : 1);

    if (*value == NULL) {
        exit(1);
    }

    result = ngx_canary_query_find(query, len, "upstream", *value, vlen);

    return result;
}


/* every byte but "&" comes back as it was encoded, whatever its neighbours */

static void
round_trip(void)
{
    char            text[64];
    size_t          vlen, len;
    unsigned        c, wrong;
    unsigned char  *value;

    wrong = 0;

    for (c = 0; c < 256; c++) {
        len = (size_t) snprintf(text, sizeof(text), "a=1&upstream=x%%%02xy&b",
                                c);

        if (find(text, len, &value, &vlen) != NGX_CANARY_QUERY_FOUND
            || vlen != 3
            || value[0] != 'x' || value[1] != c || value[2] != 'y')
        {
            wrong++;
        }

        free(value);
    }

    is_u64(wrong, 0, "each byte, encoded");
}


int
main(void)
{
    size_t               i, vlen;
    unsigned char       *value;
    ngx_canary_query_e   result;

    for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        vlen = 4711;
        result = find(queries[i].query, strlen(queries[i].query), &value,
                      &vlen);

        ok(result == queries[i].result
           && (queries[i].value == NULL
               || (vlen == strlen(queries[i].value)
                   && memcmp(value, queries[i].value, vlen) == 0)),
           "\"%s\"", queries[i].query);

        free(value);
    }

    ok(find("upstream=documents", 13, &value, &vlen) == NGX_CANARY_QUERY_FOUND
       && vlen == 4 && memcmp(value, "docu", 4) == 0,
       "no byte beyond the query");
    free(value);

    ok(find("upstream=a%41", 12, &value, &vlen) == NGX_CANARY_QUERY_MALFORMED,
       "nor a digit beyond it");
    free(value);

    round_trip();

    return tap_done();
}
