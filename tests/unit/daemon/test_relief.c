/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "base/address.h"
#include "daemon/events.h"
#include "daemon/flooders.h"
#include "daemon/relief.h"
#include "daemon/shut_out.h"
#include "daemon/stats.h"

#define MS 1000

static int socket_at(const char *text, struct address *address_out)
{
    struct sockaddr_storage sockaddr;
    struct address address;
    assert_true(address_parse(text, strlen(text), 0, &address));
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sockaddr, len), 0);
    len = sizeof sockaddr;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    *address_out = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    return fd;
}

static void datagram_send(int fd, const struct address *to, char mark)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(to, &sockaddr);
    assert_int_equal(sendto(fd, &mark, 1, 0, (const struct sockaddr *)&sockaddr, len), 1);
}

/* Over loopback a datagram is in the queue when it has been sent. */
static char datagram_take(int fd)
{
    char mark;
    return recv(fd, &mark, 1, 0) == 1 ? mark : '-';
}

static void shut_out_try(const char *host)
{
    struct address door_address;
    struct address sources[SHUT_OUT_MAX];
    int fds[SHUT_OUT_MAX];
    struct address polite_address;
    int door = socket_at(host, &door_address);
    int polite = socket_at(host, &polite_address);
    for (size_t i = 0; i < SHUT_OUT_MAX; i++) {
        fds[i] = socket_at(host, &sources[i]);
    }
    assert_true(shut_out_set(door, sources, SHUT_OUT_MAX));
    for (size_t i = 0; i < SHUT_OUT_MAX; i++) {
        datagram_send(fds[i], &door_address, 'f');
        assert_int_equal(datagram_take(door), '-');
        datagram_send(polite, &door_address, 'p');
        assert_int_equal(datagram_take(door), 'p');
    }
    shut_out_clear(door);
    for (size_t i = 0; i < SHUT_OUT_MAX; i++) {
        datagram_send(fds[i], &door_address, 'f');
        assert_int_equal(datagram_take(door), 'f');
        (void)close(fds[i]);
    }
    (void)close(polite);
    (void)close(door);
}

static void test_sources_are_shut_out(void **state)
{
    (void)state;
    shut_out_try("127.0.0.1");
    shut_out_try("::1");
}

/* The port alone is not the source. */
static void test_another_address_comes_in(void **state)
{
    (void)state;
    struct address door_address;
    struct address source;
    int door = socket_at("127.0.0.1", &door_address);
    int client = socket_at("127.0.0.1", &source);
    source.bytes[3] = 2;
    assert_true(shut_out_set(door, &source, 1));
    datagram_send(client, &door_address, 'p');
    assert_int_equal(datagram_take(door), 'p');
    (void)close(client);
    (void)close(door);
}

struct scene {
    struct ev_loop *loop;
    struct daemon_stats stats;
    struct relief *relief;
    struct address door_address;
    struct address source;
    int door;
    int flooder;
};

static void scene_take_over(struct scene *scene)
{
    const struct relief_options options = {
        .loop = scene->loop, .fd = scene->door, .stats = &scene->stats, .shut_out_us = 50 * MS};
    scene->relief = relief_new(&options);
    assert_non_null(scene->relief);
}

static void scene_init(struct scene *scene)
{
    int small = 8192;
    *scene = (struct scene){.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV)};
    assert_non_null(scene->loop);
    scene->door = socket_at("127.0.0.1", &scene->door_address);
    scene->flooder = socket_at("127.0.0.1", &scene->source);
    assert_int_equal(setsockopt(scene->door, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    scene_take_over(scene);
}

static void scene_fini(struct scene *scene)
{
    relief_free(&scene->relief);
    ev_loop_destroy(scene->loop);
    (void)close(scene->door);
    (void)close(scene->flooder);
}

static void scene_crowd(struct scene *scene)
{
    for (unsigned i = 0; i < 100; i++) {
        datagram_send(scene->flooder, &scene->door_address, 'f');
    }
}

static unsigned scene_empty(struct scene *scene)
{
    unsigned count = 0;
    while (datagram_take(scene->door) != '-') {
        count++;
    }
    return count;
}

static void scene_note(struct scene *scene, unsigned count, int64_t now)
{
    for (unsigned i = 0; i < count; i++) {
        relief_note(scene->relief, &scene->source, now);
    }
}

static void test_a_flood_is_shut_out_for_a_while(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct relief *relief = scene.relief;
    scene_crowd(&scene);
    uint64_t lost = relief_lost(relief);
    assert_true(lost > 0 && lost < 100);
    assert_false(relief_on_read(relief, false, 1000 * MS));
    assert_true(relief_on_read(relief, false, 1200 * MS));
    assert_true(relief_on_read(relief, false, 1201 * MS));
    scene_note(&scene, 2 * FLOODERS_SAMPLE - 1, 1201 * MS);
    assert_int_equal(scene_empty(&scene), 100 - lost);
    scene_crowd(&scene);
    lost = relief_lost(relief);
    scene_note(&scene, 1, 1201 * MS);
    (void)scene_empty(&scene);
    scene_crowd(&scene);
    assert_int_equal(scene_empty(&scene), 0);
    assert_int_equal(relief_lost(relief), lost);
    while (relief_is_shutting_out(relief)) {
        ev_run(scene.loop, EVRUN_ONCE);
    }
    datagram_send(scene.flooder, &scene.door_address, 'f');
    assert_int_equal(scene_empty(&scene), 1);
    assert_int_equal(counter_read(&scene.stats.udp_shut_out), 100);
    assert_int_equal(relief_lost(relief), lost);
    scene_fini(&scene);
}

/* What has been emptied in between is no flood that shedding does not cure. */
static void test_shedding_may_be_enough(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    scene_crowd(&scene);
    assert_false(relief_on_read(scene.relief, false, 1000 * MS));
    assert_true(relief_on_read(scene.relief, false, 1200 * MS));
    scene_note(&scene, FLOODERS_SAMPLE, 1200 * MS);
    assert_false(relief_on_read(scene.relief, true, 1201 * MS));
    assert_false(relief_on_read(scene.relief, false, 1202 * MS));
    assert_true(relief_on_read(scene.relief, false, 1203 * MS));
    scene_note(&scene, 2 * FLOODERS_SAMPLE - 1, 1203 * MS);
    assert_false(relief_is_shutting_out(scene.relief));
    scene_fini(&scene);
}

/* A burst in the seconds after a flood, from one who asks by one socket: the queue is far from
 * full, and all that he asks can be answered. */
static void test_a_burst_is_not_shut_out(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    scene_crowd(&scene);
    assert_false(relief_on_read(scene.relief, false, 1000 * MS));
    assert_true(relief_on_read(scene.relief, false, 1200 * MS));
    (void)scene_empty(&scene);
    assert_false(relief_on_read(scene.relief, true, 1201 * MS));
    datagram_send(scene.flooder, &scene.door_address, 'p');
    assert_false(relief_on_read(scene.relief, false, 1300 * MS));
    assert_true(relief_on_read(scene.relief, false, 1301 * MS));
    scene_note(&scene, 3 * FLOODERS_SAMPLE, 1301 * MS);
    assert_false(relief_is_shutting_out(scene.relief));
    scene_fini(&scene);
}

/* Who is let in again and still floods is shut out again without being waited for anew. */
static void test_a_flood_is_known_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    scene_crowd(&scene);
    assert_false(relief_on_read(scene.relief, false, 1000 * MS));
    assert_true(relief_on_read(scene.relief, false, 1200 * MS));
    assert_false(relief_on_read(scene.relief, true, 1201 * MS));
    assert_false(relief_on_read(scene.relief, false, 9000 * MS));
    assert_true(relief_on_read(scene.relief, false, 9001 * MS));
    scene_note(&scene, 2 * FLOODERS_SAMPLE, 9001 * MS);
    assert_true(relief_is_shutting_out(scene.relief));
    assert_false(relief_on_read(scene.relief, true, 9002 * MS));
    assert_false(relief_on_read(scene.relief, false, 13002 * MS));
    assert_true(relief_on_read(scene.relief, false, 13003 * MS));
    scene_fini(&scene);
}

/* However long it takes to empty: who waits for his answers before he asks on is no flood. */
static void test_a_busy_queue_is_left_alone(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    datagram_send(scene.flooder, &scene.door_address, 'p');
    assert_false(relief_on_read(scene.relief, false, 1000 * MS));
    assert_false(relief_on_read(scene.relief, false, 5000 * MS));
    scene_fini(&scene);
}

/* The process before us has ended in the middle of it. */
static void test_a_new_process_lets_everybody_in(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    assert_true(shut_out_set(scene.door, &scene.source, 1));
    scene_crowd(&scene);
    relief_free(&scene.relief);
    scene_take_over(&scene);
    assert_int_equal(relief_lost(scene.relief), 0);
    datagram_send(scene.flooder, &scene.door_address, 'p');
    assert_int_equal(scene_empty(&scene), 1);
    scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources_are_shut_out),
        cmocka_unit_test(test_another_address_comes_in),
        cmocka_unit_test(test_a_flood_is_shut_out_for_a_while),
        cmocka_unit_test(test_shedding_may_be_enough),
        cmocka_unit_test(test_a_burst_is_not_shut_out),
        cmocka_unit_test(test_a_flood_is_known_again),
        cmocka_unit_test(test_a_busy_queue_is_left_alone),
        cmocka_unit_test(test_a_new_process_lets_everybody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
