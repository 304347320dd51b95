/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor/check_postfix.h"
#include "doctor/doctor.h"
#include "doctor/postfix_listener.h"

#define PLACES_SIZE 512

/* What Postfix does not understand it does not start with; a reload fails as well. */
static void report_bad_lines(struct doctor *doctor, const struct postfix_instance *instance)
{
    struct report *report = &doctor->report;
    if (instance->main_bad_line != 0) {
        report_add(report, CHECK_pf_running, REPORT_ERROR, REPORT_LIKELY,
            "%s/main.cf:%u is neither a comment nor `name = value`; Postfix stops at it.",
            instance->config_directory, instance->main_bad_line);
        report_advise(report, "Correct or remove line %u; `postconf -c %s -n` must print no error.",
            instance->main_bad_line, instance->config_directory);
        report_blame(report, "Postfix cannot start with its main.cf");
    }
    if (instance->master_bad_line != 0) {
        report_add(report, CHECK_pf_running, REPORT_ERROR, REPORT_LIKELY,
            "%s/master.cf:%u is no service with its eight fields, or has a broken -o option; "
            "Postfix stops at it.",
            instance->config_directory, instance->master_bad_line);
        report_advise(report, "Correct line %u; `postconf -c %s -M` must print no error.",
            instance->master_bad_line, instance->config_directory);
        report_blame(report, "Postfix cannot start with its master.cf");
    }
}

static void report_life(struct doctor *doctor, const struct postfix_instance *instance)
{
    struct report *report = &doctor->report;
    switch (check_postfix_life(doctor, instance)) {
    case CHECK_POSTFIX_RUNS:
        report_add(report, CHECK_pf_running, REPORT_GOOD, REPORT_CERTAIN, "Postfix runs (%s).",
            instance->config_directory);
        return;
    case CHECK_POSTFIX_UNKNOWN:
        report_add(report, CHECK_pf_running, REPORT_SKIPPED, REPORT_CERTAIN,
            "Whether Postfix runs (%s) can be seen by root only, on the running host.",
            instance->config_directory);
        return;
    case CHECK_POSTFIX_STOPPED:
        report_add(report, CHECK_pf_running, REPORT_ERROR, REPORT_CERTAIN,
            "Postfix does not run (%s): no master process is behind %s/pid/master.pid.",
            instance->config_directory, instance->queue_directory);
        report_advise(report,
            "systemctl start postfix; if it does not stay, the mail log tells "
            "why, and `postfix -c %s check` as well.",
            instance->config_directory);
        report_blame(report, "Postfix does not run");
        return;
    }
}

void check_pf_running(struct doctor *doctor)
{
    size_t at = 0;
    const struct postfix_instance *instance;
    if (!check_postfix_present(doctor, CHECK_pf_running)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        report_bad_lines(doctor, instance);
        report_life(doctor, instance);
    }
}

/* "0.0.0.0, ::": where the port is listened on. */
static size_t places_add(const struct doctor *doctor, uint16_t port, struct text *places)
{
    size_t at = 0;
    size_t count = 0;
    const struct net_socket *socket;
    while ((socket = net_sockets_next(&doctor->facts.sockets, NET_TCP, port, &at)) != NULL) {
        char host[ADDRESS_TEXT_SIZE];
        (void)address_format_host(&socket->local, host, sizeof host);
        text_addf(places, "%s%s", count++ > 0 ? ", " : "", host);
    }
    return count;
}

/* Postfix's own processes inherit a socket from master. systemd may listen for others, and docker
 * forward to a Postfix in a container. */
static bool name_is_postfix(const char *name)
{
    static const char *const own[] = {
        "master", "smtpd", "postscreen", "qmqpd", "spawn", "tlsproxy", "systemd", "docker-proxy"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(name, own[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Who has the port; several may, each at an address of its own. */
struct holders {
    bool has_postfix;
    bool has_stranger;
    struct net_owner stranger; /* The last one. */
};

static struct holders holders_find(const struct doctor *doctor, uint16_t port)
{
    struct holders holders = {.has_postfix = false};
    size_t at = 0;
    const struct net_socket *socket;
    while ((socket = net_sockets_next(&doctor->facts.sockets, NET_TCP, port, &at)) != NULL) {
        struct net_owner owner;
        if (!net_socket_owner(&doctor->host, socket, &owner)) {
            continue;
        }
        if (name_is_postfix(owner.name)) {
            holders.has_postfix = true;
        } else {
            holders.has_stranger = true;
            holders.stranger = owner;
        }
    }
    return holders;
}

static void report_stranger(
    struct doctor *doctor, const struct postfix_listener *listener, const struct net_owner *owner)
{
    struct report *report = &doctor->report;
    report_add(report, CHECK_pf_listen, REPORT_ERROR, REPORT_LIKELY,
        "TCP port %u is held by %s (process %ld), not by Postfix.", (unsigned)listener->port,
        owner->name, owner->pid);
    report_advise(report,
        "Stop that program, or take the service out of master.cf:%u; then: systemctl restart "
        "postfix.",
        listener->service->line);
    report_blame(report, "another program (%s) has port %u", owner->name, (unsigned)listener->port);
}

static void report_no_socket(struct doctor *doctor, const struct postfix_listener *listener)
{
    struct report *report = &doctor->report;
    report_add(report, CHECK_pf_listen, REPORT_ERROR, REPORT_CERTAIN,
        "%s/master.cf:%u has the service %s, but nothing listens on TCP port %u: connections are "
        "refused.",
        listener->instance->config_directory, listener->service->line, listener->service->name,
        (unsigned)listener->port);
    report_advise(report, "systemctl restart postfix; the mail log tells when it cannot listen "
                          "(look for `fatal: bind`).");
    report_blame(
        report, "nothing listens on port %u: connections are refused", (unsigned)listener->port);
}

static void report_too_narrow(
    struct doctor *doctor, const struct postfix_listener *listener, const char *places)
{
    struct report *report = &doctor->report;
    char value[256];
    const struct postfix_instance *instance = listener->instance;
    (void)postfix_value(instance, NULL, "inet_interfaces", value, sizeof value);
    report_add(report, CHECK_pf_listen, REPORT_ERROR, REPORT_CERTAIN,
        "TCP port %u listens on %s only, although %s/main.cf says `inet_interfaces = %s`: Postfix "
        "has not been restarted since, and others are refused.",
        (unsigned)listener->port, places, instance->config_directory, value);
    report_advise(report, "systemctl restart postfix (a reload does not change where it listens).");
    report_blame(report, "Postfix still listens on loopback only: restart it");
}

static void report_too_wide(
    struct doctor *doctor, const struct postfix_listener *listener, const char *places)
{
    struct report *report = &doctor->report;
    report_add(report, CHECK_pf_listen, REPORT_WARNING, REPORT_CERTAIN,
        "TCP port %u listens on %s, although the configuration (%s) says loopback only: the next "
        "restart of Postfix closes it to others.",
        (unsigned)listener->port, places, listener->instance->config_directory);
    report_advise(report, "If others are to reach this host, set `inet_interfaces = all` in "
                          "main.cf; then: systemctl restart postfix.");
}

/* One service against what the kernel shows. */
static void listener_check(
    struct doctor *doctor, const struct postfix_listeners *all, const struct postfix_listener *one)
{
    char buffer[PLACES_SIZE];
    struct text places;
    const struct net_sockets *sockets = &doctor->facts.sockets;
    const struct holders holders = holders_find(doctor, one->port);
    text_init(&places, buffer, sizeof buffer);
    if (places_add(doctor, one->port, &places) == 0) {
        report_no_socket(doctor, one);
    } else if (holders.has_stranger && !holders.has_postfix) {
        report_stranger(doctor, one, &holders.stranger);
    } else if (holders.has_stranger) {
        report_add(&doctor->report, CHECK_pf_listen, REPORT_GOOD, REPORT_LIKELY,
            "TCP port %u listens on %s, by Postfix and %s.", (unsigned)one->port, buffer,
            holders.stranger.name);
    } else if (!one->is_loopback && !net_sockets_reach_out(sockets, NET_TCP, one->port)) {
        report_too_narrow(doctor, one, buffer);
    } else if (net_sockets_reach_out(sockets, NET_TCP, one->port) &&
               !postfix_listeners_reach_out(all, one->port)) {
        report_too_wide(doctor, one, buffer);
    } else {
        report_add(&doctor->report, CHECK_pf_listen, REPORT_GOOD, REPORT_CERTAIN,
            "TCP port %u listens on %s.", (unsigned)one->port, buffer);
    }
}

static bool port_was_seen(const struct postfix_listeners *listeners, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (listeners->items[i].port == listeners->items[index].port) {
            return true;
        }
    }
    return false;
}

void check_pf_listen(struct doctor *doctor)
{
    struct postfix_listeners listeners;
    size_t looked_at = 0;
    if (!check_postfix_present(doctor, CHECK_pf_listen)) {
        return;
    }
    if (doctor->facts.sockets.verdict != HOST_READ) {
        report_add(&doctor->report, CHECK_pf_listen, REPORT_SKIPPED, REPORT_CERTAIN,
            "/proc/net/tcp %s.", host_verdict_clause(doctor->facts.sockets.verdict));
        return;
    }
    postfix_listeners_find(&listeners, &doctor->facts.postfix, &doctor->host);
    for (size_t i = 0; i < listeners.count; i++) {
        const struct postfix_listener *one = &listeners.items[i];
        bool is_stopped = check_postfix_life(doctor, one->instance) == CHECK_POSTFIX_STOPPED;
        if (one->port != 0 && !is_stopped && !port_was_seen(&listeners, i)) {
            listener_check(doctor, &listeners, one);
            looked_at++;
        }
    }
    if (looked_at == 0) {
        report_add(&doctor->report, CHECK_pf_listen, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix does not run, or has no service for the network.");
    }
}

/* main.cf:7 or "the default". */
static const char *place_of(
    const struct postfix_instance *instance, const char *name, char *buffer, size_t size)
{
    unsigned line = postfix_line(instance, name);
    if (line == 0) {
        return "the default";
    }
    (void)snprintf(buffer, size, "%s/main.cf:%u", instance->config_directory, line);
    return buffer;
}

static void report_loopback(struct doctor *doctor, const struct postfix_instance *instance)
{
    struct report *report = &doctor->report;
    char place[HOST_PATH_SIZE + 32];
    char reason[HOST_PATH_SIZE + 128];
    (void)place_of(instance, "inet_interfaces", place, sizeof place);
    if (!postfix_receives(instance, reason, sizeof reason)) {
        report_add(report, CHECK_pf_interfaces, REPORT_NOTE, REPORT_CERTAIN,
            "%s: Postfix listens on loopback only, which is right for a host that only sends.",
            place);
        report_advise(report, "If other servers are to deliver here, set `inet_interfaces = all`; "
                              "then: systemctl restart postfix.");
        return;
    }
    report_add(report, CHECK_pf_interfaces, REPORT_ERROR, REPORT_LIKELY,
        "%s: Postfix listens on loopback only, yet %s. Other hosts get `connection refused`.",
        place, reason);
    report_advise(report, "Set `inet_interfaces = all`; then: systemctl restart postfix (a reload "
                          "is not enough).");
    report_blame(report, "Postfix listens on loopback only (inet_interfaces)");
}

static void report_protocols(struct doctor *doctor, const struct postfix_instance *instance)
{
    char value[64];
    char relay[512];
    char place[HOST_PATH_SIZE + 32];
    struct report *report = &doctor->report;
    (void)postfix_value(instance, NULL, "inet_protocols", value, sizeof value);
    if (strcmp(value, "ipv6") != 0) {
        return;
    }
    if (postfix_value(instance, NULL, "relayhost", relay, sizeof relay) > 0) {
        report_add(report, CHECK_pf_interfaces, REPORT_NOTE, REPORT_CERTAIN,
            "%s: Postfix uses IPv6 only (inet_protocols), which is enough to reach the relay host "
            "%s if that has an IPv6 address.",
            place_of(instance, "inet_protocols", place, sizeof place), relay);
        return;
    }
    report_add(report, CHECK_pf_interfaces, REPORT_WARNING, REPORT_CERTAIN,
        "%s: Postfix uses IPv6 only (inet_protocols); most mail servers cannot be reached so.",
        place_of(instance, "inet_protocols", place, sizeof place));
    report_advise(report, "Set `inet_protocols = all`; then: systemctl restart postfix.");
    report_blame(report, "Postfix uses IPv6 only");
}

void check_pf_interfaces(struct doctor *doctor)
{
    size_t at = 0;
    bool reaches_out = false;
    const struct postfix_instance *instance;
    if (!check_postfix_present(doctor, CHECK_pf_interfaces)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        reaches_out |= !postfix_is_loopback_only(instance);
        report_protocols(doctor, instance);
    }
    at = 0;
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        char value[256];
        char place[HOST_PATH_SIZE + 32];
        (void)postfix_value(instance, NULL, "inet_interfaces", value, sizeof value);
        if (!reaches_out) {
            report_loopback(doctor, instance);
            continue;
        }
        report_add(&doctor->report, CHECK_pf_interfaces, REPORT_GOOD, REPORT_CERTAIN,
            "inet_interfaces = %s (%s).", value,
            place_of(instance, "inet_interfaces", place, sizeof place));
    }
}
