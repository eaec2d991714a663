
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


ngx_int_t
ngx_canary_journal_read(ngx_canary_zone_t *zone, ngx_canary_split_t *split,
    ngx_pool_t *pool)
{
    u_char              *p;
    uint64_t             ticket, last;
    ngx_canary_entry_t  *entry, copy;
    ngx_canary_note_t   *note;

    split->njournal = 0;

    last = ngx_canary_load(&zone->entries);
    ticket = last > NGX_CANARY_JOURNAL ? last - NGX_CANARY_JOURNAL : 0;

    for ( /* void */ ; ticket < last; ticket++) {
        entry = &zone->journal[ticket % NGX_CANARY_JOURNAL];

        if (ngx_canary_load(&entry->ticket) != ticket + 1) {
            continue;
        }

        copy.time_ms = entry->time_ms;
        copy.kind = entry->kind;
        copy.text.len = entry->text.len;

        if (copy.text.len > NGX_CANARY_MAX_TEXT
            || copy.kind >= sizeof(ngx_canary_kinds) / sizeof(ngx_str_t))
        {
            continue;
        }

        p = ngx_pnalloc(pool, copy.text.len + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, entry->text.data, copy.text.len);

        /* overwritten while it was read */

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (ngx_canary_load(&entry->ticket) != ticket + 1) {
            continue;
        }

        note = &split->journal[split->njournal++];

        note->time_ms = copy.time_ms;
        note->event.len = ngx_canary_kinds[copy.kind].len;
        note->event.data = ngx_canary_kinds[copy.kind].data;
        note->text.len = copy.text.len;
        note->text.data = p;
    }

    return NGX_OK;
}
