/* supervise -- the work of a command in a process of its own, whose death is told in one line.
 *
 * HDF5 and other libraries do not check every allocation, and a driver may die of a broken device;
 * whatever it is, whoever started the program gets a line and an exit status, and files are as the
 * next run wants them. ASSAY_ONE_PROCESS=1 in the environment does the work here, for debuggers. */
#ifndef ASSAY_HARNESS_CLI_SUPERVISE_H
#define ASSAY_HARNESS_CLI_SUPERVISE_H

/* Runs work(argc, argv) in a child and returns what it returns; EXIT_FAILURE, and a line on
 * standard error, where it died instead. Signals that ask to stop are handed on; one that ended the
 * child as such ends this process too. */
int assay_supervise(int (*work)(int argc, char **argv), int argc, char **argv);

#endif
