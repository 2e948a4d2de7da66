/* options -- one table of options per command, which drives parsing, --help and did-you-mean. */
#include "harness/cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define OPTIONS_MOST 40
#define FIRST_CODE                                                                                 \
    1000 /* of getopt_long's values: an option without a letter is FIRST_CODE + index */
#define HELP_CODE 999
#define HELP_INDENT 34 /* of what an option is for */
#define HELP_WIDTH 100

typedef struct {
    struct option longs[OPTIONS_MOST + 2];
    char shorts[2 * OPTIONS_MOST + 4];
} getopt_table;

static void build_table(const assay_command *command, getopt_table *table) {
    size_t at = 0;
    memset(table, 0, sizeof *table);
    table->shorts[at++] = ':';
    table->shorts[at++] = 'h';
    for (size_t n = 0; n < command->option_count; n++) {
        const assay_option *option = &command->options[n];
        bool valued = option->kind != ASSAY_OPTION_FLAG;
        table->longs[n] = (struct option){.name = option->name,
                                          .has_arg = valued ? required_argument : no_argument,
                                          .val = FIRST_CODE + (int)n};
        if (option->letter == 0) continue;
        table->shorts[at++] = option->letter;
        if (valued) table->shorts[at++] = ':';
    }
    table->longs[command->option_count] = (struct option){.name = "help", .val = HELP_CODE};
}

static const assay_option *option_of_code(const assay_command *command, int code) {
    if (code >= FIRST_CODE) return &command->options[code - FIRST_CODE];
    for (size_t n = 0; n < command->option_count; n++)
        if (command->options[n].letter == code) return &command->options[n];
    return NULL;
}

/* An option that getopt_long did not take: "--verbos", "-x", or the beginning of several. */
static assay_status unknown_option(const assay_command *command, const char *given) {
    const char *names[OPTIONS_MOST + 1];
    char word[64], shown[80], suggestion[1024];
    size_t count = 0, alike = 0;
    if (given[0] != '-' || given[1] != '-')
        return assay_fail(ASSAY_USAGE, "unknown option '%s'; see assay %s --help",
                          assay_printable(shown, sizeof shown, given), command->name);
    snprintf(word, sizeof word, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    for (size_t n = 0; n < command->option_count; n++) {
        names[count++] = command->options[n].name;
        alike += strncmp(command->options[n].name, word, strlen(word)) == 0;
    }
    names[count++] = "help";
    for (size_t n = 0; n < count; n++)
        if (strcmp(names[n], word) == 0)
            return assay_fail(ASSAY_USAGE, "option --%s takes no value", word);
    assay_printable(shown, sizeof shown, word);
    return assay_fail(ASSAY_USAGE, "%s option '--%s': %s", alike > 1 ? "ambiguous" : "unknown",
                      shown, assay_suggest(suggestion, sizeof suggestion, word, names, count));
}

static assay_status bad_value(const assay_option *option, const char *text, const char *expected) {
    char shown[160];
    return assay_fail(ASSAY_USAGE, "option --%s: '%s' is not %s", option->name,
                      assay_printable(shown, sizeof shown, text), expected);
}

static bool parse_size(const char *text, uint64_t *out) {
    static const char units[] = "KMGT";
    char digits[32];
    size_t length = strlen(text);
    unsigned shift = 0;
    uint64_t value;
    if (length == 0 || length >= sizeof digits) return false;
    const char *unit = strchr(units, text[length - 1]);
    if (unit != NULL && *unit != '\0') {
        shift = 10u * (unsigned)(unit - units + 1);
        length--;
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!assay_parse_uint64(digits, &value) || value > UINT64_MAX >> shift) return false;
    *out = value << shift;
    return true;
}

static assay_status add_word(assay_option_words *words, const char *text, size_t length) {
    char **grown = realloc(words->items, (words->count + 2) * sizeof *grown);
    if (grown == NULL) return assay_fail(ASSAY_FAILED, "no memory for the command line");
    words->items = grown;
    grown[words->count] = strndup(text, length);
    grown[words->count + 1] = NULL;
    if (grown[words->count] == NULL)
        return assay_fail(ASSAY_FAILED, "no memory for the command line");
    words->count++;
    return ASSAY_OK;
}

static assay_status split_words(const assay_option *option, const char *text,
                                assay_option_words *words) {
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        if (length == 0) return bad_value(option, text, "a list of names with commas between them");
        assay_status status = add_word(words, at, length);
        if (status != ASSAY_OK) return status;
        at += length;
        if (*at == '\0') return ASSAY_OK;
    }
}

static assay_status split_numbers(const assay_option *option, const char *text,
                                  assay_option_numbers *numbers) {
    assay_option_words words = {0};
    assay_status status = split_words(option, text, &words);
    if (status != ASSAY_OK) goto out;
    free(numbers->items);
    numbers->count = 0;
    status = assay_allocate(&numbers->items, words.count, sizeof *numbers->items, "numbers");
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0; n < words.count; n++) {
        if (!assay_parse_double(words.items[n], &numbers->items[n])) {
            status = bad_value(option, words.items[n], "a number");
            goto out;
        }
        numbers->count++;
    }
out:
    for (size_t n = 0; n < words.count; n++) free(words.items[n]);
    free(words.items);
    return status;
}

static assay_status parse_count(const assay_option *option, const char *text, uint64_t *out) {
    uint64_t value;
    char expected[96];
    uint64_t high = option->high == 0 ? UINT64_MAX : option->high;
    if (assay_parse_uint64(text, &value) && value >= option->low && value <= high) {
        *out = value;
        return ASSAY_OK;
    }
    if (option->high == 0 && option->low == 0)
        snprintf(expected, sizeof expected, "a whole number");
    else if (option->high == 0)
        snprintf(expected, sizeof expected, "a whole number from %llu",
                 (unsigned long long)option->low);
    else
        snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
                 (unsigned long long)option->low, (unsigned long long)high);
    return bad_value(option, text, expected);
}

static assay_status set_value(const assay_option *option, char *text, void *values) {
    void *field = (char *)values + option->offset;
    switch (option->kind) {
    case ASSAY_OPTION_FLAG:
        *(bool *)field = true;
        return ASSAY_OK;
    case ASSAY_OPTION_TEXT:
        if (text[0] == '\0') return bad_value(option, text, "a text of at least one character");
        *(const char **)field = text;
        return ASSAY_OK;
    case ASSAY_OPTION_COUNT:
        return parse_count(option, text, field);
    case ASSAY_OPTION_SIZE:
        if (parse_size(text, field)) return ASSAY_OK;
        return bad_value(option, text, "a size such as 800000000, 512M or 8G");
    case ASSAY_OPTION_EACH:
        return add_word(field, text, strlen(text));
    case ASSAY_OPTION_WORDS:
        return split_words(option, text, field);
    case ASSAY_OPTION_NUMBERS:
        return split_numbers(option, text, field);
    }
    return assay_fail(ASSAY_FAILED, "option --%s has no kind", option->name);
}

static assay_status check_required(const assay_command *command, const bool *given) {
    for (size_t n = 0; n < command->option_count; n++) {
        const assay_option *option = &command->options[n];
        if (option->required && !given[n])
            return assay_fail(ASSAY_USAGE, "option --%s %s is needed; see assay %s --help",
                              option->name, option->value, command->name);
    }
    return ASSAY_OK;
}

static assay_status check_arguments(const assay_command *command, char **arguments, size_t count) {
    char shown[160];
    if (count < command->least_arguments)
        return assay_fail(ASSAY_USAGE, "%s is missing; usage: assay %s [options] %s",
                          command->arguments, command->name, command->arguments);
    if (count > command->most_arguments)
        return assay_fail(ASSAY_USAGE, "unexpected argument '%s'; usage: assay %s [options] %s",
                          assay_printable(shown, sizeof shown, arguments[command->most_arguments]),
                          command->name, command->arguments);
    return ASSAY_OK;
}

/* A name with a newline in it would be a second line of every message about it. */
static assay_status check_words(int argc, char **argv) {
    for (int n = 1; n < argc; n++) {
        char shown[160];
        for (const unsigned char *at = (const unsigned char *)argv[n]; *at; at++) {
            if (*at >= 0x20 && *at != 0x7f) continue;
            return assay_fail(ASSAY_USAGE, "'%s' has the control character 0x%02x; expected none",
                              assay_printable(shown, sizeof shown, argv[n]), *at);
        }
    }
    return ASSAY_OK;
}

assay_status assay_options_parse(const assay_command *command, int argc, char **argv, void *values,
                                 char ***out_arguments, size_t *out_count, bool *out_help) {
    getopt_table table;
    bool given[OPTIONS_MOST] = {false};
    assay_status checked = check_words(argc, argv);
    if (checked != ASSAY_OK) return checked;
    memcpy(values, command->defaults, command->values_size);
    build_table(command, &table);
    opterr = 0;
    optind = 0; /* glibc: start anew */
    for (;;) {
        int code = getopt_long(argc, argv, table.shorts, table.longs, NULL);
        if (code == -1) break;
        if (code == HELP_CODE || code == 'h') {
            *out_help = true;
            return ASSAY_OK;
        }
        if (code == '?') {
            char letter[3] = {'-', (char)optopt, '\0'};
            bool is_letter = optopt > 0 && optopt < FIRST_CODE && optopt != HELP_CODE;
            return unknown_option(command, is_letter ? letter : argv[optind - 1]);
        }
        const assay_option *option = option_of_code(command, code == ':' ? optopt : code);
        if (code == ':' || option == NULL)
            return assay_fail(ASSAY_USAGE, "option --%s needs a value: %s",
                              option == NULL ? "?" : option->name,
                              option == NULL ? "?" : option->value);
        assay_status status = set_value(option, optarg, values);
        if (status != ASSAY_OK) return status;
        given[option - command->options] = true;
    }
    assay_status status = check_arguments(command, argv + optind, (size_t)(argc - optind));
    if (status == ASSAY_OK) status = check_required(command, given);
    if (status != ASSAY_OK) return status;
    *out_arguments = argv + optind;
    *out_count = (size_t)(argc - optind);
    *out_help = false;
    return ASSAY_OK;
}

void assay_options_free(const assay_command *command, void *values) {
    for (size_t n = 0; n < command->option_count; n++) {
        void *field = (char *)values + command->options[n].offset;
        assay_option_kind kind = command->options[n].kind;
        if (kind == ASSAY_OPTION_EACH || kind == ASSAY_OPTION_WORDS) {
            assay_option_words *words = field;
            for (size_t w = 0; w < words->count; w++) free(words->items[w]);
            free(words->items);
            *words = (assay_option_words){0};
        } else if (kind == ASSAY_OPTION_NUMBERS) {
            assay_option_numbers *numbers = field;
            free(numbers->items);
            *numbers = (assay_option_numbers){0};
        }
    }
}

static void print_option(const assay_option *option, FILE *out) {
    char left[64];
    const char *value = option->value == NULL ? "" : option->value;
    const char *space = option->value == NULL ? "" : " ";
    if (option->letter != 0)
        snprintf(left, sizeof left, "-%c, --%s%s%s", option->letter, option->name, space, value);
    else
        snprintf(left, sizeof left, "    --%s%s%s", option->name, space, value);
    fprintf(out, "  %-32s", left);
    if (strlen(left) > 31) fprintf(out, "\n  %-32s", "");
    fprintf(out, "%s", option->purpose);
    if (option->required) fprintf(out, " (needed)");
    if (option->shown != NULL) {
        size_t width = HELP_INDENT + strlen(option->purpose) + strlen(option->shown) + 3;
        if (width > HELP_WIDTH) fprintf(out, "\n%*s[%s]", HELP_INDENT, "", option->shown);
        if (width <= HELP_WIDTH) fprintf(out, " [%s]", option->shown);
    }
    fputc('\n', out);
}

void assay_options_help(const assay_command *command, FILE *out) {
    fprintf(out, "assay %s -- %s\n\n", command->name, command->purpose);
    fprintf(out, "Usage: assay %s [options]%s%s\n\n%s\n\nOptions:\n", command->name,
            command->arguments[0] == '\0' ? "" : " ", command->arguments, command->description);
    for (size_t n = 0; n < command->option_count; n++) print_option(&command->options[n], out);
    fprintf(out, "  %-32s%s\n\nExamples:\n", "-h, --help", "this text");
    for (const char *const *line = command->examples; *line != NULL; line++)
        fprintf(out, "  %s\n", *line);
    fprintf(out,
            "\nExit status:\n"
            "  0  done\n"
            "  1  it was asked for rightly and did not work (a file, memory, damage, interrupted)\n"
            "  2  the request is wrong (option, configuration, manifest, labels)\n%s",
            command->exit_statuses == NULL ? "" : command->exit_statuses);
}
