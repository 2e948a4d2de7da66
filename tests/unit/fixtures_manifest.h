/* fixtures_manifest -- a folder of its own for each test, files in it, and manifests read from it.
 */
#ifndef ASSAY_TESTS_UNIT_FIXTURES_MANIFEST_H
#define ASSAY_TESTS_UNIT_FIXTURES_MANIFEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/manifest.h"
#include "datasets/yaml.h"

#define FIXTURE_PATH 512

static char fixture_folder[64];

static inline void ok(assay_status status) {
    if (status != ASSAY_OK) fail_msg("%s", assay_error_text());
}

static inline int fixture_setup(void **state) {
    (void)state;
    snprintf(fixture_folder, sizeof fixture_folder, "/tmp/assay-test-XXXXXX");
    return mkdtemp(fixture_folder) ? 0 : -1;
}

static inline int fixture_remove(const char *path, const struct stat *about, int kind,
                                 struct FTW *at) {
    (void)about, (void)kind, (void)at;
    return remove(path);
}

static inline int fixture_teardown(void **state) {
    (void)state;
    return nftw(fixture_folder, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *fixture_path(char out[FIXTURE_PATH], const char *name) {
    snprintf(out, FIXTURE_PATH, "%s/%s", fixture_folder, name);
    return out;
}

static inline void fixture_bytes(const char *name, const void *bytes, size_t count) {
    char path[FIXTURE_PATH], *folder = NULL;
    ok(assay_path_directory(&folder, fixture_path(path, name)));
    ok(assay_make_directories(folder));
    free(folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static inline void fixture_text(const char *name, const char *text) {
    fixture_bytes(name, text, strlen(text));
}

/* Reads the declaration of `dataset:` from the text of a configuration, every fault of it told. */
static inline assay_status fixture_declare(const char *text, assay_manifest_declaration *out) {
    assay_yaml yaml = {0};
    char path[FIXTURE_PATH];
    fixture_text("config.yaml", text);
    assay_status status = assay_yaml_read(fixture_path(path, "config.yaml"), &yaml);
    if (status != ASSAY_OK) return status;
    status = assay_manifest_declare(&yaml, assay_yaml_need(&yaml, yaml.root, "dataset"),
                                    fixture_folder, out);
    if (status == ASSAY_OK) status = assay_yaml_verdict(&yaml);
    assay_yaml_free(&yaml);
    return status;
}

/* The same, and the manifest that it declares; warnings may be NULL. */
static inline assay_status fixture_read(const char *text, assay_sample_table *out,
                                        assay_text *warnings) {
    assay_manifest_declaration declaration = {0};
    assay_status status = fixture_declare(text, &declaration);
    if (status == ASSAY_OK) status = assay_manifest_read(&declaration, NULL, out, warnings);
    assay_manifest_declaration_free(&declaration);
    return status;
}

/* The explanation that is there has this in it; the fixture's folder is written as DIR. */
static inline void explained(const char *expected) {
    char text[8192];
    const char *at = assay_error_text();
    size_t length = 0, folder = strlen(fixture_folder);
    while (*at && length + 4 < sizeof text) {
        if (strncmp(at, fixture_folder, folder) == 0) {
            memcpy(text + length, "DIR", 3);
            length += 3;
            at += folder;
        } else {
            text[length++] = *at++;
        }
    }
    text[length] = '\0';
    if (!strstr(text, expected)) fail_msg("expected\n%s\nin\n%s", expected, text);
}

#endif
