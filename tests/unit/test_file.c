/* test_file -- reading, opening beneath a root, publishing, paths, and digests of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datasets/base/digest.h"
#include "datasets/base/file.h"

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk) {
    (void)about, (void)type, (void)walk;
    return remove(path);
}

/* Each test runs in a folder of its own, which is the working directory. */
static int enter_folder(void **state) {
    char *folder = strdup("/tmp/assay-test-XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state) {
    int failed = chdir("/") != 0 || nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0;
    free(*state);
    return failed;
}

static size_t count_entries(const char *path) {
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

static void a_file_is_read_whole_up_to_its_limit(void **state) {
    (void)state;
    char *bytes = NULL;
    size_t length = 0;
    assert_int_equal(assay_file_write("a",
                                      "12\0"
                                      "45",
                                      5),
                     ASSAY_OK);
    assert_int_equal(assay_file_read("a", 5, &bytes, &length), ASSAY_OK);
    assert_int_equal(length, 5);
    assert_memory_equal(bytes,
                        "12\0"
                        "45",
                        6);
    free(bytes);
    bytes = NULL;
    assert_int_equal(assay_file_read("a", 4, &bytes, &length), ASSAY_USAGE);
    assert_null(bytes);
    assert_non_null(strstr(assay_error_text(), "larger than the 4 bytes"));
    assert_int_equal(assay_file_read("none", 4, &bytes, &length), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "cannot open none: No such file"));
    assert_int_equal(assay_file_read(".", 4, &bytes, &length), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "folder"));
    /* A file of the kernel says that it has no bytes, and has some. */
    assert_int_equal(assay_file_read("/proc/self/status", 1 << 20, &bytes, &length), ASSAY_OK);
    assert_true(length > 100 && strlen(bytes) == length);
    free(bytes);
}

static void only_regular_files_beneath_the_root_open(void **state) {
    (void)state;
    static const struct {
        const char *path, *fault;
    } cases[] = {{"../outside", "leaves the folder"},
                 {"in/../../outside", "leaves the folder"},
                 {"/etc/passwd", "leaves the folder"},
                 {"link", "link"},
                 {"link-out", "link"},
                 {"linked/file", "link"},
                 {"in", "not a regular file"},
                 {"fifo", "not a regular file"},
                 {"socket", "not a regular file"},
                 {"hard", "has 2 names"},
                 {"proc", "is a link or leads through one"},
                 {"/proc/self/fd/0", "leaves the folder"},
                 {"/dev/zero", "leaves the folder"},
                 {"../root/in/file", "leaves the folder"},
                 {"in/./../../root/in/file", "leaves the folder"},
                 {"none", "is not there"},
                 {"in/file/x", "is not there"},
                 {"", "is not there"}};
    int fd = -1;
    assert_int_equal(assay_make_directories("root/in"), ASSAY_OK);
    assert_int_equal(assay_file_write("outside", "o", 1), ASSAY_OK);
    assert_int_equal(assay_file_write("root/in/file", "f", 1), ASSAY_OK);
    assert_int_equal(symlink("in/file", "root/link"), 0);
    assert_int_equal(symlink("../outside", "root/link-out"), 0);
    assert_int_equal(symlink("in", "root/linked"), 0);
    assert_int_equal(mkfifo("root/fifo", 0600), 0);
    assert_int_equal(symlink("/proc/self/fd/0", "root/proc"), 0);
    assert_int_equal(assay_file_write("root/first", "h", 1), ASSAY_OK);
    assert_int_equal(link("root/first", "root/hard"), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "root/socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    close(listener);
    int root = open("root", O_RDONLY | O_DIRECTORY);
    assert_true(root >= 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(assay_file_open_beneath(root, cases[i].path, 0, &fd), ASSAY_USAGE);
        assert_int_equal(fd, -1);
        assert_non_null(strstr(assay_error_text(), cases[i].fault));
    }
    static const char *const good[] = {"in/file", "./in//file", "in/../in/file"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char byte = 0;
        assert_int_equal(assay_file_open_beneath(root, good[i], 0, &fd), ASSAY_OK);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, 'f');
        close(fd);
    }
    assert_int_equal(assay_file_open_beneath(root, "hard", ASSAY_ALLOW_HARD_LINKS, &fd), ASSAY_OK);
    close(fd);
    close(root);
}

/* In a child with mounts of its own: 0 where all holds, 77 where it may have none. */
static int try_mount(void) {
    int fd = -1;
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return 77;
    if (mount("none", "root/in", "tmpfs", 0, NULL) != 0) return 77;
    if (assay_file_write("root/in/file", "m", 1) != ASSAY_OK) return 2;
    int root = open("root", O_RDONLY | O_DIRECTORY);
    if (assay_file_open_beneath(root, "in/file", 0, &fd) != ASSAY_USAGE) return 3;
    if (!strstr(assay_error_text(), "lies on another file system")) return 4;
    if (assay_file_open_beneath(root, "../outside", 0, &fd) != ASSAY_USAGE) return 5;
    if (!strstr(assay_error_text(), "leaves the folder")) return 6;
    return assay_file_open_beneath(root, "in/file", ASSAY_ALLOW_MOUNTS, &fd) == ASSAY_OK ? 0 : 7;
}

static void another_mount_below_the_root_is_refused(void **state) {
    (void)state;
    int ended = 0;
    assert_int_equal(assay_make_directories("root/in"), ASSAY_OK);
    pid_t child = fork();
    if (child == 0) _exit(try_mount());
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == 77) {
        print_message("no mount namespace here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(ended), 0);
}

/* A path that is a file now and a link to the outside next never opens the outside. */
static void a_path_that_changes_all_the_time_never_leads_outside(void **state) {
    (void)state;
    enum { ROUNDS = 3000 };
    unsigned opened = 0, refused = 0;
    assert_int_equal(assay_make_directories("root/in"), ASSAY_OK);
    assert_int_equal(assay_make_directories("out"), ASSAY_OK);
    assert_int_equal(assay_file_write("root/in/file", "i", 1), ASSAY_OK);
    assert_int_equal(assay_file_write("out/file", "o", 1), ASSAY_OK);
    assert_int_equal(symlink("../out", "root/link"), 0);
    int root = open("root", O_RDONLY | O_DIRECTORY);
    pid_t child = fork();
    if (child == 0) {
        for (;;) syscall(SYS_renameat2, root, "in", root, "link", RENAME_EXCHANGE);
    }
    for (int n = 0; n < ROUNDS; n++) {
        int fd = -1;
        char byte = 0;
        if (assay_file_open_beneath(root, "in/file", 0, &fd) != ASSAY_OK) {
            refused++;
            continue;
        }
        assert_int_equal(read(fd, &byte, 1), 1);
        close(fd);
        assert_int_equal(byte, 'i');
        opened++;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(root);
    assert_int_equal(opened + refused, ROUNDS);
    assert_true(opened > 0);
}

static void folders_are_made_with_those_above(void **state) {
    (void)state;
    assert_int_equal(assay_make_directories("a/b//c/"), ASSAY_OK);
    assert_true(assay_file_exists("a/b/c"));
    assert_int_equal(assay_make_directories("a/b/c"), ASSAY_OK);
    assert_int_equal(assay_make_directories("/tmp"), ASSAY_OK);
    assert_int_equal(assay_file_write("a/f", "", 0), ASSAY_OK);
    assert_int_equal(assay_make_directories("a/f/g"), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "a/f"));
}

static void publishing_leaves_the_whole_file_or_nothing(void **state) {
    (void)state;
    char *temporary = NULL, wanted[64], *bytes = NULL;
    size_t length = 0;
    assert_int_equal(assay_file_temporary("x/out.h5", &temporary), ASSAY_OK);
    snprintf(wanted, sizeof wanted, "x/.out.h5.tmp-%ld", (long)getpid());
    assert_string_equal(temporary, wanted);
    free(temporary);
    assert_int_equal(assay_file_temporary("folder/", &temporary), ASSAY_USAGE);

    assert_int_equal(assay_file_write("a", "old", 3), ASSAY_OK);
    assert_int_equal(assay_file_write("a", "newer", 5), ASSAY_OK);
    assert_int_equal(assay_file_read("a", 100, &bytes, &length), ASSAY_OK);
    assert_string_equal(bytes, "newer");
    free(bytes);
    assert_int_equal(count_entries("."), 1);

    assert_int_equal(assay_make_directories("taken/x"), ASSAY_OK);
    assert_int_equal(assay_file_write("taken", "1", 1), ASSAY_FAILED);
    assert_int_equal(count_entries("."), 2); /* a, taken: no temporary */
    assert_int_equal(assay_file_write("none/a", "1", 1), ASSAY_FAILED);
    assert_int_equal(assay_file_publish("none", "b"), ASSAY_FAILED);
    assert_false(assay_file_exists("b"));
}

static void paths_are_taken_apart_and_joined(void **state) {
    (void)state;
    static const struct {
        const char *path, *directory, *name;
    } cases[] = {{"a", ".", "a"},         {"a/b", "a", "b"},  {"/a", "/", "a"},
                 {"/a/b/c", "/a/b", "c"}, {"a//b", "a", "b"}, {"./a", ".", "a"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *directory = NULL;
        assert_int_equal(assay_path_directory(&directory, cases[i].path), ASSAY_OK);
        assert_string_equal(directory, cases[i].directory);
        assert_string_equal(assay_path_name(cases[i].path), cases[i].name);
        free(directory);
    }
    static const struct {
        const char *directory, *name, *joined;
    } joins[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"", "b", "b"}};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        char *joined = NULL;
        assert_int_equal(assay_path_join(&joined, joins[i].directory, joins[i].name), ASSAY_OK);
        assert_string_equal(joined, joins[i].joined);
        free(joined);
    }
}

static void a_helper_is_looked_for_in_known_places(void **state) {
    (void)state;
    char *path = NULL;
    assert_int_equal(assay_find_helper(&path, "no-such-helper"), ASSAY_FAILED);
    assert_null(path);
    assert_non_null(strstr(assay_error_text(), "../libexec/assay/no-such-helper"));
    assert_int_equal(assay_file_write("tool", "x", 1), ASSAY_OK);
    assert_int_equal(setenv("ASSAY_HELPERS", *state, 1), 0);
    assert_int_equal(assay_find_helper(&path, "tool"), ASSAY_FAILED); /* cannot be run */
    assert_int_equal(chmod("tool", 0700), 0);
    assert_int_equal(assay_find_helper(&path, "tool"), ASSAY_OK);
    assert_string_equal(assay_path_name(path), "tool");
    assert_int_equal(strncmp(path, *state, strlen(*state)), 0);
    free(path);
    unsetenv("ASSAY_HELPERS");
}

static const char empty_hex[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc_hex[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void digests_are_sha_256(void **state) {
    (void)state;
    assay_digest digest, again;
    char hex[ASSAY_DIGEST_HEX];
    assert_int_equal(assay_digest_bytes("", 0, &digest), ASSAY_OK);
    assert_string_equal(assay_digest_hex(hex, &digest), empty_hex);
    assert_int_equal(assay_digest_bytes("abc", 3, &digest), ASSAY_OK);
    assert_string_equal(assay_digest_hex(hex, &digest), abc_hex);
    assert_true(assay_digest_parse(abc_hex, &again) && assay_digest_equal(&digest, &again));
    again.bytes[31] ^= 1;
    assert_false(assay_digest_equal(&digest, &again));
    assert_false(assay_digest_is_zero(&digest));
    memset(&again, 0, sizeof again);
    assert_true(assay_digest_is_zero(&again));
    assert_false(assay_digest_parse("ba78", &again));
    char wrong[ASSAY_DIGEST_HEX];
    memcpy(wrong, abc_hex, sizeof wrong);
    wrong[63] = 'g';
    assert_false(assay_digest_parse(wrong, &again));
    assert_true(assay_digest_is_zero(&again));

    assert_int_equal(assay_file_write("abc", "abc", 3), ASSAY_OK);
    assert_int_equal(assay_digest_file("abc", &again), ASSAY_OK);
    assert_true(assay_digest_equal(&digest, &again));
    assert_int_equal(assay_digest_file("none", &again), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "none"));
}

static void a_digester_takes_pieces_and_starts_anew(void **state) {
    (void)state;
    assay_digester *digester = NULL;
    assay_digest digest, whole;
    char hex[ASSAY_DIGEST_HEX];
    assert_int_equal(assay_digester_open(&digester), ASSAY_OK);
    for (int turn = 0; turn < 2; turn++) {
        assay_digester_add(digester, "a", 1);
        assay_digester_add(digester, "bc", 2);
        assert_int_equal(assay_digester_finish(digester, &digest), ASSAY_OK);
        assert_string_equal(assay_digest_hex(hex, &digest), abc_hex);
    }
    assay_digester_add_u64(digester, UINT64_C(0x0807060504030201));
    assay_digester_add_string(digester, "xy");
    assert_int_equal(assay_digester_finish(digester, &digest), ASSAY_OK);
    assert_int_equal(assay_digest_bytes("\1\2\3\4\5\6\7\10\2\0\0\0\0\0\0\0xy", 18, &whole),
                     ASSAY_OK);
    assert_true(assay_digest_equal(&digest, &whole));
    assay_digester_free(digester);
    assay_digester_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole_up_to_its_limit),
        TEST(only_regular_files_beneath_the_root_open),
        TEST(another_mount_below_the_root_is_refused),
        TEST(a_path_that_changes_all_the_time_never_leads_outside),
        TEST(folders_are_made_with_those_above),
        TEST(publishing_leaves_the_whole_file_or_nothing),
        TEST(paths_are_taken_apart_and_joined),
        TEST(a_helper_is_looked_for_in_known_places),
        TEST(digests_are_sha_256),
        TEST(a_digester_takes_pieces_and_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
