/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "doctor/check_postfix.h"
#include "doctor/doctor.h"
#include "doctor/firewall.h"
#include "doctor/postfix_listener.h"

/* A firewall that keeps its rules in files. */
struct firewall {
    const char *name;
    firewall_look *look;
};

enum firewall_kind {
    FIREWALL_UFW,
    FIREWALL_NFT,
    FIREWALL_ZONES,
    FIREWALL_IPTABLES,
};
#define FIREWALLS 4

static const struct firewall firewalls[FIREWALLS] = {
    [FIREWALL_UFW] = {.name = "ufw", .look = firewall_ufw_look},
    [FIREWALL_NFT] = {.name = "nftables", .look = firewall_nft_look},
    [FIREWALL_ZONES] = {.name = "firewalld", .look = firewall_zones_look},
    [FIREWALL_IPTABLES] = {.name = "iptables", .look = firewall_iptables_look},
};

static void advise_opening(struct doctor *doctor, enum firewall_kind kind, unsigned port)
{
    struct report *report = &doctor->report;
    switch (kind) {
    case FIREWALL_UFW:
        report_advise(report, "ufw allow %u/tcp", port);
        return;
    case FIREWALL_NFT:
        report_advise(report,
            "Add to the input chain of /etc/nftables.conf, above what drops: tcp dport %u accept\n"
            "nft -c -f /etc/nftables.conf && systemctl reload nftables\n"
            "(where the file has `flush ruleset`, restart fail2ban, docker and their like after "
            "that: it takes their rules away)",
            port);
        return;
    case FIREWALL_ZONES:
        report_advise(
            report, "firewall-cmd --permanent --add-port=%u/tcp && firewall-cmd --reload", port);
        return;
    case FIREWALL_IPTABLES:
        report_advise(report,
            "iptables -I INPUT -p tcp --dport %u -j ACCEPT\n"
            "and for the next boot, in the file above what refuses: -A INPUT -p tcp --dport %u -j "
            "ACCEPT\n(iptables-save would write down what fail2ban and docker have added, too)",
            port, port);
        return;
    }
}

/* Port 25 is for all other servers; users may well come from inside only. */
static void report_view(
    struct doctor *doctor, enum firewall_kind kind, unsigned port, const struct firewall_view *view)
{
    struct report *report = &doctor->report;
    const char *name = firewalls[kind].name;
    switch (view->verdict) {
    case FIREWALL_ABSENT:
        return;
    case FIREWALL_OPEN:
        report_add(report, CHECK_fw_rules, REPORT_GOOD, REPORT_LIKELY,
            "%s lets TCP port %u in, as configured.", name, port);
        return;
    case FIREWALL_UNKNOWN:
        report_add(report, CHECK_fw_rules, REPORT_NOTE, REPORT_POSSIBLE,
            "Whether %s lets TCP port %u in cannot be told from its files by the doctor.", name,
            port);
        return;
    case FIREWALL_CLOSED:
        report_add(report, CHECK_fw_rules, port == 25 ? REPORT_ERROR : REPORT_WARNING,
            REPORT_LIKELY,
            "%s does not let TCP port %u in, as configured: %s. Postfix listens there for others.",
            name, port, view->reason);
        advise_opening(doctor, kind, port);
        if (port == 25) {
            report_blame(report, "the firewall (%s) does not let port 25 in", name);
        }
        return;
    }
}

static size_t port_check(struct doctor *doctor, uint16_t port)
{
    size_t seen = 0;
    for (size_t i = 0; i < FIREWALLS; i++) {
        struct firewall_view view;
        firewalls[i].look(&doctor->host, port, &view);
        report_view(doctor, (enum firewall_kind)i, port, &view);
        seen += view.verdict != FIREWALL_ABSENT;
    }
    return seen;
}

void check_fw_rules(struct doctor *doctor)
{
    static const uint16_t ports[] = {25, 587, 465};
    struct postfix_listeners listeners;
    size_t offered = 0;
    size_t seen = 0;
    struct report *report = &doctor->report;
    if (!check_postfix_present(doctor, CHECK_fw_rules)) {
        return;
    }
    postfix_listeners_find(&listeners, &doctor->facts.postfix, &doctor->host);
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        if (postfix_listeners_reach_out(&listeners, ports[i])) {
            offered++;
            seen += port_check(doctor, ports[i]);
        }
    }
    if (offered == 0) {
        report_add(report, CHECK_fw_rules, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix offers no port to other hosts.");
    } else if (seen == 0) {
        report_add(report, CHECK_fw_rules, REPORT_GOOD, REPORT_POSSIBLE,
            "No firewall is set up in files here (ufw, nftables, firewalld, iptables); rules that "
            "are loaded otherwise, and the provider's firewall, cannot be seen from here.");
    }
}
