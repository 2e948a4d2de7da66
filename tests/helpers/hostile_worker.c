/* hostile_worker -- stands in for assay-image-worker and does what a captured one could:
 * test_image.c puts a link of that name to it. The first byte of an image says what to do with it.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/image_frames.h"

static void send(int fd, const uint32_t *numbers, unsigned count, const char *text) {
    uint8_t frame[1024];
    for (unsigned i = 0; i < count; i++) assay_image_put(frame, i, numbers[i]);
    memcpy(frame + 4 * count, text, strlen(text));
    if (assay_frame_write(fd, frame, 4 * count + strlen(text)) != ASSAY_OK) _exit(1);
}

static void send_sizes(int fd, uint32_t width, uint32_t height, uint32_t channels, size_t bytes) {
    uint32_t numbers[4] = {0, width, height, channels};
    uint8_t pixels[64] = {0};
    send(fd, numbers, 4, "");
    if (bytes > 0 && assay_frame_write(fd, pixels, bytes) != ASSAY_OK) _exit(1);
}

static void misbehave(int fd, char how) {
    static const uint32_t refused[4] = {1, 0, 0, 0};
    static const uint8_t huge[4] = {0xff, 0xff, 0xff, 0xff};
    switch (how) {
    case 'a':
        abort();
    case 'e':
        _exit(3);
    case 'h': /* a frame of 4 GiB */
        if (write(fd, huge, sizeof huge) < 0) _exit(1);
        break;
    case 's':
        send(fd, refused, 1, "");
        break; /* a short answer */
    case 'c':
        send_sizes(fd, 2, 2, 4, 16);
        break; /* channels not asked for */
    case 'z':
        send_sizes(fd, 0, 2, 3, 0);
        break; /* no pixels */
    case 'o':
        send_sizes(fd, 0x40000000, 4, 3, 0);
        break; /* 2^32 pixels */
    case 'm':
        send_sizes(fd, 2, 2, 3, 13);
        break; /* more than its sizes */
    case 'l':
        send_sizes(fd, 2, 2, 3, 11);
        break; /* less */
    case 't':
        send(fd, refused, 4, "\x1b[2Jgone\n");
        break; /* writes to a terminal */
    case 'q':
        send(fd, refused, 4, "");
        break; /* says nothing */
    default:
        send_sizes(fd, 2, 2, 3, 12);
        break; /* as it should */
    }
}

int main(int argument_count, char **arguments) {
    if (argument_count != 3) return 2;
    int request_fd = atoi(arguments[1]), answer_fd = atoi(arguments[2]);
    static const uint32_t ready[1] = {0}, not_ready[1] = {1};
    if (strstr(arguments[0], "unready") != NULL) {
        send(answer_fd, not_ready, 1, "no\x1b Landlock");
        return 1;
    }
    if (strstr(arguments[0], "mute") != NULL) return 1;
    send(answer_fd, ready, 1, "");
    for (;;) {
        uint8_t *request = NULL, *bytes = NULL;
        size_t count;
        if (assay_frame_read(request_fd, 64, -1, &request, &count) != ASSAY_OK ||
            assay_frame_read(request_fd, 64, -1, &bytes, &count) != ASSAY_OK)
            return 0;
        misbehave(answer_fd, (char)bytes[0]);
        free(request);
        free(bytes);
    }
}
