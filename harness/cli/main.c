/* main -- the program `assay`: finds the command, runs it, tells its fault and its exit status.
 *
 * Exit status: 0 done; 1 failed; 2 the request is wrong; 3 and 4 are kept for the release gate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/cli/command.h"
#include "kernels/backend.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static const assay_command *const commands[] = {
#define COMMAND(variable) &variable,
#include "harness/cli/commands.def"
#undef COMMAND
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_usage(FILE *out) {
    fprintf(out, "assay -- accuracy evaluation of biometric matching releases\n\n"
                 "Usage: assay COMMAND [options] [arguments]\n\nCommands:\n");
    for (size_t n = 0; n < COMMAND_COUNT; n++)
        fprintf(out, "  %-10s%s\n", commands[n]->name, commands[n]->purpose);
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

static const assay_command *find_command(const char *name) {
    const char *names[COMMAND_COUNT + 1];
    char shown[80], suggestion[512];
    for (size_t n = 0; n < COMMAND_COUNT; n++) {
        if (strcmp(commands[n]->name, name) == 0) return commands[n];
        names[n] = commands[n]->name;
    }
    names[COMMAND_COUNT] = "help";
    (void)assay_fail(ASSAY_USAGE, "unknown command '%s': %s",
                     assay_printable(shown, sizeof shown, name),
                     assay_suggest(suggestion, sizeof suggestion, name, names, COMMAND_COUNT + 1));
    return NULL;
}

static int run_command(const assay_command *command, int argc, char **argv) {
    void *values = NULL;
    char **arguments = NULL;
    size_t count = 0;
    bool help = false;
    assay_status status = assay_allocate(&values, command->values_size, 1, "options");
    if (status == ASSAY_OK)
        status = assay_options_parse(command, argc, argv, values, &arguments, &count, &help);
    if (status == ASSAY_OK && help) {
        assay_options_help(command, stdout);
    } else if (status == ASSAY_OK) {
        assay_interrupt_prepare();
        status = command->run(values, arguments, count);
    }
    if (status != ASSAY_OK) tell_fault(command->name);
    if (values != NULL) assay_options_free(command, values);
    free(values);
    return exit_status(status);
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
    bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
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
    const assay_command *command = find_command(help ? argv[2] : word);
    if (command == NULL) {
        tell_fault(NULL);
        return EXIT_USAGE;
    }
    if (!help) return run_command(command, argc - 1, argv + 1);
    assay_options_help(command, stdout);
    return 0;
}

int main(int argc, char **argv) {
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
