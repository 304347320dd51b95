/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <termios.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "tests/unit/cmd/fake_daemon.h"
#include "tests/unit/cmd/slow_fixture.h"

/* The subcommands from their words to their exit codes, against a scripted control socket. */

#define WORDS_MAX 8

typedef int subcommand_main(int argc, char **argv);

/* Runs with copies of the words, as getopt(3) moves them about. "SOCKET" stands for the path. */
static int run(subcommand_main *subcommand, const char *const *words, const char *path)
{
    char copies[WORDS_MAX][128];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;
    for (; argc < WORDS_MAX && words[argc] != NULL; argc++) {
        const char *word = strcmp(words[argc], "SOCKET") == 0 ? path : words[argc];
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", word);
        argv[argc] = copies[argc];
    }
    optind = 0; /* Starts getopt(3) anew. */
    return subcommand(argc, argv);
}

struct usage_case {
    subcommand_main *run;
    const char *words[WORDS_MAX];
    int exit_code;
};

static void test_words_that_end_at_once(void **state)
{
    static const struct usage_case cases[] = {
        {flush_main, {"mxcache flush", "--help"}, EX_OK},
        {flush_main, {"mxcache flush"}, EX_USAGE},
        {flush_main, {"mxcache flush", "a.example", "b.example"}, EX_USAGE},
        {flush_main, {"mxcache flush", "--all", "a.example"}, EX_USAGE},
        {flush_main, {"mxcache flush", "--all", "--under", "a.example"}, EX_USAGE},
        {flush_main, {"mxcache flush", "--al1"}, EX_USAGE},
        {flush_main, {"mxcache flush", "a..example"}, EX_USAGE},
        {flush_main, {"mxcache flush", "m\xc3\xbcller.example"}, EX_USAGE},
        {lookup_main, {"mxcache lookup", "--help"}, EX_OK},
        {lookup_main, {"mxcache lookup"}, EX_USAGE},
        {lookup_main, {"mxcache lookup", "a.example", "NOTYPE"}, EX_USAGE},
        {lookup_main, {"mxcache lookup", "--trace", "--cached", "a.example"}, EX_USAGE},
        {lookup_main, {"mxcache lookup", "a.example", "AXFR"}, EX_USAGE},
        {lookup_main, {"mxcache lookup", "a.example", "A", "more"}, EX_USAGE},
        {reload_main, {"mxcache reload", "--help"}, EX_OK},
        {reload_main, {"mxcache reload", "now"}, EX_USAGE},
        {reload_main, {"mxcache reload", "-x"}, EX_USAGE},
        {slow_main, {"mxcache slow", "--help"}, EX_OK},
        {slow_main, {"mxcache slow", "-n", "0"}, EX_USAGE},
        {slow_main, {"mxcache slow", "--count=65"}, EX_USAGE},
        {slow_main, {"mxcache slow", "ly"}, EX_USAGE},
        {slow_main, {"mxcache slow", "--fast"}, EX_USAGE},
        {stats_main, {"mxcache stats", "--help"}, EX_OK},
        {stats_main, {"mxcache stats", "--json", "--openmetrics"}, EX_USAGE},
        {stats_main, {"mxcache stats", "--reset"}, EX_USAGE},
        {stats_main, {"mxcache stats", "--watch=x"}, EX_USAGE},
        {stats_main, {"mxcache stats", "--watch", "0"}, EX_USAGE},
        {stats_main, {"mxcache stats", "5"}, EX_USAGE},
        {serve_main, {"mxcache serve", "--help"}, EX_OK},
        {serve_main, {"mxcache serve", "--bogus"}, EX_USAGE},
        {serve_main, {"mxcache serve", "more"}, EX_USAGE},
        {serve_main, {"mxcache serve", "-c", "/nonexistent"}, EX_CONFIG},
        {serve_main, {"mxcache serve", "-o", "no_such_thing=1"}, EX_CONFIG},
        {serve_main, {"mxcache serve", "-c", "/dev/null", "-o", "upstreams_file=/nonexistent"},
            EX_CONFIG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run(cases[i].run, cases[i].words, ""), cases[i].exit_code);
    }
}

struct talk_case {
    subcommand_main *run;
    const char *words[WORDS_MAX];
    const char *replies[2];
    const char *commands[2];
    int exit_code;
};

static const char good_stats[] = "ok\ninfo 0.1.0 1 1 1 -\n.\n";

static void test_talks(void **state)
{
    static const struct talk_case cases[] = {
        {flush_main, {"mxcache flush", "-s", "SOCKET", "MX.example"}, {"ok\nflushed 1\n.\n"},
            {"flush name MX.example."}, EX_OK},
        {flush_main, {"mxcache flush", "-s", "SOCKET", "-u", "."}, {"ok\nflushed 1\n.\n"},
            {"flush under ."}, EX_OK},
        {flush_main, {"mxcache flush", "-s", "SOCKET", "-a"}, {"ok\nflushed many\n.\n"},
            {"flush all"}, EX_PROTOCOL},
        {flush_main, {"mxcache flush", "-s", "SOCKET", "a b"}, {"ok\n.\n"}, {"flush name a\\032b."},
            EX_PROTOCOL},
        {flush_main, {"mxcache flush", "-s", "SOCKET", "-a"},
            {"error not permitted: ask root\n.\n"}, {"flush all"}, EX_NOPERM},
        {reload_main, {"mxcache reload", "-s", "SOCKET"}, {"ok\nnote all is well\n.\n"}, {"reload"},
            EX_OK},
        {reload_main, {"mxcache reload", "-s", "SOCKET"},
            {"error the settings have errors\nfinding x:1:1: error: no\n.\n"}, {"reload"},
            EX_CONFIG},
        {reload_main, {"mxcache reload", "-s", "SOCKET"}, {"error not permitted: no\n.\n"},
            {"reload"}, EX_NOPERM},
        {slow_main, {"mxcache slow", "-s", "SOCKET"}, {slow_fixture}, {"slow"}, EX_OK},
        {slow_main, {"mxcache slow", "-s", "SOCKET", "-f", "-j", "-n", "1"}, {slow_fixture},
            {"slow failed"}, EX_OK},
        {slow_main, {"mxcache slow", "-s", "SOCKET", "--failed", "--names"},
            {"error not permitted: ask root\n.\n"}, {"slow failed names"}, EX_NOPERM},
        {slow_main, {"mxcache slow", "-s", "SOCKET"}, {"ok\nquestion\n.\n"}, {"slow"}, EX_PROTOCOL},
        {stats_main, {"mxcache stats", "-s", "SOCKET"}, {good_stats}, {"stats"}, EX_OK},
        {stats_main, {"mxcache stats", "-s", "SOCKET", "-j"}, {good_stats}, {"stats"}, EX_OK},
        {stats_main, {"mxcache stats", "-s", "SOCKET", "-m"}, {good_stats}, {"stats"}, EX_OK},
        {stats_main, {"mxcache stats", "-s", "SOCKET"}, {"ok\ninfo\n.\n"}, {"stats"}, EX_PROTOCOL},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "--cached", "a.example", "mx"},
            {"ok\n.\n", "ok\n.\n"}, {"upstreams", "lookup a.example. MX"}, EX_OK},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "a.example"},
            {"ok\nupstream default 192.0.2.1@853 dns.example\n.\n", "ok\n.\n"},
            {"upstreams", "lookup a.example. A"}, EX_OK},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "a.example"},
            {"ok\nupstream default nowhere -\n.\n"}, {"upstreams"}, EX_PROTOCOL},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "a.example"},
            {"ok\n.\n", "ok\nentry fresh\n.\n"}, {"upstreams", "lookup a.example. A"}, EX_PROTOCOL},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "-t", "a.example", "mx"},
            {"ok\ntrace 77\n.\n", "ok\nover 5 0 local NXDOMAIN -1\n.\n"},
            {"trace start a.example. MX", "trace look 77 0"}, EX_OK},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "--trace", "a.example"},
            {"error 4 questions are being followed\n.\n"}, {"trace start a.example. A"},
            EX_UNAVAILABLE},
        {lookup_main, {"mxcache lookup", "-s", "SOCKET", "--trace", "a.example"}, {"ok\n.\n"},
            {"trace start a.example. A"}, EX_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_daemon fake = {.reply_count = 0};
        for (size_t k = 0; k < 2 && cases[i].replies[k] != NULL; k++) {
            fake.replies[fake.reply_count++] = cases[i].replies[k];
        }
        assert_true(fake_daemon_start(&fake));
        assert_int_equal(run(cases[i].run, cases[i].words, fake.path), cases[i].exit_code);
        fake_daemon_stop(&fake);
        for (size_t k = 0; k < fake.reply_count; k++) {
            assert_string_equal(fake.commands[k], cases[i].commands[k]);
        }
    }
}

/* `mxcache top | head` would end by a signal, and leave a terminal that does not echo. */
static void test_top_wants_a_terminal_on_both_sides(void **state)
{
    static const char *const words[WORDS_MAX] = {"mxcache top", "-s", "SOCKET"};
    struct termios before;
    struct termios after;
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    int kept[2] = {dup(STDIN_FILENO), dup(STDOUT_FILENO)};
    int nowhere = open("/dev/null", O_WRONLY);
    assert_true(terminal >= 0 && nowhere >= 0 && kept[1] >= 0);
    assert_int_equal(tcgetattr(terminal, &before), 0);
    (void)fflush(stdout);
    assert_true(dup2(terminal, STDIN_FILENO) >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0);
    struct fake_daemon fake = {.reply_count = 1, .replies = {"ok\n.\n"}};
    assert_true(fake_daemon_listen(&fake));
    int exit_code = run(top_main, words, fake.path);
    fake_daemon_remove(&fake);
    (void)fflush(stdout);
    (void)dup2(kept[1], STDOUT_FILENO);
    (void)dup2(kept[0], STDIN_FILENO);
    assert_int_equal(exit_code, EX_USAGE);
    assert_int_equal(tcgetattr(terminal, &after), 0);
    assert_int_equal(before.c_lflag, after.c_lflag);
    (void)close(kept[0]);
    (void)close(kept[1]);
    (void)close(nowhere);
    (void)close(terminal);
    (void)close(master);
}

/* Reads the terminal until `words` have been written there. False: not within ten seconds. */
static bool read_until(int master, const char *words)
{
    static char seen[1 << 16];
    size_t len = 0;
    struct pollfd ready = {.fd = master, .events = POLLIN};
    seen[0] = '\0';
    while (strstr(seen, words) == NULL && len + 1 < sizeof seen && poll(&ready, 1, 10000) == 1) {
        ssize_t got = read(master, seen + len, sizeof seen - 1 - len);
        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        seen[len] = '\0';
    }
    return strstr(seen, words) != NULL;
}

static _Noreturn void top_in_child(const char *terminal_name, const char *path)
{
    static const char *const words[WORDS_MAX] = {"mxcache top", "-s", "SOCKET"};
    (void)setsid();
    int terminal = open(terminal_name, O_RDWR);
    if (terminal < 0 || dup2(terminal, STDIN_FILENO) < 0 || dup2(terminal, STDOUT_FILENO) < 0) {
        _exit(EX_OSERR);
    }
    _exit(run(top_main, words, path));
}

/* Control-Z gives the shell the screen that it had, with a cursor and an echo. */
static void test_top_rests(void **state)
{
    struct fake_daemon fake = {.reply_count = 2, .replies = {"ok\n.\n", good_stats}};
    struct termios before;
    struct termios after;
    int status;
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0 && tcgetattr(terminal, &before) == 0);
    assert_true(fake_daemon_start(&fake));
    pid_t child = fork();
    if (child == 0) {
        top_in_child(ptsname(master), fake.path);
    }
    assert_true(read_until(master, "space pause"));
    assert_int_equal(write(master, " ", 1), 1);
    assert_true(read_until(master, "space go on"));
    assert_int_equal(write(master, "\032", 1), 1);
    bool has_left = read_until(master, "\033[?1049l");
    (void)kill(child, has_left ? 0 : SIGKILL);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(tcgetattr(terminal, &after), 0);
    assert_int_equal(before.c_lflag, after.c_lflag);
    assert_int_equal(kill(child, SIGCONT), 0);
    assert_true(read_until(master, "space go on"));
    assert_int_equal(write(master, "q", 1), 1);
    assert_true(read_until(master, "\033[?1049l"));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EX_OK);
    fake_daemon_stop(&fake);
    (void)close(terminal);
    (void)close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_rests),
        cmocka_unit_test(test_top_wants_a_terminal_on_both_sides),
        cmocka_unit_test(test_words_that_end_at_once),
        cmocka_unit_test(test_talks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
