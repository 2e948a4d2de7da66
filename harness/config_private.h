/* config_private -- parts of a configuration that are read in files of their own. */
#ifndef ASSAY_HARNESS_CONFIG_PRIVATE_H
#define ASSAY_HARNESS_CONFIG_PRIVATE_H

#include "datasets/yaml.h"
#include "harness/config.h"

/* config_identification: galleries and look_alikes of the section `report`. Faults are noted. */
assay_status assay_config_identification(assay_yaml *yaml, const assay_yaml_node *report,
                                         const char *base, assay_config *config) ASSAY_MUST_CHECK;

#endif
