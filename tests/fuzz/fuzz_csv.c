/* fuzz_csv -- the reader of CSV files, which manifests, labels and lists of pairs go through, and
 * labels as a sample table. */
#include "datasets/manifest.h"
#include "datasets/manifest_private.h"
#include "tests/fuzz/fuzz_support.h"

static void read_grid(const char *path) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    if (assay_grid_read(path, &faults, &grid) == ASSAY_OK && grid.row_count && grid.column_count) {
        const char **cells = calloc(grid.column_count, sizeof *cells);
        for (uint64_t row = 0; cells && row < grid.row_count; row++) {
            assay_grid_row(&grid, row, cells);
            for (size_t n = 0; n < grid.column_count; n++)
                for (const char *c = cells[n]; *c; c++) fuzz_touch(c, 1);
        }
        free(cells);
    }
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = fuzz_file(data, size, path);
    assay_sample_table table = {0};
    read_grid(path);
    if (assay_labels_read(path, NULL, NULL, &table) == ASSAY_OK) {
        for (uint64_t row = 0; row < table.row_count; row++)
            if (table.subject[row] >= table.subject_count) abort();
        assay_sample_table_free(&table);
    }
    close(fd);
    return 0;
}
