/* worklist_private -- what the files of worklists share. */
#ifndef ASSAY_REPORTS_WORKLIST_PRIVATE_H
#define ASSAY_REPORTS_WORKLIST_PRIVATE_H

#include "reports/worklist.h"

/* A new, empty list; borrowed until the next one is added. */
assay_status worklist_add_list(assay_worklist *work, assay_work_kind kind, size_t release,
                               size_t other, assay_work_list **out) ASSAY_MUST_CHECK;
/* Sorts by rank, remembers how many there are and keeps the first. */
void worklist_keep_first(assay_work_list *list, uint64_t limit);

/* Non-mated pairs at or above the mated median, subjects that fall apart, one image under two
 * subjects. */
assay_status worklist_list_labels(assay_worklist *work, size_t release) ASSAY_MUST_CHECK;

#endif
