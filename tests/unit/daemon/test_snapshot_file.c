/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/snapshot_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "daemon/snapshot_clock.h"
#include "daemon/snapshot_file.h"

#define MANY 20000u /* Several blocks. */

static const struct hash_key key = {.k0 = 1, .k1 = 2};
static atomic_bool no_end;

static struct snapshot_report file_write(struct cache *cache)
{
    struct blob_bag bag = {0};
    struct snapshot_content content = {.cache = cache, .bag = &bag};
    const struct snapshot_blob blob = {.name = "upstream",
        .name_len = 8,
        .subject = (const uint8_t *)"s",
        .subject_len = 1,
        .bytes = (const uint8_t *)"b",
        .len = 1};
    struct snapshot_report report;
    assert_true(blob_bag_add(&bag, &blob));
    snapshot_file_write(path, &content, &key, &report);
    blob_bag_fini(&bag);
    return report;
}

static struct snapshot_report file_load(struct cache *cache)
{
    struct blob_bag bag = {0};
    struct snapshot_content content = {.cache = cache, .bag = &bag};
    struct snapshot_report report;
    snapshot_file_load(path, &content, &no_end, &report);
    assert_int_equal(bag.count, report.blobs);
    blob_bag_fini(&bag);
    return report;
}

/* A file with answers 0 to MANY, 20 s old. */
static void file_make(void)
{
    struct cache *cache = cache_make();
    made_at = clock_now();
    cache_fill_with(cache, 0, MANY, made_at - 20 * CLOCK_US_PER_S);
    struct snapshot_report report = file_write(cache);
    assert_int_equal(report.verdict, SNAPSHOT_FILE_DONE);
    assert_int_equal(report.entries, MANY);
    cache_free(&cache);
}

static bool exists_beside(void)
{
    char beside[128];
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    return access(beside, F_OK) == 0;
}

static void test_round_trip(void **state)
{
    struct stat stat_now;
    (void)state;
    file_make();
    assert_int_equal(stat(path, &stat_now), 0);
    assert_int_equal(stat_now.st_mode & 0777, 0600);
    assert_true(stat_now.st_size > (off_t)SNAPSHOT_FILE_BLOCK);
    assert_false(exists_beside());

    struct cache *cache = cache_make();
    struct snapshot_report report = file_load(cache);
    assert_int_equal(report.verdict, SNAPSHOT_FILE_DONE);
    assert_int_equal(report.entries, MANY);
    assert_int_equal(report.left_out, 0);
    assert_int_equal(report.blobs, 1);
    assert_int_equal(report.damaged, 0);
    assert_int_equal(cache_count(cache, 0, MANY, clock_now(), 20), MANY);
    cache_free(&cache);
}

/* As if the wall clock had been off by so much when it was written. */
static void file_shift(int64_t shift_us)
{
    uint8_t heads[2 * SNAPSHOT_HEAD_SIZE];
    const struct snapshot_head head = {.created_wall = clock_wall() + shift_us, .key = key};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    snapshot_write_head(&head, heads);
    assert_int_equal(write(fd, heads, sizeof heads), sizeof heads);
    assert_int_equal(close(fd), 0);
}

/* As if it had been written before the system was last started. */
static void file_from_another_run(void)
{
    uint8_t bytes[SNAPSHOT_FRAME_SIZE + 128];
    uint8_t found[sizeof bytes];
    const struct snapshot_head head = {.key = key};
    struct snapshot_clock clock;
    assert_true(snapshot_clock_make(&clock, 0));
    size_t len = snapshot_write_blob(&head, &clock.blob, bytes);
    assert_in_range(len, SNAPSHOT_FRAME_SIZE, sizeof bytes);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, found, len, 2 * SNAPSHOT_HEAD_SIZE), len);
    assert_memory_equal(found, bytes, 10); /* Marker, kind and length. */
    clock.boot[0] = clock.boot[0] == 'x' ? 'y' : 'x';
    (void)snapshot_write_blob(&head, &clock.blob, bytes);
    assert_int_equal(pwrite(fd, bytes, len, 2 * SNAPSHOT_HEAD_SIZE), len);
    assert_int_equal(close(fd), 0);
}

/* However the wall clock is set, a file of this run of the system is as old as it is. */
static void test_clock_of_this_run(void **state)
{
    static const int64_t shifts_s[] = {-86400, -1000, 0, 1000, 86400};
    (void)state;
    for (size_t i = 0; i < sizeof shifts_s / sizeof shifts_s[0]; i++) {
        struct cache *cache = cache_make();
        file_make();
        file_shift(shifts_s[i] * CLOCK_US_PER_S);
        struct snapshot_report report = file_load(cache);
        assert_int_equal(report.entries, MANY);
        assert_int_equal(report.blobs, 1);
        assert_in_range(report.age_us, 0, 60 * CLOCK_US_PER_S);
        assert_int_equal(cache_count(cache, 0, MANY, clock_now(), 20), MANY);
        cache_free(&cache);
    }
}

/* The time while we were down counts; a file from the future is as old as its entries. */
static void test_wall_clock(void **state)
{
    static const struct {
        int64_t shift_s;
        unsigned restored;
        unsigned fresh;
        uint32_t age_s;
    } cases[] = {
        {-100, MANY, MANY, 120},
        {-279, MANY, 0, 0}, /* Stale by a second, or about to be. */
        {-1000, 0, 0, 0},   /* Past stale_max. */
        {100, MANY, MANY, 20},
        {1000000000, MANY, MANY, 20},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache *cache = cache_make();
        file_make();
        file_shift(cases[i].shift_s * CLOCK_US_PER_S);
        file_from_another_run();
        struct snapshot_report report = file_load(cache);
        assert_int_equal(report.entries, cases[i].restored);
        assert_int_equal(report.entries + report.left_out, MANY);
        int64_t now = clock_now() + (cases[i].fresh == 0 ? 2 * CLOCK_US_PER_S : 0);
        assert_int_equal(cache_count(cache, 0, MANY, now, cases[i].age_s), cases[i].fresh);
        cache_free(&cache);
    }
}

static void test_newer_stays(void **state)
{
    struct cache *cache = cache_make();
    (void)state;
    file_make();
    cache_fill_with(cache, 0, 100, clock_now());
    struct snapshot_report report = file_load(cache);
    assert_int_equal(report.entries, MANY - 100);
    assert_int_equal(report.left_out, 100);
    assert_int_equal(cache_count(cache, 0, 100, clock_now(), 0), 100);
    assert_int_equal(cache_count(cache, 100, MANY, clock_now(), 20), MANY - 100);
    cache_free(&cache);
}

/* A hole in the middle, and an end that is missing. */
static void test_damage(void **state)
{
    static const uint8_t zeroes[4096];
    struct cache *cache = cache_make();
    struct stat stat_now;
    (void)state;
    file_make();
    assert_int_equal(stat(path, &stat_now), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, zeroes, sizeof zeroes, stat_now.st_size / 2), sizeof zeroes);
    assert_int_equal(ftruncate(fd, stat_now.st_size - 10), 0);
    assert_int_equal(close(fd), 0);
    struct snapshot_report report = file_load(cache);
    assert_int_equal(report.verdict, SNAPSHOT_FILE_DONE);
    assert_int_equal(report.damaged, 2);
    assert_in_range(report.entries, MANY - 50, MANY - 10);
    assert_int_equal(cache_count(cache, 0, MANY, clock_now(), 20), report.entries);
    cache_free(&cache);
}

static void test_nothing_to_load(void **state)
{
    struct cache *cache = cache_make();
    (void)state;
    (void)unlink(path);
    assert_int_equal(file_load(cache).verdict, SNAPSHOT_FILE_NONE);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_load(cache).verdict, SNAPSHOT_FILE_EXPOSED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_load(cache).verdict, SNAPSHOT_FILE_EXPOSED);
    assert_int_equal(rmdir(path), 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "something else\n", 15), 15);
    assert_int_equal(close(fd), 0);
    assert_int_equal(file_load(cache).verdict, SNAPSHOT_FILE_FOREIGN);
    file_make();
    assert_int_equal(chmod(path, 0620), 0);
    assert_int_equal(file_load(cache).verdict, SNAPSHOT_FILE_EXPOSED);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(file_load(cache).verdict, SNAPSHOT_FILE_DONE);
    cache_free(&cache);
}

static void test_told_to_end(void **state)
{
    static atomic_bool must_end = true;
    struct cache *cache = cache_make();
    struct blob_bag bag = {0};
    struct snapshot_content content = {.cache = cache, .bag = &bag};
    struct snapshot_report report;
    (void)state;
    file_make();
    snapshot_file_load(path, &content, &must_end, &report);
    assert_int_equal(report.verdict, SNAPSHOT_FILE_ENDED);
    cache_free(&cache);
}

/* What cannot be written leaves the old file as it was. */
static void test_full_disk(void **state)
{
    struct cache *cache = cache_make();
    struct rlimit before;
    (void)state;
    file_make();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit little = {.rlim_cur = 1500000, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    cache_fill_with(cache, 0, 2 * MANY, clock_now());
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    struct snapshot_report report = file_write(cache);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(report.verdict, SNAPSHOT_FILE_FAILED);
    assert_int_equal(report.error, EFBIG);
    assert_string_equal(report.step, "write");
    assert_false(exists_beside());
    cache_free(&cache);
    cache = cache_make();
    assert_int_equal(file_load(cache).entries, MANY);
    cache_free(&cache);
}

static void test_no_directory(void **state)
{
    struct cache *cache = cache_make();
    (void)state;
    char kept[sizeof path];
    memcpy(kept, path, sizeof kept);
    (void)snprintf(path, sizeof path, "%s/missing/cache.snapshot", folder);
    struct snapshot_report report = file_write(cache);
    memcpy(path, kept, sizeof kept);
    assert_int_equal(report.verdict, SNAPSHOT_FILE_FAILED);
    assert_int_equal(report.error, ENOENT);
    assert_string_equal(report.step, "open");
    cache_free(&cache);
}

/* A link that was put there leads nobody to write elsewhere. */
static void test_link_beside(void **state)
{
    char beside[128];
    char elsewhere[128];
    struct cache *cache = cache_make();
    (void)state;
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    (void)snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    assert_int_equal(symlink(elsewhere, beside), 0);
    assert_int_equal(file_write(cache).verdict, SNAPSHOT_FILE_DONE);
    assert_int_not_equal(access(elsewhere, F_OK), 0);
    cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_clock_of_this_run),
        cmocka_unit_test(test_wall_clock),
        cmocka_unit_test(test_newer_stays),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_nothing_to_load),
        cmocka_unit_test(test_told_to_end),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_no_directory),
        cmocka_unit_test(test_link_beside),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
