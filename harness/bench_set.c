/* bench_set -- synthetic templates to measure with, in memory or as files. */
#include <inttypes.h>
#include <math.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/random.h"
#include "datasets/base/text.h"
#include "datasets/npy.h"
#include "harness/bench_private.h"
#include "harness/plan.h"

#define DECAY 3.46       /* of the variances, from the first component to behind the last */
#define MATED_COSINE 0.6 /* of two samples of a subject, on average */
#define SAMPLE_STREAMS (UINT64_C(1) << 40) /* streams below are the subjects' */
#define TEMPLATES_MAX (UINT64_C(1) << 31)

static assay_status check(const assay_bench_options *options, uint64_t *out_subjects) {
    const assay_bench_population *of = &options->population;
    const bool bits = options->comparator == ASSAY_HAMMING;
    assay_hamming_rule rule;
    const struct {
        const char *name;
        uint64_t value, low, high;
    } ranges[] = {
        {"templates", of->templates, 2, TEMPLATES_MAX},
        {"length", of->length, 1, bits ? ASSAY_HAMMING_BITS_MAX : ASSAY_LENGTH_MAX},
        {"groups", of->groups, 1, ASSAY_COMBINATIONS_MAX},
        {"samples-per-subject", of->samples_per_subject, 1, of->templates - 1},
    };
    for (size_t n = 0; n < sizeof ranges / sizeof ranges[0]; n++) {
        if (ranges[n].value >= ranges[n].low && ranges[n].value <= ranges[n].high) continue;
        return assay_fail(ASSAY_USAGE, "%s is %" PRIu64 ", expected %" PRIu64 " to %" PRIu64,
                          ranges[n].name, ranges[n].value, ranges[n].low, ranges[n].high);
    }
    const uint64_t subjects = (of->templates - 1) / of->samples_per_subject + 1;
    if (of->groups > subjects) {
        return assay_fail(ASSAY_USAGE,
                          "%u groups of %" PRIu64 " subjects; expected at most "
                          "one group a subject",
                          of->groups, subjects);
    }
    *out_subjects = subjects;
    return bits ? assay_bench_rule(options, &rule) : ASSAY_OK;
}

/* deviations[length]: square roots of the variances of bench.h. */
static assay_status make_deviations(uint32_t length, double **out) {
    double *deviations = NULL;
    const assay_status status =
        assay_allocate(&deviations, length, sizeof *deviations, "a spectrum");
    if (status != ASSAY_OK) return status;
    for (uint32_t k = 0; k < length; k++) deviations[k] = exp(-DECAY / 2 * k / length);
    *out = deviations;
    return ASSAY_OK;
}

/* row[length] = the subject's part plus the sample's, of length one; in double until the end. */
static void make_row(const assay_bench_population *of, uint64_t place, const double *deviations,
                     const double *subject_part, double *work, float *row) {
    assay_random random;
    double size = 0;
    assay_random_start(&random, of->seed, SAMPLE_STREAMS + place);
    for (uint32_t k = 0; k < of->length; k++) {
        work[k] = sqrt(MATED_COSINE) * subject_part[k] +
                  sqrt(1 - MATED_COSINE) * deviations[k] * assay_random_normal(&random);
        size += work[k] * work[k];
    }
    size = sqrt(size);
    for (uint32_t k = 0; k < of->length; k++) row[k] = (float)(work[k] / size);
}

static void make_subject(const assay_bench_population *of, uint64_t subject,
                         const double *deviations, double *part) {
    assay_random random;
    assay_random_start(&random, of->seed, subject);
    for (uint32_t k = 0; k < of->length; k++) {
        part[k] = deviations[k] * assay_random_normal(&random);
    }
}

static void label(const assay_bench_population *of, uint64_t subjects, bench_set *set) {
    for (uint64_t place = 0; place < of->templates; place++) {
        const uint64_t subject = place / of->samples_per_subject;
        set->subject[place] = (uint32_t)subject;
        set->group[place] = (uint32_t)(subject * of->groups / subjects);
    }
}

static assay_status fill(const assay_bench_population *of, const assay_progress *progress,
                         bench_set *set) {
    double *deviations = NULL, *part = NULL, *work = NULL;
    assay_pace pace = {0};
    assay_status status = make_deviations(of->length, &deviations);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&part, of->length, sizeof *part, "a subject");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&work, of->length, sizeof *work, "a sample");
    if (status != ASSAY_OK) goto out;
    for (uint64_t place = 0; place < of->templates; place++) {
        const uint64_t subject = place / of->samples_per_subject;
        if (place % of->samples_per_subject == 0) make_subject(of, subject, deviations, part);
        make_row(of, place, deviations, part, work, set->vectors + (size_t)place * of->length);
        if (assay_pace_due(&pace) &&
            !assay_progress_tell(progress, "synthesise", "templates", place, of->templates)) {
            status = assay_fail(ASSAY_FAILED, "interrupted while making templates");
            goto out;
        }
    }
    assay_progress_tell(progress, "synthesise", "templates", of->templates, of->templates);
out:
    free(deviations);
    free(part);
    free(work);
    return status;
}

assay_status assay_bench_set_make(const assay_bench_options *options,
                                  const assay_progress *progress, bench_set *out) {
    const assay_bench_population *population = &options->population;
    const bool bits = options->comparator == ASSAY_HAMMING;
    bench_set set = {0};
    uint64_t subjects = 0;
    size_t cells;
    assay_status status = check(options, &subjects);
    if (status != ASSAY_OK) return status;
    const size_t count = (size_t)population->templates;
    if (!assay_multiply(count, population->length, &cells)) {
        return assay_fail(ASSAY_USAGE, "%" PRIu64 " templates of %u are more than fit memory",
                          population->templates, population->length);
    }
    if (!bits)
        status = assay_allocate_aligned(&set.vectors, cells, sizeof *set.vectors, "templates");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.subject, count, sizeof *set.subject, "subjects");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.group, count, sizeof *set.group, "groups");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.side, count, sizeof *set.side, "sides");
    if (status != ASSAY_OK) goto out;
    label(population, subjects, &set);
    status =
        bits ? assay_bench_bits_fill(population, progress, &set) : fill(population, progress, &set);
    if (status != ASSAY_OK) goto out;
    const uint64_t each = population->samples_per_subject;
    set.pairs = assay_pair_count(population->templates);
    set.mated = (population->templates / each) * assay_pair_count(each) +
                assay_pair_count(population->templates % each);
    set.non_mated = set.pairs - set.mated;
    *out = set;
    set = (bench_set){0};
out:
    assay_bench_set_free(&set);
    return status;
}

void assay_bench_set_free(bench_set *set) {
    if (set == NULL) return;
    free(set->vectors);
    free(set->codes);
    free(set->masks);
    free(set->subject);
    free(set->group);
    free(set->side);
    *set = (bench_set){0};
}

/* ---- as files ---- */

static assay_status write_labels(const bench_set *set, uint64_t count, const char *path) {
    assay_text text = {0};
    assay_text_append(&text, "sample,subject,group\n");
    for (uint64_t place = 0; place < count; place++) {
        assay_text_appendf(&text, "t%" PRIu64 ",s%u,g%u\n", place, set->subject[place],
                           set->group[place]);
    }
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = assay_file_write(path, text.bytes, text.length);
    assay_text_free(&text);
    return status;
}

/* A matrix of the set below directory. */
static assay_status write_matrix(const assay_bench_population *of, const char *directory,
                                 const char *name, const float *vectors, const uint8_t *bytes) {
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, name);
    if (status == ASSAY_OK)
        status = vectors != NULL
                     ? assay_npy_write(path, of->templates, of->length, vectors)
                     : assay_npy_write_bytes(path, of->templates, of->length / 8, bytes);
    free(path);
    return status;
}

assay_status assay_bench_export(const assay_bench_options *options, const char *directory,
                                const assay_progress *progress) {
    const assay_bench_population *of = &options->population;
    bench_set set = {0};
    char *labels = NULL;
    assay_status status = assay_bench_set_make(options, progress, &set);
    if (status == ASSAY_OK) status = assay_make_directories(directory);
    if (status == ASSAY_OK)
        status = write_matrix(of, directory, "templates.npy", set.vectors, set.codes);
    if (status == ASSAY_OK && set.masks != NULL)
        status = write_matrix(of, directory, "masks.npy", NULL, set.masks);
    if (status == ASSAY_OK) status = assay_path_join(&labels, directory, "labels.csv");
    if (status == ASSAY_OK) status = write_labels(&set, of->templates, labels);
    assay_bench_set_free(&set);
    free(labels);
    return status;
}
