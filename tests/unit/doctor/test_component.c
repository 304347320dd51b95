/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "doctor/component.h"
#include "doctor/postfix_config.h"
#include "tests/support/host_fixture.h"

static char queue[] = "/var/spool/postfix";
static struct postfix_instance instance = {.queue_directory = queue};

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        bool is_chrooted;
        enum component_kind kind;
        const char *path;
        const char *outside;
    } rows[] = {
        {"unix:private/policy", false, COMPONENT_UNIX, "/var/spool/postfix/private/policy", ""},
        {"unix:private/policy", true, COMPONENT_UNIX, "/var/spool/postfix/private/policy", ""},
        {"unix:/run/x.sock", false, COMPONENT_UNIX, "/run/x.sock", ""},
        {"unix:/run/x.sock", true, COMPONENT_UNIX, "/var/spool/postfix/run/x.sock", "/run/x.sock"},
        {"local:x/y", true, COMPONENT_UNIX, "/var/spool/postfix/x/y", ""},
        {"{ unix:private/a, timeout=1s }", false, COMPONENT_UNIX, "/var/spool/postfix/private/a",
            ""},
        {"inet:127.0.0.1:10023", true, COMPONENT_INET, "", ""},
        {"inet:localhost:8891", true, COMPONENT_INET, "", ""},
        {"inet:[::1]:8891", true, COMPONENT_INET, "", ""},
        {"inet:8891", true, COMPONENT_INET, "", ""},
        {"192.0.2.1:10023", true, COMPONENT_INET, "", ""},
        {"inet:filter.example:8891", true, COMPONENT_UNKNOWN, "", ""},
        {"inet:127.0.0.1:smtp", true, COMPONENT_UNKNOWN, "", ""},
        {"inet:127.0.0.1:0", true, COMPONENT_UNKNOWN, "", ""},
        {"", true, COMPONENT_UNKNOWN, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct component component;
        component_parse(&component, rows[i].endpoint, &instance, rows[i].is_chrooted);
        assert_int_equal(component.kind, rows[i].kind);
        assert_string_equal(component.path, rows[i].path);
        assert_string_equal(component.outside, rows[i].outside);
        assert_int_equal(component.address_count > 0, rows[i].kind == COMPONENT_INET);
    }
}

static int listen_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_unix(void **state)
{
    (void)state;
    static struct host_fixture fixture;
    struct host host;
    struct component component;
    char path[256];
    host_fixture_init(&fixture);
    host_fixture_write(&fixture, "/var/spool/postfix/private/plain", "");
    assert_true(host_init(&host, fixture.root));
    component_parse(&component, "unix:private/alive", &instance, true);
    assert_int_equal(component_try(&component, &host), COMPONENT_ABSENT);
    host_fixture_path(&fixture, component.path, path, sizeof path);
    int fd = listen_unix(path);
    assert_int_equal(component_try(&component, &host), COMPONENT_ALIVE);
    close(fd);
    assert_int_equal(component_try(&component, &host), COMPONENT_REFUSED);
    component_parse(&component, "unix:private/plain", &instance, true);
    assert_int_equal(component_try(&component, &host), COMPONENT_REFUSED);
    host_fini(&host);
    host_fixture_fini(&fixture);
}

static void test_inet(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct host host = {.root_fd = -1};
    struct component component;
    char endpoint[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(endpoint, sizeof endpoint, "inet:localhost:%u", (unsigned)ntohs(at.sin_port));
    component_parse(&component, endpoint, &instance, false);
    assert_int_equal(component_try(&component, &host), COMPONENT_ALIVE);
    close(fd);
    assert_int_equal(component_try(&component, &host), COMPONENT_REFUSED);
    component_parse(&component, "inet:filter.example:25", &instance, false);
    assert_int_equal(component_try(&component, &host), COMPONENT_UNTRIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_inet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
