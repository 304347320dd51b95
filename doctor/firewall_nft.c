/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "doctor/firewall.h"
#include "doctor/host.h"

#define NFT_PATH  "/etc/nftables.conf"
#define LINE_SIZE 1024

/* A walk over the file, statement by statement. */
struct nft {
    uint16_t port;
    unsigned line;
    bool is_ipv6_only; /* In a table of IPv6 alone. */
    bool is_input;     /* In a chain of the hook input. */
    bool closes;       /* The policy of that chain. */
    bool is_decided;   /* A rule of that chain has said it for the port. */
    bool is_unclear;   /* Rules that cannot be judged from here. */
    bool has_input;
};

static bool line_starts(const char *line, const char *start)
{
    return strncmp(line, start, strlen(start)) == 0;
}

/* "tcp dport { 25, 587 } accept": the text between dport and the verdict. */
static bool line_is_for_port(const char *line, uint16_t port)
{
    const char *list = strstr(line, "dport");
    if (list == NULL) {
        return false;
    }
    list += strlen("dport");
    list += strspn(list, " \t=");
    size_t len = strcspn(list, *list == '{' ? "}" : " \t;");
    return firewall_list_has(list, len, port);
}

static bool line_is_conditional(const char *line)
{
    static const char *const words[] = {"saddr", "iif", "iifname", "daddr", "icmp", "icmpv6", "udp",
        "sport", "meta", "mark", "limit", "nexthdr", "protocol", "l4proto", "state"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (firewall_line_has(line, words[i])) {
            /* `ct state new` does not narrow it for a first packet. */
            return strcmp(words[i], "state") != 0 || strstr(line, "new") == NULL;
        }
    }
    return false;
}

static bool line_refuses(const char *line)
{
    return firewall_line_has(line, "drop") || firewall_line_has(line, "reject");
}

/* The ports stand elsewhere. */
static bool line_is_indirect(const char *line)
{
    return strchr(line, '@') != NULL || strchr(line, '$') != NULL || strstr(line, "vmap") != NULL ||
           strstr(line, "!=") != NULL;
}

static void nft_close(struct nft *nft, struct firewall_view *view, const char *how)
{
    nft->is_decided = true;
    if (!nft->is_ipv6_only && view->verdict != FIREWALL_CLOSED) {
        firewall_set(view, FIREWALL_CLOSED, NFT_PATH ":%u %s", nft->line, how);
    }
}

/* A rule of the input chain. */
static void nft_take_rule(struct nft *nft, const char *line, struct firewall_view *view)
{
    bool has_port = strstr(line, "dport") != NULL;
    bool is_for_port = line_is_for_port(line, nft->port);
    bool accepts = firewall_line_has(line, "accept");
    bool is_conditional = line_is_conditional(line);
    nft->is_unclear |= firewall_line_has(line, "jump") || firewall_line_has(line, "goto") ||
                       (has_port && line_is_indirect(line));
    if (nft->is_decided || (has_port && !is_for_port)) {
        return;
    }
    if (accepts && is_for_port) {
        /* From some networks only: then not for all other servers. */
        nft->is_decided = !firewall_line_has(line, "saddr");
    } else if (is_conditional) {
        /* Another interface than lo may be where the mail comes from. */
        nft->is_unclear |= accepts && strstr(line, "iif") != NULL && strstr(line, "lo") == NULL;
    } else if (accepts) {
        nft->is_decided = true;
    } else if (line_refuses(line)) {
        nft_close(nft, view, "refuses it");
    }
}

static void nft_end_chain(struct nft *nft, struct firewall_view *view)
{
    if (nft->is_input && !nft->is_decided && nft->closes) {
        nft_close(nft, view, "ends a chain that drops what it does not accept");
    }
    nft->is_input = false;
}

static void nft_begin_chain(struct nft *nft)
{
    nft->is_input = false;
    nft->closes = false;
    nft->is_decided = false;
}

static void nft_take(struct nft *nft, const char *line, struct firewall_view *view)
{
    if (line_starts(line, "table")) {
        nft->is_ipv6_only = line_starts(line, "table ip6 ");
    } else if (line_starts(line, "include")) {
        /* The package's own example is not there unless an admin wrote it. */
        nft->is_unclear = true;
    } else if (line_starts(line, "chain")) {
        nft_begin_chain(nft);
    }
    if (strstr(line, "hook input") != NULL) {
        nft->is_input = true;
        nft->has_input = true;
    }
    if (strstr(line, "policy drop") != NULL) {
        nft->closes = true;
    } else if (nft->is_input && strstr(line, "policy") == NULL &&
               strstr(line, "hook input") == NULL) {
        nft_take_rule(nft, line, view);
    }
    /* A set in braces opens and closes on one line, once lines are joined. */
    if (line[0] == '}') {
        nft_end_chain(nft, view);
    }
}

/* Past a comment, and past the end of the line or statement. */
static const char *statement_end(struct nft *nft, const char *at)
{
    at += strcspn(at, *at == '#' ? "\n" : "\n;");
    nft->line += *at == '\n';
    return at + (*at != '\0');
}

/* A statement without its comment and the blanks in front; lines of a set in braces are joined. */
static const char *statement_read(struct nft *nft, const char *at, char line_out[LINE_SIZE])
{
    size_t len = 0;
    bool is_open = false;
    line_out[0] = '\0';
    do {
        at += strspn(at, " \t\r");
        size_t text = strcspn(at, "#\n;");
        int written = snprintf(line_out + len, LINE_SIZE - len, "%s%.*s", len > 0 ? " " : "",
            (int)(text < LINE_SIZE ? text : LINE_SIZE - 1), at);
        len += (size_t)written;
        at = statement_end(nft, at + text);
        const char *list = strstr(line_out, "dport");
        is_open = list != NULL && strchr(list, '{') != NULL && strchr(list, '}') == NULL;
    } while (is_open && *at != '\0' && len < LINE_SIZE - 1);
    return at;
}

/* Without systemd's link the file is not loaded at boot. */
void firewall_nft_look(const struct host *host, uint16_t port, struct firewall_view *view_out)
{
    struct host_file file;
    struct nft nft = {.port = port, .line = 1};
    firewall_set(view_out, FIREWALL_ABSENT, "%s", "");
    if (!firewall_unit_is_enabled(host, "nftables.service")) {
        return;
    }
    enum host_verdict verdict = host_read(host, NFT_PATH, HOST_FILE_MAX, &file);
    if (verdict == HOST_DENIED) {
        firewall_set(view_out, FIREWALL_UNKNOWN, NFT_PATH);
    }
    for (const char *at = verdict == HOST_READ ? file.bytes : ""; *at != '\0';) {
        char line[LINE_SIZE];
        at = statement_read(&nft, at, line);
        nft_take(&nft, line, view_out);
    }
    host_file_fini(&file);
    if (view_out->verdict == FIREWALL_CLOSED && nft.is_unclear) {
        firewall_set(view_out, FIREWALL_UNKNOWN, NFT_PATH);
    } else if (view_out->verdict == FIREWALL_ABSENT && nft.has_input) {
        firewall_set(view_out, FIREWALL_OPEN, NFT_PATH);
    }
}
