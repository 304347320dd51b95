/* SPDX-License-Identifier: BSD-2-Clause */
/* Who reads resolv.conf, and when; and whose own setting takes its place. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mail/public_resolver.h"
#include "doctor/config_lines.h"
#include "doctor/doctor.h"
#include "doctor/host_dns.h"
#include "doctor/rspamd_config.h"
#include "doctor/wording.h"

#define CLOCK_SLACK_S  2 /* Of the time of boot, by which starts are known. */
#define DURATION_SIZE  32
#define SERVERS_MAX    8
#define PLACES(places) places, sizeof places / sizeof places[0]

/* A program that keeps the servers that it read at its start. */
struct resolver_reader {
    const char *process;
    const char *parent; /* NULL: any. */
    const char *name;
    const char *command;   /* That makes it read again. */
    bool its_workers_read; /* Anew after a reload, which the first process outlives. */
};

static const struct resolver_reader readers[] = {
    {"rspamd", NULL, "rspamd", "systemctl restart rspamd", true},
    {"spamd", NULL, "SpamAssassin's spamd",
        "systemctl restart spamd (on older systems: spamassassin)", false},
    {"amavisd-new", NULL, "amavis", "systemctl restart amavis", false},
    {"amavisd", NULL, "amavis", "systemctl restart amavis", false},
    {"/usr/sbin/amavi", NULL, "amavis", "systemctl restart amavis", false},
    {"opendmarc", NULL, "OpenDMARC", "systemctl restart opendmarc", false},
    {"policyd-spf", NULL, "policyd-spf", "postfix reload", false},
    {"mta-sts-daemon", NULL, "postfix-mta-sts-resolver",
        "systemctl restart postfix-mta-sts-resolver", false},
    {"smtp", "master", "Postfix's smtp", "postfix reload", false},
    {"smtpd", "master", "Postfix's smtpd", "postfix reload", false},
    {"dnsblog", "master", "Postfix's dnsblog", "postfix reload", false},
    {"lmtp", "master", "Postfix's lmtp", "postfix reload", false},
};

/* Of its own name. */
static bool has_child(const struct processes *all, const struct process *process)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].parent_pid == process->pid &&
            strcmp(all->items[i].name, process->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool reader_is(const struct resolver_reader *reader, const struct processes *all,
    const struct process *process)
{
    if (strcmp(reader->process, process->name) != 0) {
        return false;
    }
    if (reader->its_workers_read && has_child(all, process)) {
        return false;
    }
    if (reader->parent == NULL) {
        return true;
    }
    const struct process *parent = processes_find_pid(all, process->parent_pid);
    return parent != NULL && strcmp(parent->name, reader->parent) == 0;
}

/* The oldest process of that program; NULL: none runs, or none's start is known. */
static const struct process *reader_oldest(
    const struct resolver_reader *reader, const struct processes *processes)
{
    const struct process *oldest = NULL;
    for (size_t i = 0; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        if (reader_is(reader, processes, process) && process->started_s > 0 &&
            (oldest == NULL || process->started_s < oldest->started_s)) {
            oldest = process;
        }
    }
    return oldest;
}

/* A file that a program rewrites at each change of the network may have been written with the same
 * servers; one that is written by hand was changed for a reason. */
static void report_old(struct doctor *doctor, const struct resolver_reader *reader,
    const struct process *process, int64_t modified_s)
{
    char since[DURATION_SIZE];
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    bool is_by_hand = owner->id == RESOLVER_OWNER_NOBODY || owner->id == RESOLVER_OWNER_MXCACHE;
    wording_duration(modified_s - process->started_s, since, sizeof since);
    report_add(&doctor->report, CHECK_rc_processes, is_by_hand ? REPORT_WARNING : REPORT_NOTE,
        is_by_hand ? REPORT_LIKELY : REPORT_POSSIBLE,
        "%s (process %d) was started %s before /etc/resolv.conf was last written, and reads it "
        "only at its start%s.",
        reader->name, process->pid, since,
        is_by_hand ? ": it still asks the servers of then"
                   : "; if the servers in it have changed, it still asks the old ones");
    report_advise(&doctor->report, "%s", reader->command);
    if (is_by_hand) {
        report_blame(
            &doctor->report, "%s still asks the DNS servers of an older resolv.conf", reader->name);
    }
}

void check_rc_processes(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct resolver_file *file = &doctor->facts.resolver.files[0];
    size_t seen = 0;
    size_t old = 0;
    if (file->verdict != HOST_READ || doctor->facts.processes.count == 0) {
        report_add(report, CHECK_rc_processes, REPORT_SKIPPED, REPORT_CERTAIN,
            file->verdict != HOST_READ ? "There is no /etc/resolv.conf to compare with."
                                       : "No processes are to be seen in /proc.");
        return;
    }
    /* The stub's own file is rewritten again and again, and always says the same. */
    bool is_constant = doctor->facts.resolver_owner.id == RESOLVER_OWNER_RESOLVED;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0] && !is_constant; i++) {
        const struct process *process = reader_oldest(&readers[i], &doctor->facts.processes);
        seen += process != NULL;
        if (process != NULL && process->started_s + CLOCK_SLACK_S < file->modified_s) {
            report_old(doctor, &readers[i], process, file->modified_s);
            old++;
        }
    }
    if (is_constant) {
        report_add(report, CHECK_rc_processes, REPORT_GOOD, REPORT_CERTAIN,
            "The address of systemd-resolved's stub never changes.");
    } else if (old == 0) {
        report_add(report, CHECK_rc_processes, REPORT_GOOD, REPORT_CERTAIN,
            seen > 0 ? "All mail programs that run were started after the last change."
                     : "No program runs that keeps the servers of its start.");
    }
}

/* A program with servers of its own. */
struct own_servers {
    const char *program;
    const char *setting; /* As the admin knows it. */
    const char *path;
    unsigned line;
    const char *change; /* What would be right. */
    const char *command;
};

/* An address, alone or with a port behind it, or with a word in front as rspamd has it:
 * 127.0.0.1:53:10, round-robin:127.0.0.1. */
static bool server_parse(const char *word, size_t len, struct address *server)
{
    const char *colon = memchr(word, ':', len);
    if (address_parse(word, len, 53, server)) {
        return true;
    }
    if (colon == NULL) {
        return false;
    }
    const char *rest = colon + 1;
    size_t rest_len = len - (size_t)(rest - word);
    const char *next = memchr(rest, ':', rest_len);
    return address_parse(word, (size_t)(colon - word), 53, server) ||
           address_parse(rest, rest_len, 53, server) ||
           (next != NULL && address_parse(rest, (size_t)(next - rest), 53, server));
}

static size_t servers_of(const char *value, struct address servers[SERVERS_MAX])
{
    static const char separators[] = " \t\r\n,;\"'[]";
    size_t count = 0;
    while (*value != '\0' && count < SERVERS_MAX) {
        value += strspn(value, separators);
        size_t len = strcspn(value, separators);
        count += server_parse(value, len, &servers[count]);
        value += len;
    }
    return count;
}

static void report_foreign(struct doctor *doctor, const struct own_servers *own,
    const struct address *server, const char *public)
{
    struct report *report = &doctor->report;
    char text[ADDRESS_TEXT_SIZE];
    (void)address_format_host(server, text, sizeof text);
    if (public != NULL) {
        report_add(report, CHECK_rs_nameserver, REPORT_WARNING, REPORT_LIKELY,
            "%s asks %s, a public resolver (%s), whatever resolv.conf says (%s, %s:%u). Block "
            "lists refuse such resolvers.",
            own->program, text, public, own->setting, own->path, own->line);
        report_blame(report, "%s asks block lists through %s, a public resolver they refuse",
            own->program, text);
    } else {
        report_add(report, CHECK_rs_nameserver, REPORT_NOTE, REPORT_CERTAIN,
            "%s asks %s, not mxcache, whatever resolv.conf says (%s, %s:%u).", own->program, text,
            own->setting, own->path, own->line);
    }
    report_advise(report, "%s:%u: %s\nThen: %s", own->path, own->line, own->change, own->command);
}

/* True: there was something to say against it. */
static bool report_servers(struct doctor *doctor, const struct own_servers *own, const char *value)
{
    struct address servers[SERVERS_MAX];
    size_t count = servers_of(value, servers);
    for (size_t i = 0; i < count; i++) {
        const char *public = public_resolver_name(&servers[i]);
        bool is_local = address_is_loopback(&servers[i]) || host_dns_is_us(doctor, &servers[i]);
        if (public != NULL || (!is_local && host_dns_names_us(doctor))) {
            report_foreign(doctor, own, &servers[i], public);
            return true;
        }
    }
    return false;
}

static bool rspamd_look(struct doctor *doctor)
{
    struct rspamd_found found;
    if (!rspamd_value(&doctor->host, "options.inc", "dns", "nameserver", &found)) {
        return false;
    }
    struct own_servers own = {"rspamd", "nameserver", found.path, found.line,
        "take the nameserver setting out, or write nameserver = [\"127.0.0.1\"];",
        "systemctl restart rspamd"};
    return report_servers(doctor, &own, found.value);
}

static bool spamassassin_look(struct doctor *doctor)
{
    static const struct config_place places[] = {
        {"/etc/mail/spamassassin", ".cf", " ", NULL},
        {"/etc/spamassassin", ".cf", " ", NULL},
    };
    static const struct config_place local[] = {{"/etc/spamassassin/local.cf", NULL, " ", NULL}};
    struct config_found found;
    bool is_bad = false;
    if (config_value(&doctor->host, PLACES(places), "dns_server", &found)) {
        struct own_servers own = {"SpamAssassin", "dns_server", found.path, found.line,
            "take the dns_server line out, or write dns_server 127.0.0.1",
            "systemctl restart spamd (on older systems: spamassassin)"};
        is_bad = report_servers(doctor, &own, found.value);
    }
    if (config_value(&doctor->host, PLACES(local), "dns_available", &found) &&
        strcasecmp(found.value, "no") == 0) {
        report_add(&doctor->report, CHECK_rs_nameserver, REPORT_NOTE, REPORT_CERTAIN,
            "SpamAssassin is told that there is no DNS (dns_available no, %s:%u): it asks no list "
            "at all.",
            found.path, found.line);
        is_bad = true;
    }
    return is_bad;
}

/* Debian builds OpenDKIM with a resolver of its own that asks the root servers; it only asks
 * somebody else when told. A host that only signs looks up nothing. */
static bool opendkim_look(struct doctor *doctor)
{
    static const struct config_place place[] = {{"/etc/opendkim.conf", NULL, " ", NULL}};
    struct report *report = &doctor->report;
    struct config_found found;
    /* dpkg leaves the file behind when the package is removed. */
    if (!host_has(doctor, "/usr/sbin/opendkim")) {
        return false;
    }
    if (config_value(&doctor->host, place, 1, "Nameservers", &found)) {
        struct own_servers own = {"OpenDKIM", "Nameservers", found.path, found.line,
            "Nameservers 127.0.0.1", "systemctl restart opendkim"};
        return report_servers(doctor, &own, found.value);
    }
    bool only_signs =
        config_value(&doctor->host, place, 1, "Mode", &found) && strchr(found.value, 'v') == NULL;
    if (only_signs || !host_has(doctor, "/etc/debian_version")) {
        return false;
    }
    report_add(report, CHECK_rs_nameserver, REPORT_WARNING, REPORT_POSSIBLE,
        "OpenDKIM of Debian and Ubuntu never reads resolv.conf: without Nameservers in "
        "/etc/opendkim.conf it asks the root servers itself, past mxcache.");
    report_advise(report, "Add to /etc/opendkim.conf: Nameservers 127.0.0.1\n"
                          "Then: systemctl restart opendkim");
    report_blame(report,
        "OpenDKIM looks keys up by itself, from the root servers on, and waits 10 s where a "
        "firewall drops that");
    return true;
}

void check_rs_nameserver(struct doctor *doctor)
{
    bool is_bad = rspamd_look(doctor);
    is_bad |= spamassassin_look(doctor);
    is_bad |= opendkim_look(doctor);
    if (!is_bad) {
        report_add(&doctor->report, CHECK_rs_nameserver, REPORT_GOOD, REPORT_CERTAIN,
            "rspamd, SpamAssassin and OpenDKIM, as far as they are installed, ask whom they "
            "should.");
    }
}
