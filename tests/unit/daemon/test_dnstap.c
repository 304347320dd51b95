/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "resolver/port.h"
#include "daemon/dnstap.h"
#include "daemon/dnstap_way.h"

/* What an end may take beside a collector that does nothing, on a busy machine. */
#define END_MAX_US (INT64_C(5) * DNSTAP_WAY_PATIENCE_S * CLOCK_US_PER_S)

#define LARGE ((size_t)4 << 20) /* More than any socket takes. */

static char path[64];
static int collector = -1;

/* Connections are made, by the kernel; nobody accepts them, or reads. */
static int collector_open(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(path, sizeof path, "/tmp/mxcache-dnstap-%d", (int)getpid());
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)unlink(path);
    collector = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(collector, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    return listen(collector, 4);
}

static int collector_close(void **state)
{
    (void)state;
    (void)close(collector);
    return unlink(path);
}

static void test_end_beside_a_collector_that_hangs(void **state)
{
    (void)state;
    static const uint8_t bytes[32];
    const struct client client = {.address = {.family = ADDRESS_IPV4}};
    const struct dnstap_query query = {.client = &client, .bytes = bytes, .len = sizeof bytes};
    if (!dnstap_is_built_in()) {
        skip();
    }
    struct dnstap *dnstap = dnstap_new(&(struct dnstap_options){
        .path = path, .identity = "host", .version = "1", .worker_count = 1});
    assert_non_null(dnstap);
    assert_true(dnstap_note_query(dnstap, 0, &query));
    int accepted = accept(collector, NULL, NULL);
    assert_true(accepted >= 0);
    int64_t began_at = clock_now();
    dnstap_free(&dnstap);
    assert_true(clock_now() - began_at < END_MAX_US);
    (void)close(accepted);
}

static void test_way(void **state)
{
    (void)state;
    struct dnstap_way way;
    char word[8] = "";
    bool has_ended = true;
    const struct iovec parts[] = {{.iov_base = "one", .iov_len = 3}, {.iov_base = "", .iov_len = 0},
        {.iov_base = "two", .iov_len = 3}};
    assert_true(dnstap_way_init(&way, path));
    assert_true(dnstap_way_open(&way));
    int accepted = accept(collector, NULL, NULL);
    assert_true(dnstap_way_write(&way, parts, 3));
    assert_int_equal(recv(accepted, word, sizeof word, 0), 6);
    assert_string_equal(word, "onetwo");
    assert_int_equal(send(accepted, "yes", 3, 0), 3);
    assert_true(dnstap_way_read(&way, word, 3, &has_ended));
    assert_memory_equal(word, "yes", 3);
    assert_false(has_ended);
    (void)close(accepted);
    assert_false(dnstap_way_read(&way, word, 1, &has_ended));
    assert_true(has_ended);
    assert_false(dnstap_way_write(&way, parts, 3));
    dnstap_way_close(&way);
}

/* A large message goes in many parts; patience ends once, not with each call. */
static void test_way_is_patient_once(void **state)
{
    (void)state;
    struct dnstap_way way;
    bool has_ended = true;
    uint8_t *bytes = calloc(1, LARGE);
    const struct iovec part = {.iov_base = bytes, .iov_len = LARGE};
    assert_non_null(bytes);
    assert_true(dnstap_way_init(&way, path));
    assert_true(dnstap_way_open(&way));
    int64_t began_at = clock_now();
    assert_false(dnstap_way_write(&way, &part, 1));
    for (unsigned i = 0; i < 10; i++) {
        assert_false(dnstap_way_write(&way, &part, 1));
        assert_false(dnstap_way_read(&way, bytes, 1, &has_ended));
        assert_false(has_ended);
    }
    assert_true(clock_now() - began_at < END_MAX_US);
    dnstap_way_close(&way);
    free(bytes);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct dnstap_way way;
    char name[256];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(dnstap_way_init(&way, name));
    assert_true(dnstap_way_init(&way, "/nonexistent/socket"));
    assert_false(dnstap_way_open(&way));
    assert_int_equal(way.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_end_beside_a_collector_that_hangs, collector_open, collector_close),
        cmocka_unit_test_setup_teardown(test_way, collector_open, collector_close),
        cmocka_unit_test_setup_teardown(test_way_is_patient_once, collector_open, collector_close),
        cmocka_unit_test(test_nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
