/*
 * The fields of a form, application/x-www-form-urlencoded, and the text that
 * stands in them.
 */

#ifndef NGX_CANARY_FIELDS_H_INCLUDED
#define NGX_CANARY_FIELDS_H_INCLUDED


#include <stddef.h>


#pragma GCC visibility push(hidden)


/* a field that may be given, and what was; value NULL: not given */
typedef struct {
    const char     *name;
    unsigned char  *value;
    size_t          len;
} ngx_canary_field_t;


/*
 * Reads "name=value&name=value" into the "n" fields, decoded in place: each
 * value points into "text".  A value is UTF-8 without control characters (C0,
 * DEL and C1).  Returns NULL, or what is wrong first; then the fields hold what
 * could be read: blanks for control characters, and nothing of a value that is
 * wrong otherwise and of what is behind it.
 */
const char *ngx_canary_fields_parse(ngx_canary_field_t *fields, size_t n,
    unsigned char *text, size_t len);

/*
 * "+" is a blank, "%XX" a byte, NUL too.  "dst" may be "src".  Returns 0, or -1
 * where two digits are missing, and leaves *dlen alone.
 */
int ngx_canary_fields_decode(const unsigned char *src, size_t len,
    unsigned char *dst, size_t *dlen);

/*
 * By table 3-7 of the Unicode standard: no overlong forms, no surrogates, and
 * nothing above U+10FFFF.  ngx_utf8_decode() lets some of these pass.
 */
int ngx_canary_fields_is_utf8(const unsigned char *text, size_t len);


#pragma GCC visibility pop

#endif /* NGX_CANARY_FIELDS_H_INCLUDED */
