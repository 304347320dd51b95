/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/listen_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <ev.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/pool.h"
#include "wire/header.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "daemon/allow.h"
#include "daemon/relief.h"
#include "daemon/stats.h"

/* Room for the asked address, whatever the family. */
#define CONTROL_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

/* The answers of a batch stand one behind the other, for they are small and their memory is to stay
 * in the processor's cache; each is composed in room for the largest message. */
#define ANSWERS_SIZE  (4u * MESSAGE_SIZE_MAX)
#define ANSWERS_ALIGN 64u

struct control {
    alignas(struct cmsghdr) uint8_t bytes[CONTROL_SIZE];
};

struct listen_socket {
    ev_io readable;
    struct listen_udp *owner;
    uint32_t index;
    int fd;
    bool is_wildcard;
    struct address address; /* What it is bound to. */
    struct relief *relief;
};

/* No larger than it must be: the slots of a batch are to stay in the processor's cache. */
union peer {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

/* One datagram of the batch, from its arrival to its answer. */
struct slot {
    union peer from;
    struct iovec query_room;
    struct iovec answer_room;
    struct address asked; /* The local address, if the socket is a wildcard; else ADDRESS_NONE. */
    struct control control_in;
    struct control control_out;
};

/* Where a waiting client's answer must leave from. Kept only when there is a wildcard socket. */
struct way_back {
    struct address asked;
    uint32_t index;
};

/* An answer to a client who had to wait, until the end of the turn. */
struct delivery {
    struct sockaddr_storage to;
    struct control control;
    struct iovec room;
    uint32_t index; /* Of the socket. */
};

struct listen_udp {
    struct ev_loop *loop;
    const struct settings *settings;
    struct resolver *resolver;
    struct daemon_stats *stats;
    struct listen_socket *sockets;
    size_t socket_count;
    bool has_wildcard;
    bool is_shedding; /* In this batch; see daemon/relief.h. */
    struct pool ways_back;
    uint8_t *answers; /* ANSWERS_SIZE bytes, of which the batch has used `answers_len`. */
    size_t answers_len;
    uint8_t *queries; /* LISTEN_UDP_QUERY_MAX bytes for each slot. */
    struct mmsghdr incoming[LISTEN_UDP_BATCH];
    struct mmsghdr outgoing[LISTEN_UDP_BATCH];
    unsigned outgoing_count;
    unsigned used_count; /* Slots from the first on that the last batch filled. */
    struct slot slots[LISTEN_UDP_BATCH];

    /* Invariant: deliveries[0, delivery_count) lie in delivery_bytes[0, delivery_len), in order. */
    uint8_t *delivery_bytes;
    size_t delivery_len;
    unsigned delivery_count;
    struct delivery deliveries[LISTEN_UDP_BATCH];
    struct mmsghdr delivered[LISTEN_UDP_BATCH];
};

static void slot_prepare(struct slot *slot, struct mmsghdr *incoming, const struct iovec *room)
{
    slot->query_room = *room;
    slot->asked = (struct address){.family = ADDRESS_NONE};
    *incoming = (struct mmsghdr){.msg_hdr = {
                                     .msg_name = &slot->from,
                                     .msg_namelen = sizeof slot->from,
                                     .msg_iov = &slot->query_room,
                                     .msg_iovlen = 1,
                                 }};
}

static struct address asked_of_ipv4(const struct cmsghdr *control)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(control), sizeof info);
    struct address asked = {.family = ADDRESS_IPV4};
    memcpy(asked.bytes, &info.ipi_spec_dst, 4);
    return asked;
}

static struct address asked_of_ipv6(const struct cmsghdr *control)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(control), sizeof info);
    struct address asked = {.family = ADDRESS_IPV6};
    memcpy(asked.bytes, &info.ipi6_addr, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
        asked.scope_id = info.ipi6_ifindex;
    }
    return asked;
}

static void slot_read_control(struct slot *slot, struct msghdr *incoming)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(incoming); control != NULL;
         control = CMSG_NXTHDR(incoming, control)) {
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            slot->asked = asked_of_ipv4(control);
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            slot->asked = asked_of_ipv6(control);
        }
    }
}

/* Makes the message leave from the address that was asked. */
static void asked_write(
    const struct address *asked, struct control *control, struct msghdr *outgoing)
{
    if (asked->family == ADDRESS_NONE) {
        return;
    }
    memset(control, 0, sizeof *control);
    outgoing->msg_control = control->bytes;
    outgoing->msg_controllen = sizeof control->bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(outgoing);
    if (asked->family == ADDRESS_IPV4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, asked->bytes, 4);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(header), &info, sizeof info);
        outgoing->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = asked->scope_id};
        memcpy(&info.ipi6_addr, asked->bytes, 16);
        header->cmsg_level = IPPROTO_IPV6;
        header->cmsg_type = IPV6_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(header), &info, sizeof info);
        outgoing->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

/* The client's line: the socket's index, or the id of its way back. False: no room for that. */
static bool listen_udp_take_line(struct listen_udp *listen_udp, const struct listen_socket *socket,
    const struct slot *slot, uint64_t *line_out)
{
    if (!listen_udp->has_wildcard) {
        *line_out = socket->index;
        return true;
    }
    struct way_back *way_back = pool_take(&listen_udp->ways_back, line_out);
    if (way_back == NULL) {
        return false;
    }
    *way_back = (struct way_back){.asked = slot->asked, .index = socket->index};
    return true;
}

static void listen_udp_give_line(struct listen_udp *listen_udp, uint64_t line)
{
    if (listen_udp->has_wildcard) {
        pool_give(&listen_udp->ways_back, line);
    }
}

static void slot_queue_answer(
    struct slot *slot, struct listen_udp *listen_udp, size_t answer_len, socklen_t from_len)
{
    uint8_t *answer = listen_udp->answers + listen_udp->answers_len;
    size_t room = (answer_len + ANSWERS_ALIGN - 1) / ANSWERS_ALIGN * ANSWERS_ALIGN;
    slot->answer_room = (struct iovec){.iov_base = answer, .iov_len = answer_len};
    listen_udp->answers_len += room;
    struct mmsghdr *outgoing = &listen_udp->outgoing[listen_udp->outgoing_count++];
    *outgoing = (struct mmsghdr){.msg_hdr = {
                                     .msg_name = &slot->from,
                                     .msg_namelen = from_len,
                                     .msg_iov = &slot->answer_room,
                                     .msg_iovlen = 1,
                                 }};
    asked_write(&slot->asked, &slot->control_out, &outgoing->msg_hdr);
}

static bool slot_is_admitted(
    const struct slot *slot, const struct listen_socket *socket, const struct address *client)
{
    const struct address *asked = socket->is_wildcard ? &slot->asked : &socket->address;
    return allow_admits(socket->owner->settings, client) || allow_is_ourselves(client, asked);
}

static void slot_ask(
    struct slot *slot, struct listen_socket *socket, const struct mmsghdr *incoming, int64_t now)
{
    struct listen_udp *listen_udp = socket->owner;
    struct ask ask = {
        .client = {.address = address_from_sockaddr(&slot->from.any)},
        .query = slot->query_room.iov_base,
        .len = incoming->msg_len,
        .answer = listen_udp->answers + listen_udp->answers_len,
        .is_shed = listen_udp->is_shedding,
    };
    if (listen_udp->is_shedding) {
        relief_note(socket->relief, &ask.client.address, now);
    }
    if (!slot_is_admitted(slot, socket, &ask.client.address)) {
        counter_add(&listen_udp->stats->clients_not_allowed, 1);
        return;
    }
    if ((incoming->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        counter_add(&listen_udp->stats->udp_too_long, 1);
        return;
    }
    if (!listen_udp_take_line(listen_udp, socket, slot, &ask.client.line)) {
        counter_add(&listen_udp->stats->udp_unsent, 1);
        return;
    }
    switch (resolver_ask(listen_udp->resolver, &ask, now)) {
    case ASK_PARKED:
        return;
    case ASK_ANSWERED:
        slot_queue_answer(slot, listen_udp, ask.answer_len, incoming->msg_hdr.msg_namelen);
        break;
    case ASK_DROPPED:
        break;
    }
    listen_udp_give_line(listen_udp, ask.client.line);
}

/* A message that the kernel refuses for itself is skipped; a full buffer ends the batch, because
 * waiting would hold up everybody else. The client asks again. */
static void listen_udp_send(
    struct listen_udp *listen_udp, int fd, struct mmsghdr *outgoing, unsigned count)
{
    unsigned done = 0;
    while (done < count) {
        int sent = sendmmsg(fd, outgoing + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            counter_add(&listen_udp->stats->udp_sent, (uint64_t)sent);
            done += (unsigned)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            counter_add(&listen_udp->stats->udp_unsent, 1);
            done++;
        }
    }
    counter_add(&listen_udp->stats->udp_unsent, count - done);
}

static void listen_udp_send_batch(struct listen_udp *listen_udp, int fd)
{
    listen_udp_send(listen_udp, fd, listen_udp->outgoing, listen_udp->outgoing_count);
    listen_udp->outgoing_count = 0;
    listen_udp->answers_len = 0;
}

/* Only what the last batch has used is made ready again: most batches are small. */
static void listen_udp_prepare(struct listen_udp *listen_udp)
{
    for (unsigned i = 0; i < listen_udp->used_count; i++) {
        const struct iovec room = {
            .iov_base = listen_udp->queries + (size_t)i * LISTEN_UDP_QUERY_MAX,
            .iov_len = LISTEN_UDP_QUERY_MAX,
        };
        slot_prepare(&listen_udp->slots[i], &listen_udp->incoming[i], &room);
    }
    listen_udp->used_count = 0;
}

/* The asked address is worth a sixth of a datagram's cost, so only a wildcard socket is asked. */
static void listen_udp_prepare_control(struct listen_udp *listen_udp)
{
    for (unsigned i = 0; i < LISTEN_UDP_BATCH; i++) {
        struct msghdr *incoming = &listen_udp->incoming[i].msg_hdr;
        incoming->msg_control = listen_udp->slots[i].control_in.bytes;
        incoming->msg_controllen = sizeof listen_udp->slots[i].control_in.bytes;
    }
    listen_udp->used_count = LISTEN_UDP_BATCH;
}

static void listen_udp_take(
    struct listen_udp *listen_udp, struct listen_socket *socket, unsigned index, int64_t now)
{
    struct slot *slot = &listen_udp->slots[index];
    struct mmsghdr *incoming = &listen_udp->incoming[index];
    if (socket->is_wildcard) {
        slot_read_control(slot, &incoming->msg_hdr);
    }
    if (ANSWERS_SIZE - listen_udp->answers_len < MESSAGE_SIZE_MAX) {
        listen_udp_send_batch(listen_udp, socket->fd);
    }
    slot_ask(slot, socket, incoming, now);
}

/* False: nothing more to read now. */
static bool socket_turn(struct listen_socket *socket)
{
    struct listen_udp *listen_udp = socket->owner;
    listen_udp_prepare(listen_udp);
    if (socket->is_wildcard) {
        listen_udp_prepare_control(listen_udp);
    }
    int count = recvmmsg(socket->fd, listen_udp->incoming, LISTEN_UDP_BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0) {
        (void)relief_on_read(socket->relief, true, 0);
        return false;
    }
    if (!socket->is_wildcard) {
        listen_udp->used_count = (unsigned)count;
    }
    int64_t now = clock_now();
    listen_udp->is_shedding = relief_on_read(socket->relief, count < LISTEN_UDP_BATCH, now);
    counter_add(&listen_udp->stats->udp_received, (uint64_t)count);
    for (unsigned i = 0; i < (unsigned)count; i++) {
        listen_udp_take(listen_udp, socket, i, now);
    }
    listen_udp_send_batch(listen_udp, socket->fd);
    resolver_settle(listen_udp->resolver, clock_now() - now);
    return count == LISTEN_UDP_BATCH;
}

static void listen_udp_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct listen_socket *socket = watcher->data;
    for (unsigned i = 0; i < LISTEN_UDP_BATCHES_MAX && socket_turn(socket); i++) {
    }
}

static bool listen_udp_allocate(struct listen_udp *listen_udp)
{
    listen_udp->answers = malloc(ANSWERS_SIZE);
    listen_udp->queries = malloc((size_t)LISTEN_UDP_BATCH * LISTEN_UDP_QUERY_MAX);
    listen_udp->delivery_bytes = malloc(MESSAGE_SIZE_MAX);
    if (listen_udp->sockets == NULL || listen_udp->answers == NULL || listen_udp->queries == NULL ||
        listen_udp->delivery_bytes == NULL) {
        return false;
    }
    listen_udp->used_count = LISTEN_UDP_BATCH;
    /* One more than can wait, for the question that is being asked. */
    return !listen_udp->has_wildcard || pool_init(&listen_udp->ways_back, sizeof(struct way_back),
                                            (uint32_t)listen_udp->settings->questions_max + 1);
}

/* False: memory is short. */
static bool listen_udp_add(struct listen_udp *listen_udp, int fd, const struct address *address)
{
    struct listen_socket *socket = &listen_udp->sockets[listen_udp->socket_count];
    const struct relief_options relief = {
        .loop = listen_udp->loop, .fd = fd, .stats = listen_udp->stats};
    socket->relief = relief_new(&relief);
    if (socket->relief == NULL) {
        return false;
    }
    socket->owner = listen_udp;
    socket->index = (uint32_t)listen_udp->socket_count++;
    socket->fd = fd;
    socket->address = *address;
    socket->is_wildcard = address_is_any(address);
    ev_io_init(&socket->readable, listen_udp_on_readable, fd, EV_READ);
    socket->readable.data = socket;
    ev_io_start(listen_udp->loop, &socket->readable);
    return true;
}

struct listen_udp *listen_udp_new(const struct listen_udp_options *options)
{
    struct listen_udp *listen_udp = calloc(1, sizeof *listen_udp);
    if (listen_udp == NULL) {
        return NULL;
    }
    listen_udp->loop = options->loop;
    listen_udp->settings = options->settings;
    listen_udp->resolver = options->resolver;
    listen_udp->stats = options->stats;
    listen_udp->sockets = calloc(options->count, sizeof *listen_udp->sockets);
    for (size_t i = 0; i < options->count; i++) {
        listen_udp->has_wildcard |= address_is_any(&options->addresses[i]);
    }
    bool is_well = listen_udp_allocate(listen_udp);
    for (size_t i = 0; is_well && i < options->count; i++) {
        is_well = listen_udp_add(listen_udp, options->fds[i], &options->addresses[i]);
    }
    if (!is_well) {
        listen_udp_free(&listen_udp);
    }
    return listen_udp;
}

void listen_udp_free(struct listen_udp **listen_udp)
{
    if (listen_udp == NULL || *listen_udp == NULL) {
        return;
    }
    listen_udp_flush(*listen_udp);
    for (size_t i = 0; i < (*listen_udp)->socket_count; i++) {
        ev_io_stop((*listen_udp)->loop, &(*listen_udp)->sockets[i].readable);
        relief_free(&(*listen_udp)->sockets[i].relief);
    }
    pool_fini(&(*listen_udp)->ways_back);
    free((*listen_udp)->sockets);
    free((*listen_udp)->answers);
    free((*listen_udp)->queries);
    free((*listen_udp)->delivery_bytes);
    free(*listen_udp);
    *listen_udp = NULL;
}

/* Asked for when somebody wants to know: with each datagram it would cost more than it is worth. */
void listen_udp_note_lost(struct listen_udp *listen_udp)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < listen_udp->socket_count; i++) {
        lost += relief_lost(listen_udp->sockets[i].relief);
    }
    counter_set(&listen_udp->stats->udp_lost_in_kernel, lost);
}

void listen_udp_set_settings(struct listen_udp *listen_udp, const struct settings *settings)
{
    listen_udp->settings = settings;
}

void listen_udp_stop(struct listen_udp *listen_udp)
{
    for (size_t i = 0; i < listen_udp->socket_count; i++) {
        struct listen_socket *socket = &listen_udp->sockets[i];
        listen_udp_on_readable(listen_udp->loop, &socket->readable, EV_READ);
        ev_io_stop(listen_udp->loop, &socket->readable);
        relief_end(socket->relief);
    }
}

/* How many of the deliveries from `first` on leave from its socket. */
static unsigned listen_udp_run(const struct listen_udp *listen_udp, unsigned first)
{
    unsigned end = first;
    while (end < listen_udp->delivery_count &&
           listen_udp->deliveries[end].index == listen_udp->deliveries[first].index) {
        end++;
    }
    return end - first;
}

void listen_udp_flush(struct listen_udp *listen_udp)
{
    for (unsigned first = 0; first < listen_udp->delivery_count;) {
        unsigned count = listen_udp_run(listen_udp, first);
        const struct listen_socket *socket =
            &listen_udp->sockets[listen_udp->deliveries[first].index];
        listen_udp_send(listen_udp, socket->fd, listen_udp->delivered + first, count);
        first += count;
    }
    listen_udp->delivery_count = 0;
    listen_udp->delivery_len = 0;
}

static void listen_udp_queue(struct listen_udp *listen_udp, const struct client *client,
    const struct way_back *way_back, const uint8_t *message, size_t len)
{
    must(len <= MESSAGE_SIZE_MAX);
    if (listen_udp->delivery_count == LISTEN_UDP_BATCH ||
        len > MESSAGE_SIZE_MAX - listen_udp->delivery_len) {
        listen_udp_flush(listen_udp);
    }
    struct delivery *delivery = &listen_udp->deliveries[listen_udp->delivery_count];
    struct mmsghdr *outgoing = &listen_udp->delivered[listen_udp->delivery_count++];
    uint8_t *bytes = listen_udp->delivery_bytes + listen_udp->delivery_len;
    memcpy(bytes, message, len);
    listen_udp->delivery_len += len;
    delivery->index = way_back->index;
    delivery->room = (struct iovec){.iov_base = bytes, .iov_len = len};
    *outgoing =
        (struct mmsghdr){.msg_hdr = {
                             .msg_name = &delivery->to,
                             .msg_namelen = address_to_sockaddr(&client->address, &delivery->to),
                             .msg_iov = &delivery->room,
                             .msg_iovlen = 1,
                         }};
    asked_write(&way_back->asked, &delivery->control, &outgoing->msg_hdr);
}

void listen_udp_deliver(
    struct listen_udp *listen_udp, const struct client *client, const uint8_t *message, size_t len)
{
    struct way_back way_back = {.index = (uint32_t)client->line};
    if (listen_udp->has_wildcard) {
        const struct way_back *found = pool_find(&listen_udp->ways_back, client->line);
        must(found != NULL);
        way_back = *found;
        pool_give(&listen_udp->ways_back, client->line);
    }
    must(way_back.index < listen_udp->socket_count);
    listen_udp_queue(listen_udp, client, &way_back, message, len);
}
