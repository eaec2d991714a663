
#include "ngx_canary_zone.h"


static ngx_str_t  ngx_canary_kinds[] = {
    ngx_string("published"),
    ngx_string("rollback"),
    ngx_string("resume"),
    ngx_string("rearmed"),
    ngx_string("decision"),
    ngx_string("incident"),
    ngx_string("gate")
};


static uint64_t ngx_canary_journal_peek(ngx_canary_zone_t *zone,
    ngx_canary_cursor_t *cursor, ngx_uint_t ring);


void
ngx_canary_journal_add(ngx_canary_zone_t *zone, ngx_canary_kind_e kind,
    ngx_str_t *text)
{
    uint64_t             entries, n;
    ngx_uint_t           ring;
    ngx_canary_entry_t  *entry;

    /* both numbers of it come from one addition, so they belong together */

    ring = (kind != NGX_CANARY_KIND_PUBLISHED);
    entries = __atomic_fetch_add(&zone->entries, (uint64_t) 1 << 32 * ring,
                                 __ATOMIC_ACQ_REL);

    n = ngx_canary_entries(entries, ring);
    entry = &zone->journal[ring][n % NGX_CANARY_JOURNAL];

    ngx_canary_store(&entry->ticket, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    entry->number = ngx_canary_entries(entries, 0)
                    + ngx_canary_entries(entries, 1) + 1;
    entry->time_ms = ngx_canary_now_ms();
    entry->kind = kind;
    entry->text.len = ngx_min(text->len, NGX_CANARY_MAX_TEXT);
    ngx_memcpy(entry->text.data, text->data, entry->text.len);

    ngx_canary_store(&entry->ticket, n + 1);
}


/* what was published fills the room that the others leave */

void
ngx_canary_journal_begin(ngx_canary_zone_t *zone, ngx_canary_cursor_t *cursor)
{
    uint64_t    entries, room, n;
    ngx_uint_t  ring;

    entries = ngx_canary_load(&zone->entries);
    room = NGX_CANARY_JOURNAL;

    for (ring = 2; ring-- > 0; /* void */) {
        cursor->end[ring] = ngx_canary_entries(entries, ring);

        n = ngx_min(cursor->end[ring], room);
        cursor->next[ring] = cursor->end[ring] - n;
        room -= n;
    }
}


ngx_uint_t
ngx_canary_journal_next(ngx_canary_zone_t *zone, ngx_canary_cursor_t *cursor,
    ngx_canary_entry_t *copy)
{
    uint64_t             published, other, wanted;
    ngx_uint_t           ring;
    ngx_canary_entry_t  *entry;

    for ( ;; ) {
        published = ngx_canary_journal_peek(zone, cursor, 0);
        other = ngx_canary_journal_peek(zone, cursor, 1);

        if (published == UINT64_MAX && other == UINT64_MAX) {
            return 0;
        }

        ring = (other < published);
        entry = &zone->journal[ring][cursor->next[ring] % NGX_CANARY_JOURNAL];
        wanted = ++cursor->next[ring];

        *copy = *entry;

        /* overwritten while it was read */

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (ngx_canary_load(&entry->ticket) == wanted
            && copy->text.len <= NGX_CANARY_MAX_TEXT
            && copy->kind < sizeof(ngx_canary_kinds) / sizeof(ngx_str_t))
        {
            return 1;
        }
    }
}


/* the number of the next entry of a ring, UINT64_MAX if there is none */

static uint64_t
ngx_canary_journal_peek(ngx_canary_zone_t *zone, ngx_canary_cursor_t *cursor,
    ngx_uint_t ring)
{
    uint64_t             next;
    ngx_canary_entry_t  *entry;

    for ( /* void */ ; cursor->next[ring] < cursor->end[ring];
         cursor->next[ring]++)
    {
        next = cursor->next[ring];
        entry = &zone->journal[ring][next % NGX_CANARY_JOURNAL];

        /* else it is being written, or its writer was killed */

        if (ngx_canary_load(&entry->ticket) == next + 1) {
            return entry->number;
        }
    }

    return UINT64_MAX;
}


ngx_int_t
ngx_canary_journal_read(ngx_canary_zone_t *zone, ngx_canary_split_t *split,
    ngx_pool_t *pool)
{
    u_char               *p;
    ngx_canary_note_t    *note;
    ngx_canary_entry_t    entry;
    ngx_canary_cursor_t   cursor;

    ngx_canary_journal_begin(zone, &cursor);
    split->njournal = 0;

    while (split->njournal < NGX_CANARY_JOURNAL
           && ngx_canary_journal_next(zone, &cursor, &entry))
    {
        p = ngx_pnalloc(pool, entry.text.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, entry.text.data, entry.text.len);

        note = &split->journal[split->njournal++];

        note->number = entry.number;
        note->time_ms = entry.time_ms;
        note->event.len = ngx_canary_kinds[entry.kind].len;
        note->event.data = ngx_canary_kinds[entry.kind].data;
        note->text.len = entry.text.len;
        note->text.data = p;
    }

    return NGX_OK;
}
