/* test_npz -- of an archive no more is unpacked than the caller allows, and that is found out
 * before anything is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/base/file.h"
#include "datasets/npy.h"
#include "datasets/npz.h"

/* numpy.savez(…, a=2 x 3 of float32): its .npy has 152 bytes. */
static void read_archive(char **bytes, size_t *length) {
    const char *source = getenv("ASSAY_SOURCE");
    char path[4096];
    if (source == NULL) skip();
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/npz/one", source);
    assert_int_equal(assay_file_read(path, 1 << 20, bytes, length), ASSAY_OK);
}

static void more_than_the_cap_is_not_unpacked(void **state) {
    char *archive = NULL, *member = NULL;
    size_t length = 0, size = 0;
    (void)state;
    read_archive(&archive, &length);
    assert_int_equal(assay_npz_member("x.npz", archive, length, "a", 151, &member, &size),
                     ASSAY_USAGE);
    assert_null(member);
    assert_string_equal(
        assay_error_text(),
        "x.npz:a says it has 152 bytes when unpacked, expected at most 151 (half of "
        "the memory that is left)");
    assert_int_equal(assay_npz_member("x.npz", archive, length, NULL, 152, &member, &size),
                     ASSAY_OK);
    assert_int_equal(size, 152);
    assay_number_array array;
    assert_int_equal(assay_npy_parse("a", member, size, &array), ASSAY_OK);
    for (uint64_t n = 0; n < 6; n++) assert_true(assay_number_at(&array, n) == (double)n);
    assay_number_array_free(&array);
    free(member);
    free(archive);
}

static void every_cut_of_an_archive_is_refused(void **state) {
    char *archive = NULL, *member = NULL;
    size_t length = 0, size = 0;
    (void)state;
    read_archive(&archive, &length);
    for (size_t cut = 0; cut < length; cut++) {
        char *part = malloc(cut + 1);
        memcpy(part, archive, cut);
        assert_int_equal(assay_npz_member("x.npz", part, cut, "a", 1 << 20, &member, &size),
                         ASSAY_USAGE);
        free(part);
    }
    free(archive);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_the_cap_is_not_unpacked),
        cmocka_unit_test(every_cut_of_an_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
