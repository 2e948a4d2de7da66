/* fuzz_manifest -- a manifest under a declaration, with files to open beneath a root: who is in the
 * table has an id, a subject, codes within its labels, and a file that lies beneath the root. */
#include <string.h>

#include "datasets/manifest.h"
#include "tests/fuzz/fuzz_support.h"

static const char declaration_text[] = "name: fuzz\nroot: .\nmanifest: m.csv\nattributes:\n"
                                       "  - { name: sex, level: subject, source: document, values: "
                                       "[f, m], unknown: [U, \"\"], several: / }\n"
                                       "  - { name: band, column: age, kind: numeric, level: "
                                       "sample, source: document, bins: [0-12, 13-64, 65+] }\n"
                                       "  - { name: place, level: sample, source: officer }\n";

/* Everything that has a code has a label for it. */
static void need_codes(const assay_sample_table *table) {
    for (uint64_t row = 0; row < table->row_count; row++) {
        if (table->subject[row] >= table->subject_count || !table->sample_id[row][0]) abort();
        if (strstr(table->path[row], "..") == table->path[row] || table->path[row][0] == '/')
            abort();
        if (table->session.codes[row] >= table->session.label_count) abort();
        for (uint32_t a = 0; a < table->attribute_count; a++)
            if (table->attributes[a].codes[row] >= table->attributes[a].label_count) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static assay_manifest_declaration declaration;
    static const char *folder;
    assay_sample_table table = {0};
    assay_text warnings = {0};
    if (!folder) {
        assay_yaml yaml = {0};
        char path[64];
        int fd = fuzz_file((const uint8_t *)declaration_text, sizeof declaration_text - 1, path);
        folder = fuzz_folder();
        fuzz_put(folder, "a", (const uint8_t *)"a", 1);
        fuzz_put(folder, "b", (const uint8_t *)"b", 1);
        if (assay_yaml_read(path, &yaml) != ASSAY_OK ||
            assay_manifest_declare(&yaml, yaml.root, folder, &declaration) != ASSAY_OK ||
            assay_yaml_verdict(&yaml) != ASSAY_OK)
            abort();
        assay_yaml_free(&yaml);
        close(fd);
    }
    fuzz_put(folder, "m.csv", data, size);
    if (assay_manifest_read(&declaration, NULL, &table, &warnings) == ASSAY_OK) {
        if (table.row_count == 0) abort();
        need_codes(&table);
        assay_protocol protocol;
        if (assay_protocol_create(&protocol) != ASSAY_OK) abort();
        if (assay_pair_list_read(declaration.csv, &table, &protocol) == ASSAY_OK)
            for (uint64_t n = 0; n < protocol.pair_count; n++)
                if (protocol.pairs[n].i >= protocol.pairs[n].j ||
                    protocol.pairs[n].j >= table.row_count)
                    abort();
        assay_protocol_free(&protocol);
        assay_sample_table_free(&table);
    }
    assay_text_free(&warnings);
    return 0;
}
