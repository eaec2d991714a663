/*
 * One cookie among those of a Cookie header, found where nginx's own variable
 * finds it, but with memchr() to search for delimiters.  All of it is here to
 * be inlined: each request that is keyed by a cookie comes this way.
 */

#ifndef NGX_CANARY_COOKIES_H_INCLUDED
#define NGX_CANARY_COOKIES_H_INCLUDED


#include <stddef.h>
#include <string.h>


#define NGX_CANARY_COOKIES_NONE  ((size_t) -1)

#define NGX_CANARY_ID_LEN        32     /* 128 bits in hex */


static const unsigned char *ngx_canary_cookies_skip(const unsigned char *p,
    const unsigned char *last, int commas) __attribute__((noinline));


/* "name" is in lower case */

static inline int
ngx_canary_cookies_named(const unsigned char *p, const unsigned char *name,
    size_t len)
{
    size_t         i;
    unsigned char  ch;

    for (i = 0; i < len; i++) {
        ch = p[i];

        if (ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        if (ch != name[i]) {
            return 0;
        }
    }

    return 1;
}


/*
 * Returns where the value of the cookie begins in "text", and its length in
 * *value; NGX_CANARY_COOKIES_NONE if there is none of that name.  Behind the
 * last byte of "text" there is a zero, as nginx ends each header.  "name" is in
 * lower case.  With "commas", a "," ends a cookie that is passed over too.
 */

static inline size_t
ngx_canary_cookies_find(const unsigned char *text, size_t len,
    const unsigned char *name, size_t name_len, int commas, size_t *value)
{
    const unsigned char  *p, *last, *end;

    p = text;
    last = text + len;

    while ((size_t) (last - p) >= name_len) {

        if (memcmp(p, name, name_len) == 0
            || ngx_canary_cookies_named(p, name, name_len))
        {
            p += name_len;

            while (*p == ' ') { p++; }

            if (*p == '=') {

                do { p++; } while (*p == ' ');

                end = memchr(p, ';', (size_t) (last - p));

                *value = (size_t) ((end ? end : last) - p);

                return (size_t) (p - text);
            }

            /* what stands in its place is no delimiter any more */

            if (p < last) {
                p++;
            }
        }

        p = ngx_canary_cookies_skip(p, last, commas);
    }

    return NGX_CANARY_COOKIES_NONE;
}


/* to what follows the next delimiter and the blanks behind it */

static const unsigned char *
ngx_canary_cookies_skip(const unsigned char *p, const unsigned char *last,
    int commas)
{
    const unsigned char  *end, *comma;

    end = memchr(p, ';', (size_t) (last - p));

    if (end == NULL) {
        end = last;
    }

    if (commas) {
        comma = memchr(p, ',', (size_t) (end - p));

        if (comma) {
            end = comma;
        }
    }

    if (end < last) {
        end++;
    }

    while (end < last && *end == ' ') { end++; }

    return end;
}


/* whether it is an id as the module issues them, by its form */

static inline int
ngx_canary_cookies_is_id(const unsigned char *text, size_t len)
{
    size_t  i;

    if (len != NGX_CANARY_ID_LEN) {
        return 0;
    }

    for (i = 0; i < NGX_CANARY_ID_LEN; i++) {

        if (!(text[i] >= '0' && text[i] <= '9')
            && !(text[i] >= 'a' && text[i] <= 'f'))
        {
            return 0;
        }
    }

    return 1;
}


#endif /* NGX_CANARY_COOKIES_H_INCLUDED */
