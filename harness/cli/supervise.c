/* supervise -- the work of a command in a process of its own, whose death is told in one line. */
#include "harness/cli/supervise.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is handed on, where it is not ignored, and the end of a child; the signals of before in
 * *before. */
static void block_signals(sigset_t *waited, sigset_t *before) {
    static const int handed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    struct sigaction action;
    sigemptyset(waited);
    sigaddset(waited, SIGCHLD);
    signal(SIGCHLD, SIG_DFL); /* whoever started us may have it ignored, and then it never comes */
    for (size_t n = 0; n < sizeof handed_on / sizeof *handed_on; n++)
        if (sigaction(handed_on[n], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(waited, handed_on[n]);
    sigprocmask(SIG_BLOCK, waited, before);
}

/* In the child: as it would be without anybody above it, but for not outliving him. */
static void work_and_end(int (*work)(int, char **), int argc, char **argv, pid_t parent,
                         const sigset_t *before, volatile bool *came_to_end) {
    sigprocmask(SIG_SETMASK, before, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXIT_FAILURE);
    const int code = work(argc, argv);
    *came_to_end = true;
    exit(code);
}

/* Hands on what others send us, until the child ends. A terminal's own signals reach it anyway. */
static int wait_for_end(pid_t child, const sigset_t *waited) {
    int ended = 0;
    for (;;) {
        siginfo_t about;
        const int signal_number = sigwaitinfo(waited, &about);
        if (signal_number == SIGCHLD && waitpid(child, &ended, WNOHANG) == child) return ended;
        if (signal_number > 0 && signal_number != SIGCHLD && about.si_code <= 0)
            kill(child, signal_number);
    }
}

/* Ways of ending that are nobody's fault: whoever waits for us should see the same one. */
static bool is_asked_for(int signal_number) {
    return signal_number == SIGINT || signal_number == SIGTERM || signal_number == SIGHUP ||
           signal_number == SIGPIPE || signal_number == SIGQUIT;
}

static int tell_death(const char *command, int ended) {
    const char *name = WIFSIGNALED(ended) ? sigabbrev_np(WTERMSIG(ended)) : NULL;
    fprintf(stderr, "assay%s%s: ", command != NULL ? " " : "", command != NULL ? command : "");
    if (WIFSIGNALED(ended))
        fprintf(stderr, "its process died of signal SIG%s%s", name != NULL ? name : "?",
                WTERMSIG(ended) == SIGKILL ? ", perhaps because memory was out" : "");
    else
        fprintf(stderr,
                "its process ended with status %d and did not say why, perhaps because "
                "memory was out",
                WEXITSTATUS(ended));
    fprintf(stderr, "; what was finished before stays, and the same command goes on\n");
    return EXIT_FAILURE;
}

int assay_supervise(int (*work)(int argc, char **argv), int argc, char **argv) {
    sigset_t waited, before;
    const char *alone = getenv("ASSAY_ONE_PROCESS");
    if (alone != NULL && alone[0] == '1') return work(argc, argv);
    volatile bool *came_to_end =
        mmap(NULL, sizeof *came_to_end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (came_to_end == MAP_FAILED) return work(argc, argv);
    const pid_t parent = getpid();
    block_signals(&waited, &before);
    const pid_t child = fork();
    if (child == 0) work_and_end(work, argc, argv, parent, &before, came_to_end);
    const int ended = child > 0 ? wait_for_end(child, &waited) : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0) return work(argc, argv);
    if (WIFEXITED(ended) && *came_to_end) return WEXITSTATUS(ended);
    if (WIFSIGNALED(ended) && is_asked_for(WTERMSIG(ended))) {
        signal(WTERMSIG(ended), SIG_DFL);
        raise(WTERMSIG(ended));
    }
    return tell_death(argc > 1 ? argv[1] : NULL, ended);
}
