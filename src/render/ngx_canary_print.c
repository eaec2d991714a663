/* Text with figures in it, as that of ngx_sprintf(). */

#include <stdarg.h>
#include <string.h>

#include "ngx_canary_chart.h"
#include "ngx_canary_page.h"


#define ngx_canary_print_u64  va_arg(*args, uint64_t)
#define ngx_canary_print_str  *va_arg(*args, const ngx_canary_str_t *)


static void ngx_canary_print_figure(ngx_canary_out_t *out, char type,
    va_list *args);


void
ngx_canary_print(ngx_canary_out_t *out, const char *fmt, ...)
{
    va_list      args;
    const char  *p;

    va_start(args, fmt);

    for (p = strchr(fmt, '%'); p; p = strchr(fmt, '%')) {
        ngx_canary_out_bytes(out, fmt, (size_t) (p - fmt));
        ngx_canary_print_figure(out, p[1], &args);
        fmt = p + 2;
    }

    va_end(args);

    ngx_canary_out_bytes(out, fmt, strlen(fmt));
}


static void
ngx_canary_print_figure(ngx_canary_out_t *out, char type, va_list *args)
{
    const char  *text;

    switch (type) {

    case 's':
        text = va_arg(*args, const char *);
        ngx_canary_out_bytes(out, text, strlen(text));
        break;

    case 'V':
        ngx_canary_out_str(out, ngx_canary_print_str);
        break;

    case 'H':
        ngx_canary_out_html(out, ngx_canary_print_str);
        break;

    case 'J':
        ngx_canary_out_json(out, ngx_canary_print_str);
        break;

    case 'u':
        ngx_canary_out_u64(out, ngx_canary_print_u64);
        break;

    case 'M':
        ngx_canary_out_moment(out, ngx_canary_print_u64);
        break;

    case 'D':
        ngx_canary_page_moment(ngx_canary_print_u64, out);
        break;

    case 'C':
        ngx_canary_page_clock(ngx_canary_print_u64, out);
        break;

    case 'A':
        ngx_canary_page_age(ngx_canary_print_u64, out);
        break;

    case 'P':
        ngx_canary_page_percent(ngx_canary_print_u64, out);
        break;

    case 'z':
        ngx_canary_out_u64(out, va_arg(*args, size_t));
        break;

    case 'W':
        ngx_canary_out_part(out, va_arg(*args, double));
        break;

    default:
        ngx_canary_out_lit(out, "%");
    }
}
