/* manifest_index -- numbers for strings, in the order in which they are met, through uthash. */
#include "datasets/manifest_private.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

/* Memory that runs out leaves the entry unadded instead of ending the program. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->failed = true)
#include <uthash.h>

enum { BLOCK_ENTRIES = 4096 };

typedef struct {
    UT_hash_handle hh;
    const char *key;
    uint32_t number;
    bool failed;
} index_entry;

/* Entries must not move, so they live in blocks. */
typedef struct index_block {
    struct index_block *next;
    index_entry entries[BLOCK_ENTRIES];
} index_block;

struct assay_index {
    index_entry *table;
    index_block *blocks; /* the newest first */
    uint32_t count;
};

assay_status assay_index_open(assay_index **out) {
    return assay_allocate(out, 1, sizeof **out, "an index of names");
}

void assay_index_free(assay_index *index) {
    if (!index) return;
    HASH_CLEAR(hh, index->table);
    for (index_block *block = index->blocks, *next = NULL; block; block = next) {
        next = block->next;
        free(block);
    }
    free(index);
}

static index_entry *find(const assay_index *index, const char *key) {
    index_entry *entry = NULL;
    HASH_FIND(hh, index->table, key, strlen(key), entry);
    return entry;
}

bool assay_index_find(const assay_index *index, const char *key, uint32_t *out) {
    const index_entry *entry = find(index, key);
    if (entry) *out = entry->number;
    return entry != NULL;
}

assay_status assay_index_add(assay_index *index, const char *key, uint32_t *out, bool *out_is_new) {
    index_entry *entry = find(index, key);
    bool is_new = entry == NULL;
    if (is_new) {
        size_t at = index->count % BLOCK_ENTRIES;
        if (at == 0) {
            index_block *block = NULL;
            assay_status status = assay_allocate(&block, 1, sizeof *block, "an index of names");
            if (status != ASSAY_OK) return status;
            block->next = index->blocks;
            index->blocks = block;
        }
        entry = &index->blocks->entries[at];
        entry->key = key;
        entry->number = index->count;
        HASH_ADD_KEYPTR(hh, index->table, entry->key, strlen(key), entry);
        if (entry->failed) return assay_fail(ASSAY_FAILED, "no memory for an index of names");
        index->count++;
    }
    *out = entry->number;
    if (out_is_new) *out_is_new = is_new;
    return ASSAY_OK;
}

assay_status assay_index_samples(const assay_sample_table *table, assay_index **out) {
    assay_index *index = NULL;
    assay_status status = assay_index_open(&index);
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; row++) {
        uint32_t number = 0;
        status = assay_index_add(index, table->sample_id[row], &number, NULL);
    }
    if (status == ASSAY_OK)
        *out = index;
    else
        assay_index_free(index);
    return status;
}
