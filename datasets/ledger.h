/* ledger -- what sealing, verification and the release gate need of a directory's ledger beyond
 * sealed_file.h. */
#ifndef ASSAY_DATASETS_LEDGER_H
#define ASSAY_DATASETS_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"

#define ASSAY_LEDGER_NAME "assay-ledger.jsonl"

typedef struct {
    const char *file; /* name without directory */
    const char *what;
    uint64_t size;
    assay_digest digest;      /* of the file */
    assay_digest seal_digest; /* of the bytes of its seal */
    const char *details_json; /* an object, or NULL */
} assay_ledger_sealed;

/* Appends the record of a sealed file. */
assay_status assay_ledger_append_sealed(const char *directory,
                                        const assay_ledger_sealed *sealed) ASSAY_MUST_CHECK;

/* Shows every record of a ledger in its order, as the JSON of its line (not ended by a NUL), after
 * its place in the chain was checked. visit stops the walk by a status that is not ASSAY_OK. A
 * directory without a ledger has no records, and is no error. */
typedef assay_status (*assay_ledger_visit)(void *context, const char *line, size_t length);
assay_status assay_ledger_walk(const char *directory, assay_ledger_visit visit,
                               void *context) ASSAY_MUST_CHECK;

/* *out says whether the ledger of directory is there, has a whole chain, and holds a record of
 * seal_digest. ASSAY_FAILED only where memory is too short to tell. */
assay_status assay_ledger_holds(const char *directory, const assay_digest *seal_digest,
                                bool *out) ASSAY_MUST_CHECK;

#endif
