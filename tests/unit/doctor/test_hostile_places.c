/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/hostile_host.h"

#include <sys/sysmacros.h>

/* Something else is in the place of each file and folder, one after the other. */

#define NOBODY 65534

/* What stands in a file's place. */
enum thing {
    THING_FIFO,
    THING_FOLDER,
    THING_EMPTY,
    THING_LOOP,
    THING_OUTSIDE, /* A symlink to a folder that would be outside of the root. */
    THING_NOISE,
    THING_DENIED,
    THING_ESCAPES,
    THING_DEVICE, /* /dev/zero; a FIFO for who may not make one. */
    THING_HUGE,   /* More NULs than are read of a file. */
};
#define THINGS 10

static const char *const thing_names[THINGS] = {"FIFO", "folder", "empty file", "loop",
    "link to the outside", "noise", "unreadable", "escapes", "device", "huge file"};

static bool is_folder(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode);
}

/* A hard link would keep the bytes of one noise for all, but the tests are to change nothing that
 * others read. */
static void noise_write(const char *path, const char *noise)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(noise, 1, NOISE_SIZE, file), NOISE_SIZE);
    assert_int_equal(fclose(file), 0);
}

/* The kept file with escapes before each line's end, and behind each word's. */
static void escapes_write(const char *path, const char *kept)
{
    FILE *to = fopen(path, "w");
    FILE *from = fopen(kept, "r");
    assert_non_null(to);
    for (int byte; from != NULL && (byte = fgetc(from)) != EOF;) {
        if (byte == '\n' || byte == '"' || byte == ';') {
            (void)fputs(ESCAPES, to);
        }
        (void)fputc(byte, to);
    }
    if (from != NULL) {
        (void)fclose(from);
    } else {
        (void)fputs(ESCAPES " = " ESCAPES "\n", to);
    }
    assert_int_equal(fclose(to), 0);
}

static void denied_make(const char *path, const char *kept)
{
    if (is_folder(kept)) {
        assert_int_equal(mkdir(path, 0), 0);
        return;
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0), 0);
}

static void thing_make(enum thing thing, const char *path, const char *kept, const char *noise)
{
    switch (thing) {
    case THING_FIFO:
        assert_int_equal(mkfifo(path, 0644), 0);
        break;
    case THING_FOLDER:
        assert_int_equal(mkdir(path, 0755), 0);
        break;
    case THING_EMPTY:
        assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
        break;
    case THING_LOOP:
        assert_int_equal(symlink(strrchr(path, '/') + 1, path), 0);
        break;
    case THING_OUTSIDE:
        assert_int_equal(symlink("../../../../../../../../../../../proc/self", path), 0);
        break;
    case THING_NOISE:
        noise_write(path, noise);
        break;
    case THING_DENIED:
        denied_make(path, kept);
        break;
    case THING_ESCAPES:
        escapes_write(path, kept);
        break;
    case THING_DEVICE:
        assert_true(mknod(path, S_IFCHR | 0644, makedev(1, 5)) == 0 || mkfifo(path, 0644) == 0);
        break;
    case THING_HUGE:
        assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
        assert_int_equal(truncate(path, 2 * HOST_FILE_MAX), 0);
        break;
    }
}

/* Root may read everything, so the doctor is somebody else when something is unreadable. */
static void run_with(enum thing thing, const char *place)
{
    char what[256];
    bool is_root = geteuid() == 0 && thing == THING_DENIED;
    (void)snprintf(what, sizeof what, "%s, %s", place, thing_names[thing]);
    if (is_root) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    (void)run(what);
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
}

/* The thing takes the place of what is there, which comes back after the run. */
static void place_try(const char *place, enum thing thing, const char *noise)
{
    char path[1200];
    char kept[1264];
    host_fixture_path(&fixture, place, path, sizeof path);
    (void)snprintf(kept, sizeof kept, "%s/kept", fixture.root);
    if (rename(path, kept) != 0) {
        host_fixture_write(&fixture, place, "");
        assert_int_equal(unlink(path), 0);
    }
    thing_make(thing, path, kept, noise);
    run_with(thing, place);
    assert_int_equal(remove(path), 0);
    assert_true(rename(kept, path) == 0 || errno == ENOENT);
}

static void try_all_places(enum thing thing)
{
    char *noise = malloc(NOISE_SIZE);
    assert_non_null(noise);
    noise_fill(noise, NOISE_SIZE);
    rich_host_init();
    (void)run("the host itself");
    for (size_t i = 0; i < sizeof hostile_places / sizeof hostile_places[0]; i++) {
        place_try(hostile_places[i], thing, noise);
    }
    host_fixture_fini(&fixture);
    free(noise);
}

static void test_fifos(void **state)
{
    (void)state;
    try_all_places(THING_FIFO);
}

static void test_folders(void **state)
{
    (void)state;
    try_all_places(THING_FOLDER);
}

static void test_empty_files(void **state)
{
    (void)state;
    try_all_places(THING_EMPTY);
}

static void test_loops(void **state)
{
    (void)state;
    try_all_places(THING_LOOP);
}

static void test_links_to_the_outside(void **state)
{
    (void)state;
    try_all_places(THING_OUTSIDE);
}

static void test_noise(void **state)
{
    (void)state;
    try_all_places(THING_NOISE);
}

static void test_unreadable(void **state)
{
    (void)state;
    try_all_places(THING_DENIED);
}

static void test_escapes(void **state)
{
    (void)state;
    try_all_places(THING_ESCAPES);
}

static void test_devices(void **state)
{
    (void)state;
    try_all_places(THING_DEVICE);
}

static void test_huge_files(void **state)
{
    (void)state;
    try_all_places(THING_HUGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fifos),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_empty_files),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_links_to_the_outside),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_huge_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
