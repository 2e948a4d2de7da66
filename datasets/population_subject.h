/* population_subject -- who each subject of a synthetic population is: what its templates and its
 * images have in common. Private to population*.c. */
#ifndef ASSAY_DATASETS_POPULATION_SUBJECT_H
#define ASSAY_DATASETS_POPULATION_SUBJECT_H

#include "datasets/base/random.h"
#include "datasets/population.h"

#define ASSAY_POPULATION_BINS 6

typedef struct {
    uint32_t index;
    uint32_t group;
    uint32_t sex; /* 0 female, 1 male */
    uint32_t age; /* whole years at the first capture; one more at each that follows */
    int64_t first_capture;
    assay_random random; /* the subject's own stream, behind what is above */
} assay_population_subject;

extern const char *const assay_population_sexes[2];
extern const char *const assay_population_bin_labels[ASSAY_POPULATION_BINS];

/* ASSAY_USAGE, naming the parameter, its value and its range. */
assay_status assay_population_check(const assay_population *population) ASSAY_MUST_CHECK;

/* *out_groups is [subjects], free(): the group of each subject, every prefix as near to the shares
 * as can be. Nothing random, so that the counts of the groups are what the shares say. */
assay_status assay_population_assign(const assay_population *population,
                                     uint32_t **out_groups) ASSAY_MUST_CHECK;

/* The table of all samples, rows in subject order, with the group of each subject: *out_groups is
 * [subjects], free(). */
assay_status assay_population_table(const assay_population *population, uint32_t **out_groups,
                                    assay_sample_table *out) ASSAY_MUST_CHECK;

/* Subject index of the population; depends on the seed, index and group only. */
void assay_population_subject_start(const assay_population *population, uint32_t index,
                                    uint32_t group, assay_population_subject *out);

/* Seconds since 1970 of sample k (from 0). */
int64_t assay_population_captured(const assay_population_subject *subject, uint32_t k);

/* "00001_1"; out has room for size bytes. */
void assay_population_sample_id(char *out, size_t size, uint32_t subject, uint32_t k);
void assay_population_subject_id(char *out, size_t size, uint32_t subject);

#endif
