/* fuzz_records -- a record of others in XML, by a declaration with a column of every kind. */
#include <string.h>

#include "datasets/records_private.h"
#include "tests/fuzz/fuzz_support.h"

enum { COLUMNS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char female[] = "female", male[] = "male", f[] = "F", m[] = "M", none[] = "";
    static char names[COLUMNS][16] = {"sample_id", "subject_id", "captured", "age", "sex"};
    static char ways[COLUMNS][16] = {"/Image/ID", "/Person/ID", "/Date", "/Age", "/Sex"};
    static char each[] = "Record", text[] = "r-\x01";
    static char *words[] = {f, m}, *codes[] = {female, male};
    static assay_record_column columns[COLUMNS] = {
        {names[0], ways[0], text, ASSAY_RECORD_ID, NULL, NULL, 0},
        {names[1], ways[1], NULL, ASSAY_RECORD_ID, NULL, NULL, 0},
        {names[2], ways[2], NULL, ASSAY_RECORD_DATE, NULL, NULL, 0},
        {names[3], ways[3], NULL, ASSAY_RECORD_NUMBER, NULL, NULL, 0},
        {names[4], ways[4], NULL, ASSAY_RECORD_CODE, words, codes, 2},
    };
    static const char *const texts[COLUMNS] = {text, none, none, none, none};
    const assay_record_declaration declaration = {
        .files = none, .each = each, .columns = columns, .column_count = COLUMNS};
    const char *cells[COLUMNS];
    assay_grid grid = {0};
    assay_faults faults = {0};
    uint64_t rows = 0;
    for (int n = 0; n < COLUMNS; n++)
        if (assay_grid_add_column(&grid, columns[n].name) != ASSAY_OK) abort();
    if (assay_record_parse(&declaration, "fuzz", data, size, texts, &faults, &grid, &rows) ==
        ASSAY_OK) {
        if (rows != grid.row_count || rows > size) abort();
        for (uint64_t row = 0; row < rows; row++) {
            assay_grid_row(&grid, row, cells);
            for (int n = 0; n < COLUMNS; n++) fuzz_touch(cells[n], strlen(cells[n]) + 1);
        }
    }
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    return 0;
}
