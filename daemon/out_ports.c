/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_ports.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/random.h"
#include "daemon/events.h"
#include "daemon/out_log.h"
#include "daemon/out_socket.h"
#include "daemon/stats.h"

/* Free slots are what a busy worker lacks: replies go before new questions. */
#define OUT_PORTS_PRIORITY 1

/* Sockets looked at for one to close when there is no room; those in use are passed over. */
#define OUT_PORTS_EVICT_LOOKS 32

/* So often, in a socket's time, idle ones are looked at. */
#define OUT_PORTS_LOOKS 4

#define OUT_PORTS_SECONDS(us) ((double)(us) / (double)CLOCK_US_PER_S)

/* A socket and what the loop knows of it; one place in the pool. */
struct out_place {
    struct out_socket socket;
    ev_io io;
};

/* One server's sockets. */
struct out_peer {
    struct list used; /* In ports->peers: the one asked last comes first. */
    struct address address;
    uint32_t sockets; /* Retired ones included. */
    uint32_t count;   /* Of `drawn`. */
    struct out_socket *drawn[OUT_PORTS_PER_SERVER];
};

struct out_ports {
    struct out_ports_options options;
    struct pool places;
    struct out_peer *peer_table;
    struct list peers;
    struct list
        ages; /* The oldest first; all have the same time, so the first to go comes first. */
    ev_timer age;
    struct log_limit limit_error;
    struct log_limit limit_attack;
};

static ev_io *out_ports_io(struct out_socket *socket)
{
    return &list_entry(socket, struct out_place, socket)->io;
}

static void out_ports_close(struct out_socket *socket)
{
    struct out_ports *ports = socket->ports;
    must(socket->waiting == 0 && socket->is_retired);
    socket->peer->sockets--;
    ev_io_stop(ports->options.loop, out_ports_io(socket)); /* Pending events end with it. */
    close(socket->fd);
    pool_give(&ports->places, socket->id);
}

void out_ports_retire(struct out_socket *socket)
{
    struct out_peer *peer = socket->peer;
    if (!socket->is_retired) {
        socket->is_retired = true;
        list_remove(&socket->age);
        struct out_socket *last = peer->drawn[--peer->count];
        peer->drawn[socket->place] = last;
        last->place = socket->place;
    }
    if (socket->waiting == 0) {
        out_ports_close(socket);
    }
}

void out_ports_fail(struct out_socket *socket)
{
    if (socket->waiting > 0) {
        socket->has_failed = true;
        ev_feed_event(socket->ports->options.loop, out_ports_io(socket), EV_READ);
    }
    out_ports_retire(socket);
}

void out_ports_enter(struct out_socket *socket, uint16_t wire_id)
{
    socket->waiting++;
    socket->asked[socket->uses++ % OUT_PORTS_USES_MAX] = wire_id;
    if (socket->uses >= socket->ports->options.uses_max && !socket->is_retired) {
        out_ports_retire(socket);
    }
}

void out_ports_leave(struct out_socket *socket)
{
    must(socket->waiting > 0);
    socket->waiting--;
    if (socket->is_retired && socket->waiting == 0) {
        out_ports_close(socket);
    }
}

/* ---- Strays ---- */

static bool out_ports_has_asked(const struct out_socket *socket, uint16_t wire_id)
{
    uint32_t count = socket->uses < OUT_PORTS_USES_MAX ? socket->uses : OUT_PORTS_USES_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (socket->asked[i] == wire_id) {
            return true;
        }
    }
    return false;
}

static void out_ports_log_attack(struct out_ports *ports, const struct out_socket *socket)
{
    char server[ADDRESS_TEXT_SIZE];
    address_format(&socket->peer->address, server, sizeof server);
    log_event_limited(&event_upstream_attacked, &ports->limit_attack, clock_now(),
        "server=%s guesses=%" PRIu32 " waiting=%" PRIu32, server, socket->strays, socket->waiting);
}

void out_ports_on_stray(struct out_socket *socket)
{
    struct out_ports *ports = socket->ports;
    counter_add(&ports->options.stats->upstream_strays, 1);
    socket->strays++;
    if (socket->strays == OUT_PORTS_STRAYS_MAX) {
        counter_add(&ports->options.stats->upstream_ports_suspected, 1);
        out_ports_retire(socket);
    } else if (socket->strays == OUT_PORTS_GUESSES_MAX) {
        counter_add(&ports->options.stats->upstream_ports_attacked, 1);
        out_ports_log_attack(ports, socket);
        socket->is_attacked = true;
        out_ports_fail(socket);
    }
}

/* Late replies to what was withdrawn and repeated ones are no guesses, and a guess of such an id
 * is of no use to anybody. */
void out_ports_on_unawaited(struct out_socket *socket, uint16_t wire_id)
{
    if (out_ports_has_asked(socket, wire_id)) {
        counter_add(&socket->ports->options.stats->upstream_strays, 1);
    } else {
        out_ports_on_stray(socket);
    }
}

/* ---- Age ---- */

static struct out_socket *out_ports_oldest(struct out_ports *ports)
{
    bool is_empty = list_is_empty(&ports->ages);
    return is_empty ? NULL : list_entry(ports->ages.next, struct out_socket, age);
}

static void out_ports_expire(struct out_ports *ports, int64_t now)
{
    struct out_socket *oldest;
    while ((oldest = out_ports_oldest(ports)) != NULL &&
           now - oldest->opened_at >= ports->options.age_us) {
        out_ports_retire(oldest);
    }
}

/* For when no question comes that would look: an idle server's ports do not stay open. */
static void out_ports_on_age(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct out_ports *ports = timer->data;
    out_ports_expire(ports, clock_now());
    if (list_is_empty(&ports->ages)) {
        ev_timer_stop(loop, timer);
    }
}

/* ---- Opening ---- */

static bool out_ports_evict(struct out_ports *ports)
{
    struct list *at = ports->ages.next;
    for (unsigned i = 0; i < OUT_PORTS_EVICT_LOOKS && at != &ports->ages; i++) {
        struct out_socket *socket = list_entry(at, struct out_socket, age);
        if (socket->waiting == 0) {
            out_ports_retire(socket);
            return true;
        }
        at = at->next;
    }
    return false;
}

static void out_ports_on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct out_socket *socket = io->data;
    const struct out_ports_options *options = &socket->ports->options;
    options->on_readable(options->owner, socket);
}

static struct out_socket *out_ports_add(struct out_ports *ports, struct out_peer *peer, int fd)
{
    uint64_t id = POOL_NONE;
    struct out_place *place = pool_take(&ports->places, &id);
    must(place != NULL && peer->count < ports->options.per_server);
    struct out_socket *socket = &place->socket;
    socket->id = id;
    socket->fd = fd;
    socket->ports = ports;
    socket->peer = peer;
    socket->opened_at = clock_now();
    socket->place = peer->count;
    list_init(&socket->lines);
    list_append(&ports->ages, &socket->age);
    peer->drawn[peer->count++] = socket;
    peer->sockets++;
    ev_io_init(&place->io, out_ports_on_readable, fd, EV_READ);
    ev_set_priority(&place->io, OUT_PORTS_PRIORITY);
    place->io.data = socket;
    ev_io_start(ports->options.loop, &place->io);
    if (!ev_is_active(&ports->age)) {
        ev_timer_again(ports->options.loop, &ports->age);
    }
    counter_add(&ports->options.stats->upstream_ports_opened, 1);
    return socket;
}

/* NULL: no room or no descriptor, and nothing that could be closed for it. */
static struct out_socket *out_ports_renew(struct out_ports *ports, struct out_peer *peer)
{
    bool is_full = ports->places.in_use == ports->places.count;
    if (is_full && !out_ports_evict(ports)) {
        return NULL;
    }
    int fd = out_socket_open(ports->options.random, &peer->address);
    bool is_short = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd < 0) {
        out_log_socket(&ports->limit_error, "UDP", errno);
    }
    if (is_short && peer->count == 0 && out_ports_evict(ports)) {
        fd = out_socket_open(ports->options.random, &peer->address);
    }
    return fd < 0 ? NULL : out_ports_add(ports, peer, fd);
}

/* ---- Servers ---- */

/* Its place is another's, unless somebody waits there. */
static bool out_ports_clear_peer(struct out_peer *peer)
{
    while (peer->count > 0) {
        out_ports_retire(peer->drawn[peer->count - 1]);
    }
    return peer->sockets == 0;
}

/* NULL: all places are taken by servers whose replies are awaited. */
static struct out_peer *out_ports_peer(struct out_ports *ports, const struct address *server)
{
    struct out_peer *peer = NULL;
    for (struct list *at = ports->peers.next; at != &ports->peers; at = at->next) {
        peer = list_entry(at, struct out_peer, used);
        if (address_equal(&peer->address, server)) {
            list_remove(&peer->used);
            list_prepend(&ports->peers, &peer->used);
            return peer;
        }
    }
    must(peer != NULL);
    if (!out_ports_clear_peer(peer)) {
        return NULL;
    }
    peer->address = *server;
    list_remove(&peer->used);
    list_prepend(&ports->peers, &peer->used);
    return peer;
}

struct out_socket *out_ports_draw(
    struct out_ports *ports, const struct address *server, bool is_fresh)
{
    struct out_peer *peer = out_ports_peer(ports, server);
    if (peer == NULL) {
        return NULL;
    }
    out_ports_expire(ports, clock_now());
    struct out_socket *drawn = NULL;
    if (is_fresh && peer->count == ports->options.per_server) {
        out_ports_retire(peer->drawn[random_below(ports->options.random, peer->count)]);
    }
    if (peer->count < ports->options.per_server) {
        drawn = out_ports_renew(ports, peer);
    }
    if (drawn == NULL && peer->count > 0) {
        drawn = peer->drawn[random_below(ports->options.random, peer->count)];
    }
    return drawn;
}

/* ---- The whole ---- */

static void out_ports_take_defaults(struct out_ports_options *options)
{
    options->per_server = options->per_server > 0 ? options->per_server : OUT_PORTS_PER_SERVER;
    options->uses_max = options->uses_max > 0 ? options->uses_max : OUT_PORTS_USES_MAX;
    options->age_us = options->age_us > 0 ? options->age_us : OUT_PORTS_AGE_S * CLOCK_US_PER_S;
    must(options->per_server <= OUT_PORTS_PER_SERVER);
}

struct out_ports *out_ports_new(const struct out_ports_options *options)
{
    struct out_ports *ports = calloc(1, sizeof *ports);
    if (ports == NULL) {
        return NULL;
    }
    ports->options = *options;
    out_ports_take_defaults(&ports->options);
    list_init(&ports->peers);
    list_init(&ports->ages);
    double looks_s = OUT_PORTS_SECONDS(ports->options.age_us) / OUT_PORTS_LOOKS;
    ev_timer_init(&ports->age, out_ports_on_age, looks_s, looks_s);
    ports->age.data = ports;
    ports->peer_table = calloc(OUT_PORTS_SERVERS_MAX, sizeof *ports->peer_table);
    if (ports->peer_table == NULL ||
        !pool_init(&ports->places, sizeof(struct out_place), options->sockets_max)) {
        out_ports_free(&ports);
        return NULL;
    }
    for (size_t i = 0; i < OUT_PORTS_SERVERS_MAX; i++) {
        list_append(&ports->peers, &ports->peer_table[i].used);
    }
    return ports;
}

void out_ports_free(struct out_ports **ports)
{
    if (ports == NULL || *ports == NULL) {
        return;
    }
    for (uint32_t i = 0; i < (*ports)->places.count; i++) {
        struct out_place *place = pool_at(&(*ports)->places, i);
        if (place != NULL) {
            place->socket.waiting = 0;
            out_ports_retire(&place->socket);
        }
    }
    ev_timer_stop((*ports)->options.loop, &(*ports)->age);
    pool_fini(&(*ports)->places);
    free((*ports)->peer_table);
    free(*ports);
    *ports = NULL;
}

struct out_socket *out_ports_find(const struct out_ports *ports, uint64_t id)
{
    struct out_place *place = pool_find(&ports->places, id);
    return place == NULL ? NULL : &place->socket;
}

uint32_t out_ports_open(const struct out_ports *ports)
{
    return ports->places.in_use;
}
