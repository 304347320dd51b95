/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/asker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "wire/ask.h"
#include "wire/header.h"
#include "wire/match.h"

#define EVENTS_MAX       64
#define LIBC_PATIENCE_US (5 * CLOCK_US_PER_S)
#define LIBC_TRIES       2
#define FILTER_PATIENCE  CLOCK_US_PER_S
#define FILTER_TRIES     5
#define SHARED_MARK      (UINT64_C(1) << 63) /* Among epoll's events; the rest is the number. */
#define SHARED_BUFFER    (1 << 20)

struct asked {
    struct deadline patience;
    const struct question *question;
    uint64_t tag;
    enum workload_manner manner;
    int fd; /* Libc's own, or one of the shared. */
    uint16_t dns_id;
    unsigned tries;
    int64_t started_at;
};

static int socket_connect(const struct asker *asker)
{
    int fd = socket(asker->server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&asker->server, asker->server_len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool socket_watch(const struct asker *asker, int fd, uint64_t mark)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = mark}};
    return fd >= 0 && epoll_ctl(asker->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool asker_init(struct asker *asker, const struct address *server, uint32_t questions_max,
    asker_done done, void *context)
{
    const int room = SHARED_BUFFER;
    memset(asker, 0, sizeof(*asker));
    asker->server_len = address_to_sockaddr(server, &asker->server);
    asker->done = done;
    asker->context = context;
    random_init_system(&asker->random);
    asker->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool is_good = asker->epoll >= 0 &&
                   pool_init(&asker->questions, sizeof(struct asked), questions_max) &&
                   deadlines_init(&asker->deadlines, questions_max);
    for (unsigned i = 0; i < ASKER_SHARED; i++) {
        asker->shared[i] = socket_connect(asker);
        is_good = is_good && socket_watch(asker, asker->shared[i], SHARED_MARK | i);
        setsockopt(asker->shared[i], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    return is_good;
}

static void descriptor_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void asker_fini(struct asker *asker)
{
    for (uint32_t i = 0; i < asker->questions.count; i++) {
        struct asked *asked = pool_at(&asker->questions, i);
        if (asked != NULL && asked->manner == WORKLOAD_LIBC) {
            descriptor_close(asked->fd);
        }
    }
    for (unsigned i = 0; i < ASKER_SHARED; i++) {
        descriptor_close(asker->shared[i]);
    }
    descriptor_close(asker->epoll);
    deadlines_fini(&asker->deadlines);
    pool_fini(&asker->questions);
}

static void asked_send(struct asker *asker, struct asked *asked, int64_t now)
{
    uint8_t bytes[ASK_SIZE_MAX];
    bool is_filter = asked->manner == WORKLOAD_FILTER;
    const struct ask_form form = {.id = asked->dns_id, .has_edns = is_filter};
    size_t len = ask_write(&form, asked->question, bytes, sizeof(bytes));
    must(len > 0);
    asked->tries++;
    asker->retries += asked->tries > 1;
    deadlines_set(&asker->deadlines, &asked->patience,
        now + (is_filter ? FILTER_PATIENCE : LIBC_PATIENCE_US));
    (void)send(asked->fd, bytes, len, 0); /* What cannot be sent is met by the next try. */
}

/* Libc closes its socket after each question, and opens a new one when SERVFAIL came. */
static void libc_socket_open(struct asker *asker, struct asked *asked)
{
    descriptor_close(asked->fd);
    asked->fd = socket_connect(asker);
    must(socket_watch(asker, asked->fd, asked->patience.id));
}

static uint16_t shared_id_take(struct asker *asker, uint64_t id)
{
    while (pool_find(&asker->questions, asker->by_id[asker->id_next]) != NULL) {
        asker->id_next++;
    }
    asker->by_id[asker->id_next] = id;
    return asker->id_next++;
}

void asker_ask(struct asker *asker, enum workload_manner manner, const struct question *question,
    uint64_t tag, int64_t now)
{
    uint64_t id = POOL_NONE;
    struct asked *asked = pool_take(&asker->questions, &id);
    must(asked != NULL);
    *asked = (struct asked){
        .patience = {.id = id},
        .question = question,
        .tag = tag,
        .manner = manner,
        .fd = -1,
        .started_at = now,
    };
    asker->asked++;
    if (manner == WORKLOAD_FILTER) {
        asked->dns_id = shared_id_take(asker, id);
        asked->fd = asker->shared[asker->shared_next++ % ASKER_SHARED];
    } else {
        asked->dns_id = random_u16(&asker->random);
        libc_socket_open(asker, asked);
    }
    asked_send(asker, asked, now);
}

/* The bytes of an answer, for the owner. */
struct reply {
    const uint8_t *bytes;
    size_t len;
};

static void asked_end(
    struct asker *asker, struct asked *asked, enum asker_outcome outcome, const struct reply *reply)
{
    int64_t now = clock_now();
    const struct asker_result result = {
        .answer = reply->bytes,
        .answer_len = reply->len,
        .tag = asked->tag,
        .outcome = outcome,
        .wait_us = now - asked->started_at,
        .tries = asked->tries,
        .question = asked->question,
    };
    if (asked->manner == WORKLOAD_LIBC) {
        descriptor_close(asked->fd);
    }
    deadlines_clear(&asker->deadlines, &asked->patience);
    pool_give(&asker->questions, asked->patience.id);
    asker->done(asker->context, &result);
}

static void asked_on_failure(struct asker *asker, struct asked *asked, int64_t now)
{
    const struct reply none = {.bytes = NULL};
    if (asked->manner == WORKLOAD_FILTER || asked->tries == LIBC_TRIES) {
        asked_end(asker, asked, ASKER_FAILED, &none);
        return;
    }
    libc_socket_open(asker, asked);
    asked_send(asker, asked, now);
}

static void asked_on_reply(
    struct asker *asker, struct asked *asked, const uint8_t *bytes, size_t len)
{
    enum match_verdict verdict = match_reply(bytes, len, asked->dns_id, asked->question);
    if (verdict == MATCH_NO) {
        return;
    }
    unsigned rcode = header_rcode(bytes);
    asker->truncated += (header_flags(bytes) & HEADER_TC) != 0;
    if (verdict == MATCH_YES && (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN)) {
        const struct reply reply = {.bytes = bytes, .len = len};
        asked_end(asker, asked, ASKER_ANSWERED, &reply);
    } else {
        asked_on_failure(asker, asked, clock_now());
    }
}

static void shared_on_readable(struct asker *asker, int fd)
{
    uint8_t bytes[ASKER_SIZE_MAX];
    ssize_t len = 0;
    while ((len = recv(fd, bytes, sizeof(bytes), 0)) >= 0) {
        struct asked *asked = NULL;
        if (len >= HEADER_SIZE) {
            asked = pool_find(&asker->questions, asker->by_id[header_id(bytes)]);
        }
        if (asked != NULL) {
            asked_on_reply(asker, asked, bytes, (size_t)len);
        }
    }
}

/* A refused port is noticed by libc at once, and counts as a failed try. */
static void libc_on_readable(struct asker *asker, struct asked *asked)
{
    uint8_t bytes[ASKER_SIZE_MAX];
    ssize_t len = recv(asked->fd, bytes, sizeof(bytes), 0);
    if (len >= HEADER_SIZE) {
        asked_on_reply(asker, asked, bytes, (size_t)len);
    } else if (len < 0 && errno == ECONNREFUSED) {
        asked_on_failure(asker, asked, clock_now());
    }
}

int64_t asker_next(const struct asker *asker)
{
    return deadlines_next(&asker->deadlines);
}

void asker_expire(struct asker *asker, int64_t now)
{
    const struct reply none = {.bytes = NULL};
    struct deadline *due = NULL;
    while ((due = deadlines_take_due(&asker->deadlines, now)) != NULL) {
        struct asked *asked = pool_find(&asker->questions, due->id);
        unsigned tries_max = asked->manner == WORKLOAD_FILTER ? FILTER_TRIES : LIBC_TRIES;
        if (asked->tries == tries_max) {
            asked_end(asker, asked, ASKER_SILENT, &none);
        } else {
            asked_send(asker, asked, now);
        }
    }
}

void asker_turn(struct asker *asker, int64_t until)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t wait_us = until - clock_now();
    wait_us = wait_us < 0 ? 0 : wait_us;
    const struct timespec wait = {
        .tv_sec = wait_us / CLOCK_US_PER_S,
        .tv_nsec = (long)(wait_us % CLOCK_US_PER_S) * 1000,
    };
    int count = epoll_pwait2(asker->epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < count; i++) {
        uint64_t mark = events[i].data.u64;
        struct asked *asked = pool_find(&asker->questions, mark);
        if ((mark & SHARED_MARK) != 0) {
            shared_on_readable(asker, asker->shared[mark & ~SHARED_MARK]);
        } else if (asked != NULL) {
            libc_on_readable(asker, asked);
        }
    }
}
