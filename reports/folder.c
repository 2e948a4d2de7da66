/* folder -- the folders of a report, and what of an earlier one is taken out of them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "reports/pages.h"

static bool begins(const char *name, const char *with) {
    return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with) {
    size_t length = strlen(name), end = strlen(with);
    return length >= end && strcmp(name + length - end, with) == 0;
}

/* Names that the writers make, and those of files that were not finished: ".NAME.tmp-PID". */
static bool is_ours(const char *name, const char *const *stems, const char *const *endings) {
    bool unfinished = name[0] == '.', known = false, ended = unfinished && ends(name, ".log");
    if (unfinished) ++name;
    for (; *stems; ++stems) known = known || begins(name, *stems);
    for (; *endings; ++endings) {
        const char *at = unfinished ? strstr(name, *endings) : NULL;
        ended = ended ||
                (unfinished ? at && begins(at + strlen(*endings), ".tmp-") : ends(name, *endings));
    }
    return known && ended;
}

static assay_status remove_file(const char *directory, const char *name) {
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, name);
    if (status == ASSAY_OK && unlink(path) && errno != ENOENT)
        status = assay_fail_errno("cannot remove %s of an earlier report", path);
    free(path);
    return status;
}

static assay_status clear_folder(const char *folder, const char *const *stems,
                                 const char *const *endings) {
    DIR *listing = opendir(folder);
    if (!listing) return assay_fail_errno("cannot list %s", folder);
    assay_status status = ASSAY_OK;
    for (struct dirent *entry; status == ASSAY_OK && (entry = readdir(listing));)
        if (is_ours(entry->d_name, stems, endings)) status = remove_file(folder, entry->d_name);
    closedir(listing);
    return status;
}

/* In place of the summary until it is written: whose folder it is, and that nothing in it counts.
 */
static assay_status mark_unfinished(const char *directory) {
    static const char mark[] = "{\"schema\": \"assay-summary/unfinished\"}\n";
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, "summary.json");
    if (status == ASSAY_OK) status = assay_file_write(path, mark, sizeof mark - 1);
    free(path);
    return status;
}

assay_status assay_report_folder(const char *directory) {
    static const char *const of_tables[] = {"releases.csv",
                                            "operating_points.csv",
                                            "groups.csv",
                                            "group_pairs.csv",
                                            "differentials.csv",
                                            "comparison.csv",
                                            "threshold_transfer.csv",
                                            "mixed.csv",
                                            "score_scale.csv",
                                            "cost.csv",
                                            "discordant.csv",
                                            "alike.csv",
                                            "look_alikes.csv",
                                            "galleries.csv",
                                            "recognition.csv",
                                            "det.csv",
                                            "pairs.csv",
                                            "histograms.csv",
                                            "not_enrolled.csv",
                                            "discard.csv",
                                            "quality_bands.csv",
                                            "quality_minima.csv",
                                            "ageing.csv",
                                            NULL};
    static const char *const of_plots[] = {"style.gp",
                                           "det.",
                                           "det-",
                                           "scores-",
                                           "discard.",
                                           "discard-",
                                           "ranks.",
                                           "ranks-",
                                           "fmr-by-attribute-",
                                           "fnmr-by-attribute-",
                                           "fte-by-attribute-",
                                           "fmr-pairs-of-attribute-",
                                           NULL};
    static const char *const csv[] = {".csv", NULL}, *const plot[] = {".gp", ".svg", ".tsv", NULL};
    static const char *const of_pdf[] = {"report.", NULL}, *const pdf[] = {"report.pdf", NULL};
    static const struct {
        const char *name;
        const char *const *stems, *const *endings;
    } folders[] = {{"tables", of_tables, csv}, {"plots", of_plots, plot}};
    assay_status status = assay_make_directories(directory);
    if (status == ASSAY_OK) status = remove_file(directory, "index.html");
    if (status == ASSAY_OK) status = mark_unfinished(directory);
    if (status == ASSAY_OK) status = clear_folder(directory, of_pdf, pdf);
    for (size_t n = 0; status == ASSAY_OK && n < sizeof folders / sizeof *folders; ++n) {
        char *path = NULL;
        status = assay_path_join(&path, directory, folders[n].name);
        if (status == ASSAY_OK) status = assay_make_directories(path);
        if (status == ASSAY_OK) status = clear_folder(path, folders[n].stems, folders[n].endings);
        free(path);
    }
    return status;
}
