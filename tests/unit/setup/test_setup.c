/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "setup/journal.h"
#include "tests/unit/setup/setup_support.h"

/* A mail host is put on mxcache, and taken off again. */

#define NEW_RESOLV_CONF                                                                            \
    "# Written by `mxcache setup`; `mxcache setup --undo` brings back what was here.\n"            \
    "# No second server: it would be asked about block lists, and refused there.\n"                \
    "nameserver 127.0.0.1\nsearch example.net\noptions edns0\n"

static struct host_world world;
static struct failure failure;

static int set_up(void **state)
{
    (void)state;
    host_world_init(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_world_fini(&world);
    return 0;
}

static void test_the_host_asks_mxcache(void **state)
{
    (void)state;
    assert_true(host_set_up(&world, &failure));
    host_expect_file(&world, "/etc/resolv.conf", NEW_RESOLV_CONF);
    host_expect_file(&world, "/var/spool/postfix/etc/resolv.conf", NEW_RESOLV_CONF);
    host_expect_file(&world, HOST_CONF,
        "# Written by `mxcache setup`; `mxcache setup --undo` takes it out again.\n"
        "upstreams = 192.0.2.53\n\nlisten = 127.0.0.1 ::1\n");
    host_expect_file(&world, "/etc/opendkim.conf",
        "Syslog yes\n#Nameservers 127.0.0.1\nNameservers 127.0.0.1\n");
    assert_true(host_ran(&world, "/usr/bin/systemctl enable mxcache.service"));
    assert_true(host_ran(&world, "/usr/sbin/postfix -c /etc/postfix reload"));
    assert_true(host_ran(&world, "/usr/bin/systemctl restart opendkim"));
}

static void test_twice_is_once(void **state)
{
    (void)state;
    assert_true(host_set_up(&world, &failure));
    struct host_plan *again = host_plan_new(&world, NULL);
    assert_true(again->is_made);
    assert_int_equal(again->plan.step_count, 0);
    host_plan_free(again);
}

static void test_undo_restores_bytes_rights_and_time(void **state)
{
    struct stat stat;
    const struct setup_undo undo = {.is_forced = false};
    (void)state;
    assert_true(host_set_up(&world, &failure));
    assert_true(setup_undo(&world.host, &undo, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_expect_file(&world, "/var/spool/postfix/etc/resolv.conf", HOST_CHROOT_COPY);
    host_expect_file(&world, HOST_CONF, "listen = 127.0.0.1 ::1\n");
    host_expect_file(&world, "/etc/opendkim.conf", "Syslog yes\n#Nameservers 127.0.0.1");
    assert_int_equal(host_stat(&world.host, "/etc/resolv.conf", false, &stat), HOST_READ);
    assert_int_equal(stat.st_mtim.tv_sec, 1700000000);
    assert_false(setup_undo(&world.host, &undo, &world.port, &failure));
    assert_non_null(strstr(failure.sentence, "nothing to undo"));
}

/* A stub's symlink comes back as a symlink. */
static void test_undo_restores_a_symlink(void **state)
{
    char target[64];
    (void)state;
    host_fixture_write(&world.fixture, "/run/systemd/resolve/stub-resolv.conf",
        "# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).\n"
        "nameserver 127.0.0.53\n");
    host_fixture_write(&world.fixture, "/run/systemd/resolve/resolv.conf",
        "# This is /run/systemd/resolve/resolv.conf managed by man:systemd-resolved(8).\n"
        "nameserver 198.51.100.53\n");
    host_fixture_link(
        &world.fixture, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    assert_true(host_set_up(&world, &failure));
    assert_false(host_link(&world.host, "/etc/resolv.conf", target, sizeof target));
    host_expect_file(&world, HOST_CONF,
        "# Written by `mxcache setup`; `mxcache setup --undo` takes it out again.\n"
        "upstreams_file = /run/systemd/resolve/resolv.conf\n\nlisten = 127.0.0.1 ::1\n");
    assert_true(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    assert_true(host_link(&world.host, "/etc/resolv.conf", target, sizeof target));
    assert_string_equal(target, "../run/systemd/resolve/stub-resolv.conf");
}

static void test_undo_spares_what_others_have_changed(void **state)
{
    (void)state;
    assert_true(host_set_up(&world, &failure));
    host_fixture_write(&world.fixture, "/etc/resolv.conf", "nameserver 198.51.100.1\n");
    assert_false(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    assert_non_null(strstr(failure.sentence, "/etc/resolv.conf was changed since"));
    host_expect_file(&world, "/etc/resolv.conf", "nameserver 198.51.100.1\n");
    host_expect_file(&world, HOST_CONF, "listen = 127.0.0.1 ::1\n");
    assert_true(
        setup_undo(&world.host, &(struct setup_undo){.is_forced = true}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_expect_file(&world, JOURNAL_FOLDER "/kept-1-etc-resolv.conf", "nameserver 198.51.100.1\n");
}

/* What undoing has put back is the operator's again, though something else could not be put back.
 */
static void test_undone_in_part_then_set_up_anew(void **state)
{
    static const char theirs[] = "listen = 127.0.0.1 ::1\nupstreams = 192.0.2.7\n";
    static const char later[] = "nameserver 203.0.113.53\n";
    (void)state;
    assert_true(host_set_up(&world, &failure));
    host_fixture_write(&world.fixture, HOST_CONF, theirs);
    assert_false(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_fixture_write(&world.fixture, "/etc/resolv.conf", later);
    assert_false(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    assert_non_null(strstr(failure.sentence, HOST_CONF));
    host_expect_file(&world, "/etc/resolv.conf", later);
    assert_true(host_set_up(&world, &failure));
    assert_true(
        setup_undo(&world.host, &(struct setup_undo){.is_forced = true}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", later);
    host_expect_file(&world, JOURNAL_FOLDER "/kept-1-etc-mxcache-mxcache.conf", theirs);
}

static void test_two_setups_one_undo(void **state)
{
    (void)state;
    assert_true(host_set_up(&world, &failure));
    host_fixture_write(&world.fixture, "/etc/resolv.conf", "nameserver 192.0.2.99\n");
    assert_true(host_set_up(&world, &failure));
    assert_true(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
}

/* An edit between two setups is in no journal: it is kept beside it, each of them, and once. */
static void test_an_edit_between_two_setups_is_kept(void **state)
{
    static const char first[] = "nameserver 127.0.0.1\noptions timeout:3\n";
    static const char second[] = "nameserver 127.0.0.1\n# mine\n";
    (void)state;
    assert_true(host_set_up(&world, &failure));
    host_fixture_write(&world.fixture, "/etc/resolv.conf", first);
    assert_true(host_set_up(&world, &failure));
    host_fixture_write(&world.fixture, "/etc/resolv.conf", second);
    assert_true(host_set_up(&world, &failure));
    host_fixture_write(&world.fixture, "/etc/resolv.conf", first);
    assert_true(host_set_up(&world, &failure));
    assert_true(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_expect_file(&world, JOURNAL_FOLDER "/kept-1-etc-resolv.conf", first);
    host_expect_file(&world, JOURNAL_FOLDER "/kept-2-etc-resolv.conf", second);
    struct stat stat;
    assert_int_equal(host_stat(&world.host, JOURNAL_FOLDER "/kept-3-etc-resolv.conf", false, &stat),
        HOST_ABSENT);
}

/* What the owner writes once it has been told of us is not what was there. */
static void test_undo_leads_back_before_the_commands(void **state)
{
    static const char before[] = "# Generated by resolvconf\nnameserver 192.0.2.53\n";
    (void)state;
    host_fixture_write(&world.fixture, "/etc/resolv.conf", before);
    host_fixture_write(&world.fixture, "/etc/resolvconf.conf", "resolv_conf=/etc/resolv.conf\n");
    host_fixture_write(&world.fixture, "/sbin/resolvconf", "");
    world.rewrites = "/sbin/resolvconf -u";
    assert_true(host_set_up(&world, &failure));
    assert_true(host_ran(&world, world.rewrites));
    assert_true(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", before);
}

/* As on a file that somebody has made immutable: it is as it was. */
static void test_undo_of_what_could_not_be_written(void **state)
{
    (void)state;
    host_fixture_write(
        &world.fixture, "/var/spool/postfix/etc/.resolv.conf" PATH_STATE_SUFFIX "/in/the/way", "");
    assert_false(host_set_up(&world, &failure));
    assert_non_null(strstr(failure.sentence, "/var/spool/postfix/etc/resolv.conf cannot be"));
    assert_true(setup_undo(&world.host, &(struct setup_undo){0}, &world.port, &failure));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_expect_file(&world, "/var/spool/postfix/etc/resolv.conf", HOST_CHROOT_COPY);
}

static void test_no_upstream_no_change(void **state)
{
    (void)state;
    world.upstream_is_dead = true;
    assert_false(host_set_up(&world, &failure));
    assert_non_null(strstr(failure.sentence, "nothing was changed"));
    host_expect_file(&world, HOST_CONF, "listen = 127.0.0.1 ::1\n");
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
}

static void test_without_mxcache_resolv_conf_stays(void **state)
{
    (void)state;
    world.restart_fails = true;
    assert_false(host_set_up(&world, &failure));
    assert_non_null(strstr(failure.sentence, "was not touched"));
    host_expect_file(&world, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_expect_file(&world, "/var/spool/postfix/etc/resolv.conf", HOST_CHROOT_COPY);
}

static void test_what_stands_in_the_way_is_said(void **state)
{
    (void)state;
    world.settings->listen[0].port = 5300;
    world.settings->listen[1].port = 5300;
    assert_false(host_set_up(&world, &failure));
    assert_non_null(strstr(failure.sentence, "port 53"));
    world.settings->listen[1].port = 53;
    host_fixture_write(&world.fixture, "/etc/resolv.conf", "# empty\n");
    assert_false(host_set_up(&world, &failure));
    assert_non_null(strstr(failure.sentence, "--upstreams"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_host_asks_mxcache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_twice_is_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_undo_restores_bytes_rights_and_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_undo_restores_a_symlink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_undo_spares_what_others_have_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_undone_in_part_then_set_up_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_setups_one_undo, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_edit_between_two_setups_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_undo_leads_back_before_the_commands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_undo_of_what_could_not_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_upstream_no_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_mxcache_resolv_conf_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_stands_in_the_way_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
