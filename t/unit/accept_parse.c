/* The qualities that an Accept header gives to the two formats of metrics. */

#define _DEFAULT_SOURCE

#include "../../src/pure/ngx_canary_accept.h"

#include "fenced.h"
#include "tap.h"

#include <string.h>


#define OPENMETRICS  "application/openmetrics-text"


typedef struct {
    const char    *text;
    unsigned int   openmetrics;
    unsigned int   plain;
} accept_t;


static const accept_t  accepts[] = {
    { "", 0, 0 },
    { "*/*", 0, 0 },
    { "text/plain", 0, 1000 },
    { OPENMETRICS, 1000, 0 },
    { "Application/OpenMetrics-Text", 1000, 0 },
    { OPENMETRICS ";q=0.5,text/plain;q=0.3", 500, 300 },
    { OPENMETRICS " ; version=1.0.0 ;\tQ=0.75 , text/plain;q=0", 750, 0 },
    { OPENMETRICS ";q=0.2," OPENMETRICS ";q=0.8", 800, 0 },
    { OPENMETRICS ";q=1", 1000, 0 },
    { OPENMETRICS ";q=1.000", 1000, 0 },
    { OPENMETRICS ";q=1.001", 0, 0 },
    { OPENMETRICS ";q=0.001", 1, 0 },
    { OPENMETRICS ";q=0.0001", 0, 0 },
    { OPENMETRICS ";q=2", 0, 0 },
    { OPENMETRICS ";q=", 0, 0 },
    { OPENMETRICS ";q=.5", 0, 0 },
    { OPENMETRICS ";q=-1", 0, 0 },
    { OPENMETRICS ";qs=0.1", 1000, 0 },
    { OPENMETRICS "x, x" OPENMETRICS ", text/plainer", 0, 0 },
    { ",,;,text/plain,;q=0.1,", 0, 1000 },
    { " ", 0, 0 },
    { "text/plain, \t", 0, 1000 },
    { "text/plain ; ", 0, 1000 }
};


int
main(void)
{
    size_t               i;
    ngx_canary_accept_t  accept;

    for (i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
        memset(&accept, 0, sizeof(accept));
        ngx_canary_accept_parse(&accept,
                                fenced(accepts[i].text,
                                       strlen(accepts[i].text)),
                                strlen(accepts[i].text));
        ok(accept.openmetrics == accepts[i].openmetrics
           && accept.plain == accepts[i].plain, "\"%s\"", accepts[i].text);
    }

    return tap_done();
}
