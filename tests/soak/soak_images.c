/* soak_images -- 2,000 changed bytes and 500 cuts of an image of each format that is read, with and
 * without the digests of a manifest. */
#include <stdio.h>

#include "tests/fixtures_damaged_images.h"

int main(void) {
    bool good = true;
    printf("*Accepted*: takes part although the manifest has the SHA-256 of the whole image. The "
           "last three columns are the "
           "decoder alone, without a digest: refused, the same pixels, other pixels.\n\n"
           "| format | bytes changed | cut | accepted | refused by the decoder | same pixels | "
           "other pixels |\n"
           "|---|---|---|---|---|---|---|\n");
    for (int n = 0; n < DAMAGED_FORMATS; n++) {
        const damaged_outcome found = damaged_run(&damaged_formats[n], 2000, 500);
        printf("| %s | 2000 | 500 | %llu | %llu | %llu | %llu |\n", damaged_formats[n].name,
               (unsigned long long)found.accepted, (unsigned long long)found.refused,
               (unsigned long long)found.same, (unsigned long long)found.other);
        fflush(stdout);
        good &= found.accepted == 0;
    }
    return good ? 0 : 1;
}
