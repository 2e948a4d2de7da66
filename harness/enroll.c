/* enroll -- a template of every sample by one release. Threads take rows from a counter; each has
 * an image reader and an algorithm state of its own, so that a template depends on its image alone,
 * and what they find is put together in row order. Every now and then all of them finish the row
 * that they are on, what there is goes into a sealed segment, and they go on. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/image.h"
#include "harness/enroll_private.h"

#define THREADS_MAX 256
#define TEXT_MAX 256

typedef struct {
    enrolling *shared;
    assay_session *session;
    uint8_t *room; /* for one template */
    assay_image_reader *reader;
    pthread_t thread;
    bool running;
} enroll_worker;

/* ---- what was made ---- */

static uint8_t *place_of(const enrolling *shared, uint64_t row, uint32_t role) {
    return shared->templates + (role * shared->table->row_count + row) * shared->capacity;
}

assay_status assay_enroll_keep(enrolling *shared, uint64_t row, uint32_t role, const uint8_t *bytes,
                               size_t size) {
    const uint64_t item = row * shared->roles + role;
    if (shared->templates != NULL) {
        memcpy(place_of(shared, row, role), bytes, size);
    } else {
        free(shared->made[item]);
        assay_status status = assay_allocate(&shared->made[item], size, 1, "a template");
        if (status != ASSAY_OK) return status;
        memcpy(shared->made[item], bytes, size);
    }
    shared->size[item] = size;
    return ASSAY_OK;
}

void assay_enroll_forget(enrolling *shared, uint64_t row) {
    for (uint32_t role = 0; role < shared->roles; role++)
        shared->size[row * shared->roles + role] = 0;
}

const uint8_t *assay_enroll_template(const enrolling *shared, uint64_t row, uint32_t role) {
    return shared->templates != NULL ? place_of(shared, row, role)
                                     : shared->made[row * shared->roles + role];
}

/* ---- one sample ---- */

static assay_status set_outcome(enrolling *shared, uint64_t row, assay_enrolment enrolment,
                                const char *reason) {
    const assay_status status = assay_copy_string(&shared->reasons[row], reason);
    if (status == ASSAY_OK) shared->enrolment[row] = (uint8_t)enrolment;
    return status;
}

/* One template, or one of each role: a sample is enrolled where all of them could be made. */
static assay_status make_roles(enroll_worker *worker, uint64_t row,
                               const assay_algorithm_image *image, assay_outcome *outcome,
                               char text[ASSAY_SESSION_TEXT]) {
    static const assay_sample_role roles[2] = {ASSAY_SAMPLE_REFERENCE, ASSAY_SAMPLE_PROBE};
    enrolling *shared = worker->shared;
    assay_status status = ASSAY_OK;
    *outcome = ASSAY_OUTCOME_OK;
    for (uint32_t n = 0; n < shared->roles && *outcome == ASSAY_OUTCOME_OK; n++) {
        size_t size;
        status = assay_session_create(worker->session, image, 1,
                                      shared->roles == 2 ? roles[n] : ASSAY_SAMPLE_UNSPECIFIED,
                                      worker->room, &size, outcome, text);
        if (status == ASSAY_OK && *outcome == ASSAY_OUTCOME_OK)
            status = assay_enroll_keep(shared, row, n, worker->room, size);
        if (status != ASSAY_OK) return status;
    }
    if (*outcome != ASSAY_OUTCOME_OK) assay_enroll_forget(shared, row);
    return ASSAY_OK;
}

static assay_status make_template(enroll_worker *worker, uint64_t row, const assay_image *image) {
    enrolling *shared = worker->shared;
    const assay_labelled *environment = &shared->table->environment;
    const assay_algorithm_image given = {
        .size = sizeof given,
        .width = image->width,
        .height = image->height,
        .channels = image->channels,
        .pixels = image->pixels,
        .capture_type = environment->labels[environment->codes[row]],
    };
    char text[ASSAY_SESSION_TEXT];
    assay_outcome outcome = ASSAY_OUTCOME_OK;
    double started = assay_pace_seconds();
    assay_status status = make_roles(worker, row, &given, &outcome, text);
    if (status != ASSAY_OK) return status;
    shared->seconds[row] = assay_pace_seconds() - started;
    if (outcome == ASSAY_OUTCOME_OK) {
        shared->enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
        return ASSAY_OK;
    }
    return set_outcome(
        shared, row,
        outcome == ASSAY_OUTCOME_REFUSED ? ASSAY_ENROLMENT_REFUSED : ASSAY_ENROLMENT_FAILED, text);
}

static assay_status enrol_row(enroll_worker *worker, uint64_t row) {
    enrolling *shared = worker->shared;
    uint8_t *bytes = NULL;
    size_t count = 0;
    assay_image image = {0};
    char refusal[TEXT_MAX] = "";
    pthread_mutex_lock(&shared->lock);
    assay_status status = assay_dataset_read_image(shared->dataset, row, &bytes, &count);
    pthread_mutex_unlock(&shared->lock);
    if (status != ASSAY_OK) goto out;
    if (bytes == NULL || count == 0) {
        status = set_outcome(shared, row, ASSAY_ENROLMENT_EXCLUDED, "no image");
        goto out;
    }
    status = assay_image_decode(worker->reader, bytes, count, shared->description.channels, 0,
                                &image, refusal, sizeof refusal);
    if (status != ASSAY_OK) goto out;
    if (refusal[0] != '\0') {
        status = set_outcome(shared, row, ASSAY_ENROLMENT_EXCLUDED, refusal);
        goto out;
    }
    status = make_template(worker, row, &image);
out:
    assay_image_free(&image);
    free(bytes);
    if (status != ASSAY_OK) {
        return assay_fail_in(status, "enrolling sample '%s'", shared->table->sample_id[row]);
    }
    return status;
}

/* ---- threads ---- */

static bool segment_is_due(const enrolling *shared) {
    if (!assay_enroll_seals(shared)) return false;
    if (shared->options->checkpoint_samples > 0) return shared->stretch_left == 0;
    return assay_pace_seconds() >= shared->stretch_end;
}

/* The next row; false where there is none, a segment is due or something went wrong. */
static bool take_row(enrolling *shared, uint64_t *out) {
    pthread_mutex_lock(&shared->lock);
    while (shared->next < shared->table->row_count &&
           shared->enrolment[shared->next] != ASSAY_ENROLMENT_NONE)
        shared->next++;
    bool taken = shared->status == ASSAY_OK && shared->next < shared->table->row_count &&
                 !segment_is_due(shared);
    if (taken) {
        *out = shared->next++;
        shared->stretch_left--;
    }
    pthread_mutex_unlock(&shared->lock);
    return taken;
}

/* Keeps the first fault of any thread; its text is the thread's own and would be lost with it. */
static void finish_row(enrolling *shared, assay_status status) {
    pthread_mutex_lock(&shared->lock);
    shared->done++;
    if (status == ASSAY_OK && assay_pace_due(&shared->pace) &&
        !assay_progress_tell(shared->progress, "enroll", "images", shared->done,
                             shared->table->row_count)) {
        status = assay_fail(ASSAY_FAILED, "enrolling: interrupted");
    }
    if (status != ASSAY_OK && shared->status == ASSAY_OK) {
        shared->status = status;
        shared->fault = strdup(assay_error_text());
    }
    pthread_mutex_unlock(&shared->lock);
}

static void *work(void *argument) {
    enroll_worker *worker = argument;
    uint64_t row;
    while (take_row(worker->shared, &row)) finish_row(worker->shared, enrol_row(worker, row));
    return NULL;
}

/* What a plug-in printed: it should not, and its people want to know. */
static void note_heard(const enrolling *shared, const enroll_worker *workers) {
    uint64_t bytes = 0;
    const char *first = "", *said;
    for (unsigned n = 0; n < shared->threads; n++) {
        uint64_t heard =
            workers[n].session == NULL ? 0 : assay_session_heard(workers[n].session, &said);
        if (heard > 0 && bytes == 0) first = said;
        bytes += heard;
    }
    if (bytes > 0)
        assay_progress_note(shared->progress, "%s printed %llu bytes; they begin: %s",
                            shared->description.name, (unsigned long long)bytes, first);
}

static void close_workers(enroll_worker *workers, unsigned threads) {
    for (unsigned n = 0; workers != NULL && n < threads; n++) {
        assay_session_close(workers[n].session);
        free(workers[n].room);
        assay_image_reader_close(workers[n].reader);
    }
    free(workers);
}

/* The readers' and workers' processes, before the first thread. */
static assay_status open_workers(enrolling *shared, enroll_worker *workers) {
    for (unsigned n = 0; n < shared->threads; n++) {
        workers[n].shared = shared;
        assay_status status = assay_session_open(shared->release, &workers[n].session);
        if (status != ASSAY_OK) return status;
        status =
            assay_allocate_aligned(&workers[n].room, shared->capacity, 1, "room for a template");
        if (status != ASSAY_OK) return status;
        status = assay_image_reader_open(&workers[n].reader);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

/* Rows until a segment is due, or to the end. */
static assay_status run_stretch(enrolling *shared, enroll_worker *workers) {
    assay_status status = ASSAY_OK;
    shared->stretch_left = shared->options->checkpoint_samples;
    shared->stretch_end = assay_pace_seconds() + shared->options->checkpoint_seconds;
    for (unsigned n = 0; n < shared->threads; n++) {
        int error = pthread_create(&workers[n].thread, NULL, work, &workers[n]);
        workers[n].running = error == 0;
        if (error != 0 && n == 0)
            status = assay_fail(ASSAY_FAILED, "enrolling: no thread: %s", strerror(error));
        if (error != 0) break;
    }
    for (unsigned n = 0; n < shared->threads; n++) {
        if (workers[n].running) pthread_join(workers[n].thread, NULL);
        workers[n].running = false;
    }
    if (status != ASSAY_OK) return status;
    if (shared->status != ASSAY_OK)
        return assay_fail(shared->status, "%s", shared->fault == NULL ? "" : shared->fault);
    return ASSAY_OK;
}

static assay_status run_workers(enrolling *shared) {
    const uint64_t rows = shared->table->row_count;
    enroll_worker *workers = NULL;
    assay_status status = assay_allocate(&workers, shared->threads, sizeof *workers, "threads");
    if (status != ASSAY_OK) return status;
    if (shared->done < rows) status = open_workers(shared, workers);
    while (status == ASSAY_OK && shared->done < rows) {
        status = run_stretch(shared, workers);
        if (status == ASSAY_OK && shared->done < rows) status = assay_enroll_seal(shared);
    }
    note_heard(shared, workers);
    close_workers(workers, shared->threads);
    if (status == ASSAY_OK &&
        !assay_progress_tell(shared->progress, "enroll", "images", rows, rows))
        status = assay_fail(ASSAY_FAILED, "enrolling: interrupted");
    return status;
}

/* ---- the whole ---- */

static unsigned thread_count(unsigned asked, uint64_t rows) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = asked > 0 ? asked : cores > 0 ? (uint64_t)cores : 1;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    if (threads > rows) threads = rows;
    return threads > 0 ? (unsigned)threads : 1;
}

static assay_status check_memory(const enrolling *shared) {
    const uint64_t rows = shared->table->row_count, available = assay_memory_available();
    size_t bytes;
    if (assay_multiply(rows * shared->roles, shared->capacity, &bytes) && bytes <= available)
        return ASSAY_OK;
    return assay_fail(ASSAY_FAILED,
                      "enrolling: %llu templates of %zu bytes do not fit the %llu MiB of memory "
                      "there is",
                      (unsigned long long)(rows * shared->roles), shared->capacity,
                      (unsigned long long)(available >> 20));
}

static assay_status allocate_results(enrolling *shared) {
    const uint64_t rows = shared->table->row_count, items = rows * shared->roles;
    const bool opaque = shared->description.kind == ASSAY_TEMPLATE_OPAQUE;
    assay_status status = opaque ? ASSAY_OK : check_memory(shared);
    if (status != ASSAY_OK) return status;
    status = opaque
                 ? assay_allocate(&shared->made, items, sizeof *shared->made, "templates")
                 : assay_allocate_aligned(&shared->templates, items, shared->capacity, "templates");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&shared->size, items, sizeof *shared->size, "sizes");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&shared->seconds, rows, sizeof *shared->seconds, "times of templates");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&shared->enrolment, rows, 1, "enrolments");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < rows; row++) {
        shared->seconds[row] = NAN;
        if (shared->table->enrolment[row] == ASSAY_ENROLMENT_EXCLUDED)
            shared->enrolment[row] = ASSAY_ENROLMENT_EXCLUDED;
    }
    return assay_allocate(&shared->reasons, rows, sizeof *shared->reasons, "reasons");
}

static void release_results(enrolling *shared) {
    const uint64_t rows = shared->table == NULL ? 0 : shared->table->row_count;
    for (uint64_t row = 0; shared->reasons != NULL && row < rows; row++) free(shared->reasons[row]);
    for (uint64_t n = 0; shared->made != NULL && n < rows * shared->roles; n++)
        free(shared->made[n]);
    free(shared->templates);
    free(shared->made);
    free(shared->size);
    free(shared->seconds);
    free(shared->enrolment);
    free(shared->reasons);
    free(shared->fault);
    pthread_mutex_destroy(&shared->lock);
}

/* Counts the rows that are done, before any is. */
static void start_count(enrolling *shared) {
    const uint64_t rows = shared->table->row_count;
    for (uint64_t row = 0; row < rows; row++)
        shared->done += shared->enrolment[row] != ASSAY_ENROLMENT_NONE;
    while (shared->sealed < rows && shared->enrolment[shared->sealed] != ASSAY_ENROLMENT_NONE)
        shared->sealed++;
}

/* What was done is not to be done again, whatever went wrong; that is what is told. */
static assay_status save(enrolling *shared, assay_status status) {
    if (status == ASSAY_OK || shared->reasons == NULL || !assay_enroll_seals(shared)) return status;
    char *fault = strdup(assay_error_text());
    if (assay_enroll_seal(shared) != ASSAY_OK)
        assay_progress_note(shared->progress, "what was done since the last segment is lost: %s",
                            assay_error_text());
    status = assay_fail(status, "%s", fault == NULL ? "enrolling: no memory" : fault);
    free(fault);
    return status;
}

assay_status assay_enroll(const char *dataset_path, const assay_release *release,
                          const assay_enroll_options *options, const char *out_path,
                          const assay_progress *progress, assay_enroll_result *out) {
    enrolling shared = {.release = release,
                        .options = options,
                        .out_path = out_path,
                        .progress = progress,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    assay_session *session = NULL; /* tells what the algorithm is; borrowed from until the end */
    double started = assay_pace_seconds();
    assay_status status = assay_session_open(release, &session);
    if (status != ASSAY_OK) goto out;
    shared.description = *assay_session_about(session);
    shared.roles = shared.description.roles_differ ? 2 : 1;
    shared.capacity = assay_session_capacity(session);
    status = assay_dataset_open(dataset_path, &shared.dataset);
    if (status != ASSAY_OK) goto out;
    shared.table = &assay_dataset_get_head(shared.dataset)->table;
    shared.threads = thread_count(options->threads, shared.table->row_count);
    status = allocate_results(&shared);
    if (status == ASSAY_OK && assay_enroll_seals(&shared)) status = assay_enroll_resume(&shared);
    if (status != ASSAY_OK) goto out;
    start_count(&shared);
    status = run_workers(&shared);
    if (status == ASSAY_OK)
        status = assay_enroll_write(&shared, session, assay_pace_seconds() - started, out);
    status = save(&shared, status);
out:
    release_results(&shared);
    assay_session_close(session);
    assay_dataset_close(shared.dataset);
    return status;
}
