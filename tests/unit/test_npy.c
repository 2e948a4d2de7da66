/* test_npy -- arrays that numpy writes are read to the last bit, and everything that is not
 * strictly one of them is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datasets/npy.h"
#include "tests/fixtures_container.h"

static char *folder;

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

/* A file of version major.minor with this header text, whose length field says header_length (or
 * the right one where negative), and then count bytes. */
static const char *make(int major, int minor, const char *header, long header_length,
                        const void *bytes, size_t count) {
    static uint8_t file[70000];
    const char *path = fixture_path(folder, "x.npy");
    const size_t length = strlen(header);
    const uint32_t said = header_length < 0 ? (uint32_t)length : (uint32_t)header_length;
    size_t at = 8;
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (uint8_t)major;
    file[7] = (uint8_t)minor;
    for (int n = 0; n < (major == 1 ? 2 : 4); n++) file[at++] = (uint8_t)(said >> (8 * n));
    memcpy(file + at, header, length);
    if (count) memcpy(file + at + length, bytes, count);
    fixture_write(path, file, at + length + count);
    return path;
}

static void assert_values(const char *path, uint64_t rows, uint32_t columns,
                          const float *expected) {
    assay_npy_matrix matrix;
    if (assay_npy_read(path, &matrix) != ASSAY_OK) fail_msg("%s", assay_error_text());
    assert_int_equal(matrix.rows, rows);
    assert_int_equal(matrix.columns, columns);
    assert_memory_equal(matrix.values, expected, rows * columns * sizeof *expected);
    assay_npy_matrix_free(&matrix);
}

static void plain_forms_are_read(void **state) {
    (void)state;
    static const float expected[] = {1, 2, 3, -4, 0.5f, 6};
    static const float fortran[] = {1, -4, 2, 0.5f, 3, 6};
    static const uint8_t big[] = {0x3f, 0x80, 0, 0, 0x40, 0, 0, 0, 0x40, 0x40, 0, 0,
                                  0xc0, 0x80, 0, 0, 0x3f, 0, 0, 0, 0x40, 0xc0, 0, 0};
    const char *c = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n";
    const char *f = "{\"shape\": (2,3), \"fortran_order\": True, \"descr\": \"<f4\"}\n";
    const char *b = "{'descr':'>f4','fortran_order':False,'shape':(2,3,)}\n";
    for (int major = 1; major <= 3; major++)
        assert_values(make(major, 0, c, -1, expected, sizeof expected), 2, 3, expected);
    assert_values(make(1, 0, f, -1, fortran, sizeof fortran), 2, 3, expected);
    assert_values(make(2, 0, b, -1, big, sizeof big), 2, 3, expected);
}

static void bytes_and_doubles_are_converted(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0, 1, 127, 128, 255, 200};
    static const float as_unsigned[] = {0, 1, 127, 128, 255, 200};
    static const float as_signed[] = {0, 1, 127, -128, -1, -56};
    static const double doubles[] = {0.1, 1e300, -1e-60, 16777217};
    const float rounded[] = {0.1f, INFINITY, -0.0f, 16777216};
    assert_values(
        make(1, 0, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }\n", -1, bytes, 6),
        3, 2, as_unsigned);
    assert_values(
        make(1, 0, "{'descr': '|i1', 'fortran_order': False, 'shape': (3, 2), }\n", -1, bytes, 6),
        3, 2, as_signed);
    assert_values(make(1, 0, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }\n", -1,
                       doubles, sizeof doubles),
                  1, 4, rounded);
}

static void every_half_is_exact(void **state) {
    (void)state;
    static const uint16_t halves[] = {0x0000, 0x8000, 0x3c00, 0xc000, 0x0001, 0x03ff,
                                      0x0400, 0x7bff, 0x7c00, 0xfc00, 0x3555, 0x3c01};
    const float expected[] = {0.0f,     -0.0f, 1,        -2,        0x1p-24f,    0x1.ff8p-15f,
                              0x1p-14f, 65504, INFINITY, -INFINITY, 0x1.554p-2f, 0x1.004p0f};
    static const uint16_t nan = 0x7e00;
    assay_npy_matrix matrix;
    assert_values(make(1, 0, "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 4), }\n", -1,
                       halves, sizeof halves),
                  3, 4, expected);
    const char *path = make(1, 0, "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 1), }\n",
                            -1, &nan, sizeof nan);
    assert_int_equal(assay_npy_read(path, &matrix), ASSAY_OK);
    assert_true(isnan(matrix.values[0]));
    assay_npy_matrix_free(&matrix);
}

static void other_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header, *said;
    } bad[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }\n", "float16, float32"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }\n", "float16, float32"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }\n", "float16, float32"},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3), }\n", "float16, float32"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3), }\n", "float16, float32"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2, 3), }\n", "float16, float32"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }\n",
         "float16, float32"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }\n", "1 dimension,"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", "0 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }\n", "3 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }\n", "without a value"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }\n", "without a value"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }\n", "a whole number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2.0, 3), }\n", "',' or ')'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }\n", "',' or ')'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3), }\n",
         "fits 64 bits"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }\n",
         "larger than memory"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1000), }\n",
         "cut short"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4294967296), }\n", "cut short"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }\n", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, }\n", "the keys"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
         "each key once"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}\n",
         "one of the keys"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "one newline"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } x\n", "one newline"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), \n", "a key in quotes"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3), }\n", "',' or '}'"},
        {"('descr')\n", "'{'"},
        {"", "'{'"},
    };
    const float values[6] = {0};
    assay_npy_matrix matrix;
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        const char *path = make(1, 0, bad[n].header, -1, values, sizeof values);
        if (assay_npy_read(path, &matrix) != ASSAY_USAGE) fail_msg("taken: %s", bad[n].header);
        if (!strstr(assay_error_text(), bad[n].said))
            fail_msg("%s gave '%s', expected '%s'", bad[n].header, assay_error_text(), bad[n].said);
    }
}

static void other_files_are_refused(void **state) {
    (void)state;
    static const char header[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    const float values[7] = {0};
    assay_npy_matrix matrix;
    const size_t whole = 10 + strlen(header) + 24;
    make(1, 0, header, -1, values, 24);
    size_t count;
    uint8_t *bytes = fixture_bytes(fixture_path(folder, "x.npy"), &count);
    assert_int_equal(count, whole);
    for (size_t length = 0; length < whole; length++) {
        fixture_write(fixture_path(folder, "cut.npy"), bytes, length);
        assert_int_equal(assay_npy_read(fixture_path(folder, "cut.npy"), &matrix), ASSAY_USAGE);
    }
    bytes[1] ^= 1;
    fixture_write(fixture_path(folder, "magic.npy"), bytes, count);
    assert_int_equal(assay_npy_read(fixture_path(folder, "magic.npy"), &matrix), ASSAY_USAGE);
    free(bytes);
    assert_int_equal(assay_npy_read(make(1, 0, header, -1, values, 28), &matrix), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "longer than its shape"));
    assert_int_equal(assay_npy_read(make(4, 0, header, -1, values, 24), &matrix), ASSAY_USAGE);
    assert_int_equal(assay_npy_read(make(1, 1, header, -1, values, 24), &matrix), ASSAY_USAGE);
    assert_int_equal(assay_npy_read(make(1, 0, header, 5, values, 24), &matrix), ASSAY_USAGE);
    assert_int_equal(assay_npy_read(make(2, 0, header, 0x7fffffff, values, 24), &matrix),
                     ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "at most 65536"));
    assert_int_equal(assay_npy_read(fixture_path(folder, "none.npy"), &matrix), ASSAY_USAGE);
    assert_int_equal(assay_npy_read(folder, &matrix), ASSAY_USAGE);
}

static void what_is_written_comes_back(void **state) {
    (void)state;
    float values[5 * 7];
    for (int n = 0; n < 35; n++) values[n] = (float)n / 3;
    const char *path = fixture_path(folder, "w.npy");
    assert_int_equal(assay_npy_write(path, 5, 7, values), ASSAY_OK);
    assert_values(path, 5, 7, values);
}

/* numpy writes v[r][c] = r * 3 + c - 4 in every type, order and version, and reads what we write.
 */
static void numpy_agrees(void **state) {
    (void)state;
    static const char script[] =
        "import sys\n"
        "try: import numpy as np\n"
        "except ImportError: sys.exit(77)\n"
        "d = sys.argv[1]\n"
        "w = np.load(d + '/w.npy')\n"
        "assert w.dtype == np.float32 and w.shape == (5, 3)\n"
        "assert (w == np.arange(15).reshape(5, 3) - 4).all()\n"
        "a = (np.arange(15).reshape(5, 3) - 4)\n"
        "for t in ['<f2','>f2','<f4','>f4','<f8','>f8','i1']:\n"
        "  for o in 'CF':\n"
        "    for v in [1, 2, 3]:\n"
        "      name = '%s/%s%s%d.npy' % (d, t.replace('<','l').replace('>','b'), o, v)\n"
        "      with open(name, 'wb') as f:\n"
        "        np.lib.format.write_array(f, np.array(a, dtype=t, order=o), version=(v, 0))\n";
    static const char *const kinds[] = {"lf2", "bf2", "lf4", "bf4", "lf8", "bf8", "i1"};
    float values[15];
    char command[1024];
    for (int n = 0; n < 15; n++) values[n] = (float)(n - 4);
    assert_int_equal(assay_npy_write(fixture_path(folder, "w.npy"), 5, 3, values), ASSAY_OK);
    fixture_write(fixture_path(folder, "make.py"), script, strlen(script));
    snprintf(command, sizeof command, "/usr/bin/python3 %s/make.py %s", folder, folder);
    const int ended = system(command);
    if (WEXITSTATUS(ended) == 77) skip(); /* no numpy */
    assert_int_equal(ended, 0);
    for (int k = 0; k < 7; k++)
        for (int order = 0; order < 2; order++)
            for (int version = 1; version <= 3; version++)
                assert_values(fixture_path(folder, fixture_format("%s%c%d.npy", kinds[k],
                                                                  "CF"[order], version)),
                              5, 3, values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        TEST(plain_forms_are_read),
        TEST(bytes_and_doubles_are_converted),
        TEST(every_half_is_exact),
        TEST(other_headers_are_refused),
        TEST(other_files_are_refused),
        TEST(what_is_written_comes_back),
        TEST(numpy_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
