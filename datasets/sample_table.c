/* sample_table -- the columns that say who and what each sample is: making, copying, digesting. */
#include "datasets/sample_table.h"

#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

enum { LABEL_LIMIT = 65535 }; /* codes of attributes are 16 bits */

static const char *const fixed_labels[ASSAY_CODE_FIRST] = {"(missing)", "(unknown)", "(several)"};

static const char *const enrolment_names[] = {
    [ASSAY_ENROLMENT_NONE] = "none",         [ASSAY_ENROLMENT_ENROLLED] = "enrolled",
    [ASSAY_ENROLMENT_REFUSED] = "refused",   [ASSAY_ENROLMENT_FAILED] = "failed",
    [ASSAY_ENROLMENT_EXCLUDED] = "excluded",
};

static const char *const source_names[] = {
    [ASSAY_SOURCE_NOT_STATED] = "not stated", [ASSAY_SOURCE_SELF_REPORTED] = "self-reported",
    [ASSAY_SOURCE_OFFICER] = "officer",       [ASSAY_SOURCE_DOCUMENT] = "document",
    [ASSAY_SOURCE_INFERRED] = "inferred",     [ASSAY_SOURCE_BY_CONSTRUCTION] = "by construction",
};

enum { SOURCE_COUNT = sizeof source_names / sizeof source_names[0] };
enum { ENROLMENT_COUNT = sizeof enrolment_names / sizeof enrolment_names[0] };

/* ---- making and freeing ---- */

static assay_status add_string(char ***list, uint32_t *count, const char *text) {
    char *copy = NULL;
    char **longer = NULL;
    assay_status status = assay_copy_string(&copy, text);
    if (status != ASSAY_OK) return status;
    longer = realloc(*list, ((size_t)*count + 1) * sizeof *longer);
    if (!longer) {
        free(copy);
        return assay_fail(ASSAY_FAILED, "no memory for the label '%s'", text);
    }
    *list = longer;
    longer[(*count)++] = copy;
    return ASSAY_OK;
}

static assay_status create_labelled(assay_labelled *column, size_t rows) {
    assay_status status = assay_allocate(&column->codes, rows, sizeof *column->codes, "labels");
    if (status != ASSAY_OK) return status;
    return add_string(&column->labels, &column->label_count, "");
}

static void free_strings(char **strings, uint64_t count) {
    for (uint64_t n = 0; strings && n < count; n++) free(strings[n]);
    free(strings);
}

static void free_labelled(assay_labelled *column) {
    free_strings(column->labels, column->label_count);
    free(column->codes);
}

static void free_attribute(assay_attribute *attribute) {
    free(attribute->name);
    free_strings(attribute->labels, attribute->label_count);
    free(attribute->codes);
    free(attribute->values);
    free(attribute->bin_low);
    free(attribute->bin_high);
}

assay_status assay_sample_table_create(uint64_t rows, uint32_t subjects, assay_sample_table *out) {
    assay_sample_table table = {.row_count = rows, .subject_count = subjects};
    assay_labelled *const labelled[] = {&table.instance,    &table.session,
                                        &table.environment, &table.legal_basis,
                                        &table.role,        &table.enrolment_reason};
    assay_status status = ASSAY_OK;

    if (rows > UINT32_MAX) {
        return assay_fail(ASSAY_USAGE,
                          "a table of %llu samples is larger than the %u that row "
                          "numbers can hold",
                          (unsigned long long)rows, UINT32_MAX);
    }
    status = assay_allocate(&table.sample_id, rows, sizeof *table.sample_id, "sample ids");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&table.subject_id, subjects, sizeof *table.subject_id, "subject ids");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&table.subject, rows, sizeof *table.subject, "subjects of samples");
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0; n < sizeof labelled / sizeof labelled[0]; n++) {
        status = create_labelled(labelled[n], rows);
        if (status != ASSAY_OK) goto out;
    }
    status = assay_allocate(&table.captured, rows, sizeof *table.captured, "capture times");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&table.retain_until, rows, sizeof *table.retain_until, "retention");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&table.quality, rows, sizeof *table.quality, "qualities");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&table.image_digest, rows, sizeof *table.image_digest, "digests");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&table.enrolment, rows, sizeof *table.enrolment, "enrolments");
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < rows; row++) {
        table.captured[row] = table.retain_until[row] = ASSAY_TIME_MISSING;
        table.quality[row] = NAN;
    }
    *out = table;
    memset(&table, 0, sizeof table);
out:
    assay_sample_table_free(&table);
    return status;
}

void assay_sample_table_free(assay_sample_table *table) {
    if (!table) return;
    free_strings(table->sample_id, table->row_count);
    free_strings(table->subject_id, table->subject_count);
    free_strings(table->path, table->row_count);
    free(table->subject);
    free_labelled(&table->instance);
    free_labelled(&table->session);
    free_labelled(&table->environment);
    free_labelled(&table->legal_basis);
    free_labelled(&table->role);
    free_labelled(&table->enrolment_reason);
    free(table->captured);
    free(table->retain_until);
    free(table->quality);
    free(table->image_digest);
    free(table->enrolment);
    for (uint32_t n = 0; n < table->attribute_count; n++) free_attribute(&table->attributes[n]);
    free(table->attributes);
    memset(table, 0, sizeof *table);
}

/* ---- adding ---- */

static assay_status create_attribute(assay_attribute *attribute, uint64_t rows, const char *name,
                                     assay_attribute_kind kind) {
    assay_status status = assay_copy_string(&attribute->name, name);
    if (status != ASSAY_OK) return status;
    for (int n = 0; n < ASSAY_CODE_FIRST; n++) {
        status = add_string(&attribute->labels, &attribute->label_count, fixed_labels[n]);
        if (status != ASSAY_OK) return status;
    }
    status = assay_allocate(&attribute->codes, rows, sizeof *attribute->codes, "attribute codes");
    if (status != ASSAY_OK || kind != ASSAY_ATTRIBUTE_NUMERIC) return status;
    status =
        assay_allocate(&attribute->values, rows, sizeof *attribute->values, "attribute values");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < rows; row++) attribute->values[row] = NAN;
    status = assay_allocate(&attribute->bin_low, 0, sizeof *attribute->bin_low, "bins");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&attribute->bin_high, 0, sizeof *attribute->bin_high, "bins");
}

assay_status assay_sample_table_add_attribute(assay_sample_table *table, const char *name,
                                              assay_attribute_kind kind,
                                              assay_attribute_level level,
                                              assay_label_source source, uint32_t *out) {
    assay_attribute attribute = {.kind = kind, .level = level, .source = source};
    assay_attribute *longer = NULL;
    assay_status status = ASSAY_OK;

    if (assay_sample_table_attribute(table, name)) {
        return assay_fail(ASSAY_USAGE, "the attribute '%s' is there twice", name);
    }
    status = create_attribute(&attribute, table->row_count, name, kind);
    if (status != ASSAY_OK) goto out;
    longer = realloc(table->attributes, ((size_t)table->attribute_count + 1) * sizeof *longer);
    if (!longer) {
        status = assay_fail(ASSAY_FAILED, "no memory for the attribute '%s'", name);
        goto out;
    }
    table->attributes = longer;
    longer[table->attribute_count] = attribute;
    memset(&attribute, 0, sizeof attribute);
    *out = table->attribute_count++;
out:
    free_attribute(&attribute);
    return status;
}

/* Room for one more bin, its limits unknown until the caller writes them. */
static assay_status add_bin(assay_attribute *attribute) {
    double **const limits[] = {&attribute->bin_low, &attribute->bin_high};
    size_t bins = attribute->label_count - ASSAY_CODE_FIRST;
    for (size_t n = 0; n < 2; n++) {
        double *longer = realloc(*limits[n], (bins + 1) * sizeof *longer);
        if (!longer) {
            return assay_fail(ASSAY_FAILED, "no memory for a bin of '%s'", attribute->name);
        }
        longer[bins] = NAN;
        *limits[n] = longer;
    }
    return ASSAY_OK;
}

assay_status assay_attribute_add_label(assay_attribute *attribute, const char *label,
                                       uint16_t *out) {
    assay_status status = ASSAY_OK;
    uint32_t code = attribute->label_count;
    if (code >= LABEL_LIMIT) {
        return assay_fail(ASSAY_USAGE,
                          "the attribute '%s' has more than %d different values; "
                          "declare it numeric with bins, or leave it out",
                          attribute->name, LABEL_LIMIT - ASSAY_CODE_FIRST);
    }
    if (attribute->kind == ASSAY_ATTRIBUTE_NUMERIC) {
        status = add_bin(attribute);
        if (status != ASSAY_OK) return status;
    }
    status = add_string(&attribute->labels, &attribute->label_count, label);
    if (status == ASSAY_OK) *out = (uint16_t)code;
    return status;
}

assay_status assay_labelled_set(assay_labelled *column, uint64_t row, const char *label) {
    for (uint32_t code = 0; code < column->label_count; code++) {
        if (strcmp(column->labels[code], label) == 0) {
            column->codes[row] = code;
            return ASSAY_OK;
        }
    }
    assay_status status = add_string(&column->labels, &column->label_count, label);
    if (status == ASSAY_OK) column->codes[row] = column->label_count - 1;
    return status;
}

/* ---- copying ---- */

static assay_status copy_bytes(void *out_pointer, const void *from, size_t count, size_t size) {
    void *copy = NULL;
    assay_status status = assay_allocate(&copy, count, size, "a copy of the sample table");
    if (status != ASSAY_OK) return status;
    if (from && count) memcpy(copy, from, count * size);
    memcpy(out_pointer, &copy, sizeof copy);
    return ASSAY_OK;
}

/* *out is set at once, so that the owner can free what was copied before a failure. */
static assay_status copy_strings(char ***out, char *const *from, size_t count) {
    assay_status status = assay_allocate(out, count, sizeof **out, "a copy of the sample table");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        if (from[n]) status = assay_copy_string(&(*out)[n], from[n]);
    }
    return status;
}

static assay_status copy_labelled(assay_labelled *to, const assay_labelled *from, size_t rows) {
    free_labelled(to);
    memset(to, 0, sizeof *to);
    to->label_count = from->label_count;
    assay_status status = copy_strings(&to->labels, from->labels, from->label_count);
    if (status != ASSAY_OK) return status;
    return copy_bytes(&to->codes, from->codes, rows, sizeof *to->codes);
}

static assay_status copy_attribute(assay_attribute *to, const assay_attribute *from, size_t rows) {
    size_t bins = from->label_count - ASSAY_CODE_FIRST;
    to->kind = from->kind;
    to->level = from->level;
    to->source = from->source;
    to->label_count = from->label_count;
    assay_status status = copy_strings(&to->labels, from->labels, from->label_count);
    if (status != ASSAY_OK) return status;
    status = assay_copy_string(&to->name, from->name);
    if (status != ASSAY_OK) return status;
    status = copy_bytes(&to->codes, from->codes, rows, sizeof *to->codes);
    if (status != ASSAY_OK) return status;
    if (from->values) {
        status = copy_bytes(&to->values, from->values, rows, sizeof *to->values);
        if (status != ASSAY_OK) return status;
    }
    if (from->bin_low) {
        status = copy_bytes(&to->bin_low, from->bin_low, bins, sizeof *to->bin_low);
        if (status != ASSAY_OK) return status;
    }
    if (from->bin_high) {
        status = copy_bytes(&to->bin_high, from->bin_high, bins, sizeof *to->bin_high);
    }
    return status;
}

static assay_status copy_ids(assay_sample_table *to, const assay_sample_table *from) {
    for (uint64_t row = 0; row < from->row_count; row++) {
        if (!from->sample_id[row]) continue;
        assay_status status = assay_copy_string(&to->sample_id[row], from->sample_id[row]);
        if (status != ASSAY_OK) return status;
    }
    for (uint32_t n = 0; n < from->subject_count; n++) {
        if (!from->subject_id[n]) continue;
        assay_status status = assay_copy_string(&to->subject_id[n], from->subject_id[n]);
        if (status != ASSAY_OK) return status;
    }
    return from->path ? copy_strings(&to->path, from->path, from->row_count) : ASSAY_OK;
}

assay_status assay_sample_table_copy(const assay_sample_table *from, assay_sample_table *out) {
    assay_sample_table to = {0};
    size_t rows = from->row_count;
    assay_status status = assay_sample_table_create(rows, from->subject_count, &to);
    if (status != ASSAY_OK) return status;
    const struct {
        assay_labelled *to;
        const assay_labelled *from;
    } labelled[] = {
        {&to.instance, &from->instance},
        {&to.session, &from->session},
        {&to.environment, &from->environment},
        {&to.legal_basis, &from->legal_basis},
        {&to.role, &from->role},
        {&to.enrolment_reason, &from->enrolment_reason},
    };

    status = copy_ids(&to, from);
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0; n < sizeof labelled / sizeof labelled[0]; n++) {
        status = copy_labelled(labelled[n].to, labelled[n].from, rows);
        if (status != ASSAY_OK) goto out;
    }
    if (rows) {
        memcpy(to.subject, from->subject, rows * sizeof *to.subject);
        memcpy(to.captured, from->captured, rows * sizeof *to.captured);
        memcpy(to.retain_until, from->retain_until, rows * sizeof *to.retain_until);
        memcpy(to.quality, from->quality, rows * sizeof *to.quality);
        memcpy(to.image_digest, from->image_digest, rows * sizeof *to.image_digest);
        memcpy(to.enrolment, from->enrolment, rows * sizeof *to.enrolment);
    }
    status = assay_allocate(&to.attributes, from->attribute_count, sizeof *to.attributes,
                            "a copy of the attributes");
    if (status != ASSAY_OK) goto out;
    to.attribute_count = from->attribute_count;
    for (uint32_t n = 0; n < from->attribute_count; n++) {
        status = copy_attribute(&to.attributes[n], &from->attributes[n], rows);
        if (status != ASSAY_OK) goto out;
    }
    *out = to;
    memset(&to, 0, sizeof to);
out:
    assay_sample_table_free(&to);
    return status;
}

/* ---- roles ---- */

bool assay_sample_table_has_roles(const assay_sample_table *table) {
    return table->role.label_count > 1;
}

uint64_t assay_sample_table_samples(const assay_sample_table *table) {
    uint64_t samples = 0;
    if (!assay_sample_table_has_roles(table)) return table->row_count;
    for (uint64_t row = 0; row < table->row_count; row++) {
        samples += table->role.codes[row] != ASSAY_STANDS_PROBE;
    }
    return samples;
}

static assay_status digest_labels(const assay_sample_table *table, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status == ASSAY_OK) {
        assay_sample_table_digest(table, false, digester);
        status = assay_digester_finish(digester, out);
    }
    assay_digester_free(digester);
    return status;
}

static assay_status check_alike(const assay_sample_table *references,
                                const assay_sample_table *probes) {
    assay_digest x, y;
    if (references == probes) return ASSAY_OK;
    assay_status status = digest_labels(references, &x);
    if (status == ASSAY_OK) status = digest_labels(probes, &y);
    if (status != ASSAY_OK || assay_digest_equal(&x, &y)) return status;
    return assay_fail(ASSAY_USAGE,
                      "references and probes are not of the same samples: %llu samples of %u "
                      "subjects, and %llu of %u, expected the same ones with the same labels",
                      (unsigned long long)references->row_count, references->subject_count,
                      (unsigned long long)probes->row_count, probes->subject_count);
}

/* column holds rows items of size bytes, and holds them twice afterwards. */
static assay_status repeat_column(void *column, uint64_t rows, size_t size) {
    void *items = NULL;
    memcpy(&items, column, sizeof items);
    char *longer = realloc(items, 2 * (size_t)rows * size + 1);
    if (!longer) return assay_fail(ASSAY_FAILED, "no memory for a sample table in roles");
    memcpy(column, &longer, sizeof longer);
    memcpy(longer + rows * size, longer, rows * size);
    return ASSAY_OK;
}

/* Room for as many strings again, NULL until they are copied. */
static assay_status stretch_strings(char ***column, uint64_t rows) {
    char **longer = NULL;
    const assay_status status = assay_allocate(&longer, 2 * rows, sizeof *longer, "texts");
    if (status != ASSAY_OK) return status;
    if (rows) memcpy(longer, *column, rows * sizeof *longer);
    free(*column);
    *column = longer;
    return ASSAY_OK;
}

static assay_status repeat_strings(char **column, uint64_t rows) {
    assay_status status = ASSAY_OK;
    for (uint64_t row = 0; status == ASSAY_OK && row < rows; row++) {
        if (column[row]) status = assay_copy_string(&column[rows + row], column[row]);
    }
    return status;
}

static assay_status repeat_attributes(assay_sample_table *table, uint64_t rows) {
    for (uint32_t n = 0; n < table->attribute_count; n++) {
        assay_attribute *attribute = &table->attributes[n];
        assay_status status = repeat_column(&attribute->codes, rows, sizeof *attribute->codes);
        if (status != ASSAY_OK) return status;
        if (!attribute->values) continue;
        status = repeat_column(&attribute->values, rows, sizeof *attribute->values);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

/* Every column twice. */
static assay_status repeat_rows(assay_sample_table *table) {
    const uint64_t rows = table->row_count;
    const struct {
        void *column;
        size_t size;
    } columns[] = {
        {&table->subject, sizeof *table->subject},
        {&table->instance.codes, sizeof *table->instance.codes},
        {&table->session.codes, sizeof *table->session.codes},
        {&table->environment.codes, sizeof *table->environment.codes},
        {&table->legal_basis.codes, sizeof *table->legal_basis.codes},
        {&table->role.codes, sizeof *table->role.codes},
        {&table->enrolment_reason.codes, sizeof *table->enrolment_reason.codes},
        {&table->captured, sizeof *table->captured},
        {&table->retain_until, sizeof *table->retain_until},
        {&table->quality, sizeof *table->quality},
        {&table->image_digest, sizeof *table->image_digest},
        {&table->enrolment, sizeof *table->enrolment},
    };
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof columns / sizeof *columns; n++) {
        status = repeat_column(columns[n].column, rows, columns[n].size);
    }
    if (status == ASSAY_OK) status = repeat_attributes(table, rows);
    if (status == ASSAY_OK && table->path) status = stretch_strings(&table->path, rows);
    if (status == ASSAY_OK) status = stretch_strings(&table->sample_id, rows);
    if (status != ASSAY_OK) return status;
    table->row_count = 2 * rows;
    if (table->path) status = repeat_strings(table->path, rows);
    return status == ASSAY_OK ? repeat_strings(table->sample_id, rows) : status;
}

static assay_status set_roles(assay_sample_table *table, const assay_sample_table *probes) {
    const uint64_t samples = probes->row_count;
    assay_status status = add_string(&table->role.labels, &table->role.label_count, "reference");
    if (status == ASSAY_OK) {
        status = add_string(&table->role.labels, &table->role.label_count, "probe");
    }
    for (uint64_t row = 0; status == ASSAY_OK && row < samples; row++) {
        table->role.codes[row] = ASSAY_STANDS_REFERENCE;
        table->role.codes[samples + row] = ASSAY_STANDS_PROBE;
        table->enrolment[samples + row] = probes->enrolment[row];
        const assay_labelled *reasons = &probes->enrolment_reason;
        status = assay_labelled_set(&table->enrolment_reason, samples + row,
                                    reasons->labels[reasons->codes[row]]);
    }
    return status;
}

assay_status assay_sample_table_in_roles(const assay_sample_table *references,
                                         const assay_sample_table *probes,
                                         assay_sample_table *out) {
    assay_sample_table table = {0};
    if (assay_sample_table_has_roles(references) || assay_sample_table_has_roles(probes)) {
        return assay_fail(ASSAY_USAGE, "the samples stand in roles already: references or probes "
                                       "of them cannot be taken apart again");
    }
    if (references->row_count > UINT32_MAX / 2) {
        return assay_fail(ASSAY_USAGE,
                          "%llu samples as references and as probes are more rows than the %u that "
                          "row numbers can hold",
                          (unsigned long long)references->row_count, UINT32_MAX);
    }
    assay_status status = check_alike(references, probes);
    if (status != ASSAY_OK) return status;
    status = assay_sample_table_copy(references, &table);
    if (status == ASSAY_OK) status = repeat_rows(&table);
    if (status == ASSAY_OK) status = set_roles(&table, probes);
    if (status == ASSAY_OK) {
        *out = table;
        memset(&table, 0, sizeof table);
    }
    assay_sample_table_free(&table);
    return status;
}

/* ---- leaving rows out ---- */

/* Subjects that still have a row, in their order. */
static assay_status keep_subjects(assay_sample_table *table, const uint8_t *keep) {
    uint32_t *subject_of = NULL, kept = 0;
    assay_status status = assay_allocate(&subject_of, table->subject_count, sizeof *subject_of,
                                         "subjects that are kept");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; row++)
        if (keep[row]) subject_of[table->subject[row]] = 1;
    for (uint32_t n = 0; n < table->subject_count; n++) {
        char *id = table->subject_id[n];
        if (subject_of[n]) {
            subject_of[n] = kept;
            table->subject_id[kept++] = id;
        } else {
            free(id);
        }
    }
    for (uint32_t n = kept; n < table->subject_count; n++) table->subject_id[n] = NULL;
    table->subject_count = kept;
    for (uint64_t row = 0; row < table->row_count; row++)
        if (keep[row]) table->subject[row] = subject_of[table->subject[row]];
    free(subject_of);
    return ASSAY_OK;
}

/* Every column of row from becomes that of row to, which is none that is kept. */
static void move_row(assay_sample_table *table, uint64_t from, uint64_t to) {
    assay_labelled *const labelled[] = {&table->instance,    &table->session,
                                        &table->environment, &table->legal_basis,
                                        &table->role,        &table->enrolment_reason};
    for (size_t n = 0; n < sizeof labelled / sizeof *labelled; n++)
        labelled[n]->codes[to] = labelled[n]->codes[from];
    table->subject[to] = table->subject[from];
    table->captured[to] = table->captured[from];
    table->retain_until[to] = table->retain_until[from];
    table->quality[to] = table->quality[from];
    table->image_digest[to] = table->image_digest[from];
    table->enrolment[to] = table->enrolment[from];
    for (uint32_t n = 0; n < table->attribute_count; n++) {
        assay_attribute *attribute = &table->attributes[n];
        attribute->codes[to] = attribute->codes[from];
        if (attribute->values) attribute->values[to] = attribute->values[from];
    }
}

assay_status assay_sample_table_keep(assay_sample_table *table, const uint8_t *keep,
                                     uint32_t *row_of) {
    uint64_t kept = 0;
    assay_status status = keep_subjects(table, keep);
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; row++) {
        char *id = table->sample_id[row], *path = table->path ? table->path[row] : NULL;
        table->sample_id[row] = NULL;
        if (table->path) table->path[row] = NULL;
        if (keep[row]) {
            table->sample_id[kept] = id;
            if (table->path) table->path[kept] = path;
            move_row(table, row, kept);
            row_of[row] = (uint32_t)kept++;
        } else {
            free(id);
            free(path);
            row_of[row] = UINT32_MAX;
        }
    }
    table->row_count = kept;
    return ASSAY_OK;
}

const assay_attribute *assay_sample_table_attribute(const assay_sample_table *table,
                                                    const char *name) {
    for (uint32_t n = 0; n < table->attribute_count; n++) {
        if (strcmp(table->attributes[n].name, name) == 0) return &table->attributes[n];
    }
    return NULL;
}

/* ---- digest ----
 *
 * Canonical order. Notation: string is a 64-bit little-endian length and its bytes; u64 is 8 bytes,
 * little endian; double is the u64 of its IEEE 754 bits, every NaN as 0x7ff8000000000000 and -0 as
 * itself; time is the u64 of the two's complement seconds, ASSAY_TIME_MISSING where missing.
 *
 *   string "assay-sample-table/1", u64 row_count
 *   string "sample_id",    a string a row
 *   string "subject_id",   a string a row: the subject's id (numbers of subjects play no part)
 *   string "path",         u64 1 and a string a row; or u64 0 where the table has no paths
 *   string "instance",     a string a row: the label, never its code
 *   string "session",      likewise
 *   string "environment",  likewise
 *   string "legal_basis",  likewise
 *   string "role",         likewise, of a table in roles only
 *   string "captured",     a time a row
 *   string "retain_until", a time a row
 *   string "quality",      a double a row
 *   string "image_digest", 32 bytes a row
 *   where enrolment is asked for:
 *     string "enrolment",        a u64 a row
 *     string "enrolment_reason", a string a row: the label
 *   string "attributes", u64 attribute_count, and for each in the table's order:
 *     string name, u64 kind, u64 level, u64 source,
 *     u64 label_count, a string a label (the three fixed ones too),
 *     string "codes", a u64 a row,
 *     NUMERIC only: string "values", a double a row; string "bins", two doubles a bin: low, high */

static void digest_double(assay_digester *digester, double value) {
    uint64_t bits = 0x7ff8000000000000u;
    if (!isnan(value)) memcpy(&bits, &value, sizeof bits);
    assay_digester_add_u64(digester, bits);
}

static void digest_strings(assay_digester *digester, const char *name, char *const *strings,
                           uint64_t rows) {
    assay_digester_add_string(digester, name);
    for (uint64_t row = 0; row < rows; row++) {
        assay_digester_add_string(digester, strings[row] ? strings[row] : "");
    }
}

static void digest_labelled(assay_digester *digester, const char *name,
                            const assay_labelled *column, uint64_t rows) {
    assay_digester_add_string(digester, name);
    for (uint64_t row = 0; row < rows; row++) {
        assay_digester_add_string(digester, column->labels[column->codes[row]]);
    }
}

static void digest_times(assay_digester *digester, const char *name, const int64_t *times,
                         uint64_t rows) {
    assay_digester_add_string(digester, name);
    for (uint64_t row = 0; row < rows; row++) {
        assay_digester_add_u64(digester, (uint64_t)times[row]);
    }
}

static void digest_attribute(assay_digester *digester, const assay_attribute *attribute,
                             uint64_t rows) {
    assay_digester_add_string(digester, attribute->name);
    assay_digester_add_u64(digester, (uint64_t)attribute->kind);
    assay_digester_add_u64(digester, (uint64_t)attribute->level);
    assay_digester_add_u64(digester, (uint64_t)attribute->source);
    assay_digester_add_u64(digester, attribute->label_count);
    for (uint32_t n = 0; n < attribute->label_count; n++) {
        assay_digester_add_string(digester, attribute->labels[n]);
    }
    assay_digester_add_string(digester, "codes");
    for (uint64_t row = 0; row < rows; row++) {
        assay_digester_add_u64(digester, attribute->codes[row]);
    }
    if (attribute->kind != ASSAY_ATTRIBUTE_NUMERIC) return;
    assay_digester_add_string(digester, "values");
    for (uint64_t row = 0; row < rows; row++) digest_double(digester, attribute->values[row]);
    assay_digester_add_string(digester, "bins");
    for (uint32_t n = 0; n + ASSAY_CODE_FIRST < attribute->label_count; n++) {
        digest_double(digester, attribute->bin_low[n]);
        digest_double(digester, attribute->bin_high[n]);
    }
}

void assay_sample_table_digest(const assay_sample_table *table, bool with_enrolment,
                               assay_digester *digester) {
    uint64_t rows = table->row_count;

    assay_digester_add_string(digester, "assay-sample-table/1");
    assay_digester_add_u64(digester, rows);
    digest_strings(digester, "sample_id", table->sample_id, rows);
    assay_digester_add_string(digester, "subject_id");
    for (uint64_t row = 0; row < rows; row++) {
        assay_digester_add_string(digester, table->subject_id[table->subject[row]]);
    }
    assay_digester_add_string(digester, "path");
    assay_digester_add_u64(digester, table->path ? 1 : 0);
    for (uint64_t row = 0; table->path && row < rows; row++) {
        assay_digester_add_string(digester, table->path[row] ? table->path[row] : "");
    }
    digest_labelled(digester, "instance", &table->instance, rows);
    digest_labelled(digester, "session", &table->session, rows);
    digest_labelled(digester, "environment", &table->environment, rows);
    digest_labelled(digester, "legal_basis", &table->legal_basis, rows);
    if (assay_sample_table_has_roles(table)) digest_labelled(digester, "role", &table->role, rows);
    digest_times(digester, "captured", table->captured, rows);
    digest_times(digester, "retain_until", table->retain_until, rows);
    assay_digester_add_string(digester, "quality");
    for (uint64_t row = 0; row < rows; row++) digest_double(digester, table->quality[row]);
    assay_digester_add_string(digester, "image_digest");
    for (uint64_t row = 0; row < rows; row++) {
        assay_digester_add(digester, table->image_digest[row].bytes,
                           sizeof table->image_digest[row].bytes);
    }
    if (with_enrolment) {
        assay_digester_add_string(digester, "enrolment");
        for (uint64_t row = 0; row < rows; row++) {
            assay_digester_add_u64(digester, table->enrolment[row]);
        }
        digest_labelled(digester, "enrolment_reason", &table->enrolment_reason, rows);
    }
    assay_digester_add_string(digester, "attributes");
    assay_digester_add_u64(digester, table->attribute_count);
    for (uint32_t n = 0; n < table->attribute_count; n++) {
        digest_attribute(digester, &table->attributes[n], rows);
    }
}

/* ---- names ---- */

const char *assay_enrolment_name(assay_enrolment enrolment) {
    return (unsigned)enrolment < ENROLMENT_COUNT ? enrolment_names[enrolment] : "?";
}

const char *assay_label_source_name(assay_label_source source) {
    return (unsigned)source < SOURCE_COUNT ? source_names[source] : "?";
}

bool assay_label_source_parse(const char *text, assay_label_source *out) {
    for (int n = 0; n < SOURCE_COUNT; n++) {
        if (strcmp(text, source_names[n]) == 0) {
            *out = (assay_label_source)n;
            return true;
        }
    }
    return false;
}
