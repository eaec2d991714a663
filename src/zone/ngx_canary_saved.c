
#include "ngx_canary_keep.h"


#if (NGX_CANARY_SAVED_NAME < NGX_CANARY_MAX_NAME                              \
     || NGX_CANARY_SAVED_NAME < NGX_CANARY_MAX_STAGE                          \
     || NGX_CANARY_SAVED_TEXT != NGX_CANARY_MAX_TEXT)
#error what is kept of a split is larger than its place in the file
#endif


static void ngx_canary_saved_record(ngx_canary_saved_t *saved,
    ngx_canary_record_t *record);
static void ngx_canary_saved_stage(ngx_canary_saved_t *saved,
    ngx_canary_stage_t *stage);
static void ngx_canary_saved_latch(ngx_canary_zone_t *zone,
    ngx_canary_saved_t *saved);
static void ngx_canary_saved_journal(ngx_canary_zone_t *zone,
    ngx_canary_saved_t *saved);
static void ngx_canary_saved_variant(ngx_canary_zone_t *zone, ngx_uint_t slot,
    uint64_t base, ngx_canary_saved_variant_t *v);
static void ngx_canary_given_record(ngx_canary_zone_t *zone,
    ngx_canary_saved_t *saved);
static void ngx_canary_given_latch(ngx_canary_zone_t *zone,
    ngx_canary_saved_t *saved);
static void ngx_canary_given_journal(ngx_canary_zone_t *zone,
    ngx_canary_saved_t *saved);
static void ngx_canary_given_variant(ngx_canary_zone_t *zone, ngx_uint_t slot,
    ngx_canary_saved_variant_t *v);
static size_t ngx_canary_saved_bytes(u_char *dst, u_char *src, uint64_t len,
    size_t max);


void
ngx_canary_saved_take(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    uint64_t             word, base;
    ngx_uint_t           i, tries;
    ngx_canary_record_t  record;

    saved->run = ngx_canary_load(&zone->keep.run);
    saved->created_ms = zone->created_ms;
    saved->elapsed_us = ngx_canary_now_us() - zone->created_us;

    for (i = 0; i < NGX_CANARY_CAUSES; i++) {
        saved->rollbacks[i] = ngx_canary_load(&zone->rollbacks[i]);
    }

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        saved->limits_us[i] = ngx_canary_load(&zone->limits_us[i]);
    }

    ngx_canary_saved_latch(zone, saved);
    ngx_canary_saved_journal(zone, saved);
    ngx_canary_saved_judge(zone, &saved->judge);

    /* once more if it was published meanwhile: all of it must fit together */

    for (tries = 0; tries < NGX_CANARY_READ_TRIES; tries++) {
        word = ngx_canary_published(zone, &record);
        base = ngx_canary_base_at(word);

        ngx_canary_saved_record(saved, &record);
        ngx_canary_saved_stage(saved, &zone->stages[base]);

        saved->unkeyed = ngx_canary_shards_sum(zone, unkeyed);
        saved->bypassed = ngx_canary_shards_sum(zone, bypassed);
        saved->base_unkeyed = zone->base_unkeyed[base];

        for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
            ngx_canary_saved_variant(zone, i, base, &saved->variants[i]);
        }

        if (ngx_canary_load(&zone->published) == word) {
            break;
        }
    }
}


static void
ngx_canary_saved_record(ngx_canary_saved_t *saved, ngx_canary_record_t *record)
{
    ngx_uint_t  i;

    saved->generation = record->generation;
    saved->loaded_ms = record->loaded_ms;
    saved->stage.len = ngx_canary_saved_bytes(saved->stage.data, record->stage,
                                              record->stage_len,
                                              NGX_CANARY_MAX_STAGE);
    saved->ncanaries = record->ncanaries;

    for (i = 0; i < record->ncanaries; i++) {
        saved->canaries[i].slot = record->canaries[i].slot;
        saved->canaries[i].share_ppm = record->canaries[i].share_ppm;
        saved->canaries[i].off = record->canaries[i].off;
    }
}


static void
ngx_canary_saved_stage(ngx_canary_saved_t *saved, ngx_canary_stage_t *stage)
{
    saved->stage_start_ms = stage->start_ms;
    saved->stage_elapsed_us = stage->start_us
                              ? ngx_canary_now_us() - stage->start_us
                              : 0;
}


static void
ngx_canary_saved_latch(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    uint64_t             ticket;
    ngx_canary_latch_t  *latch;

    ticket = ngx_canary_load(&zone->latch);

    if (ticket == 0) {
        return;
    }

    latch = &zone->reasons[ticket % NGX_CANARY_MAX_LATCHES];

    saved->latched = 1;
    saved->latch_ms = latch->time_ms;
    saved->cause = ngx_min(latch->cause, NGX_CANARY_CAUSES - 1);
    saved->reason.len = ngx_canary_saved_bytes(saved->reason.data,
                                               latch->reason.data,
                                               latch->reason.len,
                                               NGX_CANARY_MAX_TEXT);
}


static void
ngx_canary_saved_journal(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    ngx_canary_entry_t        entry;
    ngx_canary_cursor_t       cursor;
    ngx_canary_saved_note_t  *note;

    ngx_canary_journal_begin(zone, &cursor);

    while (saved->njournal < NGX_CANARY_JOURNAL
           && ngx_canary_journal_next(zone, &cursor, &entry))
    {
        note = &saved->journal[saved->njournal++];

        note->number = entry.number;
        note->time_ms = entry.time_ms;
        note->kind = entry.kind;
        note->text.len = ngx_canary_saved_bytes(note->text.data,
                                                entry.text.data,
                                                entry.text.len,
                                                NGX_CANARY_MAX_TEXT);
    }
}


static void
ngx_canary_saved_variant(ngx_canary_zone_t *zone, ngx_uint_t slot,
    uint64_t base, ngx_canary_saved_variant_t *v)
{
    ngx_uint_t          i;
    ngx_canary_slot_t  *name;

    name = &zone->slots[slot];

    v->used = name->used;

    if (v->used == 0) {
        return;
    }

    v->name.len = ngx_canary_saved_bytes(v->name.data, name->name, name->len,
                                         NGX_CANARY_MAX_NAME);

    ngx_canary_saved_tally(&zone->requests, slot, base, &v->total, &v->base);

    for (i = 0; i < NGX_CANARY_LIMITS; i++) {
        v->late_from[i] = ngx_canary_load(&zone->late_from[slot][i]);
    }
}


void
ngx_canary_saved_tally(ngx_canary_tally_t *tally, ngx_uint_t slot,
    uint64_t base, ngx_canary_saved_tally_t *total,
    ngx_canary_saved_tally_t *begin)
{
    ngx_canary_sum_t  sum;

    ngx_canary_tally_sum(tally, slot, &sum);

    ngx_memzero(total->hist, sizeof(total->hist));
    ngx_canary_hist_copy(total->hist, sum.cell.hist, sum.from, sum.to);
    ngx_memcpy(total->n, sum.cell.counts.n, sizeof(total->n));
    total->max = sum.past_max;
    total->low = sum.past_low;

    ngx_memzero(begin->hist, sizeof(begin->hist));
    ngx_canary_hist_copy(begin->hist, tally->base[base][slot].hist, sum.from,
                         sum.to);
    ngx_memcpy(begin->n, tally->base[base][slot].counts.n, sizeof(begin->n));
    begin->max = sum.cell.max[base];
    begin->low = sum.cell.low[base];
}


void
ngx_canary_saved_give(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    ngx_uint_t  i;

    zone->created_ms = saved->created_ms;
    zone->created_us = ngx_canary_now_us() - saved->elapsed_us;

    for (i = 0; i < NGX_CANARY_CAUSES; i++) {
        zone->rollbacks[i] = saved->rollbacks[i];
    }

    ngx_memcpy(zone->limits_us, saved->limits_us, sizeof(zone->limits_us));

    zone->shards[0].unkeyed = saved->unkeyed;
    zone->shards[0].bypassed = saved->bypassed;
    zone->base_unkeyed[0] = saved->base_unkeyed;

    for (i = 0; i < NGX_CANARY_MAX_VARIANTS; i++) {
        ngx_canary_given_variant(zone, i, &saved->variants[i]);
    }

    ngx_canary_given_journal(zone, saved);
    ngx_canary_given_judge(zone, &saved->judge);
    ngx_canary_given_latch(zone, saved);
    ngx_canary_given_record(zone, saved);
}


/* as if it had been published here, so that the next load compares with it */

static void
ngx_canary_given_record(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    ngx_uint_t            i;
    ngx_canary_record_t  *record;

    if (saved->generation == 0) {
        return;
    }

    zone->stages[0].start_ms = saved->stage_start_ms;
    zone->stages[0].start_us = ngx_canary_now_us() - saved->stage_elapsed_us;

    record = &zone->records[0];

    record->generation = saved->generation;
    record->loaded_ms = saved->loaded_ms;
    record->stage_len = ngx_canary_saved_bytes(record->stage,
                                               saved->stage.data,
                                               saved->stage.len,
                                               NGX_CANARY_MAX_STAGE);
    record->ncanaries = saved->ncanaries;

    for (i = 0; i < saved->ncanaries; i++) {
        record->canaries[i].slot = (uint32_t) saved->canaries[i].slot;
        record->canaries[i].share_ppm = (uint32_t) saved->canaries[i].share_ppm;
        record->canaries[i].off = (uint32_t) saved->canaries[i].off;
    }

    ngx_canary_store(&zone->published, ngx_canary_word(1, 0, 1, 0));
}


static void
ngx_canary_given_latch(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    ngx_canary_latch_t  *latch;

    if (!saved->latched) {
        return;
    }

    latch = &zone->reasons[1];

    latch->time_ms = saved->latch_ms;
    latch->cause = saved->cause;
    latch->reason.len = ngx_canary_saved_bytes(latch->reason.data,
                                               saved->reason.data,
                                               saved->reason.len,
                                               NGX_CANARY_MAX_TEXT);

    zone->latches = 1;
    ngx_canary_store(&zone->latch, 1);
}


/* the numbers go on, and the last entry that was published is at their end */

static void
ngx_canary_given_journal(ngx_canary_zone_t *zone, ngx_canary_saved_t *saved)
{
    uint64_t                  last, n[2];
    ngx_uint_t                i, ring;
    ngx_canary_entry_t       *entry;
    ngx_canary_saved_note_t  *note;

    last = saved->njournal;
    n[0] = 0;
    n[1] = 0;

    for (i = 0; i < saved->njournal; i++) {
        note = &saved->journal[i];
        last = ngx_max(last, note->number);
        n[note->kind != NGX_CANARY_KIND_PUBLISHED]++;
    }

    zone->entries = n[1] << 32 | (last - n[1]);

    n[0] = last - n[1] - n[0];
    n[1] = 0;

    for (i = 0; i < saved->njournal; i++) {
        note = &saved->journal[i];
        ring = (note->kind != NGX_CANARY_KIND_PUBLISHED);
        entry = &zone->journal[ring][n[ring] % NGX_CANARY_JOURNAL];

        entry->number = note->number ? note->number : i + 1;
        entry->time_ms = note->time_ms;
        entry->kind = note->kind;
        entry->text.len = ngx_canary_saved_bytes(entry->text.data,
                                                 note->text.data,
                                                 note->text.len,
                                                 NGX_CANARY_MAX_TEXT);
        entry->ticket = ++n[ring];
    }
}


static void
ngx_canary_given_variant(ngx_canary_zone_t *zone, ngx_uint_t slot,
    ngx_canary_saved_variant_t *v)
{
    ngx_canary_slot_t  *name;

    if (v->used == 0) {
        return;
    }

    name = &zone->slots[slot];

    name->used = v->used;
    name->len = ngx_canary_saved_bytes(name->name, v->name.data, v->name.len,
                                       NGX_CANARY_MAX_NAME);

    ngx_canary_given_tally(&zone->requests, slot, &v->total, &v->base);

    ngx_memcpy(zone->late_from[slot], v->late_from,
               sizeof(zone->late_from[slot]));
}


/* memory that is not needed stays untouched */

void
ngx_canary_given_tally(ngx_canary_tally_t *tally, ngx_uint_t slot,
    ngx_canary_saved_tally_t *total, ngx_canary_saved_tally_t *begin)
{
    size_t              b, from, to;
    ngx_canary_cell_t  *cell;

    cell = ngx_canary_tally_cell(tally, 0, slot);

    ngx_memcpy(cell->counts.n, total->n, sizeof(total->n));
    ngx_memcpy(tally->base[0][slot].counts.n, begin->n, sizeof(begin->n));

    cell->max[0] = begin->max;
    cell->low[0] = begin->low;
    tally->past_max[slot] = total->max;
    tally->past_low[slot] = total->low;

    if (total->low == 0) {
        return;
    }

    from = ngx_canary_hist_index(UINT64_MAX - total->low);
    to = ngx_canary_hist_index(total->max);

    for (b = from; b <= to; b++) {
        cell->hist[b] = total->hist[b];
        tally->base[0][slot].hist[b] = begin->hist[b];
    }
}


static size_t
ngx_canary_saved_bytes(u_char *dst, u_char *src, uint64_t len, size_t max)
{
    len = ngx_min(len, max);

    ngx_memcpy(dst, src, len);

    return (size_t) len;
}
