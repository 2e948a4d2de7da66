/* cuda_worker -- one device: its memory, the set on it, and batches of units through two slots, so
 * that the host takes over what one batch found while the next is computed.
 *
 * A batch whose candidates are more than its list holds has still counted everything; its units are
 * then listed again in smaller batches that count nothing. */
#include <inttypes.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "kernels/cuda/cuda_private.h"
#include "kernels/pairs_private.h"
#include "kernels/tail_private.h"

/* Returns from the function where a call of the table gave a code. */
#define CUDA_TRY(worker, call, doing)                                                              \
    do {                                                                                           \
        const int try_code = (call);                                                               \
        if (try_code != 0)                                                                         \
            return assay_cuda_failed((worker)->table, (worker)->device, try_code, doing);          \
    } while (0)

/* ---- memory ---- */

static assay_status allocate(const cuda_worker *worker, void *d_out, uint64_t bytes,
                             const char *what) {
    void *d_pointer = NULL;
    const int code = worker->table->allocate(&d_pointer, bytes);
    if (code == 0) {
        memcpy(d_out, &d_pointer, sizeof d_pointer);
        return ASSAY_OK;
    }
    return assay_fail(ASSAY_FAILED, "CUDA device %d: no %" PRIu64 " bytes for %s: %s (code %d)",
                      worker->device, bytes, what, worker->table->error_text(code), code);
}

static assay_status allocate_pinned(const cuda_worker *worker, void *h_out, uint64_t bytes,
                                    const char *what) {
    void *h_pointer = NULL;
    const int code = worker->table->allocate_pinned(&h_pointer, bytes);
    if (code == 0) {
        memcpy(h_out, &h_pointer, sizeof h_pointer);
        return ASSAY_OK;
    }
    return assay_fail(ASSAY_FAILED,
                      "CUDA device %d: no %" PRIu64 " pinned bytes for %s: %s (code %d)",
                      worker->device, bytes, what, worker->table->error_text(code), code);
}

/* Copies bytes of ordinary memory to the device, through pinned buffers in turn. */
static assay_status copy_in(cuda_worker *worker, void *d_to, const void *from, uint64_t bytes) {
    const assay_cuda_table *table = worker->table;
    void *stream = worker->slots[0].stream;
    unsigned turn = 0;
    for (uint64_t at = 0; at < bytes; at += CUDA_STAGING_BYTES, turn ^= 1) {
        const uint64_t size = bytes - at < CUDA_STAGING_BYTES ? bytes - at : CUDA_STAGING_BYTES;
        CUDA_TRY(worker, table->event_wait(worker->staged[turn]), "copying templates in");
        memcpy(worker->h_staging[turn], (const char *)from + at, (size_t)size);
        CUDA_TRY(worker, table->copy_in((char *)d_to + at, worker->h_staging[turn], size, stream),
                 "copying templates in");
        CUDA_TRY(worker, table->event_record(worker->staged[turn], stream), "copying templates in");
    }
    return ASSAY_OK;
}

/* Allocates *d_out and copies count elements in. */
static assay_status bring(cuda_worker *worker, void *d_out, const void *from, uint64_t count,
                          uint64_t size, const char *what) {
    void *d_pointer = NULL;
    assay_status status = allocate(worker, d_out, count * size, what);
    if (status != ASSAY_OK) return status;
    memcpy(&d_pointer, d_out, sizeof d_pointer);
    return copy_in(worker, d_pointer, from, count * size);
}

static assay_status bring_templates(cuda_worker *worker, const assay_quantised *set) {
    const uint64_t cells = set->count * set->length;
    assay_cuda_set *to = &worker->set;
    assay_status status =
        bring(worker, &to->d_coarse, set->coarse, cells, sizeof *to->d_coarse, "coarse templates");
    if (status != ASSAY_OK) return status;
    status = bring(worker, &to->d_fine, set->fine, cells, sizeof *to->d_fine, "fine templates");
    if (status != ASSAY_OK) return status;
    status = bring(worker, &to->d_coarse_norm, set->coarse_norm, set->count,
                   sizeof *to->d_coarse_norm, "norms");
    if (status != ASSAY_OK) return status;
    return bring(worker, &to->d_fine_norm, set->fine_norm, set->count, sizeof *to->d_fine_norm,
                 "norms");
}

static assay_status bring_labels(cuda_worker *worker) {
    const assay_all_pairs *plan = worker->work->plan;
    assay_cuda_set *to = &worker->set;
    assay_cuda_panel *panels = NULL;
    assay_status status =
        bring(worker, &to->d_subject, plan->subject, to->count, sizeof *to->d_subject, "subjects");
    if (status != ASSAY_OK) return status;
    status = bring(worker, &to->d_group, plan->group, to->count, sizeof *to->d_group, "groups");
    if (status != ASSAY_OK) return status;
    status = bring(worker, &to->d_side, plan->side, to->count, sizeof *to->d_side, "sides");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&panels, (size_t)(to->rows / CUDA_PANEL), sizeof *panels, "panels");
    if (status != ASSAY_OK) return status;
    assay_cuda_panels_make(plan, to->rows, panels);
    status = bring(worker, &to->d_panels, panels, to->rows / CUDA_PANEL, sizeof *panels, "panels");
    free(panels);
    return status;
}

/* ---- opening ---- */

static assay_status open_streams(cuda_worker *worker) {
    const assay_cuda_table *table = worker->table;
    CUDA_TRY(worker, table->device_use(worker->device), "choosing the device");
    CUDA_TRY(worker, table->device_describe(worker->device, &worker->about), "asking the device");
    for (int n = 0; n < CUDA_SLOTS; n++) {
        CUDA_TRY(worker, table->stream_open(&worker->slots[n].stream), "opening a stream");
        CUDA_TRY(worker, table->event_open(&worker->slots[n].finished), "opening an event");
    }
    for (int n = 0; n < 2; n++) {
        CUDA_TRY(worker, table->event_open(&worker->staged[n]), "opening an event");
        const assay_status status = allocate_pinned(worker, &worker->h_staging[n],
                                                    CUDA_STAGING_BYTES, "templates on their way");
        if (status != ASSAY_OK) return status;
    }
    return allocate_pinned(worker, &worker->h_handed, CUDA_HANDED_OVER * sizeof(assay_scored_pair),
                           "candidates on their way");
}

static assay_status open_slot(cuda_worker *worker, cuda_slot *slot) {
    const assay_cuda_way way = worker->work->setup->way;
    const uint64_t list = worker->memory.capacity * sizeof(assay_scored_pair);
    const uint64_t units = CUDA_BATCH_UNITS * sizeof(assay_cuda_unit);
    assay_status status = allocate_pinned(worker, &slot->h_units, units, "tiles");
    if (status == ASSAY_OK) status = allocate(worker, &slot->d_units, units, "tiles");
    if (status == ASSAY_OK) status = allocate(worker, &slot->d_candidates, list, "candidates");
    if (status == ASSAY_OK) status = allocate(worker, &slot->d_kept, list, "kept candidates");
    if (status == ASSAY_OK) {
        status = allocate_pinned(worker, &slot->h_counters, sizeof *slot->h_counters, "counters");
    }
    if (status == ASSAY_OK) {
        status = allocate(worker, &slot->d_counters, sizeof *slot->d_counters, "counters");
    }
    if (status != ASSAY_OK || worker->memory.scores == 0) return status;
    status = allocate(worker, &slot->d_scores, worker->memory.scores, "scores");
    if (status != ASSAY_OK) return status;
    char reason[256] = "";
    const int code = worker->table->blas_open(&slot->blas, slot->stream, reason, sizeof reason);
    if (code == 0) return ASSAY_OK;
    return assay_fail(ASSAY_DECLINED, "CUDA device %d: way %s needs cuBLAS: %s", worker->device,
                      assay_cuda_way_name(way), reason);
}

static assay_status plan_memory(cuda_worker *worker) {
    const cuda_work *work = worker->work;
    const assay_cuda_setup *setup = work->setup;
    uint64_t free_bytes = worker->about.free_memory;
    if (setup->most_memory != 0 && setup->most_memory < free_bytes) {
        free_bytes = setup->most_memory;
    }
    const assay_status status = assay_cuda_memory_plan(
        work->plan, setup->way, worker->table->packed_bytes(setup->way, &worker->set),
        worker->about.l2, free_bytes, &worker->memory);
    if (status != ASSAY_OK) return status;
    if (setup->most_capacity != 0 && setup->most_capacity < worker->memory.capacity) {
        worker->memory.capacity = setup->most_capacity;
    }
    return ASSAY_OK;
}

assay_status assay_cuda_worker_open(cuda_worker *worker) {
    const assay_cuda_way way = worker->work->setup->way;
    const assay_cuda_table *table = worker->table;
    worker->set = assay_cuda_set_of(worker->work->plan);
    worker->expected = worker->work->guessed;
    assay_status status = open_streams(worker);
    if (status == ASSAY_OK) status = plan_memory(worker);
    for (int n = 0; status == ASSAY_OK && n < CUDA_SLOTS; n++) {
        status = open_slot(worker, &worker->slots[n]);
    }
    if (status == ASSAY_OK) status = bring_templates(worker, worker->work->plan->templates);
    if (status == ASSAY_OK) status = bring_labels(worker);
    if (status == ASSAY_OK) {
        status = allocate(worker, &worker->set.d_packed, table->packed_bytes(way, &worker->set),
                          "packed templates");
    }
    if (status == ASSAY_OK && worker->memory.histogram > 0) {
        status = allocate(worker, &worker->set.d_histogram, worker->memory.histogram, "histograms");
    }
    if (status != ASSAY_OK) return status;
    CUDA_TRY(worker, table->pack(way, &worker->set, worker->slots[0].stream), "packing templates");
    CUDA_TRY(worker, table->stream_wait(worker->slots[0].stream), "packing templates");
    return ASSAY_OK;
}

assay_status assay_cuda_worker_open_scores(cuda_worker *worker, const assay_quantised *templates) {
    const assay_all_pairs plan = {.templates = templates};
    worker->set = assay_cuda_set_of(&plan);
    assay_status status = open_streams(worker);
    if (status == ASSAY_OK) status = bring_templates(worker, templates);
    if (status == ASSAY_OK) {
        status = allocate(worker, &worker->slots[0].d_kept,
                          CUDA_HANDED_OVER * sizeof(assay_scored_pair), "listed pairs");
    }
    if (status != ASSAY_OK) return status;
    CUDA_TRY(worker, worker->table->stream_wait(worker->slots[0].stream), "copying templates in");
    return ASSAY_OK;
}

static void close_slot(const cuda_worker *worker, cuda_slot *slot) {
    const assay_cuda_table *table = worker->table;
    if (slot->stream != NULL) (void)table->stream_wait(slot->stream); /* nothing still writes */
    table->blas_close(slot->blas);
    table->release(slot->d_scores);
    table->release(slot->d_counters);
    table->release_pinned(slot->h_counters);
    table->release(slot->d_kept);
    table->release(slot->d_candidates);
    table->release(slot->d_units);
    table->release_pinned(slot->h_units);
    table->event_close(slot->finished);
    table->stream_close(slot->stream);
}

void assay_cuda_worker_close(cuda_worker *worker) {
    const assay_cuda_table *table = worker->table;
    assay_cuda_set *set = &worker->set;
    if (table == NULL || table->device_use(worker->device) != 0) return;
    for (int n = 0; n < CUDA_SLOTS; n++) close_slot(worker, &worker->slots[n]);
    void *const all[] = {set->d_packed,      set->d_coarse,   set->d_fine,      set->d_subject,
                         set->d_group,       set->d_side,     set->d_fine_norm, set->d_panels,
                         set->d_coarse_norm, set->d_histogram};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) table->release(all[n]);
    for (int n = 0; n < 2; n++) {
        table->release_pinned(worker->h_staging[n]);
        table->event_close(worker->staged[n]);
    }
    table->release_pinned(worker->h_handed);
    *worker = (cuda_worker){0};
}

/* ---- batches ---- */

/* Starts units first … first + count - 1 in a slot: products, scores again, counters back. */
static assay_status launch(cuda_worker *worker, cuda_slot *slot, uint64_t first, uint32_t count,
                           bool counting) {
    cuda_work *work = worker->work;
    const assay_cuda_table *table = worker->table;
    const uint64_t bytes = count * sizeof(assay_cuda_unit);
    pthread_mutex_lock(&work->lock);
    const assay_cuda_batch batch = {.units = slot->h_units,
                                    .d_units = slot->d_units,
                                    .unit_count = count,
                                    .coarse_floor = work->coarse_floor,
                                    .fine_floor = work->floor,
                                    .counting = counting,
                                    .capacity = worker->memory.capacity,
                                    .d_candidates = slot->d_candidates,
                                    .d_kept = slot->d_kept,
                                    .d_counters = slot->d_counters,
                                    .d_scores = slot->d_scores,
                                    .score_bytes = worker->memory.scores,
                                    .multiprocessors = worker->about.multiprocessors};
    pthread_mutex_unlock(&work->lock);
    memcpy(slot->h_units, work->units + first, (size_t)bytes);
    slot->first = first;
    slot->count = count;
    CUDA_TRY(worker, table->copy_in(slot->d_units, slot->h_units, bytes, slot->stream),
             "listing tiles");
    CUDA_TRY(worker, table->clear(slot->d_counters, sizeof *slot->d_counters, slot->stream),
             "clearing counters");
    CUDA_TRY(worker, table->tiles(work->setup->way, slot->blas, &worker->set, &batch, slot->stream),
             "comparing tiles");
    CUDA_TRY(worker, table->rescore(&worker->set, &batch, slot->stream), "scoring candidates");
    CUDA_TRY(
        worker,
        table->copy_out(slot->h_counters, slot->d_counters, sizeof *slot->h_counters, slot->stream),
        "reading counters");
    CUDA_TRY(worker, table->event_record(slot->finished, slot->stream), "comparing tiles");
    return ASSAY_OK;
}

static assay_status check_counters(const cuda_worker *worker, const assay_cuda_counters *found) {
    if (found->wrong == 0) return ASSAY_OK;
    const assay_scored_pair *x = &found->found, *y = &found->expected;
    return assay_fail(
        ASSAY_DISAGREES,
        "CUDA device %d, way %s: %" PRIu64
        " pairs are not what integers give, among them places %u and %u: coarse %d "
        "(expected %d), fine %" PRId64 " (the oracle's %" PRId64 "), scores to be within %.3g",
        worker->device, assay_cuda_way_name(worker->work->setup->way), found->wrong, y->a, y->b,
        x->coarse, y->coarse, y->fine, x->fine, worker->work->plan->templates->bound);
}

/* Brings a finished batch's kept pairs to the host. */
static assay_status hand_over(cuda_worker *worker, cuda_slot *slot) {
    const assay_cuda_table *table = worker->table;
    const uint64_t kept = slot->h_counters->kept;
    for (uint64_t at = 0; at < kept; at += CUDA_HANDED_OVER) {
        const uint64_t count = kept - at < CUDA_HANDED_OVER ? kept - at : CUDA_HANDED_OVER;
        CUDA_TRY(worker,
                 table->copy_out(worker->h_handed, slot->d_kept + at, count * sizeof *slot->d_kept,
                                 slot->stream),
                 "reading candidates");
        CUDA_TRY(worker, table->stream_wait(slot->stream), "reading candidates");
        const assay_status status = assay_cuda_take_kept(worker->work, worker->h_handed, count);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status wait_for(cuda_worker *worker, cuda_slot *slot) {
    CUDA_TRY(worker, worker->table->event_wait(slot->finished), "comparing tiles");
    return check_counters(worker, slot->h_counters);
}

static void add_counted(cuda_worker *worker, const assay_cuda_counters *found, bool counting) {
    cuda_work *work = worker->work;
    pthread_mutex_lock(&work->lock);
    assay_tally *tally = &work->tally;
    if (counting) {
        tally->non_mated += found->non_mated;
        tally->same_subject += found->same_subject;
        tally->other_side += found->other_side;
        tally->histogram_pairs += found->histogram_pairs;
    }
    tally->rescored +=
        found->candidates < worker->memory.capacity ? found->candidates : worker->memory.capacity;
    pthread_mutex_unlock(&work->lock);
}

/* Lists a batch's candidates anew in batches that their lists hold. A unit's do in any case. */
static assay_status list_again(cuda_worker *worker, cuda_slot *slot) {
    const uint64_t end = slot->first + slot->count;
    uint32_t size = slot->count;
    for (uint64_t first = slot->first; first < end;) {
        const uint64_t found = slot->h_counters->candidates;
        if (found > worker->memory.capacity) size = (size + 1) / 2;
        if (end - first < size) size = (uint32_t)(end - first);
        assay_status status = launch(worker, slot, first, size, false);
        if (status == ASSAY_OK) status = wait_for(worker, slot);
        if (status != ASSAY_OK) return status;
        add_counted(worker, slot->h_counters, false);
        if (slot->h_counters->candidates > worker->memory.capacity) {
            if (size > 1) continue;
            return assay_fail(
                ASSAY_FAILED,
                "CUDA device %d: a tile has %" PRIu64 " candidates; expected at most %" PRIu64,
                worker->device, slot->h_counters->candidates, worker->memory.capacity);
        }
        status = hand_over(worker, slot);
        if (status != ASSAY_OK) return status;
        first += size;
    }
    return ASSAY_OK;
}

/* Takes over what a slot's batch gave; nothing where none is on its way. */
static assay_status collect(cuda_worker *worker, cuda_slot *slot) {
    cuda_work *work = worker->work;
    const uint64_t first = slot->first;
    const uint32_t count = slot->count;
    if (count == 0) return ASSAY_OK;
    assay_status status = wait_for(worker, slot);
    if (status != ASSAY_OK) return status;
    const uint64_t found = slot->h_counters->candidates;
    worker->expected = found / count + found / count / 2 + 64;
    add_counted(worker, slot->h_counters, true);
    status = found > worker->memory.capacity ? list_again(worker, slot) : hand_over(worker, slot);
    slot->count = 0;
    if (status != ASSAY_OK) return status;
    uint64_t pairs = 0;
    for (uint32_t n = 0; n < count; n++) {
        pairs += assay_cuda_unit_pairs(work->plan->templates->count, &work->units[first + n]);
    }
    pthread_mutex_lock(&work->lock);
    status = assay_cuda_tell(work, pairs);
    pthread_mutex_unlock(&work->lock);
    return status;
}

/* Units for the next batch: as many as will, about, fill four fifths of a list. */
static uint32_t next_units(cuda_worker *worker, uint64_t *out_first) {
    cuda_work *work = worker->work;
    const uint32_t most = work->setup->most_units != 0 ? work->setup->most_units : CUDA_BATCH_UNITS;
    const uint64_t each = worker->expected > 0 ? worker->expected : 1;
    uint64_t count = worker->memory.capacity / 5 * 4 / each;
    if (count > most) count = most;
    if (count < 1) count = 1;
    pthread_mutex_lock(&work->lock);
    const uint64_t left = work->stop ? 0 : work->unit_count - work->next_unit;
    if (count > left) count = left;
    *out_first = work->next_unit;
    work->next_unit += count;
    pthread_mutex_unlock(&work->lock);
    return (uint32_t)count;
}

/* Adds the device's histogram to the work's. */
static assay_status add_histogram(cuda_worker *worker) {
    cuda_work *work = worker->work;
    const uint64_t all = work->tally.histogram_length;
    const uint64_t most = CUDA_STAGING_BYTES / sizeof(uint64_t);
    void *stream = worker->slots[0].stream;
    for (uint64_t at = 0; at < all && worker->set.d_histogram != NULL; at += most) {
        const uint64_t count = all - at < most ? all - at : most;
        const uint64_t *counted = worker->h_staging[0];
        CUDA_TRY(worker,
                 worker->table->copy_out(worker->h_staging[0], worker->set.d_histogram + at,
                                         count * sizeof *counted, stream),
                 "reading histograms");
        CUDA_TRY(worker, worker->table->stream_wait(stream), "reading histograms");
        pthread_mutex_lock(&work->lock);
        for (uint64_t n = 0; n < count; n++) work->tally.histogram[at + n] += counted[n];
        pthread_mutex_unlock(&work->lock);
    }
    return ASSAY_OK;
}

assay_status assay_cuda_worker_pass(cuda_worker *worker) {
    const assay_cuda_table *table = worker->table;
    assay_status status = ASSAY_OK;
    CUDA_TRY(worker, table->device_use(worker->device), "choosing the device");
    if (worker->set.d_histogram != NULL) {
        CUDA_TRY(worker,
                 table->clear(worker->set.d_histogram, worker->memory.histogram,
                              worker->slots[0].stream),
                 "clearing histograms");
        CUDA_TRY(worker, table->stream_wait(worker->slots[0].stream), "clearing histograms");
    }
    for (unsigned turn = 0;; turn = (turn + 1) % CUDA_SLOTS) {
        cuda_slot *slot = &worker->slots[turn];
        uint64_t first;
        status = collect(worker, slot);
        if (status != ASSAY_OK) return status;
        const uint32_t count = next_units(worker, &first);
        if (count == 0) break;
        status = launch(worker, slot, first, count, true);
        if (status != ASSAY_OK) return status;
    }
    for (int n = 0; status == ASSAY_OK && n < CUDA_SLOTS; n++) {
        status = collect(worker, &worker->slots[n]);
    }
    return status == ASSAY_OK ? add_histogram(worker) : status;
}

/* ---- the sample ---- */

assay_status assay_cuda_worker_sample(cuda_worker *worker, uint64_t wanted, uint32_t *sample,
                                      uint64_t *out_drawn) {
    const cuda_work *work = worker->work;
    const assay_cuda_table *table = worker->table;
    cuda_slot *slot = &worker->slots[0];
    /* Every so many units, so that they are of all the range and fit the slot. */
    const uint64_t step = (work->unit_count + CUDA_BATCH_UNITS - 1) / CUDA_BATCH_UNITS;
    const uint64_t bins = ASSAY_SAMPLE_BINS * sizeof *sample;
    uint32_t count = 0;
    for (uint64_t n = 0; n < work->unit_count; n += step) slot->h_units[count++] = work->units[n];
    /* The lists are not in use yet: bins in one, the counter in the other. */
    uint32_t *d_sample = (uint32_t *)(void *)slot->d_candidates;
    uint64_t *d_drawn = (uint64_t *)(void *)slot->d_kept;
    CUDA_TRY(worker, table->clear(d_sample, bins, slot->stream), "sampling");
    CUDA_TRY(worker, table->clear(d_drawn, sizeof *d_drawn, slot->stream), "sampling");
    CUDA_TRY(
        worker,
        table->copy_in(slot->d_units, slot->h_units, count * sizeof *slot->h_units, slot->stream),
        "sampling");
    CUDA_TRY(worker,
             table->sample(&worker->set, slot->d_units, count, wanted, work->plan->bins_seed,
                           worker->set.shift - ASSAY_SAMPLE_FINER, d_sample, d_drawn, slot->stream),
             "sampling");
    char *h_back = worker->h_staging[0];
    CUDA_TRY(worker, table->copy_out(h_back, d_sample, bins, slot->stream), "sampling");
    CUDA_TRY(worker, table->copy_out(h_back + bins, d_drawn, sizeof *d_drawn, slot->stream),
             "sampling");
    CUDA_TRY(worker, table->stream_wait(slot->stream), "sampling");
    memcpy(sample, h_back, (size_t)bins);
    memcpy(out_drawn, h_back + bins, sizeof *out_drawn);
    return ASSAY_OK;
}
