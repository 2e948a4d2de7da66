/* soak_damage -- 2,000 bytes changed anywhere and 2,000 in metadata, 600 blocks zeroed, swapped or
 * misplaced, and 400 lengths, of everything that is kept; and blocks of 8 MiB of a file that has
 * three. */
#include <stdio.h>

#include "tests/fixtures_damage.h"

static void prepare_large(const char *folder) {
    fixture_need(fixture_write_templates(fixture_path(folder, "large.h5"), 5, 4000, 5, 256),
                 "large templates");
}

static assay_status read_large(const char *folder, assay_digester *to) {
    return kind_read_templates(fixture_path(folder, "large.h5"), to);
}

static const damage_subject large = {"templates of three blocks", "large.h5", 8 << 20,
                                     prepare_large, read_large};

static const struct {
    damage_type first, last;
    uint64_t each; /* trials of each type */
    const char *name;
} columns[] = {
    {DAMAGE_BYTE, DAMAGE_BYTE, 2000, "byte anywhere"},
    {DAMAGE_METADATA, DAMAGE_METADATA, 2000, "byte of metadata"},
    {DAMAGE_ZEROED, DAMAGE_MISPLACED, 200, "block zeroed, swapped, misplaced"},
    {DAMAGE_CUT, DAMAGE_CUT, 400, "cut"},
};

/* One row of the table; whether nothing of it was silent, nameless or a crash. */
static bool run(const damage_subject *subject, size_t column, uint64_t each) {
    char *folder = fixture_folder();
    damage_bench bench = damage_open(subject, folder);
    damage_outcome sum = {0};
    for (damage_type type = columns[column].first; type <= columns[column].last; type++) {
        const damage_outcome found = damage_run(&bench, type, each);
        sum.trials += found.trials;
        sum.told += found.told;
        sum.harmless += found.harmless;
        sum.silent += found.silent;
        sum.crashed += found.crashed;
        sum.unnamed += found.unnamed;
    }
    printf("| %s | %s | %llu | %llu | %llu | %llu | %llu |\n", subject->name, columns[column].name,
           (unsigned long long)sum.trials, (unsigned long long)sum.told,
           (unsigned long long)sum.harmless, (unsigned long long)sum.silent,
           (unsigned long long)sum.crashed);
    fflush(stdout);
    damage_close(&bench);
    fixture_remove(folder);
    return !sum.silent && !sum.crashed && !sum.unnamed;
}

int main(void) {
    bool good = true;
    printf(
        "A damaged file is read to its end. *Told*: refused, with its name. *Harmless*: what was "
        "read is what "
        "was written (names in a seal that are there for people). A ledger is not cut right behind "
        "a record: that is a shorter "
        "chain and whole, and `assay verify` then tells the files whose seals it does not hold.\n\n"
        "| what | damage | trials | told | harmless | silent wrong | crashes |\n"
        "|---|---|---|---|---|---|---|\n");
    for (size_t n = 0; n < DAMAGE_SUBJECTS; n++)
        for (size_t column = 0; column < sizeof columns / sizeof *columns; column++)
            good &= run(&damage_subjects[n], column, columns[column].each);
    good &= run(&large, 2, 67);
    return good ? 0 : 1;
}
