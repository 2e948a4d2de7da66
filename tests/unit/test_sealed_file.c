/* test_sealed_file -- seals, sealed reading, verification and the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "tests/fixtures_container.h"

#define MIB ((size_t)1 << 20)

static char *folder;

static int set_up(void **state) {
    (void)state;
    folder = fixture_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_remove(folder);
    return 0;
}

/* bytes whose values follow from seed */
static uint8_t *make_bytes(size_t count, uint64_t seed) {
    uint8_t *bytes = malloc(count);
    for (size_t n = 0; n < count; n++) bytes[n] = (uint8_t)((n * 2654435761u + seed * 97) >> 13);
    return bytes;
}

static void publish(const char *name, const uint8_t *bytes, size_t count,
                    const assay_extent *extents, size_t extent_count) {
    fixture_write(fixture_path(folder, ".x.tmp"), bytes, count);
    assert_int_equal(assay_seal_publish(fixture_path(folder, ".x.tmp"), fixture_path(folder, name),
                                        extents, extent_count, "test", "{\"a\":1}"),
                     ASSAY_OK);
}

static void flip(const char *name, size_t at) {
    int fd = open(fixture_path(folder, name), O_RDWR);
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static void sealed_file_reads_back_at_any_offset(void **state) {
    (void)state;
    const size_t count = 20 * MIB + 12345;
    uint8_t *bytes = make_bytes(count, 1), *read = malloc(count);
    const assay_extent extent = {3 * MIB + 17, 15 * MIB};
    assay_sealed_file *file = NULL;
    publish("a", bytes, count, &extent, 1);
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "a"), &file), ASSAY_OK);
    assert_int_equal(assay_sealed_file_read(file, 0, count, read), ASSAY_OK);
    assert_memory_equal(read, bytes, count);
    assay_random random;
    assay_random_start(&random, 5, 0);
    for (int n = 0; n < 30; n++) {
        size_t offset = assay_random_below(&random, (uint32_t)count);
        size_t length = assay_random_below(&random, (uint32_t)(count - offset) + 1);
        if (n % 3) length = length > 5000 ? 5000 : length;
        memset(read, 0, length);
        assert_int_equal(assay_sealed_file_read(file, offset, length, read), ASSAY_OK);
        assert_memory_equal(read, bytes + offset, length);
    }
    assert_int_equal(assay_sealed_file_read(file, count - 1, 2, read), ASSAY_FAILED);
    assert_int_equal(assay_sealed_file_read(file, UINT64_MAX, 1, read), ASSAY_FAILED);
    assay_digest digest;
    assert_int_equal(assay_digest_bytes(bytes, count, &digest), ASSAY_OK);
    assert_true(assay_digest_equal(&digest, assay_sealed_file_digest(file)));
    assay_sealed_file_close(file);
    free(bytes);
    free(read);
}

static void damage_is_found_where_it_is(void **state) {
    (void)state;
    const size_t count = 30 * MIB;
    uint8_t *bytes = make_bytes(count, 2), *read = malloc(count);
    const assay_extent extent = {7 * MIB, 20 * MIB}; /* holds block 2 of 4 whole, and block 3 */
    assay_sealed_file *file = NULL;
    publish("b", bytes, count, &extent, 1);

    flip("b", 26 * MIB); /* block 4: only partly in the extent */
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "b"), &file), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "block 4 of 4 (bytes 25165824 to 31457279)"));
    flip("b", 26 * MIB);

    flip("b", 9 * MIB); /* block 2: found when it is read */
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "b"), &file), ASSAY_OK);
    assert_int_equal(assay_sealed_file_read(file, 17 * MIB, MIB, read), ASSAY_OK);
    assert_int_equal(assay_sealed_file_read(file, 12 * MIB, 10, read), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "block 2 of 4"));
    assert_int_equal(assay_sealed_file_read(file, 0, count, read), ASSAY_FAILED);
    assay_sealed_file_close(file);
    free(bytes);
    free(read);
}

static void missing_and_cut_files_are_refused(void **state) {
    (void)state;
    uint8_t *bytes = make_bytes(9 * MIB, 3);
    assay_sealed_file *file = NULL;
    publish("c", bytes, 9 * MIB, NULL, 0);
    assert_int_equal(truncate(fixture_path(folder, "c"), 8 * MIB), 0);
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "c"), &file), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "8388608 bytes, its seal says 9437184"));
    unlink(fixture_path(folder, "c.seal"));
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "c"), &file), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "has no seal"));
    unlink(fixture_path(folder, "c"));
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "c"), &file), ASSAY_FAILED);
    assert_int_equal(assay_sealed_file_open(folder, &file), ASSAY_FAILED);
    free(bytes);
}

static void keep_line(void *context, const char *line) {
    char(*lines)[512] = context;
    for (int n = 0; n < 4; n++) {
        if (lines[n][0]) continue;
        snprintf(lines[n], sizeof lines[n], "%s", line);
        return;
    }
}

static void verification_names_every_damaged_block(void **state) {
    (void)state;
    char lines[4][512] = {{0}};
    uint8_t *bytes = make_bytes(25 * MIB, 4);
    const assay_extent extent = {0, 25 * MIB};
    assay_verification result;
    publish("d", bytes, 25 * MIB, &extent, 1);
    assert_int_equal(assay_sealed_file_verify(fixture_path(folder, "d"), NULL, NULL, &result),
                     ASSAY_OK);
    assert_int_equal(result.blocks, 4);
    assert_int_equal(result.damaged, 0);
    assert_int_equal(result.bytes, 25 * MIB);
    assert_true(result.in_ledger);
    assay_digest digest;
    assert_int_equal(assay_digest_file(fixture_path(folder, "d"), &digest), ASSAY_OK);
    assert_true(assay_digest_equal(&digest, &result.digest));

    flip("d", 5);
    flip("d", 25 * MIB - 1);
    assert_int_equal(assay_sealed_file_verify(fixture_path(folder, "d"), keep_line, lines, &result),
                     ASSAY_OK);
    assert_int_equal(result.damaged, 2);
    assert_non_null(strstr(lines[0], "block 1 of 4 (bytes 0 to 8388607)"));
    assert_non_null(strstr(lines[1], "block 4 of 4"));

    assert_int_equal(truncate(fixture_path(folder, "d"), 10 * MIB), 0);
    assert_int_equal(assay_sealed_file_verify(fixture_path(folder, "d"), NULL, NULL, &result),
                     ASSAY_OK);
    assert_int_equal(result.damaged, 4); /* 1 changed, 2 cut, 3 and 4 gone */
    free(bytes);
}

static void file_grown_behind_its_seal_is_damaged(void **state) {
    (void)state;
    uint8_t *bytes = make_bytes(1000, 5);
    assay_verification result;
    publish("g", bytes, 1000, NULL, 0);
    assert_int_equal(truncate(fixture_path(folder, "g"), 1001), 0);
    assert_int_equal(assay_sealed_file_verify(fixture_path(folder, "g"), NULL, NULL, &result),
                     ASSAY_OK);
    assert_int_equal(result.damaged, 1);
    free(bytes);
}

static void verification_tells_a_seal_that_no_ledger_knows(void **state) {
    (void)state;
    uint8_t *bytes = make_bytes(1000, 5);
    assay_verification result;
    publish("e", bytes, 1000, NULL, 0);
    unlink(fixture_path(folder, "assay-ledger.jsonl"));
    assert_int_equal(assay_sealed_file_verify(fixture_path(folder, "e"), NULL, NULL, &result),
                     ASSAY_OK);
    assert_false(result.in_ledger);
    free(bytes);
}

static void publishing_replaces_and_leaves_nothing_else(void **state) {
    (void)state;
    uint8_t *first = make_bytes(1000, 6), *second = make_bytes(5000, 7);
    uint8_t read[5000];
    assay_sealed_file *file = NULL;
    publish("f", first, 1000, NULL, 0);
    publish("f", second, 5000, NULL, 0);
    assert_int_equal(assay_sealed_file_open(fixture_path(folder, "f"), &file), ASSAY_OK);
    assert_int_equal(assay_sealed_file_read(file, 0, 5000, read), ASSAY_OK);
    assert_memory_equal(read, second, 5000);
    assay_sealed_file_close(file);
    uint64_t records;
    bool torn;
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    assert_int_equal(records, 2);
    assert_false(torn);
    assert_int_equal(access(fixture_path(folder, ".x.tmp"), F_OK), -1);
    unlink(fixture_path(folder, "f"));
    unlink(fixture_path(folder, "f.seal"));
    unlink(fixture_path(folder, "assay-ledger.jsonl"));
    assert_int_equal(rmdir(folder), 0); /* nothing else is there */
    free(first);
    free(second);
}

static void bad_extents_are_refused_and_publish_nothing(void **state) {
    (void)state;
    const assay_extent overlapping[] = {{0, 600}, {500, 100}}, outside[] = {{900, 101}};
    uint8_t *bytes = make_bytes(1000, 8);
    for (int n = 0; n < 2; n++) {
        fixture_write(fixture_path(folder, ".x.tmp"), bytes, 1000);
        assert_int_equal(assay_seal_publish(fixture_path(folder, ".x.tmp"),
                                            fixture_path(folder, "h"), n ? outside : overlapping,
                                            n ? 1 : 2, "test", NULL),
                         ASSAY_FAILED);
        assert_int_equal(access(fixture_path(folder, "h"), F_OK), -1);
        assert_int_equal(access(fixture_path(folder, ".x.tmp"), F_OK), -1);
    }
    free(bytes);
}

/* The name of the file and the program in a seal are for people; nothing else may change unseen. */
static void changed_seal_is_refused_or_harmless(void **state) {
    (void)state;
    size_t count, refused = 0;
    uint8_t *bytes = make_bytes(2 * MIB, 9), *read = malloc(2 * MIB);
    const assay_extent extent = {100, MIB};
    publish("i", bytes, 2 * MIB, &extent, 1);
    uint8_t *seal = fixture_bytes(fixture_path(folder, "i.seal"), &count);
    assay_digest digest;
    assert_int_equal(assay_digest_bytes(bytes, 2 * MIB, &digest), ASSAY_OK);
    for (size_t at = 0; at < count; at++) {
        assay_sealed_file *file = NULL;
        seal[at] ^= 1;
        fixture_write(fixture_path(folder, "i.seal"), seal, count);
        seal[at] ^= 1;
        if (assay_sealed_file_open(fixture_path(folder, "i"), &file) != ASSAY_OK) {
            refused++;
            continue;
        }
        assert_true(assay_digest_equal(&digest, assay_sealed_file_digest(file)));
        assert_int_equal(assay_sealed_file_read(file, 0, 2 * MIB, read), ASSAY_OK);
        assert_memory_equal(read, bytes, 2 * MIB);
        assay_sealed_file_close(file);
    }
    assert_true(refused > count * 3 / 4);
    free(seal);
    free(bytes);
    free(read);
}

/* ---- ledger ---- */

static void append_records(int count) {
    for (int n = 0; n < count; n++)
        assert_int_equal(assay_ledger_append(folder, "noted", fixture_format("file-%d", n),
                                             n % 2 ? "{\"k\":[1,2]}" : NULL),
                         ASSAY_OK);
}

static void ledger_counts_its_records(void **state) {
    (void)state;
    uint64_t records = 0;
    bool torn = true;
    append_records(7);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    assert_int_equal(records, 7);
    assert_false(torn);
}

static void ledger_needs_json_details(void **state) {
    (void)state;
    assert_int_equal(assay_ledger_append(folder, "noted", "x", "{no json"), ASSAY_FAILED);
    assert_int_equal(access(fixture_path(folder, "assay-ledger.jsonl"), F_OK), -1);
}

/* Lines of a ledger of five records, for editing. */
static size_t split_ledger(char *text, char *lines[5]) {
    size_t count = 0;
    for (char *line = strtok(text, "\n"); line && count < 5; line = strtok(NULL, "\n"))
        lines[count++] = line;
    return count;
}

static void write_lines(char *const *lines, const int *order, int count) {
    char *text = calloc(1, 1 << 16);
    for (int n = 0; n < count; n++) {
        strcat(text, lines[order[n]]);
        strcat(text, "\n");
    }
    fixture_write(fixture_path(folder, "assay-ledger.jsonl"), text, strlen(text));
    free(text);
}

static void ledger_shows_every_edit(void **state) {
    (void)state;
    static const int removed[] = {0, 2, 3, 4}, swapped[] = {0, 2, 1, 3, 4},
                     doubled[] = {0, 1, 1, 2, 3, 4}, whole[] = {0, 1, 2, 3, 4};
    char *lines[5];
    size_t count;
    uint64_t records;
    bool torn;
    append_records(5);
    char *text = (char *)fixture_bytes(fixture_path(folder, "assay-ledger.jsonl"), &count);
    assert_int_equal(split_ledger(text, lines), 5);
    write_lines(lines, whole, 5);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    write_lines(lines, removed, 4);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "line 2"));
    write_lines(lines, swapped, 5);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_FAILED);
    write_lines(lines, doubled, 6);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_FAILED);
    for (size_t line = 0; line < 4; line++) { /* the last one's content is not chained to yet */
        char *at = strstr(lines[line], "file-");
        at[5] ^= 1;
        write_lines(lines, whole, 5);
        assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_FAILED);
        at[5] ^= 1;
    }
    lines[4][0] = 'x'; /* no record any more, though it has its newline */
    write_lines(lines, whole, 5);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_FAILED);
    assert_int_equal(assay_ledger_append(folder, "noted", "x", NULL), ASSAY_FAILED);
    free(text);
}

/* What power loss may leave of a last write: its length, its newline, and zeros before it. */
static void holed_last_line_is_told_and_kept(void **state) {
    (void)state;
    uint64_t records;
    bool torn;
    append_records(3);
    FILE *file = fopen(fixture_path(folder, "assay-ledger.jsonl"), "a");
    fwrite("\0\0\0\0\0\0prev\":1}\n", 1, 16, file);
    fclose(file);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    assert_int_equal(records, 3);
    assert_true(torn);
    assert_int_equal(assay_ledger_append(folder, "noted", "x", NULL), ASSAY_OK);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    assert_int_equal(records, 4);
    assert_false(torn);
}

static void torn_line_is_told_and_kept(void **state) {
    (void)state;
    uint64_t records;
    bool torn;
    append_records(3);
    for (int n = 0; n < 2; n++) { /* a fragment, then again one behind the record that ended it */
        FILE *file = fopen(fixture_path(folder, "assay-ledger.jsonl"), "a");
        fputs("{\"n\":9,\"prev\":\"12", file);
        fclose(file);
        assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
        assert_int_equal(records, 3 + n);
        assert_true(torn);
        append_records(1);
        assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
        assert_int_equal(records, 4 + n);
        assert_false(torn);
    }
}

static void last_newline_lost_keeps_the_record(void **state) {
    (void)state;
    uint64_t records;
    bool torn;
    size_t count;
    append_records(3);
    free(fixture_bytes(fixture_path(folder, "assay-ledger.jsonl"), &count));
    assert_int_equal(truncate(fixture_path(folder, "assay-ledger.jsonl"), (off_t)count - 1), 0);
    append_records(1);
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    assert_int_equal(records, 4);
}

static void four_processes_append_without_loss(void **state) {
    (void)state;
    uint64_t records;
    bool torn;
    for (int n = 0; n < 4; n++) {
        if (fork()) continue;
        for (int k = 0; k < 25; k++)
            if (assay_ledger_append(folder, "noted", "file", NULL) != ASSAY_OK) _exit(1);
        _exit(0);
    }
    for (int n = 0, ended; n < 4; n++) {
        assert_true(wait(&ended) > 0);
        assert_int_equal(ended, 0);
    }
    assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    assert_int_equal(records, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        TEST(sealed_file_reads_back_at_any_offset),
        TEST(damage_is_found_where_it_is),
        TEST(missing_and_cut_files_are_refused),
        TEST(verification_names_every_damaged_block),
        TEST(file_grown_behind_its_seal_is_damaged),
        TEST(verification_tells_a_seal_that_no_ledger_knows),
        TEST(publishing_replaces_and_leaves_nothing_else),
        TEST(bad_extents_are_refused_and_publish_nothing),
        TEST(changed_seal_is_refused_or_harmless),
        TEST(ledger_counts_its_records),
        TEST(ledger_needs_json_details),
        TEST(ledger_shows_every_edit),
        TEST(holed_last_line_is_told_and_kept),
        TEST(torn_line_is_told_and_kept),
        TEST(last_newline_lost_keeps_the_record),
        TEST(four_processes_append_without_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
