/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "doctor/postfix_config.h"
#include "tests/support/host_fixture.h"

static struct host_fixture fixture;
static struct host host;
static struct postfix *postfix;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    assert_true(host_init(&host, fixture.root));
    postfix = calloc(1, sizeof *postfix);
    assert_non_null(postfix);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    postfix_fini(postfix);
    free(postfix);
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

static void read_again(void)
{
    postfix_fini(postfix);
    postfix_read(postfix, &host);
}

static void assert_value(size_t instance, const char *name, const char *wanted)
{
    char value[1024];
    (void)postfix_value(&postfix->instances[instance], NULL, name, value, sizeof value);
    assert_string_equal(value, wanted);
}

static void test_absent(void **state)
{
    (void)state;
    read_again();
    assert_false(postfix->is_installed);
    assert_false(postfix->is_denied);
    assert_int_equal(postfix->instance_count, 1);
    assert_string_equal(postfix->instances[0].queue_directory, "/var/spool/postfix");
    assert_value(0, "inet_interfaces", "all");
}

static void test_one(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/hostname", "mail\n");
    host_fixture_write(&fixture, "/etc/postfix/main.cf",
        "# comment\n\ninet_interfaces = loopback-only\nbroken line\n"
        "compatibility_level = 3.6\nqueue_directory=/srv/$mail_name\n"
        "inet_interfaces =\n  127.0.0.1,\n# no\n\n  [::1]\nbroken, too\n");
    host_fixture_write(&fixture, "/etc/postfix/master.cf", "smtp inet n - - - - smtpd\n");
    read_again();
    const struct postfix_instance *first = &postfix->instances[0];
    assert_true(postfix->is_installed && first->has_main && first->has_master);
    assert_true(first->is_enabled && !first->is_cut);
    assert_string_equal(first->queue_directory, "/srv/Postfix");
    assert_true(first->compatibility_level == POSTFIX_LEVEL(3, 6));
    assert_false(first->services[0].is_chrooted);
    assert_int_equal(first->main_bad_line, 4);
    assert_value(0, "inet_interfaces", "127.0.0.1, [::1]");
    assert_int_equal(postfix_line(first, "inet_interfaces"), 7);
    assert_int_equal(postfix_line(first, "inet_protocols"), 0);
    assert_value(0, "myhostname", "mail.localdomain");
    assert_value(0, "relay_domains", "");
    assert_value(0, "smtputf8_enable", "yes");
    assert_value(0, "mynetworks_style", "host");
    assert_true(postfix_is_yes(first, NULL, "smtputf8_enable"));
    assert_false(postfix_is_yes(first, NULL, "soft_bounce"));
}

/* What depends on the level of compatibility, without a line for it. */
static void test_old_level(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/hostname", "mx.example.net\n");
    host_fixture_write(&fixture, "/etc/postfix/main.cf", "");
    host_fixture_write(&fixture, "/etc/postfix/master.cf", "smtp inet n - - - - smtpd\n");
    read_again();
    assert_true(postfix->instances[0].services[0].is_chrooted);
    assert_value(0, "mynetworks_style", "subnet");
    assert_value(0, "smtputf8_enable", "no");
    assert_value(0, "smtpd_relay_restrictions", "");
    assert_value(0, "relay_domains", "mx.example.net, localhost.example.net, localhost");
    assert_value(0, "mydomain", "example.net");
}

static void test_instances(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/main.cf",
        "multi_instance_directories = /etc/postfix-out, /etc/postfix /etc/postfix-off ../x\n"
        "alternate_config_directories = /etc/postfix-out /etc/postfix-gone\n");
    host_fixture_write(&fixture, "/etc/postfix-out/main.cf",
        "multi_instance_enable = yes\nqueue_directory = /var/spool/$multi_instance_name\n"
        "multi_instance_name = postfix-out\nstress = $config_directory\n");
    host_fixture_write(&fixture, "/etc/postfix-off/main.cf", "queue_directory = /q\n");
    read_again();
    assert_int_equal(postfix->instance_count, 4);
    assert_string_equal(postfix->instances[1].queue_directory, "/var/spool/postfix-out");
    assert_true(postfix->instances[1].is_enabled);
    assert_value(1, "stress", "/etc/postfix-out");
    assert_false(postfix->instances[2].is_enabled);
    assert_false(postfix->instances[3].has_main);

    char list[4096] = "multi_instance_directories =";
    for (int i = 0; i < POSTFIX_INSTANCES_MAX; i++) {
        size_t len = strlen(list);
        (void)snprintf(list + len, sizeof list - len, " /etc/postfix%d", i);
    }
    host_fixture_write(&fixture, "/etc/postfix/main.cf", list);
    read_again();
    assert_int_equal(postfix->instance_count, POSTFIX_INSTANCES_MAX);
    assert_true(postfix->is_cut);
}

static void test_times(void **state)
{
    static const struct {
        const char *value;
        long seconds;
    } cases[] = {
        {"30", 30 * 60},
        {"30s", 30},
        {"2M", 120},
        {"3h", 3 * 3600},
        {"1d", 86400},
        {"1w", 604800},
        {"${stress?{10}:{300}}s", 300},
        {"0", 0},
        {"", -1},
        {"s", -1},
        {"3x", -1},
        {"-1s", -1},
        {"1 s", -1},
        {"99999999999999999999", -1},
        {"2147483647w", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "x = %s\n", cases[i].value);
        host_fixture_write(&fixture, "/etc/postfix/main.cf", text);
        read_again();
        assert_int_equal(postfix_time(&postfix->instances[0], NULL, "x", 'm'), cases[i].seconds);
    }
    assert_int_equal(postfix_number(&postfix->instances[0], NULL, "default_process_limit"), 100);
    assert_int_equal(postfix_number(&postfix->instances[0], NULL, "inet_interfaces"), -1);
}

static void test_words(void **state)
{
    static const char list[] = ", a,b\t{ c, d }e\r\n,{f";
    static const char *const words[] = {"a", "b", "{ c, d }e", "{f"};
    (void)state;
    size_t at = 0;
    const char *word;
    size_t len;
    for (size_t i = 0; i < 4; i++) {
        assert_true(postfix_word(list, &at, &word, &len));
        assert_int_equal(len, strlen(words[i]));
        assert_memory_equal(word, words[i], len);
    }
    assert_false(postfix_word(list, &at, &word, &len));
}

/* Nothing hangs, crashes or is followed: a FIFO, a loop of links, a megabyte in a line, NULs. */
static void test_hostile(void **state)
{
    (void)state;
    char path[256];
    host_fixture_write(&fixture, "/etc/postfix/dynamicmaps.cf", "");
    host_fixture_path(&fixture, "/etc/postfix/main.cf", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    host_fixture_link(&fixture, "/etc/postfix/master.cf", "master.cf");
    read_again();
    assert_false(postfix->is_installed);

    char *bytes = calloc(1, 1 << 20);
    assert_non_null(bytes);
    memset(bytes, 'x', 1 << 19);
    bytes[10] = '=';
    host_fixture_write_bytes(&fixture, "/etc/postfix/main.cf", bytes, 1 << 20);
    host_fixture_write_bytes(&fixture, "/etc/postfix/master.cf", bytes, 1 << 20);
    free(bytes);
    read_again();
    assert_true(postfix->is_installed);
    assert_int_equal(postfix->instances[0].parameter_count, 1);
    assert_int_equal(postfix->instances[0].service_count, 0);
}

/* The last line of a name counts, and a name is not another that it begins like. */
static void test_names_that_resemble(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/main.cf",
        "zz = 1\nab = 2\nabc = 3\na = 4\nab = 5\nb = $a$ab$abc$abcd$zz$zzz$0\nab = 6\n");
    read_again();
    assert_value(0, "b", "4631");
    assert_value(0, "ab", "6");
    assert_int_equal(postfix_line(&postfix->instances[0], "ab"), 7);
    assert_int_equal(postfix_line(&postfix->instances[0], "abcd"), 0);
}

static void test_many_parameters(void **state)
{
    (void)state;
    char *text = calloc(POSTFIX_PARAMETERS_MAX + 1, 8);
    assert_non_null(text);
    for (int i = 0; i <= POSTFIX_PARAMETERS_MAX; i++) {
        memcpy(text + i * 4, "a=b\n", 4);
    }
    host_fixture_write(&fixture, "/etc/postfix/main.cf", text);
    free(text);
    read_again();
    assert_int_equal(postfix->instances[0].parameter_count, POSTFIX_PARAMETERS_MAX);
    assert_true(postfix->instances[0].is_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_instances, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_resemble, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_parameters, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
