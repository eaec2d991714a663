
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


void
ngx_canary_journal_add(ngx_canary_zone_t *zone, ngx_canary_kind_e kind,
    ngx_str_t *text)
{
    uint64_t             ticket;
    ngx_canary_entry_t  *entry;

    ticket = __atomic_fetch_add(&zone->entries, 1, __ATOMIC_ACQ_REL);
    entry = &zone->journal[ticket % NGX_CANARY_JOURNAL];

    ngx_canary_store(&entry->ticket, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    entry->time_ms = ngx_canary_now_ms();
    entry->kind = kind;
    entry->text.len = ngx_min(text->len, NGX_CANARY_MAX_TEXT);
    ngx_memcpy(entry->text.data, text->data, entry->text.len);

    ngx_canary_store(&entry->ticket, ticket + 1);
}


ngx_uint_t
ngx_canary_journal_next(ngx_canary_zone_t *zone, uint64_t *ticket,
    ngx_canary_entry_t *copy)
{
    uint64_t             last, wanted;
    ngx_canary_entry_t  *entry;

    last = ngx_canary_load(&zone->entries);

    if (last > NGX_CANARY_JOURNAL) {
        *ticket = ngx_max(*ticket, last - NGX_CANARY_JOURNAL);
    }

    while (*ticket < last) {
        entry = &zone->journal[*ticket % NGX_CANARY_JOURNAL];
        wanted = ++*ticket;

        if (ngx_canary_load(&entry->ticket) != wanted) {
            continue;
        }

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

    return 0;
}


ngx_int_t
ngx_canary_journal_read(ngx_canary_zone_t *zone, ngx_canary_split_t *split,
    ngx_pool_t *pool)
{
    u_char              *p;
    uint64_t             ticket;
    ngx_canary_note_t   *note;
    ngx_canary_entry_t   entry;

    ticket = 0;
    split->njournal = 0;

    while (split->njournal < NGX_CANARY_JOURNAL
           && ngx_canary_journal_next(zone, &ticket, &entry))
    {
        p = ngx_pnalloc(pool, entry.text.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, entry.text.data, entry.text.len);

        note = &split->journal[split->njournal++];

        note->time_ms = entry.time_ms;
        note->event.len = ngx_canary_kinds[entry.kind].len;
        note->event.data = ngx_canary_kinds[entry.kind].data;
        note->text.len = entry.text.len;
        note->text.data = p;
    }

    return NGX_OK;
}
