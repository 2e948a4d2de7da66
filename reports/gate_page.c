/* gate_page -- DIR/index.html of a verdict: one page that can be printed and signed, with every
 * criterion, its numbers, its bounds and its source (gate.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "reports/gate_pages.h"
#include "reports/html.h"
#include "reports/section.h"

static const char style[] =
    ".verdict{border:2px "
    "solid;border-color:var(--verdict);border-left-width:10px;border-radius:4px;"
    "padding:10px 18px;margin:18px 0}\n"
    ".verdict b{display:block;font-size:1.9rem;line-height:1.2;color:var(--verdict)}\n"
    ".verdict p{margin:.3em 0 0}\n"
    ".pass{--verdict:#1a7f37}.fail{--verdict:#b42318}.open{--verdict:#8a5a00}\n"
    "@media (prefers-color-scheme:dark){.pass{--verdict:#4ac26b}.fail{--verdict:#ff8a80}"
    ".open{--verdict:#e0b050}}\n"
    ".state{font-weight:600;color:var(--verdict)}\n"
    ".trial{border:2px dashed #b42318;padding:8px 16px;margin:14px 0}\n"
    "main{max-width:1180px}.gate td,.gate th{padding:5px 10px 5px 4px}"
    ".gate tbody th{font-weight:600}.gate tbody th .ci{font-size:1em;font-weight:400}\n"
    ".legend{font-size:.88rem;color:var(--quiet);margin:.5em 0}\n"
    ".facts th{font-weight:400;color:var(--quiet);text-align:left;padding-right:16px;"
    "vertical-align:top;white-space:nowrap}.facts td{text-align:left;overflow-wrap:anywhere}"
    ".facts th,.facts td{border:0;padding-top:2px;padding-bottom:2px}\n"
    ".sign{table-layout:fixed;margin-top:1.6em}.sign td{border:0;border-bottom:1px solid;"
    "border-bottom-color:var(--ink);height:3.4em;vertical-align:bottom;color:var(--quiet);font-"
    "size:.88rem}"
    ".sign td.gap{border:0;width:6%}\n"
    "@page{size:A4;margin:9mm 10mm 11mm}\n"
    "@media print{:root{--page:#fff;--ink:#1f2328;--quiet:#444c55;--line:#c8d1da;--bar:#8c959f}"
    ".pass{--verdict:#1a7f37}.fail{--verdict:#b42318}.open{--verdict:#8a5a00}"
    ".verdict,.state{print-color-adjust:exact}.verdict.pass{border-color:#1a7f37}"
    ".verdict.fail{border-color:#b42318}.verdict.open{border-color:#8a5a00}"
    ".sign td{border-bottom-color:#1f2328}.gate td:nth-child(3){padding-right:12pt}"
    "html,body{font-size:7.4pt;line-height:1.25}header{padding-top:0}.eyebrow,.meta{margin:0}"
    "header>h1{font-size:14pt;margin:1mm 0}h2{margin:2mm 0 .5mm;padding-top:0;font-size:9pt;"
    "border:0}.verdict{margin:2mm 0;padding:1.5mm 4mm;border-width:1.5px;border-left-width:6px}"
    ".verdict b{font-size:13pt}.verdict p{margin:.4mm 0 0}.trial{margin:1.5mm 0;padding:1mm 3mm}"
    ".gate table{font-size:6.2pt;line-height:1.2}.gate td,.gate th{padding:.6pt 4pt .6pt 0;"
    "white-space:nowrap}.gate thead th{white-space:normal}.gate tbody th{white-space:normal;"
    "width:41mm}.gate td:nth-child(6){white-space:normal;width:22mm}.gate "
    ".ci{display:inline;font-size:1em;margin-left:.5em}"
    ".gate caption{font-size:6.5pt}"
    ".gate.many table{font-size:5.6pt}.gate.most table{font-size:4.7pt}"
    ".gate.many td,.gate.many th,.gate.most td,.gate.most th{padding:.2pt 4pt .2pt 0}"
    ".legend{font-size:6.3pt;margin:1mm 0;line-height:1.2}.facts{font-size:6.5pt;line-height:1.2}"
    ".facts th,.facts td{padding:.3pt 6pt .3pt 0}.sign{font-size:7pt;margin-top:1mm;"
    "break-inside:avoid}.sign td{height:8mm;padding:0;font-size:6.5pt}"
    "footer{padding:1mm 0 0;font-size:6.3pt}footer p{margin:0}}\n"
    "@media screen and (max-width:640px){.gate .scroll{overflow-x:auto}.sign,.sign tbody,"
    ".sign tr,.sign td,.facts,.facts tbody,.facts tr,.facts th,.facts td{display:block;width:auto}"
    ".facts th{white-space:normal;padding-top:6px}.sign td.gap{display:none}}\n";

/* ---- numbers ---- */

/* Percentage points with their sign. */
static void append_points(assay_text *text, double value) {
    double points = value * 100, size = fabs(points);
    int digits = size >= 10 ? 1 : size >= 0.1 || size == 0 ? 2 : 3;
    char shown[48];
    snprintf(shown, sizeof shown, "%.*f", digits, size);
    if (size > 0 && !strpbrk(shown, "123456789")) snprintf(shown, sizeof shown, "%.2g", size);
    assay_text_appendf(text, "%s%s", value > 0 ? "+" : value < 0 ? "−" : "", shown);
}

static void append_value(assay_text *text, assay_gate_unit unit, double value) {
    assay_text_append(text, "<span class=\"whole\">");
    if (isnan(value))
        assay_text_append(text, "–");
    else if (isinf(value))
        assay_text_append(text, "no bound");
    else if (unit == ASSAY_UNIT_FMR)
        assay_html_power(text, value);
    else if (unit == ASSAY_UNIT_RATE)
        assay_html_percent(text, value);
    else if (unit == ASSAY_UNIT_DIFFERENCE)
        append_points(text, value);
    else if (unit == ASSAY_UNIT_RATIO)
        assay_text_appendf(text, value < 10 ? "%.2f" : "%.1f", value);
    else if (unit == ASSAY_UNIT_SECONDS)
        assay_text_appendf(text, "%.3g s", value);
    else if (unit == ASSAY_UNIT_BYTES)
        assay_text_appendf(text, "%.0f bytes", value);
    else
        assay_html_count(text, (uint64_t)value);
    assay_text_append(text, "</span>");
}

static bool is_difference(const assay_gate_criterion *criterion) {
    return criterion->unit == ASSAY_UNIT_DIFFERENCE || criterion->unit == ASSAY_UNIT_RATIO;
}

static void append_required(assay_text *text, const assay_gate_criterion *criterion) {
    assay_text_append(text, criterion->unit == ASSAY_UNIT_COUNT        ? "≥ "
                            : criterion->unit == ASSAY_UNIT_DIFFERENCE ? "< "
                                                                       : "≤ ");
    append_value(text, criterion->unit, criterion->limit);
}

static void append_counts(assay_text *text, const assay_gate_criterion *criterion) {
    if (!criterion->trials) return;
    if (criterion->unit == ASSAY_UNIT_DIFFERENCE) {
        assay_html_count(text, criterion->errors);
        assay_text_append(text, " : ");
        assay_html_count(text, criterion->errors_reference);
        assay_text_append(text, " of ");
        assay_html_count(text, criterion->trials);
    } else if (criterion->unit == ASSAY_UNIT_RATIO) {
        assay_html_count(text, criterion->errors);
        assay_text_append(text, " : ");
        assay_html_count(text, criterion->errors_reference);
    } else {
        assay_html_of(text, (assay_rate){criterion->errors, criterion->trials, NULL});
    }
    assay_text_append(text, "; ");
    assay_html_count(text, criterion->subjects);
}

static void append_measured(assay_text *text, const assay_gate_criterion *criterion) {
    assay_gate_unit rate = criterion->unit == ASSAY_UNIT_RATIO ? ASSAY_UNIT_FMR : ASSAY_UNIT_RATE;
    append_value(text, criterion->unit, criterion->value);
    if (is_difference(criterion) && !isnan(criterion->candidate)) {
        assay_text_append(text, " <span class=\"quiet\">(");
        append_value(text, rate, criterion->candidate);
        assay_text_append(text, " : ");
        append_value(text, rate, criterion->reference);
        assay_text_append(text, ")</span>");
    }
}

static const char *class_of(assay_state state) {
    return assay_state_passes(state) ? "pass" : state == ASSAY_STATE_FAIL ? "fail" : "open";
}

/* ---- the verdict ---- */

typedef struct {
    size_t passed, failed, open;
    const assay_gate_criterion *most; /* the open one that needs most subjects, or NULL */
} verdict_counts;

static verdict_counts count_states(const assay_gate *gate) {
    verdict_counts out = {0};
    for (size_t n = 0; n < gate->criterion_count; ++n) {
        const assay_gate_criterion *criterion = &gate->criteria[n];
        bool passes = assay_state_passes(criterion->state);
        bool fails = criterion->state == ASSAY_STATE_FAIL;
        out.passed += passes;
        out.failed += fails;
        out.open += !passes && !fails;
        if (passes || fails || isnan(criterion->needed)) continue;
        if (!out.most || criterion->needed > out.most->needed) out.most = criterion;
    }
    return out;
}

static void append_needed(assay_text *text, double needed) {
    if (isfinite(needed))
        assay_html_counted(text, (uint64_t)needed, "subject", "subjects");
    else
        assay_text_append(text, "more subjects than there are");
}

/* "in group north" with its blank, nothing for everybody. */
static void append_where(assay_text *text, const assay_gate_criterion *criterion) {
    if (!criterion->attribute) return;
    assay_text_append(text, " of ");
    assay_text_append_html(text, criterion->attribute);
    assay_text_append(text, " <i>");
    assay_text_append_html(text, criterion->group);
    assay_text_append(text, "</i>");
}

static void say_verdict(const assay_gate *gate, assay_text *text) {
    verdict_counts counts = count_states(gate);
    assay_text_appendf(text, "<div class=\"verdict %s\"><b>%s</b><p>",
                       gate->verdict == ASSAY_VERDICT_PASS   ? "pass"
                       : gate->verdict == ASSAY_VERDICT_FAIL ? "fail"
                                                             : "open",
                       assay_verdict_name(gate->verdict));
    assay_html_counted(text, counts.passed, "criterion passes", "criteria pass");
    assay_text_append(text, ", ");
    assay_html_counted(text, counts.failed, "fails", "fail");
    assay_text_append(text, ", ");
    assay_html_counted(text, counts.open, "cannot be decided", "cannot be decided");
    if (gate->verdict == ASSAY_VERDICT_PASS)
        assay_text_append(text, ". A release passes only where every criterion does.");
    else if (gate->verdict == ASSAY_VERDICT_FAIL)
        assay_text_append(text, ". At least one criterion is missed beyond chance, also when all "
                                "of them are looked at together (Holm), or by a measured fact: "
                                "the release is worse than was agreed.");
    else
        assay_text_append(text, counts.failed
                                    ? ". What fails by itself does not fail when all criteria "
                                      "are looked at together (Holm): this blocks the release and "
                                      "is no evidence of harm."
                                    : ". This blocks the release and is no evidence of harm.");
    assay_text_append(text, "</p>");
    if (gate->verdict == ASSAY_VERDICT_NOT_ENOUGH && counts.most) {
        assay_text_append(text, "<p>A set that decides what is open needs about ");
        append_needed(text, counts.most->needed);
        append_where(text, counts.most);
        assay_text_append(text, ", where here are ");
        assay_html_count(text, counts.most->subjects);
        assay_text_append(text, ", if what was seen is the truth. That is for the criterion that "
                                "needs most; each one's number stands below.</p>");
    }
    assay_text_append(text, "</div>\n");
}

static void say_filing(const assay_gate_filing *filing, assay_text *text) {
    if (!filing->trial) return;
    assay_text_append(text, "<div class=\"trial\"><b>A trial, not a decision.</b> ");
    if (!filing->filed)
        assay_text_append(text, "This policy with these subjects was not filed.");
    else if (filing->scored_before)
        assay_text_append(text, "The candidate was scored before this policy was filed.");
    else if (filing->scored_unknown)
        assay_text_append(text, "Nothing says when the candidate was scored.");
    else
        assay_text_append(text, "It was asked for as a trial.");
    assay_text_append(text, " No release may be decided by it.</div>\n");
}

/* ---- the criteria ---- */

/* What a row is called; what the JSON and the command line call it is longer. */
static const char *short_name(const assay_gate_criterion *criterion) {
    static const struct {
        const char *key, *name;
    } names[] = {
        {"fmr_limit", "FMR"},
        {"fmr_ratio", "FMR, ratio"},
        {"gfnmr_limit", "Generalized FNMR"},
        {"gfnmr_margin", "Generalized FNMR, difference"},
        {"fte_limit", "Failure to enrol"},
        {"fte_margin", "Failure to enrol, difference"},
    };
    for (size_t n = 0; n < sizeof names / sizeof *names; ++n)
        if (strcmp(names[n].key, criterion->key) == 0) return names[n].name;
    return criterion->what;
}

static void add_name(assay_text *text, const assay_gate_criterion *criterion) {
    assay_text_append(text, short_name(criterion));
    if (!criterion->attribute) return;
    assay_text_append(text, "<span class=\"ci\">");
    assay_text_append_html(text, criterion->attribute);
    assay_text_append(text, ": ");
    assay_text_append_html(text, criterion->group);
    assay_text_append(text, "</span>");
}

static void add_result(assay_text *text, const assay_gate_criterion *criterion, double alpha) {
    assay_text_appendf(text, "<span class=\"%s\"><span class=\"state\">%s</span></span>",
                       class_of(criterion->state), assay_state_name(criterion->state));
    if (criterion->state == ASSAY_STATE_FAIL && criterion->sampled)
        assay_text_appendf(text, "<span class=\"ci\">%s (p = %.2g)</span>",
                           criterion->holm_p < alpha ? "also among all criteria"
                                                     : "not among all criteria",
                           criterion->holm_p);
}

/* The texts of sources, each once, in the order in which they are met: a, b, c … */
enum { SOURCES_MOST = 16 };
typedef struct {
    const char *texts[SOURCES_MOST];
    size_t count;
} source_list;

static char letter_of(source_list *list, const char *source) {
    size_t n = 0;
    while (n < list->count && strcmp(list->texts[n], source) != 0) ++n;
    if (n == SOURCES_MOST) return '?';
    if (n == list->count) list->texts[list->count++] = source;
    return (char)('a' + n);
}

static void add_legend(const assay_gate *gate, const source_list *sources, assay_text *text) {
    assay_text_append(text, "<p class=\"legend\">Sources of the bounds:");
    for (size_t n = 0; n < sources->count; ++n) {
        assay_text_appendf(text, "%s <b>%c</b> ", n ? ";" : "", (int)('a' + n));
        assay_text_append_html(text, sources->texts[n]);
    }
    assay_text_append(text, ". In brackets, and of counts: candidate : reference. Counts of a "
                            "difference are comparisons or samples that one alone gets wrong, of a "
                            "ratio false matches.</p>\n");
    for (size_t n = 0; n < gate->criterion_count; ++n) {
        const assay_gate_criterion *criterion = &gate->criteria[n];
        if (!criterion->reason && isnan(criterion->needed)) continue;
        assay_text_append(text, "<p class=\"legend\"><b>");
        assay_text_append(text, short_name(criterion));
        append_where(text, criterion);
        assay_text_append(text, "</b>: ");
        if (criterion->reason) {
            assay_text_append_html(text, criterion->reason);
            if (!isnan(criterion->needed)) assay_text_append(text, "; ");
        }
        if (!isnan(criterion->needed)) {
            assay_text_append(text, "decided by about ");
            append_needed(text, criterion->needed);
            if (!isnan(criterion->needed_if_none) &&
                criterion->needed_if_none != criterion->needed) {
                assay_text_append(text, "; ");
                append_needed(text, criterion->needed_if_none);
                assay_text_append(text, is_difference(criterion) ? " if the releases are equal"
                                                                 : " if there is no error");
            }
            assay_text_append(text, " (here ");
            assay_html_count(text, criterion->subjects);
            assay_text_append(text, ")");
        }
        assay_text_append(text, ".</p>\n");
    }
}

/* Rows that print on one page of A4 with all the rest, by size of their letters; a longer table
 * goes on overleaf, and says so. */
enum { ROWS_PLAIN = 30, ROWS_MANY = 38, ROWS_MOST = 48 };

static const char *size_of(size_t rows) {
    return rows <= ROWS_PLAIN || rows > ROWS_MOST ? "gate"
           : rows <= ROWS_MANY                    ? "gate many"
                                                  : "gate most";
}

static void add_criteria(const assay_gate *gate, assay_text *text) {
    char bounds[64];
    source_list sources = {0};
    snprintf(bounds, sizeof bounds, "Bounds, one-sided %g %% each",
             100 * (1 - gate->policy->alpha));
    const char *const headings[] = {"Criterion", "Required", "Measured", "Counts; subjects",
                                    bounds,      "Result",   "Source"};
    assay_html_table table;
    assay_text_appendf(text, "<div class=\"%s\">", size_of(gate->criterion_count));
    assay_html_table_open(&table, text,
                          "Every criterion, all at the one deployment threshold. A difference is "
                          "candidate less reference, in percentage points; a ratio is candidate "
                          "over reference",
                          headings, 7);
    for (size_t n = 0; n < gate->criterion_count; ++n) {
        const assay_gate_criterion *criterion = &gate->criteria[n];
        add_name(assay_html_cell(&table), criterion);
        append_required(assay_html_cell(&table), criterion);
        append_measured(assay_html_cell(&table), criterion);
        append_counts(assay_html_cell(&table), criterion);
        assay_html_cell(&table);
        if (!isnan(criterion->low)) {
            append_value(text, criterion->unit, criterion->low);
            assay_text_append(text, " and ");
            append_value(text, criterion->unit, criterion->high);
        } else {
            assay_text_append(text, "–");
        }
        assay_html_cell(&table);
        add_result(text, criterion, gate->policy->alpha);
        assay_html_cell(&table);
        if (criterion->source)
            assay_text_appendf(text, "%c", (int)letter_of(&sources, criterion->source));
        else
            assay_text_append(text, "–");
    }
    assay_html_table_close(&table);
    assay_text_append(text, "</div>\n");
    add_legend(gate, &sources, text);
    if (gate->criterion_count > ROWS_MOST)
        assay_text_append(text, "<p class=\"legend\">These are more criteria than one page of "
                                "paper holds: printed, the verdict goes on overleaf and is signed "
                                "on its last page.</p>\n");
}

static void add_small(const assay_gate *gate, assay_text *text) {
    if (!gate->small_count) return;
    assay_text_append(text, "<p>Groups that were not judged, with fewer than ");
    assay_html_count(text, gate->policy->group_minimum);
    assay_text_append(text, " subjects: ");
    for (size_t n = 0; n < gate->small_count; ++n) {
        const assay_gate_small *small = &gate->small[n];
        if (n) assay_text_append(text, ", ");
        assay_text_append_html(text, small->attribute);
        assay_text_append(text, " <i>");
        assay_text_append_html(text, small->group);
        assay_text_append(text, "</i> (");
        assay_html_count(text, small->subjects);
        assay_text_append(text, ")");
    }
    assay_text_append(text, gate->policy->small_listed
                                ? ". The policy lists such groups: nothing here says how the "
                                  "release treats them.</p>\n"
                                : ". The policy asks for them, so there is not enough data.</p>\n");
}

/* ---- what it rests on ---- */

static void add_fact(assay_text *text, const char *name) {
    assay_text_appendf(text, "<tr><th scope=\"row\">%s</th><td>", name);
}

static void add_digest(assay_text *text, const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    assay_text_appendf(text, " <span class=\"code\">%s</span></td></tr>\n",
                       assay_digest_hex(hex, digest));
}

static void add_release(assay_text *text, const char *what, const assay_evidence *evidence) {
    add_fact(text, what);
    assay_text_append_html(text, evidence->release);
    assay_text_append(text, " ");
    assay_text_append_html(text, evidence->version);
    assay_text_append(text, ", algorithm ");
    assay_text_append_html(text, evidence->algorithm);
    assay_text_append(text, "; evidence");
    add_digest(text, &evidence->result_digest);
}

static void add_threshold(const assay_gate *gate, assay_text *text) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE];
    const assay_policy *policy = gate->policy;
    add_fact(text, "Deployment threshold");
    if (!isnan(policy->fmr_rule)) {
        assay_text_append(text, "FMR = ");
        assay_html_power(text, policy->fmr_rule);
        assay_text_append(text, " on this set: ");
    } else {
        assay_text_append(text, "given: ");
    }
    assay_text_appendf(text, "%s for the candidate",
                       assay_print_double(a, gate->threshold_candidate));
    if (gate->has_reference)
        assay_text_appendf(text, ", %s for the reference",
                           assay_print_double(b, gate->threshold_reference));
    assay_text_append(text, "; one for everybody</td></tr>\n");
}

static void add_data(const gate_pages *pages, assay_text *text) {
    const assay_gate *gate = pages->gate;
    const assay_policy_subjects *subjects = pages->subjects;
    add_fact(text, "Judged on");
    assay_text_append_html(text, pages->candidate->dataset_name);
    assay_text_append(text, ": ");
    assay_html_counted(text, gate->subjects, "subject", "subjects");
    assay_text_append(text, " (");
    assay_html_count(text, gate->mated_subjects);
    assay_text_append(text, " with mated comparisons), ");
    assay_html_counted(text, gate->samples, "sample", "samples");
    assay_text_append(text, ", ");
    assay_html_counted(text, gate->mated, "attempted mated comparison",
                       "attempted mated comparisons");
    assay_text_append(text, ", ");
    assay_html_counted(text, gate->non_mated, "non-mated one", "non-mated ones");
    if (gate->excluded) {
        assay_text_append(text, "; ");
        assay_html_counted(text, gate->excluded, "sample never reached the candidate and is",
                           "samples never reached the candidate and are");
        assay_text_append(text, " in no rate");
    }
    assay_text_append(text, "</td></tr>\n");
    add_fact(text, "Left out");
    assay_html_counted(text, subjects->disclosed, "subject disclosed to the vendor",
                       "subjects disclosed to the vendor");
    assay_text_append(text, ", ");
    assay_html_counted(text, subjects->not_listed, "subject not on the list",
                       "subjects not on the list");
    if (subjects->disclosed_unknown) {
        assay_text_append(text, "; ");
        assay_html_counted(text, subjects->disclosed_unknown, "disclosed id is",
                           "disclosed ids are");
        assay_text_append(text, " not in the data set");
    }
    assay_text_append(text, "</td></tr>\n");
    add_fact(text, "Data set");
    add_digest(text, &pages->candidate->dataset_digest);
    add_fact(text, "List of subjects");
    add_digest(text, &subjects->digest);
}

static void add_filing(const gate_pages *pages, assay_text *text) {
    const assay_gate_filing *filing = pages->filing;
    const assay_policy *policy = pages->gate->policy;
    add_fact(text, "Policy");
    assay_text_append_html(text, policy->name);
    add_digest(text, &policy->digest);
    add_fact(text, "Filed");
    if (filing->filed) {
        assay_text_appendf(text, "%s, record ", filing->filed_time);
        assay_html_count(text, filing->filed_record);
        assay_text_append(text, " of the ledger of <span class=\"code\">");
        assay_text_append_html(text, filing->ledger);
        assay_text_append(text, filing->scored_unknown
                                    ? "</span>; not known whether before the candidate was scored"
                                : filing->scored_before
                                    ? "</span>; after the candidate was scored"
                                    : "</span>, before the candidate was scored");
    } else {
        assay_text_append(text, "no");
    }
    assay_text_append(text, "</td></tr>\n");
    add_fact(text, "Candidates so far");
    assay_html_counted(text, filing->candidates, "candidate was", "candidates were");
    assay_text_append(text, " judged on this data set, in ");
    assay_html_counted(text, filing->looks, "judgement", "judgements");
    assay_text_append(text,
                      filing->looks > 1 ? " with this one (trials: " : ", this one (trials: ");
    assay_html_count(text, filing->trials);
    assay_text_append(text, "). A set that judges often is learned by heart: the more candidates, "
                            "the weaker a PASS</td></tr>\n");
}

static void add_sign(assay_text *text) {
    assay_text_append(text, "<table class=\"sign\"><tbody>");
    for (int n = 0; n < 2; ++n)
        assay_text_append(text, "<tr><td>Name and function</td><td class=\"gap\"></td><td>Date and "
                                "signature</td></tr>");
    assay_text_append(text, "</tbody></table>\n");
}

static void add_head(const gate_pages *pages, assay_text *text) {
    const assay_policy *policy = pages->gate->policy;
    assay_text title = {0};
    if (policy->title) {
        assay_text_append_html(&title, policy->title);
    } else {
        assay_text_append(&title, "May ");
        assay_text_append_html(&title, pages->candidate->release);
        assay_text_append(&title, " ");
        assay_text_append_html(&title, pages->candidate->version);
        assay_text_append(&title, " ship?");
    }
    const char *shown = title.bytes ? title.bytes : "";
    assay_text_append(text,
                      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'; img-src data:\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n"
                      "<link rel=\"icon\" href=\"data:,\">\n<title>");
    assay_text_append(text, shown);
    assay_text_append(text, "</title>\n<style>\n");
    assay_text_append(text, assay_page_style);
    assay_text_append(text, style);
    assay_text_append(text, "</style>\n</head>\n<body>\n<header>\n<p class=\"eyebrow\">Release "
                            "gate</p>\n<h1>");
    assay_text_append(text, shown);
    assay_text_append(text, "</h1>\n<p class=\"meta\">Candidate <em>");
    assay_text_append_html(text, pages->candidate->release);
    assay_text_append(text, " ");
    assay_text_append_html(text, pages->candidate->version);
    assay_text_append(text, "</em>");
    if (pages->reference) {
        assay_text_append(text, ", in place of <em>");
        assay_text_append_html(text, pages->reference->release);
        assay_text_append(text, " ");
        assay_text_append_html(text, pages->reference->version);
        assay_text_append(text, "</em>");
    }
    assay_text_append(text, " · policy <em>");
    assay_text_append_html(text, policy->name);
    assay_text_append(text, "</em> · assay " ASSAY_VERSION "</p>\n</header>\n<main>\n");
    assay_text_free(&title);
}

static void write_page(const gate_pages *pages, assay_text *text) {
    add_head(pages, text);
    say_verdict(pages->gate, text);
    say_filing(pages->filing, text);
    add_criteria(pages->gate, text);
    add_small(pages->gate, text);
    assay_text_append(text, "<h2>What it rests on</h2>\n<table class=\"facts\"><tbody>\n");
    add_threshold(pages->gate, text);
    add_release(text, "Candidate", pages->candidate);
    if (pages->reference) add_release(text, "Reference", pages->reference);
    add_data(pages, text);
    add_filing(pages, text);
    assay_text_append(text, "</tbody></table>\n");
    add_sign(text);
    assay_text_append(text,
                      "</main>\n<footer><p>People were sampled, not comparisons: the bounds are "
                      "about the population that these subjects were drawn from. The same numbers: "
                      "<a href=\"verdict.json\">verdict.json</a>. METRICS.md of assay has the "
                      "formula of each.</p></footer>\n</body>\n</html>\n");
}

assay_status assay_gate_write(const assay_gate *gate, const assay_policy_subjects *subjects,
                              const assay_gate_filing *filing, const assay_evidence *reference,
                              const assay_evidence *candidate, const char *directory) {
    gate_pages pages = {gate, subjects, filing, reference, candidate};
    char *page_path = NULL, *json_path = NULL;
    assay_text text = {0};
    write_page(&pages, &text);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = assay_make_directories(directory);
    if (status == ASSAY_OK) status = assay_path_join(&page_path, directory, "index.html");
    if (status == ASSAY_OK) status = assay_path_join(&json_path, directory, "verdict.json");
    /* No moment shows an old page beside a new verdict. */
    if (status == ASSAY_OK) (void)remove(page_path);
    if (status == ASSAY_OK) status = gate_write_json(&pages, json_path);
    if (status == ASSAY_OK) status = assay_file_write(page_path, text.bytes, text.length);
    assay_text_free(&text);
    free(page_path);
    free(json_path);
    return status;
}
