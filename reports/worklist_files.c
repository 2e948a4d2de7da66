/* worklist_files -- worklists as CSV and JSON (worklist.h). */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/file.h"
#include "reports/csv_private.h"
#include "reports/summary_private.h"
#include "reports/worklist.h"

#define SCHEMA "assay-worklists/1"
#define UNFINISHED "{\"schema\": \"assay-worklists/unfinished\"}\n"

static assay_status write_file(const char *directory, const char *name, const char *ending,
                               const assay_text *text) {
    char *path = NULL;
    assay_text whole = {0};
    assay_text_appendf(&whole, "%s%s", name, ending);
    assay_status status = assay_text_status(text);
    if (status == ASSAY_OK) status = assay_text_status(&whole);
    if (status == ASSAY_OK) status = assay_path_join(&path, directory, whole.bytes);
    if (status == ASSAY_OK) status = assay_file_write(path, text->bytes, text->length);
    assay_text_free(&whole);
    free(path);
    return status;
}

/* ---- CSV ---- */

static const char heading[] =
    "release,version,place,reason,sets,sample_a,subject_a,path_a,sample_b,subject_b,path_b,score,"
    "threshold,error,other_release,other_version,other_score,other_threshold";

static void write_sample(const assay_sample_table *table, uint32_t row, csv_sheet *sheet) {
    csv_text(sheet, table->sample_id[row]);
    csv_text(sheet, table->subject_id[table->subject[row]]);
    csv_text(sheet, table->path && table->path[row] ? table->path[row] : "");
}

static void write_item(const assay_worklist *worklist, const assay_work_list *list, size_t place,
                       csv_sheet *sheet) {
    const assay_work_item *item = &list->items[place];
    const assay_evidence *evidence = &worklist->evidence[list->release];
    const assay_evidence *other = &worklist->evidence[list->other];
    bool two = list->other != list->release;
    csv_text(sheet, evidence->release);
    csv_text(sheet, evidence->version);
    csv_count(sheet, place + 1);
    csv_text(sheet, item->reason);
    if (item->sets)
        csv_count(sheet, item->sets);
    else
        csv_text(sheet, "");
    write_sample(&evidence->table, item->i, sheet);
    write_sample(&evidence->table, item->j, sheet);
    csv_number(sheet, item->score);
    csv_number(sheet, worklist->thresholds[list->release]);
    csv_text(sheet, item->error ? "yes" : "no");
    csv_text(sheet, two ? other->release : "");
    csv_text(sheet, two ? other->version : "");
    csv_number(sheet, item->other_score);
    csv_number(sheet, two ? worklist->thresholds[list->other] : (double)NAN);
    csv_end_line(sheet);
}

static assay_status write_csv(const assay_worklist *worklist, assay_work_kind kind,
                              const char *directory) {
    csv_sheet sheet = {0};
    csv_heading(&sheet, heading);
    for (size_t n = 0; n < worklist->list_count; ++n)
        for (size_t k = 0; worklist->lists[n].kind == kind && k < worklist->lists[n].count; ++k)
            write_item(worklist, &worklist->lists[n], k, &sheet);
    assay_status status = write_file(directory, assay_work_kind_name(kind), ".csv", &sheet.text);
    assay_text_free(&sheet.text);
    return status;
}

/* ---- JSON ---- */

static summary_object sample_json(const assay_sample_table *table, uint32_t row) {
    summary_object out = summary_begin();
    summary_set_text(&out, "sample", table->sample_id[row]);
    summary_set_text(&out, "subject", table->subject_id[table->subject[row]]);
    if (table->path && table->path[row]) summary_set_text(&out, "path", table->path[row]);
    return out;
}

static summary_object item_json(const assay_worklist *worklist, const assay_work_list *list,
                                const assay_work_item *item) {
    static const char unknown[] = "not compared, or below what the evidence keeps";
    const assay_sample_table *table = &worklist->evidence[list->release].table;
    summary_object out = summary_begin();
    summary_set_text(&out, "reason", item->reason);
    summary_set(&out, "error", json_boolean(item->error));
    if (item->sets) summary_set_count(&out, "sets", item->sets);
    summary_set_object(&out, "a", sample_json(table, item->i));
    summary_set_object(&out, "b", sample_json(table, item->j));
    summary_set_number(&out, "score", item->score, isnan(item->score) ? unknown : NULL);
    if (list->other != list->release)
        summary_set_number(&out, "other_score", item->other_score,
                           isnan(item->other_score) ? unknown : NULL);
    return out;
}

static summary_object list_json(const assay_worklist *worklist, const assay_work_list *list) {
    summary_object out = summary_begin();
    summary_set_text(&out, "list", assay_work_kind_name(list->kind));
    summary_set_count(&out, "release", list->release);
    if (list->other != list->release) summary_set_count(&out, "other_release", list->other);
    summary_set_count(&out, "found", list->found);
    summary_set_count(&out, "listed", list->count);
    json_t *items = json_array();
    for (size_t n = 0; n < list->count; ++n)
        summary_append(&out, items, item_json(worklist, list, &list->items[n]));
    summary_set(&out, "items", items);
    return out;
}

static summary_object release_json(const assay_worklist *worklist, size_t n) {
    const assay_evidence *evidence = &worklist->evidence[n];
    summary_object out = summary_begin();
    summary_set_text(&out, "release", evidence->release);
    summary_set_text(&out, "version", evidence->version);
    summary_set_digest(&out, "result_digest", &evidence->result_digest);
    summary_set_number(&out, "threshold", worklist->thresholds[n], NULL);
    summary_set_number(&out, "mated_median", worklist->mated_medians[n],
                       isnan(worklist->mated_medians[n]) ? "no mated comparison was made" : NULL);
    return out;
}

static assay_status write_json(const assay_worklist *worklist, const char *directory) {
    const assay_evidence *evidence = &worklist->evidence[0];
    assay_text rule = {0}, text = {0};
    summary_object root = summary_begin();
    json_t *releases = json_array(), *lists = json_array();
    assay_deployment_describe(&worklist->deployment, &rule);
    summary_set_text(&root, "schema", SCHEMA);
    summary_set_text(&root, "program_version", ASSAY_VERSION);
    summary_set_text(&root, "dataset", evidence->dataset_name);
    summary_set_digest(&root, "dataset_digest", &evidence->dataset_digest);
    summary_set_text(&root, "deployment", rule.bytes);
    summary_set_count(&root, "limit", worklist->limit);
    for (size_t n = 0; n < worklist->release_count; ++n)
        summary_append(&root, releases, release_json(worklist, n));
    summary_set(&root, "releases", releases);
    for (size_t n = 0; n < worklist->list_count; ++n)
        summary_append(&root, lists, list_json(worklist, &worklist->lists[n]));
    summary_set(&root, "lists", lists);
    assay_status status = assay_text_status(&rule);
    if (status == ASSAY_OK && root.failed)
        status = assay_fail(ASSAY_FAILED, "cannot build worklists.json: no memory, or a name that "
                                          "is not valid UTF-8");
    if (status == ASSAY_OK) {
        summary_print(&text, root.json);
        assay_text_append(&text, "\n");
        status = write_file(directory, "worklists", ".json", &text);
    }
    assay_text_free(&rule);
    assay_text_free(&text);
    json_decref(root.json);
    return status;
}

assay_status assay_worklist_write(const assay_worklist *worklist, const char *directory) {
    assay_text mark = {0};
    assay_status status = assay_make_directories(directory);
    assay_text_append(&mark, UNFINISHED);
    if (status == ASSAY_OK) status = write_file(directory, "worklists", ".json", &mark);
    for (int kind = 0; status == ASSAY_OK && kind < ASSAY_WORK_KINDS; ++kind)
        status = write_csv(worklist, (assay_work_kind)kind, directory);
    if (status == ASSAY_OK) status = write_json(worklist, directory);
    assay_text_free(&mark);
    return status;
}
