/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client over TCP that sends any bytes: the first byte chooses in what pieces, and whether he
 * reads in between. The listener, the resolver and the cache behind it are the real ones; the
 * upstream server denies every name at once. What comes back is whole frames, each the answer to a
 * question that was sent, none twice; honest questions are all answered; and when the client has
 * gone nothing is left.
 */
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/random.h"
#include "wire/header.h"
#include "wire/message.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "daemon/listen_connections.h"
#include "daemon/listen_tcp.h"
#include "daemon/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX  16384
#define OUTPUT_MAX (4u << 20)
#define ASKED_MAX  64
#define TURNS_MAX  2000

struct asked {
    uint64_t exchange;
    size_t len;
    uint8_t message[512];
};

struct house {
    struct ev_loop *loop;
    struct settings settings;
    struct random random;
    struct cache *cache;
    struct resolver *resolver;
    struct daemon_stats stats;
    struct listen_tcp *listen_tcp;
    struct sockaddr_in address;
    int fd;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
};

/* ---- The house ---- */

static void house_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct house *house = world;
    listen_tcp_deliver(house->listen_tcp, client, message, len);
}

static bool house_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct house *house = world;
    struct asked *asked = &house->asked[house->asked_count];
    if (house->asked_count == ASKED_MAX || transmission->len > sizeof asked->message) {
        return false;
    }
    house->asked_count++;
    asked->exchange = transmission->exchange;
    asked->len = transmission->len;
    memcpy(asked->message, transmission->message, transmission->len);
    *line_out = 0;
    return true;
}

static void house_withdraw(void *world, uint64_t line, bool is_stream)
{
    (void)world;
    (void)line;
    (void)is_stream;
}

/* The upstream server: no such name, and no more. */
static void house_deny_all(struct house *house)
{
    static const uint16_t counts[4] = {1, 0, 0, 0};
    while (house->asked_count > 0) {
        struct asked asked = house->asked[--house->asked_count];
        struct message message;
        must(message_read(asked.message, asked.len, &message) == MESSAGE_GOOD);
        header_set_flags(asked.message, HEADER_QR | HEADER_RA | RCODE_NXDOMAIN);
        header_set_counts(asked.message, counts);
        (void)resolver_on_reply(
            house->resolver, asked.exchange, asked.message, message.records_at, clock_now());
    }
}

static void house_turn(struct house *house)
{
    (void)ev_run(house->loop, EVRUN_NOWAIT);
    house_deny_all(house);
    listen_tcp_flush(house->listen_tcp, clock_now());
}

static void house_listen(struct house *house)
{
    socklen_t len = sizeof house->address;
    house->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    house->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    must(house->fd >= 0);
    must(bind(house->fd, (const struct sockaddr *)&house->address, len) == 0);
    must(getsockname(house->fd, (struct sockaddr *)&house->address, &len) == 0);
    must(listen(house->fd, 16) == 0);
}

static void house_make(struct house *house)
{
    static const char conf[] = "upstreams = 192.0.2.1\nquestions_max = 64\nahead = no\n";
    static struct findings findings;
    log_set_level(LOG_LEVEL_ERROR);
    must(settings_parse("conf", conf, sizeof conf - 1, &house->settings, &findings));
    house->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    house->cache =
        cache_new(&(struct cache_options){.budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1});
    random_init_seed(&house->random, 1);
    const struct resolver_options options = {.settings = &house->settings,
        .cache = house->cache,
        .random = &house->random,
        .port = {house, house_deliver, house_transmit, house_withdraw},
        .version = "fuzzed"};
    house->resolver = resolver_new(&options);
    must(house->loop != NULL && house->cache != NULL && house->resolver != NULL);
    house_listen(house);
    house->listen_tcp = listen_tcp_new(&(struct listen_tcp_options){.loop = house->loop,
        .settings = &house->settings,
        .resolver = house->resolver,
        .stats = &house->stats,
        .fds = &house->fd,
        .count = 1});
    must(house->listen_tcp != NULL);
}

/* ---- The client ---- */

struct visit {
    struct house *house;
    int fd;
    const uint8_t *input;
    size_t len;
    size_t received;
    bool is_over;
    uint8_t output[OUTPUT_MAX];
};

static void visit_read(struct visit *visit)
{
    ssize_t got;
    while ((got = recv(visit->fd, visit->output + visit->received, OUTPUT_MAX - visit->received,
                MSG_DONTWAIT)) > 0) {
        visit->received += (size_t)got;
        must(visit->received < OUTPUT_MAX);
    }
    visit->is_over = visit->is_over || got == 0 || (errno != EAGAIN && errno != EINTR);
}

static void visit_send(struct visit *visit, size_t piece, bool reads)
{
    size_t at = 0;
    for (unsigned i = 0; i < TURNS_MAX && at < visit->len && !visit->is_over; i++) {
        size_t len = visit->len - at < piece ? visit->len - at : piece;
        ssize_t sent = send(visit->fd, visit->input + at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        at += sent > 0 ? (size_t)sent : 0;
        house_turn(visit->house);
        if (reads) {
            visit_read(visit);
        }
    }
    visit->len = at;
    (void)shutdown(visit->fd, SHUT_WR);
    for (unsigned i = 0; i < TURNS_MAX && !visit->is_over; i++) {
        house_turn(visit->house);
        visit_read(visit);
    }
}

/* A frame at *at; false: none that is whole. */
static bool frame_next(const uint8_t *bytes, size_t len, size_t *at, const uint8_t **message_out,
    size_t *message_len_out)
{
    if (len - *at < 2 || len - *at - 2 < bytes_get_u16(bytes + *at)) {
        return false;
    }
    *message_len_out = bytes_get_u16(bytes + *at);
    *message_out = bytes + *at + 2;
    *at += 2 + *message_len_out;
    return true;
}

static bool is_question(const uint8_t *message, size_t len)
{
    return len >= HEADER_SIZE && len <= LISTEN_CONNECTIONS_QUERY_MAX &&
           (header_flags(message) & HEADER_QR) == 0;
}

static void visit_check(const struct visit *visit)
{
    static int32_t owed[65536]; /* By id; balanced again at the end. */
    const uint8_t *message;
    size_t len;
    size_t at = 0;
    size_t questions = 0;
    size_t answers = 0;
    bool is_honest = true;
    while (frame_next(visit->input, visit->len, &at, &message, &len)) {
        if (is_question(message, len)) {
            owed[header_id(message)]++;
            questions++;
        }
        is_honest = is_honest && is_question(message, len);
    }
    is_honest = is_honest && at == visit->len;
    at = 0;
    while (frame_next(visit->output, visit->received, &at, &message, &len)) {
        must(len >= HEADER_SIZE && (header_flags(message) & HEADER_QR) != 0);
        must(owed[header_id(message)]-- > 0);
        answers++;
    }
    must(answers <= questions);
    if (is_honest) {
        must(at == visit->received && answers == questions);
    }
    at = 0;
    while (frame_next(visit->input, visit->len, &at, &message, &len)) {
        if (is_question(message, len)) {
            owed[header_id(message)] = 0;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct house house;
    static struct visit visit;
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (house.loop == NULL) {
        house_make(&house);
    }
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    visit.house = &house;
    visit.input = data + 1;
    visit.len = size - 1;
    visit.received = 0;
    visit.is_over = false;
    visit.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(visit.fd >= 0);
    must(connect(visit.fd, (const struct sockaddr *)&house.address, sizeof house.address) == 0);
    visit_send(&visit, (data[0] & 1) != 0 ? INPUT_MAX : 1 + data[0], (data[0] & 2) != 0);
    visit_check(&visit);
    must(visit.is_over);
    (void)setsockopt(visit.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    must(close(visit.fd) == 0);
    house_turn(&house);
    must(listen_tcp_is_quiet(house.listen_tcp));
    resolver_run_due(house.resolver, clock_now());
    return 0;
}
