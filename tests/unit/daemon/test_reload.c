/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "daemon/reload.h"

static struct settings left;
static struct settings right;

static void server_set(struct settings *settings, size_t index, const char *address)
{
    struct settings_group *group = &settings->groups[0];
    assert_true(address_parse(address, strlen(address), 53, &group->servers[index].address));
    group->server_count = index + 1;
}

static void test_servers(void **state)
{
    (void)state;
    left.group_count = 2;
    right.group_count = 1;
    assert_false(reload_has_servers(&left));
    left.groups[1].server_count = 1;
    assert_true(reload_has_servers(&left));
    assert_true(reload_has_same_servers(&left, &right));
    server_set(&left, 0, "192.0.2.1");
    assert_false(reload_has_same_servers(&left, &right));
    server_set(&right, 0, "192.0.2.1");
    assert_true(reload_has_same_servers(&left, &right));
    (void)snprintf(left.groups[0].servers[0].tls_name, SETTINGS_TLS_SIZE, "dns.example.org");
    assert_false(reload_has_same_servers(&left, &right));
    right = left;
    left.groups[0].servers[0].pin_count = 1;
    assert_false(reload_has_same_servers(&left, &right));
    right = left;
    assert_true(reload_has_same_servers(&left, &right));
    server_set(&right, 0, "192.0.2.2");
    assert_false(reload_has_same_servers(&left, &right));
}

static void file_write(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_file_mark(void **state)
{
    (void)state;
    char path[] = "/tmp/mxcache-test-XXXXXX";
    struct file_mark mark = {.is_set = false};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_false(file_mark_look(&mark, path));
    assert_false(file_mark_look(&mark, path));
    file_write(path, "nameserver 192.0.2.1\n");
    assert_true(file_mark_look(&mark, path));
    assert_false(file_mark_look(&mark, path));
    assert_int_equal(unlink(path), 0);
    assert_true(file_mark_look(&mark, path));
    assert_false(file_mark_look(&mark, path));
    file_write(path, "");
    assert_true(file_mark_look(&mark, path));
    assert_int_equal(unlink(path), 0);
}

static void descriptors_limit(rlim_t count, struct rlimit *before_out)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    *before_out = limit;
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* What has changed while no descriptor was to be had is seen when there is one. */
static void test_file_mark_without_descriptors(void **state)
{
    (void)state;
    char path[] = "/tmp/mxcache-test-XXXXXX";
    struct file_mark mark = {.is_set = false};
    struct rlimit before;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_false(file_mark_look(&mark, path));
    file_write(path, "nameserver 192.0.2.1\n");
    descriptors_limit(0, &before);
    assert_false(file_mark_look(&mark, path));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(file_mark_look(&mark, path));
    assert_false(file_mark_look(&mark, path));
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_file_mark),
        cmocka_unit_test(test_file_mark_without_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
