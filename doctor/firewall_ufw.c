/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "doctor/config_lines.h"
#include "doctor/firewall.h"
#include "doctor/host.h"

#define MARK   "### tuple ###"
#define FIELDS 7 /* action protocol port to source-port from ... direction */

static bool setting_is(
    const struct host *host, const char *path, const char *key, const char *value)
{
    const struct config_place place = {.path = path, .separators = "="};
    struct config_found found;
    return config_value(host, &place, 1, key, &found) && strcasecmp(found.value, value) == 0;
}

/* Splits in place; returns how many of FIELDS were there. The last one is the line's last word. */
static size_t fields_split(char *line, char *fields[FIELDS])
{
    size_t count = 0;
    char *last = line;
    for (char *at = line; *at != '\0';) {
        at += strspn(at, " \t");
        size_t len = strcspn(at, " \t");
        if (len > 0 && count < FIELDS) {
            fields[count++] = at;
        }
        last = len > 0 ? at : last;
        at += len + (at[len] != '\0');
        if (at[-1] == ' ' || at[-1] == '\t') {
            at[-1] = '\0';
        }
    }
    if (count == FIELDS) {
        fields[FIELDS - 1] = last;
    }
    return count;
}

/* "allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 in": does it decide for everybody who asks that port? */
static enum firewall_verdict tuple_judge(char *tuple, uint16_t port)
{
    char *fields[FIELDS];
    if (fields_split(tuple, fields) < FIELDS) {
        return FIREWALL_ABSENT;
    }
    const char *direction = fields[FIELDS - 1];
    bool is_for_port =
        strcmp(fields[2], "any") == 0 || firewall_list_has(fields[2], strlen(fields[2]), port);
    bool is_for_all = strcmp(fields[5], "0.0.0.0/0") == 0 || strcmp(fields[5], "any") == 0 ||
                      strcmp(fields[5], "::/0") == 0;
    if (!is_for_port || !is_for_all || strcmp(fields[1], "udp") == 0 ||
        strncmp(direction, "in", 2) != 0) {
        return FIREWALL_ABSENT;
    }
    if (strncmp(fields[0], "allow", 5) == 0 || strncmp(fields[0], "limit", 5) == 0) {
        return FIREWALL_OPEN;
    }
    bool refuses = strncmp(fields[0], "deny", 4) == 0 || strncmp(fields[0], "reject", 6) == 0;
    return refuses && strcmp(direction, "in") == 0 ? FIREWALL_CLOSED : FIREWALL_ABSENT;
}

static void rules_judge(char *bytes, const char *path, uint16_t port, struct firewall_view *view)
{
    unsigned line = 0;
    for (char *at = bytes; *at != '\0' && view->verdict == FIREWALL_ABSENT;) {
        size_t len = strcspn(at, "\n");
        char *next = at + len + (at[len] != '\0');
        at[len] = '\0';
        line++;
        if (strncmp(at, MARK, strlen(MARK)) == 0) {
            enum firewall_verdict verdict = tuple_judge(at + strlen(MARK), port);
            firewall_set(view, verdict, "%s:%u refuses it", path, line);
        }
        at = next;
    }
}

void firewall_ufw_look(const struct host *host, uint16_t port, struct firewall_view *view_out)
{
    static const char *const paths[] = {"/etc/ufw/user.rules", "/lib/ufw/user.rules"};
    firewall_set(view_out, FIREWALL_ABSENT, "%s", "");
    if (!setting_is(host, "/etc/ufw/ufw.conf", "ENABLED", "yes")) {
        return;
    }
    for (size_t i = 0; i < 2 && view_out->verdict == FIREWALL_ABSENT; i++) {
        struct host_file file;
        enum host_verdict verdict = host_read(host, paths[i], HOST_FILE_MAX, &file);
        if (verdict == HOST_READ) {
            rules_judge(file.bytes, paths[i], port, view_out);
        } else if (verdict == HOST_DENIED) {
            firewall_set(view_out, FIREWALL_UNKNOWN, "%s", "");
        }
        host_file_fini(&file);
    }
    if (view_out->verdict != FIREWALL_ABSENT) {
        return;
    }
    if (setting_is(host, "/etc/default/ufw", "DEFAULT_INPUT_POLICY", "ACCEPT")) {
        firewall_set(view_out, FIREWALL_OPEN, "%s", "");
    } else {
        firewall_set(view_out, FIREWALL_CLOSED, "no rule of %s allows it", paths[0]);
    }
}
