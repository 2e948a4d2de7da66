/* config_composites -- the section `composites` of a configuration. */
#include "harness/config_composites.h"

#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define PARTS_MOST 16

size_t assay_config_find_release(const assay_config *config, const char *name,
                                 const char *version) {
    size_t found = config->release_count, matches = 0;
    for (size_t n = 0; n < config->release_count; n++) {
        const assay_config_release *release = &config->releases[n];
        if (release->name == NULL || release->version == NULL || name == NULL ||
            strcmp(release->name, name) != 0 ||
            (version != NULL && strcmp(release->version, version) != 0))
            continue;
        found = n;
        matches++;
    }
    return matches == 1 ? found : config->release_count;
}

static assay_status take_text(assay_yaml *yaml, const assay_yaml_node *node, char **out) {
    const char *text = "";
    if (node != NULL && !assay_yaml_string(yaml, node, &text)) text = "";
    return assay_copy_string(out, text);
}

/* A name or version that becomes part of a folder's. */
static assay_status take_word(assay_yaml *yaml, const assay_yaml_node *node, char **out) {
    const assay_status status = take_text(yaml, node, out);
    if (status != ASSAY_OK || node == NULL) return status;
    const char *fault = assay_name_fault(*out, strlen(*out));
    if (fault == NULL && strchr(*out, '/') != NULL) fault = "has a slash in it";
    if (fault == NULL && (*out)[0] == '.') fault = "begins with a dot";
    if (fault != NULL)
        assay_yaml_fault(yaml, node->line, node->column, "'%s' names a folder, and %s", *out,
                         fault);
    return ASSAY_OK;
}

static assay_status read_part(assay_yaml *yaml, const assay_yaml_node *node, bool last,
                              const assay_config *config, assay_composite_part *part) {
    static const char *const keys[] = {"release", "version", "below", "threshold"};
    part->below = (double)INFINITY;
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys)) && node->kind != ASSAY_YAML_MAP)
        return ASSAY_OK;
    const assay_yaml_node *below = assay_yaml_get(node, "below");
    const assay_yaml_node *version = assay_yaml_get(node, "version");
    assay_status status = take_text(yaml, assay_yaml_need(yaml, node, "release"), &part->release);
    if (status == ASSAY_OK && version != NULL) status = take_text(yaml, version, &part->version);
    if (status != ASSAY_OK) return status;
    assay_yaml_double(yaml, assay_yaml_need(yaml, node, "threshold"), -1e300, 1e300,
                      &part->threshold);
    if ((below == NULL) != last)
        assay_yaml_fault(yaml, node->line, node->column,
                         last ? "the last part has all other ages: it has no `below`"
                              : "a part needs `below`, an age, or it is the last one");
    if (below != NULL) assay_yaml_double(yaml, below, 0, 200, &part->below);
    const size_t found = assay_config_find_release(config, part->release, part->version);
    if (found == config->release_count) {
        assay_yaml_fault(yaml, node->line, node->column,
                         "'%s' is no release of this evaluation, or one of several of that name: "
                         "give its `version` too",
                         part->release);
        return ASSAY_OK;
    }
    if (part->version != NULL) return ASSAY_OK;
    return assay_copy_string(&part->version, config->releases[found].version);
}

static assay_status read_parts(assay_yaml *yaml, const assay_yaml_node *node,
                               const assay_config *config, assay_composite *composite) {
    if (node == NULL) return ASSAY_OK;
    if (node->kind != ASSAY_YAML_LIST || node->count < 2 || node->count > PARTS_MOST) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list of 2 to %d parts",
                         PARTS_MOST);
        return ASSAY_OK;
    }
    assay_status status =
        assay_allocate(&composite->parts, node->count, sizeof *composite->parts, "parts");
    for (size_t n = 0; status == ASSAY_OK && n < node->count; n++) {
        composite->part_count = n + 1;
        status =
            read_part(yaml, node->items[n], n + 1 == node->count, config, &composite->parts[n]);
        if (n > 0 && !(composite->parts[n].below > composite->parts[n - 1].below))
            assay_yaml_fault(yaml, node->items[n]->line, node->items[n]->column,
                             "`below` must rise from part to part");
    }
    return status;
}

/* Which part has the references without an age, by its release's name. */
static void read_missing(assay_yaml *yaml, const assay_yaml_node *node,
                         assay_composite *composite) {
    const char *name;
    composite->missing = composite->part_count;
    if (node == NULL || !assay_yaml_string(yaml, node, &name)) return;
    for (size_t n = 0; n < composite->part_count; n++)
        if (composite->parts[n].release != NULL && strcmp(composite->parts[n].release, name) == 0)
            composite->missing = n;
    if (composite->missing == composite->part_count)
        assay_yaml_fault(yaml, node->line, node->column, "'%s' is no release of a part", name);
}

static assay_status read_composite(assay_yaml *yaml, const assay_yaml_node *node,
                                   const assay_config *config, assay_composite *composite) {
    static const char *const keys[] = {"name", "version", "age", "parts", "missing"};
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys)) && node->kind != ASSAY_YAML_MAP)
        return ASSAY_OK;
    const assay_yaml_node *name = assay_yaml_need(yaml, node, "name");
    assay_status status = take_word(yaml, name, &composite->name);
    if (status == ASSAY_OK)
        status = take_word(yaml, assay_yaml_need(yaml, node, "version"), &composite->version);
    if (status == ASSAY_OK)
        status = take_text(yaml, assay_yaml_need(yaml, node, "age"), &composite->age);
    if (status == ASSAY_OK)
        status = read_parts(yaml, assay_yaml_need(yaml, node, "parts"), config, composite);
    if (status != ASSAY_OK) return status;
    read_missing(yaml, assay_yaml_get(node, "missing"), composite);
    if (assay_config_find_release(config, composite->name, composite->version) !=
        config->release_count)
        assay_yaml_fault(yaml, node->line, node->column, "release %s %s stands here twice",
                         composite->name, composite->version);
    return ASSAY_OK;
}

assay_status assay_config_read_composites(assay_yaml *yaml, const assay_yaml_node *node,
                                          assay_config *config) {
    if (node == NULL) return ASSAY_OK;
    if (node->kind != ASSAY_YAML_LIST || node->count == 0) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list of composite releases");
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&config->composites, node->count,
                                         sizeof *config->composites, "composite releases");
    for (size_t n = 0; status == ASSAY_OK && n < node->count; n++) {
        assay_composite *made = &config->composites[n];
        config->composite_count = n + 1;
        status = read_composite(yaml, node->items[n], config, made);
        for (size_t k = 0; status == ASSAY_OK && k < n; k++)
            if (made->name != NULL && config->composites[k].name != NULL &&
                strcmp(made->name, config->composites[k].name) == 0 &&
                strcmp(made->version, config->composites[k].version) == 0)
                assay_yaml_fault(yaml, node->items[n]->line, node->items[n]->column,
                                 "release %s %s stands here twice", made->name, made->version);
    }
    return status;
}
