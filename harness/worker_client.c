/* worker_client -- the side of assay that asks assay-algorithm-worker, and trusts nothing it says.
 */
#include "harness/worker_client.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/score_list.h"
#include "harness/worker_frames.h"

#define START_TIMEOUT_MS 300000 /* large networks are read while a plug-in is opened */
/* A worker is replaced before its limit could fall on an innocent sample. */
#define CPU_SECONDS 86400u
#define CPU_SECONDS_WORN 80000
#define TRIES 2           /* of a request, each in a worker of its own where the first one failed */
#define FRUITLESS_MOST 16 /* workers in a row that do not start: then it is no sample's fault */
#define HEARD_SIZE 512
#define DESCRIPTION_TEXTS 6

struct assay_worker {
    assay_text setup; /* the frame that every worker begins with */
    char *program, *plugin;
    unsigned template_ms;
    assay_helper helper;
    uint64_t number; /* of the last request */
    unsigned fruitless;
    bool opened; /* about is known */
    assay_algorithm_description about;
    bool compares;
    char texts[DESCRIPTION_TEXTS][ASSAY_WORKER_TEXT];
    uint64_t heard_bytes;
    char heard[HEARD_SIZE], heard_shown[4 * HEARD_SIZE];
    size_t heard_kept;
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_of(int64_t deadline) {
    int64_t left = deadline - now_ms();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* ---- the setup ---- */

/* path as the confined worker will know it: absolute, without links. */
static assay_status resolve(const char *path, const char *what, char **out) {
    char *real = realpath(path, NULL);
    if (real == NULL) return assay_fail_errno("cannot use the %s %s", what, path);
    if (strcmp(real, "/") == 0) {
        free(real);
        return assay_fail(ASSAY_USAGE,
                          "the %s %s is the root of all files, which a plug-in must "
                          "not read",
                          what, path);
    }
    *out = real;
    return ASSAY_OK;
}

/* The plug-in's own folder, its configuration directory, and what else it may read. */
static assay_status put_readable(const assay_release *release, const char *config, assay_text *to,
                                 const char *plugin) {
    char *folder = NULL, *path = NULL;
    uint32_t count = 1 + (config[0] != '\0');
    for (size_t n = 0; release->readable != NULL && release->readable[n] != NULL; n++) count++;
    assay_status status = assay_path_directory(&folder, plugin);
    if (status == ASSAY_OK && strcmp(folder, "/") == 0)
        status = assay_fail(ASSAY_USAGE,
                            "the plug-in %s lies in the root of all files, all of which "
                            "it could read: put it into a folder of its own",
                            plugin);
    if (status != ASSAY_OK) goto out;
    assay_put_u32(to, count);
    assay_put_text(to, folder);
    if (config[0] != '\0') assay_put_text(to, config);
    for (size_t n = 0; release->readable != NULL && release->readable[n] != NULL; n++) {
        status = resolve(release->readable[n], "readable path", &path);
        if (status != ASSAY_OK) goto out;
        assay_put_text(to, path);
        free(path);
        path = NULL;
    }
out:
    free(folder);
    free(path);
    return status;
}

static assay_status make_setup(assay_worker *worker, const assay_release *release) {
    const char *const *parameters = release->parameters;
    char *config = NULL;
    uint32_t count = 0;
    assay_status status = resolve(release->plugin, "plug-in", &worker->plugin);
    if (status == ASSAY_OK && release->config_directory != NULL)
        status = resolve(release->config_directory, "configuration directory", &config);
    if (status != ASSAY_OK) goto out;
    assay_put_u64(&worker->setup,
                  release->memory_bytes > 0 ? release->memory_bytes : ASSAY_PLUGIN_MEMORY);
    assay_put_u32(&worker->setup, CPU_SECONDS);
    assay_put_text(&worker->setup, worker->plugin);
    assay_put_text(&worker->setup, config);
    status = put_readable(release, config == NULL ? "" : config, &worker->setup, worker->plugin);
    if (status != ASSAY_OK) goto out;
    while (parameters != NULL && parameters[count] != NULL) count++;
    assay_put_u32(&worker->setup, count);
    for (uint32_t n = 0; n < count; n++) assay_put_text(&worker->setup, parameters[n]);
    status = assay_text_status(&worker->setup);
    if (status == ASSAY_OK && worker->setup.length > ASSAY_WORKER_SETUP_MAX)
        status = assay_fail(ASSAY_USAGE, "%s: its paths and parameters are over %u bytes",
                            release->plugin, ASSAY_WORKER_SETUP_MAX);
out:
    free(config);
    return status;
}

/* ---- what it prints ---- */

static void hear(assay_worker *worker) {
    char bytes[4096];
    size_t count = assay_helper_hear(&worker->helper, bytes, sizeof bytes);
    while (count > 0) {
        size_t room = sizeof worker->heard - 1 - worker->heard_kept;
        size_t kept = count < room ? count : room;
        for (size_t n = 0; n < kept; n++)
            worker->heard[worker->heard_kept + n] = bytes[n] == '\0' ? '?' : bytes[n];
        worker->heard_kept += kept;
        worker->heard_bytes += count;
        if (kept > 0)
            assay_printable(worker->heard_shown, sizeof worker->heard_shown, worker->heard);
        count = assay_helper_hear(&worker->helper, bytes, sizeof bytes);
    }
}

uint64_t assay_worker_heard(const assay_worker *worker, const char **out) {
    *out = worker->heard_shown;
    return worker->heard_bytes;
}

/* ---- a worker's life ---- */

static void stop(assay_worker *worker) {
    hear(worker);
    assay_helper_stop(&worker->helper);
}

/* Why a worker did not answer as it should, while it can still be asked how it ended. */
static void describe_end(assay_worker *worker, int64_t deadline, unsigned seconds, char *out,
                         size_t size) {
    char reason[160];
    assay_printable(reason, sizeof reason, assay_error_text());
    if (now_ms() >= deadline) {
        snprintf(out, size, "the plug-in took longer than %u seconds", seconds);
        return;
    }
    const assay_helper_end end = assay_helper_find_end(&worker->helper);
    if (end.signal != NULL)
        snprintf(out, size, "the plug-in died (SIG%s)", end.signal);
    else if (end.ended)
        snprintf(out, size, "the plug-in ended its process (status %d)", end.status);
    else
        snprintf(out, size, "the plug-in's worker answered wrongly: %s", reason);
}

static bool same_description(const assay_algorithm_description *a,
                             const assay_algorithm_description *b) {
    return a->kind == b->kind && a->length == b->length && a->channels == b->channels &&
           a->roles_differ == b->roles_differ && a->vector_offset == b->vector_offset &&
           a->vector_length == b->vector_length && a->bit_rows == b->bit_rows &&
           a->bit_shift == b->bit_shift && a->bit_shifts == b->bit_shifts &&
           a->bit_minimum == b->bit_minimum && a->vector_bound == b->vector_bound &&
           a->vector_scale == b->vector_scale && a->vector_shift == b->vector_shift &&
           strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0 &&
           strcmp(a->parameters, b->parameters) == 0 &&
           strcmp(a->template_family, b->template_family) == 0;
}

/* Takes the description at from: the first one is kept, later ones must be the same. */
static bool take_description(assay_worker *worker, assay_frame_cursor *from) {
    char texts[DESCRIPTION_TEXTS][ASSAY_WORKER_TEXT];
    assay_algorithm_description about = {.size = sizeof about};
    uint32_t *const numbers[] = {&about.length, &about.channels, &about.roles_differ,
                                 &about.vector_offset, &about.vector_length};
    uint32_t *const bits[] = {&about.bit_rows, &about.bit_shift, &about.bit_shifts,
                              &about.bit_minimum};
    for (size_t n = 0; n < DESCRIPTION_TEXTS; n++) assay_get_text(from, texts[n], sizeof texts[n]);
    about.kind = (assay_template_kind)assay_get_u32(from);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) *numbers[n] = assay_get_u32(from);
    about.vector_bound = assay_get_f64(from);
    about.vector_scale = assay_get_f64(from);
    about.vector_shift = assay_get_f64(from);
    for (size_t n = 0; n < sizeof bits / sizeof *bits; n++) *bits[n] = assay_get_u32(from);
    bool compares = assay_get_u32(from) != 0;
    if (!assay_frame_ended(from)) return false;
    if (!worker->opened) memcpy(worker->texts, texts, sizeof texts);
    char(*own)[ASSAY_WORKER_TEXT] = worker->opened ? texts : worker->texts;
    about.name = own[0];
    about.version = own[1];
    about.modality = own[2];
    about.comparator = own[3];
    about.parameters = own[4];
    about.template_family = own[5];
    if (worker->opened) return same_description(&about, &worker->about);
    worker->about = about;
    worker->compares = compares;
    return true;
}

/* Reads what a worker says once it is confined and its plug-in open. *ready is BROKEN, with a text,
 * where that is the plug-in's fault. */
static assay_status take_ready(assay_worker *worker, int64_t deadline, assay_worker_ready *ready,
                               char text[ASSAY_WORKER_TEXT]) {
    uint8_t *frame = NULL;
    size_t count = 0;
    *ready = ASSAY_WORKER_BROKEN;
    if (assay_frame_read(worker->helper.answer_fd, ASSAY_WORKER_READY_MAX, left_of(deadline),
                         &frame, &count) != ASSAY_OK) {
        describe_end(worker, deadline, START_TIMEOUT_MS / 1000, text, ASSAY_WORKER_TEXT);
        return ASSAY_OK;
    }
    assay_frame_cursor from = {.bytes = frame, .count = count};
    uint32_t said = assay_get_u32(&from);
    assay_get_text(&from, text, ASSAY_WORKER_TEXT);
    assay_status status = ASSAY_OK;
    if (from.wrong || said > ASSAY_WORKER_UNCONFINED)
        snprintf(text, ASSAY_WORKER_TEXT, "the plug-in's worker answered wrongly");
    else if (said == ASSAY_WORKER_UNCONFINED)
        status = assay_fail(ASSAY_FAILED, "%s is not run: %s cannot confine itself: %s",
                            worker->plugin, worker->program, text);
    else if (said == ASSAY_WORKER_READY && !take_description(worker, &from))
        snprintf(text, ASSAY_WORKER_TEXT,
                 "the plug-in described itself wrongly, or otherwise than "
                 "before");
    else
        *ready = (assay_worker_ready)said;
    free(frame);
    return status;
}

/* A worker that runs, if the plug-in lets it. */
static assay_status start(assay_worker *worker, assay_worker_ready *ready,
                          char text[ASSAY_WORKER_TEXT]) {
    /* One thread each: workers run side by side, and sums in another order are other templates. */
    static const char *const environment[] = {"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", NULL};
    int64_t deadline = now_ms() + START_TIMEOUT_MS;
    stop(worker);
    text[0] = '\0';
    *ready = ASSAY_WORKER_BROKEN;
    assay_status status = assay_helper_start_heard(worker->program, environment, &worker->helper);
    if (status == ASSAY_OK)
        status =
            assay_frame_write(worker->helper.request_fd, worker->setup.bytes, worker->setup.length);
    if (status == ASSAY_OK) status = take_ready(worker, deadline, ready, text);
    if (status != ASSAY_OK || *ready != ASSAY_WORKER_READY) stop(worker);
    return status;
}

static bool is_worn(const assay_worker *worker) {
    clockid_t clock;
    struct timespec used = {0, 0};
    if (clock_getcpuclockid(worker->helper.pid, &clock) == 0) clock_gettime(clock, &used);
    return used.tv_sec >= CPU_SECONDS_WORN;
}

/* *out_running: there is a worker to be asked. Else the plug-in does not let one start: text. */
static assay_status ensure(assay_worker *worker, bool *out_running, char *text, size_t size) {
    char said[ASSAY_WORKER_TEXT] = "";
    assay_worker_ready ready = ASSAY_WORKER_READY;
    assay_status status = ASSAY_OK;
    if (worker->helper.pid <= 0 || is_worn(worker)) status = start(worker, &ready, said);
    if (status != ASSAY_OK) return status;
    *out_running = ready == ASSAY_WORKER_READY;
    if (*out_running) {
        worker->fruitless = 0;
        return ASSAY_OK;
    }
    snprintf(text, size, "the plug-in could not be opened again: %s", said);
    if (++worker->fruitless < FRUITLESS_MOST) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "%s: %u workers in a row did not start; the last one: %s",
                      worker->plugin, worker->fruitless, said);
}

assay_status assay_worker_open(const assay_release *release, assay_worker **out) {
    assay_worker *worker = NULL;
    assay_worker_ready ready;
    char text[ASSAY_WORKER_TEXT];
    assay_status status = assay_allocate(&worker, 1, sizeof *worker, "a worker");
    if (status != ASSAY_OK) return status;
    worker->helper = ASSAY_HELPER_NONE;
    unsigned seconds =
        release->template_seconds > 0 ? release->template_seconds : ASSAY_PLUGIN_SECONDS;
    worker->template_ms = seconds * 1000;
    status = make_setup(worker, release);
    if (status == ASSAY_OK) status = assay_find_helper(&worker->program, ASSAY_ALGORITHM_WORKER);
    if (status == ASSAY_OK) status = start(worker, &ready, text);
    if (status == ASSAY_OK && ready != ASSAY_WORKER_READY)
        status = assay_fail(ready == ASSAY_WORKER_REFUSED ? ASSAY_USAGE : ASSAY_FAILED,
                            "cannot open the plug-in %s: %s", release->plugin,
                            text[0] != '\0' ? text : "it does not say why");
    if (status == ASSAY_OK) {
        worker->opened = true;
        *out = worker;
    } else {
        assay_worker_close(worker);
    }
    return status;
}

void assay_worker_close(assay_worker *worker) {
    if (worker == NULL) return;
    assay_helper_stop(&worker->helper);
    assay_text_free(&worker->setup);
    free(worker->program);
    free(worker->plugin);
    free(worker);
}

const assay_algorithm_description *assay_worker_about(const assay_worker *worker) {
    return &worker->about;
}

/* ---- one template ---- */

typedef struct {
    const assay_algorithm_image *images;
    size_t count;
    assay_sample_role role;
    assay_worker_check check;
    uint8_t *out; /* [capacity] */
    size_t capacity;
} create_request;

static assay_status send_create(assay_worker *worker, const create_request *request) {
    assay_text head = {0};
    assay_put_u32(&head, ASSAY_WORKER_CREATE);
    assay_put_u64(&head, ++worker->number);
    assay_put_u32(&head, request->role);
    assay_put_u32(&head, (uint32_t)request->count);
    for (size_t n = 0; n < request->count; n++) {
        const assay_algorithm_image *image = &request->images[n];
        assay_put_u32(&head, image->width);
        assay_put_u32(&head, image->height);
        assay_put_u32(&head, image->channels);
        assay_put_text(&head, image->capture_type);
    }
    assay_status status = assay_text_status(&head);
    if (status == ASSAY_OK)
        status = assay_frame_write(worker->helper.request_fd, head.bytes, head.length);
    for (size_t n = 0; status == ASSAY_OK && n < request->count; n++) {
        const assay_algorithm_image *image = &request->images[n];
        status = assay_frame_write(worker->helper.request_fd, image->pixels,
                                   (size_t)image->width * image->height * image->channels);
    }
    assay_text_free(&head);
    return status;
}

/* ASSAY_OK: an answer as it should be. Anything else: the worker is no longer to be talked to. */
static assay_status take_template(assay_worker *worker, const create_request *request,
                                  int64_t deadline, size_t *out_size, assay_outcome *out_outcome,
                                  char text[ASSAY_SESSION_TEXT]) {
    uint8_t *frame = NULL;
    size_t count = 0;
    uint32_t size;
    assay_status status =
        assay_frame_read(worker->helper.answer_fd, request->capacity + ASSAY_WORKER_TEXT + 64,
                         left_of(deadline), &frame, &count);
    if (status != ASSAY_OK) return status;
    assay_frame_cursor from = {.bytes = frame, .count = count};
    uint64_t number = assay_get_u64(&from);
    uint32_t outcome = assay_get_u32(&from);
    assay_get_text(&from, text, ASSAY_SESSION_TEXT);
    const uint8_t *bytes = assay_get_bytes(&from, &size);
    if (!assay_frame_ended(&from) || outcome > ASSAY_OUTCOME_FAILED) {
        status = assay_fail(ASSAY_FAILED, "an answer of %zu bytes that does not read well", count);
    } else if (number != worker->number) {
        status = assay_fail(ASSAY_FAILED, "an answer to another request");
    } else if (size > request->capacity) {
        status = assay_fail(ASSAY_FAILED, "a template of %u bytes", size);
    } else {
        if (size > 0) memcpy(request->out, bytes, size);
        *out_size = size;
        *out_outcome = (assay_outcome)outcome;
    }
    free(frame);
    return status;
}

/* Asks once. True where the answer stands; else text says what went wrong. */
static assay_status try_create(assay_worker *worker, const create_request *request,
                               bool *out_stands, size_t *out_size, assay_outcome *outcome,
                               char text[ASSAY_SESSION_TEXT]) {
    bool running = false;
    *out_stands = false;
    assay_status status = ensure(worker, &running, text, ASSAY_SESSION_TEXT);
    if (status != ASSAY_OK || !running) return status;
    int64_t deadline = now_ms() + worker->template_ms;
    status = send_create(worker, request);
    if (status == ASSAY_OK)
        status = take_template(worker, request, deadline, out_size, outcome, text);
    if (status != ASSAY_OK) {
        describe_end(worker, deadline, worker->template_ms / 1000, text, ASSAY_SESSION_TEXT);
        stop(worker);
        return ASSAY_OK;
    }
    hear(worker);
    const char *fault = *outcome == ASSAY_OUTCOME_OK
                            ? request->check(&worker->about, request->out, *out_size)
                            : NULL;
    *out_stands = fault == NULL;
    if (fault != NULL) {
        snprintf(text, ASSAY_SESSION_TEXT, "unusable template: %s", fault);
        stop(worker);
    }
    return ASSAY_OK;
}

assay_status assay_worker_create(assay_worker *worker, const assay_algorithm_image *images,
                                 size_t count, assay_sample_role role, assay_worker_check check,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 assay_outcome *out_outcome, char text[ASSAY_SESSION_TEXT]) {
    const create_request request = {images, count, role, check, out, capacity};
    size_t size = 0;
    assay_outcome outcome = ASSAY_OUTCOME_FAILED;
    bool stands = false;
    if (count < 1 || count > ASSAY_WORKER_IMAGES_MAX)
        return assay_fail(ASSAY_FAILED, "%zu images of one sample, expected 1 to %u", count,
                          ASSAY_WORKER_IMAGES_MAX);
    for (unsigned tries = 0; !stands && tries < TRIES; tries++) {
        assay_status status = try_create(worker, &request, &stands, &size, &outcome, text);
        if (status != ASSAY_OK) return status;
    }
    if (text[0] == '\0') snprintf(text, ASSAY_SESSION_TEXT, "no reason given");
    *out_outcome = stands ? outcome : ASSAY_OUTCOME_FAILED;
    *out_size = stands && outcome == ASSAY_OUTCOME_OK ? size : 0;
    return ASSAY_OK;
}

/* ---- comparisons ---- */

static assay_status send_compare(assay_worker *worker, const assay_opaque_bytes *reference,
                                 const assay_opaque_bytes *probes, size_t count) {
    assay_text request = {0};
    assay_put_u32(&request, ASSAY_WORKER_COMPARE);
    assay_put_u64(&request, ++worker->number);
    assay_put_bytes(&request, reference->bytes, reference->size);
    assay_put_u32(&request, (uint32_t)count);
    for (size_t n = 0; n < count; n++) assay_put_bytes(&request, probes[n].bytes, probes[n].size);
    assay_status status = assay_text_status(&request);
    if (status == ASSAY_OK)
        status = assay_frame_write(worker->helper.request_fd, request.bytes, request.length);
    assay_text_free(&request);
    return status;
}

/* ASSAY_OK: an answer as it should be, but for its scores. */
static assay_status take_scores(assay_worker *worker, size_t count, int64_t deadline,
                                assay_own_score *out, char text[ASSAY_SESSION_TEXT]) {
    uint8_t *frame = NULL;
    size_t bytes = 0;
    assay_status status =
        assay_frame_read(worker->helper.answer_fd, ASSAY_WORKER_TEXT + 64 + 12 * count,
                         left_of(deadline), &frame, &bytes);
    if (status != ASSAY_OK) return status;
    assay_frame_cursor from = {.bytes = frame, .count = bytes};
    uint64_t number = assay_get_u64(&from);
    (void)assay_get_u32(&from);
    assay_get_text(&from, text, ASSAY_SESSION_TEXT);
    bool wrong = assay_get_u32(&from) != count;
    for (size_t n = 0; n < count && !from.wrong; n++) {
        uint32_t outcome = assay_get_u32(&from);
        double score = assay_get_f64(&from);
        wrong = wrong || outcome > ASSAY_OUTCOME_FAILED;
        /* No score, whatever it says, where it is none that can be kept. */
        out[n].scored = outcome == ASSAY_OUTCOME_OK && fabs(score) <= ASSAY_SCORE_MOST;
        out[n].score = out[n].scored ? score : NAN;
    }
    if (wrong || !assay_frame_ended(&from))
        status = assay_fail(ASSAY_FAILED, "scores of %zu bytes that do not read well", bytes);
    else if (number != worker->number)
        status = assay_fail(ASSAY_FAILED, "an answer to another request");
    free(frame);
    return status;
}

/* Asks once. *out_stands where the answer does; else text says what went wrong. */
static assay_status try_compare(assay_worker *worker, const assay_opaque_bytes *reference,
                                const assay_opaque_bytes *probes, size_t count,
                                assay_own_score *out, bool *out_stands,
                                char text[ASSAY_SESSION_TEXT]) {
    bool running = false;
    *out_stands = false;
    assay_status status = ensure(worker, &running, text, ASSAY_SESSION_TEXT);
    if (status != ASSAY_OK || !running) return status;
    int64_t deadline = now_ms() + worker->template_ms;
    status = send_compare(worker, reference, probes, count);
    if (status == ASSAY_OK) status = take_scores(worker, count, deadline, out, text);
    *out_stands = status == ASSAY_OK;
    if (status != ASSAY_OK) {
        describe_end(worker, deadline, worker->template_ms / 1000, text, ASSAY_SESSION_TEXT);
        stop(worker);
        return ASSAY_OK;
    }
    hear(worker);
    return ASSAY_OK;
}

assay_status assay_worker_compare(assay_worker *worker, const assay_opaque_bytes *reference,
                                  const assay_opaque_bytes *probes, size_t count,
                                  assay_own_score *out, char text[ASSAY_SESSION_TEXT]) {
    bool stands = false;
    if (!worker->compares)
        return assay_fail(ASSAY_USAGE, "%s has no comparison of its own", worker->plugin);
    if (count > ASSAY_WORKER_PROBES_MAX)
        return assay_fail(ASSAY_FAILED, "%zu probes at once, at most %u", count,
                          ASSAY_WORKER_PROBES_MAX);
    text[0] = '\0';
    assay_status status = try_compare(worker, reference, probes, count, out, &stands, text);
    if (status != ASSAY_OK || stands) return status;
    /* Which of them was it? Each alone, and the one that breaks a fresh worker too has no score. */
    for (size_t n = 0; n < count; n++) {
        stands = false;
        for (unsigned tries = count > 1 ? 0 : 1; !stands && tries < TRIES; tries++) {
            status = try_compare(worker, reference, &probes[n], 1, &out[n], &stands, text);
            if (status != ASSAY_OK) return status;
        }
        if (!stands) out[n] = (assay_own_score){.scored = false, .score = NAN};
    }
    return ASSAY_OK;
}
