/* config -- an evaluation as its YAML file says it, read in one pass that tells every fault. */
#include "harness/config_composites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/yaml.h"
#include "harness/algorithms.h"
#include "harness/config_private.h"
#include "kernels/backend.h"

#define TARGETS_MOST 64
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A node's text into *out, which is freed first. Faults are noted; only memory fails. */
static assay_status take_string(assay_yaml *yaml, const assay_yaml_node *node, char **out) {
    const char *text;
    if (!assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    free(*out);
    *out = NULL;
    return assay_copy_string(out, text);
}

/* As take_string, of a path that is relative to the configuration's folder. */
static assay_status take_path(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                              char **out) {
    const char *text;
    if (!assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    free(*out);
    *out = NULL;
    return assay_path_join(out, base, text);
}

/* Why text cannot be part of a folder's name, or NULL. */
static const char *folder_fault(const char *text) {
    const char *fault = assay_name_fault(text, strlen(text));
    if (fault != NULL) return fault;
    if (strchr(text, '/') != NULL) return "has a slash in it, and it names a folder";
    if (text[0] == '.') return "begins with a dot, and it names a folder";
    return NULL;
}

static void check_folder_word(assay_yaml *yaml, const assay_yaml_node *node, const char *what) {
    const char *text;
    if (!assay_yaml_string(yaml, node, &text)) return;
    const char *fault = folder_fault(text);
    if (fault != NULL) assay_yaml_fault(yaml, node->line, node->column, "%s %s", what, fault);
}

/* A list of scalars as strings: *out is [*out_count], never NULL on ASSAY_OK. */
static assay_status take_strings(assay_yaml *yaml, const assay_yaml_node *node, char ***out,
                                 size_t *out_count) {
    char **strings = NULL;
    size_t count = 0;
    assay_status status = ASSAY_OK;
    if (node->kind != ASSAY_YAML_LIST) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list: [one, two]");
        return ASSAY_OK;
    }
    status = assay_allocate(&strings, node->count + 1, sizeof *strings, "list");
    for (size_t n = 0; status == ASSAY_OK && n < node->count; n++) {
        const char *text;
        if (!assay_yaml_string(yaml, node->items[n], &text)) continue;
        status = assay_copy_string(&strings[count], text);
        if (status == ASSAY_OK) count++;
    }
    if (status != ASSAY_OK) {
        for (size_t n = 0; n < count; n++) free(strings[n]);
        free(strings);
        return status;
    }
    *out = strings;
    *out_count = count;
    return ASSAY_OK;
}

/* As take_strings, of paths that are relative to the configuration's folder. */
static assay_status take_paths(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                               char ***out) {
    char **paths = NULL;
    size_t count = 0;
    assay_status status = take_strings(yaml, node, &paths, &count);
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        char *path = NULL;
        status = assay_path_join(&path, base, paths[n]);
        if (status != ASSAY_OK) break;
        free(paths[n]);
        paths[n] = path;
    }
    *out = paths; /* freed with the configuration */
    return status;
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* A list of numbers in [low, high], sorted descending, each once. */
static assay_status take_numbers(assay_yaml *yaml, const assay_yaml_node *node, double low,
                                 double high, double **out, uint32_t *out_count) {
    double *numbers = NULL;
    if (node->kind != ASSAY_YAML_LIST || node->count == 0 || node->count > TARGETS_MOST) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list of 1 to %d numbers",
                         TARGETS_MOST);
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&numbers, node->count, sizeof *numbers, "numbers");
    if (status != ASSAY_OK) return status;
    uint32_t count = 0;
    for (size_t n = 0; n < node->count; n++)
        if (assay_yaml_double(yaml, node->items[n], low, high, &numbers[count])) count++;
    qsort(numbers, count, sizeof *numbers, descending);
    for (uint32_t n = 1; n < count; n++)
        if (numbers[n] == numbers[n - 1])
            assay_yaml_fault(yaml, node->line, node->column, "the same number stands here twice");
    free(*out);
    *out = numbers;
    *out_count = count;
    return ASSAY_OK;
}

/* ---- population ---- */

static void read_group(assay_yaml *yaml, const assay_yaml_node *node,
                       assay_population_group *group) {
    static const char *const keys[] = {"name",      "share",    "dimension",
                                       "stability", "likeness", "degradation"};
    uint64_t dimension = group->dimension;
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return;
    assay_yaml_double(yaml, assay_yaml_get(node, "share"), 1e-6, 1e6, &group->share);
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "dimension"), 4, 4096, &dimension))
        group->dimension = (uint32_t)dimension;
    assay_yaml_double(yaml, assay_yaml_get(node, "stability"), 0.01, 0.9999, &group->stability);
    assay_yaml_double(yaml, assay_yaml_get(node, "likeness"), 0, 1, &group->likeness);
    assay_yaml_double(yaml, assay_yaml_get(node, "degradation"), 0, 1, &group->degradation);
}

static assay_status read_groups(assay_yaml *yaml, const assay_yaml_node *node,
                                assay_population *population) {
    assay_population_group *groups = NULL;
    if (node->kind != ASSAY_YAML_LIST || node->count == 0 || node->count > 64) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list of 1 to 64 groups");
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&groups, node->count, sizeof *groups, "groups");
    if (status != ASSAY_OK) return status;
    for (uint32_t g = 0; g < population->group_count; g++) free(population->groups[g].name);
    free(population->groups);
    population->groups = groups;
    population->group_count = (uint32_t)node->count;
    for (size_t g = 0; status == ASSAY_OK && g < node->count; g++) {
        groups[g] = (assay_population_group){.share = 1, .dimension = 128, .stability = 0.9};
        status = assay_copy_string(&groups[g].name, "");
        if (status != ASSAY_OK) break;
        read_group(yaml, node->items[g], &groups[g]);
        if (node->items[g]->kind != ASSAY_YAML_MAP) continue;
        const assay_yaml_node *name = assay_yaml_need(yaml, node->items[g], "name");
        if (name != NULL) check_folder_word(yaml, name, "a group's name");
        status = take_string(yaml, name, &groups[g].name);
    }
    return status;
}

static assay_status read_population(assay_yaml *yaml, const assay_yaml_node *node,
                                    assay_config *config) {
    static const char *const keys[] = {"seed",       "subjects", "samples_per_subject",
                                       "image_size", "planted",  "groups"};
    assay_population *population = &config->population;
    uint64_t subjects = 300, samples = 3, size = 128;
    bool planted = false;
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    assay_yaml_bool(yaml, assay_yaml_get(node, "planted"), &planted);
    assay_status status = assay_population_create(planted, population);
    if (status != ASSAY_OK) return status;
    population->seed = 1;
    assay_yaml_uint(yaml, assay_yaml_get(node, "seed"), 0, INT64_MAX, &population->seed);
    assay_yaml_uint(yaml, assay_yaml_get(node, "subjects"), 2, 1000000, &subjects);
    assay_yaml_uint(yaml, assay_yaml_get(node, "samples_per_subject"), 1, 1000, &samples);
    assay_yaml_uint(yaml, assay_yaml_get(node, "image_size"), 48, 512, &size);
    population->subjects = (uint32_t)subjects;
    population->samples_per_subject = (uint32_t)samples;
    population->image_size = (uint32_t)size;
    const assay_yaml_node *groups = assay_yaml_get(node, "groups");
    return groups == NULL ? ASSAY_OK : read_groups(yaml, groups, population);
}

/* ---- releases ---- */

static assay_status read_parameters(assay_yaml *yaml, const assay_yaml_node *node, char ***out) {
    char **parameters = NULL;
    if (node != NULL && node->kind != ASSAY_YAML_MAP) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a map: { key: value }");
        node = NULL;
    }
    size_t count = node == NULL ? 0 : node->count, used = 0;
    assay_status status = assay_allocate(&parameters, count + 1, sizeof *parameters, "parameters");
    if (status != ASSAY_OK) return status;
    *out = parameters; /* freed with the configuration */
    for (size_t n = 0; n < count; n++) {
        const char *value;
        assay_text text = {0};
        if (!assay_yaml_string(yaml, node->items[n], &value)) continue;
        assay_text_appendf(&text, "%s=%s", node->keys[n], value);
        status = assay_text_status(&text);
        if (status != ASSAY_OK) return status;
        parameters[used++] = text.bytes;
    }
    return ASSAY_OK;
}

static void check_algorithm(assay_yaml *yaml, const assay_yaml_node *node,
                            const assay_config_release *release) {
    const assay_algorithm *algorithm;
    void *state = NULL;
    char text[512] = "";
    if (release->algorithm == NULL) return;
    if (assay_algorithm_find(release->algorithm, &algorithm) != ASSAY_OK) {
        assay_yaml_fault(yaml, node->line, node->column, "%s", assay_error_text());
        return;
    }
    const char *const *parameters = (const char *const *)release->parameters;
    const assay_algorithm_setup setup = {
        .size = sizeof setup, .parameters = parameters, .config_directory = ""};
    if (algorithm->open(&setup, &state, text, sizeof text) != ASSAY_OUTCOME_OK) {
        assay_yaml_fault(yaml, node->line, node->column, "algorithm %s: %s", release->algorithm,
                         text);
        return;
    }
    algorithm->close(state);
}

/* A file name alone that is not beside the configuration may be a plug-in that comes with assay. */
static assay_status find_plugin(assay_yaml *yaml, const assay_yaml_node *node, char **path) {
    char *beside = NULL;
    if (*path == NULL || assay_file_exists(*path)) return ASSAY_OK;
    if (strchr(node->text, '/') == NULL && assay_find_helper(&beside, node->text) == ASSAY_OK) {
        free(*path);
        *path = beside;
        return ASSAY_OK;
    }
    assay_yaml_fault(yaml, node->line, node->column, "there is no file %s", *path);
    return ASSAY_OK;
}

/* The keys that belong to a plug-in. What it is and does is found out when it is opened, confined.
 */
static assay_status read_plugin(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                                assay_config_release *release) {
    static const char *const own[] = {"config", "readable", "seconds", "memory"};
    const assay_yaml_node *plugin = assay_yaml_get(node, "plugin");
    const assay_yaml_node *readable = assay_yaml_get(node, "readable");
    uint64_t seconds = 0, megabytes = 0;
    for (size_t n = 0; plugin == NULL && n < COUNT_OF(own); n++) {
        const assay_yaml_node *stray = assay_yaml_get(node, own[n]);
        if (stray != NULL)
            assay_yaml_fault(yaml, stray->line, stray->column, "`%s` belongs to a `plugin`",
                             own[n]);
    }
    if (plugin == NULL) return ASSAY_OK;
    assay_status status = take_path(yaml, plugin, base, &release->plugin);
    if (status == ASSAY_OK)
        status = take_path(yaml, assay_yaml_get(node, "config"), base, &release->config_directory);
    if (status == ASSAY_OK && readable != NULL)
        status = take_paths(yaml, readable, base, &release->readable);
    if (status != ASSAY_OK) return status;
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "seconds"), 1, 86400, &seconds))
        release->template_seconds = (unsigned)seconds;
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "memory"), 64, 1 << 24, &megabytes))
        release->memory_bytes = megabytes << 20;
    return find_plugin(yaml, plugin, &release->plugin);
}

/* What belongs to templates made elsewhere; what they are is found out when they are imported. */
static assay_status read_templates(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                                   assay_config_release *release) {
    static const char *const own[] = {"labels",    "subjects", "samples",    "masks",
                                      "id_column", "bit_rows", "shift_bits", "family"};
    const struct {
        const char *key;
        char **to;
    } paths[] = {{"templates", &release->templates},
                 {"labels", &release->labels},
                 {"subjects", &release->subjects},
                 {"samples", &release->samples},
                 {"masks", &release->masks}};
    const assay_yaml_node *templates = assay_yaml_get(node, "templates");
    assay_status status = ASSAY_OK;
    uint64_t rows = 0, bits = 0;
    for (size_t n = 0; n < COUNT_OF(own); n++) {
        const assay_yaml_node *stray = assay_yaml_get(node, own[n]);
        if (stray != NULL && templates == NULL)
            assay_yaml_fault(yaml, stray->line, stray->column, "`%s` belongs to `templates`",
                             own[n]);
    }
    for (size_t n = 0; status == ASSAY_OK && n < COUNT_OF(paths); n++)
        status = take_path(yaml, assay_yaml_get(node, paths[n].key), base, paths[n].to);
    if (status == ASSAY_OK)
        status = take_string(yaml, assay_yaml_get(node, "id_column"), &release->id_column);
    if (status != ASSAY_OK) return status;
    size_t length = release->templates == NULL ? 0 : strlen(release->templates);
    if (length > 4 && strcmp(release->templates + length - 4, ".npy") == 0 &&
        release->labels == NULL && release->subjects == NULL)
        assay_yaml_fault(yaml, templates->line, templates->column,
                         "an .npy needs `labels` or `subjects`");
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "bit_rows"), 1, 1 << 20, &rows))
        release->bit_rows = (uint32_t)rows;
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "shift_bits"), 1, 1 << 20, &bits))
        release->shift_bits = (uint32_t)bits;
    return ASSAY_OK;
}

static assay_status read_release(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                                 assay_config_release *release) {
    static const char *const keys[] = {
        "name",      "version",  "algorithm",  "plugin",         "parameters",
        "templates", "labels",   "subjects",   "samples",        "masks",
        "id_column", "bit_rows", "shift_bits", "config",         "readable",
        "seconds",   "memory",   "family",     "old_references", "assume_compatible"};
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys)) && node->kind != ASSAY_YAML_MAP)
        return ASSAY_OK;
    const assay_yaml_node *name = assay_yaml_need(yaml, node, "name");
    const assay_yaml_node *version = assay_yaml_need(yaml, node, "version");
    const assay_yaml_node *algorithm = assay_yaml_get(node, "algorithm");
    const assay_yaml_node *parameters = assay_yaml_get(node, "parameters");
    const assay_yaml_node *templates = assay_yaml_get(node, "templates");
    if (name != NULL) check_folder_word(yaml, name, "a release's name");
    if (version != NULL) check_folder_word(yaml, version, "a release's version");
    const assay_yaml_node *plugin = assay_yaml_get(node, "plugin");
    if ((algorithm != NULL) + (plugin != NULL) + (templates != NULL) != 1)
        assay_yaml_fault(yaml, node->line, node->column,
                         "a release has one of `algorithm`, `plugin` and `templates`");
    if (parameters != NULL && algorithm == NULL && plugin == NULL)
        assay_yaml_fault(yaml, parameters->line, parameters->column,
                         "`parameters` belong to an `algorithm` or a `plugin`");
    assay_status status = take_string(yaml, name, &release->name);
    if (status == ASSAY_OK) status = take_string(yaml, version, &release->version);
    if (status == ASSAY_OK) status = take_string(yaml, algorithm, &release->algorithm);
    if (status == ASSAY_OK) status = read_plugin(yaml, node, base, release);
    if (status == ASSAY_OK) status = read_templates(yaml, node, base, release);
    if (status == ASSAY_OK)
        status = take_string(yaml, assay_yaml_get(node, "family"), &release->family);
    const assay_yaml_node *old = assay_yaml_get(node, "old_references");
    if (status == ASSAY_OK && old != NULL)
        status = take_strings(yaml, old, &release->old_references, &release->old_reference_count);
    assay_yaml_bool(yaml, assay_yaml_get(node, "assume_compatible"), &release->assume_compatible);
    if (status == ASSAY_OK) status = read_parameters(yaml, parameters, &release->parameters);
    if (status != ASSAY_OK) return status;
    if (algorithm != NULL) check_algorithm(yaml, algorithm, release);
    return ASSAY_OK;
}

static void check_release_twice(assay_yaml *yaml, const assay_yaml_node *node,
                                const assay_config *config, size_t last) {
    const assay_config_release *a = &config->releases[last];
    if (a->name == NULL || a->version == NULL) return;
    for (size_t n = 0; n < last; n++) {
        const assay_config_release *b = &config->releases[n];
        if (b->name == NULL || b->version == NULL) continue;
        if (strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0)
            assay_yaml_fault(yaml, node->line, node->column, "release %s %s stands here twice",
                             a->name, a->version);
    }
}

static assay_status read_releases(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                                  assay_config *config) {
    if (node == NULL) return ASSAY_OK;
    if (node->kind != ASSAY_YAML_LIST || node->count == 0) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list of at least one release");
        return ASSAY_OK;
    }
    assay_status status =
        assay_allocate(&config->releases, node->count, sizeof *config->releases, "releases");
    for (size_t n = 0; status == ASSAY_OK && n < node->count; n++) {
        config->release_count = n + 1;
        status = read_release(yaml, node->items[n], base, &config->releases[n]);
        if (status == ASSAY_OK) check_release_twice(yaml, node->items[n], config, n);
    }
    return status;
}

/* ---- comparison ---- */

static const char *const protocol_words[] = {"all", "cross", "one-per-subject", "pairs"};

assay_status assay_config_protocol_kind(const char *text, assay_protocol_kind *out) {
    char suggestion[256];
    for (size_t n = 0; n < COUNT_OF(protocol_words); n++) {
        if (strcmp(text, protocol_words[n]) != 0) continue;
        *out = (assay_protocol_kind)n;
        return ASSAY_OK;
    }
    return assay_fail(ASSAY_USAGE, "unknown protocol '%s': %s", text,
                      assay_suggest(suggestion, sizeof suggestion, text, protocol_words,
                                    COUNT_OF(protocol_words)));
}

assay_status assay_config_histogram(const char *text, assay_protocol *protocol) {
    char fraction[32];
    double share;
    uint64_t seed;
    size_t colon = strcspn(text, ":");
    if (strcmp(text, "full") == 0) {
        protocol->histogram_mode = ASSAY_HISTOGRAM_FULL;
        return ASSAY_OK;
    }
    if (strcmp(text, "none") == 0) {
        protocol->histogram_mode = ASSAY_HISTOGRAM_NONE;
        return ASSAY_OK;
    }
    snprintf(fraction, sizeof fraction, "%.*s", (int)colon, text);
    if (text[colon] != ':' || !assay_parse_double(fraction, &share) || share <= 0 || share > 1 ||
        !assay_parse_uint64(text + colon + 1, &seed))
        return assay_fail(ASSAY_USAGE,
                          "histogram '%s' is not one of full, none, FRACTION:SEED (0.1:7)", text);
    protocol->histogram_mode = ASSAY_HISTOGRAM_SAMPLE;
    protocol->histogram_fraction = share;
    protocol->histogram_seed = seed;
    return ASSAY_OK;
}

assay_status assay_config_protocol_check(const assay_protocol *protocol, const char *pair_list) {
    bool roles = protocol->role_column != NULL && protocol->reference_value != NULL &&
                 protocol->probe_value != NULL;
    bool some = protocol->role_column != NULL || protocol->reference_value != NULL ||
                protocol->probe_value != NULL;
    if (protocol->kind == ASSAY_PROTOCOL_CROSS && !roles)
        return assay_fail(ASSAY_USAGE,
                          "protocol cross needs a role column, its value for references and "
                          "its value for probes");
    if (protocol->kind != ASSAY_PROTOCOL_CROSS && some)
        return assay_fail(ASSAY_USAGE, "roles belong to protocol cross, and the protocol is %s",
                          protocol_words[protocol->kind]);
    if (roles && strcmp(protocol->reference_value, protocol->probe_value) == 0)
        return assay_fail(ASSAY_USAGE, "references and probes have the same value '%s'",
                          protocol->probe_value);
    if ((protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) != (pair_list != NULL))
        return assay_fail(ASSAY_USAGE, pair_list == NULL
                                           ? "protocol pairs needs a list of pairs"
                                           : "a list of pairs belongs to protocol pairs");
    return ASSAY_OK;
}

static assay_status read_roles(assay_yaml *yaml, const assay_yaml_node *node,
                               assay_protocol *protocol) {
    static const char *const keys[] = {"column", "reference", "probe"};
    if (node == NULL || !assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    assay_status status =
        take_string(yaml, assay_yaml_need(yaml, node, "column"), &protocol->role_column);
    if (status == ASSAY_OK)
        status =
            take_string(yaml, assay_yaml_need(yaml, node, "reference"), &protocol->reference_value);
    if (status == ASSAY_OK)
        status = take_string(yaml, assay_yaml_need(yaml, node, "probe"), &protocol->probe_value);
    return status;
}

static assay_status read_comparator_and_backend(assay_yaml *yaml, const assay_yaml_node *node,
                                                assay_config *config) {
    const assay_yaml_node *comparator = assay_yaml_get(node, "comparator");
    const assay_yaml_node *backend = assay_yaml_get(node, "backend");
    assay_comparator known;
    const assay_backend *found;
    assay_status status = take_string(yaml, comparator, &config->comparator);
    if (status == ASSAY_OK) status = take_string(yaml, backend, &config->backend);
    if (status != ASSAY_OK) return status;
    if (config->comparator != NULL &&
        assay_comparator_parse(config->comparator, &known) != ASSAY_OK)
        assay_yaml_fault(yaml, comparator->line, comparator->column, "%s", assay_error_text());
    if (backend != NULL && strcmp(config->backend, "auto") != 0 &&
        assay_backend_find(config->backend, &found) == ASSAY_USAGE)
        assay_yaml_fault(yaml, backend->line, backend->column, "%s", assay_error_text());
    return ASSAY_OK;
}

static void read_comparison_numbers(assay_yaml *yaml, const assay_yaml_node *node,
                                    assay_config *config) {
    uint64_t threads = 0, checkpoint = config->checkpoint_seconds;
    assay_protocol *protocol = &config->protocol;
    assay_yaml_bool(yaml, assay_yaml_get(node, "same_session"), &protocol->same_session);
    assay_yaml_uint(yaml, assay_yaml_get(node, "pick_seed"), 0, INT64_MAX, &protocol->pick_seed);
    assay_yaml_uint(yaml, assay_yaml_get(node, "tail_cap"), 1, (uint64_t)1 << 32,
                    &protocol->tail_cap);
    assay_yaml_uint(yaml, assay_yaml_get(node, "opaque_cap"), 1, (uint64_t)1 << 32,
                    &config->opaque_cap);
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "threads"), 0, 1024, &threads))
        config->threads = (unsigned)threads;
    if (assay_yaml_uint(yaml, assay_yaml_get(node, "checkpoint"), 0, 86400, &checkpoint))
        config->checkpoint_seconds = (unsigned)checkpoint;
    assay_yaml_uint(yaml, assay_yaml_get(node, "check_tiles"), 0, UINT32_MAX, &config->check_tiles);
}

static assay_status read_protocol_lists(assay_yaml *yaml, const assay_yaml_node *node,
                                        assay_protocol *protocol) {
    const assay_yaml_node *targets = assay_yaml_get(node, "fmr_targets");
    const assay_yaml_node *thresholds = assay_yaml_get(node, "thresholds");
    const assay_yaml_node *by = assay_yaml_get(node, "histogram_by");
    assay_status status = ASSAY_OK;
    if (targets != NULL)
        status = take_numbers(yaml, targets, 1e-15, 1, &protocol->fmr_targets,
                              &protocol->fmr_target_count);
    if (status == ASSAY_OK && thresholds != NULL)
        status = take_numbers(yaml, thresholds, -HUGE_VAL, HUGE_VAL, &protocol->thresholds,
                              &protocol->threshold_count);
    if (status == ASSAY_OK && by != NULL) {
        size_t count = 0;
        status = take_strings(yaml, by, &protocol->histogram_by, &count);
        protocol->histogram_by_count = (uint32_t)count;
    }
    return status;
}

static assay_status read_comparison(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                                    assay_config *config) {
    static const char *const keys[] = {"comparator",   "backend",      "threads",    "protocol",
                                       "same_session", "histogram_by", "histogram",  "fmr_targets",
                                       "thresholds",   "tail_cap",     "checkpoint", "check_tiles",
                                       "roles",        "pairs",        "pick_seed",  "opaque_cap"};
    assay_protocol *protocol = &config->protocol;
    const char *text;
    size_t kind;
    size_t faults = yaml->fault_count;
    if (node == NULL || !assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    const assay_yaml_node *histogram = assay_yaml_get(node, "histogram");
    if (assay_yaml_word(yaml, assay_yaml_get(node, "protocol"), protocol_words,
                        COUNT_OF(protocol_words), &kind))
        protocol->kind = (assay_protocol_kind)kind;
    if (assay_yaml_string(yaml, histogram, &text) &&
        assay_config_histogram(text, protocol) != ASSAY_OK)
        assay_yaml_fault(yaml, histogram->line, histogram->column, "%s", assay_error_text());
    read_comparison_numbers(yaml, node, config);
    assay_status status = read_comparator_and_backend(yaml, node, config);
    if (status == ASSAY_OK) status = read_protocol_lists(yaml, node, protocol);
    if (status == ASSAY_OK) status = read_roles(yaml, assay_yaml_get(node, "roles"), protocol);
    if (status == ASSAY_OK)
        status = take_path(yaml, assay_yaml_get(node, "pairs"), base, &config->pair_list);
    if (status != ASSAY_OK) return status;
    if (yaml->fault_count == faults &&
        assay_config_protocol_check(protocol, config->pair_list) != ASSAY_OK)
        assay_yaml_fault(yaml, node->line, node->column, "%s", assay_error_text());
    return ASSAY_OK;
}

/* ---- the whole ---- */

static assay_status read_report(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                                assay_config *config) {
    static const char *const keys[] = {"title",         "by",  "quality",   "worse_limit",
                                       "mean_pair_age", "pdf", "galleries", "look_alikes",
                                       "rows"};
    if (node == NULL || !assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    assay_status status = take_string(yaml, assay_yaml_get(node, "title"), &config->title);
    if (status == ASSAY_OK)
        status = take_string(yaml, assay_yaml_get(node, "quality"), &config->report_quality);
    const assay_yaml_node *by = assay_yaml_get(node, "by");
    if (status == ASSAY_OK && by != NULL)
        status = take_strings(yaml, by, &config->report_groups, &config->report_group_count);
    assay_yaml_double(yaml, assay_yaml_get(node, "worse_limit"), 1.001, 1000, &config->worse_limit);
    assay_yaml_bool(yaml, assay_yaml_get(node, "mean_pair_age"), &config->mean_pair_age);
    assay_yaml_bool(yaml, assay_yaml_get(node, "pdf"), &config->report_pdf);
    if (status == ASSAY_OK) status = assay_config_identification(yaml, node, base, config);
    const assay_yaml_node *rows = assay_yaml_get(node, "rows");
    if (status == ASSAY_OK && rows != NULL) status = take_paths(yaml, rows, base, &config->rows);
    return status;
}

/* Everything that says what is evaluated, with keys in order of their bytes. Where it lies (the
 * output, the folder of the images) is left out, so that two machines agree. */
static void digest_node(assay_digester *digester, const assay_yaml_node *node, const char *place) {
    assay_digester_add_u64(digester, node->kind);
    if (node->kind == ASSAY_YAML_SCALAR) {
        assay_digester_add_string(digester, node->text);
        return;
    }
    assay_digester_add_u64(digester, node->count);
    if (node->kind == ASSAY_YAML_LIST) {
        for (size_t n = 0; n < node->count; n++) digest_node(digester, node->items[n], "");
        return;
    }
    const char *last = NULL;
    for (size_t taken = 0; taken < node->count; taken++) {
        size_t next = node->count;
        for (size_t n = 0; n < node->count; n++) /* the smallest key after the last one */
            if ((last == NULL || strcmp(node->keys[n], last) > 0) &&
                (next == node->count || strcmp(node->keys[n], node->keys[next]) < 0))
                next = n;
        if (next == node->count) return;
        last = node->keys[next];
        if (strcmp(place, "top") == 0 && strcmp(last, "output") == 0) continue;
        if (strcmp(place, "dataset") == 0 && strcmp(last, "root") == 0) continue;
        assay_digester_add_string(digester, last);
        digest_node(digester, node->items[next], strcmp(place, "top") == 0 ? last : "");
    }
}

static assay_status digest_tree(const assay_yaml *yaml, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    digest_node(digester, yaml->root, "top");
    status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

bool assay_config_enrols(const assay_config_release *release) {
    return release->algorithm != NULL || release->plugin != NULL;
}

static void check_sources(assay_yaml *yaml, const assay_config *config, bool has_dataset) {
    bool enrols = false;
    for (size_t n = 0; n < config->release_count; n++)
        enrols = enrols || assay_config_enrols(&config->releases[n]);
    if (enrols && !has_dataset && !config->is_population)
        assay_yaml_fault(yaml, yaml->root->line, yaml->root->column,
                         "a release with an `algorithm` or a `plugin` needs images: `dataset` or "
                         "`population`");
    if (has_dataset && config->is_population)
        assay_yaml_fault(yaml, yaml->root->line, yaml->root->column,
                         "`dataset` and `population` exclude each other");
}

size_t assay_config_release_named(const assay_config *config, const char *name) {
    size_t found = config->release_count;
    for (size_t n = 0; n < config->release_count && found == config->release_count; n++) {
        const assay_config_release *release = &config->releases[n];
        const size_t length = strlen(release->name);
        if (strncmp(name, release->name, length) == 0 && name[length] == ' ' &&
            strcmp(name + length + 1, release->version) == 0)
            found = n;
    }
    return found;
}

/* Names of old references are those of other releases of this file. */
static void check_old_references(assay_yaml *yaml, const assay_config *config) {
    const assay_yaml_node *releases = assay_yaml_get(yaml->root, "releases");
    if (yaml->fault_count > 0) return;
    for (size_t n = 0; n < config->release_count; n++) {
        const assay_yaml_node *node = assay_yaml_get(releases->items[n], "old_references");
        for (size_t k = 0; k < config->releases[n].old_reference_count; k++) {
            const char *name = config->releases[n].old_references[k];
            const size_t found = assay_config_release_named(config, name);
            if (found == config->release_count || found == n)
                assay_yaml_fault(yaml, node->line, node->column,
                                 "'%s' is no other release of this file; expected \"NAME VERSION\" "
                                 "of one",
                                 name);
        }
        if (node != NULL && config->pair_list != NULL)
            assay_yaml_fault(yaml, node->line, node->column,
                             "`old_references` and protocol pairs exclude each other here; assay "
                             "compare --references --probes --pairs takes both");
    }
}

static assay_status read_sections(assay_yaml *yaml, const char *base, assay_config *config) {
    const assay_yaml_node *root = yaml->root;
    const assay_yaml_node *dataset = assay_yaml_get(root, "dataset");
    const assay_yaml_node *population = assay_yaml_get(root, "population");
    const assay_yaml_node *name = assay_yaml_need(yaml, root, "name");
    uint64_t format;
    assay_yaml_uint(yaml, assay_yaml_need(yaml, root, "assay"), 1, 1, &format);
    if (name != NULL) check_folder_word(yaml, name, "the evaluation's name");
    config->is_population = population != NULL;
    assay_status status = take_string(yaml, name, &config->name);
    if (status == ASSAY_OK)
        status = take_string(yaml, assay_yaml_get(root, "output"), &config->output);
    if (status == ASSAY_OK && population != NULL)
        status = read_population(yaml, population, config);
    if (status == ASSAY_OK && dataset != NULL)
        status = assay_manifest_declare(yaml, dataset, base, &config->dataset);
    if (status == ASSAY_USAGE) status = ASSAY_OK; /* its faults are noted */
    if (status == ASSAY_OK)
        status = read_releases(yaml, assay_yaml_need(yaml, root, "releases"), base, config);
    if (status == ASSAY_OK)
        status = assay_config_read_composites(yaml, assay_yaml_get(root, "composites"), config);
    if (status == ASSAY_OK)
        status = read_comparison(yaml, assay_yaml_get(root, "comparison"), base, config);
    if (status == ASSAY_OK)
        status = read_report(yaml, assay_yaml_get(root, "report"), base, config);
    if (status == ASSAY_OK) check_sources(yaml, config, dataset != NULL);
    if (status == ASSAY_OK) check_old_references(yaml, config);
    return status;
}

static assay_status set_defaults(const char *path, assay_config *config) {
    config->checkpoint_seconds = ASSAY_CONFIG_CHECKPOINT;
    config->check_tiles = ASSAY_CONFIG_CHECK_TILES;
    assay_status status = assay_copy_string(&config->path, path);
    if (status == ASSAY_OK) status = assay_copy_string(&config->backend, "auto");
    if (status == ASSAY_OK) status = assay_protocol_create(&config->protocol);
    return status;
}

assay_status assay_config_read(const char *path, assay_config *out) {
    static const char *const keys[] = {"assay",      "name",       "output",
                                       "dataset",    "population", "releases",
                                       "composites", "comparison", "report"};
    assay_config config = {0};
    assay_yaml yaml = {0};
    char *base = NULL;
    assay_status status = assay_yaml_read(path, &yaml);
    if (status == ASSAY_OK) status = assay_path_directory(&base, path);
    if (status == ASSAY_OK) status = set_defaults(path, &config);
    if (status != ASSAY_OK) goto out;
    assay_yaml_check_keys(&yaml, yaml.root, keys, COUNT_OF(keys));
    if (yaml.root->kind == ASSAY_YAML_MAP) status = read_sections(&yaml, base, &config);
    if (status == ASSAY_OK) status = assay_yaml_verdict(&yaml);
    if (status == ASSAY_OK) status = digest_tree(&yaml, &config.digest);
    if (status == ASSAY_OK && config.output == NULL)
        status = assay_path_join(&config.output, "out", config.name);
    if (status != ASSAY_OK) goto out;
    *out = config;
    config = (assay_config){0};
out:
    assay_config_free(&config);
    assay_yaml_free(&yaml);
    free(base);
    return status;
}

static void free_list(char **list) {
    for (char **item = list; list != NULL && *item != NULL; item++) free(*item);
    free(list);
}

static void free_release(assay_config_release *release) {
    free(release->name);
    free(release->version);
    free(release->algorithm);
    free(release->plugin);
    free(release->config_directory);
    free_list(release->readable);
    free(release->templates);
    free(release->labels);
    free(release->masks);
    free(release->subjects);
    free(release->samples);
    free(release->id_column);
    free(release->family);
    for (size_t n = 0; n < release->old_reference_count; n++) free(release->old_references[n]);
    free(release->old_references);
    free_list(release->parameters);
}

void assay_config_free(assay_config *config) {
    free(config->path);
    free(config->name);
    free(config->output);
    assay_population_free(&config->population);
    assay_manifest_declaration_free(&config->dataset);
    for (size_t n = 0; n < config->release_count; n++) free_release(&config->releases[n]);
    free(config->releases);
    for (size_t n = 0; n < config->composite_count; n++)
        assay_composite_free(&config->composites[n]);
    free(config->composites);
    assay_protocol_free(&config->protocol);
    free(config->pair_list);
    free(config->comparator);
    free(config->backend);
    free(config->title);
    for (size_t n = 0; n < config->report_group_count; n++) free(config->report_groups[n]);
    free(config->report_groups);
    free(config->report_quality);
    free(config->gallery_sizes);
    free(config->galleries);
    free(config->look_alikes);
    free(config->nearest);
    free_list(config->rows);
    memset(config, 0, sizeof *config);
}
