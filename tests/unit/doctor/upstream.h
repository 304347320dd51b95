/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A DNS server for the doctor's questions: one thread, UDP and TCP on one port of 127.0.0.1 that
 * the kernel chooses, answers by a table of rules. What no rule speaks of does not exist.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"

enum upstream_act {
    UPSTREAM_A,     /* `text` is an IPv4 address. */
    UPSTREAM_NAME,  /* `text` is a domain name: PTR, NS, CNAME; of MX with preference 10. */
    UPSTREAM_BYTES, /* Four records of `text` bytes (a number) each. */
    UPSTREAM_NODATA,
    UPSTREAM_SERVFAIL,
    UPSTREAM_REFUSED,
    UPSTREAM_SILENT,
    UPSTREAM_SLOW, /* NXDOMAIN after `text` milliseconds. */
};

/* The first that fits. A name "*.zone" is all below it, "*" is any; type 0 is any. */
struct upstream_rule {
    const char *name;
    uint16_t type;
    enum upstream_act act;
    const char *text;
};

struct upstream {
    /* The test's. */
    const struct upstream_rule *rules; /* The last has no name. */
    bool sets_ad;                      /* For who asks with AD or DO. */
    bool refuses_tcp;                  /* Nothing listens. */
    bool ignores_tcp;                  /* Connections are taken and nothing is said. */
    bool drops_edns;    /* Questions with an OPT record whose answer is long get no reply. */
    bool cuts_silently; /* Without TC. */
    size_t udp_room;    /* 0: what the asker can take. */

    int udp;
    int tcp;
    int stop[2];
    struct address address;
    pthread_t thread;
    size_t asked; /* Read after upstream_close(). */
};

static bool upstream_rule_fits(const struct upstream_rule *rule, const char *name, uint16_t type)
{
    if (rule->type != 0 && rule->type != type) {
        return false;
    }
    if (rule->name[0] != '*') {
        return strcmp(rule->name, name) == 0;
    }
    size_t tail = strlen(rule->name + 1);
    size_t len = strlen(name);
    return len >= tail && strcmp(name + len - tail, rule->name + 1) == 0;
}

static const struct upstream_rule *upstream_rule_of(
    const struct upstream *upstream, const struct message *query)
{
    static const struct upstream_rule none = {NULL, 0, UPSTREAM_SLOW, "0"};
    char name[NAME_TEXT_SIZE];
    uint8_t lower[NAME_SIZE_MAX];
    memcpy(lower, query->question.name, query->question.name_len);
    name_to_lower(lower, query->question.name_len);
    size_t len = name_to_text(lower, query->question.name_len, name, sizeof name);
    if (len > 1) {
        name[len - 1] = '\0';
    }
    for (const struct upstream_rule *rule = upstream->rules; rule->name != NULL; rule++) {
        if (upstream_rule_fits(rule, name, query->question.type)) {
            return rule;
        }
    }
    return &none;
}

static size_t upstream_number(const char *text)
{
    size_t number = 0;
    while (*text >= '0' && *text <= '9') {
        number = number * 10 + (size_t)(*text++ - '0');
    }
    return number;
}

static size_t upstream_rdata(
    const struct upstream_rule *rule, uint16_t type, uint8_t rdata_out[1024])
{
    struct address address;
    size_t len = 0;
    if (rule->act == UPSTREAM_A) {
        assert_true(address_parse(rule->text, strlen(rule->text), 0, &address));
        memcpy(rdata_out, address.bytes, 4);
        return 4;
    }
    if (rule->act == UPSTREAM_BYTES) {
        len = upstream_number(rule->text);
        memset(rdata_out, 7, len);
        return len;
    }
    size_t at = type == TYPE_MX ? 2 : 0;
    bytes_put_u16(rdata_out, 10);
    assert_true(name_from_text(rule->text, strlen(rule->text), rdata_out + at, &len));
    return at + len;
}

/* The whole reply. */
static size_t upstream_reply(const struct upstream *upstream, const struct message *query,
    const struct upstream_rule *rule, uint8_t *bytes_out, size_t size)
{
    static const uint16_t no_counts[4] = {1, 0, 0, 0};
    struct writer writer = writer_of(bytes_out, size);
    bool has_records = rule->act <= UPSTREAM_BYTES;
    unsigned records = has_records ? (rule->act == UPSTREAM_BYTES ? 4 : 1) : 0;
    unsigned rcode = rule->act == UPSTREAM_SERVFAIL  ? RCODE_SERVFAIL
                     : rule->act == UPSTREAM_REFUSED ? RCODE_REFUSED
                     : rule->act == UPSTREAM_SLOW    ? RCODE_NXDOMAIN
                                                     : RCODE_NOERROR;
    bool shows_ad = upstream->sets_ad && rcode != RCODE_SERVFAIL && rcode != RCODE_REFUSED &&
                    (query->edns.wants_dnssec || (query->flags & HEADER_AD) != 0);
    (void)writer_take(&writer, HEADER_SIZE);
    header_set_id(bytes_out, query->id);
    header_set_counts(bytes_out, no_counts);
    question_write(&writer, &query->question);
    for (unsigned i = 0; i < records; i++) {
        uint8_t rdata[1024];
        struct record record = {.type = query->question.type, .class = CLASS_IN, .ttl = 60};
        record.rdata_len = (uint16_t)upstream_rdata(rule, record.type, rdata);
        rdata[record.rdata_len > 0 ? record.rdata_len - 1 : 0] ^=
            (uint8_t)(rule->act == UPSTREAM_BYTES ? i : 0);
        record_write(&writer, HEADER_SIZE, &record, rdata);
    }
    header_set_flags(bytes_out,
        (uint16_t)(HEADER_QR | HEADER_RD | HEADER_RA | rcode | (shows_ad ? HEADER_AD : 0)));
    bytes_put_u16(bytes_out + 6, (uint16_t)records);
    assert_false(writer.is_cut);
    return writer.len;
}

/* A question and no records, as far as `room` goes. */
static size_t upstream_cut(const struct upstream *upstream, const struct message *query,
    uint8_t *bytes, size_t len, size_t room)
{
    if (len <= room) {
        return len;
    }
    bytes_put_u16(bytes + 6, 0);
    if (!upstream->cuts_silently) {
        bytes_put_u16(bytes + 2, (uint16_t)(bytes_get_u16(bytes + 2) | HEADER_TC));
    }
    return HEADER_SIZE + query->question.name_len + 4u;
}

/* 0: no reply. */
static size_t upstream_answer(struct upstream *upstream, const uint8_t *bytes, size_t len,
    bool is_stream, uint8_t *reply_out, size_t size)
{
    struct message query;
    if (message_read(bytes, len, &query) != MESSAGE_GOOD) {
        return 0;
    }
    upstream->asked++;
    const struct upstream_rule *rule = upstream_rule_of(upstream, &query);
    if (rule->act == UPSTREAM_SILENT) {
        return 0;
    }
    if (rule->act == UPSTREAM_SLOW) {
        const struct timespec delay = {.tv_nsec = (long)upstream_number(rule->text) * 1000000};
        (void)nanosleep(&delay, NULL);
    }
    size_t reply_len = upstream_reply(upstream, &query, rule, reply_out, size);
    if (upstream->drops_edns && query.edns.is_present && reply_len > 512 && !is_stream) {
        return 0;
    }
    size_t room = query.edns.is_present ? query.edns.udp_size : 512;
    if (upstream->udp_room != 0) {
        room = upstream->udp_room;
    }
    return is_stream ? reply_len : upstream_cut(upstream, &query, reply_out, reply_len, room);
}

static void upstream_serve_stream(struct upstream *upstream)
{
    uint8_t query[1024];
    uint8_t reply[8192]; /* On the stack: several servers run at once. */
    int fd = accept(upstream->tcp, NULL, NULL);
    if (upstream->ignores_tcp) {
        return; /* Left open, and closed with the process. */
    }
    ssize_t len = recv(fd, query, sizeof query, 0);
    if (len > 2) {
        size_t reply_len =
            upstream_answer(upstream, query + 2, (size_t)len - 2, true, reply + 2, 8000);
        bytes_put_u16(reply, (uint16_t)reply_len);
        if (reply_len > 0) {
            (void)send(fd, reply, 1, MSG_NOSIGNAL);
            (void)send(fd, reply + 1, reply_len + 1, MSG_NOSIGNAL);
        }
    }
    (void)close(fd);
}

static void upstream_serve_datagram(struct upstream *upstream)
{
    uint8_t query[1024];
    uint8_t reply[8192];
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    ssize_t len =
        recvfrom(upstream->udp, query, sizeof query, 0, (struct sockaddr *)&peer, &peer_len);
    if (len <= 0) {
        return;
    }
    size_t reply_len = upstream_answer(upstream, query, (size_t)len, false, reply, sizeof reply);
    if (reply_len > 0) {
        (void)sendto(upstream->udp, reply, reply_len, 0, (const struct sockaddr *)&peer, peer_len);
    }
}

static void *upstream_serve(void *context)
{
    struct upstream *upstream = context;
    for (;;) {
        struct pollfd polls[3] = {
            {.fd = upstream->udp, .events = POLLIN},
            {.fd = upstream->refuses_tcp ? -1 : upstream->tcp, .events = POLLIN},
            {.fd = upstream->stop[0], .events = POLLIN},
        };
        if (poll(polls, 3, 30000) <= 0 || polls[2].revents != 0) {
            return NULL;
        }
        if (polls[0].revents != 0) {
            upstream_serve_datagram(upstream);
        }
        if (polls[1].revents != 0) {
            upstream_serve_stream(upstream);
        }
    }
}

/* The same port for both; the one that UDP got may be somebody else's in TCP. */
static bool upstream_bind(struct upstream *upstream)
{
    struct sockaddr_storage sockaddr;
    assert_true(address_parse("127.0.0.1", 9, 0, &upstream->address));
    socklen_t len = address_to_sockaddr(&upstream->address, &sockaddr);
    upstream->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(upstream->udp, (const struct sockaddr *)&sockaddr, len), 0);
    assert_int_equal(getsockname(upstream->udp, (struct sockaddr *)&sockaddr, &len), 0);
    upstream->address = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    upstream->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(upstream->tcp, (const struct sockaddr *)&sockaddr, len) == 0 &&
        (upstream->refuses_tcp || listen(upstream->tcp, 16) == 0)) {
        return true;
    }
    (void)close(upstream->udp);
    (void)close(upstream->tcp);
    return false;
}

static void upstream_open(struct upstream *upstream)
{
    unsigned tries = 0;
    while (!upstream_bind(upstream)) {
        assert_true(++tries < 50);
    }
    assert_int_equal(pipe(upstream->stop), 0);
    upstream->asked = 0;
    assert_int_equal(pthread_create(&upstream->thread, NULL, upstream_serve, upstream), 0);
}

static void upstream_close(struct upstream *upstream)
{
    assert_int_equal(write(upstream->stop[1], "x", 1), 1);
    (void)pthread_join(upstream->thread, NULL);
    (void)close(upstream->udp);
    (void)close(upstream->tcp);
    (void)close(upstream->stop[0]);
    (void)close(upstream->stop[1]);
}
