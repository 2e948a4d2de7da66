/* store_table -- the sample table as columns of a container (FORMAT.md, "Sample table"). */
#include <stdio.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

#define ENUMERATION_LABELS_MAX 256 /* more would make type messages of HDF5 too large */
#define ENUMERATION_BYTES_MAX 32768
#define NOT_GIVEN "(not given)" /* how an enumeration calls the empty label */
#define TIME_UNIT "seconds since 1970-01-01T00:00:00Z; the smallest int64 is missing"

enum { LABELLED_COUNT = 6, ROLE_COLUMN = 5 };

/* The labelled columns in the order of the file. */
static const struct {
    const char *name;
    size_t offset; /* in assay_sample_table */
} labelled_columns[LABELLED_COUNT] = {
    {"instance", offsetof(assay_sample_table, instance)},
    {"session", offsetof(assay_sample_table, session)},
    {"environment", offsetof(assay_sample_table, environment)},
    {"legal_basis", offsetof(assay_sample_table, legal_basis)},
    {"enrolment_reason", offsetof(assay_sample_table, enrolment_reason)},
    {"role", offsetof(assay_sample_table, role)}, /* of a table in roles only */
};

static const char *const kind_words[] = {
    [ASSAY_ATTRIBUTE_CATEGORICAL] = "categorical", [ASSAY_ATTRIBUTE_NUMERIC] = "numeric"};
static const char *const level_words[] = {
    [ASSAY_LEVEL_SUBJECT] = "subject", [ASSAY_LEVEL_SAMPLE] = "sample"};

static assay_labelled *labelled_at(assay_sample_table *table, size_t n) {
    return (assay_labelled *)((char *)table + labelled_columns[n].offset);
}

static const assay_labelled *labelled_of(const assay_sample_table *table, size_t n) {
    return (const assay_labelled *)((const char *)table + labelled_columns[n].offset);
}

/* ---- checking ---- */

static uint64_t hash_text(const char *text) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash ^ hash >> 29;
}

/* ASSAY_FAILED where two of ids are the same and in the same role, or one is missing or empty.
 * roles is [count], or NULL. */
static assay_status check_ids(const char *name, const char *what, char *const *ids,
                              const uint32_t *roles, uint64_t count) {
    uint64_t slots = 16;
    uint32_t *seen = NULL; /* 1 + n of ids, 0 where the slot is free */
    while (slots < 2 * count) slots *= 2;
    assay_status status = assay_allocate(&seen, slots, sizeof *seen, "a set of ids");
    if (status) return status;
    for (uint64_t n = 0; n < count && status == ASSAY_OK; n++) {
        if (!ids[n] || !ids[n][0]) {
            status =
                assay_fail(ASSAY_FAILED, "%s: %s %llu is empty", name, what, (unsigned long long)n);
            break;
        }
        uint64_t slot = hash_text(ids[n]) & (slots - 1);
        for (; seen[slot]; slot = (slot + 1) & (slots - 1)) {
            const uint32_t other = seen[slot] - 1;
            if (strcmp(ids[other], ids[n]) != 0 || (roles && roles[other] != roles[n])) continue;
            status = assay_fail(ASSAY_FAILED, "%s: %s '%s' is there twice", name, what, ids[n]);
            break;
        }
        seen[slot] = (uint32_t)n + 1;
    }
    free(seen);
    return status;
}

static assay_status check_labelled(const char *name, const assay_sample_table *table, size_t n) {
    const assay_labelled *column = labelled_of(table, n);
    if (column->label_count < 1 || !column->labels[0] || column->labels[0][0])
        return assay_fail(ASSAY_FAILED, "%s: the first label of %s is not the empty one", name,
                          labelled_columns[n].name);
    for (uint64_t row = 0; row < table->row_count; row++)
        if (column->codes[row] >= column->label_count)
            return assay_fail(ASSAY_FAILED, "%s: row %llu has code %u in %s, which has %u labels",
                              name, (unsigned long long)row, column->codes[row],
                              labelled_columns[n].name, column->label_count);
    return ASSAY_OK;
}

/* Either no row stands in a role or each one does. */
static assay_status check_roles(const char *name, const assay_sample_table *table) {
    const assay_labelled *role = &table->role;
    if (!assay_sample_table_has_roles(table)) return ASSAY_OK;
    if (role->label_count != 3 || strcmp(role->labels[ASSAY_STANDS_REFERENCE], "reference") != 0 ||
        strcmp(role->labels[ASSAY_STANDS_PROBE], "probe") != 0)
        return assay_fail(ASSAY_FAILED, "%s: the labels of role are not reference and probe", name);
    for (uint64_t row = 0; row < table->row_count; row++)
        if (role->codes[row] == ASSAY_STANDS_ANY)
            return assay_fail(ASSAY_FAILED, "%s: row %llu stands in no role, and others do", name,
                              (unsigned long long)row);
    return ASSAY_OK;
}

static assay_status check_attribute(const char *name, const assay_sample_table *table, uint32_t a) {
    const assay_attribute *attribute = &table->attributes[a];
    const bool numeric = attribute->kind == ASSAY_ATTRIBUTE_NUMERIC;
    if (!attribute->name || !attribute->name[0] ||
        assay_sample_table_attribute(table, attribute->name) != attribute)
        return assay_fail(ASSAY_FAILED, "%s: attribute %u has no name, or another's", name, a);
    if (attribute->label_count < ASSAY_CODE_FIRST || attribute->label_count > UINT16_MAX)
        return assay_fail(ASSAY_FAILED, "%s: attribute '%s' has %u labels, expected 3 to 65535",
                          name, attribute->name, attribute->label_count);
    if (numeric != (attribute->values != NULL) || numeric != (attribute->bin_low != NULL) ||
        numeric != (attribute->bin_high != NULL))
        return assay_fail(ASSAY_FAILED, "%s: values and bins of attribute '%s' do not fit its kind",
                          name, attribute->name);
    for (uint64_t row = 0; row < table->row_count; row++)
        if (attribute->codes[row] >= attribute->label_count)
            return assay_fail(ASSAY_FAILED,
                              "%s: row %llu has code %u of attribute '%s', which has "
                              "%u labels",
                              name, (unsigned long long)row, attribute->codes[row], attribute->name,
                              attribute->label_count);
    return ASSAY_OK;
}

assay_status assay_table_check(const char *name, const assay_sample_table *table) {
    assay_status status;
    if (table->row_count > UINT32_MAX)
        return assay_fail(ASSAY_FAILED, "%s: %llu samples are more than 4294967295", name,
                          (unsigned long long)table->row_count);
    for (uint64_t row = 0; row < table->row_count; row++) {
        if (table->subject[row] >= table->subject_count)
            return assay_fail(ASSAY_FAILED, "%s: row %llu is of subject %u, and there are %u", name,
                              (unsigned long long)row, table->subject[row], table->subject_count);
        if (table->enrolment[row] > ASSAY_ENROLMENT_EXCLUDED)
            return assay_fail(ASSAY_FAILED, "%s: row %llu has enrolment %u, expected 0 to 4", name,
                              (unsigned long long)row, table->enrolment[row]);
    }
    for (size_t n = 0; n < LABELLED_COUNT; n++)
        if ((status = check_labelled(name, table, n))) return status;
    if ((status = check_roles(name, table))) return status;
    status = check_ids(name, "sample id", table->sample_id, table->role.codes, table->row_count);
    if (status) return status;
    status = check_ids(name, "subject id", table->subject_id, NULL, table->subject_count);
    if (status) return status;
    for (uint32_t a = 0; a < table->attribute_count; a++)
        if ((status = check_attribute(name, table, a))) return status;
    return ASSAY_OK;
}

/* ---- writing ---- */

static assay_status put_column(assay_store *store, const char *path, hid_t type, uint64_t rows,
                               const void *data) {
    assay_array array = {path, type, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    return assay_array_write(store, &array, data);
}

/* Whether labels can be the members of an enumeration. */
static bool can_enumerate(char *const *labels, uint32_t count) {
    size_t bytes = 0;
    if (count > ENUMERATION_LABELS_MAX) return false;
    for (uint32_t n = 0; n < count; n++) {
        const char *label = labels[n][0] ? labels[n] : NOT_GIVEN;
        bytes += strlen(label) + 1;
        for (uint32_t m = 0; m < n; m++)
            if (strcmp(label, labels[m][0] ? labels[m] : NOT_GIVEN) == 0) return false;
    }
    return bytes <= ENUMERATION_BYTES_MAX;
}

/* Codes as an enumeration that shows their labels, or as plain integers where there are too many.
 */
static assay_status put_codes(assay_store *store, const char *path, hid_t base, char *const *labels,
                              uint32_t label_count, uint64_t rows, const void *codes) {
    static char not_given[] = NOT_GIVEN;
    char *names[ENUMERATION_LABELS_MAX];
    if (!can_enumerate(labels, label_count)) return put_column(store, path, base, rows, codes);
    for (uint32_t n = 0; n < label_count; n++) names[n] = labels[n][0] ? labels[n] : not_given;
    hid_t type = -1;
    assay_status status = assay_store_enumeration(store, base, names, label_count, &type);
    if (status) return status;
    status = put_column(store, path, type, rows, codes);
    H5Tclose(type);
    return status;
}

static assay_status put_labelled(assay_store *store, const assay_sample_table *table, size_t n) {
    const assay_labelled *column = labelled_of(table, n);
    char path[64];
    if (n == ROLE_COLUMN && !assay_sample_table_has_roles(table)) return ASSAY_OK;
    snprintf(path, sizeof path, "/labels/%s", labelled_columns[n].name);
    assay_status status = assay_strings_write(store, path, column->labels, column->label_count);
    if (status) return status;
    snprintf(path, sizeof path, "/samples/%s", labelled_columns[n].name);
    return put_codes(store, path, H5T_STD_U32LE, column->labels, column->label_count,
                     table->row_count, column->codes);
}

static assay_status put_times(assay_store *store, const char *path, uint64_t rows,
                              const int64_t *times) {
    assay_status status = put_column(store, path, H5T_STD_I64LE, rows, times);
    if (status) return status;
    return assay_store_put_text(store, path, "unit", TIME_UNIT);
}

static assay_status put_enrolment(assay_store *store, const assay_sample_table *table) {
    char names[ASSAY_ENROLMENT_EXCLUDED + 1][16];
    char *labels[ASSAY_ENROLMENT_EXCLUDED + 1];
    for (int e = 0; e <= ASSAY_ENROLMENT_EXCLUDED; e++) {
        snprintf(names[e], sizeof names[e], "%s", assay_enrolment_name((assay_enrolment)e));
        labels[e] = names[e];
    }
    return put_codes(store, "/samples/enrolment", H5T_STD_U8LE, labels,
                     ASSAY_ENROLMENT_EXCLUDED + 1, table->row_count, table->enrolment);
}

/* sample_id, subject_id a row, subject, path. */
static assay_status put_identities(assay_store *store, const assay_sample_table *table) {
    char **subject_of_row = NULL;
    const uint64_t rows = table->row_count;
    assay_status status = assay_strings_write(store, "/samples/sample_id", table->sample_id, rows);
    if (status) return status;
    status = assay_allocate(&subject_of_row, rows, sizeof *subject_of_row, "subject ids");
    if (status) return status;
    for (uint64_t row = 0; row < rows; row++)
        subject_of_row[row] = table->subject_id[table->subject[row]];
    status = assay_strings_write(store, "/samples/subject_id", subject_of_row, rows);
    free(subject_of_row);
    if (status) return status;
    status = put_column(store, "/samples/subject", H5T_STD_U32LE, rows, table->subject);
    if (status) return status;
    if (table->path) status = assay_strings_write(store, "/samples/path", table->path, rows);
    if (status) return status;
    return assay_strings_write(store, "/subjects/subject_id", table->subject_id,
                               table->subject_count);
}

static assay_status put_measures(assay_store *store, const assay_sample_table *table) {
    const uint64_t rows = table->row_count;
    assay_array digests = {
        "/samples/image_sha256", H5T_STD_U8LE, 2, {rows, 32}, ASSAY_LAYOUT_CHUNKED};
    assay_status status = put_times(store, "/samples/captured", rows, table->captured);
    if (status) return status;
    status = put_times(store, "/samples/retain_until", rows, table->retain_until);
    if (status) return status;
    status = put_column(store, "/samples/quality", H5T_IEEE_F64LE, rows, table->quality);
    if (status) return status;
    if ((status = assay_array_write(store, &digests, table->image_digest))) return status;
    return put_enrolment(store, table);
}

/* "/attributes/0003/codes" */
#define ATTRIBUTE_PATH 48
static const char *attribute_path(char out[ATTRIBUTE_PATH], uint32_t a, const char *member) {
    snprintf(out, ATTRIBUTE_PATH, "/attributes/%04u%s%s", a, member[0] ? "/" : "", member);
    return out;
}

static assay_status put_attribute_words(assay_store *store, const char *path,
                                        const assay_attribute *attribute) {
    assay_status status = assay_store_put_text(store, path, "name", attribute->name);
    if (status) return status;
    status = assay_store_put_text(store, path, "kind", kind_words[attribute->kind]);
    if (status) return status;
    status = assay_store_put_text(store, path, "level", level_words[attribute->level]);
    if (status) return status;
    return assay_store_put_text(store, path, "source", assay_label_source_name(attribute->source));
}

static assay_status put_attribute(assay_store *store, const assay_sample_table *table, uint32_t a) {
    const assay_attribute *attribute = &table->attributes[a];
    const uint64_t rows = table->row_count, bins = attribute->label_count - ASSAY_CODE_FIRST;
    char path[ATTRIBUTE_PATH];
    assay_status status = assay_store_put_group(store, attribute_path(path, a, ""));
    if (status) return status;
    if ((status = put_attribute_words(store, path, attribute))) return status;
    status = assay_strings_write(store, attribute_path(path, a, "labels"), attribute->labels,
                                 attribute->label_count);
    if (status) return status;
    status = put_codes(store, attribute_path(path, a, "codes"), H5T_STD_U16LE, attribute->labels,
                       attribute->label_count, rows, attribute->codes);
    if (status || attribute->kind != ASSAY_ATTRIBUTE_NUMERIC) return status;
    status = put_column(store, attribute_path(path, a, "values"), H5T_IEEE_F64LE, rows,
                        attribute->values);
    if (status) return status;
    status = put_column(store, attribute_path(path, a, "bin_low"), H5T_IEEE_F64LE, bins,
                        attribute->bin_low);
    if (status) return status;
    return put_column(store, attribute_path(path, a, "bin_high"), H5T_IEEE_F64LE, bins,
                      attribute->bin_high);
}

assay_status assay_store_put_table(assay_store *store, const assay_sample_table *table) {
    static const char *const groups[] = {"/samples", "/subjects", "/labels", "/attributes"};
    assay_status status = assay_table_check(store->name, table);
    for (size_t n = 0; n < sizeof groups / sizeof groups[0] && status == ASSAY_OK; n++)
        status = assay_store_put_group(store, groups[n]);
    if (status) return status;
    status = assay_store_put_u64(store, "/samples", "count", table->row_count);
    if (status) return status;
    status = assay_store_put_u64(store, "/subjects", "count", table->subject_count);
    if (status) return status;
    status = assay_store_put_u64(store, "/attributes", "count", table->attribute_count);
    if (status) return status;
    if ((status = put_identities(store, table))) return status;
    for (size_t n = 0; n < LABELLED_COUNT; n++)
        if ((status = put_labelled(store, table, n))) return status;
    if ((status = put_measures(store, table))) return status;
    for (uint32_t a = 0; a < table->attribute_count; a++)
        if ((status = put_attribute(store, table, a))) return status;
    return ASSAY_OK;
}

/* ---- reading ---- */

static assay_status get_column(const assay_store *store, const char *path, hid_t type,
                               uint64_t rows, void *out) {
    assay_array array = {path, type, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    return assay_array_read(store, &array, out);
}

static void free_labels(char **labels, uint32_t count) {
    for (uint32_t n = 0; labels && n < count; n++) free(labels[n]);
    free(labels);
}

/* Replaces the labels that are there by those at path. */
static assay_status get_labels(const assay_store *store, const char *path, uint32_t least,
                               uint32_t most, char ***labels, uint32_t *label_count) {
    uint64_t dims[2];
    assay_status status = assay_array_shape(store, path, 1, dims);
    if (status) return status;
    if (dims[0] < least || dims[0] > most)
        return assay_store_wrong(store, path, "another number of labels");
    free_labels(*labels, *label_count);
    *labels = NULL;
    *label_count = 0;
    if ((status = assay_allocate(labels, dims[0], sizeof **labels, "labels"))) return status;
    *label_count = (uint32_t)dims[0];
    return assay_strings_read(store, path, dims[0], *labels);
}

static assay_status get_labelled(const assay_store *store, assay_sample_table *table, size_t n) {
    assay_labelled *column = labelled_at(table, n);
    char path[64];
    snprintf(path, sizeof path, "/labels/%s", labelled_columns[n].name);
    if (n == ROLE_COLUMN && !assay_store_has(store, path)) return ASSAY_OK;
    assay_status status =
        get_labels(store, path, 1, UINT32_MAX, &column->labels, &column->label_count);
    if (status) return status;
    snprintf(path, sizeof path, "/samples/%s", labelled_columns[n].name);
    return get_column(store, path, H5T_STD_U32LE, table->row_count, column->codes);
}

/* The ids a row must be those of the subjects a row; subjects are in range. */
static assay_status check_subject_ids(const assay_store *store, const assay_sample_table *table) {
    char **ids = NULL;
    const uint64_t rows = table->row_count;
    assay_status status = assay_allocate(&ids, rows, sizeof *ids, "subject ids");
    if (status) return status;
    status = assay_strings_read(store, "/samples/subject_id", rows, ids);
    for (uint64_t row = 0; row < rows && status == ASSAY_OK; row++)
        if (table->subject[row] >= table->subject_count ||
            strcmp(ids[row], table->subject_id[table->subject[row]]) != 0)
            status = assay_store_wrong(store, "/samples/subject_id", "the ids of /samples/subject");
    for (uint64_t row = 0; row < rows; row++) free(ids[row]);
    free(ids);
    return status;
}

static assay_status get_identities(const assay_store *store, assay_sample_table *table) {
    const uint64_t rows = table->row_count;
    assay_status status = assay_strings_read(store, "/samples/sample_id", rows, table->sample_id);
    if (status) return status;
    status =
        assay_strings_read(store, "/subjects/subject_id", table->subject_count, table->subject_id);
    if (status) return status;
    status = get_column(store, "/samples/subject", H5T_STD_U32LE, rows, table->subject);
    if (status) return status;
    if ((status = check_subject_ids(store, table))) return status;
    if (!assay_store_has(store, "/samples/path")) return ASSAY_OK;
    status = assay_allocate(&table->path, rows, sizeof *table->path, "paths");
    if (status) return status;
    status = assay_strings_read(store, "/samples/path", rows, table->path);
    for (uint64_t row = 0; row < rows && status == ASSAY_OK; row++) {
        if (table->path[row][0]) continue;
        free(table->path[row]); /* an empty path is how a sample without a file is kept */
        table->path[row] = NULL;
    }
    return status;
}

static assay_status get_measures(const assay_store *store, assay_sample_table *table) {
    const uint64_t rows = table->row_count;
    assay_array digests = {
        "/samples/image_sha256", H5T_STD_U8LE, 2, {rows, 32}, ASSAY_LAYOUT_CHUNKED};
    assay_status status =
        get_column(store, "/samples/captured", H5T_STD_I64LE, rows, table->captured);
    if (status) return status;
    status = get_column(store, "/samples/retain_until", H5T_STD_I64LE, rows, table->retain_until);
    if (status) return status;
    status = get_column(store, "/samples/quality", H5T_IEEE_F64LE, rows, table->quality);
    if (status) return status;
    if ((status = assay_array_read(store, &digests, table->image_digest))) return status;
    return get_column(store, "/samples/enrolment", H5T_STD_U8LE, rows, table->enrolment);
}

static assay_status get_word(const assay_store *store, const char *path, const char *name,
                             const char *const *words, int count, int *out) {
    char *word = NULL;
    assay_status status = assay_store_get_text(store, path, name, &word);
    if (status) return status;
    int found = 0;
    while (found < count && strcmp(word, words[found]) != 0) found++;
    if (found < count)
        *out = found;
    else
        status = assay_store_wrong(store, path, "a known kind and level");
    free(word);
    return status;
}

/* Adds the attribute whose words stand at path, without labels and codes. */
static assay_status add_attribute(const assay_store *store, const char *path,
                                  assay_sample_table *table, uint32_t *out) {
    char *name = NULL, *source_word = NULL;
    int kind = 0, level = 0;
    assay_label_source source;
    assay_status status = get_word(store, path, "kind", kind_words, 2, &kind);
    if (status) goto out;
    if ((status = get_word(store, path, "level", level_words, 2, &level))) goto out;
    if ((status = assay_store_get_text(store, path, "source", &source_word))) goto out;
    if ((status = assay_store_get_text(store, path, "name", &name))) goto out;
    if (!assay_label_source_parse(source_word, &source)) {
        status = assay_store_wrong(store, path, "a known source");
        goto out;
    }
    status = assay_sample_table_add_attribute(table, name, (assay_attribute_kind)kind,
                                              (assay_attribute_level)level, source, out);
    if (status) status = assay_fail_in(ASSAY_FAILED, "%s", store->name);
out:
    free(name);
    free(source_word);
    return status;
}

static assay_status get_bins(const assay_store *store, uint32_t a, const char *member,
                             uint64_t bins, double **out) {
    char path[ATTRIBUTE_PATH];
    free(*out);
    *out = NULL;
    assay_status status = assay_allocate(out, bins, sizeof **out, "bins");
    if (status) return status;
    return get_column(store, attribute_path(path, a, member), H5T_IEEE_F64LE, bins, *out);
}

static assay_status get_attribute(const assay_store *store, assay_sample_table *table, uint32_t a) {
    char path[ATTRIBUTE_PATH];
    uint32_t index = 0;
    assay_status status = add_attribute(store, attribute_path(path, a, ""), table, &index);
    if (status) return status;
    assay_attribute *attribute = &table->attributes[index];
    status = get_labels(store, attribute_path(path, a, "labels"), ASSAY_CODE_FIRST, UINT16_MAX,
                        &attribute->labels, &attribute->label_count);
    if (status) return status;
    status = get_column(store, attribute_path(path, a, "codes"), H5T_STD_U16LE, table->row_count,
                        attribute->codes);
    if (status || attribute->kind != ASSAY_ATTRIBUTE_NUMERIC) return status;
    const uint64_t bins = attribute->label_count - ASSAY_CODE_FIRST;
    status = get_column(store, attribute_path(path, a, "values"), H5T_IEEE_F64LE, table->row_count,
                        attribute->values);
    if (status) return status;
    if ((status = get_bins(store, a, "bin_low", bins, &attribute->bin_low))) return status;
    return get_bins(store, a, "bin_high", bins, &attribute->bin_high);
}

assay_status assay_store_get_table(const assay_store *store, assay_sample_table *out) {
    assay_sample_table table = {0};
    uint64_t rows, subjects, attributes;
    assay_status status = assay_store_get_u64(store, "/samples", "count", UINT32_MAX, &rows);
    if (status) goto out;
    if ((status = assay_store_get_u64(store, "/subjects", "count", UINT32_MAX, &subjects)))
        goto out;
    if ((status = assay_store_get_u64(store, "/attributes", "count", 9999, &attributes))) goto out;
    if ((status = assay_sample_table_create(rows, (uint32_t)subjects, &table))) goto out;
    if ((status = get_identities(store, &table))) goto out;
    for (size_t n = 0; n < LABELLED_COUNT; n++)
        if ((status = get_labelled(store, &table, n))) goto out;
    if ((status = get_measures(store, &table))) goto out;
    for (uint32_t a = 0; a < attributes; a++)
        if ((status = get_attribute(store, &table, a))) goto out;
    if ((status = assay_table_check(store->name, &table))) goto out;
    *out = table;
    memset(&table, 0, sizeof table);
out:
    assay_sample_table_free(&table);
    return status;
}
