/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <cmocka.h>

#include "daemon/trouble.h"
#include "cmd/client.h"
#include "tests/unit/cmd/fake_daemon.h"

#define NOBODY 65534

struct ask_case {
    const char *says;
    size_t piece;
    bool is_well;
    bool is_refused;
    int exit_code;
};

static void test_what_a_daemon_may_say(void **state)
{
    static const struct ask_case cases[] = {
        {"ok\nflushed 3\n.\n", 0, true, false, 0},
        {"ok\nflushed 3\n.\n", 1, true, false, 0},
        {"error no such command\n.\n", 0, true, true, 0},
        {"", 0, false, false, EX_UNAVAILABLE},
        {"ok\nflushed 3\n", 0, false, false, EX_UNAVAILABLE},
        {"220 mail.example ESMTP\n.\n", 0, false, false, EX_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_daemon fake = {
            .replies = {cases[i].says}, .reply_count = 1, .piece = cases[i].piece};
        struct reply reply;
        struct trouble trouble = {.exit_code = 0};
        assert_true(fake_daemon_start(&fake));
        assert_int_equal(client_ask(fake.path, "flush all", &reply, &trouble), cases[i].is_well);
        fake_daemon_stop(&fake);
        assert_string_equal(fake.commands[0], "flush all");
        assert_int_equal(trouble.exit_code, cases[i].exit_code);
        assert_int_equal(reply.is_refused, cases[i].is_refused);
        if (cases[i].is_well && !cases[i].is_refused) {
            assert_string_equal(reply_next(&reply), "flushed 3");
            assert_null(reply_next(&reply));
        }
        reply_fini(&reply);
    }
}

static void test_no_socket(void **state)
{
    struct reply reply;
    struct trouble trouble;
    (void)state;
    assert_false(client_ask("/nonexistent/control.sock", "stats", &reply, &trouble));
    assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
    assert_non_null(strstr(trouble.sentence, "there is no control socket /nonexistent/"));
    assert_null(reply.bytes);
}

static void test_nobody_listens(void **state)
{
    struct fake_daemon fake = {.reply_count = 0};
    struct reply reply;
    struct trouble trouble;
    (void)state;
    assert_true(fake_daemon_listen(&fake));
    (void)close(fake.fd);
    assert_false(client_ask(fake.path, "stats", &reply, &trouble));
    assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
    assert_non_null(strstr(trouble.sentence, "nobody listens"));
    (void)unlink(fake.path);
    (void)rmdir(fake.folder);
}

static void test_a_path_that_is_too_long(void **state)
{
    char path[300];
    struct reply reply;
    struct trouble trouble;
    (void)state;
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(client_ask(path, "stats", &reply, &trouble));
    assert_int_equal(trouble.exit_code, EX_USAGE);
    assert_false(client_ask("", "stats", &reply, &trouble));
    assert_int_equal(trouble.exit_code, EX_USAGE);
}

/* Root may everything, so a child asks as somebody else. */
static int ask_as_nobody(const char *path)
{
    struct reply reply;
    struct trouble trouble;
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) {
            _exit(1);
        }
        bool is_well = client_ask(path, "stats", &reply, &trouble);
        bool is_named = !is_well && strstr(trouble.sentence, "no permission") != NULL;
        _exit(is_named ? trouble.exit_code : 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static void test_no_permission(void **state)
{
    struct fake_daemon fake = {.reply_count = 0};
    (void)state;
    assert_true(fake_daemon_listen(&fake));
    assert_int_equal(chmod(fake.folder, 0711), 0);
    assert_int_equal(chmod(fake.path, 0), 0);
    assert_int_equal(ask_as_nobody(fake.path), EX_NOPERM);
    fake_daemon_remove(&fake);
}

/* The kernel takes the connection, and nobody ever reads from it. */
static void test_silence_has_an_end(void **state)
{
    struct fake_daemon fake = {.reply_count = 0};
    struct reply reply;
    struct trouble trouble;
    (void)state;
    assert_true(fake_daemon_listen(&fake));
    assert_false(client_ask(fake.path, "stats", &reply, &trouble));
    assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
    assert_non_null(strstr(trouble.sentence, "no answer within"));
    fake_daemon_remove(&fake);
}

static void test_exit_codes_of_programs(void **state)
{
    static const struct {
        const char *says;
        int exit_code;
    } cases[] = {
        {"ok\n.\n", EX_OK},
        {"error not permitted: ask root\n.\n", EX_NOPERM},
        {"error the line is too long\n.\n", EX_UNAVAILABLE},
        {"what?\n.\n", EX_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_daemon fake = {.replies = {cases[i].says}, .reply_count = 1};
        struct reply reply;
        assert_true(fake_daemon_start(&fake));
        const struct client_place place = {.socket = fake.path};
        assert_int_equal(client_run(&place, "reload", &reply), cases[i].exit_code);
        fake_daemon_stop(&fake);
        reply_fini(&reply);
    }
}

/* The socket is found through a configuration file. */
static void test_the_file_names_the_socket(void **state)
{
    struct fake_daemon fake = {.replies = {"ok\n.\n"}, .reply_count = 1};
    char file_path[128];
    struct reply reply;
    (void)state;
    assert_true(fake_daemon_start(&fake));
    (void)snprintf(file_path, sizeof file_path, "%s/mxcache.conf", fake.folder);
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    (void)fprintf(file, "control_socket = %s\nupstreams = 192.0.2.1\n", fake.path);
    assert_int_equal(fclose(file), 0);
    const struct client_place place = {.file = file_path};
    assert_int_equal(client_run(&place, "stats", &reply), EX_OK);
    reply_fini(&reply);
    (void)unlink(file_path);
    fake_daemon_stop(&fake);

    assert_int_equal(client_run(&place, "stats", &reply), EX_CONFIG);
    assert_null(reply.bytes);
}

/* A folder or a plain file behind -s is a slip of the operator's, no dead daemon. */
static void test_what_is_no_socket(void **state)
{
    static const char *const paths[] = {"/", "/etc/passwd"};
    struct reply reply;
    struct trouble trouble;
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_false(client_ask(paths[i], "stats", &reply, &trouble));
        assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
        assert_non_null(strstr(trouble.sentence, "is no socket"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_socket),
        cmocka_unit_test(test_what_a_daemon_may_say),
        cmocka_unit_test(test_no_socket),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_a_path_that_is_too_long),
        cmocka_unit_test(test_no_permission),
        cmocka_unit_test(test_silence_has_an_end),
        cmocka_unit_test(test_exit_codes_of_programs),
        cmocka_unit_test(test_the_file_names_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
