/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sockets.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/events.h"
#include "daemon/inherited.h"
#include "daemon/notify.h"
#include "daemon/opening.h"
#include "daemon/trouble.h"

/* Of one address and protocol: sockets->all[first, first + count). */
struct group {
    struct opening opening;
    size_t first;
    size_t count;
};

static struct inherited_socket *group_at(
    const struct sockets *sockets, const struct group *group, size_t index)
{
    return &sockets->all[group->first + index];
}

/* The kernel picks the socket by the first 16 bits of the datagram, the query's id, modulo the
 * number of workers. Sockets beyond that get nothing new. */
static void group_attach(int fd, size_t picked_count)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)picked_count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog filter = {.len = 3, .filter = program};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) != 0) {
        log_event(&event_not_spread, "error=\"%s\"", strerror(errno));
    }
}

static void group_log_buffer(int fd, const struct address *address)
{
    int granted = 0;
    socklen_t len = sizeof granted;
    char place[ADDRESS_TEXT_SIZE];
    (void)address_format(address, place, sizeof place);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &len) == 0) {
        /* The kernel tells twice the size that it granted. */
        log_event(&event_receive_buffer, "address=%s asked=%d granted=%d", place,
            OPENING_BUFFER_BYTES, granted / 2);
    }
}

/* Port 0 has become a real one with the first socket, which the others then share. */
static void group_learn_port(struct group *group, int fd)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = sizeof sockaddr;
    if (group->opening.address.port == 0 &&
        getsockname(fd, (struct sockaddr *)&sockaddr, &len) == 0) {
        group->opening.address.port =
            address_from_sockaddr((const struct sockaddr *)&sockaddr).port;
    }
}

/* Behind all others of the group, in place and in name. */
static void group_append(struct sockets *sockets, struct group *group, int fd)
{
    unsigned index = group->count == 0 ? 0 : group_at(sockets, group, group->count - 1)->index + 1;
    group_learn_port(group, fd);
    sockets->all[sockets->count++] = (struct inherited_socket){
        .fd = fd,
        .address = group->opening.address,
        .is_stream = group->opening.is_stream,
        .is_new = true,
        .index = index,
    };
    group->count++;
}

static void group_inherit(
    struct sockets *sockets, struct group *group, const struct inherited *inherited)
{
    struct inherited_socket *found;
    while ((found = inherited_find(inherited, &group->opening.address, group->opening.is_stream)) !=
           NULL) {
        (void)opening_adopt(&group->opening, found->fd);
        sockets->all[sockets->count++] = *found;
        sockets->taken_count++;
        group->count++;
        found->fd = -1;
    }
}

/* A socket for each worker. A group of another user, whom a socket unit's sockets belong to, cannot
 * be joined; then what is there is shared. */
static bool group_fill(struct sockets *sockets, struct group *group)
{
    size_t inherited_count = group->count;
    if (inherited_count == 0 && !opening_is_free(&group->opening)) {
        return false;
    }
    while (group->count < sockets->worker_count) {
        int fd;
        if (!opening_open(&group->opening, &fd)) {
            break;
        }
        group_append(sockets, group, fd);
    }
    if (group->count < sockets->worker_count && inherited_count > 0) {
        char place[ADDRESS_TEXT_SIZE];
        (void)address_format(&group->opening.address, place, sizeof place);
        log_event(&event_sockets_shared, "address=%s protocol=%s error=\"%s\"", place,
            group->opening.is_stream ? "tcp" : "udp", strerror(group->opening.error));
        return true;
    }
    return group->count >= sockets->worker_count;
}

/* Each socket has a worker, and each worker a socket. */
static void group_share_out(struct sockets *sockets, const struct group *group)
{
    size_t turns = group->count > sockets->worker_count ? group->count : sockets->worker_count;
    for (size_t i = 0; i < turns; i++) {
        struct worker_sockets *worker = &sockets->of_worker[i % sockets->worker_count];
        const struct inherited_socket *socket = group_at(sockets, group, i % group->count);
        if (socket->is_stream) {
            worker->tcp[worker->tcp_count++] = socket->fd;
        } else {
            worker->udp_addresses[worker->udp_count] = socket->address;
            worker->udp[worker->udp_count++] = socket->fd;
        }
    }
}

static bool group_open(
    struct sockets *sockets, struct group *group, const struct inherited *inherited)
{
    group->first = sockets->count;
    group->count = 0;
    if (inherited != NULL) {
        group_inherit(sockets, group, inherited);
    }
    if (!group_fill(sockets, group)) {
        return false;
    }
    int first = group_at(sockets, group, 0)->fd;
    if (!group->opening.is_stream) {
        group_log_buffer(first, &group->opening.address);
        if (group->count > 1) {
            size_t workers = sockets->worker_count;
            group_attach(first, group->count < workers ? group->count : workers);
        }
    }
    return true;
}

static void sockets_close_from(struct sockets *sockets, size_t first)
{
    while (sockets->count > first) {
        (void)close(sockets->all[--sockets->count].fd);
    }
}

static void sockets_note_early(struct sockets *sockets, const struct opening *opening)
{
    char place[ADDRESS_TEXT_SIZE];
    if (!opening->is_early) {
        sockets->present_count++;
        return;
    }
    (void)address_format(&opening->address, place, sizeof place);
    log_event(&event_listen_early, "address=%s", place);
}

/* UDP and TCP of one `listen` address. */
static bool sockets_add(struct sockets *sockets, const struct address *address,
    const struct inherited *inherited, struct trouble *trouble)
{
    struct group udp = {.opening = {.address = *address}};
    udp.opening.is_shared = sockets->worker_count > 1;
    size_t first = sockets->count;
    bool is_open = group_open(sockets, &udp, inherited);
    struct group tcp = udp;
    if (is_open) {
        tcp.opening.is_stream = true;
        is_open = group_open(sockets, &tcp, inherited);
    }
    if (is_open) {
        sockets_note_early(sockets, &tcp.opening);
        sockets->listen[sockets->listen_count++] = tcp.opening.address;
        group_share_out(sockets, &udp);
        group_share_out(sockets, &tcp);
        return true;
    }
    sockets_close_from(sockets, first);
    if (opening_is_excusable(&tcp.opening)) {
        char place[ADDRESS_TEXT_SIZE];
        (void)address_format(address, place, sizeof place);
        log_event(&event_no_ipv6, "address=%s", place);
        return true;
    }
    opening_explain(&tcp.opening, trouble);
    return false;
}

/* A worker may have to read any of them. */
static bool sockets_allocate(struct sockets *sockets, size_t inherited_count)
{
    size_t room = 2 * sockets->worker_count * SETTINGS_LISTEN_MAX + inherited_count;
    sockets->all = calloc(room, sizeof *sockets->all);
    sockets->of_worker = calloc(sockets->worker_count, sizeof *sockets->of_worker);
    bool is_well = sockets->all != NULL && sockets->of_worker != NULL;
    size_t worker_room = SETTINGS_LISTEN_MAX + inherited_count;
    for (size_t i = 0; is_well && i < sockets->worker_count; i++) {
        struct worker_sockets *worker = &sockets->of_worker[i];
        worker->udp = calloc(worker_room, sizeof *worker->udp);
        worker->udp_addresses = calloc(worker_room, sizeof *worker->udp_addresses);
        worker->tcp = calloc(worker_room, sizeof *worker->tcp);
        is_well = worker->udp != NULL && worker->udp_addresses != NULL && worker->tcp != NULL;
    }
    return is_well;
}

static bool sockets_try(struct sockets *sockets, const struct settings *settings,
    const struct inherited *inherited, struct trouble *trouble)
{
    if (!sockets_allocate(sockets, inherited == NULL ? 0 : inherited->count)) {
        trouble_set(trouble, EX_OSERR, "no memory for %zu workers; lower `workers`.",
            sockets->worker_count);
        return false;
    }
    for (size_t i = 0; i < settings->listen_count; i++) {
        if (!sockets_add(sockets, &settings->listen[i], inherited, trouble)) {
            return false;
        }
    }
    if (sockets->listen_count == 0) {
        trouble_set(trouble, EX_CONFIG,
            "there is no address to listen on. Set `listen`, for instance to 127.0.0.1.");
    } else if (sockets->present_count == 0) {
        const struct opening first = {.address = sockets->listen[0], .error = EADDRNOTAVAIL};
        opening_explain(&first, trouble);
    }
    return sockets->present_count > 0;
}

bool sockets_open(struct sockets *sockets, const struct settings *settings,
    const struct inherited *inherited, struct trouble *trouble)
{
    *sockets = (struct sockets){.worker_count = (size_t)settings->workers};
    bool is_open = sockets_try(sockets, settings, inherited, trouble);
    if (!is_open) {
        sockets_fini(sockets);
    }
    return is_open;
}

bool sockets_take_over(struct sockets *sockets, const struct settings *settings,
    const struct notify *notify, struct trouble *trouble)
{
    struct inherited inherited;
    if (!inherited_init(&inherited, notify)) {
        trouble_set_memory(trouble);
        return false;
    }
    bool is_open = sockets_open(sockets, settings, &inherited, trouble);
    inherited_fini(&inherited);
    return is_open;
}

void sockets_fini(struct sockets *sockets)
{
    sockets_close_from(sockets, 0);
    for (size_t i = 0; sockets->of_worker != NULL && i < sockets->worker_count; i++) {
        free(sockets->of_worker[i].udp);
        free(sockets->of_worker[i].udp_addresses);
        free(sockets->of_worker[i].tcp);
    }
    free(sockets->of_worker);
    free(sockets->all);
    *sockets = (struct sockets){.worker_count = 0};
}

/* The store's own are there, and a socket unit's are kept by their unit. */
void sockets_keep(const struct sockets *sockets, const struct notify *notify)
{
    size_t kept_count = 0;
    for (size_t i = 0; i < sockets->count; i++) {
        const struct inherited_socket *socket = &sockets->all[i];
        char name[INHERITED_NAME_SIZE];
        if (!socket->is_new) {
            continue;
        }
        inherited_name(socket, name);
        if (!notify_keep(notify, socket->fd, name)) {
            return;
        }
        kept_count++;
    }
    log_event(&event_sockets_kept, "new=%zu taken=%zu", kept_count, sockets->taken_count);
}

const struct worker_sockets *sockets_of(const struct sockets *sockets, size_t worker)
{
    return &sockets->of_worker[worker];
}
