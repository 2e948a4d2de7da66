/* worklist_labels -- where one of two labels may be wrong (worklist.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/rates.h"
#include "reports/worklist_private.h"

/* One image under two names is certain, so it comes first; then people who match as one does. */
#define RANK_APART ((uint64_t)1 << 62)
#define RANK_ALIKE ((uint64_t)1 << 61)

typedef struct {
    assay_worklist *work;
    size_t release;
    const assay_evidence *evidence;
    assay_work_list *list;
    size_t capacity;
    uint32_t *parent; /* [row_count] a row of the same set of samples that match, or itself */
    uint32_t *size;   /* [row_count] samples of the set, at its root */
} label_work;

static assay_status add(label_work *label, assay_work_item item) {
    assay_work_list *list = label->list;
    assay_status status = assay_reserve(&list->items, &label->capacity, list->count + 1,
                                        sizeof *list->items, "worklists");
    if (status == ASSAY_OK) list->items[list->count++] = item;
    return status;
}

/* ---- two people as alike as one is ---- */

static assay_status list_alike(label_work *label) {
    const assay_evidence *evidence = label->evidence;
    double median = label->work->mated_medians[label->release];
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < evidence->tail_count; ++n) {
        const assay_comparison *pair = &evidence->tail[n];
        double score = assay_fine_score(evidence, pair->fine);
        if (!(score >= median)) break;
        status =
            add(label,
                (assay_work_item){.reason = "two subjects match as one person does (mated median)",
                                  .i = pair->i,
                                  .j = pair->j,
                                  .error = score >= label->work->thresholds[label->release],
                                  .score = score,
                                  .other_score = (double)NAN,
                                  .rank = RANK_ALIKE + n});
    }
    return status;
}

/* ---- a subject whose samples fall apart ---- */

static uint32_t root_of(label_work *label, uint32_t row) {
    while (label->parent[row] != row) {
        label->parent[row] = label->parent[label->parent[row]];
        row = label->parent[row];
    }
    return row;
}

static void join(label_work *label, uint32_t i, uint32_t j) {
    i = root_of(label, i);
    j = root_of(label, j);
    if (i == j) return;
    uint32_t low = i < j ? i : j, high = i < j ? j : i;
    label->parent[high] = low;
    label->size[low] += label->size[high];
}

typedef struct {
    uint32_t largest, smallest; /* roots */
    uint64_t sets;
} parts;

/* Sets of samples with a mated comparison, by subject; ties go to the first row. */
static void find_parts(label_work *label, const uint8_t *compared, parts *of) {
    const assay_sample_table *table = &label->evidence->table;
    for (uint32_t row = 0; row < table->row_count; ++row) {
        if (!compared[row] || label->parent[row] != row) continue;
        parts *subject = &of[table->subject[row]];
        if (!subject->sets || label->size[row] > label->size[subject->largest])
            subject->largest = row;
        if (!subject->sets || label->size[row] <= label->size[subject->smallest])
            subject->smallest = row;
        ++subject->sets;
    }
}

/* Score of the mated comparison of two rows, NaN where there is none. */
static double score_of(const assay_evidence *evidence, uint32_t i, uint32_t j) {
    for (uint64_t n = 0; n < evidence->mated_count; ++n)
        if ((evidence->mated[n].i == i && evidence->mated[n].j == j) ||
            (evidence->mated[n].i == j && evidence->mated[n].j == i))
            return assay_fine_score(evidence, evidence->mated[n].fine);
    return (double)NAN;
}

/* Two samples that do not match are a miss; where others of the subject do match each other and
 * none of them this one, it may be somebody else. */
static assay_status list_apart(label_work *label) {
    const assay_evidence *evidence = label->evidence;
    const assay_sample_table *table = &evidence->table;
    double threshold = label->work->thresholds[label->release];
    uint8_t *compared = NULL;
    parts *of = NULL;
    assay_status status = assay_allocate(&compared, table->row_count, 1, "samples");
    if (status == ASSAY_OK)
        status = assay_allocate(&of, table->subject_count, sizeof *of, "subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&label->parent, table->row_count, sizeof *label->parent, "samples");
    if (status == ASSAY_OK)
        status = assay_allocate(&label->size, table->row_count, sizeof *label->size, "samples");
    for (uint32_t row = 0; status == ASSAY_OK && row < table->row_count; ++row) {
        label->parent[row] = row;
        label->size[row] = 1;
    }
    for (uint64_t n = 0; status == ASSAY_OK && n < evidence->mated_count; ++n) {
        const assay_comparison *pair = &evidence->mated[n];
        compared[pair->i] = compared[pair->j] = 1;
        if (assay_fine_score(evidence, pair->fine) >= threshold) join(label, pair->i, pair->j);
    }
    if (status == ASSAY_OK) find_parts(label, compared, of);
    for (uint32_t n = 0; status == ASSAY_OK && n < table->subject_count; ++n) {
        uint32_t i = of[n].largest, j = of[n].smallest;
        if (of[n].sets < 2 || label->size[i] < 2) continue;
        status = add(label, (assay_work_item){
                                .reason = "one subject's samples fall into sets that do not match",
                                .i = i < j ? i : j,
                                .j = i < j ? j : i,
                                .error = true,
                                .score = (double)NAN,
                                .other_score = (double)NAN,
                                .sets = of[n].sets,
                                .rank = RANK_APART + n});
    }
    free(compared);
    free(of);
    free(label->parent);
    free(label->size);
    return status;
}

/* ---- one image under two subjects ---- */

typedef struct {
    const assay_digest *digest;
    uint32_t row;
} image;

static int by_image(const void *a, const void *b) {
    const image *x = a, *y = b;
    int order = memcmp(x->digest->bytes, y->digest->bytes, sizeof x->digest->bytes);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Each sample with the first one of the same image and another subject. */
static assay_status list_identical(label_work *label) {
    const assay_sample_table *table = &label->evidence->table;
    image *images = NULL;
    uint64_t count = 0, first = 0;
    assay_status status = assay_allocate(&images, table->row_count, sizeof *images, "images");
    for (uint32_t row = 0; status == ASSAY_OK && row < table->row_count; ++row)
        if (!assay_digest_is_zero(&table->image_digest[row]))
            images[count++] = (image){&table->image_digest[row], row};
    if (status == ASSAY_OK && count) qsort(images, count, sizeof *images, by_image);
    for (uint64_t n = 1; status == ASSAY_OK && n < count; ++n) {
        if (!assay_digest_equal(images[n].digest, images[first].digest)) first = n;
        uint32_t i = images[first].row, j = images[n].row;
        if (table->subject[i] == table->subject[j]) continue;
        status = add(label, (assay_work_item){.reason = "one image, byte for byte, of two subjects",
                                              .i = i,
                                              .j = j,
                                              .error = true,
                                              .score = (double)NAN,
                                              .other_score = (double)NAN,
                                              .rank = n});
    }
    free(images);
    return status;
}

assay_status worklist_list_labels(assay_worklist *work, size_t release) {
    const assay_evidence *evidence = &work->evidence[release];
    label_work label = {.work = work, .release = release, .evidence = evidence};
    assay_status status = worklist_add_list(work, ASSAY_WORK_LABEL, release, release, &label.list);
    if (status == ASSAY_OK) status = list_identical(&label);
    if (status == ASSAY_OK) status = list_alike(&label);
    if (status == ASSAY_OK) status = list_apart(&label);
    if (status != ASSAY_OK) return status;
    worklist_keep_first(label.list, work->limit);
    for (size_t n = 0; n < label.list->count; ++n) {
        assay_work_item *item = &label.list->items[n];
        if (item->sets) item->score = score_of(evidence, item->i, item->j);
    }
    return ASSAY_OK;
}
