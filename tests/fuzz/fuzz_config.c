/* fuzz_config -- the reader of configurations: any text gives an evaluation or its faults, and what
 * was read can be freed. */
#include "harness/config.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = fuzz_file(data, size, path);
    assay_config config = {0};
    if (assay_config_read(path, &config) == ASSAY_OK) {
        if (config.release_count == 0 || !config.name || !config.output || !config.backend) abort();
        if (config.protocol.histogram_fraction < 0 || config.protocol.histogram_fraction > 1)
            abort();
        assay_config_free(&config);
    } else if (assay_error_text()[0] == '\0') {
        abort();
    }
    close(fd);
    return 0;
}
