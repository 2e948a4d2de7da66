/* test_h5py -- the containers are what FORMAT.md says: a Python program that knows that page, h5py
 * and hashlib, and nothing of assay, reads them and recomputes every digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "tests/fixtures_container.h"

enum { SKIPPED = 77, SUBJECTS = 20, PER = 4, LENGTH = 16 };

static char *folder;

static void write_matrix(const char *path) {
    assay_sample_table table = fixture_table(5, 3, 2);
    const uint32_t rows[] = {0, 2, 5};
    const double scores[9] = {NAN, 0.5, 0.25, 0.5, NAN, -1, 0.25, -1, NAN};
    fixture_need(assay_matrix_write(path, &table, rows, 3, scores), "matrix");
    assay_sample_table_free(&table);
}

static void python_reads_every_container(void **state) {
    (void)state;
    const char *source = getenv("ASSAY_SOURCE");
    char command[1024];
    fixture_need(fixture_write_dataset(fixture_path(folder, "dataset.h5"), 5, SUBJECTS, PER),
                 "data");
    fixture_need(
        fixture_write_templates(fixture_path(folder, "templates.h5"), 5, SUBJECTS, PER, LENGTH),
        "templates");
    fixture_need(fixture_write_evidence(fixture_path(folder, "evidence.h5"), 5, SUBJECTS, PER, 200),
                 "evidence");
    fixture_need(fixture_write_partial(fixture_path(folder, "segment.h5"), 5), "segment");
    write_matrix(fixture_path(folder, "matrix.h5"));
    snprintf(command, sizeof command,
             "/usr/bin/python3 '%s/tests/conformance/read_containers.py' '%s'",
             source ? source : ".", folder);
    const int ended = system(command);
    assert_true(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == SKIPPED) skip();
    assert_int_equal(WEXITSTATUS(ended), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(python_reads_every_container)};
    folder = fixture_folder();
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fixture_remove(folder);
    return failed;
}
