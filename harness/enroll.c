/* enroll -- a template of every sample by one release. Threads take rows from a counter; each has
 * an image reader and an algorithm state of its own, so that a template depends on its image alone,
 * and what they find is put together in row order. */
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/text.h"
#include "datasets/image.h"
#include "datasets/opaque.h"
#include "harness/enrolment.h"
#include "harness/plugin_files.h"
#include "harness/session.h"

#define THREADS_MAX 256
#define TEXT_MAX 256

/* What the threads share. The lock guards the data set, the counter, progress and the fault. */
typedef struct {
    assay_algorithm_description description; /* borrowed of the session that lives longest */
    assay_dataset *dataset;
    const assay_sample_table *table; /* of the data set */
    const assay_progress *progress;
    float *vectors;      /* [row_count][description.length] of vectors */
    assay_opaque opaque; /* of opaque templates: its head is filled at the end */
    uint8_t **made;      /* [row_count][opaque.roles] of them, NULL where there is none */
    double *seconds;     /* [row_count] */
    uint8_t *enrolment;  /* [row_count] */
    char **reasons;      /* [row_count], NULL where enrolled */
    pthread_mutex_t lock;
    uint64_t next, done;
    assay_pace pace;
    assay_status status; /* the first fault, and its text */
    char *fault;
} enrolling;

typedef struct {
    enrolling *shared;
    assay_session *session;
    uint8_t *room; /* for one template */
    assay_image_reader *reader;
    pthread_t thread;
    bool running;
} enroll_worker;

/* ---- one sample ---- */

static assay_status set_outcome(enrolling *shared, uint64_t row, assay_enrolment enrolment,
                                const char *reason) {
    shared->enrolment[row] = (uint8_t)enrolment;
    return assay_copy_string(&shared->reasons[row], reason);
}

static assay_status make_vector(enroll_worker *worker, uint64_t row,
                                const assay_algorithm_image *image, assay_outcome *outcome,
                                char text[ASSAY_SESSION_TEXT]) {
    const uint32_t length = worker->shared->description.length;
    float *vector = worker->shared->vectors + row * length;
    size_t size;
    assay_status status = assay_session_create(worker->session, image, 1, ASSAY_SAMPLE_UNSPECIFIED,
                                               (uint8_t *)vector, &size, outcome, text);
    if (status == ASSAY_OK && *outcome != ASSAY_OUTCOME_OK)
        memset(vector, 0, length * sizeof *vector);
    return status;
}

/* One template, or one of each role: a sample is enrolled where all of them could be made. */
static assay_status make_opaque(enroll_worker *worker, uint64_t row,
                                const assay_algorithm_image *image, assay_outcome *outcome,
                                char text[ASSAY_SESSION_TEXT]) {
    static const assay_sample_role roles[2] = {ASSAY_SAMPLE_REFERENCE, ASSAY_SAMPLE_PROBE};
    const assay_opaque *opaque = &worker->shared->opaque;
    assay_status status = ASSAY_OK;
    *outcome = ASSAY_OUTCOME_OK;
    for (uint32_t n = 0; n < opaque->roles && *outcome == ASSAY_OUTCOME_OK; n++) {
        const uint64_t item = row * opaque->roles + n;
        size_t size;
        status = assay_session_create(worker->session, image, 1,
                                      opaque->roles == 2 ? roles[n] : ASSAY_SAMPLE_UNSPECIFIED,
                                      worker->room, &size, outcome, text);
        if (status != ASSAY_OK) return status;
        if (*outcome != ASSAY_OUTCOME_OK) break;
        status = assay_allocate(&worker->shared->made[item], size, 1, "a template");
        if (status != ASSAY_OK) return status;
        memcpy(worker->shared->made[item], worker->room, size);
        opaque->size[item] = size;
    }
    for (uint32_t n = 0; n < opaque->roles && *outcome != ASSAY_OUTCOME_OK; n++)
        opaque->size[row * opaque->roles + n] = 0;
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
    assay_status status = shared->vectors != NULL
                              ? make_vector(worker, row, &given, &outcome, text)
                              : make_opaque(worker, row, &given, &outcome, text);
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

/* The next row, or false where there is none or something went wrong. */
static bool take_row(enrolling *shared, uint64_t *out) {
    pthread_mutex_lock(&shared->lock);
    while (shared->next < shared->table->row_count &&
           shared->table->enrolment[shared->next] == ASSAY_ENROLMENT_EXCLUDED) {
        shared->next++;
        shared->done++;
    }
    bool taken = shared->status == ASSAY_OK && shared->next < shared->table->row_count;
    if (taken) *out = shared->next++;
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
static void note_heard(const enrolling *shared, const enroll_worker *workers, unsigned threads) {
    uint64_t bytes = 0;
    const char *first = "", *said;
    for (unsigned n = 0; n < threads; n++) {
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

static assay_status run_workers(enrolling *shared, const assay_release *release, unsigned threads) {
    enroll_worker *workers = NULL;
    assay_status status = assay_allocate(&workers, threads, sizeof *workers, "threads");
    if (status != ASSAY_OK) goto out;
    for (unsigned n = 0; n < threads; n++) { /* the readers' processes before the first thread */
        workers[n].shared = shared;
        status = assay_session_open(release, &workers[n].session);
        if (status != ASSAY_OK) goto out;
        status = assay_allocate_aligned(
            &workers[n].room, assay_session_capacity(workers[n].session), 1, "room for a template");
        if (status != ASSAY_OK) goto out;
        status = assay_image_reader_open(&workers[n].reader);
        if (status != ASSAY_OK) goto out;
    }
    for (unsigned n = 0; n < threads; n++) {
        int error = pthread_create(&workers[n].thread, NULL, work, &workers[n]);
        if (error == 0) {
            workers[n].running = true;
        } else if (n == 0) {
            status = assay_fail(ASSAY_FAILED, "enrolling: no thread: %s", strerror(error));
        }
    }
out:
    for (unsigned n = 0; workers != NULL && n < threads; n++) {
        if (workers[n].running) pthread_join(workers[n].thread, NULL);
        workers[n].running = false;
    }
    if (workers != NULL) note_heard(shared, workers, threads);
    close_workers(workers, threads);
    if (status != ASSAY_OK) return status;
    if (shared->status != ASSAY_OK) {
        return assay_fail(shared->status, "%s", shared->fault == NULL ? "" : shared->fault);
    }
    if (!assay_progress_tell(shared->progress, "enroll", "images", shared->table->row_count,
                             shared->table->row_count)) {
        return assay_fail(ASSAY_FAILED, "enrolling: interrupted");
    }
    return ASSAY_OK;
}

static unsigned thread_count(unsigned asked, uint64_t rows) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = asked > 0 ? asked : cores > 0 ? (uint64_t)cores : 1;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    if (threads > rows) threads = rows;
    return threads > 0 ? (unsigned)threads : 1;
}

/* ---- the release and its file ---- */

static assay_status check_kind(const assay_algorithm_description *about) {
    if (about->kind == ASSAY_TEMPLATE_OPAQUE) return ASSAY_OK;
    if (about->kind == ASSAY_TEMPLATE_VECTOR && about->roles_differ == 0) return ASSAY_OK;
    return assay_fail(
        ASSAY_FAILED,
        "algorithm '%s': expected opaque templates, or vectors that serve as reference "
        "and probe alike",
        about->name);
}

static assay_status check_memory(uint64_t rows, uint32_t length) {
    uint64_t available = assay_memory_available();
    size_t bytes;
    if (assay_multiply(rows, length * sizeof(float), &bytes) && bytes <= available) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED,
                      "enrolling: %llu templates of %u components do not fit the %llu MiB of "
                      "memory there is",
                      (unsigned long long)rows, length, (unsigned long long)(available >> 20));
}

/* What a plug-in was made of, so that the templates are made anew where any of it changes. */
static assay_status add_plugin(const assay_release *release, json_t *object) {
    assay_plugin_files files = {0};
    char library[ASSAY_DIGEST_HEX], config[ASSAY_DIGEST_HEX];
    if (release->plugin == NULL) return ASSAY_OK;
    assay_status status = assay_plugin_files_digest(release, &files);
    if (status != ASSAY_OK) return status;
    json_t *more =
        json_pack("{s:s, s:s, s:s}", "plugin_sha256", assay_digest_hex(library, &files.library),
                  "config_sha256", assay_digest_hex(config, &files.config), "parameters_given",
                  files.parameters);
    if (more == NULL || json_object_update(object, more) != 0)
        status = assay_fail(ASSAY_FAILED, "enrolling: no memory");
    json_decref(more);
    assay_plugin_files_free(&files);
    return status;
}

static assay_status fill_provenance(const enrolling *shared, const assay_release *release,
                                    const assay_digest *dataset, unsigned threads, double seconds,
                                    char **out) {
    const assay_algorithm_description *about = &shared->description;
    char hex[ASSAY_DIGEST_HEX], *text = NULL;
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:f}", "program", "assay", "version",
                  ASSAY_VERSION, "algorithm", about->name, "algorithm_version", about->version,
                  "parameters", about->parameters, "dataset_digest", assay_digest_hex(hex, dataset),
                  "threads", (int)threads, "seconds", seconds);
    assay_status status = object == NULL ? assay_fail(ASSAY_FAILED, "enrolling: no memory")
                                         : add_plugin(release, object);
    if (status == ASSAY_OK) text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (status == ASSAY_OK && text == NULL)
        status = assay_fail(ASSAY_FAILED, "enrolling: no memory");
    json_decref(object);
    if (status == ASSAY_OK) *out = text;
    return status;
}

/* The table of the data set with what became of each sample, in row order. */
static assay_status fill_table(const enrolling *shared, assay_sample_table *out) {
    assay_status status = assay_sample_table_copy(shared->table, out);
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < out->row_count; row++) {
        if (shared->table->enrolment[row] == ASSAY_ENROLMENT_EXCLUDED) continue;
        const char *reason = shared->reasons[row] == NULL ? "" : shared->reasons[row];
        status = assay_enrolment_set(out, row, (assay_enrolment)shared->enrolment[row], reason);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status fill_head(const enrolling *shared, const assay_session *session,
                              const assay_release *release, assay_templates_head *head) {
    const assay_algorithm_description *about = &shared->description;
    const assay_dataset_head *dataset = assay_dataset_get_head(shared->dataset);
    const struct {
        char **to;
        const char *from;
    } texts[] = {
        {&head->release, release->release == NULL ? about->name : release->release},
        {&head->version, release->version == NULL ? about->version : release->version},
        {&head->comparator, about->kind == ASSAY_TEMPLATE_OPAQUE && about->vector_length == 0
                                ? "own"
                                : about->comparator},
        {&head->dataset_name, dataset->name},
        {&head->family, about->template_family},
    };
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
        assay_status status = assay_copy_string(texts[n].to, texts[n].from);
        if (status != ASSAY_OK) return status;
    }
    assay_status status = assay_session_algorithm_text(session, &head->algorithm);
    if (status != ASSAY_OK) return status;
    head->dataset_digest = dataset->digest;
    head->length = about->length;
    return fill_table(shared, &head->table);
}

static assay_status allocate_opaque(enrolling *shared, uint64_t rows) {
    const assay_algorithm_description *about = &shared->description;
    assay_opaque *opaque = &shared->opaque;
    opaque->roles = about->roles_differ ? 2 : 1;
    opaque->vector_offset = about->vector_length > 0 ? about->vector_offset : 0;
    opaque->vector_length = about->vector_length;
    opaque->vector_bound = about->vector_bound;
    opaque->vector_scale = about->vector_scale;
    opaque->vector_shift = about->vector_shift;
    assay_status status =
        assay_allocate(&shared->made, rows * opaque->roles, sizeof *shared->made, "templates");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&opaque->size, rows * opaque->roles, sizeof *opaque->size, "sizes");
}

/* The templates one behind the other, in row order. */
static assay_status join_opaque(enrolling *shared) {
    assay_opaque *opaque = &shared->opaque;
    const uint64_t items = shared->table->row_count * opaque->roles;
    for (uint64_t n = 0; n < items; n++) opaque->total += opaque->size[n];
    assay_status status = assay_allocate(&opaque->bytes, opaque->total, 1, "templates");
    uint64_t at = 0;
    for (uint64_t n = 0; status == ASSAY_OK && n < items; n++) {
        if (opaque->size[n] > 0) memcpy(opaque->bytes + at, shared->made[n], opaque->size[n]);
        at += opaque->size[n];
    }
    return status;
}

static assay_status write_templates(enrolling *shared, const char *path,
                                    assay_templates_head *head) {
    if (shared->vectors != NULL) return assay_templates_write(path, head, shared->vectors);
    assay_status status = join_opaque(shared);
    if (status != ASSAY_OK) return status;
    assay_opaque written = shared->opaque;
    written.head = *head; /* borrowed */
    status = assay_opaque_write(path, &written);
    head->digest = written.head.digest;
    return status;
}

static assay_status allocate_results(enrolling *shared) {
    uint64_t rows = shared->table->row_count;
    uint32_t length = shared->description.length;
    const bool opaque = shared->description.kind == ASSAY_TEMPLATE_OPAQUE;
    assay_status status = opaque ? ASSAY_OK : check_memory(rows, length);
    if (status != ASSAY_OK) return status;
    status = opaque ? allocate_opaque(shared, rows)
                    : assay_allocate(&shared->vectors, rows, length * sizeof(float), "templates");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&shared->seconds, rows, sizeof *shared->seconds, "times of templates");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < rows; row++) shared->seconds[row] = NAN;
    status = assay_allocate(&shared->enrolment, rows, 1, "enrolments");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&shared->reasons, rows, sizeof *shared->reasons, "reasons");
}

static void release_results(enrolling *shared) {
    for (uint64_t row = 0; shared->reasons != NULL && row < shared->table->row_count; row++) {
        free(shared->reasons[row]);
    }
    for (uint64_t n = 0;
         shared->made != NULL && n < shared->table->row_count * shared->opaque.roles; n++)
        free(shared->made[n]);
    free(shared->made);
    assay_opaque_free(&shared->opaque);
    free(shared->reasons);
    free(shared->enrolment);
    free(shared->seconds);
    free(shared->vectors);
    free(shared->fault);
    pthread_mutex_destroy(&shared->lock);
}

assay_status assay_enroll(const char *dataset_path, const assay_release *release, unsigned threads,
                          const char *out_path, const assay_progress *progress,
                          assay_enroll_result *out) {
    enrolling shared = {.progress = progress, .lock = PTHREAD_MUTEX_INITIALIZER};
    assay_templates_head head = {0};
    assay_session *session = NULL; /* tells what the algorithm is; borrowed from until the end */
    double started = assay_pace_seconds();
    assay_status status = assay_session_open(release, &session);
    if (status != ASSAY_OK) goto out;
    shared.description = *assay_session_about(session);
    status = check_kind(&shared.description);
    if (status != ASSAY_OK) goto out;
    status = assay_dataset_open(dataset_path, &shared.dataset);
    if (status != ASSAY_OK) goto out;
    shared.table = &assay_dataset_get_head(shared.dataset)->table;
    status = allocate_results(&shared);
    if (status != ASSAY_OK) goto out;
    threads = thread_count(threads, shared.table->row_count);
    status = run_workers(&shared, release, threads);
    if (status != ASSAY_OK) goto out;
    status = fill_head(&shared, session, release, &head);
    if (status != ASSAY_OK) goto out;
    status = fill_provenance(&shared, release, &head.dataset_digest, threads,
                             assay_pace_seconds() - started, &head.provenance_json);
    if (status != ASSAY_OK) goto out;
    head.seconds = shared.seconds;
    shared.seconds = NULL;
    status = write_templates(&shared, out_path, &head);
    if (status != ASSAY_OK) goto out;
    assay_enrolment_count(&head.table, &head.digest, out);
out:
    release_results(&shared);
    assay_session_close(session);
    assay_dataset_close(shared.dataset);
    assay_templates_head_free(&head);
    return status;
}
