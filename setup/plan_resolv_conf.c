/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "doctor/facts.h"
#include "doctor/host.h"
#include "setup/failure.h"
#include "setup/plan.h"
#include "setup/plan_private.h"

#define RESOLV_CONF_ROOM (RESOLVER_FILE_SIZE_MAX + 1024)
#define WHY_SIZE         256
#define LINE_PART_MAX    512

/* Programs that the rows of resolver_owners.def name, and where they are. */
static const char *const command_folders[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};

static bool line_has_word(const char *line, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    return len > word_len && memcmp(line, word, word_len) == 0 &&
           (line[word_len] == ' ' || line[word_len] == '\t');
}

/* `rotate` would ask servers in turn, of which there is one now; what else the operator has set
 * stays. */
static void add_options(struct text *text, const char *line, size_t len)
{
    size_t at = strcspn(line, " \t");
    text_add(text, "options");
    while (at < len) {
        at += strspn(line + at, " \t");
        size_t word_len = at < len ? strcspn(line + at, " \t\n") : 0;
        if (word_len > 0 && !(word_len == 6 && memcmp(line + at, "rotate", 6) == 0)) {
            text_add(text, " ");
            text_add_bytes(text, line + at, word_len);
        }
        at += word_len > 0 ? word_len : 1;
    }
    text_add(text, "\n");
}

static void add_kept(struct text *text, const char *bytes)
{
    for (const char *line = bytes; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (len < LINE_PART_MAX && line_has_word(line, len, "options")) {
            add_options(text, line, len);
        } else if (len < LINE_PART_MAX &&
                   (line_has_word(line, len, "search") || line_has_word(line, len, "domain"))) {
            text_add_bytes(text, line, len);
            text_add(text, "\n");
        }
        line += len + (line[len] == '\n');
    }
}

char *plan_resolv_conf_bytes(const struct plan *plan, const struct plan_case *facts)
{
    char address[ADDRESS_TEXT_SIZE];
    struct host_file file;
    struct text text;
    char *bytes = malloc(RESOLV_CONF_ROOM);
    if (bytes == NULL) {
        return NULL;
    }
    text_init(&text, bytes, RESOLV_CONF_ROOM);
    (void)address_format_host(&plan->self, address, sizeof address);
    text_addf(&text,
        "# Written by `mxcache setup`; `mxcache setup --undo` brings back what was here.\n"
        "# No second server: it would be asked about block lists, and refused there.\n"
        "nameserver %s\n",
        address);
    if (host_read(facts->host, RESOLV_CONF_PATH, RESOLVER_FILE_SIZE_MAX, &file) == HOST_READ) {
        add_kept(&text, file.bytes);
    }
    host_file_fini(&file);
    return bytes;
}

/* "systemctl reload NetworkManager" by its absolute path. */
bool plan_command(
    struct plan *plan, const struct plan_case *facts, const char *command, const char *why)
{
    char words[PLAN_WORDS_MAX][LINE_PART_MAX];
    const char *arguments[PLAN_WORDS_MAX + 1] = {NULL};
    struct stat stat;
    size_t count = 0;
    while (*command != '\0' && count < PLAN_WORDS_MAX) {
        size_t len = strcspn(command, " ");
        (void)snprintf(words[count], sizeof words[count], "%.*s", (int)len, command);
        arguments[count] = words[count];
        count++;
        command += len + strspn(command + len, " ");
    }
    for (size_t i = 0; i < sizeof command_folders / sizeof command_folders[0]; i++) {
        char path[LINE_PART_MAX + 32];
        (void)snprintf(path, sizeof path, "%s/%s", command_folders[i], words[0]);
        if (host_stat(facts->host, path, true, &stat) == HOST_READ) {
            arguments[0] = path;
            return plan_add_run(plan, why, false, arguments);
        }
    }
    plan_note(
        plan, "`%s` is not on this host; make %s read its files anew by hand.", words[0], why);
    return true;
}

/* The owner's own file and our line, or a file of ours. */
static bool add_pin_file(struct plan *plan, const struct plan_case *facts,
    const struct resolver_owner_row *row, const char *why)
{
    struct path_state was;
    if (!path_state_read(facts->host, row->pin_path, &was)) {
        plan_note(plan, "%s cannot be read (%s); %s", row->pin_path, strerror(errno), row->advice);
        return true;
    }
    if (was.kind == PATH_LINK) {
        plan_note(plan, "%s is a symlink and is left alone; %s", row->pin_path, row->advice);
        path_state_fini(&was);
        return true;
    }
    /* Behind the last line of dhcpcd's we would be in its last `interface` block. */
    bool is_first = row == resolver_owner_row(RESOLVER_OWNER_DHCPCD);
    const char *before = was.len > 0 ? was.bytes : "";
    const char *end = was.len > 0 && was.bytes[was.len - 1] != '\n' ? "\n" : "";
    size_t size = was.len + strlen(row->pin_text) + 2;
    char *bytes = malloc(size);
    bool is_planned = bytes != NULL;
    if (is_planned) {
        (void)snprintf(bytes, size, "%s%s%s%s", is_first ? row->pin_text : "", before,
            is_first ? "" : end, is_first ? "" : row->pin_text);
        is_planned = plan_add_write(plan, facts->host, row->pin_path, bytes, why);
    }
    free(bytes);
    path_state_fini(&was);
    return is_planned;
}

static bool pin_one(struct plan *plan, const struct plan_case *facts, enum resolver_owner_id id)
{
    const struct resolver_owner_row *row = resolver_owner_row(id);
    char why[WHY_SIZE];
    (void)snprintf(why, sizeof why, "so that %s leaves %s alone", row->name, RESOLV_CONF_PATH);
    bool is_planned = row->pin_path[0] == '\0' || add_pin_file(plan, facts, row, why);
    return is_planned &&
           (row->pin_command[0] == '\0' || plan_command(plan, facts, row->pin_command, why));
}

/* NetworkManager leaves a symlink to systemd-resolved's file alone, and would write the regular
 * file that takes its place. What it learns it tells systemd-resolved all the same. */
static bool has_heir(const struct plan_case *facts)
{
    char where[HOST_PATH_SIZE];
    const struct resolver_owner *owner = &facts->facts->resolver_owner;
    bool is_resolved = owner->id == RESOLVER_OWNER_RESOLVED ||
                       owner->id == RESOLVER_OWNER_RESOLVED_SERVERS ||
                       owner->id == RESOLVER_OWNER_RESOLVED_STATIC;
    return is_resolved && processes_find(&facts->facts->processes, "NetworkManager") != NULL &&
           !resolver_owner_is_pinned(
               RESOLVER_OWNER_NETWORK_MANAGER, facts->host, where, sizeof where);
}

static bool pin_all(struct plan *plan, const struct plan_case *facts)
{
    const struct resolver_owner *owner = &facts->facts->resolver_owner;
    bool is_planned = !has_heir(facts) || pin_one(plan, facts, RESOLVER_OWNER_NETWORK_MANAGER);
    if (owner->id != RESOLVER_OWNER_NOBODY && !owner->is_pinned) {
        is_planned = is_planned && pin_one(plan, facts, owner->id);
    }
    for (size_t i = 0; i < owner->rival_count && is_planned; i++) {
        is_planned = pin_one(plan, facts, owner->rivals[i]);
    }
    return is_planned;
}

/* Who writes the file cannot be told to stop: then the operator has to. */
static bool is_out_of_reach(struct plan *plan, const struct resolver_owner *owner)
{
    if (owner->is_mount || owner->id == RESOLVER_OWNER_CONTAINER) {
        plan_note(plan, "%s is left alone, for it is made anew with each container. %s",
            RESOLV_CONF_PATH, resolver_owner_row(RESOLVER_OWNER_CONTAINER)->advice);
        return true;
    }
    if (owner->is_immutable) {
        plan_note(plan,
            "%s is left alone, for somebody has made it immutable. `chattr -i %s`, then run setup "
            "again.",
            RESOLV_CONF_PATH, RESOLV_CONF_PATH);
        return true;
    }
    return false;
}

/* Who has written the file so far. */
static void note_owner(struct plan *plan, const struct resolver_owner *owner)
{
    const struct resolver_owner_row *row = resolver_owner_row(owner->id);
    if (owner->id == RESOLVER_OWNER_NOBODY || owner->id == RESOLVER_OWNER_MXCACHE) {
        return;
    }
    if (owner->is_link && row->pin_path[0] == '\0') {
        plan_note(plan, "%s belongs to %s (a symlink to %s), which leaves a regular file alone.",
            RESOLV_CONF_PATH, row->name, owner->target);
    } else if (owner->is_pinned) {
        plan_note(plan, "%s was written by %s, which has been told to leave it alone.",
            RESOLV_CONF_PATH, row->name);
    } else {
        plan_note(plan, "%s belongs to %s, which is told to leave it alone.", RESOLV_CONF_PATH,
            row->name);
    }
}

bool plan_resolv_conf(struct plan *plan, const struct plan_case *facts, struct failure *failure_out)
{
    const struct resolver_owner *owner = &facts->facts->resolver_owner;
    if (is_out_of_reach(plan, owner)) {
        plan->leaves_resolv_conf = true;
        return true;
    }
    note_owner(plan, owner);
    char *bytes = plan_resolv_conf_bytes(plan, facts);
    bool is_planned = bytes != NULL && pin_all(plan, facts) &&
                      plan_add_write(plan, facts->host, RESOLV_CONF_PATH, bytes,
                          "so that this host asks mxcache");
    free(bytes);
    return is_planned || failure_set(failure_out, "Out of memory.");
}
