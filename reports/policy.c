/* policy -- the release gate's YAML file, read in one pass that tells every fault (policy.h). */
#include "reports/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/yaml.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define ATTRIBUTES_MOST 16
#define LIST_BYTES_MOST ((size_t)256 << 20)

/* ---- pieces ---- */

static assay_status take_string(assay_yaml *yaml, const assay_yaml_node *node, char **out) {
    const char *text;
    if (!assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    const char *fault = assay_name_fault(text, strlen(text));
    if (fault) {
        assay_yaml_fault(yaml, node->line, node->column, "this text %s", fault);
        return ASSAY_OK;
    }
    return assay_copy_string(out, text);
}

static assay_status take_path(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                              char **out) {
    const char *text;
    if (!assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    return assay_path_join(out, base, text);
}

/* A number of a map's key; *out stays NaN where it is not there. */
static void take_number(assay_yaml *yaml, const assay_yaml_node *map, const char *key, double low,
                        double high, double *out) {
    const assay_yaml_node *node = assay_yaml_get(map, key);
    if (node) assay_yaml_double(yaml, node, low, high, out);
}

static bool is_map(assay_yaml *yaml, const assay_yaml_node *node, const char *const *keys,
                   size_t count) {
    if (!node) return false;
    assay_yaml_check_keys(yaml, node, keys, count);
    return node->kind == ASSAY_YAML_MAP;
}

static assay_policy_limits nothing_asked(void) {
    double none = (double)NAN;
    return (assay_policy_limits){none, none, none, none, none, none};
}

/* ---- the threshold ---- */

static void read_threshold(assay_yaml *yaml, const assay_yaml_node *node, assay_policy *policy) {
    static const char *const keys[] = {"fmr", "reference", "candidate"};
    if (!node) return;
    if (node->kind == ASSAY_YAML_SCALAR) {
        if (assay_yaml_double(yaml, node, -1e300, 1e300, &policy->threshold_candidate))
            policy->threshold_reference = policy->threshold_candidate;
        return;
    }
    if (node->kind != ASSAY_YAML_MAP) {
        assay_yaml_fault(yaml, node->line, node->column,
                         "expected one threshold for everybody: a number, { fmr: 1e-4 }, or "
                         "{ reference: 0.31, candidate: 0.34 }; thresholds by group are refused");
        return;
    }
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) {
        assay_yaml_fault(yaml, node->line, node->column,
                         "the gate judges at one deployment threshold for everybody; thresholds by "
                         "group are refused");
        return;
    }
    take_number(yaml, node, "fmr", 1e-15, 0.5, &policy->fmr_rule);
    take_number(yaml, node, "reference", -1e300, 1e300, &policy->threshold_reference);
    take_number(yaml, node, "candidate", -1e300, 1e300, &policy->threshold_candidate);
    bool rule = assay_yaml_get(node, "fmr"), given = assay_yaml_get(node, "candidate");
    if (rule == given || (rule && assay_yaml_get(node, "reference")))
        assay_yaml_fault(yaml, node->line, node->column,
                         "expected either `fmr`, or `candidate` with `reference` where a reference "
                         "release is compared with");
}

/* ---- data ---- */

static assay_status read_data(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                              assay_policy *policy) {
    static const char *const keys[] = {"subjects", "disclosed", "minimum"};
    static const char *const of_minimum[] = {"subjects", "mated_subjects", "mated", "non_mated"};
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    assay_status status =
        take_path(yaml, assay_yaml_get(node, "subjects"), base, &policy->subjects_path);
    if (status == ASSAY_OK)
        status = take_path(yaml, assay_yaml_get(node, "disclosed"), base, &policy->disclosed_path);
    const assay_yaml_node *minimum = assay_yaml_get(node, "minimum");
    uint64_t *const into[] = {&policy->minimum_subjects, &policy->minimum_mated_subjects,
                              &policy->minimum_mated, &policy->minimum_non_mated};
    if (!is_map(yaml, minimum, of_minimum, COUNT_OF(of_minimum))) return status;
    for (size_t n = 0; n < COUNT_OF(into); ++n) {
        const assay_yaml_node *value = assay_yaml_get(minimum, of_minimum[n]);
        if (value) assay_yaml_uint(yaml, value, 1, UINT64_C(1) << 60, into[n]);
    }
    return status;
}

/* ---- criteria ---- */

static void need_some(assay_yaml *yaml, const assay_yaml_node *node, double a, double b,
                      const char *what) {
    if (isnan(a) && isnan(b) && !yaml->fault_count)
        assay_yaml_fault(yaml, node->line, node->column, "expected %s", what);
}

static void read_gfnmr(assay_yaml *yaml, const assay_yaml_node *node, assay_policy_limits *limits) {
    static const char *const keys[] = {"margin", "limit"};
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return;
    take_number(yaml, node, "margin", 1e-9, 1, &limits->gfnmr_margin);
    take_number(yaml, node, "limit", 1e-9, 1, &limits->gfnmr_limit);
    need_some(yaml, node, limits->gfnmr_margin, limits->gfnmr_limit, "a `margin` or a `limit`");
}

static void read_fte(assay_yaml *yaml, const assay_yaml_node *node, assay_policy_limits *limits) {
    static const char *const keys[] = {"margin", "limit"};
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return;
    take_number(yaml, node, "margin", 1e-9, 1, &limits->fte_margin);
    take_number(yaml, node, "limit", 1e-9, 1, &limits->fte_limit);
    need_some(yaml, node, limits->fte_margin, limits->fte_limit, "a `margin` or a `limit`");
}

static void read_fmr_of_groups(assay_yaml *yaml, const assay_yaml_node *node,
                               assay_policy_limits *limits) {
    static const char *const keys[] = {"limit", "ratio"};
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return;
    take_number(yaml, node, "limit", 1e-15, 1, &limits->fmr_limit);
    take_number(yaml, node, "ratio", 1.0001, 1e6, &limits->fmr_ratio);
    need_some(yaml, node, limits->fmr_limit, limits->fmr_ratio, "a `limit` or a `ratio`");
}

static void read_fmr(assay_yaml *yaml, const assay_yaml_node *node, assay_policy *policy) {
    static const char *const keys[] = {"claimed", "tolerance", "ratio"};
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return;
    if (assay_yaml_need(yaml, node, "claimed"))
        take_number(yaml, node, "claimed", 1e-15, 1, &policy->claimed_fmr);
    policy->tolerance = 1;
    take_number(yaml, node, "tolerance", 1, 100, &policy->tolerance);
    take_number(yaml, node, "ratio", 1.0001, 1e6, &policy->everybody.fmr_ratio);
    policy->everybody.fmr_limit = policy->claimed_fmr * policy->tolerance;
}

static assay_status read_by(assay_yaml *yaml, const assay_yaml_node *node, assay_policy *policy) {
    if (!node) return ASSAY_OK;
    if (node->kind != ASSAY_YAML_LIST || !node->count || node->count > ATTRIBUTES_MOST) {
        assay_yaml_fault(yaml, node->line, node->column,
                         "expected a list of 1 to %d attributes: [sex, age_band]", ATTRIBUTES_MOST);
        return ASSAY_OK;
    }
    assay_status status =
        assay_allocate(&policy->by, node->count, sizeof *policy->by, "attributes");
    for (size_t n = 0; status == ASSAY_OK && n < node->count; ++n) {
        const char *text;
        if (!assay_yaml_string(yaml, node->items[n], &text)) continue;
        for (size_t k = 0; k < policy->by_count; ++k)
            if (!strcmp(policy->by[k], text))
                assay_yaml_fault(yaml, node->items[n]->line, node->items[n]->column,
                                 "'%s' stands here twice", text);
        status = assay_copy_string(&policy->by[policy->by_count], text);
        policy->by_count += status == ASSAY_OK;
    }
    return status;
}

static assay_status read_groups(assay_yaml *yaml, const assay_yaml_node *node,
                                assay_policy *policy) {
    static const char *const keys[] = {"by", "minimum_subjects", "too_small", "gfnmr", "fmr",
                                       "fte"};
    static const char *const words[] = {"not-enough-data", "list"};
    size_t word = 0;
    if (!node) return ASSAY_OK;
    const assay_yaml_node *threshold = assay_yaml_get(node, "threshold");
    if (!threshold) threshold = assay_yaml_get(node, "thresholds");
    if (threshold)
        assay_yaml_fault(yaml, threshold->line, threshold->column,
                         "thresholds by group are refused: everybody meets the same one");
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    assay_status status = read_by(yaml, assay_yaml_need(yaml, node, "by"), policy);
    const assay_yaml_node *minimum = assay_yaml_get(node, "minimum_subjects");
    if (minimum) assay_yaml_uint(yaml, minimum, 2, 1000000, &policy->group_minimum);
    const assay_yaml_node *small = assay_yaml_get(node, "too_small");
    if (small && assay_yaml_word(yaml, small, words, COUNT_OF(words), &word))
        policy->small_listed = word == 1;
    read_gfnmr(yaml, assay_yaml_get(node, "gfnmr"), &policy->groups);
    read_fmr_of_groups(yaml, assay_yaml_get(node, "fmr"), &policy->groups);
    read_fte(yaml, assay_yaml_get(node, "fte"), &policy->groups);
    return status;
}

static assay_status read_criteria(assay_yaml *yaml, const assay_yaml_node *node,
                                  assay_policy *policy) {
    static const char *const keys[] = {
        "fmr", "gfnmr", "fte", "groups", "enrolment_seconds", "template_bytes"};
    if (!is_map(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    /* Without a rate of misses a threshold far too high would pass. */
    const assay_yaml_node *fmr = assay_yaml_need(yaml, node, "fmr");
    const assay_yaml_node *gfnmr = assay_yaml_need(yaml, node, "gfnmr");
    read_fmr(yaml, fmr, policy);
    read_gfnmr(yaml, gfnmr, &policy->everybody);
    read_fte(yaml, assay_yaml_get(node, "fte"), &policy->everybody);
    take_number(yaml, node, "enrolment_seconds", 1e-9, 1e6, &policy->enrolment_seconds);
    take_number(yaml, node, "template_bytes", 1, 1e12, &policy->template_bytes);
    return read_groups(yaml, assay_yaml_get(node, "groups"), policy);
}

/* ---- the whole ---- */

/* The digest is of the file, so nothing may come from elsewhere. */
static void refuse_variables(assay_yaml *yaml) {
    size_t line = 1, column = 1;
    for (const char *at = yaml->source; *at; ++at, ++column) {
        if (at[0] == '$' && at[1] == '{')
            assay_yaml_fault(yaml, line, column,
                             "a policy has no variables: its digest must say all of it");
        if (*at != '\n') continue;
        ++line;
        column = 0;
    }
}

static void check_thresholds(assay_yaml *yaml, const assay_yaml_node *node,
                             const assay_policy *policy) {
    if (!node || yaml->fault_count || !isnan(policy->fmr_rule)) return;
    if (assay_policy_needs_reference(policy) && isnan(policy->threshold_reference))
        assay_yaml_fault(yaml, node->line, node->column,
                         "a margin or ratio compares with the reference release, whose threshold "
                         "`reference` is missing");
}

static assay_status read_root(assay_yaml *yaml, const char *base, assay_policy *policy) {
    static const char *const keys[] = {"gate",  "name", "title",   "threshold",
                                       "alpha", "data", "criteria"};
    const assay_yaml_node *root = yaml->root;
    uint64_t version = 1;
    refuse_variables(yaml);
    if (!is_map(yaml, root, keys, COUNT_OF(keys))) return ASSAY_OK;
    const assay_yaml_node *format = assay_yaml_need(yaml, root, "gate");
    if (format) assay_yaml_uint(yaml, format, 1, 1, &version);
    const assay_yaml_node *threshold = assay_yaml_need(yaml, root, "threshold");
    const assay_yaml_node *criteria = assay_yaml_need(yaml, root, "criteria");
    read_threshold(yaml, threshold, policy);
    take_number(yaml, root, "alpha", 0.001, 0.1, &policy->alpha);
    assay_status status = take_string(yaml, assay_yaml_need(yaml, root, "name"), &policy->name);
    if (status == ASSAY_OK)
        status = take_string(yaml, assay_yaml_get(root, "title"), &policy->title);
    if (status == ASSAY_OK) status = read_data(yaml, assay_yaml_get(root, "data"), base, policy);
    if (status == ASSAY_OK) status = read_criteria(yaml, criteria, policy);
    if (status == ASSAY_OK) check_thresholds(yaml, threshold, policy);
    return status;
}

assay_status assay_policy_read(const char *path, assay_policy *out) {
    double none = (double)NAN;
    assay_policy policy = {.fmr_rule = none,
                           .threshold_reference = none,
                           .threshold_candidate = none,
                           .alpha = 0.05,
                           .claimed_fmr = none,
                           .tolerance = none,
                           .everybody = nothing_asked(),
                           .groups = nothing_asked(),
                           .group_minimum = 30,
                           .enrolment_seconds = none,
                           .template_bytes = none};
    assay_yaml yaml = {0};
    char *base = NULL;
    assay_status status = assay_yaml_read(path, &yaml);
    if (status == ASSAY_OK) status = assay_path_directory(&base, path);
    if (status == ASSAY_OK) status = assay_copy_string(&policy.path, path);
    if (status == ASSAY_OK)
        status = assay_digest_bytes(yaml.source, strlen(yaml.source), &policy.digest);
    if (status == ASSAY_OK) status = read_root(&yaml, base, &policy);
    if (status == ASSAY_OK) status = assay_yaml_verdict(&yaml);
    if (status == ASSAY_OK)
        *out = policy;
    else
        assay_policy_free(&policy);
    assay_yaml_free(&yaml);
    free(base);
    return status;
}

void assay_policy_free(assay_policy *policy) {
    free(policy->path);
    free(policy->name);
    free(policy->title);
    free(policy->subjects_path);
    free(policy->disclosed_path);
    for (size_t n = 0; n < policy->by_count; ++n) free(policy->by[n]);
    free(policy->by);
    *policy = (assay_policy){0};
}

static bool compares(const assay_policy_limits *limits) {
    return !isnan(limits->gfnmr_margin) || !isnan(limits->fmr_ratio) || !isnan(limits->fte_margin);
}

bool assay_policy_needs_reference(const assay_policy *policy) {
    return compares(&policy->everybody) || compares(&policy->groups);
}

/* ---- who the candidate is judged by ---- */

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ids of a file, one a line, without those that are empty or begin with '#', sorted. They lie in
 * *out_text. */
static assay_status read_ids(const char *path, char **out_text, char ***out, size_t *out_count) {
    size_t length, count = 0, capacity = 0, line_number = 0;
    char *text = NULL, **ids = NULL, *rest = NULL;
    assay_status status = assay_file_read(path, LIST_BYTES_MOST, &text, &length);
    if (status != ASSAY_OK) return assay_fail_in(ASSAY_USAGE, "reading a list of subjects");
    if (strlen(text) != length) {
        free(text);
        return assay_fail(ASSAY_USAGE, "%s holds a NUL byte, expected one subject id a line", path);
    }
    for (char *line = text; status == ASSAY_OK && line && *line; line = rest) {
        rest = strchr(line, '\n');
        if (rest) *rest++ = '\0';
        ++line_number;
        size_t end = strlen(line);
        while (end && (line[end - 1] == '\r' || line[end - 1] == ' ')) line[--end] = '\0';
        if (!end || line[0] == '#') continue;
        const char *fault = assay_name_fault(line, end);
        if (fault)
            status =
                assay_fail(ASSAY_USAGE, "%s:%zu: this subject id %s", path, line_number, fault);
        if (status == ASSAY_OK)
            status = assay_reserve(&ids, &capacity, count + 1, sizeof *ids, "subject ids");
        if (status == ASSAY_OK) ids[count++] = line;
    }
    if (status != ASSAY_OK) {
        free(text);
        free(ids);
        return status;
    }
    if (count) qsort(ids, count, sizeof *ids, by_bytes);
    *out_text = text;
    *out = ids;
    *out_count = count;
    return ASSAY_OK;
}

typedef struct {
    const char *id;
    uint32_t subject;
} known_subject;

static int by_id(const void *a, const void *b) {
    return strcmp(((const known_subject *)a)->id, ((const known_subject *)b)->id);
}

static assay_status sort_subjects(const assay_sample_table *table, known_subject **out) {
    assay_status status = assay_allocate(out, table->subject_count, sizeof **out, "subject ids");
    for (uint32_t n = 0; status == ASSAY_OK && n < table->subject_count; ++n)
        (*out)[n] = (known_subject){table->subject_id[n], n};
    if (status == ASSAY_OK && table->subject_count)
        qsort(*out, table->subject_count, sizeof **out, by_id);
    return status;
}

static const known_subject *find_subject(const known_subject *known, size_t count, const char *id) {
    known_subject wanted = {id, 0};
    return count ? bsearch(&wanted, known, count, sizeof *known, by_id) : NULL;
}

static assay_status take_list(const char *path, const known_subject *known,
                              const assay_sample_table *table, assay_policy_subjects *out) {
    char *text = NULL, **ids = NULL, shown[80];
    size_t count = 0;
    if (!path) {
        memset(out->keep, 1, table->subject_count);
        return ASSAY_OK;
    }
    assay_status status = read_ids(path, &text, &ids, &count);
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        const known_subject *found = find_subject(known, table->subject_count, ids[n]);
        if (!found)
            status =
                assay_fail(ASSAY_USAGE, "%s names subject '%s', whom the data set does not have",
                           path, assay_printable(shown, sizeof shown, ids[n]));
        else if (out->keep[found->subject])
            status = assay_fail(ASSAY_USAGE, "%s names subject '%s' twice", path,
                                assay_printable(shown, sizeof shown, ids[n]));
        else
            out->keep[found->subject] = 1;
    }
    free(text);
    free(ids);
    return status;
}

static assay_status take_disclosed(const char *path, const known_subject *known,
                                   const assay_sample_table *table, assay_policy_subjects *out) {
    char *text = NULL, **ids = NULL;
    size_t count = 0;
    assay_status status = path ? read_ids(path, &text, &ids, &count) : ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        if (n && !strcmp(ids[n], ids[n - 1])) continue;
        const known_subject *found = find_subject(known, table->subject_count, ids[n]);
        out->disclosed_unknown += !found;
        if (!found || !out->keep[found->subject]) continue;
        out->keep[found->subject] = 0;
        ++out->disclosed;
    }
    free(text);
    free(ids);
    return status;
}

static assay_status digest_kept(const known_subject *known, uint32_t count,
                                assay_policy_subjects *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_digester_add_string(digester, "assay-gate-subjects/1");
    assay_digester_add_u64(digester, out->kept);
    for (uint32_t n = 0; n < count; ++n)
        if (out->keep[known[n].subject]) assay_digester_add_string(digester, known[n].id);
    status = assay_digester_finish(digester, &out->digest);
    assay_digester_free(digester);
    return status;
}

assay_status assay_policy_pick(const assay_policy *policy, const assay_sample_table *table,
                               assay_policy_subjects *out) {
    assay_policy_subjects made = {0};
    known_subject *known = NULL;
    assay_status status = assay_allocate(&made.keep, table->subject_count, 1, "subjects");
    if (status == ASSAY_OK) status = sort_subjects(table, &known);
    if (status == ASSAY_OK) status = take_list(policy->subjects_path, known, table, &made);
    if (status == ASSAY_OK) status = take_disclosed(policy->disclosed_path, known, table, &made);
    if (status != ASSAY_OK) goto out;
    for (uint32_t n = 0; n < table->subject_count; ++n) made.kept += made.keep[n];
    made.not_listed = table->subject_count - made.kept - made.disclosed;
    if (made.kept < 2)
        status = assay_fail(ASSAY_USAGE,
                            "policy %s leaves %llu of %u subjects to judge by, expected two at "
                            "least",
                            policy->name, (unsigned long long)made.kept, table->subject_count);
    if (status == ASSAY_OK) status = digest_kept(known, table->subject_count, &made);
    if (status == ASSAY_OK) {
        *out = made;
        made = (assay_policy_subjects){0};
    }
out:
    free(known);
    assay_policy_subjects_free(&made);
    return status;
}

void assay_policy_subjects_free(assay_policy_subjects *subjects) {
    free(subjects->keep);
    *subjects = (assay_policy_subjects){0};
}
