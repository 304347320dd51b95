/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/notify.h"

static char folder[64];

static int manager_open(const char *path, bool is_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (is_abstract) {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    return fd;
}

static void manager_expect(int fd, const char *expected)
{
    char bytes[1024];
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&pollfd, 1, 5000), 1);
    ssize_t len = recv(fd, bytes, sizeof bytes - 1, 0);
    assert_true(len >= 0);
    bytes[len] = '\0';
    assert_string_equal(bytes, expected);
}

static void notify_through(const char *path, bool is_abstract)
{
    struct notify notify;
    int fd = manager_open(path, is_abstract);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    notify_init(&notify);
    assert_true(notify.fd >= 0);
    notify_send(&notify, "READY=1\nSTATUS=%s", "well");
    manager_expect(fd, "READY=1\nSTATUS=well");
    notify_live(&notify);
    manager_expect(fd, "WATCHDOG=1");
    (void)close(fd);
    /* The manager has gone: no harm. */
    notify_send(&notify, "STOPPING=1");
    notify_live(&notify);
    notify_fini(&notify);
    assert_int_equal(notify.fd, -1);
}

static void test_path(void **state)
{
    (void)state;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    notify_through(path, false);
    (void)unlink(path);
}

static void test_abstract(void **state)
{
    (void)state;
    char path[64];
    (void)snprintf(path, sizeof path, "@mxcache-test-notify-%ld", (long)getpid());
    notify_through(path, true);
}

/* What the manager gets must be the very socket. */
static void test_keeps_descriptors(void **state)
{
    (void)state;
    char path[96];
    char bytes[256];
    struct notify notify;
    int kept[2];
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    int fd = manager_open(path, false);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    notify_init(&notify);
    assert_int_equal(pipe(kept), 0);
    assert_true(notify_keep(&notify, kept[1], "udp-0-127.0.0.1@53"));

    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec room = {.iov_base = bytes, .iov_len = sizeof bytes - 1};
    struct msghdr message = {
        .msg_iov = &room,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t len = recvmsg(fd, &message, 0);
    assert_true(len > 0);
    bytes[len] = '\0';
    assert_string_equal(bytes, "FDSTORE=1\nFDPOLL=0\nFDNAME=udp-0-127.0.0.1@53");
    int received;
    assert_int_equal(control.header.cmsg_len, CMSG_LEN(sizeof received));
    memcpy(&received, CMSG_DATA(&control.header), sizeof received);
    assert_int_equal(write(received, "x", 1), 1);
    assert_int_equal(read(kept[0], bytes, 1), 1);

    notify_forget(&notify, "udp-0-127.0.0.1@53");
    manager_expect(fd, "FDSTOREREMOVE=1\nFDNAME=udp-0-127.0.0.1@53");
    (void)close(fd);
    assert_false(notify_keep(&notify, kept[1], "gone"));
    notify_fini(&notify);
    assert_false(notify_keep(&notify, kept[1], "nobody"));
    notify_forget(&notify, "nobody");
    (void)close(received);
    (void)close(kept[0]);
    (void)close(kept[1]);
    (void)unlink(path);
}

/* A manager who looks at what waits for him a little later, and then at what comes. */
static void *manager_look(void *context)
{
    const int *fd = context;
    char bytes[256] = "";
    ssize_t len = 0;
    struct pollfd pollfd = {.fd = *fd, .events = POLLIN};
    (void)poll(NULL, 0, 100);
    while (strncmp(bytes, "READY=1", 7) != 0 || len < 7) {
        if (poll(&pollfd, 1, 5000) != 1) {
            return NULL;
        }
        len = recv(*fd, bytes, sizeof bytes, 0);
    }
    return context;
}

/* What is said once must not be lost in front of a queue that is full; the sign of life may be. */
static void test_a_busy_manager_is_waited_for(void **state)
{
    (void)state;
    char path[96];
    struct notify notify;
    pthread_t manager;
    void *heard = NULL;
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    int fd = manager_open(path, false);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    notify_init(&notify);
    while (sendto(notify.fd, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&notify.address,
               notify.address_len) == 1) {
    }
    notify_live(&notify);
    assert_int_equal(pthread_create(&manager, NULL, manager_look, &fd), 0);
    notify_send(&notify, "READY=1\nSTATUS=well");
    assert_int_equal(pthread_join(manager, &heard), 0);
    assert_non_null(heard);
    notify_fini(&notify);
    (void)close(fd);
    (void)unlink(path);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    char long_path[200];
    memset(long_path, 'x', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    const char *cases[] = {NULL, "", "@", "relative", long_path};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct notify notify;
        if (cases[i] == NULL) {
            (void)unsetenv("NOTIFY_SOCKET");
        } else {
            (void)setenv("NOTIFY_SOCKET", cases[i], 1);
        }
        notify_init(&notify);
        assert_int_equal(notify.fd, -1);
        assert_int_equal(notify.watchdog_us, 0);
        notify_send(&notify, "READY=1");
        notify_fini(&notify);
    }
}

static void test_watchdog(void **state)
{
    (void)state;
    char own[32];
    (void)snprintf(own, sizeof own, "%ld", (long)getpid());
    const struct {
        const char *usec;
        const char *pid;
        int64_t expected_us;
    } cases[] = {
        {"10000000", own, 10000000},
        {"10000000", NULL, 10000000},
        {"10000000", "1", 0},
        {"ten", own, 0},
        {NULL, own, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct notify notify;
        (void)setenv("NOTIFY_SOCKET", "/nowhere", 1);
        (void)unsetenv("WATCHDOG_USEC");
        (void)unsetenv("WATCHDOG_PID");
        if (cases[i].usec != NULL) {
            (void)setenv("WATCHDOG_USEC", cases[i].usec, 1);
        }
        if (cases[i].pid != NULL) {
            (void)setenv("WATCHDOG_PID", cases[i].pid, 1);
        }
        notify_init(&notify);
        assert_int_equal(notify.watchdog_us, cases[i].expected_us);
        notify_fini(&notify);
    }
}

static int folder_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/mxcache-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_abstract),
        cmocka_unit_test(test_keeps_descriptors),
        cmocka_unit_test(test_a_busy_manager_is_waited_for),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_watchdog),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
