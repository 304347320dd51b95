/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/volley.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/bench/deck.h"
#include "wire/header.h"

#define ANSWER_MAX      1500
#define ID_SLOT_BITS    8
#define ID_CHANCE_BITS  8
#define RECEIVE_BUFFER  (1 << 20)
#define LOOK_MS         100 /* Between looks for what was lost. */
#define CHANCE_FACTOR   UINT32_C(1664525)
#define CHANCE_ADDITION UINT32_C(1013904223)

_Static_assert(1 << ID_SLOT_BITS == VOLLEY_WINDOW_MAX, "an id names any slot");

/* One place in the window of a socket. */
struct slot {
    uint64_t draw;
    int64_t sent_at;
    uint8_t id[2];
    uint8_t tries; /* 0: free. */
};

struct lane {
    int fd;
    struct slot slots[VOLLEY_WINDOW_MAX];
};

struct volley {
    const struct volley_options *options;
    struct volley_result *result;
    struct lane lanes[VOLLEY_SOCKETS_MAX];
    unsigned lane_count;
    int epoll;
    uint64_t asked;
    unsigned under_way;
    int64_t begun_at;
    int64_t end_at;
    uint32_t chance; /* For ids; a linear congruence does, for nobody guesses here. */
    struct mmsghdr messages[VOLLEY_WINDOW_MAX];
    struct iovec rooms[VOLLEY_WINDOW_MAX][2];
    uint8_t answers[VOLLEY_WINDOW_MAX][ANSWER_MAX];
};

static bool lane_open(struct volley *volley)
{
    struct sockaddr_storage server;
    socklen_t len = address_to_sockaddr(&volley->options->server, &server);
    const int room = RECEIVE_BUFFER;
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = volley->lane_count}};
    int fd = socket(server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    volley->lanes[volley->lane_count++].fd = fd;
    return connect(fd, (const struct sockaddr *)&server, len) == 0 &&
           epoll_ctl(volley->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool volley_open(struct volley *volley)
{
    volley->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool is_good = volley->epoll >= 0;
    while (is_good && volley->lane_count < volley->options->sockets) {
        is_good = lane_open(volley);
    }
    return is_good;
}

static void volley_close(struct volley *volley)
{
    for (unsigned i = 0; i < volley->lane_count; i++) {
        close(volley->lanes[i].fd);
    }
    if (volley->epoll >= 0) {
        close(volley->epoll);
    }
}

/* Puts the slot's question into the message that is sent `at` so many others. */
static void slot_queue(struct volley *volley, struct lane *lane, unsigned slot_at, unsigned at)
{
    struct slot *slot = &lane->slots[slot_at];
    struct deck_query query = deck_query(volley->options->deck, slot->draw);
    struct iovec *rooms = volley->rooms[at];
    volley->chance = volley->chance * CHANCE_FACTOR + CHANCE_ADDITION;
    bytes_put_u16(
        slot->id, (uint16_t)(slot_at << ID_CHANCE_BITS | volley->chance >> (32 - ID_CHANCE_BITS)));
    rooms[0] = (struct iovec){.iov_base = slot->id, .iov_len = sizeof(slot->id)};
    rooms[1].iov_len = query.len;
    /* The kernel only reads it, but struct iovec serves reading and writing. */
    memcpy(&rooms[1].iov_base, &query.bytes, sizeof(rooms[1].iov_base));
    volley->messages[at].msg_hdr = (struct msghdr){.msg_iov = rooms, .msg_iovlen = 2};
}

/* A message that the kernel does not take counts as lost when its time has come. */
static void lane_send(struct volley *volley, const struct lane *lane, unsigned count)
{
    unsigned done = 0;
    while (done < count) {
        int sent = sendmmsg(lane->fd, volley->messages + done, count - done, MSG_DONTWAIT);
        done += sent > 0 ? (unsigned)sent : 1;
    }
}

/* Gives every free slot a question while there are any. */
static void lane_fill(struct volley *volley, struct lane *lane, int64_t now)
{
    unsigned count = 0;
    for (unsigned i = 0; i < volley->options->window; i++) {
        struct slot *slot = &lane->slots[i];
        if (slot->tries > 0 || volley->asked == volley->options->count || now >= volley->end_at) {
            continue;
        }
        *slot = (struct slot){.draw = volley->asked++, .sent_at = now, .tries = 1};
        volley->under_way++;
        slot_queue(volley, lane, i, count++);
    }
    lane_send(volley, lane, count);
}

static void answer_take(
    struct volley *volley, struct lane *lane, const uint8_t *answer, size_t len, int64_t now)
{
    struct volley_result *result = volley->result;
    struct slot *slot = &lane->slots[answer[0] >> (ID_CHANCE_BITS - 8)];
    if (len < HEADER_SIZE || slot->tries == 0 || memcmp(answer, slot->id, 2) != 0 ||
        (header_flags(answer) & HEADER_QR) == 0) {
        result->strange++;
        return;
    }
    unsigned rcode = header_rcode(answer);
    result->answered++;
    result->failed += rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN;
    result->elapsed_us = now - volley->begun_at;
    histogram_record(&result->waits, now - slot->sent_at);
    slot->tries = 0;
    volley->under_way--;
}

static void lane_on_readable(struct volley *volley, struct lane *lane)
{
    for (unsigned i = 0; i < volley->options->window; i++) {
        volley->rooms[i][0] = (struct iovec){.iov_base = volley->answers[i], .iov_len = ANSWER_MAX};
        volley->messages[i].msg_hdr = (struct msghdr){.msg_iov = volley->rooms[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(lane->fd, volley->messages, volley->options->window, MSG_DONTWAIT, NULL);
    int64_t now = clock_now();
    for (int i = 0; i < count; i++) {
        answer_take(volley, lane, volley->answers[i], volley->messages[i].msg_len, now);
    }
    lane_fill(volley, lane, now);
}

/* Asks again what has waited too long, or gives it up. */
static void lane_look(struct volley *volley, struct lane *lane, int64_t now)
{
    unsigned count = 0;
    for (unsigned i = 0; i < volley->options->window; i++) {
        struct slot *slot = &lane->slots[i];
        if (slot->tries == 0 || now - slot->sent_at < VOLLEY_PATIENCE_US) {
            continue;
        }
        volley->result->lost++;
        if (slot->tries == VOLLEY_TRIES || now >= volley->end_at) {
            volley->result->abandoned++;
            volley->under_way--;
            slot->tries = 0;
            continue;
        }
        slot->tries++;
        slot->sent_at = now;
        slot_queue(volley, lane, i, count++);
    }
    lane_send(volley, lane, count);
    lane_fill(volley, lane, now);
}

static void volley_turn(struct volley *volley, int64_t *looked_at)
{
    struct epoll_event events[VOLLEY_SOCKETS_MAX];
    int count = epoll_wait(volley->epoll, events, VOLLEY_SOCKETS_MAX, LOOK_MS);
    for (int i = 0; i < count; i++) {
        lane_on_readable(volley, &volley->lanes[events[i].data.u32]);
    }
    int64_t now = clock_now();
    if (now - *looked_at < LOOK_MS * CLOCK_US_PER_MS) {
        return;
    }
    *looked_at = now;
    for (unsigned i = 0; i < volley->lane_count; i++) {
        lane_look(volley, &volley->lanes[i], now);
    }
}

bool volley_run(const struct volley_options *options, struct volley_result *result_out)
{
    static struct volley volley;
    volley = (struct volley){.options = options, .result = result_out, .chance = 1};
    memset(result_out, 0, sizeof(*result_out));
    bool is_good = volley_open(&volley);
    volley.begun_at = clock_now();
    volley.end_at = volley.begun_at + options->time_us;
    int64_t looked_at = volley.begun_at;
    for (unsigned i = 0; is_good && i < volley.lane_count; i++) {
        lane_fill(&volley, &volley.lanes[i], volley.begun_at);
    }
    while (is_good && volley.under_way > 0) {
        volley_turn(&volley, &looked_at);
    }
    volley_close(&volley);
    return is_good;
}
