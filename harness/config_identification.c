/* config_identification -- galleries and look-alikes of a report, as the configuration says them.
 */
#include <stdlib.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "harness/config_private.h"

#define COUNTS_MOST 64
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A node's text into *out; a path where it is relative to base. */
static assay_status take_text(assay_yaml *yaml, const assay_yaml_node *node, const char *base,
                              char **out) {
    const char *text;
    if (!assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    free(*out);
    *out = NULL;
    return base != NULL ? assay_path_join(out, base, text) : assay_copy_string(out, text);
}

/* A list of whole numbers from 1, as they stand. */
static assay_status take_counts(assay_yaml *yaml, const assay_yaml_node *node, uint64_t **out,
                                size_t *out_count) {
    uint64_t *counts = NULL;
    size_t count = 0;
    if (node == NULL) return ASSAY_OK;
    if (node->kind != ASSAY_YAML_LIST || node->count == 0 || node->count > COUNTS_MOST) {
        assay_yaml_fault(yaml, node->line, node->column, "expected a list of 1 to %d numbers",
                         COUNTS_MOST);
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&counts, node->count, sizeof *counts, "numbers");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < node->count; n++)
        count += assay_yaml_uint(yaml, node->items[n], 1, 1000000000, &counts[count]);
    free(*out);
    *out = counts;
    *out_count = count;
    return ASSAY_OK;
}

static assay_status read_galleries(assay_yaml *yaml, const assay_yaml_node *node,
                                   assay_config *config) {
    static const char *const keys[] = {"sizes", "by", "rank"};
    if (node == NULL || !assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    assay_yaml_uint(yaml, assay_yaml_get(node, "rank"), 0, 100000, &config->gallery_rank);
    assay_status status = take_counts(yaml, assay_yaml_get(node, "sizes"), &config->gallery_sizes,
                                      &config->gallery_size_count);
    if (status == ASSAY_OK)
        status = take_text(yaml, assay_yaml_get(node, "by"), NULL, &config->galleries);
    return status;
}

static assay_status read_look_alikes(assay_yaml *yaml, const assay_yaml_node *node,
                                     const char *base, assay_config *config) {
    static const char *const keys[] = {"evidence", "nearest"};
    if (node == NULL || !assay_yaml_check_keys(yaml, node, keys, COUNT_OF(keys))) return ASSAY_OK;
    if (assay_yaml_get(node, "evidence") == NULL)
        assay_yaml_fault(yaml, node->line, node->column,
                         "look_alikes needs the evidence of the release that chooses them");
    assay_status status =
        take_text(yaml, assay_yaml_get(node, "evidence"), base, &config->look_alikes);
    if (status == ASSAY_OK)
        status = take_counts(yaml, assay_yaml_get(node, "nearest"), &config->nearest,
                             &config->nearest_count);
    return status;
}

assay_status assay_config_identification(assay_yaml *yaml, const assay_yaml_node *report,
                                         const char *base, assay_config *config) {
    assay_status status = read_galleries(yaml, assay_yaml_get(report, "galleries"), config);
    if (status != ASSAY_OK) return status;
    return read_look_alikes(yaml, assay_yaml_get(report, "look_alikes"), base, config);
}
