/* replay -- gives every file of a folder to a fuzz target once: the corpus as a test, with whatever
 * compiler and sanitizers the build has. */
#include <dirent.h>
#include <string.h>

#include "datasets/base/file.h"
#include "tests/fuzz/fuzz_support.h"

int main(int argc, char **argv) {
    unsigned count = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        char *path = NULL, *bytes = NULL;
        size_t length = 0;
        if (entry->d_name[0] == '.') continue;
        if (assay_path_join(&path, argv[1], entry->d_name) != ASSAY_OK ||
            assay_file_read(path, (size_t)1 << 20, &bytes, &length) != ASSAY_OK) {
            fprintf(stderr, "%s\n", assay_error_text());
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
        free(bytes);
        free(path);
        ++count;
    }
    closedir(folder);
    printf("%u files\n", count);
    return count ? 0 : 1;
}
