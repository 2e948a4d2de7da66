/* image -- the side of assay that asks assay-image-worker for pixels, and trusts nothing it says.
 */
#include "datasets/image.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/image_frames.h"

#define START_TIMEOUT_MS 30000
#define IMAGE_TIMEOUT_MS 30000
/* A worker is replaced before its limit of 600 seconds could fall on an innocent image, and now and
 * then in any case, so that what its libraries leak does not add up. */
#define WORKER_CPU_SECONDS 500
#define WORKER_IMAGES 4000

struct assay_image_reader {
    char *program;
    assay_helper helper;
    unsigned images; /* given to this worker so far */
};

void assay_image_free(assay_image *image) {
    free(image->pixels);
    *image = (assay_image){0};
}

/* --- the worker's life ------------------------------------------------------------------------ */

static assay_status start_worker(assay_image_reader *reader) {
    uint8_t *ready = NULL;
    size_t count = 0;
    assay_helper_stop(&reader->helper);
    reader->images = 0;
    assay_status status = assay_helper_start(reader->program, &reader->helper);
    if (status != ASSAY_OK) return status;
    status = assay_frame_read(reader->helper.answer_fd,
                              ASSAY_IMAGE_READY_HEADER + ASSAY_IMAGE_REFUSAL_SIZE, START_TIMEOUT_MS,
                              &ready, &count);
    if (status != ASSAY_OK) {
        status = assay_fail_in(status, "%s does not start", reader->program);
        goto out;
    }
    if (count < ASSAY_IMAGE_READY_HEADER || assay_image_get(ready, 0) != 0)
        status = assay_fail(ASSAY_FAILED, "%s cannot confine itself: %s", reader->program,
                            count > ASSAY_IMAGE_READY_HEADER
                                ? (const char *)ready + ASSAY_IMAGE_READY_HEADER
                                : "it does not say why");
out:
    free(ready);
    if (status != ASSAY_OK) assay_helper_stop(&reader->helper);
    return status;
}

static bool is_worn(const assay_image_reader *reader) {
    clockid_t clock;
    struct timespec used = {0, 0};
    if (reader->images >= WORKER_IMAGES) return true;
    if (clock_getcpuclockid(reader->helper.pid, &clock) == 0) clock_gettime(clock, &used);
    return used.tv_sec >= WORKER_CPU_SECONDS;
}

static assay_status ensure_worker(assay_image_reader *reader) {
    if (reader->helper.pid > 0 && !is_worn(reader)) return ASSAY_OK;
    return start_worker(reader);
}

assay_status assay_image_reader_open(assay_image_reader **out) {
    assay_image_reader *reader = NULL;
    assay_status status = assay_allocate(&reader, 1, sizeof *reader, "an image reader");
    if (status != ASSAY_OK) return status;
    reader->helper = ASSAY_HELPER_NONE;
    status = assay_find_helper(&reader->program, ASSAY_IMAGE_WORKER);
    if (status == ASSAY_OK) status = start_worker(reader);
    if (status == ASSAY_OK)
        *out = reader;
    else
        assay_image_reader_close(reader);
    return status;
}

void assay_image_reader_close(assay_image_reader *reader) {
    if (reader == NULL) return;
    assay_helper_stop(&reader->helper);
    free(reader->program);
    free(reader);
}

/* --- one image -------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *bytes;
    size_t count;
    uint32_t channels;
    bool check_only;
} image_request;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static assay_status ask(const assay_helper *helper, const image_request *request) {
    uint8_t header[ASSAY_IMAGE_REQUEST_HEADER];
    assay_image_put(header, 0, request->channels);
    assay_image_put(header, 1, request->check_only ? 1 : 0);
    assay_status status = assay_frame_write(helper->request_fd, header, sizeof header);
    if (status != ASSAY_OK) return status;
    return assay_frame_write(helper->request_fd, request->bytes, request->count);
}

/* Whether the sizes in an answer are ones that could have been asked for. */
static assay_status check_sizes(const image_request *request, const assay_image *image) {
    uint64_t pixels = (uint64_t)image->width * image->height;
    if (image->channels == request->channels && pixels > 0 && pixels <= ASSAY_IMAGE_PIXEL_CAP)
        return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "an answer of %u x %u pixels and %u channels", image->width,
                      image->height, image->channels);
}

static assay_status take_pixels(const assay_helper *helper, int64_t deadline, assay_image *image) {
    size_t expected = (size_t)image->width * image->height * image->channels, count = 0;
    int64_t left = deadline - now_ms();
    assay_status status = assay_frame_read(helper->answer_fd, expected, left > 0 ? (int)left : 0,
                                           &image->pixels, &count);
    if (status != ASSAY_OK || count == expected) return status;
    assay_image_free(image);
    return assay_fail(ASSAY_FAILED, "%zu bytes of pixels where %zu were expected", count, expected);
}

/* On ASSAY_OK an image, or a refusal of the worker's. Any failure means that the worker is no
 * longer to be talked to. */
static assay_status take_answer(const assay_helper *helper, const image_request *request,
                                int64_t deadline, assay_image *out, char *refusal,
                                size_t refusal_size) {
    uint8_t *answer = NULL;
    size_t count = 0;
    int64_t left = deadline - now_ms();
    assay_image image = {0};
    assay_status status =
        assay_frame_read(helper->answer_fd, ASSAY_IMAGE_ANSWER_HEADER + ASSAY_IMAGE_REFUSAL_SIZE,
                         left > 0 ? (int)left : 0, &answer, &count);
    if (status != ASSAY_OK) return status;
    if (count < ASSAY_IMAGE_ANSWER_HEADER) {
        status = assay_fail(ASSAY_FAILED, "an answer of %zu bytes", count);
        goto out;
    }
    if (assay_image_get(answer, 0) != 0) {
        const char *said = (const char *)answer + ASSAY_IMAGE_ANSWER_HEADER;
        assay_printable(refusal, refusal_size, *said != '\0' ? said : "refused without a reason");
        goto out;
    }
    image.width = assay_image_get(answer, 1);
    image.height = assay_image_get(answer, 2);
    image.channels = assay_image_get(answer, 3);
    status = check_sizes(request, &image);
    if (status == ASSAY_OK && !request->check_only) status = take_pixels(helper, deadline, &image);
    if (status == ASSAY_OK) *out = image;
out:
    free(answer);
    return status;
}

/* Why a worker failed on an image, found out while it can still be asked how it ended. True where
 * it is its own end. */
static bool describe_end(const assay_helper *helper, int64_t deadline, char *refusal,
                         size_t refusal_size) {
    char reason[256];
    assay_printable(reason, sizeof reason, assay_error_text());
    if (now_ms() >= deadline) {
        snprintf(refusal, refusal_size, "the decoder took longer than %d seconds",
                 IMAGE_TIMEOUT_MS / 1000);
        return false;
    }
    const assay_helper_end end = assay_helper_find_end(helper);
    if (end.signal != NULL)
        snprintf(refusal, refusal_size, "the decoder died on it (SIG%s)", end.signal);
    else if (end.ended)
        snprintf(refusal, refusal_size, "the decoder ended on it (status %d)", end.status);
    else
        snprintf(refusal, refusal_size, "the decoder answered wrongly: %s", reason);
    return end.ended;
}

/* Asks the worker once. True where the worker died that had decoded others before: its end, by a
 * limit that they used up or by someone's kill, says nothing about this image. */
static bool try_worker(assay_image_reader *reader, const image_request *request, assay_image *out,
                       char *refusal, size_t refusal_size) {
    bool was_used = reader->images++ > 0;
    int64_t deadline = now_ms() + IMAGE_TIMEOUT_MS;
    assay_status status = ask(&reader->helper, request);
    if (status == ASSAY_OK)
        status = take_answer(&reader->helper, request, deadline, out, refusal, refusal_size);
    if (status == ASSAY_OK) return false;
    bool died = describe_end(&reader->helper, deadline, refusal, refusal_size);
    assay_helper_stop(&reader->helper); /* the next request starts another */
    return died && was_used;
}

assay_status assay_image_decode(assay_image_reader *reader, const uint8_t *bytes, size_t count,
                                uint32_t channels, int check_only, assay_image *out, char *refusal,
                                size_t refusal_size) {
    image_request request = {bytes, count, channels, check_only != 0};
    assay_image image = {0};
    if (channels != 1 && channels != 3)
        return assay_fail(ASSAY_FAILED, "cannot decode an image into %u channels, only 1 or 3",
                          channels);
    if (refusal_size == 0) return assay_fail(ASSAY_FAILED, "no room for why an image is refused");
    refusal[0] = '\0';
    *out = image;
    if (count > ASSAY_IMAGE_BYTES_CAP) {
        snprintf(refusal, refusal_size, "has %zu bytes, more than %zu", count,
                 ASSAY_IMAGE_BYTES_CAP);
        return ASSAY_OK;
    }
    for (bool again = true; again;) {
        assay_status status = ensure_worker(reader);
        if (status != ASSAY_OK) return status;
        refusal[0] = '\0';
        again = try_worker(reader, &request, &image, refusal, refusal_size);
    }
    *out = image;
    return ASSAY_OK;
}
