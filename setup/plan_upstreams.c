/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/settings.h"
#include "doctor/facts.h"
#include "doctor/host.h"
#include "setup/failure.h"
#include "setup/plan.h"
#include "setup/plan_private.h"

#define LINE_SIZE       2048
#define FILE_DEFAULT    "/etc/resolv.conf"
#define SERVERS_MAX     16
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define CONF_HEADING    "# Written by `mxcache setup`; `mxcache setup --undo` takes it out again.\n"

_Static_assert(SERVERS_MAX <= RESOLVER_UPSTREAMS_MAX, "as many as a plan has room for");

/* Has the operator said whom to ask? */
static bool is_configured(const struct settings *settings)
{
    return !settings->upstreams_from_file || strcmp(settings->upstreams_file, FILE_DEFAULT) != 0;
}

static void take_configured(struct plan *plan, const struct settings *settings)
{
    const struct settings_group *group = &settings->groups[0];
    for (size_t i = 0; i < group->server_count && i < SERVERS_MAX; i++) {
        /* One that speaks TLS only cannot be tried in clear. */
        if (!settings_server_is_tls(&group->servers[i])) {
            plan->upstreams[plan->upstream_count++] = group->servers[i].address;
        }
    }
}

static void take_found(struct plan *plan, const struct facts *facts)
{
    struct resolver_upstream found[RESOLVER_UPSTREAMS_MAX];
    size_t count = resolver_files_upstreams(&facts->resolver, found);
    for (size_t i = 0; i < count && i < SERVERS_MAX; i++) {
        plan->upstreams[plan->upstream_count++] = found[i].address;
    }
}

static bool take_words(struct plan *plan, const char *words, struct failure *failure)
{
    while (*words != '\0') {
        size_t blanks = strspn(words, " ,");
        size_t len = strcspn(words + blanks, " ,");
        words += blanks;
        if (len > 0 &&
            (plan->upstream_count == SERVERS_MAX ||
                !address_parse(words, len, 53, &plan->upstreams[plan->upstream_count++]))) {
            return failure_set(failure,
                "--upstreams takes up to 16 addresses, as in --upstreams \"192.0.2.53 "
                "198.51.100.53@5353\".");
        }
        words += len;
    }
    return plan->upstream_count > 0 || failure_set(failure, "--upstreams names no server.");
}

static bool file_names(const struct resolver_file *file, const struct address *server)
{
    for (size_t i = 0; i < file->conf.server_count; i++) {
        if (address_equal(&file->conf.servers[i], server)) {
            return true;
        }
    }
    return false;
}

/* Beside a resolv.conf of the operator's own it may name servers that this host does not ask. */
static bool file_names_all(const struct resolver_file *file, const struct plan *plan)
{
    for (size_t i = 0; i < plan->upstream_count; i++) {
        if (!file_names(file, &plan->upstreams[i])) {
            return false;
        }
    }
    return true;
}

/* A file that its owner keeps up to date is followed; else the servers are written down. */
static const char *file_to_follow(const struct plan *plan, const struct facts *facts)
{
    static const enum resolver_file_kind kinds[] = {
        RESOLVER_FILE_RESOLVED, RESOLVER_FILE_NETWORK_MANAGER};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct resolver_file *file = resolver_files_find(&facts->resolver, kinds[i]);
        if (file != NULL && file_names_all(file, plan)) {
            return file->path;
        }
    }
    return NULL;
}

static void write_line(struct text *text, const struct plan *plan, const char *followed)
{
    text_add(text, CONF_HEADING);
    if (followed != NULL) {
        text_addf(text, "upstreams_file = %s\n", followed);
        return;
    }
    text_add(text, "upstreams =");
    for (size_t i = 0; i < plan->upstream_count; i++) {
        char address[ADDRESS_TEXT_SIZE];
        if (plan->upstreams[i].port == 53) {
            (void)address_format_host(&plan->upstreams[i], address, sizeof address);
        } else {
            (void)address_format(&plan->upstreams[i], address, sizeof address);
        }
        text_addf(text, " %s", address);
    }
    text_add(text, "\n");
}

/* Hyphens in names count as underscores. */
static bool line_sets(const char *line, const char *name)
{
    size_t at = 0;
    while (name[at] != '\0' && (line[at] == name[at] || (line[at] == '-' && name[at] == '_'))) {
        at++;
    }
    return name[at] == '\0' && line[at] != '\0' && strchr(" \t=", line[at]) != NULL;
}

/* Our lines in front of what is there: behind it we would be in its last section. A setting that
 * stood twice would be refused, and so would a byte order mark that is not the file's first. */
static char *conf_with(const char *ours, const struct path_state *was)
{
    const char *at = was->kind == PATH_FILE ? was->bytes : "";
    size_t room = strlen(ours) + 3 * was->len + 2;
    char *bytes = malloc(room);
    if (bytes == NULL) {
        return NULL;
    }
    struct text text;
    text_init(&text, bytes, room);
    at += strncmp(at, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0 ? strlen(BYTE_ORDER_MARK) : 0;
    text_addf(&text, "%s%s", ours, *at != '\0' ? "\n" : "");
    bool is_ours = false;
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        bool goes_on = *at == ' ' || *at == '\t';
        is_ours = goes_on ? is_ours : line_sets(at, "upstreams_file");
        len += at[len] == '\n';
        text_add(&text, is_ours ? "# " : "");
        text_add_bytes(&text, at, len);
        at += len;
    }
    return bytes;
}

static bool write_conf(
    struct plan *plan, const struct plan_case *facts, const char *followed, struct failure *failure)
{
    char line[LINE_SIZE];
    struct text text;
    struct path_state was;
    text_init(&text, line, sizeof line);
    write_line(&text, plan, followed);
    if (!path_state_read(facts->host, facts->conf_path, &was)) {
        return failure_set(failure, "%s cannot be read: %s.", facts->conf_path, strerror(errno));
    }
    if (was.kind == PATH_LINK) {
        path_state_fini(&was);
        return failure_set(failure,
            "%s is a symlink, which setup does not replace. Set `upstreams` in the file that it "
            "leads to, then run setup again.",
            facts->conf_path);
    }
    char *bytes = conf_with(line, &was);
    bool is_planned = bytes != NULL && plan_add_write(plan, facts->host, facts->conf_path, bytes,
                                           "so that mxcache knows whom to ask");
    free(bytes);
    path_state_fini(&was);
    return is_planned || failure_set(failure, "Out of memory.");
}

bool plan_upstreams(struct plan *plan, const struct plan_case *facts, struct failure *failure_out)
{
    if (facts->upstreams == NULL && is_configured(facts->settings)) {
        take_configured(plan, facts->settings);
        return true;
    }
    if (facts->upstreams != NULL && !facts->settings->upstreams_from_file) {
        return failure_set(failure_out,
            "`upstreams` is set in %s already; change it there, then run setup without "
            "--upstreams.",
            facts->conf_path);
    }
    if (facts->upstreams != NULL) {
        return take_words(plan, facts->upstreams, failure_out) &&
               write_conf(plan, facts, NULL, failure_out);
    }
    take_found(plan, facts->facts);
    if (plan->upstream_count == 0) {
        return failure_set(failure_out,
            "No DNS server was found that mxcache could ask: not in /etc/resolv.conf, nor at "
            "systemd-resolved, NetworkManager or dhclient. Name some with --upstreams.");
    }
    return write_conf(plan, facts, file_to_follow(plan, facts->facts), failure_out);
}
