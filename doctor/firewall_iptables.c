/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "doctor/firewall.h"
#include "doctor/host.h"

/* What `iptables-save` wrote, as iptables-persistent of Debian and the service of RHEL keep it. */
static const char *const paths[] = {"/etc/iptables/rules.v4", "/etc/sysconfig/iptables"};

#define WORD_SIZE 128

/* A rule of the chain INPUT, or the chain's policy. */
struct rule {
    char target[WORD_SIZE];
    bool is_for_port;
    bool has_port;
    bool is_conditional; /* It depends on more than protocol and port. */
    bool is_narrow;      /* It is about some networks, or another protocol. */
    bool is_of_input;
};

/* The next word; a "quoted one" is one. */
static bool word_next(const char **at_inout, char word_out[WORD_SIZE])
{
    const char *at = *at_inout + strspn(*at_inout, " \t");
    bool is_quoted = *at == '"';
    at += is_quoted;
    size_t len = strcspn(at, is_quoted ? "\"" : " \t");
    (void)snprintf(word_out, WORD_SIZE, "%.*s", (int)(len < WORD_SIZE ? len : WORD_SIZE - 1), at);
    *at_inout = at + len + (is_quoted && at[len] != '\0');
    return len > 0 || is_quoted;
}

static bool word_is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* One option with its value, which says something about the rule. */
static void rule_take(struct rule *rule, const char *option, const char *value, uint16_t port)
{
    static const char *const ports[] = {"--dport", "--dports", "--destination-port"};
    static const char *const states[] = {"--state", "--ctstate"};
    static const char *const silent[] = {"-m", "--comment", "--reject-with", "--tcp-flags"};
    static const char *const targets[] = {"-j", "--jump", "-g"};
    if (strcmp(option, "-A") == 0) {
        rule->is_of_input = strcmp(value, "INPUT") == 0;
    } else if (word_is_one_of(option, ports, 3)) {
        rule->has_port = true;
        rule->is_for_port = firewall_list_has(value, strlen(value), port);
    } else if (word_is_one_of(option, targets, 3)) {
        (void)snprintf(rule->target, sizeof rule->target, "%s", value);
    } else if (strcmp(option, "-p") == 0) {
        rule->is_narrow |= strcmp(value, "tcp") != 0 && strcmp(value, "all") != 0;
        rule->is_conditional |= rule->is_narrow;
    } else if (word_is_one_of(option, states, 2)) {
        rule->is_conditional |= strstr(value, "NEW") == NULL;
    } else if (!word_is_one_of(option, silent, 4)) {
        rule->is_conditional = true;
        rule->is_narrow |= strcmp(option, "-s") == 0 || strcmp(option, "--source") == 0;
    }
}

static struct rule rule_read(const char *line, uint16_t port)
{
    struct rule rule = {.is_conditional = false};
    char option[WORD_SIZE];
    char value[WORD_SIZE];
    while (word_next(&line, option)) {
        const char *behind = line;
        bool has_value = strcmp(option, "!") != 0 && word_next(&behind, value) && value[0] != '-';
        if (has_value) {
            line = behind;
            rule_take(&rule, option, value, port);
        } else {
            rule.is_conditional |= strcmp(option, "--syn") != 0;
        }
    }
    return rule;
}

struct table {
    const char *path;
    uint16_t port;
    unsigned line;
    bool is_loaded; /* At boot, as far as is known: the file stays when its program is removed. */
    bool is_filter;
    bool has_jump; /* INPUT goes on in chains of the site's own. */
    bool is_named; /* Some rule of some chain lets the port in. */
    bool policy_closes;
};

static void table_take_rule(struct table *table, const char *text, struct firewall_view *view)
{
    const struct rule rule = rule_read(text, table->port);
    bool accepts = strcmp(rule.target, "ACCEPT") == 0;
    bool refuses = strcmp(rule.target, "DROP") == 0 || strcmp(rule.target, "REJECT") == 0;
    table->is_named |= accepts && rule.is_for_port && !rule.is_narrow;
    if (!rule.is_of_input || view->verdict != FIREWALL_ABSENT) {
        return;
    }
    if (!accepts && !refuses) {
        /* The chains of fail2ban refuse or return, and logging decides nothing. */
        table->has_jump |= rule.target[0] != '\0' && strcmp(rule.target, "LOG") != 0 &&
                           strncmp(rule.target, "f2b-", 4) != 0;
    } else if (!rule.is_conditional && (rule.is_for_port || !rule.has_port)) {
        firewall_set(view, accepts ? FIREWALL_OPEN : FIREWALL_CLOSED, "%s:%u refuses it",
            table->path, table->line);
    }
}

static void table_take(struct table *table, const char *text, struct firewall_view *view)
{
    if (text[0] == '*') {
        table->is_filter = strncmp(text, "*filter", 7) == 0;
    } else if (!table->is_filter) {
        return;
    } else if (strncmp(text, ":INPUT ", 7) == 0) {
        table->policy_closes = strncmp(text + 7, "DROP", 4) == 0;
    } else if (strncmp(text, "-A ", 3) == 0) {
        table_take_rule(table, text, view);
    }
}

static void file_judge(char *bytes, struct table *table, struct firewall_view *view)
{
    for (char *at = bytes; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        char *next = at + len + (at[len] != '\0');
        at[len] = '\0';
        table->line++;
        table_take(table, at, view);
        at = next;
    }
    if (view->verdict == FIREWALL_ABSENT) {
        firewall_set(view, table->policy_closes ? FIREWALL_CLOSED : FIREWALL_OPEN,
            "no rule of %s allows it", table->path);
    }
    bool is_unclear = table->has_jump || !table->is_loaded;
    if (view->verdict == FIREWALL_CLOSED && (is_unclear || table->is_named)) {
        firewall_set(view, table->is_named ? FIREWALL_OPEN : FIREWALL_UNKNOWN, "%s", table->path);
    }
}

static bool is_loaded(const struct host *host)
{
    static const char *const units[] = {
        "netfilter-persistent.service", "iptables.service", "iptables-persistent.service"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (firewall_unit_is_enabled(host, units[i])) {
            return true;
        }
    }
    return false;
}

void firewall_iptables_look(const struct host *host, uint16_t port, struct firewall_view *view_out)
{
    firewall_set(view_out, FIREWALL_ABSENT, "%s", "");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct host_file file;
        struct table table = {.path = paths[i], .port = port, .is_loaded = is_loaded(host)};
        enum host_verdict verdict = host_read(host, paths[i], HOST_FILE_MAX, &file);
        if (verdict == HOST_READ) {
            file_judge(file.bytes, &table, view_out);
        } else if (verdict == HOST_DENIED) {
            firewall_set(view_out, FIREWALL_UNKNOWN, "%s", paths[i]);
        }
        host_file_fini(&file);
        if (view_out->verdict != FIREWALL_ABSENT) {
            return;
        }
    }
}
