/* assay-image-worker -- decodes images that nobody trusts, for assay; not for use by hand.
 *
 * Started by datasets/image.c with the numbers of two descriptors, requests and answers; what is
 * said on them is in datasets/image_frames.h. libvips is started first, with all that it loads;
 * then the process gives up everything but memory, threads, time and its two pipes; only then is
 * the first byte of a request read. Whatever goes wrong with one image is an answer, and what goes
 * wrong with the worker itself ends it: assay starts another. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/text.h"
#include "datasets/image_frames.h"
#include "datasets/image_worker/decode.h"

#define MEMORY_BYTES ((uint64_t)2 << 30)
#define CPU_SECONDS 600

/* Numbers in front, text behind, in one frame. */
static assay_status send(int fd, const uint32_t *numbers, unsigned count, const char *text) {
    uint8_t frame[ASSAY_IMAGE_ANSWER_HEADER + ASSAY_IMAGE_REFUSAL_SIZE];
    for (unsigned i = 0; i < count; i++) assay_image_put(frame, i, numbers[i]);
    size_t length = strnlen(text, ASSAY_IMAGE_REFUSAL_SIZE - 1);
    memcpy(frame + 4 * count, text, length);
    return assay_frame_write(fd, frame, 4 * count + length);
}

static assay_status tell_ready(int fd, assay_status status) {
    uint32_t ready = status == ASSAY_OK ? 0 : 1;
    char text[ASSAY_IMAGE_REFUSAL_SIZE];
    assay_printable(text, sizeof text, status == ASSAY_OK ? "" : assay_error_text());
    return send(fd, &ready, 1, text);
}

static assay_status answer(int fd, const uint8_t *request, const uint8_t *bytes, size_t count) {
    uint32_t channels = assay_image_get(request, 0);
    uint32_t check_only = assay_image_get(request, 1);
    char fault[ASSAY_IMAGE_REFUSAL_SIZE] = "";
    assay_decoded image = {0};
    bool decoded = assay_decode_image(bytes, count, channels, &image, fault, sizeof fault);
    uint32_t numbers[4] = {decoded ? 0 : 1, image.width, image.height, image.channels};
    assay_status status = send(fd, numbers, 4, fault);
    if (status == ASSAY_OK && decoded && check_only == 0)
        status = assay_frame_write(fd, image.pixels,
                                   (size_t)image.width * image.height * image.channels);
    assay_decode_free(&image);
    return status;
}

/* One request, from its first byte to its answer. */
static assay_status serve(int request_fd, int answer_fd) {
    uint8_t *request = NULL, *bytes = NULL;
    size_t request_count = 0, count = 0;
    assay_status status =
        assay_frame_read(request_fd, ASSAY_IMAGE_REQUEST_HEADER, -1, &request, &request_count);
    if (status != ASSAY_OK) goto out;
    if (request_count != ASSAY_IMAGE_REQUEST_HEADER) {
        status = assay_fail(ASSAY_FAILED, "a request of %zu bytes", request_count);
        goto out;
    }
    status = assay_frame_read(request_fd, ASSAY_IMAGE_BYTES_CAP, -1, &bytes, &count);
    if (status != ASSAY_OK) goto out;
    status = answer(answer_fd, request, bytes, count);
out:
    free(bytes);
    free(request);
    return status;
}

int main(int argument_count, char **arguments) {
    uint64_t request_fd, answer_fd;
    if (argument_count != 3 || !assay_parse_uint64(arguments[1], &request_fd) ||
        !assay_parse_uint64(arguments[2], &answer_fd) || request_fd > 1023 || answer_fd > 1023) {
        static const char told[] = "assay-image-worker is started by assay, not by hand\n";
        return write(STDERR_FILENO, told, sizeof told - 1) < 0 ? 1 : 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    assay_status status = ASSAY_OK;
    if (!assay_decode_start(arguments[0]))
        status = assay_fail(ASSAY_FAILED, "libvips does not start");
    if (status == ASSAY_OK) status = assay_confine(MEMORY_BYTES, CPU_SECONDS, NULL, 0, NULL);
    assay_status told = tell_ready((int)answer_fd, status);
    while (status == ASSAY_OK && told == ASSAY_OK) status = serve((int)request_fd, (int)answer_fd);
    /* The end of the requests is the normal end; libraries' clean-up is not wanted in here. */
    _exit(told == ASSAY_OK ? 0 : 1);
}
