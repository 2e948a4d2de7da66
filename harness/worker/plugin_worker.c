/* assay-algorithm-worker -- runs a plug-in that nobody trusts, for assay; not for use by hand.
 *
 * Started by harness/worker_client.c with the numbers of two descriptors, requests and answers;
 * what is said on them is in harness/worker_frames.h. It is told what to load, gives up everything
 * but memory, threads, time, its two pipes and the folders that the plug-in may read, and only then
 * loads it: already a constructor of the library runs confined. What goes wrong with one template
 * is an answer; what goes wrong with the worker ends it, and assay starts another. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/algorithm.h"
#include "harness/worker_frames.h"

#define PATHS_MAX 64
#define DESCRIPTION_ROOM 4096 /* so that a description of a later interface finds room */

typedef struct {
    int request_fd, answer_fd;
    uint64_t memory_bytes;
    uint32_t cpu_seconds;
    char *plugin, *config_directory;
    char **readable, **parameters; /* NULL-terminated */
    const assay_algorithm *table;
    assay_algorithm algorithm; /* as much of the table as there is */
    void *state;
    union {
        assay_algorithm_description about;
        uint8_t room[DESCRIPTION_ROOM];
    };
    uint8_t *made; /* [capacity] */
    size_t capacity;
} worker;

/* ---- setup ---- */

static assay_status take_text(assay_frame_cursor *from, char **out) {
    uint32_t count;
    const uint8_t *bytes = assay_get_bytes(from, &count);
    assay_status status = assay_allocate(out, (size_t)count + 1, 1, "setup");
    if (status == ASSAY_OK && bytes != NULL) memcpy(*out, bytes, count);
    return status;
}

static assay_status take_texts(assay_frame_cursor *from, char ***out) {
    uint32_t count = assay_get_u32(from);
    if (count > from->count) from->wrong = true;
    if (from->wrong) count = 0;
    assay_status status = assay_allocate(out, (size_t)count + 1, sizeof **out, "setup");
    for (uint32_t n = 0; status == ASSAY_OK && n < count; n++) status = take_text(from, &(*out)[n]);
    return status;
}

static assay_status read_setup(worker *work) {
    uint8_t *frame = NULL;
    size_t count = 0;
    assay_status status =
        assay_frame_read(work->request_fd, ASSAY_WORKER_SETUP_MAX, -1, &frame, &count);
    if (status != ASSAY_OK) return status;
    assay_frame_cursor from = {.bytes = frame, .count = count};
    work->memory_bytes = assay_get_u64(&from);
    work->cpu_seconds = assay_get_u32(&from);
    status = take_text(&from, &work->plugin);
    if (status == ASSAY_OK) status = take_text(&from, &work->config_directory);
    if (status == ASSAY_OK) status = take_texts(&from, &work->readable);
    if (status == ASSAY_OK) status = take_texts(&from, &work->parameters);
    if (status == ASSAY_OK && !assay_frame_ended(&from))
        status = assay_fail(ASSAY_FAILED, "a setup of %zu bytes that does not end well", count);
    free(frame);
    return status;
}

/* What the plug-in may read, with the little that number libraries ask a machine for. */
static assay_status confine(worker *work) {
    static const char *const machine[] = {"/proc/cpuinfo", "/proc/meminfo",
                                          "/sys/devices/system/cpu", "/dev/urandom"};
    const char *paths[PATHS_MAX];
    size_t count = 0;
    int without_landlock = 0;
    for (char **path = work->readable; *path != NULL; path++) {
        if (count == PATHS_MAX - sizeof machine / sizeof *machine)
            return assay_fail(ASSAY_FAILED, "more than %zu paths to be read", count);
        paths[count++] = *path;
    }
    for (size_t n = 0; n < sizeof machine / sizeof *machine; n++)
        if (access(machine[n], R_OK) == 0) paths[count++] = machine[n];
    assay_status status =
        assay_confine(work->memory_bytes, work->cpu_seconds, paths, count, &without_landlock);
    if (status == ASSAY_OK && without_landlock)
        status = assay_fail(ASSAY_FAILED, "this kernel has no Landlock, without which a plug-in "
                                          "could read every file");
    return status;
}

/* ---- the plug-in ---- */

/* As much of a table as its size says, the rest zero. */
static const char *take_table(worker *work) {
    const assay_algorithm *table = work->table;
    if (table == NULL) return "it has no interface of the version that assay speaks";
    if (table->abi != ASSAY_ALGORITHM_ABI) return "its table is of another interface";
    if (table->size < offsetof(assay_algorithm, compare)) return "its table is too short";
    memcpy(&work->algorithm, table,
           table->size < sizeof work->algorithm ? table->size : sizeof work->algorithm);
    const assay_algorithm *algorithm = &work->algorithm;
    if (algorithm->open == NULL || algorithm->describe == NULL ||
        algorithm->create_template == NULL || algorithm->close == NULL)
        return "its table lacks a function";
    return NULL;
}

static assay_worker_ready load(worker *work, char *text, size_t size) {
    void *library = dlopen(work->plugin, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(text, size, "%s", dlerror());
        return ASSAY_WORKER_BROKEN;
    }
    assay_algorithm_plugin_function give = NULL;
    *(void **)&give = dlsym(library, ASSAY_ALGORITHM_SYMBOL);
    if (give == NULL) {
        snprintf(text, size, "it does not export " ASSAY_ALGORITHM_SYMBOL);
        return ASSAY_WORKER_BROKEN;
    }
    work->table = give(ASSAY_ALGORITHM_ABI);
    const char *fault = take_table(work);
    if (fault == NULL) return ASSAY_WORKER_READY;
    snprintf(text, size, "%s", fault);
    return ASSAY_WORKER_BROKEN;
}

static size_t capacity_of(const assay_algorithm_description *about) {
    if (about->kind == ASSAY_TEMPLATE_VECTOR) return (size_t)about->length * sizeof(float);
    if (about->kind == ASSAY_TEMPLATE_BITS) return (size_t)about->length / 8 * 2;
    return about->length;
}

static assay_worker_ready open_algorithm(worker *work, char *text, size_t size) {
    const assay_algorithm_setup setup = {
        .size = sizeof setup,
        .parameters = (const char *const *)work->parameters,
        .config_directory = work->config_directory,
    };
    assay_worker_ready ready = load(work, text, size);
    if (ready != ASSAY_WORKER_READY) return ready;
    assay_outcome outcome = work->algorithm.open(&setup, &work->state, text, size);
    if (outcome == ASSAY_OUTCOME_REFUSED) return ASSAY_WORKER_REFUSED;
    if (outcome != ASSAY_OUTCOME_OK) return ASSAY_WORKER_BROKEN;
    work->about.size = sizeof work->about;
    work->algorithm.describe(work->state, &work->about);
    work->capacity = capacity_of(&work->about);
    if (assay_allocate_aligned(&work->made, work->capacity + 1, 1, "a template") == ASSAY_OK)
        return ASSAY_WORKER_READY;
    snprintf(text, size, "no memory for a template of %zu bytes", work->capacity);
    return ASSAY_WORKER_BROKEN;
}

/* ---- answers ---- */

static void put_said(assay_text *to, const char *text) {
    char shown[ASSAY_WORKER_TEXT];
    assay_printable(shown, sizeof shown, text);
    assay_put_text(to, shown);
}

static void put_description(assay_text *to, const worker *work) {
    const assay_algorithm_description *about = &work->about;
    const char *const texts[] = {about->name,       about->version,    about->modality,
                                 about->comparator, about->parameters, about->template_family};
    const uint32_t numbers[] = {(uint32_t)about->kind, about->length,        about->channels,
                                about->roles_differ,   about->vector_offset, about->vector_length};
    const uint32_t bits[] = {about->bit_rows, about->bit_shift, about->bit_shifts,
                             about->bit_minimum};
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
        put_said(to, texts[n] == NULL ? "" : texts[n]);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) assay_put_u32(to, numbers[n]);
    assay_put_f64(to, about->vector_bound);
    assay_put_f64(to, about->vector_scale);
    assay_put_f64(to, about->vector_shift);
    for (size_t n = 0; n < sizeof bits / sizeof *bits; n++) assay_put_u32(to, bits[n]);
    assay_put_u32(to, work->algorithm.compare != NULL);
}

static assay_status send(const worker *work, assay_text *answer) {
    fflush(NULL); /* what the plug-in printed belongs to this request */
    assay_status status = assay_text_status(answer);
    if (status == ASSAY_OK)
        status = assay_frame_write(work->answer_fd, answer->bytes, answer->length);
    assay_text_free(answer);
    return status;
}

static assay_status tell_ready(const worker *work, assay_worker_ready ready, const char *text) {
    assay_text answer = {0};
    assay_put_u32(&answer, ready);
    put_said(&answer, text);
    if (ready == ASSAY_WORKER_READY) put_description(&answer, work);
    return send(work, &answer);
}

/* ---- requests ---- */

typedef struct {
    assay_algorithm_image images[ASSAY_WORKER_IMAGES_MAX];
    char capture_types[ASSAY_WORKER_IMAGES_MAX][ASSAY_WORKER_TEXT];
    uint8_t *pixels[ASSAY_WORKER_IMAGES_MAX];
    uint32_t count;
} pictures;

static assay_status read_pictures(const worker *work, assay_frame_cursor *from, pictures *out) {
    out->count = assay_get_u32(from);
    if (out->count > ASSAY_WORKER_IMAGES_MAX) from->wrong = true;
    for (uint32_t n = 0; !from->wrong && n < out->count; n++) {
        assay_algorithm_image *image = &out->images[n];
        image->size = sizeof *image;
        image->width = assay_get_u32(from);
        image->height = assay_get_u32(from);
        image->channels = assay_get_u32(from);
        image->capture_type = out->capture_types[n];
        assay_get_text(from, out->capture_types[n], sizeof out->capture_types[n]);
    }
    if (!assay_frame_ended(from)) return assay_fail(ASSAY_FAILED, "a damaged request");
    for (uint32_t n = 0; n < out->count; n++) {
        size_t expected =
            (size_t)out->images[n].width * out->images[n].height * out->images[n].channels;
        size_t count = 0;
        assay_status status =
            assay_frame_read(work->request_fd, expected, -1, &out->pixels[n], &count);
        if (status != ASSAY_OK) return status;
        if (count != expected) return assay_fail(ASSAY_FAILED, "a request of too few pixels");
        out->images[n].pixels = out->pixels[n];
    }
    return ASSAY_OK;
}

static assay_status create(worker *work, uint64_t number, assay_frame_cursor *from) {
    pictures given = {0};
    char text[ASSAY_WORKER_TEXT] = "";
    assay_text answer = {0};
    assay_algorithm_template made = {
        .size = sizeof made, .bytes = work->made, .capacity = work->capacity};
    uint32_t role = assay_get_u32(from);
    assay_status status = read_pictures(work, from, &given);
    if (status != ASSAY_OK) goto out;
    assay_outcome outcome = work->algorithm.create_template(
        work->state, given.images, given.count, (assay_sample_role)role, &made, text, sizeof text);
    text[sizeof text - 1] = '\0';
    if (outcome == ASSAY_OUTCOME_OK && made.used > work->capacity) {
        outcome = ASSAY_OUTCOME_FAILED;
        snprintf(text, sizeof text, "unusable template: %zu bytes, at most %zu fit", made.used,
                 work->capacity);
    }
    assay_put_u64(&answer, number);
    assay_put_u32(&answer, outcome);
    put_said(&answer, text);
    assay_put_bytes(&answer, work->made, outcome == ASSAY_OUTCOME_OK ? made.used : 0);
    status = send(work, &answer);
out:
    for (uint32_t n = 0; n < ASSAY_WORKER_IMAGES_MAX; n++) free(given.pixels[n]);
    return status;
}

static assay_status compare(worker *work, uint64_t number, assay_frame_cursor *from) {
    char first_text[ASSAY_WORKER_TEXT] = "";
    assay_outcome first = ASSAY_OUTCOME_OK;
    assay_text scores = {0}, answer = {0};
    uint32_t reference_size;
    const uint8_t *reference = assay_get_bytes(from, &reference_size);
    uint32_t count = assay_get_u32(from);
    for (uint32_t n = 0; n < count && !from->wrong; n++) {
        char text[ASSAY_WORKER_TEXT] = "";
        uint32_t probe_size;
        double score = 0;
        const uint8_t *probe = assay_get_bytes(from, &probe_size);
        if (from->wrong) break;
        assay_outcome outcome = work->algorithm.compare(
            work->state, reference, reference_size, probe, probe_size, &score, text, sizeof text);
        text[sizeof text - 1] = '\0';
        if (outcome != ASSAY_OUTCOME_OK && first == ASSAY_OUTCOME_OK) {
            first = outcome;
            memcpy(first_text, text, sizeof text);
        }
        assay_put_u32(&scores, outcome);
        assay_put_f64(&scores, score);
    }
    if (!assay_frame_ended(from)) {
        assay_text_free(&scores);
        return assay_fail(ASSAY_FAILED, "a damaged request");
    }
    assay_put_u64(&answer, number);
    assay_put_u32(&answer, first);
    put_said(&answer, first_text);
    assay_put_u32(&answer, count);
    assay_text_append_bytes(&answer, scores.bytes, scores.length);
    assay_status status = assay_text_status(&scores);
    assay_text_free(&scores);
    if (status == ASSAY_OK) return send(work, &answer);
    assay_text_free(&answer);
    return status;
}

static assay_status serve(worker *work) {
    uint8_t *request = NULL;
    size_t count = 0;
    assay_status status = assay_frame_read(work->request_fd, UINT32_MAX, -1, &request, &count);
    if (status != ASSAY_OK) return status;
    assay_frame_cursor from = {.bytes = request, .count = count};
    uint32_t what = assay_get_u32(&from);
    uint64_t number = assay_get_u64(&from);
    if (what == ASSAY_WORKER_CREATE)
        status = create(work, number, &from);
    else if (what == ASSAY_WORKER_COMPARE && work->algorithm.compare != NULL)
        status = compare(work, number, &from);
    else
        status = assay_fail(ASSAY_FAILED, "an unknown request");
    free(request);
    return status;
}

int main(int argument_count, char **arguments) {
    worker work = {0};
    char text[ASSAY_WORKER_TEXT] = "";
    uint64_t request_fd, answer_fd;
    if (argument_count != 3 || !assay_parse_uint64(arguments[1], &request_fd) ||
        !assay_parse_uint64(arguments[2], &answer_fd) || request_fd > 1023 || answer_fd > 1023) {
        static const char told[] = "assay-algorithm-worker is started by assay, not by hand\n";
        return write(STDERR_FILENO, told, sizeof told - 1) < 0 ? 1 : 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    work.request_fd = (int)request_fd;
    work.answer_fd = (int)answer_fd;
    assay_worker_ready ready = ASSAY_WORKER_UNCONFINED;
    assay_status status = read_setup(&work);
    if (status == ASSAY_OK) status = confine(&work);
    if (status == ASSAY_OK)
        ready = open_algorithm(&work, text, sizeof text);
    else
        snprintf(text, sizeof text, "%s", assay_error_text());
    text[sizeof text - 1] = '\0';
    status = tell_ready(&work, ready, text);
    while (status == ASSAY_OK && ready == ASSAY_WORKER_READY) status = serve(&work);
    if (ready == ASSAY_WORKER_READY && work.state != NULL) work.algorithm.close(work.state);
    /* The end of the requests is the normal end; libraries' clean-up is not wanted in here. */
    _exit(0);
}
