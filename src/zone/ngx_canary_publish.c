
#include "ngx_canary_events.h"


static ngx_uint_t ngx_canary_publish_slots(ngx_canary_zone_t *zone,
    ngx_canary_plan_t *plan, ngx_canary_record_t *record);
static uint32_t ngx_canary_publish_slot(ngx_canary_zone_t *zone,
    ngx_canary_plan_t *plan, ngx_str_t *name, uint64_t generation,
    ngx_uint_t *renamed);
static void ngx_canary_slot_name(ngx_canary_slot_t *slot, ngx_str_t *name,
    uint64_t generation);
static ngx_uint_t ngx_canary_publish_same_shares(ngx_canary_record_t *a,
    ngx_canary_record_t *b);
static ngx_uint_t ngx_canary_publish_same_stage(ngx_canary_record_t *a,
    ngx_canary_record_t *b);
static ngx_uint_t ngx_canary_publish_same_name(ngx_canary_record_t *a,
    ngx_canary_record_t *b);
static ngx_uint_t ngx_canary_publish_is_idle(ngx_canary_record_t *record);
static ngx_uint_t ngx_canary_publish_has_zero(ngx_canary_record_t *record);
static ngx_uint_t ngx_canary_publish_is_off(ngx_canary_record_t *record);
static void ngx_canary_publish_name(ngx_canary_record_t *record,
    ngx_canary_record_t *old, ngx_uint_t ends);
static ngx_uint_t ngx_canary_publish_ends(ngx_canary_record_t *record,
    ngx_canary_record_t *old);
static void ngx_canary_publish_latch(ngx_canary_zone_t *zone,
    ngx_canary_plan_t *plan, ngx_canary_record_t *record, ngx_uint_t rearms,
    ngx_log_t *log);
static void ngx_canary_publish_log(ngx_canary_zone_t *zone,
    ngx_canary_record_t *record, ngx_canary_record_t *old);
static u_char *ngx_canary_share_text(u_char *p, u_char *last,
    ngx_canary_record_t *record, uint32_t slot);


void
ngx_canary_publish(ngx_canary_zone_t *zone, ngx_canary_plan_t *plan,
    uint64_t generation, ngx_log_t *log)
{
    uint64_t              word, next, base, spare;
    ngx_uint_t            renamed, same, unchanged, rearms, first, ends;
    ngx_canary_record_t  *record, *old;

    /* workers may change the word meanwhile, but not which record it names */

    word = ngx_canary_load(&zone->published);
    first = (word == 0);
    old = &zone->records[ngx_canary_record_at(word)];
    record = &zone->records[!ngx_canary_record_at(word)];

    ngx_memzero(record, sizeof(ngx_canary_record_t));

    record->generation = generation;
    record->loaded_ms = ngx_canary_now_ms();

    record->stage_len = ngx_min(plan->stage.len, NGX_CANARY_MAX_STAGE);

    if (record->stage_len) {
        ngx_memcpy(record->stage, plan->stage.data, record->stage_len);
    }

    renamed = ngx_canary_publish_slots(zone, plan, record);
    rearms = !first
             && (renamed || !ngx_canary_publish_same_shares(record, old))
             && ngx_canary_publish_is_idle(record)
             && ngx_canary_publish_has_zero(record);

    ends = !first && !renamed && !rearms && ngx_canary_load(&zone->latch)
           && ngx_canary_publish_ends(record, old);

    if (!first && !renamed) {
        ngx_canary_publish_name(record, old, ends);
    }

    unchanged = !first && !renamed
                && ngx_canary_publish_same_stage(record, old);

    /* what was rolled back is still to be seen once it is off */

    same = unchanged || (ends && ngx_canary_publish_same_name(record, old));

    /* the first window begins here */

    ngx_canary_step_add(zone, plan->events, 0, 1);

    /* the next canary is not judged by what the last one did */

    if (!same && ngx_canary_publish_is_idle(record)) {
        ngx_canary_add(&zone->armed, 1);
    }

    /* which nobody but the master changes */

    spare = first ? 0 : ngx_canary_spare_at(word);

    if (!same && ngx_canary_stage_fill(zone, plan->events, spare) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "no memory to begin a stage of split \"%V\" anew, the "
                      "figures of the last one go on", &plan->split);
        same = 1;
    }

    if (!unchanged) {
        ngx_canary_publish_log(zone, record, first ? NULL : old);
    }

    /* from here on in every worker, old and new */

    do {
        base = first ? 1 : ngx_canary_base_at(word);

        next = ngx_canary_word(ngx_canary_number(word) + 1,
                               !ngx_canary_record_at(word),
                               same ? spare : base, same ? base : spare);

    } while (!__atomic_compare_exchange_n(&zone->published, &word, next, 0,
                                          __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));

    /* no request is assigned by the old shares once the latch is cleared */

    ngx_canary_publish_latch(zone, plan, record, rearms, log);
}


uint64_t
ngx_canary_published(ngx_canary_zone_t *zone, ngx_canary_record_t *record)
{
    uint64_t  word;

    for ( ;; ) {
        word = ngx_canary_load(&zone->published);

        if (word == 0) {
            ngx_memzero(record, sizeof(ngx_canary_record_t));
            return 0;
        }

        *record = zone->records[ngx_canary_record_at(word)];

        /*
         * A copy is torn only if the master published once more and began
         * with the next: never within a few instructions, but a process may
         * be stopped anywhere.
         */

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (ngx_canary_load(&zone->published) == word) {
            return word;
        }
    }
}


/* returns 1 if a name took the slot of another */

static ngx_uint_t
ngx_canary_publish_slots(ngx_canary_zone_t *zone, ngx_canary_plan_t *plan,
    ngx_canary_record_t *record)
{
    ngx_uint_t            i, renamed;
    ngx_canary_share_t   *share;
    ngx_canary_target_t  *target;

    renamed = 0;

    ngx_canary_slot_name(&zone->slots[NGX_CANARY_BASELINE], &plan->split,
                         record->generation);

    for (i = 0; i < plan->ntargets; i++) {
        target = &plan->targets[i];
        share = &record->canaries[i];

        share->slot = ngx_canary_publish_slot(zone, plan, &target->name,
                                              record->generation, &renamed);
        share->share_ppm = target->off ? 0 : target->share_ppm;
        share->off = target->off;
    }

    record->ncanaries = plan->ntargets;

    return renamed;
}


/*
 * A name keeps its slot, and with it its counters.  A new name takes an empty
 * slot, else the one that has been out of the plan for longest.
 */

static uint32_t
ngx_canary_publish_slot(ngx_canary_zone_t *zone, ngx_canary_plan_t *plan,
    ngx_str_t *name, uint64_t generation, ngx_uint_t *renamed)
{
    uint32_t            i, best;
    ngx_uint_t          n;
    ngx_canary_slot_t  *slot;

    best = 0;

    for (i = 1; i < NGX_CANARY_MAX_VARIANTS; i++) {
        slot = &zone->slots[i];

        if (slot->used
            && slot->len == name->len
            && ngx_memcmp(slot->name, name->data, name->len) == 0)
        {
            slot->used = generation;
            return i;
        }

        for (n = 0; slot->used && n < plan->ntargets; n++) {
            if (plan->targets[n].name.len == slot->len
                && ngx_memcmp(plan->targets[n].name.data, slot->name, slot->len)
                   == 0)
            {
                break;
            }
        }

        if (slot->used && n < plan->ntargets) {
            continue;
        }

        if (best == 0 || slot->used < zone->slots[best].used) {
            best = i;
        }
    }

    /* there are as many slots as a plan may have names */

    if (zone->slots[best].used) {
        ngx_canary_tally_clear(&zone->requests, best);
        ngx_memzero(zone->late_from[best], sizeof(zone->late_from[best]));
        *renamed = 1;

        if (plan->events) {
            ngx_canary_events_reset(plan->events, best);
        }
    }

    ngx_canary_slot_name(&zone->slots[best], name, generation);

    return best;
}


static void
ngx_canary_slot_name(ngx_canary_slot_t *slot, ngx_str_t *name,
    uint64_t generation)
{
    slot->used = generation;
    slot->len = ngx_min(name->len, NGX_CANARY_MAX_NAME);
    ngx_memcpy(slot->name, name->data, slot->len);
}


/* whatever the order in which they are written */

static ngx_uint_t
ngx_canary_publish_same_shares(ngx_canary_record_t *a, ngx_canary_record_t *b)
{
    ngx_uint_t  i, n;

    if (a->ncanaries != b->ncanaries) {
        return 0;
    }

    for (i = 0; i < a->ncanaries; i++) {

        for (n = 0; n < b->ncanaries; n++) {
            if (ngx_memcmp(&a->canaries[i], &b->canaries[n],
                           sizeof(ngx_canary_share_t))
                == 0)
            {
                break;
            }
        }

        if (n == b->ncanaries) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_canary_publish_same_stage(ngx_canary_record_t *a, ngx_canary_record_t *b)
{
    return a->ncanaries == b->ncanaries
           && ngx_memcmp(a->canaries, b->canaries, sizeof(a->canaries)) == 0
           && ngx_canary_publish_same_name(a, b);
}


static ngx_uint_t
ngx_canary_publish_same_name(ngx_canary_record_t *a, ngx_canary_record_t *b)
{
    return a->stage_len == b->stage_len
           && ngx_memcmp(a->stage, b->stage, a->stage_len) == 0;
}


static ngx_uint_t
ngx_canary_publish_is_idle(ngx_canary_record_t *record)
{
    ngx_uint_t  i;

    for (i = 0; i < record->ncanaries; i++) {
        if (record->canaries[i].share_ppm) {
            return 0;
        }
    }

    return 1;
}


/* a share that says so, unlike "off", which is what a rollback leaves behind */

static ngx_uint_t
ngx_canary_publish_has_zero(ngx_canary_record_t *record)
{
    ngx_uint_t  i;

    for (i = 0; i < record->ncanaries; i++) {
        if (!record->canaries[i].off && record->canaries[i].share_ppm == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_canary_publish_is_off(ngx_canary_record_t *record)
{
    return record->ncanaries
           && ngx_canary_publish_is_idle(record)
           && !ngx_canary_publish_has_zero(record);
}


/* "off" has no name: that of the stage that it ends, whose figures go on */

static void
ngx_canary_publish_name(ngx_canary_record_t *record, ngx_canary_record_t *old,
    ngx_uint_t ends)
{
    if (record->stage_len == 0
        && ngx_canary_publish_is_off(record)
        && (ends || ngx_canary_publish_same_shares(record, old)))
    {
        record->stage_len = old->stage_len;
        ngx_memcpy(record->stage, old->stage, old->stage_len);
    }
}


/* canaries that are as they were, or off */

static ngx_uint_t
ngx_canary_publish_ends(ngx_canary_record_t *record, ngx_canary_record_t *old)
{
    ngx_uint_t           i, n;
    ngx_canary_share_t  *share;

    if (record->ncanaries != old->ncanaries) {
        return 0;
    }

    for (i = 0; i < record->ncanaries; i++) {
        share = &record->canaries[i];

        for (n = 0; n < old->ncanaries; n++) {
            if (old->canaries[n].slot == share->slot) {
                break;
            }
        }

        if (n == old->ncanaries
            || (!share->off
                && ngx_memcmp(share, &old->canaries[n],
                              sizeof(ngx_canary_share_t))
                   != 0))
        {
            return 0;
        }
    }

    return 1;
}


static void
ngx_canary_publish_latch(ngx_canary_zone_t *zone, ngx_canary_plan_t *plan,
    ngx_canary_record_t *record, ngx_uint_t rearms, ngx_log_t *log)
{
    u_char      buf[128], *last;
    ngx_str_t   text;
    ngx_uint_t  i;

    if (!rearms) {

        for (i = 0; i < record->ncanaries; i++) {

            if (record->canaries[i].off || !ngx_canary_load(&zone->latch)) {
                continue;
            }

            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "split \"%V\" is rolled back and stays so: "
                          "no request goes to a canary until the split is "
                          "loaded with \"0%%\" in place of other shares, or "
                          "resumed through canary_control", &plan->split);
            return;
        }

        return;
    }

    if (!ngx_canary_latch_clear(zone)) {
        return;
    }

    /* by the next tick: a crash would bring back the latch of the state file */

    ngx_canary_store(&zone->keep.due_us, 0);

    last = ngx_snprintf(buf, sizeof(buf),
                        "re-armed, as generation %uL loads 0%%",
                        record->generation);
    text.data = buf;
    text.len = last - buf;

    ngx_canary_journal_add(zone, NGX_CANARY_KIND_REARMED, &text);

    ngx_log_error(NGX_LOG_WARN, log, 0, "split \"%V\" is %V",
                  &plan->split, &text);
}


/* "sliceB_documents 0% -> 5%, stage stage1_5pct, generation 3" */

static void
ngx_canary_publish_log(ngx_canary_zone_t *zone, ngx_canary_record_t *record,
    ngx_canary_record_t *old)
{
    u_char               buf[NGX_CANARY_MAX_TEXT], *p, *last;
    uint32_t             slot;
    ngx_str_t            text;
    ngx_uint_t           i, in_new, in_old;
    ngx_canary_record_t  none;

    ngx_memzero(&none, sizeof(ngx_canary_record_t));

    if (old == NULL) {
        old = &none;
    }

    p = buf;
    last = buf + sizeof(buf);

    for (slot = 1; slot < NGX_CANARY_MAX_VARIANTS; slot++) {
        in_new = 0;
        in_old = 0;

        for (i = 0; i < NGX_CANARY_MAX_CANARIES; i++) {
            in_new |= record->canaries[i].slot == slot;
            in_old |= old->canaries[i].slot == slot;
        }

        if (!in_new && !in_old) {
            continue;
        }

        p = ngx_slprintf(p, last, "%*s ", (size_t) zone->slots[slot].len,
                         zone->slots[slot].name);
        p = ngx_canary_share_text(p, last, old, slot);
        p = ngx_slprintf(p, last, " -> ");
        p = ngx_canary_share_text(p, last, record, slot);
        p = ngx_slprintf(p, last, ", ");
    }

    if (record->stage_len) {
        p = ngx_slprintf(p, last, "stage %*s, ", (size_t) record->stage_len,
                         record->stage);
    }

    p = ngx_slprintf(p, last, "generation %uL", record->generation);

    text.data = buf;
    text.len = p - buf;

    ngx_canary_journal_add(zone, NGX_CANARY_KIND_PUBLISHED, &text);
}


static u_char *
ngx_canary_share_text(u_char *p, u_char *last, ngx_canary_record_t *record,
    uint32_t slot)
{
    uint32_t             fraction;
    ngx_uint_t           i;
    ngx_canary_share_t  *share;

    for (i = 0; i < record->ncanaries; i++) {
        share = &record->canaries[i];

        if (share->slot != slot) {
            continue;
        }

        if (share->off) {
            return ngx_slprintf(p, last, "off");
        }

        p = ngx_slprintf(p, last, "%uD", share->share_ppm / 10000);
        fraction = share->share_ppm % 10000;

        if (fraction) {
            p = ngx_slprintf(p, last, ".%04uD", fraction);

            while (p[-1] == '0') {
                p--;
            }
        }

        return ngx_slprintf(p, last, "%%");
    }

    return ngx_slprintf(p, last, "0%%");
}
