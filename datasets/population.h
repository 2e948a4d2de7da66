/* population -- a synthetic population whose truth is known: as rendered faces, or as templates
 * whose score distributions are known in closed form. The same seed gives the same bytes anywhere.
 *
 * Templates. Group g has a dimension d_g <= length and a stability a_g. A subject of g is u,
 * uniform on the unit sphere of the first d_g coordinates; a sample is a_g u + sqrt(1 - a_g^2) v
 * with v uniform on the unit sphere orthogonal to u in those coordinates. Then, for cosine scores
 * s: non-mated within g:      (1 + s)/2 ~ Beta((d_g - 1)/2, (d_g - 1)/2) non-mated between g, h:
 * the same with d = max(d_g, d_h) mated in g:              s = a_g^2 + (1 - a_g^2) w, (1 + w)/2 ~
 * Beta((d_g - 2)/2, (d_g - 2)/2) A differential is planted by giving a group a smaller d_g (FMR) or
 * a smaller a_g (FNMR). */
#ifndef ASSAY_DATASETS_POPULATION_H
#define ASSAY_DATASETS_POPULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/sample_table.h"

typedef struct {
    char *name;         /* value of the attribute "group" */
    double share;       /* of the subjects; shares are normalised */
    uint32_t dimension; /* templates: d_g */
    double stability;   /* templates: a_g in (0, 1) */
    double likeness;    /* images: 0 faces differ freely … 1 all faces of the group alike (FMR) */
    double degradation; /* images: 0 none … 1 strong extra blur, noise and pose (FNMR) */
} assay_population_group;

typedef struct {
    uint64_t seed;
    uint32_t subjects;
    uint32_t samples_per_subject;
    uint32_t length;                /* templates */
    uint32_t image_size;            /* images: width = height in pixels, 48 to 512 */
    assay_population_group *groups; /* [group_count] */
    uint32_t group_count;
} assay_population;

/* Four groups ("north", "south", "east", "west"), 128-dimensional; where planted, "west" has half
 * the dimension and likeness 0.3, and "south" a lower stability and degradation 0.35. */
assay_status assay_population_create(bool planted, assay_population *out) ASSAY_MUST_CHECK;
void assay_population_free(assay_population *population);

/* Attributes: group (subject-level), sex (subject-level, no effect), age_band (sample-level numeric
 * from age, no effect planted), source BY_CONSTRUCTION; sessions are distinct; captured a year
 * apart; quality is 100 less what degraded the sample (templates: 100 a_g^2). vectors is
 * [rows][length]. Rows are in subject order. */
assay_status assay_population_templates(const assay_population *population,
                                        const assay_progress *progress,
                                        assay_sample_table *out_table,
                                        float **out_vectors) ASSAY_MUST_CHECK;

/* Writes images/NNNNN_k.pgm (8-bit grey), truth.json and, last, manifest.csv below directory, which
 * is made. Columns: sample_id, path, subject_id, session, captured, quality, sha256, group, sex,
 * age. The images show a face (head, eyes, brows, nose, mouth, hair, texture of skin) whose shape
 * and shade are the subject's, under the sample's pose, light, blur, noise and age. Where likeness
 * and degradation are 0 the groups are exchangeable: no differential but chance. */
assay_status assay_population_images(const assay_population *population, const char *directory,
                                     const assay_progress *progress) ASSAY_MUST_CHECK;

/* Closed forms of the template population. */
double assay_population_fmr(const assay_population *population, uint32_t group_a, uint32_t group_b,
                            double threshold);
double assay_population_fnmr(const assay_population *population, uint32_t group, double threshold);
/* truth.json: the parameters and, on a grid of thresholds, FMR by group pair and FNMR by group. */
assay_status assay_population_truth_json(const assay_population *population,
                                         char **out) ASSAY_MUST_CHECK;

#endif
