/* memory -- allocation whose sizes cannot overflow and whose failure is an assay_status. */
#include "datasets/base/memory.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64

/* Blocks from this size on are laid out in pages of 2 MiB where the system has them: a large set is
 * touched a page at a time for the first time, and then at random when pairs are scored. */
#define LARGE ((size_t)8 << 20)
#define LARGE_PAGE ((size_t)2 << 20)

bool assay_multiply(size_t a, size_t b, size_t *out) {
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

/* A hint: where it is refused, memory is what it was. */
static void ask_for_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 4096, first = ((uintptr_t)memory + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)memory + bytes) / page * page;
    if (bytes >= LARGE) (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
}

static assay_status out_of_memory(size_t count, size_t size, const char *what) {
    return assay_fail(ASSAY_FAILED, "out of memory for %s: %zu x %zu bytes", what, count, size);
}

assay_status assay_allocate(void *out_pointer, size_t count, size_t size, const char *what) {
    size_t bytes;
    if (!assay_multiply(count, size, &bytes)) return out_of_memory(count, size, what);
    void *memory = calloc(bytes > 0 ? bytes : 1, 1);
    if (memory == NULL) return out_of_memory(count, size, what);
    ask_for_large_pages(memory, bytes);
    memcpy(out_pointer, &memory, sizeof memory);
    return ASSAY_OK;
}

assay_status assay_allocate_aligned(void *out_pointer, size_t count, size_t size,
                                    const char *what) {
    size_t bytes;
    if (!assay_multiply(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return out_of_memory(count, size, what);
    const size_t alignment = bytes >= LARGE ? LARGE_PAGE : ALIGNMENT;
    bytes = bytes > 0 ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, bytes) != 0) return out_of_memory(count, size, what);
    ask_for_large_pages(memory, bytes);
    memset(memory, 0, bytes);
    memcpy(out_pointer, &memory, sizeof memory);
    return ASSAY_OK;
}

assay_status assay_reserve(void *pointer, size_t *capacity, size_t wanted, size_t size,
                           const char *what) {
    if (wanted <= *capacity) return ASSAY_OK;
    size_t room = *capacity <= SIZE_MAX / 2 ? *capacity * 2 : SIZE_MAX;
    if (room < wanted) room = wanted;
    size_t bytes;
    if (!assay_multiply(room, size, &bytes)) return out_of_memory(wanted, size, what);
    void *memory;
    memcpy(&memory, pointer, sizeof memory);
    memory = realloc(memory, bytes > 0 ? bytes : 1);
    if (memory == NULL) return out_of_memory(room, size, what);
    memcpy(pointer, &memory, sizeof memory);
    *capacity = room;
    return ASSAY_OK;
}

assay_status assay_copy_string(char **out, const char *text) {
    char *copy = strdup(text);
    if (copy == NULL) return out_of_memory(strlen(text) + 1, 1, "a text");
    *out = copy;
    return ASSAY_OK;
}

/* The number behind key at the beginning of a line of a file of the kernel; false if not there. */
static bool read_kernel_number(const char *path, const char *key, uint64_t *out) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    char line[256];
    size_t length = strlen(key);
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, length) != 0) continue;
        unsigned long long value;
        found = sscanf(line + length, " %llu", &value) == 1;
        if (found) *out = value;
    }
    fclose(file);
    return found;
}

/* What the cgroup at folder still allows. Pages of files that it could drop count as free. */
static uint64_t cgroup_room(const char *folder) {
    char path[PATH_MAX + 32];
    uint64_t limit, used, droppable = 0;
    snprintf(path, sizeof path, "%s/memory.max", folder);
    if (!read_kernel_number(path, "", &limit)) return UINT64_MAX; /* "max", or the root */
    snprintf(path, sizeof path, "%s/memory.current", folder);
    if (!read_kernel_number(path, "", &used)) return UINT64_MAX;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    if (!read_kernel_number(path, "inactive_file ", &droppable)) droppable = 0;
    used = used > droppable ? used - droppable : 0;
    return limit > used ? limit - used : 0;
}

/* The least room of this process's cgroup (v2) and of those above it. */
static uint64_t cgroups_room(void) {
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL) return UINT64_MAX;
    char line[PATH_MAX], folder[PATH_MAX + 16] = "";
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "0::/", 4) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", line + 3);
    }
    fclose(file);
    uint64_t room = UINT64_MAX;
    size_t root = strlen("/sys/fs/cgroup");
    while (strlen(folder) >= root) {
        uint64_t here = cgroup_room(folder);
        if (here < room) room = here;
        char *slash = strrchr(folder, '/');
        *slash = '\0';
    }
    return room;
}

uint64_t assay_memory_available(void) {
    uint64_t kib = 0, room = cgroups_room();
    if (!read_kernel_number("/proc/meminfo", "MemAvailable:", &kib)) return room;
    return kib * 1024 < room ? kib * 1024 : room;
}
