/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "doctor/host.h"
#include "doctor/user_rights.h"
#include "tests/support/host_fixture.h"

/* Whether Postfix's user reaches a socket, by the modes of it and the folders above it. */

#define SOCKET "/run/opendkim/sock"
#define PASSWD "root:x:0:0:root:/root:/bin/sh\npostfix:x:400000:400001::/var/spool/postfix:\n"

static struct host_fixture fixture;
static struct host host;
static struct user_rights rights;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    host_fixture_write(&fixture, SOCKET, "");
    assert_true(host_init(&host, fixture.root));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

static void modes(mode_t folder, mode_t file)
{
    char path[256];
    host_fixture_path(&fixture, "/run/opendkim", path, sizeof path);
    assert_int_equal(chmod(path, folder), 0);
    host_fixture_path(&fixture, SOCKET, path, sizeof path);
    assert_int_equal(chmod(path, file), 0);
}

/* NULL: it gets there. */
static const char *stopped_by(void)
{
    static char path[256];
    return user_rights_reach(&rights, &host, SOCKET, path, sizeof path) ? NULL : path;
}

/* The files of this test belong to the group whose member the user is made here, or not. */
static void find(bool is_member)
{
    char text[256];
    host_fixture_write(&fixture, "/etc/passwd", PASSWD);
    (void)snprintf(text, sizeof text, "mail:x:8:\nours:x:%lu:other,%s\nlast:x:9:x",
        (unsigned long)getegid(), is_member ? "postfix" : "postfixer");
    host_fixture_write(&fixture, "/etc/group", text);
    user_rights_find(&rights, &host, "postfix");
    assert_true(rights.is_known);
    assert_int_equal(rights.uid, 400000);
    assert_int_equal(rights.group_count, is_member ? 2 : 1);
}

static void test_reach(void **state)
{
    (void)state;
    find(false);
    modes(0755, 0777);
    assert_null(stopped_by());
    modes(0755, 0775);
    assert_string_equal(stopped_by(), SOCKET);
    modes(0750, 0777);
    assert_string_equal(stopped_by(), "/run/opendkim");
    find(true);
    modes(0750, 0775);
    assert_null(stopped_by());
    /* Who is in the group is not one of the others. */
    modes(0705, 0777);
    assert_string_equal(stopped_by(), "/run/opendkim");
}

static void test_what_is_not_known_is_allowed(void **state)
{
    (void)state;
    modes(0700, 0600);
    user_rights_find(&rights, &host, "postfix");
    assert_false(rights.is_known);
    assert_null(stopped_by());
    host_fixture_write(&fixture, "/etc/passwd", "postfix\npostfix:x:nobody:\n:::::::::\n" PASSWD);
    user_rights_find(&rights, &host, "postfix");
    assert_false(rights.is_known);
    find(false);
    modes(0755, 0600);
    host_fixture_remove(&fixture, SOCKET);
    assert_null(stopped_by());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reach, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_known_is_allowed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
