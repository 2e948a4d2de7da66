/* test_damage -- whatever is damaged of a container, a seal or a ledger is told with its name:
 * never other values, never a crash. The counts of a long run are in tests/soak/results/damage.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fixtures_damage.h"

enum { BYTES = 120, CUTS = 40, BLOCKS = 20 };

static char *folder;

static const uint64_t counts[DAMAGE_COUNT] = {
    [DAMAGE_BYTE] = BYTES,     [DAMAGE_METADATA] = BYTES,   [DAMAGE_ZEROED] = BLOCKS,
    [DAMAGE_SWAPPED] = BLOCKS, [DAMAGE_MISPLACED] = BLOCKS, [DAMAGE_CUT] = CUTS,
};

/* A changed byte of a seal may be one of a name that is there for people; all other damage is told.
 */
static void damage_is_told(void **state) {
    const damage_subject *subject = *state;
    damage_bench bench = damage_open(subject, folder);
    const bool is_seal = strcmp(subject->name, "seal") == 0;
    for (damage_type type = DAMAGE_BYTE; type < DAMAGE_COUNT; type++) {
        const damage_outcome found = damage_run(&bench, type, counts[type]);
        if (found.silent || found.crashed || found.unnamed || (found.harmless && !is_seal))
            fail_msg("%s, damage %d: of %llu trials %llu silent, %llu crashed, %llu without the "
                     "file's name, %llu harmless; the first was trial %llu",
                     subject->name, (int)type, (unsigned long long)counts[type],
                     (unsigned long long)found.silent, (unsigned long long)found.crashed,
                     (unsigned long long)found.unnamed, (unsigned long long)found.harmless,
                     (unsigned long long)found.first_bad);
        assert_int_equal(found.trials, counts[type]);
    }
    damage_close(&bench);
}

/* Verification counts the damaged block, and a file that is longer than it was is told too. */
static void verification_counts_damage_and_what_was_put_behind(void **state) {
    (void)state;
    assay_verification result;
    assay_digest digest;
    damage_bench bench = damage_open(&damage_subjects[0], folder);
    damage_make(&bench, DAMAGE_BYTE, 7);
    fixture_write(bench.path, bench.damaged, bench.size);
    assert_int_equal(assay_sealed_file_verify(bench.path, NULL, NULL, &result), ASSAY_OK);
    assert_int_equal(result.damaged, 1);
    uint8_t *longer = calloc(1, bench.size + 100);
    memcpy(longer, bench.whole, bench.size);
    fixture_write(bench.path, longer, bench.size + 100);
    free(longer);
    assert_int_equal(damage_read(&bench, &digest), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "is damaged"));
    damage_close(&bench);
}

/* The seal of one file does not open another, though it is of the same kind and size. */
static void seal_of_another_file_is_refused(void **state) {
    (void)state;
    size_t count;
    assay_templates *templates = NULL;
    const char *a = fixture_path(folder, "a.h5"), *b = fixture_path(folder, "b.h5");
    assert_int_equal(fixture_write_templates(a, 1, 20, 3, 64), ASSAY_OK);
    assert_int_equal(fixture_write_templates(b, 2, 20, 3, 64), ASSAY_OK);
    uint8_t *bytes = fixture_bytes(b, &count);
    fixture_write(a, bytes, count);
    free(bytes);
    assert_int_equal(assay_templates_open(a, &templates), ASSAY_FAILED);
    assert_int_equal(assay_templates_open(b, &templates), ASSAY_OK);
    assay_templates_close(templates);
}

static int set_up(void **state) {
    (void)state;
    folder = fixture_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_remove(folder);
    return 0;
}

int main(void) {
#define TEST(function, subject)                                                                    \
    {                                                                                              \
#function " " #subject, function, set_up, tear_down,                                       \
            (void *)(uintptr_t)&damage_subjects[subject]                                           \
    }
    const struct CMUnitTest tests[] = {
        TEST(damage_is_told, 0),
        TEST(damage_is_told, 1),
        TEST(damage_is_told, 2),
        TEST(damage_is_told, 3),
        TEST(damage_is_told, 4),
        TEST(damage_is_told, 5),
        TEST(damage_is_told, 6),
        TEST(damage_is_told, 7),
        TEST(damage_is_told, 8),
        TEST(verification_counts_damage_and_what_was_put_behind, 0),
        TEST(seal_of_another_file_is_refused, 0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
