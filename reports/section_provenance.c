/* section_provenance -- what made these numbers: digests, program, backend, protocol; and how
 * anyone can check that they are these. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/digest.h"
#include "reports/section.h"

static void add_row(assay_html_table *table, const char *name, const char *value) {
    assay_html_cell_text(table, name);
    assay_text *text = assay_html_cell(table);
    assay_text_append(text, "<span class=\"code\">");
    assay_text_append_html(text, value);
    assay_text_append(text, "</span>");
}

static void add_digest(assay_html_table *table, const char *name, const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    add_row(table, name, assay_digest_is_zero(digest) ? "none" : assay_digest_hex(hex, digest));
}

static void add_json(assay_html_table *table, const char *prefix, const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        assay_text name = {0};
        assay_text_appendf(&name, "%s%s", prefix, key);
        if (json_is_string(value)) {
            add_row(table, name.bytes ? name.bytes : "", json_string_value(value));
        } else if (json_is_real(value)) {
            char digits[ASSAY_NUMBER_SIZE];
            add_row(table, name.bytes ? name.bytes : "",
                    assay_print_double(digits, json_real_value(value)));
        } else {
            char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS |
                                                JSON_REAL_PRECISION(15));
            add_row(table, name.bytes ? name.bytes : "", shown ? shown : "");
            free(shown);
        }
        assay_text_free(&name);
    }
}

static assay_status add_release(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {"What", "Value"};
    const assay_evidence *evidence = release->evidence;
    assay_html_table table;
    assay_text caption = {0};
    char *protocol = NULL, shown[128];
    json_error_t fault;
    json_t *provenance = json_loads(evidence->provenance_json, 0, &fault);
    if (!json_is_object(provenance)) {
        json_decref(provenance);
        return assay_fail(ASSAY_FAILED, "provenance of %s is not a JSON object: %s", release->name,
                          fault.text);
    }
    assay_status status = assay_protocol_to_json(&evidence->protocol, &protocol);
    if (status != ASSAY_OK) goto out;
    assay_text_append_html(&caption, release->name);
    assay_html_table_open(&table, page->text, caption.bytes ? caption.bytes : "", headings, 2);
    add_digest(&table, "data set SHA-256", &evidence->dataset_digest);
    add_digest(&table, "templates SHA-256", &evidence->templates_digest);
    add_digest(&table, "result SHA-256", &evidence->result_digest);
    add_row(&table, "comparator", evidence->comparator);
    snprintf(shown, sizeof shown, "%llu of %llu non-mated%s",
             (unsigned long long)evidence->tail_count, (unsigned long long)evidence->non_mated,
             evidence->tail_complete ? ", all of them" : "");
    add_row(&table, "scores kept", shown);
    if (evidence->histogram_pairs == 0 && evidence->form == ASSAY_SCORE_PLACED)
        snprintf(shown, sizeof shown, "none: every score is kept as it came");
    else
        snprintf(shown, sizeof shown, "%llu pairs; coarse scores within %.3g of fine ones",
                 (unsigned long long)evidence->histogram_pairs, evidence->bound);
    add_row(&table, "histogram", shown);
    add_row(&table, "protocol", protocol);
    add_json(&table, "", provenance);
    assay_html_table_close(&table);
out:
    free(protocol);
    json_decref(provenance);
    assay_text_free(&caption);
    return status;
}

assay_status assay_section_provenance(assay_page *page) {
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < page->report->count; ++n)
        status = add_release(page, &page->report->releases[n]);
    return status;
}
