/* fixtures_damaged_images -- images of which one byte was changed or the end cut off, put before a
 * manifest that has the digests of the whole ones, and before the decoder alone. */
#ifndef ASSAY_TESTS_FIXTURES_DAMAGED_IMAGES_H
#define ASSAY_TESTS_FIXTURES_DAMAGED_IMAGES_H

#include <openssl/evp.h>

#include "datasets/base/file.h"
#include "datasets/image.h"
#include "datasets/manifest.h"
#include "tests/fixtures_container.h"
#include "tests/unit/fixtures_image.h"

typedef struct {
    const char *name, *base64; /* base64 NULL: a PNM, made here */
} damaged_format;

enum { DAMAGED_FORMATS = 9 };
static const damaged_format damaged_formats[DAMAGED_FORMATS] = {
    {"JPEG", FIXTURE_JPEG},
    {"JPEG, progressive", FIXTURE_JPEG_PROGRESSIVE},
    {"PNG", FIXTURE_PNG},
    {"JPEG 2000", FIXTURE_JP2},
    {"JPEG 2000, codestream", FIXTURE_J2K},
    {"TIFF", FIXTURE_TIFF_LZW},
    {"WebP, lossless", FIXTURE_WEBP_LOSSLESS},
    {"WebP", FIXTURE_WEBP_LOSSY},
    {"PNM", NULL},
};

typedef struct {
    uint64_t trials;
    uint64_t accepted; /* by the manifest with digests: must be 0 */
    /* What the decoder alone makes of them. */
    uint64_t refused, same, other;
} damaged_outcome;

static inline uint8_t *damaged_whole(const damaged_format *format, size_t *out_count) {
    if (!format->base64) {
        char *pnm = malloc(13 + 24 * 16);
        memcpy(pnm, "P5\n24 16\n255\n", 13);
        for (int n = 0; n < 24 * 16; n++) pnm[13 + n] = (char)(n * 7);
        *out_count = 13 + 24 * 16;
        return (uint8_t *)pnm;
    }
    size_t length = strlen(format->base64);
    uint8_t *bytes = malloc(length + 1);
    int count = EVP_DecodeBlock(bytes, (const uint8_t *)format->base64, (int)length);
    while (length > 0 && format->base64[--length] == '=') count--;
    *out_count = (size_t)count;
    return bytes;
}

/* Damaged file n of the first `bytes` with a changed byte, then of those that are cut. */
static inline size_t damaged_make(const uint8_t *whole, size_t size, uint64_t n, uint64_t bytes,
                                  uint8_t *out) {
    assay_random random;
    assay_random_start(&random, 41, n);
    memcpy(out, whole, size);
    const size_t at = assay_random_below(&random, (uint32_t)size);
    if (n >= bytes) return at;
    out[at] ^= (uint8_t)(1 + assay_random_below(&random, 255));
    return size;
}

static inline uint64_t damaged_accepted(const char *folder, const assay_text *csv) {
    static const char text[] = "name: d\nroot: .\nmanifest: m.csv\n";
    assay_yaml yaml = {0};
    assay_manifest_declaration declaration = {0};
    assay_sample_table table = {0};
    assay_text warnings = {0};
    uint64_t accepted = 0;
    fixture_write(fixture_path(folder, "c.yaml"), text, sizeof text - 1);
    fixture_write(fixture_path(folder, "m.csv"), csv->bytes, csv->length);
    fixture_need(assay_yaml_read(fixture_path(folder, "c.yaml"), &yaml), "a declaration");
    fixture_need(assay_manifest_declare(&yaml, yaml.root, folder, &declaration), "a declaration");
    fixture_need(assay_yaml_verdict(&yaml), "a declaration");
    fixture_need(assay_manifest_read(&declaration, NULL, &table, &warnings), "a manifest");
    for (uint64_t row = 0; row < table.row_count; row++)
        accepted += table.enrolment[row] != ASSAY_ENROLMENT_EXCLUDED;
    assay_sample_table_free(&table);
    assay_text_free(&warnings);
    assay_manifest_declaration_free(&declaration);
    assay_yaml_free(&yaml);
    return accepted;
}

static inline void damaged_decode(assay_image_reader *reader, const uint8_t *bytes, size_t count,
                                  const assay_image *whole, damaged_outcome *outcome) {
    assay_image image = {0};
    char refusal[256];
    fixture_need(assay_image_decode(reader, bytes, count, 3, 0, &image, refusal, sizeof refusal),
                 "the decoder");
    const size_t size = (size_t)whole->width * whole->height * 3;
    if (refusal[0])
        outcome->refused++;
    else if (image.width == whole->width && image.height == whole->height &&
             memcmp(image.pixels, whole->pixels, size) == 0)
        outcome->same++;
    else
        outcome->other++;
    assay_image_free(&image);
}

static inline damaged_outcome damaged_run(const damaged_format *format, uint64_t bytes,
                                          uint64_t cuts) {
    damaged_outcome outcome = {.trials = bytes + cuts};
    char *folder = fixture_folder(), hex[ASSAY_DIGEST_HEX], refusal[256], name[32];
    size_t size = 0;
    uint8_t *whole = damaged_whole(format, &size), *damaged = malloc(size + 1);
    assay_text csv = {0};
    assay_digest digest;
    assay_image_reader *reader = NULL;
    assay_image image = {0};
    fixture_need(assay_image_reader_open(&reader), "the image worker");
    fixture_need(assay_image_decode(reader, whole, size, 3, 0, &image, refusal, sizeof refusal),
                 "the whole image");
    fixture_need(assay_digest_bytes(whole, size, &digest), "a digest");
    assay_digest_hex(hex, &digest);
    assay_text_append(&csv, "sample_id,path,subject_id,sha256\n");
    for (uint64_t n = 0; n < outcome.trials; n++) {
        const size_t count = damaged_make(whole, size, n, bytes, damaged);
        snprintf(name, sizeof name, "%llu", (unsigned long long)n);
        fixture_write(fixture_path(folder, name), damaged, count);
        assay_text_appendf(&csv, "s%s,%s,p%s,%s\n", name, name, name, hex);
        damaged_decode(reader, damaged, count, &image, &outcome);
    }
    outcome.accepted = damaged_accepted(folder, &csv);
    assay_image_free(&image);
    assay_image_reader_close(reader);
    assay_text_free(&csv);
    free(whole);
    free(damaged);
    fixture_remove(folder);
    return outcome;
}

#endif
