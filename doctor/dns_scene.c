/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/dns_scene.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/types.h"
#include "mail/public_resolver.h"
#include "conf/resolv_conf.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "doctor/doctor.h"

#define DNS_PORT 53

/* Domains that every mail host exchanges mail with, and addresses that everybody has a name for. */
static const struct dns_names names_usual = {
    .mx = {"gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.net"},
    .a = {"gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.net"},
    .ptr = {"8.8.8.8.in-addr.arpa", "1.1.1.1.in-addr.arpa", "9.9.9.9.in-addr.arpa",
        "4.8.8.8.in-addr.arpa", "1.0.0.1.in-addr.arpa"},
    .signed_domain = "isc.org",
    .bogus_domain = "dnssec-failed.org",
    .large = ".",
};

static struct dns_server *scene_add(struct dns_scene *scene, const struct address *address)
{
    for (size_t i = 0; i < scene->server_count; i++) {
        if (address_equal(&scene->servers[i].address, address)) {
            return &scene->servers[i];
        }
    }
    if (scene->server_count == DNS_SERVERS_MAX) {
        return NULL;
    }
    struct dns_server *server = &scene->servers[scene->server_count++];
    *server = (struct dns_server){.address = *address, .state = DNS_UNKNOWN};
    return server;
}

static void scene_add_resolver(struct dns_scene *scene, const struct address *address)
{
    struct dns_server *server = scene_add(scene, address);
    if (server != NULL) {
        server->is_resolver = true;
    }
}

/* libc asks the first three; without any, 127.0.0.1. */
static void scene_add_resolvers(struct dns_scene *scene, const struct resolv_conf *libc)
{
    static const struct address loopback = {
        .family = ADDRESS_IPV4, .bytes = {127, 0, 0, 1}, .port = DNS_PORT};
    for (size_t i = 0; i < libc->server_count && i < RESOLV_CONF_LIBC_MAX; i++) {
        scene_add_resolver(scene, &libc->servers[i]);
    }
    if (libc->server_count == 0) {
        scene_add_resolver(scene, &loopback);
    }
}

static void scene_add_group(
    struct dns_scene *scene, const struct settings_group *group, bool is_special)
{
    for (size_t i = 0; i < group->server_count; i++) {
        struct dns_server *server = scene_add(scene, &group->servers[i].address);
        if (server == NULL) {
            continue;
        }
        server->is_upstream = server->is_upstream || !is_special;
        server->is_special = !server->is_upstream && !server->is_resolver;
        server->is_tls = settings_server_is_tls(&group->servers[i]);
    }
}

/* mxcache is asked even where libc does not, if it runs. */
static void scene_add_own(struct dns_scene *scene, const struct doctor *doctor)
{
    const struct settings *settings = doctor->options.settings;
    const struct doctor_daemon *daemon = doctor->options.daemon;
    bool is_absent = daemon != NULL && daemon->state == DOCTOR_DAEMON_ABSENT;
    if (is_absent) {
        return; /* Whoever answers at its address is somebody else. */
    }
    if (daemon != NULL && settings->listen_count > 0 && !address_is_any(&settings->listen[0])) {
        (void)scene_add(scene, &settings->listen[0]);
    }
    for (size_t i = 0; i < scene->server_count; i++) {
        struct dns_server *server = &scene->servers[i];
        server->is_own = upstreams_is_own(settings, &server->address);
    }
}

/* What a packet to the Internet would bear as its sender; connect(2) of UDP sends nothing. */
static void scene_add_source(struct dns_scene *scene, const char *text)
{
    struct address peer;
    struct sockaddr_storage sockaddr;
    (void)address_parse(text, strlen(text), DNS_PORT, &peer);
    socklen_t len = address_to_sockaddr(&peer, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    if (connect(fd, (const struct sockaddr *)&sockaddr, len) == 0) {
        len = sizeof sockaddr;
        (void)getsockname(fd, (struct sockaddr *)&sockaddr, &len);
        struct address own = address_from_sockaddr((const struct sockaddr *)&sockaddr);
        own.port = 0;
        scene->own[scene->own_count++] = own;
    }
    (void)close(fd);
}

static void scene_gather(struct doctor *doctor)
{
    struct dns_scene *scene = &doctor->facts.dns;
    const struct settings *settings = doctor->options.settings;
    scene_add_resolvers(scene, &doctor->facts.resolver.files[0].conf);
    if (settings != NULL) {
        for (size_t i = 0; i < settings->group_count; i++) {
            scene_add_group(scene, &settings->groups[i], i > 0);
        }
        scene_add_own(scene, doctor);
    }
    scene->names = names_usual;
    scene_add_source(scene, "198.41.0.4");
    scene_add_source(scene, "2001:503:ba3e::2:30");
}

static void scene_take(struct dns_scene *scene, const struct dns_given *given)
{
    memcpy(scene->servers, given->servers, sizeof scene->servers);
    scene->server_count = given->server_count;
    scene->names = given->names;
    memcpy(scene->own, given->own, sizeof scene->own);
    scene->own_count = given->own_count;
    scene->limit_us = given->limit_us;
}

static const char *server_part(const struct dns_server *server)
{
    if (server->is_own) {
        return "mxcache";
    }
    if (server->is_upstream) {
        return server->is_resolver ? "resolv.conf and upstream" : "upstream";
    }
    return server->is_resolver ? "resolv.conf" : "upstream of a zone";
}

static void server_show(struct dns_server *server)
{
    char text[ADDRESS_TEXT_SIZE];
    const char *owner = public_resolver_name(&server->address);
    if (server->address.port == DNS_PORT) {
        (void)address_format_host(&server->address, text, sizeof text);
    } else {
        (void)address_format(&server->address, text, sizeof text);
    }
    (void)snprintf(server->shown, sizeof server->shown, "%s (%s%s%s%s)", text, server_part(server),
        owner != NULL ? ", " : "", owner != NULL ? owner : "", owner != NULL ? "'s" : "");
}

void dns_scene_run(struct doctor *doctor, struct ask_batch *batch)
{
    struct dns_scene *scene = &doctor->facts.dns;
    int64_t limit_us = scene->left_us < DNS_BATCH_LIMIT_US ? scene->left_us : DNS_BATCH_LIMIT_US;
    int64_t began_at = clock_now();
    for (size_t i = 0; i < batch->count && scene->limit_us > 0; i++) {
        batch->asks[i].limit_us = scene->limit_us;
    }
    ask_batch_run(batch, doctor->random, limit_us);
    scene->left_us -= clock_now() - began_at;
}

/* Their bytes end with the batch. */
static void server_note(struct dns_server *server, const struct ask *udp, const struct ask *tcp)
{
    server->tcp = *tcp;
    server->tcp.stored = NULL;
    if (udp == NULL) {
        return;
    }
    server->udp = *udp;
    server->udp.stored = NULL;
    if (ask_is_answered(udp)) {
        server->state = DNS_WELL;
    } else if (ask_is_replied(udp)) {
        server->state = DNS_FAILING;
    } else {
        server->state = udp->verdict == ASK_UNASKED ? DNS_UNKNOWN : DNS_SILENT;
    }
}

/* `. NS` by UDP, as libc asks, and by TCP; of a server that speaks TLS, whether it takes the
 * connection. */
static void scene_probe(struct doctor *doctor)
{
    struct dns_scene *scene = &doctor->facts.dns;
    struct ask_batch batch;
    struct ask *udp[DNS_SERVERS_MAX];
    struct ask *tcp[DNS_SERVERS_MAX];
    ask_batch_init(&batch, (size_t)2 * DNS_SERVERS_MAX);
    for (size_t i = 0; i < scene->server_count; i++) {
        struct dns_server *server = &scene->servers[i];
        server_show(server);
        tcp[i] = ask_batch_add(&batch, &server->address, ".", TYPE_NS);
        tcp[i]->way = server->is_tls ? ASK_CONNECT : ASK_BY_TCP;
        tcp[i]->form.has_edns = false;
        udp[i] = NULL;
        if (!server->is_tls) {
            udp[i] = ask_batch_add(&batch, &server->address, ".", TYPE_NS);
            udp[i]->form.has_edns = false;
        }
    }
    dns_scene_run(doctor, &batch);
    for (size_t i = 0; i < scene->server_count; i++) {
        server_note(&scene->servers[i], udp[i], tcp[i]);
    }
    ask_batch_fini(&batch);
    scene->is_probed = true;
}

bool dns_scene_look(struct doctor *doctor, enum check_id check)
{
    struct dns_scene *scene = &doctor->facts.dns;
    const struct dns_given *given = doctor->options.given;
    if (doctor->options.is_offline || (given == NULL && !doctor->host.is_live)) {
        report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
            "No questions are asked with --offline and --root.");
        return false;
    }
    if (scene->is_probed) {
        return true;
    }
    scene->left_us = DNS_SCENE_LIMIT_US;
    if (given != NULL) {
        scene_take(scene, given);
    } else {
        scene_gather(doctor);
    }
    scene_probe(doctor);
    return true;
}

bool dns_server_is_usable(const struct dns_server *server)
{
    return server->state == DNS_WELL && !server->is_special;
}

bool dns_scene_ready(struct doctor *doctor, enum check_id check)
{
    if (!dns_scene_look(doctor, check)) {
        return false;
    }
    const struct dns_scene *scene = &doctor->facts.dns;
    for (size_t i = 0; i < scene->server_count; i++) {
        if (dns_server_is_usable(&scene->servers[i])) {
            return true;
        }
    }
    report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
        "No DNS server answers; see fw-dns.");
    return false;
}

bool dns_scene_is_ours(const struct dns_scene *scene)
{
    bool is_ours = false;
    for (size_t i = 0; i < scene->server_count; i++) {
        if (scene->servers[i].is_resolver && !scene->servers[i].is_own) {
            return false;
        }
        is_ours = is_ours || scene->servers[i].is_resolver;
    }
    return is_ours;
}
