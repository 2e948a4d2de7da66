/* main -- the program `assay`: finds the command, runs it, tells its fault and its exit status.
 *
 * Exit status: 0 done; 1 failed; 2 the request is wrong; of the gate 3: the release is
 * worse than was agreed, 4: too little data to say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/supervise.h"
#include "kernels/backend.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static const assay_command *const commands[] = {
#define COMMAND(variable) &variable,
#define GROUP(name, purpose)
#include "harness/cli/commands.def"
#undef COMMAND
#undef GROUP
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

/* The lines of --help: single commands, and groups in the place of theirs. */
static const struct {
    const assay_command *command; /* NULL: a group */
    const char *name, *purpose;
} lines[] = {
#define COMMAND(variable) {&variable, NULL, NULL},
#define GROUP(name, purpose) {NULL, name, purpose},
#include "harness/cli/commands.def"
#undef COMMAND
#undef GROUP
};
#define LINE_COUNT (sizeof lines / sizeof *lines)

static void print_usage(FILE *out) {
    fprintf(out, "assay -- accuracy evaluation of biometric matching releases\n\n"
                 "Usage: assay COMMAND [options] [arguments]\n\nCommands:\n");
    for (size_t n = 0; n < LINE_COUNT; n++) {
        const assay_command *command = lines[n].command;
        if (command == NULL)
            fprintf(out, "  %-10s%s\n", lines[n].name, lines[n].purpose);
        else if (strchr(command->name, ' ') == NULL)
            fprintf(out, "  %-10s%s\n", command->name, command->purpose);
    }
    fprintf(out, "\nassay COMMAND --help   how to use a command\n"
                 "assay --version        version, libraries, features and backends\n");
}

static void print_version(void) {
    printf("assay %s\nbuilt with  %s\nfeatures    %s\nbackends    ", ASSAY_VERSION,
           ASSAY_BUILT_WITH, ASSAY_FEATURES);
    for (size_t n = 0; n < assay_backend_count(); n++)
        printf("%s%s", n == 0 ? "" : ", ", assay_backend_at(n)->name);
    printf("\n");
}

static int exit_status(assay_status status) {
    return status == ASSAY_OK ? 0 : status == ASSAY_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

/* "assay compare: …"; the text was made printable where it was kept. */
static void tell_fault(const char *command) {
    fprintf(stderr, "assay%s%s: %s\n", command == NULL ? "" : " ", command == NULL ? "" : command,
            assay_error_text());
}

/* The purpose of the group called name, or NULL. */
static const char *find_group(const char *name) {
    for (size_t n = 0; n < LINE_COUNT; n++)
        if (lines[n].command == NULL && strcmp(lines[n].name, name) == 0) return lines[n].purpose;
    return NULL;
}

/* The second word of a command of group, or NULL. */
static const char *word_in_group(const assay_command *command, const char *group) {
    size_t length = strlen(group);
    bool in_group = strncmp(command->name, group, length) == 0 && command->name[length] == ' ';
    return in_group ? command->name + length + 1 : NULL;
}

static void print_group(const char *group, FILE *out) {
    fprintf(out, "assay %s -- %s\n\nUsage: assay %s WHAT [options] [arguments]\n\nWhat:\n", group,
            find_group(group), group);
    for (size_t n = 0; n < COMMAND_COUNT; n++) {
        const char *word = word_in_group(commands[n], group);
        if (word != NULL) fprintf(out, "  %-12s%s\n", word, commands[n]->purpose);
    }
    fprintf(out, "\nassay %s WHAT --help   how to use it, with examples\n", group);
}

static const assay_command *find_in_group(const char *group, const char *given) {
    const char *names[COMMAND_COUNT];
    char shown[80], suggestion[512];
    size_t count = 0;
    for (size_t n = 0; n < COMMAND_COUNT; n++) {
        const char *word = word_in_group(commands[n], group);
        if (word == NULL) continue;
        if (strcmp(word, given) == 0) return commands[n];
        names[count++] = word;
    }
    (void)assay_fail(ASSAY_USAGE, "cannot %s '%s': %s", group,
                     assay_printable(shown, sizeof shown, given),
                     assay_suggest(suggestion, sizeof suggestion, given, names, count));
    return NULL;
}

static const assay_command *find_command(const char *name) {
    const char *names[LINE_COUNT + 1];
    char shown[80], suggestion[512];
    size_t count = 0;
    for (size_t n = 0; n < LINE_COUNT; n++) {
        const assay_command *command = lines[n].command;
        const char *known = command == NULL ? lines[n].name : command->name;
        if (command != NULL && strcmp(known, name) == 0) return command;
        if (strchr(known, ' ') == NULL) names[count++] = known;
    }
    names[count++] = "help";
    (void)assay_fail(ASSAY_USAGE, "unknown command '%s': %s",
                     assay_printable(shown, sizeof shown, name),
                     assay_suggest(suggestion, sizeof suggestion, name, names, count));
    return NULL;
}

static int run_command(const assay_command *command, int argc, char **argv) {
    void *values = NULL;
    char **arguments = NULL;
    size_t count = 0;
    bool help = false;
    int code = 0;
    assay_status status = assay_allocate(&values, command->values_size, 1, "options");
    if (status == ASSAY_OK)
        status = assay_options_parse(command, argc, argv, values, &arguments, &count, &help);
    if (status == ASSAY_OK && help) {
        assay_options_help(command, stdout);
    } else if (status == ASSAY_OK) {
        assay_interrupt_prepare();
        status = command->judge != NULL ? command->judge(values, arguments, count, &code)
                                        : command->run(values, arguments, count);
    }
    if (status != ASSAY_OK) tell_fault(command->name);
    if (values != NULL) assay_options_free(command, values);
    free(values);
    return status == ASSAY_OK ? code : exit_status(status);
}

static bool asks_for_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* A command of two words, the first of which is argv[0]; help: the words of `assay help` alone. */
static int dispatch_group(int argc, char **argv, bool help) {
    const char *group = argv[0];
    if (argc < 2 || (argc == 2 && asks_for_help(argv[1]))) {
        bool asked = help || argc == 2;
        print_group(group, asked ? stdout : stderr);
        return asked ? 0 : EXIT_USAGE;
    }
    const assay_command *command = find_in_group(group, argv[1]);
    if (command == NULL) {
        tell_fault(group);
        return EXIT_USAGE;
    }
    if (!help) return run_command(command, argc - 1, argv + 1);
    assay_options_help(command, stdout);
    return 0;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        print_version();
        return 0;
    }
    bool help = asks_for_help(word) || strcmp(word, "help") == 0;
    if (help && argc == 2) {
        print_usage(stdout);
        return 0;
    }
    if (!help && word[0] == '-') {
        char shown[80];
        (void)assay_fail(ASSAY_USAGE,
                         "unknown option '%s'; a command comes first: see assay --help",
                         assay_printable(shown, sizeof shown, word));
        tell_fault(NULL);
        return EXIT_USAGE;
    }
    int skipped = help ? 2 : 1;
    if (find_group(argv[skipped]) != NULL)
        return dispatch_group(argc - skipped, argv + skipped, help);
    const assay_command *command = find_command(argv[skipped]);
    if (command == NULL) {
        tell_fault(NULL);
        return EXIT_USAGE;
    }
    if (!help) return run_command(command, argc - 1, argv + 1);
    assay_options_help(command, stdout);
    return 0;
}

/* Images, templates and ids are in this memory and belong into no core: neither into a file, nor
 * into a collector of cores, which the kernel spares at a limit of 1 but not of 0. */
static void leave_no_core(void) {
    const struct rlimit none = {1, 1};
    (void)setrlimit(RLIMIT_CORE, &none);
}

static int work(int argc, char **argv) {
    int code = dispatch(argc, argv);
    bool lost = ferror(stdout) != 0;
    errno = 0;
    if (fclose(stdout) != 0 || lost) {
        fprintf(stderr, "assay: cannot write to standard output%s%s\n", errno == 0 ? "" : ": ",
                errno == 0 ? "" : strerror(errno));
        return code == 0 ? EXIT_FAILED : code;
    }
    return code;
}

int main(int argc, char **argv) {
    leave_no_core();
    return assay_supervise(work, argc, argv);
}
