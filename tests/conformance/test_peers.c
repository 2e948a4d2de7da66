/* test_peers -- the figures of other people's tools on the score lists that they publish. Skips
 * where ASSAY_DATA, the folder that holds scores/, is not there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "reports/rates.h"

typedef struct {
    double *mated, *non_mated;
    uint64_t mated_count, non_mated_count;
} score_lists;

static char *path_of(const char *name) {
    static char path[1024];
    snprintf(path, sizeof path, "%s/scores/%s", getenv("ASSAY_DATA"), name);
    return path;
}

static double *read_text(const char *name, uint64_t *out_count) {
    FILE *file = fopen(path_of(name), "r");
    if (!file) fail_msg("cannot open %s", path_of(name));
    size_t capacity = 1024, count = 0;
    double *scores = malloc(capacity * sizeof *scores);
    while (fscanf(file, "%lf", &scores[count]) == 1)
        if (++count == capacity) scores = realloc(scores, (capacity *= 2) * sizeof *scores);
    fclose(file);
    *out_count = count;
    return scores;
}

static double *read_hdf5(const char *name, uint64_t *out_count) {
    hid_t file = H5Fopen(path_of(name), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) fail_msg("cannot open %s", path_of(name));
    hid_t set = H5Dopen2(file, "array", H5P_DEFAULT);
    hid_t space = H5Dget_space(set);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    assert_true(count > 0);
    double *scores = calloc((size_t)count, sizeof *scores);
    assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, scores) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    *out_count = (uint64_t)count;
    return scores;
}

static void free_lists(score_lists *lists) {
    free(lists->mated);
    free(lists->non_mated);
}

static assay_whole_figures figures_of(const score_lists *lists) {
    assay_whole_figures figures;
    assert_int_equal(assay_score_figures(lists->mated, lists->mated_count, lists->non_mated,
                                         lists->non_mated_count, &figures),
                     ASSAY_OK);
    return figures;
}

/* The published figures are printed to ten digits. */
static void assert_printed(double value, double published) {
    if (fabs(value - published) > 5.1e-11) fail_msg("%.12f is not %.10f", value, published);
}

static void eer_is_pyeers(const char *experiment, uint64_t mated, uint64_t non_mated, double eer,
                          assay_whole_figures *out) {
    char name[128];
    score_lists lists = {0};
    snprintf(name, sizeof name, "pyeer/non_hist/%s_true.txt", experiment);
    lists.mated = read_text(name, &lists.mated_count);
    snprintf(name, sizeof name, "pyeer/non_hist/%s_false.txt", experiment);
    lists.non_mated = read_text(name, &lists.non_mated_count);
    assert_int_equal(lists.mated_count, mated);
    assert_int_equal(lists.non_mated_count, non_mated);
    *out = figures_of(&lists);
    assert_printed(out->eer.value.value, eer);
    assert_true(out->eer.low <= out->eer.value.value && out->eer.value.value <= out->eer.high);
    free_lists(&lists);
}

static void pyeer_exp1_has_its_eer_auc_and_dprime(void **state) {
    (void)state;
    assay_whole_figures figures;
    eer_is_pyeers("exp1", 2793, 4950, 0.0808623290, &figures);
    assert_printed(figures.auc.value, 0.9650048643);
    if (fabs(figures.dprime.value - 2.0590573) > 5.1e-8)
        fail_msg("%.9f is not 2.0590573", figures.dprime.value);
}

static void pyeer_exp2_and_exp3_have_their_eer(void **state) {
    (void)state;
    assay_whole_figures figures;
    eer_is_pyeers("exp2", 180, 3619, 0.0441896165, &figures);
    eer_is_pyeers("exp3", 2786, 66633, 0.1141693075, &figures);
}

static double fnmr_at(assay_score_list *mated, const assay_score_list *non_mated, double fmr) {
    double threshold = 0;
    assert_true(
        assay_threshold(non_mated, assay_allowed_errors(fmr, non_mated->count), &threshold));
    uint64_t matched = assay_scores_at_least(mated, threshold);
    return (double)(mated->count - matched) / (double)mated->count;
}

static void bob_nonsep_has_its_fnmr_and_auc(void **state) {
    (void)state;
    score_lists lists = {0};
    lists.mated = read_hdf5("bob/nonsep-positives.hdf5", &lists.mated_count);
    lists.non_mated = read_hdf5("bob/nonsep-negatives.hdf5", &lists.non_mated_count);
    assay_whole_figures figures = figures_of(&lists);
    /* Published with four digits; of 50 x 50 comparisons each is worth 0.0004. */
    assert_true(fabs(figures.auc.value - 0.9326) < 5.1e-5);
    assay_score_list mated = assay_score_list_sort(lists.mated, lists.mated_count);
    assay_score_list non_mated = assay_score_list_sort(lists.non_mated, lists.non_mated_count);
    assert_true(fabs(fnmr_at(&mated, &non_mated, 0.01) - 0.48) < 1e-12);
    assert_true(fabs(fnmr_at(&mated, &non_mated, 0.1) - 0.12) < 1e-12);
    assert_true(fabs(fnmr_at(&mated, &non_mated, 1) - 0) < 1e-12);
    free_lists(&lists);
}

int main(void) {
    if (!getenv("ASSAY_DATA") || access(path_of("pyeer/non_hist/exp1_true.txt"), R_OK) != 0) {
        printf("skipped: ASSAY_DATA names no folder with scores/ in it\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pyeer_exp1_has_its_eer_auc_and_dprime),
        cmocka_unit_test(pyeer_exp2_and_exp3_have_their_eer),
        cmocka_unit_test(bob_nonsep_has_its_fnmr_and_auc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
