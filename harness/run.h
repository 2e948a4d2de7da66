/* run -- an evaluation from its configuration to the evidence of every release, skipping each step
 * whose output is there for the same inputs. (The report is made by whoever may include reports.)
 *
 * OUTPUT/population/                      images of a built-in population, its manifest, assay.yaml
 * OUTPUT/dataset.h5
 * OUTPUT/RELEASE-VERSION/templates.h5
 * OUTPUT/RELEASE-VERSION/evidence.h5
 * OUTPUT/RELEASE-VERSION/evidence-references-OTHER-VERSION.h5   with references of that release */
#ifndef ASSAY_HARNESS_RUN_H
#define ASSAY_HARNESS_RUN_H

#include <stdbool.h>

#include "harness/config.h"
#include "harness/steps.h"

typedef struct {
    const char *output;  /* NULL: as the configuration says */
    const char *backend; /* NULL: likewise */
    unsigned threads;    /* 0: likewise */
    bool force;          /* does every step again */
    bool dry_run;        /* says what would be done, reads what is there, writes nothing */
} assay_run_options;

typedef enum {
    ASSAY_RUN_DONE = 0,
    ASSAY_RUN_UP_TO_DATE,
    ASSAY_RUN_PLANNED,     /* dry run: would be done */
    ASSAY_RUN_GIVEN,       /* templates.h5 made elsewhere: used as it is */
    ASSAY_RUN_FAILED,      /* begun, not finished: assay_run's fault is its fault */
    ASSAY_RUN_INTERRUPTED, /* begun, and stopped because progress->tell said so */
} assay_run_outcome;
const char *assay_run_outcome_name(assay_run_outcome outcome);
/* Of a step that did not finish: INTERRUPTED where progress asks to stop, else FAILED. */
assay_run_outcome assay_run_outcome_of_fault(const assay_progress *progress);

typedef struct {
    const char *step; /* "population", "ingest", "enroll", "import", "compare" */
    char *release;    /* "lbp 1.0", or NULL */
    char *path;
    assay_run_outcome outcome;
    double seconds;
    char summary[200];   /* "204 samples of 102 subjects" */
    assay_digest digest; /* of the content: data set, templates, result; zero where none */
} assay_run_step;

typedef struct {
    char *output;
    assay_run_step *steps; /* [step_count] */
    size_t step_count;
    char **evidence; /* [evidence_count] paths, one a release, in the configuration's order; then
                        those with references of another release */
    size_t evidence_count;
} assay_run_result;

/* *out is filled as far as the run came, also on a fault (zero it first); free it in any case. On a
 * fault the last step is the one that FAILED or was INTERRUPTED; later ones are not in the list.
 * ASSAY_USAGE before anything is written where a step would write over one of its inputs, or over a
 * file that assay did not make (outputs.h). */
assay_status assay_run(const assay_config *config, const assay_run_options *options,
                       const assay_progress *progress, assay_run_result *out) ASSAY_MUST_CHECK;
void assay_run_result_free(assay_run_result *result);

/* What `run` and `ingest` do with a population: its images, manifest.csv and truth.json, and
 * assay.yaml, which declares them, at directory; rendered aside and renamed, so that it is whole or
 * not there. *out_made says whether it had to be done (dry_run: would have to be). */
assay_status assay_run_population(const assay_population *population, const char *name,
                                  const char *directory, bool force, bool dry_run,
                                  const assay_progress *progress, bool *out_made) ASSAY_MUST_CHECK;
/* The declaration in directory/assay.yaml. */
assay_status assay_run_population_declare(const char *directory,
                                          assay_manifest_declaration *out) ASSAY_MUST_CHECK;

#endif
