/* report_identify -- of a report: identification by each release, and pairs of people who resemble
 * each other (pages.h). */
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/pages.h"

/* Rows that go on from evidence, or NULL. */
static const assay_rows *rows_of(const assay_report_options *wanted,
                                 const assay_evidence *evidence) {
    for (size_t n = 0; n < wanted->row_count; ++n)
        if (assay_digest_equal(&wanted->rows[n].result_digest, &evidence->result_digest))
            return &wanted->rows[n];
    return NULL;
}

static assay_status check_rows(const assay_report *report, const assay_report_options *wanted) {
    for (size_t n = 0; n < wanted->row_count; ++n) {
        const assay_rows *rows = &wanted->rows[n];
        bool used = wanted->look_alikes &&
                    assay_digest_equal(&rows->result_digest, &wanted->look_alikes->result_digest);
        for (size_t r = 0; r < report->count; ++r)
            used = used || rows_of(wanted, report->releases[r].evidence) == rows;
        if (!used)
            return assay_fail(ASSAY_USAGE,
                              "rows of %s %s go on from evidence that is not in this report: "
                              "expected those of a release that is, or of the reference release",
                              rows->release, rows->version);
    }
    return ASSAY_OK;
}

static assay_status identify(const assay_report_options *wanted, assay_report_release *release) {
    const assay_evidence *evidence = release->evidence;
    const assay_operating_point *point = assay_headline(release);
    uint64_t usual[ASSAY_USUAL_SIZES];
    assay_galleries_options options = {.deployment = {point->fmr_target, point->threshold},
                                       .rank = wanted->gallery_rank,
                                       .sizes = wanted->gallery_sizes,
                                       .size_count = wanted->gallery_size_count,
                                       .attribute = wanted->galleries,
                                       .rows = rows_of(wanted, evidence),
                                       .alpha = ASSAY_INTERVAL_ALPHA};
    assay_status status = ASSAY_OK;
    release->galleries_reason = assay_galleries_fault(evidence);
    if (!release->galleries_reason && point->reason) release->galleries_reason = point->reason;
    if (!release->galleries_reason && !point->in_tail)
        release->galleries_reason = "the threshold lies below the non-mated scores that are kept";
    if (release->galleries_reason) return ASSAY_OK;
    if (!options.sizes) {
        status = assay_galleries_usual(evidence, usual, &options.size_count);
        options.sizes = usual;
    }
    if (status == ASSAY_OK)
        status = assay_galleries_at(evidence, &options, point, &release->galleries);
    return status;
}

static assay_status judge_look_alikes(assay_report *report, assay_report_release *release) {
    const size_t points = release->figures.point_count;
    release->resemblance_fault = assay_neighbours_fault(report->look_alikes, release->evidence);
    if (release->resemblance_fault) return ASSAY_OK;
    assay_status status = assay_allocate(&release->resemblance, report->neighbour_count * points,
                                         sizeof *release->resemblance, "look-alikes");
    for (size_t k = 0; status == ASSAY_OK && k < report->neighbour_count; ++k)
        status = assay_neighbours_judge(&report->neighbours[k], release->evidence,
                                        &release->figures, release->resemblance + k * points);
    return status;
}

static assay_status find_look_alikes(assay_report *report, const assay_report_options *wanted) {
    static const uint64_t usual[] = {1, 10};
    const uint64_t *nearest = wanted->nearest ? wanted->nearest : usual;
    size_t count = wanted->nearest ? wanted->nearest_count : sizeof usual / sizeof *usual;
    report->look_alikes = wanted->look_alikes;
    assay_status status =
        assay_allocate(&report->neighbours, count, sizeof *report->neighbours, "look-alikes");
    for (size_t k = 0; status == ASSAY_OK && k < count; ++k) {
        status = assay_neighbours_find(wanted->look_alikes, rows_of(wanted, wanted->look_alikes),
                                       nearest[k], &report->neighbours[k]);
        report->neighbour_count += status == ASSAY_OK;
    }
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = judge_look_alikes(report, &report->releases[n]);
    return status;
}

assay_status assay_report_identify(assay_report *report, const assay_report_options *wanted) {
    assay_status status = check_rows(report, wanted);
    report->gallery_rank = wanted->gallery_rank;
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = identify(wanted, &report->releases[n]);
    if (status == ASSAY_OK && wanted->look_alikes) status = find_look_alikes(report, wanted);
    return status;
}

void assay_report_identify_free(assay_report *report) {
    for (size_t n = 0; report->releases && n < report->count; ++n) {
        assay_galleries_free(&report->releases[n].galleries);
        free(report->releases[n].resemblance);
    }
    for (size_t k = 0; k < report->neighbour_count; ++k)
        assay_neighbours_free(&report->neighbours[k]);
    free(report->neighbours);
}
