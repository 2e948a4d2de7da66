/* cuda_run -- all pairs on the devices of this host: a thread for each device takes batches of
 * units from one list; the tail is the host's, by the same floor, guess and certificate as on the
 * cpu (kernels/tail_private.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "kernels/cuda/cuda_private.h"
#include "kernels/pairs_private.h"
#include "kernels/tail_private.h"

uint64_t assay_cuda_host_memory(const assay_all_pairs *plan) {
    const uint64_t pinned = 2 * CUDA_STAGING_BYTES + CUDA_HANDED_OVER * sizeof(assay_scored_pair);
    return assay_tail_most_candidates(plan, CUDA_HANDED_OVER) * sizeof(assay_scored_pair) +
           histogram_length_of(plan) * sizeof(uint64_t) + pinned +
           assay_tile_count(plan->templates->count) * sizeof(assay_cuda_unit);
}

/* ---- what devices hand over ---- */

static assay_status tell_now(cuda_work *work) {
    const assay_backend_options *options = work->options;
    if (assay_progress_tell(options->progress, "compare", "pairs",
                            options->progress_done + work->done, options->progress_total)) {
        return ASSAY_OK;
    }
    work->stop = true;
    return assay_fail(ASSAY_FAILED, "interrupted after %" PRIu64 " pairs", work->done);
}

assay_status assay_cuda_tell(cuda_work *work, uint64_t pairs) {
    assay_pace pace = {.last = work->told_at};
    const bool due = assay_pace_due(&pace);
    work->told_at = pace.last;
    work->done += pairs;
    return due ? tell_now(work) : ASSAY_OK;
}

/* Cuts the candidates by the tail's rule; sorted at the end only. */
static assay_status cut(cuda_work *work, bool last) {
    const assay_all_pairs *plan = work->plan;
    work->kept_count = (last ? assay_tail_cut : assay_tail_trim)(
        work->kept, work->kept_count, plan->tail_limit, plan->required_fine, &work->floor);
    const assay_status status = assay_tail_check_cap(plan, work->kept_count);
    if (status != ASSAY_OK) return status;
    work->cut_at = assay_tail_cut_at(plan, work->kept_count);
    work->coarse_floor = assay_tail_coarse_floor(plan->templates, work->floor);
    return ASSAY_OK;
}

assay_status assay_cuda_take_kept(cuda_work *work, const assay_scored_pair *pairs, uint64_t count) {
    pthread_mutex_lock(&work->lock);
    assay_status status =
        assay_reserve(&work->kept, &work->capacity, (size_t)(work->kept_count + count),
                      sizeof *work->kept, "candidates for the tail");
    if (status == ASSAY_OK) {
        for (uint64_t n = 0; n < count; n++) {
            if (pairs[n].fine > work->floor) work->kept[work->kept_count++] = pairs[n];
        }
        if (work->kept_count >= work->cut_at) status = cut(work, false);
    }
    pthread_mutex_unlock(&work->lock);
    return status;
}

/* ---- a pass ---- */

static void *work_on_device(void *argument) {
    cuda_worker *worker = argument;
    cuda_work *work = worker->work;
    /* The first device was opened before, for the sample. */
    assay_status status =
        worker->slots[0].stream == NULL ? assay_cuda_worker_open(worker) : ASSAY_OK;
    if (status == ASSAY_OK) status = assay_cuda_worker_pass(worker);
    if (status == ASSAY_OK) return NULL;
    pthread_mutex_lock(&work->lock);
    work->stop = true;
    if (work->status == ASSAY_OK) {
        work->status = status;
        snprintf(work->error, sizeof work->error, "%s", assay_error_text());
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* All units from a floor on. The first device is this thread's. */
static assay_status pass(cuda_work *work, cuda_worker *workers, unsigned count, int64_t floor) {
    work->next_unit = work->done = work->kept_count = 0;
    work->floor = floor;
    work->cut_at = assay_tail_cut_at(work->plan, 0);
    work->coarse_floor = assay_tail_coarse_floor(work->plan->templates, floor);
    assay_status status = tell_now(work);
    if (status != ASSAY_OK) return status;
    for (unsigned n = 1; n < count; n++) {
        workers[n].started =
            pthread_create(&workers[n].thread, NULL, work_on_device, &workers[n]) == 0;
        /* One that does not start leaves its units to the others. */
    }
    work_on_device(&workers[0]);
    for (unsigned n = 1; n < count; n++) {
        if (workers[n].started) pthread_join(workers[n].thread, NULL);
        workers[n].started = false;
    }
    if (work->status != ASSAY_OK) return assay_fail(work->status, "%s", work->error);
    status = tell_now(work);
    return status == ASSAY_OK ? cut(work, true) : status;
}

static void forget(cuda_work *work) {
    assay_tally *tally = &work->tally;
    memset(tally->histogram, 0, (size_t)tally->histogram_length * sizeof *tally->histogram);
    tally->non_mated = tally->same_subject = tally->other_side = tally->histogram_pairs = 0;
    tally->redone = 1;
}

/* A guess of the floor from a sample by the first device; INT64_MIN where none pays. */
static assay_status guess_floor(cuda_worker *worker, uint64_t pairs, int64_t *out) {
    const assay_all_pairs *plan = worker->work->plan;
    uint32_t *sample = NULL;
    uint64_t drawn = 0;
    *out = INT64_MIN;
    if (worker->work->unit_count == 0 || !assay_tail_sample_pays(plan, pairs)) return ASSAY_OK;
    assay_status status =
        assay_allocate(&sample, ASSAY_SAMPLE_BINS, sizeof *sample, "the sample's histogram");
    if (status != ASSAY_OK) return status;
    status = assay_cuda_worker_sample(worker, assay_tail_sample_size(pairs), sample, &drawn);
    if (status == ASSAY_OK && drawn > 0) *out = assay_tail_guess(plan, sample, drawn, pairs);
    free(sample);
    return status;
}

/* Candidates of a unit to be expected from a guessed floor: twice the tail's share and some. */
static uint64_t expect(const assay_all_pairs *plan, uint64_t pairs) {
    const double share = (double)plan->tail_limit / (double)(pairs > 0 ? pairs : 1);
    const double each = 2.5 * share * CUDA_UNIT_CELLS + 64;
    return each < CUDA_UNIT_CELLS ? (uint64_t)each : CUDA_UNIT_CELLS;
}

static assay_status guess_and_pass(cuda_work *work, cuda_worker *workers, unsigned count,
                                   uint64_t pairs) {
    const int64_t known = work->options->known_floor;
    int64_t guess = INT64_MIN;
    assay_status status = assay_cuda_worker_open(&workers[0]);
    if (status != ASSAY_OK) return status;
    status = guess_floor(&workers[0], pairs, &guess);
    if (status != ASSAY_OK) return status;
    if (guess != INT64_MIN) workers[0].expected = work->guessed = expect(work->plan, pairs);
    if (guess < known) guess = known;
    status = pass(work, workers, count, guess);
    if (status != ASSAY_OK || guess == known) return status;
    if (assay_tail_certified(work->plan, guess, work->floor, work->kept_count)) return ASSAY_OK;
    forget(work);
    return pass(work, workers, count, known);
}

/* What was counted adds up: bins to the pairs binned, kinds of pairs to the pairs of the tiles. */
static assay_status check_sums(const assay_tally *tally, uint64_t pairs) {
    uint64_t binned = 0;
    for (uint64_t n = 0; n < tally->histogram_length; n++) binned += tally->histogram[n];
    const uint64_t all = tally->non_mated + tally->same_subject + tally->other_side;
    if (binned == tally->histogram_pairs && all == pairs) return ASSAY_OK;
    return assay_fail(ASSAY_DISAGREES,
                      "CUDA devices counted %" PRIu64 " pairs, %" PRIu64
                      " in histograms; expected %" PRIu64 " and %" PRIu64,
                      all, binned, pairs, tally->histogram_pairs);
}

static assay_status open_workers(cuda_work *work, cuda_worker **out, unsigned *out_count) {
    int devices[CUDA_DEVICES_MAX];
    cuda_worker *workers = NULL;
    assay_status status = assay_cuda_devices(work->setup, devices, out_count);
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&workers, *out_count, sizeof *workers, "devices");
    if (status != ASSAY_OK) return status;
    for (unsigned n = 0; n < *out_count; n++) {
        workers[n].work = work;
        workers[n].table = work->setup->table;
        workers[n].device = devices[n];
    }
    *out = workers;
    return ASSAY_OK;
}

static void close_workers(cuda_worker *workers, unsigned count) {
    for (unsigned n = 0; workers != NULL && n < count; n++) assay_cuda_worker_close(&workers[n]);
    free(workers);
}

assay_status assay_cuda_all_pairs(const assay_cuda_setup *setup, const assay_all_pairs *plan,
                                  uint64_t first, uint64_t end,
                                  const assay_backend_options *options, assay_tally *out) {
    const uint64_t pairs = assay_tiles_pairs(plan, first, end);
    const bool banded = setup->way == ASSAY_CUDA_WGMMA || setup->way == ASSAY_CUDA_MMA;
    cuda_work work = {.setup = setup,
                      .plan = plan,
                      .options = options,
                      .guessed = setup->expected_candidates != 0 ? setup->expected_candidates
                                                                 : CUDA_UNIT_CELLS,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .tally = {.histogram_length = histogram_length_of(plan)}};
    assay_cuda_unit *units = NULL;
    cuda_worker *workers = NULL;
    uint64_t other_side = 0;
    unsigned count = 0;
    assay_status status =
        assay_cuda_units_make(plan, first, end, banded, &units, &work.unit_count, &other_side);
    if (status != ASSAY_OK) goto out;
    work.units = units;
    status = assay_allocate(&work.tally.histogram, (size_t)work.tally.histogram_length,
                            sizeof(uint64_t), "histograms");
    if (status != ASSAY_OK) goto out;
    work.capacity = (size_t)assay_tail_most_candidates(plan, CUDA_HANDED_OVER);
    status =
        assay_allocate(&work.kept, work.capacity, sizeof *work.kept, "candidates for the tail");
    if (status != ASSAY_OK) goto out;
    status = open_workers(&work, &workers, &count);
    if (status != ASSAY_OK) goto out;
    status = guess_and_pass(&work, workers, count, pairs);
    if (status != ASSAY_OK) goto out;
    work.tally.other_side += other_side;
    status = check_sums(&work.tally, pairs);
    if (status != ASSAY_OK) goto out;
    work.tally.tail = work.kept;
    work.tally.tail_count = work.kept_count;
    work.tally.tail_floor = work.floor;
    work.kept = NULL;
    *out = work.tally;
    work.tally = (assay_tally){0};
out:
    close_workers(workers, count);
    free(units);
    free(work.kept);
    assay_tally_free(&work.tally);
    return status;
}

/* ---- listed pairs ---- */

static assay_status score_some(cuda_worker *worker, const assay_place_pair *pairs, uint64_t count,
                               assay_scored_pair *out) {
    const assay_cuda_table *table = worker->table;
    cuda_slot *slot = &worker->slots[0];
    const uint64_t bytes = count * sizeof *out;
    for (uint64_t n = 0; n < count; n++) {
        worker->h_handed[n] =
            (assay_scored_pair){.a = (uint32_t)pairs[n].a, .b = (uint32_t)pairs[n].b};
    }
    int code = table->copy_in(slot->d_kept, worker->h_handed, bytes, slot->stream);
    if (code == 0) code = table->score_pairs(&worker->set, slot->d_kept, count, slot->stream);
    if (code == 0) code = table->copy_out(worker->h_handed, slot->d_kept, bytes, slot->stream);
    if (code == 0) code = table->stream_wait(slot->stream);
    if (code != 0) return assay_cuda_failed(table, worker->device, code, "scoring listed pairs");
    memcpy(out, worker->h_handed, (size_t)bytes);
    return ASSAY_OK;
}

assay_status assay_cuda_score_pairs(const assay_cuda_setup *setup, const assay_quantised *templates,
                                    const assay_place_pair *pairs, uint64_t count,
                                    const assay_backend_options *options, assay_scored_pair *out) {
    const double fine_unit = assay_fine_to_score(templates, 1);
    const double coarse_unit = assay_coarse_to_score(templates, 1);
    cuda_work work = {.setup = setup, .options = options};
    cuda_worker *workers = NULL;
    unsigned devices = 0;
    assay_status status = open_workers(&work, &workers, &devices);
    if (status != ASSAY_OK) return status;
    status = assay_cuda_worker_open_scores(&workers[0], templates);
    for (uint64_t at = 0; status == ASSAY_OK && at < count; at += CUDA_HANDED_OVER) {
        const uint64_t some = count - at < CUDA_HANDED_OVER ? count - at : CUDA_HANDED_OVER;
        status = score_some(&workers[0], pairs + at, some, out + at);
        for (uint64_t n = 0; status == ASSAY_OK && n < some; n++) {
            status = assay_tail_check_bound(templates, fine_unit, coarse_unit, &out[at + n]);
        }
    }
    close_workers(workers, devices);
    return status;
}
