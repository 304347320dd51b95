/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/lines.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/message.h"

#define EVENTS_MAX     64
#define RECEIVE_BUFFER (8 << 20)
#define WAIT_MAX_US    CLOCK_US_PER_S

/* A reply on its way. */
struct parked {
    struct deadline due;
    size_t line;
    unsigned generation;
    struct sockaddr_storage peer;
    socklen_t peer_len;
    size_t len;
    uint8_t bytes[2 + SYNTH_SIZE_MAX]; /* The reply stands behind room for TCP's length. */
};

bool lines_init(struct lines *lines, struct weather *weather, const struct synth_world *world)
{
    memset(lines, 0, sizeof(*lines));
    lines->weather = weather;
    lines->world = world;
    lines->epoll = epoll_create1(EPOLL_CLOEXEC);
    return lines->epoll >= 0 &&
           pool_init(&lines->parked, sizeof(struct parked), LINES_PARKED_MAX) &&
           deadlines_init(&lines->due, LINES_PARKED_MAX);
}

static void line_close(struct line *line)
{
    close(line->fd);
    line->kind = LINE_FREE;
}

void lines_fini(struct lines *lines)
{
    for (size_t i = 0; i < LINES_MAX; i++) {
        if (lines->lines[i].kind != LINE_FREE) {
            line_close(&lines->lines[i]);
        }
    }
    deadlines_fini(&lines->due);
    pool_fini(&lines->parked);
    if (lines->epoll >= 0) {
        close(lines->epoll);
    }
}

void lines_reset_counts(struct lines *lines)
{
    memset(lines->counts, 0, sizeof(lines->counts));
    lines->overflows = 0;
    lines->ignored = 0;
}

/* Takes over `fd`; false: there is no room, and `fd` is closed. */
static bool line_add(struct lines *lines, enum line_kind kind, int fd, size_t address)
{
    for (size_t i = 0; i < LINES_MAX; i++) {
        struct line *line = &lines->lines[i];
        struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
        if (line->kind != LINE_FREE) {
            continue;
        }
        if (epoll_ctl(lines->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            break;
        }
        line->kind = kind;
        line->fd = fd;
        line->address = address;
        line->len = 0;
        line->generation++;
        return true;
    }
    close(fd);
    return false;
}

static bool socket_open(struct lines *lines, const struct address *address, int type)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(address, &sockaddr);
    const int on = 1;
    const int room = RECEIVE_BUFFER;
    int fd = socket(sockaddr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    if (bind(fd, (const struct sockaddr *)&sockaddr, len) != 0 ||
        (type == SOCK_STREAM && listen(fd, LINES_CONNECTIONS_MAX) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    return line_add(lines, type == SOCK_STREAM ? LINE_LISTEN : LINE_UDP, fd, lines->address_count);
}

bool lines_listen(struct lines *lines, const struct address *address)
{
    if (lines->address_count == WEATHER_ADDRESSES_MAX || !socket_open(lines, address, SOCK_DGRAM) ||
        !socket_open(lines, address, SOCK_STREAM)) {
        return false;
    }
    lines->address_count++;
    return true;
}

static void parked_send(struct lines *lines, struct parked *parked)
{
    struct line *line = &lines->lines[parked->line];
    if (line->kind == LINE_FREE || line->generation != parked->generation) {
        return;
    }
    if (line->kind == LINE_UDP) {
        const struct sockaddr *peer = (const struct sockaddr *)&parked->peer;
        (void)sendto(line->fd, parked->bytes + 2, parked->len, 0, peer, parked->peer_len);
        return;
    }
    ssize_t framed_len = (ssize_t)parked->len + 2;
    bytes_put_u16(parked->bytes, (uint16_t)parked->len);
    if (send(line->fd, parked->bytes, (size_t)framed_len, MSG_NOSIGNAL) != framed_len) {
        line_close(line);
    }
}

static void question_count(struct lines *lines, size_t address, bool is_stream, int64_t now)
{
    struct line_count *count = &lines->counts[address];
    int64_t second = now / CLOCK_US_PER_S;
    count->questions++;
    count->by_tcp += is_stream;
    count->in_second = count->second == second ? count->in_second + 1 : 1;
    count->second = second;
    if (count->in_second > count->peak) {
        count->peak = count->in_second;
    }
    if (lines->first_at == 0) {
        lines->first_at = now;
    }
    if (count->first_at == 0) {
        count->first_at = now;
    }
    count->settled += now - count->first_at > LINES_SETTLE_US ? 1 : 0;
}

static size_t datagram_answer(
    const struct lines *lines, const struct message *query, uint8_t bytes_out[SYNTH_SIZE_MAX])
{
    static const uint16_t question_alone[4] = {1};
    size_t len = synth_reply(query, lines->world, bytes_out);
    if (lines->truncates && len > 0) {
        header_set_flags(bytes_out, (uint16_t)(header_flags(bytes_out) | HEADER_TC));
        header_set_counts(bytes_out, question_alone);
        len = query->records_at;
    }
    return len;
}

/* Parks the reply; `from` says where it goes. */
static void reply_park(
    struct lines *lines, const struct parked *from, const struct message *query, int64_t due_at)
{
    uint64_t id = POOL_NONE;
    struct parked *parked = pool_take(&lines->parked, &id);
    if (parked == NULL) {
        lines->overflows++;
        return;
    }
    parked->line = from->line;
    parked->generation = lines->lines[from->line].generation;
    parked->peer = from->peer;
    parked->peer_len = from->peer_len;
    parked->len = lines->lines[from->line].kind == LINE_UDP
                      ? datagram_answer(lines, query, parked->bytes + 2)
                      : synth_reply(query, lines->world, parked->bytes + 2);
    if (parked->len == 0) {
        lines->ignored++;
        pool_give(&lines->parked, id);
        return;
    }
    parked->due.id = id;
    deadlines_set(&lines->due, &parked->due, due_at);
}

/* Counts the question and asks for its weather. WEATHER_NEVER: there is no reply. */
static int64_t question_delay(
    struct lines *lines, size_t address, const struct message *query, bool is_stream, int64_t now)
{
    question_count(lines, address, is_stream, now);
    int64_t delay_us = weather_delay(lines->weather, address, &query->question, is_stream, now);
    lines->counts[address].unanswered += delay_us == WEATHER_NEVER;
    return delay_us;
}

static void datagram_take(struct lines *lines, size_t line_at, unsigned at, int64_t now)
{
    struct burst *burst = &lines->burst;
    struct message query;
    if (message_read(burst->queries[at], burst->incoming[at].msg_len, &query) != MESSAGE_GOOD) {
        lines->ignored++;
        return;
    }
    int64_t delay_us = question_delay(lines, lines->lines[line_at].address, &query, false, now);
    if (delay_us == 0) {
        size_t len = datagram_answer(lines, &query, burst_room(burst, at));
        if (len > 0) {
            burst_reply(burst, at, len);
        }
        lines->ignored += len == 0;
    } else if (delay_us != WEATHER_NEVER) {
        struct parked from = {.line = line_at,
            .peer = burst->peers[at],
            .peer_len = burst->incoming[at].msg_hdr.msg_namelen};
        reply_park(lines, &from, &query, now + delay_us);
    }
}

static void udp_on_readable(struct lines *lines, size_t at)
{
    burst_take(&lines->burst, lines->lines[at].fd);
    int64_t now = clock_now();
    for (unsigned i = 0; i < lines->burst.count; i++) {
        datagram_take(lines, at, i, now);
    }
    burst_send(&lines->burst, lines->lines[at].fd);
}

static void framed_take(struct lines *lines, size_t at, const uint8_t *bytes, size_t len)
{
    const struct parked from = {.line = at};
    struct message query;
    int64_t now = clock_now();
    if (message_read(bytes, len, &query) != MESSAGE_GOOD) {
        lines->ignored++;
        return;
    }
    int64_t delay_us = question_delay(lines, lines->lines[at].address, &query, true, now);
    if (delay_us != WEATHER_NEVER) {
        reply_park(lines, &from, &query, now + delay_us);
    }
}

static void listen_on_readable(struct lines *lines, size_t at)
{
    int fd = accept4(lines->lines[at].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        (void)line_add(lines, LINE_CONNECTION, fd, lines->lines[at].address);
    }
}

/* Takes every whole message out of the line's bytes. False: one is longer than any query. */
static bool messages_take(struct lines *lines, size_t at)
{
    struct line *line = &lines->lines[at];
    while (line->len >= 2) {
        size_t len = bytes_get_u16(line->bytes);
        if (len > LINES_QUERY_MAX) {
            return false;
        }
        if (line->len < 2 + len) {
            return true;
        }
        framed_take(lines, at, line->bytes + 2, len);
        line->len -= 2 + len;
        memmove(line->bytes, line->bytes + 2 + len, line->len);
    }
    return true;
}

static void connection_on_readable(struct lines *lines, size_t at)
{
    struct line *line = &lines->lines[at];
    ssize_t len = recv(line->fd, line->bytes + line->len, sizeof(line->bytes) - line->len, 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    line->len += len > 0 ? (size_t)len : 0;
    if (len <= 0 || !messages_take(lines, at)) {
        line_close(line);
    }
}

static void line_on_readable(struct lines *lines, size_t at)
{
    switch (lines->lines[at].kind) {
    case LINE_FREE:
        break;
    case LINE_UDP:
        udp_on_readable(lines, at);
        break;
    case LINE_LISTEN:
        listen_on_readable(lines, at);
        break;
    case LINE_CONNECTION:
        connection_on_readable(lines, at);
        break;
    }
}

static void due_run(struct lines *lines)
{
    struct deadline *due = deadlines_take_due(&lines->due, clock_now());
    while (due != NULL) {
        struct parked *parked = pool_find(&lines->parked, due->id);
        parked_send(lines, parked);
        pool_give(&lines->parked, due->id);
        due = deadlines_take_due(&lines->due, clock_now());
    }
}

int lines_turn(struct lines *lines)
{
    struct epoll_event events[EVENTS_MAX];
    int foreign = -1;
    due_run(lines);
    int64_t next = deadlines_next(&lines->due);
    int64_t wait_us = next == INT64_MAX ? WAIT_MAX_US : next - clock_now();
    wait_us = wait_us < 0 ? 0 : wait_us;
    const struct timespec wait = {
        .tv_sec = wait_us / CLOCK_US_PER_S,
        .tv_nsec = (long)(wait_us % CLOCK_US_PER_S) * 1000,
    };
    int count = epoll_pwait2(lines->epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < count; i++) {
        uint64_t id = events[i].data.u64;
        if ((id & LINES_FOREIGN) != 0) {
            foreign = (int)(id & ~LINES_FOREIGN);
        } else {
            line_on_readable(lines, id);
        }
    }
    return foreign;
}
