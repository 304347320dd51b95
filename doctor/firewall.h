/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the firewalls' files say about a TCP port: ufw, nftables, firewalld and the saved rules of
 * iptables. As configured, not as loaded, and not complete: a rule that depends on more than the
 * port is left aside, and where such rules may decide, the verdict is "not known". Any bytes are
 * safe. Main thread.
 */
struct host;

enum firewall_verdict {
    FIREWALL_ABSENT, /* Not installed, or not switched on. */
    FIREWALL_OPEN,
    FIREWALL_CLOSED,
    FIREWALL_UNKNOWN,
};

#define FIREWALL_REASON_SIZE 160

struct firewall_view {
    enum firewall_verdict verdict;
    char reason[FIREWALL_REASON_SIZE]; /* Of CLOSED: FILE:LINE and what it does. */
};

typedef void firewall_look(const struct host *host, uint16_t port, struct firewall_view *view_out);

firewall_look firewall_ufw_look;
firewall_look firewall_nft_look;
firewall_look firewall_zones_look; /* firewalld. */
firewall_look firewall_iptables_look;

__attribute__((format(printf, 3, 4))) void firewall_set(
    struct firewall_view *view, enum firewall_verdict verdict, const char *format, ...);

/* Is the port in "25", "smtp", "20:30", "20-30" or a list of such, separated by commas, blanks or
 * braces? */
bool firewall_list_has(const char *list, size_t len, uint16_t port);

/* Does one of the words, separated by blanks, equal `wanted`? */
bool firewall_line_has(const char *line, const char *wanted);

/* Is there a link to the unit in a .wants folder of /etc/systemd/system? */
bool firewall_unit_is_enabled(const struct host *host, const char *unit);
