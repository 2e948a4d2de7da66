/* test_damaged_images -- an image that is not, byte for byte, the one that the manifest lists takes
 * no part; and a header that claims more pixels than are allowed is refused before any is decoded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "tests/fixtures_damaged_images.h"

enum { BYTES = 60, CUTS = 20 };

static void no_damaged_image_is_accepted_by_its_digest(void **state) {
    const damaged_format *format = *state;
    const damaged_outcome found = damaged_run(format, BYTES, CUTS);
    assert_int_equal(found.accepted, 0);
    assert_int_equal(found.refused + found.same + found.other, BYTES + CUTS);
    assert_true(found.refused >= CUTS); /* what is cut is refused without a digest too */
}

/* Sizes in a header: big endian at offset `at`, of `width` bytes each. */
typedef struct {
    const char *base64;
    size_t at, width;
    uint32_t rows, columns; /* in the order in which the header has them */
} bomb;

static void a_header_of_too_many_pixels_costs_nothing(void **state) {
    static const bomb bombs[] = {
        {FIXTURE_PNG, 16, 4, 30000, 30000},
        {FIXTURE_PNG, 16, 4, 0x7fffffff, 0x7fffffff},
        {FIXTURE_J2K, 8, 4, 0x7fffffff, 0x7fffffff},
    };
    (void)state;
    assay_image_reader *reader = NULL;
    assert_int_equal(assay_image_reader_open(&reader), ASSAY_OK);
    for (size_t n = 0; n < sizeof bombs / sizeof *bombs; n++) {
        size_t size;
        const damaged_format format = {"bomb", bombs[n].base64};
        uint8_t *bytes = damaged_whole(&format, &size);
        assay_image image = {0};
        char refusal[256] = "";
        for (size_t k = 0; k < 2 * bombs[n].width; k++) {
            const uint32_t value = k < bombs[n].width ? bombs[n].rows : bombs[n].columns;
            bytes[bombs[n].at + k] =
                (uint8_t)(value >> (8 * (bombs[n].width - 1 - k % bombs[n].width)));
        }
        assert_int_equal(
            assay_image_decode(reader, bytes, size, 1, 0, &image, refusal, sizeof refusal),
            ASSAY_OK);
        assert_true(refusal[0] != '\0');
        assert_null(image.pixels);
        free(bytes);
    }
    assay_image_reader_close(reader);
}

/* The start of frame of a JPEG says 65,000 x 65,000. */
static void a_jpeg_that_claims_four_billion_pixels_is_refused_by_its_header(void **state) {
    (void)state;
    size_t size;
    uint8_t *bytes = damaged_whole(&damaged_formats[0], &size);
    assay_image_reader *reader = NULL;
    assay_image image = {0};
    char refusal[256] = "";
    for (size_t n = 0; n + 9 < size; n++) {
        if (bytes[n] != 0xff || bytes[n + 1] != 0xc0) continue;
        bytes[n + 5] = bytes[n + 7] = 0xfd;
        bytes[n + 6] = bytes[n + 8] = 0xe8;
        break;
    }
    assert_int_equal(assay_image_reader_open(&reader), ASSAY_OK);
    assert_int_equal(assay_image_decode(reader, bytes, size, 1, 0, &image, refusal, sizeof refusal),
                     ASSAY_OK);
    assert_string_equal(refusal, "JPEG of 65000 x 65000 pixels, more than 100000000");
    assay_image_reader_close(reader);
    free(bytes);
}

int main(void) {
    struct CMUnitTest tests[DAMAGED_FORMATS + 2] = {
        cmocka_unit_test(a_header_of_too_many_pixels_costs_nothing),
        cmocka_unit_test(a_jpeg_that_claims_four_billion_pixels_is_refused_by_its_header),
    };
    for (int n = 0; n < DAMAGED_FORMATS; n++)
        tests[2 + n] =
            (struct CMUnitTest){damaged_formats[n].name, no_damaged_image_is_accepted_by_its_digest,
                                NULL, NULL, (void *)(uintptr_t)&damaged_formats[n]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
