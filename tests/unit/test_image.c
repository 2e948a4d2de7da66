/* test_image -- what the confined decoder accepts and refuses, and what its readers survive.
 *
 * The picture of fixtures_image.h: 24 x 16, red above to blue below, a green 8 x 8 square upper
 * left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <limits.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/image.h"
#include "tests/unit/fixtures_image.h"

#define WIDTH 24
#define HEIGHT 16
#define SQUARE 8

typedef struct {
    uint8_t *bytes;
    size_t count;
} encoded;

static encoded fixture(const char *base64) {
    size_t length = strlen(base64);
    encoded image = {malloc(length + 1), 0};
    assert_non_null(image.bytes);
    int count = EVP_DecodeBlock(image.bytes, (const uint8_t *)base64, (int)length);
    assert_true(count > 0);
    while (length > 0 && base64[--length] == '=') count--;
    image.count = (size_t)count;
    return image;
}

static int open_reader(void **state) {
    assay_image_reader *reader = NULL;
    if (assay_image_reader_open(&reader) == ASSAY_OK) {
        *state = reader;
        return 0;
    }
    fprintf(stderr, "%s\n", assay_error_text());
    return 1;
}

static int close_reader(void **state) {
    assay_image_reader_close(*state);
    return 0;
}

/* The refusal, "" where the image was decoded into *out. Bytes are copied to memory of just their
 * size, so that a sanitizer sees any reading behind them. */
static const char *decode(assay_image_reader *reader, const void *bytes, size_t count,
                          uint32_t channels, assay_image *out) {
    static char refusal[256];
    uint8_t *copy = malloc(count > 0 ? count : 1);
    assert_non_null(copy);
    if (count > 0) memcpy(copy, bytes, count);
    *out = (assay_image){0};
    assert_int_equal(
        assay_image_decode(reader, copy, count, channels, 0, out, refusal, sizeof refusal),
        ASSAY_OK);
    assert_int_equal(out->pixels == NULL, refusal[0] != '\0');
    free(copy);
    return refusal;
}

static void assert_refused(assay_image_reader *reader, const void *bytes, size_t count,
                           const char *why) {
    assay_image image;
    const char *refusal = decode(reader, bytes, count, 3, &image);
    assert_string_equal(refusal, why);
    assert_int_equal(image.width, 0);
}

static void assert_decodes(assay_image_reader *reader) {
    assay_image image;
    encoded png = fixture(FIXTURE_PNG);
    assert_string_equal(decode(reader, png.bytes, png.count, 3, &image), "");
    assay_image_free(&image);
    free(png.bytes);
}

static const uint8_t *pixel(const assay_image *image, uint32_t x, uint32_t y) {
    return image->pixels + ((size_t)y * image->width + x) * image->channels;
}

static void assert_colour(const assay_image *image, uint32_t x, uint32_t y, int red, int green,
                          int blue, int tolerance) {
    const uint8_t *p = pixel(image, x, y);
    const int expected[3] = {red, green, blue};
    for (int i = 0; i < 3; i++)
        if (abs(p[i] - expected[i]) > tolerance)
            fail_msg("pixel %u,%u is %d %d %d, expected %d %d %d", x, y, p[0], p[1], p[2], red,
                     green, blue);
}

/* --- the six formats -------------------------------------------------------------------------- */

static const struct {
    const char *name, *base64;
    int tolerance;
} pictures[] = {
    {"JPEG", FIXTURE_JPEG, 6},
    {"progressive JPEG", FIXTURE_JPEG_PROGRESSIVE, 6},
    {"PNG", FIXTURE_PNG, 0},
    {"16-bit PNG", FIXTURE_PNG_16_BIT, 1},
    {"JPEG 2000", FIXTURE_JP2, 20},
    {"JPEG 2000 codestream", FIXTURE_J2K, 20},
    {"TIFF", FIXTURE_TIFF_LZW, 0},
    {"big-endian 16-bit TIFF", FIXTURE_TIFF_BIG_ENDIAN_16_BIT, 1},
    {"tiled BigTIFF", FIXTURE_BIGTIFF_TILED, 0},
    {"lossless WebP", FIXTURE_WEBP_LOSSLESS, 0},
    {"lossy WebP", FIXTURE_WEBP_LOSSY, 20},
};
#define PICTURES (sizeof pictures / sizeof *pictures)

static void assert_picture(const assay_image *image, int tolerance) {
    assert_int_equal(image->width, WIDTH);
    assert_int_equal(image->height, HEIGHT);
    assert_int_equal(image->channels, 3);
    assert_colour(image, 0, 0, 0, 255, 0, tolerance);
    assert_colour(image, 5, 5, 0, 255, 0, tolerance);
    assert_colour(image, WIDTH - 1, 0, 255, 0, 0, tolerance);
    for (uint32_t y = 0; y < HEIGHT; y++)
        assert_colour(image, WIDTH - 2, y, 255 - 17 * (int)y, 0, 17 * (int)y, tolerance + 1);
    assert_colour(image, 0, HEIGHT - 1, 0, 0, 255, tolerance);
}

static void six_formats_give_the_same_picture(void **state) {
    for (size_t i = 0; i < PICTURES; i++) {
        assay_image image;
        encoded file = fixture(pictures[i].base64);
        const char *refusal = decode(*state, file.bytes, file.count, 3, &image);
        if (refusal[0] != '\0') fail_msg("%s: %s", pictures[i].name, refusal);
        assert_picture(&image, pictures[i].tolerance);
        assay_image_free(&image);
        free(file.bytes);
    }
}

static void cmyk_becomes_srgb(void **state) {
    assay_image image;
    encoded file = fixture(FIXTURE_JPEG_CMYK);
    assert_string_equal(decode(*state, file.bytes, file.count, 3, &image), "");
    assert_int_equal(image.channels, 3);
    const uint8_t *green = pixel(&image, 3, 3), *red = pixel(&image, 20, 0);
    const uint8_t *blue = pixel(&image, 20, HEIGHT - 1);
    assert_true(green[1] > green[0] + 50 && green[1] > green[2] + 50);
    assert_true(red[0] > red[1] + 50 && red[0] > red[2] + 50);
    assert_true(blue[2] > blue[0] + 50 && blue[2] > blue[1] + 30);
    assay_image_free(&image);
    free(file.bytes);
}

static void palettes_are_resolved_and_transparency_lies_on_white(void **state) {
    assay_image image;
    encoded file = fixture(FIXTURE_PNG_PALETTE);
    assert_string_equal(decode(*state, file.bytes, file.count, 3, &image), "");
    assert_colour(&image, 3, 3, 0, 255, 0, 0);
    assay_image_free(&image);
    free(file.bytes);
    file = fixture(FIXTURE_PNG_ALPHA);
    assert_string_equal(decode(*state, file.bytes, file.count, 3, &image), "");
    assert_int_equal(image.channels, 3);
    assert_colour(&image, 3, 3, 255, 255, 255, 0);
    assert_colour(&image, WIDTH - 1, 0, 255, 0, 0, 0);
    assay_image_free(&image);
    free(file.bytes);
}

static void grey_is_luma_and_colour_of_grey_is_grey(void **state) {
    assay_image image;
    encoded file = fixture(FIXTURE_PNG);
    assert_string_equal(decode(*state, file.bytes, file.count, 1, &image), "");
    assert_int_equal(image.channels, 1);
    assert_int_equal(*pixel(&image, 0, 0), 150);                 /* 0.587 of 255 */
    assert_int_equal(*pixel(&image, WIDTH - 1, 0), 76);          /* 0.299 */
    assert_int_equal(*pixel(&image, WIDTH - 1, HEIGHT - 1), 29); /* 0.114 */
    assay_image_free(&image);
    free(file.bytes);
    file = fixture(FIXTURE_JPEG_GREY);
    assay_image grey;
    assert_string_equal(decode(*state, file.bytes, file.count, 1, &grey), "");
    assert_string_equal(decode(*state, file.bytes, file.count, 3, &image), "");
    assert_int_equal(grey.channels, 1);
    assert_int_equal(image.channels, 3);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        for (size_t j = 0; j < 3; j++) assert_int_equal(image.pixels[3 * i + j], grey.pixels[i]);
    assay_image_free(&grey);
    assay_image_free(&image);
    free(file.bytes);
}

/* Where the middle of the green square of a picture stored with orientation o is shown upright. */
static void upright(int orientation, uint32_t *x, uint32_t *y) {
    const uint32_t sx = SQUARE / 2, sy = SQUARE / 2, right = WIDTH - 1 - sx, low = HEIGHT - 1 - sy;
    const uint32_t places[9][2] = {{0, 0},   {sx, sy},  {right, sy},  {right, low}, {sx, low},
                                   {sy, sx}, {low, sx}, {low, right}, {sy, right}};
    *x = places[orientation][0];
    *y = places[orientation][1];
}

static void every_exif_orientation_is_applied(void **state) {
    static const uint8_t tag[10] = {0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6}; /* big endian */
    encoded file = fixture(FIXTURE_JPEG_ORIENTATION_6);
    uint8_t *at = memmem(file.bytes, file.count, tag, sizeof tag);
    assert_non_null(at);
    for (int orientation = 1; orientation <= 8; orientation++) {
        assay_image image;
        uint32_t x, y;
        at[9] = (uint8_t)orientation;
        assert_string_equal(decode(*state, file.bytes, file.count, 3, &image), "");
        assert_int_equal(image.width, orientation <= 4 ? WIDTH : HEIGHT);
        assert_int_equal(image.height, orientation <= 4 ? HEIGHT : WIDTH);
        upright(orientation, &x, &y);
        assert_colour(&image, x, y, 0, 255, 0, 6);
        assert_colour(&image, image.width - 1 - x, image.height - 1 - y,
                      pixel(&image, image.width - 1 - x, image.height - 1 - y)[0], 0,
                      pixel(&image, image.width - 1 - x, image.height - 1 - y)[2], 6);
        assay_image_free(&image);
    }
    free(file.bytes);
}

/* Decoders give rows from above to below, and libvips keeps but a few hundred of them. */
static void a_tall_picture_is_turned_whole(void **state) {
    assay_image image;
    encoded file = fixture(FIXTURE_JPEG_TALL_ORIENTATION_6);
    assert_string_equal(decode(*state, file.bytes, file.count, 1, &image), "");
    assert_int_equal(image.width, 4096);
    assert_int_equal(image.height, 16);
    for (uint32_t x = 0; x < image.width; x++)
        assert_in_range(*pixel(&image, x, 8), x < 4096 - 64 ? 151 : 253, x < 4096 - 64 ? 155 : 255);
    assay_image_free(&image);
    free(file.bytes);
}

static void the_largest_resolution_of_a_jpeg_2000_is_taken(void **state) {
    assay_image image;
    encoded file = fixture(FIXTURE_JP2_FOUR_RESOLUTIONS);
    assert_string_equal(decode(*state, file.bytes, file.count, 3, &image), "");
    assert_int_equal(image.width, 700);
    assert_int_equal(image.height, 600);
    assert_colour(&image, 699, 599, 100, 150, 200, 2);
    assay_image_free(&image);
    free(file.bytes);
}

static void checking_gives_sizes_and_no_pixels(void **state) {
    char refusal[128];
    assay_image image;
    encoded file = fixture(FIXTURE_JPEG_ORIENTATION_6);
    assert_int_equal(
        assay_image_decode(*state, file.bytes, file.count, 3, 1, &image, refusal, sizeof refusal),
        ASSAY_OK);
    assert_string_equal(refusal, "");
    assert_null(image.pixels);
    assert_int_equal(image.width, HEIGHT);
    assert_int_equal(image.height, WIDTH);
    assert_int_equal(image.channels, 3);
    free(file.bytes);
    assert_int_equal(assay_image_decode(*state, NULL, 0, 2, 1, &image, refusal, sizeof refusal),
                     ASSAY_FAILED);
}

/* --- PNM, written by hand --------------------------------------------------------------------- */

static void pnm_is_stretched_to_its_own_white(void **state) {
    static const struct {
        const char *bytes;
        size_t count;
        uint8_t grey[4];
    } cases[] = {
        {"P5\n4 1\n255\n\0\7\x80\xff", 15, {0, 7, 128, 255}},
        {"P5 4 1 100\n\0\x32\x63\x64", 15, {0, 128, 252, 255}},
        {"P5#c\n 4 1 1000 \0\0\1\xf4\3\xe7\3\xe8", 23, {0, 127, 254, 255}},
        {"P2\n# of 1 to 100\n4 1\n100\n0 50 99 100\n", 37, {0, 128, 252, 255}},
        {"P4\n4 1\n\x60", 8, {255, 0, 0, 255}},
        {"P1 4 1\n0 1 1 0", 14, {255, 0, 0, 255}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assay_image image;
        const char *refusal = decode(*state, cases[i].bytes, cases[i].count, 1, &image);
        if (refusal[0] != '\0') fail_msg("%.4s: %s", cases[i].bytes, refusal);
        assert_int_equal(image.width, 4);
        assert_int_equal(image.height, 1);
        for (int j = 0; j < 4; j++)
            assert_in_range(image.pixels[j], cases[i].grey[j], cases[i].grey[j] + 1);
        assay_image_free(&image);
    }
    assay_image image;
    assert_string_equal(decode(*state, "P6 1 1 255\n\x0a\x14\x1e", 14, 3, &image), "");
    assert_memory_equal(image.pixels, "\x0a\x14\x1e", 3);
    assay_image_free(&image);
    assert_string_equal(decode(*state, "P3 1 1 255 10 20 30", 19, 3, &image), "");
    assert_memory_equal(image.pixels, "\x0a\x14\x1e", 3);
    assay_image_free(&image);
}

static void pnm_headers_that_lie_are_refused(void **state) {
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"P5\n999999999 999999999\n255\nx",
         "PNM of 999999999 x 999999999 pixels, more than 100000000"},
        {"P5 10001 10000 255\nx", "PNM of 10001 x 10000 pixels, more than 100000000"},
        {"P5 99999999999 1 255\nx", "damaged PNM: no possible width at byte 13"},
        {"P5 0 1 255\nx", "damaged PNM: no possible width at byte 5"},
        {"P5 1 -1 255\nx", "damaged PNM: no possible height at byte 6"},
        {"P5 1 1 65536\nx", "damaged PNM: no possible maximum at byte 12"},
        {"P5 1 1 0\nx", "damaged PNM: no possible maximum at byte 9"},
        {"P5 1 1", "damaged PNM: no possible maximum at byte 7"},
        {"P5 1 1 255x", "damaged PNM: no blank behind its header at byte 11"},
        {"P5 2 2 255\nxxx", "truncated PNM: it stops within its samples"},
        {"P5 1 1 255\nxP5 1 1 255\ny", "PNM with 12 bytes behind its end"},
        {"P2 2 1 255\n1", "truncated PNM: it stops within its samples"},
        {"P2 1 1 255\n256", "damaged PNM: no possible sample at byte 12"},
        {"P2 1 1 255\n1 2", "PNM with 1 bytes behind its end"},
        {"P1 2 1\n0 2", "damaged PNM: no bit that stands alone at byte 10"},
        {"P1 2 1\n01", "damaged PNM: no bit that stands alone at byte 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(*state, cases[i].text, strlen(cases[i].text), cases[i].why);
    assert_decodes(*state);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void what_is_no_image_of_the_six_is_refused(void **state) {
    static const char *const none[] = {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"></svg>",
        "GIF89a\1\0\1\0\x80\1\1",
        "<!DOCTYPE html><html><body>404</body></html>",
        "BM\x46",
        "P7\nWIDTH 1\n",
        "Pf\n1 1\n-1.0\n1234",
        "%PDF-1.4",
        "RIFF\x10\0\0\0WAVE",
        "\xff\xd8",
        "x"};
    assert_refused(*state, "", 0, "empty");
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_refused(*state, none[i], strlen(none[i]),
                       "not a JPEG, PNG, JPEG 2000, TIFF, WebP or PNM image");
    assert_refused(*state, "\x89PNG\r\n\x1a\n", 8, "truncated PNG: it stops before its end chunk");
    assert_decodes(*state);
}

static void a_png_that_claims_900_million_pixels_is_refused_by_its_header(void **state) {
    static const char bomb[] =
        "iVBORw0KGgoAAAANSUhEUgAAdTAAAHUwCAAAAABDTKdmAAAAEUlEQVR4nGNgGAWjYBQMdwAAA+gAAbOm00YA"
        "AAAASUVORK5CYII=";
    encoded file = fixture(bomb);
    assert_refused(*state, file.bytes, file.count,
                   "PNG of 30000 x 30000 pixels, more than 100000000");
    free(file.bytes);
}

static void several_pictures_in_one_file_are_refused(void **state) {
    encoded file = fixture(FIXTURE_TIFF_TWO_PAGES);
    assert_refused(*state, file.bytes, file.count, "TIFF of 2 pictures, one was expected");
    free(file.bytes);
    file = fixture(FIXTURE_WEBP_TWO_FRAMES);
    assert_refused(*state, file.bytes, file.count, "WebP of 2 pictures, one was expected");
    free(file.bytes);
}

static void every_truncation_of_every_format_is_refused(void **state) {
    for (size_t i = 0; i < PICTURES; i++) {
        encoded file = fixture(pictures[i].base64);
        size_t step = file.count / 150 + 1;
        for (size_t count = file.count - 1; count > 0; count -= count < step ? count : step) {
            assay_image image;
            const char *refusal = decode(*state, file.bytes, count, 3, &image);
            if (refusal[0] == '\0')
                fail_msg("%s of %zu bytes was taken with %zu", pictures[i].name, file.count, count);
            if (strstr(refusal, "the decoder") != NULL)
                fail_msg("%s cut to %zu: %s", pictures[i].name, count, refusal);
        }
        free(file.bytes);
    }
    assert_decodes(*state);
}

static void bytes_behind_the_end_are_refused(void **state) {
    static const struct {
        const char *base64, *why;
    } cases[] = {{FIXTURE_JPEG, "JPEG with 4 bytes behind its end"},
                 {FIXTURE_PNG, "PNG with 4 bytes behind its end"},
                 {FIXTURE_WEBP_LOSSLESS, "WebP with 4 bytes behind its end"},
                 {FIXTURE_JP2, "truncated JPEG 2000: it stops within a box"},
                 {FIXTURE_J2K, "truncated JPEG 2000: it stops before its end marker"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        encoded file = fixture(cases[i].base64);
        uint8_t *longer = malloc(file.count + 4);
        assert_non_null(longer);
        memcpy(longer, file.bytes, file.count);
        memcpy(longer + file.count, "more", 4);
        assert_refused(*state, longer, file.count + 4, cases[i].why);
        free(longer);
        free(file.bytes);
    }
}

static void padding_behind_a_jpeg_is_accepted(void **state) {
    encoded file = fixture(FIXTURE_JPEG);
    uint8_t *longer = malloc(file.count + 3);
    assay_image image;
    assert_non_null(longer);
    memcpy(longer, file.bytes, file.count);
    memcpy(longer + file.count, "\x1c\0\0", 3);
    assert_string_equal(decode(*state, longer, file.count + 3, 3, &image), "");
    assay_image_free(&image);
    longer[file.count + 2] = 1;
    assert_refused(*state, longer, file.count + 3, "JPEG with 1 bytes behind its end");
    free(longer);
    free(file.bytes);
}

static void damage_that_a_format_can_see_is_refused(void **state) {
    encoded file = fixture(FIXTURE_PNG);
    assay_image image;
    /* Each byte is under some CRC or is one; that of the empty end chunk alone is not looked at. */
    for (size_t at = 8; at + 4 < file.count; at++) {
        file.bytes[at] ^= 0x10;
        const char *refusal = decode(*state, file.bytes, file.count, 3, &image);
        if (refusal[0] == '\0') fail_msg("a PNG with a changed byte %zu was taken", at);
        assert_null(strstr(refusal, "the decoder"));
        file.bytes[at] ^= 0x10;
    }
    free(file.bytes);
    file = fixture(FIXTURE_JPEG);
    uint8_t *table = memmem(file.bytes, file.count, "\xff\xc4", 2);
    assert_non_null(table);
    table[1] = 0xe1; /* the first Huffman table becomes a note */
    const char *refusal = decode(*state, file.bytes, file.count, 3, &image);
    assert_int_equal(strncmp(refusal, "damaged JPEG", 12), 0);
    table[1] = 0xc4;
    memcpy(file.bytes + file.count - 14, "\xff\xd9", 2); /* an end marker before the end */
    assert_refused(*state, file.bytes, file.count - 12,
                   "damaged JPEG: Corrupt JPEG data: premature end of data segment");
    free(file.bytes);
    assert_decodes(*state);
}

/* --- workers that die or lie ------------------------------------------------------------------ */

/* Process whose parent is `parent`; 0 where there is none. */
static pid_t find_child(pid_t parent) {
    DIR *folder = opendir("/proc");
    pid_t found = 0;
    assert_non_null(folder);
    for (struct dirent *entry; found == 0 && (entry = readdir(folder)) != NULL;) {
        char path[64], line[512];
        int pid = atoi(entry->d_name), its_parent = 0;
        if (pid <= 0) continue;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue;
        const char *behind = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        if (behind != NULL && sscanf(behind, ") %*c %d", &its_parent) == 1 && its_parent == parent)
            found = pid;
        fclose(file);
    }
    closedir(folder);
    return found;
}

static void a_killed_worker_is_replaced_and_costs_no_image(void **state) {
    for (int i = 0; i < 3; i++) {
        assert_decodes(*state);
        pid_t worker = find_child(getpid());
        assert_true(worker > 0);
        assert_int_equal(kill(worker, SIGKILL), 0);
        assert_decodes(*state);
        assert_int_not_equal(find_child(getpid()), worker);
    }
}

static bool has_ended(pid_t pid) {
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return true;
    const char *behind = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return behind == NULL || behind[2] == 'Z';
}

static void a_worker_ends_with_the_program_that_started_it(void **state) {
    (void)state;
    int ends[2];
    pid_t worker = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        assay_image_reader *reader = NULL;
        if (assay_image_reader_open(&reader) == ASSAY_OK) worker = find_child(getpid());
        _exit(write(ends[1], &worker, sizeof worker) == sizeof worker ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &worker, sizeof worker), sizeof worker);
    assert_true(worker > 0);
    waitpid(pid, NULL, 0);
    static const struct timespec moment = {0, 10000000};
    for (int i = 0; i < 500 && !has_ended(worker); i++) nanosleep(&moment, NULL);
    assert_true(has_ended(worker));
    close(ends[0]);
    close(ends[1]);
}

/* A folder where assay-image-worker is a link to helpers/hostile_worker; ASSAY_HELPERS names it. */
static char *install_hostile_worker(const char *folder_name) {
    char *helper = NULL, *folder = NULL;
    char link_path[PATH_MAX];
    assert_int_equal(assay_find_helper(&helper, "helpers/hostile_worker"), ASSAY_OK);
    assert_true(asprintf(&folder, "/tmp/assay-%s-XXXXXX", folder_name) > 0);
    assert_non_null(mkdtemp(folder));
    snprintf(link_path, sizeof link_path, "%s/assay-image-worker", folder);
    char *target = realpath(helper, NULL);
    assert_non_null(target);
    assert_int_equal(symlink(target, link_path), 0);
    assert_int_equal(setenv("ASSAY_HELPERS", folder, 1), 0);
    free(target);
    free(helper);
    return folder;
}

static void remove_hostile_worker(char *folder) {
    char link_path[PATH_MAX];
    snprintf(link_path, sizeof link_path, "%s/assay-image-worker", folder);
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(unsetenv("ASSAY_HELPERS"), 0);
    free(folder);
}

static void nothing_that_a_worker_says_is_trusted(void **state) {
    (void)state;
    static const struct {
        char how;
        const char *why;
    } cases[] = {
        {'a', "the decoder died on it (SIGABRT)"},
        {'e', "the decoder ended on it (status 3)"},
        {'h', "the decoder answered wrongly: the other process sent 4294967295 bytes"},
        {'s', "the decoder answered wrongly: an answer of 4 bytes"},
        {'c', "the decoder answered wrongly: an answer of 2 x 2 pixels and 4 channels"},
        {'z', "the decoder answered wrongly: an answer of 0 x 2 pixels and 3 channels"},
        {'o', "the decoder answered wrongly: an answer of 1073741824 x 4 pixels and 3 channels"},
        {'m', "the decoder answered wrongly: the other process sent 13 bytes where at most 12"},
        {'l', "the decoder answered wrongly: 11 bytes of pixels where 12 were expected"},
        {'t', "\\x1b[2Jgone\\x0a"},
        {'q', "refused without a reason"},
    };
    char *folder = install_hostile_worker("hostile");
    assay_image_reader *reader = NULL;
    assert_int_equal(assay_image_reader_open(&reader), ASSAY_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assay_image image;
        const char *refusal = decode(reader, &cases[i].how, 1, 3, &image);
        if (strncmp(refusal, cases[i].why, strlen(cases[i].why)) != 0)
            fail_msg("%c: %s", cases[i].how, refusal);
        assert_string_equal(decode(reader, "good", 4, 3, &image), "");
        assert_int_equal(image.width, 2);
        assay_image_free(&image);
    }
    assay_image_reader_close(reader);
    remove_hostile_worker(folder);
}

static void a_worker_that_cannot_be_confined_is_a_failure(void **state) {
    (void)state;
    assay_image_reader *reader = NULL;
    char *folder = install_hostile_worker("unready");
    assert_int_equal(assay_image_reader_open(&reader), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "cannot confine itself: no\\x1b Landlock"));
    assert_null(reader);
    remove_hostile_worker(folder);
    folder = install_hostile_worker("mute");
    assert_int_equal(assay_image_reader_open(&reader), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "does not start"));
    assert_null(reader);
    remove_hostile_worker(folder);
    assay_image_reader_close(NULL);
}

/* --- real pictures ---------------------------------------------------------------------------- */

/* Width and height as the frame header of a JPEG says. */
static bool read_jpeg_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height) {
    for (size_t at = 2; at + 9 < count && bytes[at] == 0xff;) {
        uint8_t marker = bytes[at + 1];
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
            marker != 0xcc) {
            *height = (uint32_t)(bytes[at + 5] << 8 | bytes[at + 6]);
            *width = (uint32_t)(bytes[at + 7] << 8 | bytes[at + 8]);
            return true;
        }
        at += 2 + (size_t)(bytes[at + 2] << 8 | bytes[at + 3]);
    }
    return false;
}

static size_t decode_folder(assay_image_reader *reader, const char *root, const char *name) {
    char *folder = NULL;
    size_t images = 0;
    assert_int_equal(assay_path_join(&folder, root, name), ASSAY_OK);
    DIR *entries = opendir(folder);
    if (entries == NULL) fail_msg("cannot open %s", folder);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char *path = NULL, *bytes = NULL;
        size_t count = 0, length = strlen(entry->d_name);
        uint32_t width = 0, height = 0;
        assay_image image;
        if (length < 4 || strcmp(entry->d_name + length - 4, ".jpg") != 0) continue;
        assert_int_equal(assay_path_join(&path, folder, entry->d_name), ASSAY_OK);
        assert_int_equal(assay_file_read(path, 1 << 24, &bytes, &count), ASSAY_OK);
        const char *refusal = decode(reader, bytes, count, 1 + 2 * (images & 1), &image);
        if (refusal[0] != '\0') fail_msg("%s: %s", path, refusal);
        assert_true(read_jpeg_size((uint8_t *)bytes, count, &width, &height));
        assert_int_equal(image.width, width);
        assert_int_equal(image.height, height);
        assay_image_free(&image);
        free(bytes);
        free(path);
        images++;
    }
    closedir(entries);
    free(folder);
    return images;
}

static void every_real_picture_is_accepted_with_its_size(void **state) {
    const char *data = getenv("ASSAY_DATA");
    if (data == NULL || data[0] == '\0') {
        print_message("ASSAY_DATA is not set: real pictures are not tried\n");
        skip();
    }
    assert_int_equal(decode_folder(*state, data, "london/neutral_front") +
                         decode_folder(*state, data, "london/smiling_front"),
                     204);
    assert_int_equal(decode_folder(*state, data, "meds2/images"), 114);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_formats_give_the_same_picture),
        cmocka_unit_test(cmyk_becomes_srgb),
        cmocka_unit_test(palettes_are_resolved_and_transparency_lies_on_white),
        cmocka_unit_test(grey_is_luma_and_colour_of_grey_is_grey),
        cmocka_unit_test(every_exif_orientation_is_applied),
        cmocka_unit_test(a_tall_picture_is_turned_whole),
        cmocka_unit_test(the_largest_resolution_of_a_jpeg_2000_is_taken),
        cmocka_unit_test(checking_gives_sizes_and_no_pixels),
        cmocka_unit_test(pnm_is_stretched_to_its_own_white),
        cmocka_unit_test(pnm_headers_that_lie_are_refused),
        cmocka_unit_test(what_is_no_image_of_the_six_is_refused),
        cmocka_unit_test(a_png_that_claims_900_million_pixels_is_refused_by_its_header),
        cmocka_unit_test(several_pictures_in_one_file_are_refused),
        cmocka_unit_test(every_truncation_of_every_format_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(padding_behind_a_jpeg_is_accepted),
        cmocka_unit_test(damage_that_a_format_can_see_is_refused),
        cmocka_unit_test(a_killed_worker_is_replaced_and_costs_no_image),
        cmocka_unit_test(a_worker_ends_with_the_program_that_started_it),
        cmocka_unit_test(nothing_that_a_worker_says_is_trusted),
        cmocka_unit_test(a_worker_that_cannot_be_confined_is_a_failure),
        cmocka_unit_test(every_real_picture_is_accepted_with_its_size),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
