/* test_damage -- a container of which anything was changed, cut, zeroed, swapped or put behind is
 * refused with a message, whatever its kind: never other values, never a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fixtures_container.h"

enum { FLIPS = 300, CUTS = 50, BLOCKS = 40, BLOCK = 4096 };

static char *folder;
static const char *path; /* the container that is damaged */
static uint8_t *whole;   /* its bytes as they were */
static size_t size;

static assay_status write_dataset(const char *to) {
    return fixture_write_dataset(to, 21, 60, 5);
}
static assay_status write_templates(const char *to) {
    return fixture_write_templates(to, 21, 40, 5, 128);
}
static assay_status write_evidence(const char *to) {
    return fixture_write_evidence(to, 21, 30, 3, UINT64_MAX);
}
static assay_status write_partial(const char *to) {
    return fixture_write_partial(to, 21);
}

static assay_status read_dataset(const char *from) {
    assay_dataset *dataset = NULL;
    assay_status status = assay_dataset_open(from, &dataset);
    if (status) return status;
    const uint64_t rows = assay_dataset_get_head(dataset)->table.row_count;
    for (uint64_t row = 0; row < rows && status == ASSAY_OK; row++) {
        uint8_t *bytes = NULL;
        size_t count;
        status = assay_dataset_read_image(dataset, row, &bytes, &count);
        free(bytes);
    }
    assay_dataset_close(dataset);
    return status;
}

static assay_status read_templates(const char *from) {
    assay_templates *templates = NULL;
    assay_status status = assay_templates_open(from, &templates);
    if (status) return status;
    const assay_templates_head *head = assay_templates_get_head(templates);
    float *vectors = malloc(head->table.row_count * head->length * sizeof *vectors);
    status = assay_templates_read(templates, 0, head->table.row_count, vectors);
    free(vectors);
    assay_templates_close(templates);
    return status;
}

static assay_status read_evidence(const char *from) {
    assay_evidence evidence = {0};
    assay_status status = assay_evidence_read(from, &evidence);
    assay_evidence_free(&evidence);
    return status;
}

static assay_status read_partial(const char *from) {
    assay_partial partial = {0};
    assay_status status = assay_partial_read(from, &partial);
    assay_partial_free(&partial);
    return status;
}

static const struct kind {
    const char *name;
    assay_status (*write)(const char *to);
    assay_status (*read)(const char *from);
} kinds[] = {{"dataset.h5", write_dataset, read_dataset},
             {"templates.h5", write_templates, read_templates},
             {"evidence.h5", write_evidence, read_evidence},
             {"segment.h5", write_partial, read_partial}};

/* Makes the container of the kind that the test was given. */
static const struct kind *make(void **state) {
    const struct kind *kind = *state;
    path = fixture_path(folder, kind->name);
    assert_int_equal(kind->write(path), ASSAY_OK);
    assert_int_equal(kind->read(path), ASSAY_OK);
    free(whole);
    whole = fixture_bytes(path, &size);
    assert_true(size > 2 * BLOCK);
    return kind;
}

/* The damaged container is refused, and verification counts the damage. */
static void assert_refused(const struct kind *kind, const char *what, size_t at) {
    assay_verification result;
    if (kind->read(path) == ASSAY_OK) fail_msg("%s at %zu of %zu was not noticed", what, at, size);
    if (!strstr(assay_error_text(), path) || !strstr(assay_error_text(), "is damaged"))
        fail_msg("%s at %zu: '%s' does not name the file and its damage", what, at,
                 assay_error_text());
    assert_int_equal(assay_sealed_file_verify(path, NULL, NULL, &result), ASSAY_OK);
    assert_true(result.damaged >= 1);
}

static void changed_byte_is_refused(void **state) {
    const struct kind *kind = make(state);
    assay_random random;
    assay_random_start(&random, 22, 0);
    for (int n = 0; n < FLIPS; n++) {
        const size_t at = assay_random_below(&random, (uint32_t)size);
        const uint8_t was = whole[at];
        whole[at] ^= (uint8_t)(1 + assay_random_below(&random, 255));
        fixture_write(path, whole, size);
        whole[at] = was;
        assert_refused(kind, "a changed byte", at);
    }
}

static void cut_file_is_refused(void **state) {
    const struct kind *kind = make(state);
    assay_random random;
    assay_random_start(&random, 23, 0);
    for (int n = 0; n < CUTS; n++) {
        const size_t length = n == 0   ? 0
                              : n == 1 ? size - 1
                                       : assay_random_below(&random, (uint32_t)size);
        fixture_write(path, whole, length);
        assert_refused(kind, "a cut", length);
    }
    uint8_t *longer = calloc(1, size + 100);
    memcpy(longer, whole, size);
    fixture_write(path, longer, size + 100);
    assert_refused(kind, "bytes put behind", size);
    free(longer);
}

static void zeroed_or_swapped_block_is_refused(void **state) {
    const struct kind *kind = make(state);
    uint8_t *damaged = malloc(size);
    assay_random random;
    assay_random_start(&random, 24, 0);
    const uint32_t blocks = (uint32_t)(size / BLOCK);
    for (int n = 0; n < BLOCKS; n++) {
        const size_t a = (size_t)assay_random_below(&random, blocks) * BLOCK;
        const size_t b = (size_t)assay_random_below(&random, blocks) * BLOCK;
        memcpy(damaged, whole, size);
        if (n % 2)
            memset(damaged + a, 0, BLOCK);
        else
            memcpy(damaged + a, whole + b, BLOCK);
        if (memcmp(damaged, whole, size) == 0) continue;
        fixture_write(path, damaged, size);
        assert_refused(kind, n % 2 ? "a zeroed block" : "a block of elsewhere", a);
    }
    free(damaged);
}

/* The seal of one file does not open another, though it is of the same kind and size. */
static void seal_of_another_file_is_refused(void **state) {
    (void)state;
    size_t count;
    const char *a = fixture_path(folder, "a.h5"), *b = fixture_path(folder, "b.h5");
    assert_int_equal(fixture_write_templates(a, 1, 20, 3, 64), ASSAY_OK);
    assert_int_equal(fixture_write_templates(b, 2, 20, 3, 64), ASSAY_OK);
    uint8_t *bytes = fixture_bytes(b, &count);
    fixture_write(a, bytes, count);
    free(bytes);
    assert_int_equal(read_templates(a), ASSAY_FAILED);
    assert_int_equal(read_templates(b), ASSAY_OK);
}

static int set_up(void **state) {
    (void)state;
    folder = fixture_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_remove(folder);
    free(whole);
    whole = NULL;
    return 0;
}

int main(void) {
#define TEST(function, kind)                                                                       \
    { #function " " #kind, function, set_up, tear_down, (void *)(uintptr_t)&kinds[kind] }
    const struct CMUnitTest tests[] = {
        TEST(changed_byte_is_refused, 0),
        TEST(changed_byte_is_refused, 1),
        TEST(changed_byte_is_refused, 2),
        TEST(changed_byte_is_refused, 3),
        TEST(cut_file_is_refused, 0),
        TEST(cut_file_is_refused, 1),
        TEST(cut_file_is_refused, 2),
        TEST(cut_file_is_refused, 3),
        TEST(zeroed_or_swapped_block_is_refused, 0),
        TEST(zeroed_or_swapped_block_is_refused, 1),
        TEST(zeroed_or_swapped_block_is_refused, 2),
        TEST(zeroed_or_swapped_block_is_refused, 3),
        TEST(seal_of_another_file_is_refused, 0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
