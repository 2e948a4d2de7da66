/* config_composites -- the section `composites` of a configuration. Private to harness/config*.c.
 */
#ifndef ASSAY_HARNESS_CONFIG_COMPOSITES_H
#define ASSAY_HARNESS_CONFIG_COMPOSITES_H

#include "datasets/yaml.h"
#include "harness/config.h"

/* Notes every fault in yaml; config has its releases already. */
assay_status assay_config_read_composites(assay_yaml *yaml, const assay_yaml_node *node,
                                          assay_config *config) ASSAY_MUST_CHECK;
/* Index of a release by its name and version (NULL: the only one of that name); release_count where
 * there is none. */
size_t assay_config_find_release(const assay_config *config, const char *name, const char *version);

#endif
