/* manifest_files -- a folder of files whose names say who is on them, as a grid: the tree below the
 * root is walked without following links, matching paths are sorted, columns are made from the
 * match and from label tables. */
#include "datasets/manifest_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"

enum { DEPTH_LIMIT = 32, GROUPS = 10, PATTERN_SIZE = 4096 };

/* ---- templates ---- */

size_t assay_template_fault(const char *template, size_t groups) {
    for (size_t n = 0; template[n]; n++) {
        if (template[n] != '\\') continue;
        char what = template[++n];
        bool is_group = what >= '0' && what <= '9' && (size_t)(what - '0') <= groups;
        if (!is_group && what != 'b' && what != '\\') return n - 1;
    }
    return SIZE_MAX;
}

/* groups[0] is the whole path. */
static void replace(const char *template, const char *path, const regmatch_t *groups,
                    assay_text *out) {
    assay_text_clear(out);
    assay_text_append(out, "");
    for (const char *at = template; *at; at++) {
        if (*at != '\\') {
            assay_text_append_bytes(out, at, 1);
            continue;
        }
        at++;
        if (*at == 'b') {
            assay_text_append(out, assay_path_name(path));
        } else if (*at == '\\') {
            assay_text_append(out, "\\");
        } else {
            const regmatch_t *group = &groups[*at - '0'];
            if (group->rm_so >= 0) {
                assay_text_append_bytes(out, path + group->rm_so,
                                        (size_t)(group->rm_eo - group->rm_so));
            }
        }
    }
}

/* ---- the walk ---- */

typedef struct {
    regex_t *pattern;
    assay_faults *faults;
    const char *root;
    char **paths; /* [count], that match */
    size_t count, room;
    uint64_t links;
} walk;

static assay_status walk_folder(walk *in, int folder_fd, const char *below, unsigned depth);

static assay_status add_path(walk *in, const char *path) {
    regmatch_t match[1];
    if (regexec(in->pattern, path, 1, match, 0) != 0) return ASSAY_OK;
    assay_status status =
        assay_reserve(&in->paths, &in->room, in->count + 1, sizeof *in->paths, "paths of files");
    if (status != ASSAY_OK) return status;
    status = assay_copy_string(&in->paths[in->count], path);
    if (status == ASSAY_OK) in->count++;
    return status;
}

static assay_status visit(walk *in, int folder_fd, const char *name, const char *path,
                          unsigned depth) {
    struct stat about;
    if (fstatat(folder_fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        assay_faults_add(in->faults, "%s/%s: cannot look at it: %s", in->root, path,
                         strerror(errno));
        return ASSAY_OK;
    }
    if (S_ISREG(about.st_mode)) return add_path(in, path);
    if (S_ISLNK(about.st_mode)) in->links++;
    if (!S_ISDIR(about.st_mode)) return ASSAY_OK;
    if (depth + 1 >= DEPTH_LIMIT) {
        assay_faults_add(in->faults, "%s/%s: more than %d folders deep", in->root, path,
                         DEPTH_LIMIT);
        return ASSAY_OK;
    }
    int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        assay_faults_add(in->faults, "%s/%s: cannot open the folder: %s", in->root, path,
                         strerror(errno));
        return ASSAY_OK;
    }
    return walk_folder(in, fd, path, depth + 1);
}

/* Takes folder_fd. below is the folder's path below the root, "" for the root. */
static assay_status walk_folder(walk *in, int folder_fd, const char *below, unsigned depth) {
    assay_status status = ASSAY_OK;
    assay_text path = {0};
    DIR *folder = fdopendir(folder_fd);
    if (!folder) {
        close(folder_fd);
        return assay_fail_errno("cannot read the folder %s/%s", in->root, below);
    }
    while (status == ASSAY_OK) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            if (errno) status = assay_fail_errno("cannot read the folder %s/%s", in->root, below);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        assay_text_clear(&path);
        assay_text_appendf(&path, "%s%s%s", below, below[0] ? "/" : "", entry->d_name);
        status = assay_text_status(&path);
        if (status != ASSAY_OK) break;
        status = visit(in, dirfd(folder), entry->d_name, path.bytes, depth);
    }
    closedir(folder);
    assay_text_free(&path);
    return status;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- label tables ---- */

typedef struct {
    const struct assay_manifest_join *join;
    assay_grid grid;
    size_t key;
    size_t *from;       /* [join->count] columns of grid */
    assay_index *index; /* of the key's cells */
    uint32_t *row;      /* by number of the key */
    const char **cells; /* [grid.column_count], of the row looked at */
    uint64_t without;   /* files without a row */
    char *first_without;
} label_table;

static void free_label_table(label_table *table) {
    assay_grid_free(&table->grid);
    free(table->from);
    assay_index_free(table->index);
    free(table->row);
    free(table->cells);
    free(table->first_without);
}

static void find_table_columns(label_table *table, assay_faults *faults) {
    char hint[1024];
    const assay_grid *grid = &table->grid;
    for (size_t n = 0; n <= table->join->count; n++) {
        const char *name = n < table->join->count ? table->join->from[n] : table->join->key;
        size_t column = assay_grid_column(grid, name);
        if (column == ASSAY_NO_COLUMN) {
            assay_faults_add(faults, "%s:1:1: the header has no column '%s'; %s", grid->path, name,
                             assay_suggest(hint, sizeof hint, name,
                                           (const char *const *)grid->columns, grid->column_count));
        }
        if (n < table->join->count) {
            table->from[n] = column;
        } else {
            table->key = column;
        }
    }
}

/* Faults the row of a key that is there already with other values. */
static void compare_rows(label_table *table, uint64_t first, uint64_t row, const char **others,
                         assay_faults *faults) {
    assay_grid_row(&table->grid, first, others);
    for (size_t n = 0; n < table->join->count; n++) {
        size_t column = table->from[n];
        if (strcmp(others[column], table->cells[column]) == 0) continue;
        assay_grid_fault(&table->grid, row, column, faults,
                         "the key '%s' has '%s' here and '%s' at line %" PRIu64,
                         table->cells[table->key], table->cells[column], others[column],
                         table->grid.line[first]);
    }
}

static assay_status index_table(label_table *table, assay_faults *faults) {
    const char **others = NULL;
    assay_status status = assay_index_open(&table->index);
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&table->row, table->grid.row_count, sizeof *table->row, "label tables");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&others, table->grid.column_count, sizeof *others, "label tables");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; status == ASSAY_OK && row < table->grid.row_count; row++) {
        uint32_t number = 0;
        bool is_new = false;
        assay_grid_row(&table->grid, row, table->cells);
        status = assay_index_add(table->index, table->cells[table->key], &number, &is_new);
        if (status != ASSAY_OK) break;
        if (is_new) {
            table->row[number] = (uint32_t)row;
        } else {
            compare_rows(table, table->row[number], row, others, faults);
        }
    }
    free(others);
    return status;
}

static assay_status read_label_table(const struct assay_manifest_join *join, assay_faults *faults,
                                     label_table *table) {
    size_t before = faults->count;
    table->join = join;
    assay_status status = assay_grid_read(join->file, faults, &table->grid);
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&table->from, join->count, sizeof *table->from, "label tables");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&table->cells, table->grid.column_count, sizeof *table->cells,
                            "label tables");
    if (status != ASSAY_OK) return status;
    if (faults->count == before) find_table_columns(table, faults);
    return faults->count == before ? index_table(table, faults) : ASSAY_OK;
}

/* The cells that a table gives a file; empty ones where it has no row. */
static assay_status add_table_cells(label_table *table, const char *path, const regmatch_t *groups,
                                    assay_text *text, assay_grid *grid) {
    uint32_t number = 0;
    replace(table->join->equals, path, groups, text);
    assay_status status = assay_text_status(text);
    if (status != ASSAY_OK) return status;
    bool found = table->index && assay_index_find(table->index, text->bytes, &number);
    if (found) {
        assay_grid_row(&table->grid, table->row[number], table->cells);
    } else if (table->without++ == 0) {
        status = assay_copy_string(&table->first_without, path);
    }
    for (size_t n = 0; status == ASSAY_OK && n < table->join->count; n++) {
        const char *cell = found ? table->cells[table->from[n]] : "";
        status = assay_grid_add_cell(grid, cell, strlen(cell));
    }
    return status;
}

/* ---- the grid ---- */

static assay_status add_columns(const assay_manifest_declaration *declaration, assay_grid *grid) {
    assay_status status = assay_grid_add_column(grid, assay_standard_columns[ASSAY_COLUMN_PATH]);
    for (size_t n = 0; status == ASSAY_OK && n < declaration->rule_count; n++) {
        status = assay_grid_add_column(grid, declaration->rules[n].column);
    }
    for (size_t n = 0; status == ASSAY_OK && n < declaration->join_count; n++) {
        const struct assay_manifest_join *join = &declaration->joins[n];
        for (size_t k = 0; status == ASSAY_OK && k < join->count; k++) {
            status = assay_grid_add_column(grid, join->to[k]);
        }
    }
    return status;
}

static assay_status add_file(const assay_manifest_declaration *declaration, regex_t *pattern,
                             const char *path, label_table *tables, assay_text *text,
                             assay_grid *grid) {
    regmatch_t match[GROUPS + 1], *groups = match + 1; /* the pattern is wrapped in one group */
    size_t start = grid->used;
    if (regexec(pattern, path, GROUPS + 1, match, 0) != 0) return ASSAY_OK;
    assay_status status = assay_grid_add_cell(grid, path, strlen(path));
    for (size_t n = 0; status == ASSAY_OK && n < declaration->rule_count; n++) {
        replace(declaration->rules[n].template, path, groups, text);
        status = assay_text_status(text);
        if (status == ASSAY_OK) status = assay_grid_add_cell(grid, text->bytes, text->length);
    }
    for (size_t n = 0; status == ASSAY_OK && n < declaration->join_count; n++) {
        status = add_table_cells(&tables[n], path, groups, text, grid);
    }
    return status == ASSAY_OK ? assay_grid_end_row(grid, start, 0) : status;
}

static assay_status compile(const char *files, regex_t *out) {
    char pattern[PATTERN_SIZE], reason[256];
    int length = snprintf(pattern, sizeof pattern, "^(%s)$", files);
    if (length < 0 || (size_t)length >= sizeof pattern) {
        return assay_fail(ASSAY_USAGE, "the pattern of files is longer than %d bytes",
                          PATTERN_SIZE);
    }
    int error = regcomp(out, pattern, REG_EXTENDED);
    if (error == 0) return ASSAY_OK;
    regerror(error, out, reason, sizeof reason);
    return assay_fail(ASSAY_USAGE, "the pattern of files '%s' is no regular expression: %s", files,
                      reason);
}

static void free_walk(walk *in) {
    for (size_t n = 0; n < in->count; n++) free(in->paths[n]);
    free(in->paths);
}

static void tell_walk(const walk *in, const assay_manifest_declaration *declaration,
                      const label_table *tables, const assay_progress *progress,
                      assay_text *warnings) {
    if (in->links) {
        assay_manifest_warn(progress, warnings,
                            "%s: symbolic links that were not followed: %" PRIu64, in->root,
                            in->links);
    }
    if (in->count == 0) {
        assay_faults_add(in->faults, "%s: no file below it matches '%s'", in->root,
                         declaration->files);
    }
    for (size_t n = 0; n < declaration->join_count; n++) {
        if (tables[n].without == 0 || !tables[n].index) continue;
        assay_manifest_warn(progress, warnings,
                            "%s: %" PRIu64 " of %zu files have no row here, the first of them %s; "
                            "its columns are missing for them",
                            tables[n].join->file, tables[n].without, in->count,
                            tables[n].first_without);
    }
}

assay_status assay_manifest_match(const assay_manifest_declaration *declaration,
                                  const assay_progress *progress, assay_faults *faults,
                                  assay_text *warnings, assay_grid *out) {
    assay_grid grid = {.matched = true};
    walk in = {.faults = faults, .root = declaration->root};
    regex_t pattern;
    bool compiled = false;
    label_table *tables = NULL;
    assay_text text = {0};
    int root_fd = -1;

    assay_status status = assay_copy_string(&grid.path, declaration->root);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&tables, declaration->join_count, sizeof *tables, "label tables");
    if (status != ASSAY_OK) goto out;
    status = compile(declaration->files, &pattern);
    if (status != ASSAY_OK) goto out;
    compiled = true;
    in.pattern = &pattern;
    status = add_columns(declaration, &grid);
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0; n < declaration->join_count; n++) {
        status = read_label_table(&declaration->joins[n], faults, &tables[n]);
        if (status != ASSAY_OK) goto out;
    }
    root_fd = open(declaration->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0) {
        assay_faults_add(faults, "%s: cannot open the data root: %s", declaration->root,
                         strerror(errno));
    } else {
        status = walk_folder(&in, root_fd, "", 0);
        if (status != ASSAY_OK) goto out;
        if (in.count) qsort(in.paths, in.count, sizeof *in.paths, compare_paths);
        for (size_t n = 0; n < in.count; n++) {
            status = add_file(declaration, &pattern, in.paths[n], tables, &text, &grid);
            if (status != ASSAY_OK) goto out;
        }
        tell_walk(&in, declaration, tables, progress, warnings);
    }
    *out = grid;
    memset(&grid, 0, sizeof grid);
out:
    for (size_t n = 0; tables && n < declaration->join_count; n++) free_label_table(&tables[n]);
    free(tables);
    if (compiled) regfree(&pattern);
    free_walk(&in);
    assay_text_free(&text);
    assay_grid_free(&grid);
    return status;
}
