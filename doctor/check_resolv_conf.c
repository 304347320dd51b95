/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/resolv.conf itself: whom it names, how long a lookup waits, and who writes it. */
#include <stdio.h>
#include <string.h>

#include "conf/settings.h"
#include "conf/upstreams.h"
#include "mail/public_resolver.h"
#include "doctor/doctor.h"
#include "doctor/host_dns.h"
#include "doctor/wording.h"

#define LIST_SIZE 512

static const struct resolver_file *libc_file(const struct doctor *doctor)
{
    return &doctor->facts.resolver.files[0];
}

static void servers_text(const struct doctor *doctor, char text_out[LIST_SIZE])
{
    const struct resolv_conf *conf = &libc_file(doctor)->conf;
    wording_addresses(conf->servers, conf->server_count, text_out, LIST_SIZE);
}

/* Without a server libc asks 127.0.0.1, so it matters whether somebody answers there. */
static void report_no_server(struct doctor *doctor, const char *what)
{
    struct report *report = &doctor->report;
    bool is_rescued = host_dns_is_held(doctor, "127.0.0.1");
    report_add(report, CHECK_rc_file, is_rescued ? REPORT_WARNING : REPORT_ERROR, REPORT_CERTAIN,
        "%s Programs then ask 127.0.0.1, where %s.", what,
        is_rescued ? "something does listen" : "nobody listens: no name can be looked up");
    if (is_rescued) {
        report_advise(report,
            "%secho 'nameserver 127.0.0.1' >/etc/resolv.conf\n"
            "`mxcache setup` does it, and keeps others from changing it.",
            doctor->facts.resolver_owner.is_link ? "rm /etc/resolv.conf\n" : "");
    } else {
        /* The address that is asked anyhow helps nobody. */
        bool is_stub = doctor->facts.resolver_owner.id == RESOLVER_OWNER_RESOLVED;
        report_advise(report,
            "%smxcache setup --upstreams \"ADDRESS...\"\n"
            "with the DNS servers of your provider: it starts mxcache at 127.0.0.1 and names it "
            "there. Without mxcache write them into the file: nameserver ADDRESS",
            is_stub ? "systemctl start systemd-resolved, as it was; or for good:\n" : "");
        report_blame(report, "/etc/resolv.conf names no DNS server that answers");
    }
}

static void report_unread(struct doctor *doctor)
{
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    enum host_verdict verdict = libc_file(doctor)->verdict;
    char what[HOST_PATH_SIZE + 128];
    if (verdict != HOST_ABSENT) {
        report_add(&doctor->report, CHECK_rc_file, REPORT_SKIPPED, REPORT_CERTAIN, "%s %s.",
            RESOLV_CONF_PATH, host_verdict_clause(verdict));
        return;
    }
    if (owner->is_dangling) {
        (void)snprintf(what, sizeof what,
            "/etc/resolv.conf is a symlink to %s, which does not exist.", owner->target);
    } else {
        (void)snprintf(what, sizeof what, "/etc/resolv.conf does not exist.");
    }
    report_no_server(doctor, what);
}

/* The first server that is a public resolver, and whose. */
static const char *public_server(const struct resolv_conf *conf, const struct address **server_out)
{
    for (size_t i = 0; i < conf->server_count; i++) {
        const char *name = public_resolver_name(&conf->servers[i]);
        if (name != NULL) {
            *server_out = &conf->servers[i];
            return name;
        }
    }
    return NULL;
}

/* What it means where lists are used is for the check public-resolver to say. */
static void report_public(struct doctor *doctor, const struct address *server, const char *name)
{
    char text[ADDRESS_TEXT_SIZE];
    (void)address_format_host(server, text, sizeof text);
    report_add(&doctor->report, CHECK_rc_file, REPORT_NOTE, REPORT_CERTAIN,
        "/etc/resolv.conf names %s, a public resolver (%s). Most block lists refuse public "
        "resolvers.",
        text, name);
    report_advise(&doctor->report,
        "Let /etc/resolv.conf name this host's own resolver alone (nameserver 127.0.0.1; `mxcache "
        "setup` does that). %s belongs into `upstreams`, if anywhere: mxcache asks lists that "
        "refuse it at their own name servers.",
        text);
}

/* We are among them, but not alone. */
static void report_mixed(struct doctor *doctor, size_t own_at)
{
    char servers[LIST_SIZE];
    servers_text(doctor, servers);
    report_add(&doctor->report, CHECK_rc_file, own_at > 0 ? REPORT_WARNING : REPORT_NOTE,
        REPORT_CERTAIN,
        "/etc/resolv.conf names %s. %s; rspamd from 3.14 on asks all of them in turn.", servers,
        own_at > 0 ? "mxcache is not the first, so most programs ask it only when another fails"
                   : "The others are asked when mxcache says that a lookup failed");
    report_advise(&doctor->report,
        "Leave nameserver 127.0.0.1 alone in the file; other servers belong into `upstreams` of "
        "/etc/mxcache/mxcache.conf, where a slow or dead one costs nothing.");
}

static void report_others(struct doctor *doctor)
{
    const struct resolv_conf *conf = &libc_file(doctor)->conf;
    char servers[LIST_SIZE];
    servers_text(doctor, servers);
    if (upstreams_is_stub(&conf->servers[0])) {
        report_add(&doctor->report, CHECK_rc_file, REPORT_NOTE, REPORT_CERTAIN,
            "Programs ask %s, the stub of systemd-resolved, not mxcache.", servers);
    } else {
        report_add(&doctor->report, CHECK_rc_file, REPORT_NOTE, REPORT_CERTAIN,
            "Programs ask %s, not mxcache.", servers);
    }
    report_advise(&doctor->report,
        "`mxcache setup --dry-run` shows what putting this host on mxcache would change.");
}

static void report_oddities(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct resolv_conf *conf = &libc_file(doctor)->conf;
    if (conf->servers_bad > 0) {
        report_add(report, CHECK_rc_file, REPORT_WARNING, REPORT_CERTAIN,
            "%zu nameserver lines of /etc/resolv.conf have no address in them; they are passed "
            "over.",
            conf->servers_bad);
        report_advise(report, "Correct or delete them: nameserver ADDRESS, without a port.");
    }
    if (conf->server_count + conf->servers_dropped > RESOLV_CONF_LIBC_MAX) {
        report_add(report, CHECK_rc_file, REPORT_NOTE, REPORT_CERTAIN,
            "/etc/resolv.conf names %zu servers; libc asks the first three only.",
            conf->server_count + conf->servers_dropped);
    }
}

/* How many of the file's servers are ours, and the first of them. */
static size_t own_count(const struct doctor *doctor, size_t *first_out)
{
    const struct resolv_conf *conf = &libc_file(doctor)->conf;
    size_t count = 0;
    for (size_t i = 0; i < conf->server_count; i++) {
        if (host_dns_is_us(doctor, &conf->servers[i])) {
            *first_out = count == 0 ? i : *first_out;
            count++;
        }
    }
    return count;
}

void check_rc_file(struct doctor *doctor)
{
    const struct resolver_file *file = libc_file(doctor);
    const struct address *public = NULL;
    size_t own_at = 0;
    if (file->verdict != HOST_READ) {
        report_unread(doctor);
        return;
    }
    report_oddities(doctor);
    if (file->conf.server_count == 0) {
        report_no_server(doctor, file->is_empty ? "/etc/resolv.conf is empty."
                                                : "/etc/resolv.conf has no nameserver line.");
        return;
    }
    const char *name = public_server(&file->conf, &public);
    if (name != NULL) {
        report_public(doctor, public, name);
    }
    size_t own = own_count(doctor, &own_at);
    if (own == file->conf.server_count) {
        report_add(&doctor->report, CHECK_rc_file, REPORT_GOOD, REPORT_CERTAIN,
            "/etc/resolv.conf names mxcache and nobody else.");
    } else if (own > 0) {
        report_mixed(doctor, own_at);
    } else {
        report_others(doctor);
    }
}

static void report_stall(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct resolv_conf *conf = &libc_file(doctor)->conf;
    unsigned libc_s = resolv_conf_stall_s(conf);
    unsigned stall_s = host_dns_stall_s(doctor);
    unsigned deadline_s = host_dns_deadline_s(doctor);
    bool is_ours = deadline_s > 0;
    if (is_ours && libc_s < deadline_s) {
        report_add(report, CHECK_rc_options, REPORT_WARNING, REPORT_CERTAIN,
            "Programs give a lookup up after %u s, but mxcache may take %u s (answer_deadline): "
            "slow names fail that it would have found.",
            libc_s, deadline_s);
        report_advise(report, "Take timeout: and attempts: out of the options line of "
                              "/etc/resolv.conf.");
    } else if (is_ours) {
        report_add(report, CHECK_rc_options, REPORT_GOOD, REPORT_CERTAIN,
            "One lookup waits %u s at worst: mxcache has always answered by then. libc by itself "
            "would wait %u s.",
            stall_s, libc_s);
    } else if (libc_s > 10) {
        report_add(report, CHECK_rc_options, REPORT_NOTE, REPORT_CERTAIN,
            "When no server answers, one lookup waits %u s; Postfix makes about ten in a row for "
            "one recipient.",
            libc_s);
        report_advise(report, "With nameserver 127.0.0.1 alone, mxcache answers within "
                              "answer_deadline (4 s) whatever happens. Without mxcache: options "
                              "timeout:2 attempts:2 in /etc/resolv.conf.");
    } else {
        report_add(report, CHECK_rc_options, REPORT_GOOD, REPORT_CERTAIN,
            "When no server answers, one lookup waits %u s.", libc_s);
    }
}

static void report_option(
    struct doctor *doctor, enum report_level level, const char *option, const char *sentence)
{
    report_add(&doctor->report, CHECK_rc_options, level, REPORT_CERTAIN,
        "/etc/resolv.conf has \"%s\": %s", option, sentence);
    report_advise(&doctor->report, "Take %s out of /etc/resolv.conf.", option);
}

static bool all_loopback(const struct resolv_conf *conf)
{
    for (size_t i = 0; i < conf->server_count; i++) {
        if (!address_is_loopback(&conf->servers[i])) {
            return false;
        }
    }
    return true;
}

static void report_options(struct doctor *doctor)
{
    const struct resolv_conf *conf = &libc_file(doctor)->conf;
    if ((conf->options & RESOLV_CONF_ROTATE) != 0 && conf->server_count > 1) {
        report_option(doctor, REPORT_WARNING, "options rotate",
            "every server is asked in turn, the slow and the dead ones too.");
    }
    if ((conf->options & RESOLV_CONF_USE_VC) != 0) {
        report_option(doctor, REPORT_WARNING, "options use-vc",
            "each lookup makes a TCP connection of its own.");
    }
    if ((conf->options & RESOLV_CONF_SINGLE_REQUEST) != 0) {
        report_option(doctor, REPORT_NOTE, "options single-request",
            "IPv4 and IPv6 addresses are asked one after the other, which doubles the wait.");
    }
    if ((conf->options & RESOLV_CONF_TRUST_AD) != 0 && !all_loopback(conf)) {
        report_option(doctor, REPORT_WARNING, "options trust-ad",
            "a server on the network is believed that an answer was validated, and so is anybody "
            "who can forge its replies.");
    }
    if (conf->ndots > 1) {
        report_option(doctor, REPORT_WARNING, "options ndots",
            "names with few dots are looked up below the search domains first, several lookups "
            "for one.");
    }
    if (conf->search_count > 0) {
        report_add(&doctor->report, CHECK_rc_options, REPORT_NOTE, REPORT_CERTAIN,
            "/etc/resolv.conf has a search list (%s%s): a name that does not exist is asked again "
            "with each suffix behind it.",
            conf->search_first, conf->search_count > 1 ? ", ..." : "");
        report_advise(&doctor->report,
            "A mail host needs no search or domain line; take it out if nobody uses short names "
            "here.");
    }
}

void check_rc_options(struct doctor *doctor)
{
    const struct resolver_file *file = libc_file(doctor);
    if (file->verdict != HOST_READ) {
        report_add(&doctor->report, CHECK_rc_options, REPORT_SKIPPED, REPORT_CERTAIN, "%s %s.",
            RESOLV_CONF_PATH, host_verdict_clause(file->verdict));
        return;
    }
    report_stall(doctor);
    report_options(doctor);
}

static const char *proof_clause(const struct resolver_owner *owner)
{
    switch (owner->proof) {
    case RESOLVER_PROOF_NONE:
    case RESOLVER_PROOF_LINK:
        return owner->is_link ? "the symlink leads to its file" : "the file is mounted there";
    case RESOLVER_PROOF_MARK:
        return "its mark stands at the head of the file";
    case RESOLVER_PROOF_RUNNING:
        return "it runs, and nothing tells it to leave the file alone";
    }
    return "";
}

static void report_rivals(struct doctor *doctor)
{
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    for (size_t i = 0; i < owner->rival_count; i++) {
        const struct resolver_owner_row *rival = resolver_owner_row(owner->rivals[i]);
        report_add(&doctor->report, CHECK_rc_owner, REPORT_WARNING, REPORT_POSSIBLE,
            "%s runs as well, and would write /etc/resolv.conf too: whoever comes last wins.",
            rival->name);
        report_advise(&doctor->report, "%s", rival->advice);
    }
}

/* With us in the file, its owner is about to take us out again. */
static void report_owner(struct doctor *doctor)
{
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    const struct resolver_owner_row *row = resolver_owner_row(owner->id);
    size_t own_at = 0;
    bool is_ours = own_count(doctor, &own_at) > 0;
    bool is_at_risk = is_ours && owner->id != RESOLVER_OWNER_CONTAINER;
    report_add(&doctor->report, CHECK_rc_owner, is_at_risk ? REPORT_WARNING : REPORT_NOTE,
        owner->proof == RESOLVER_PROOF_RUNNING ? REPORT_POSSIBLE : REPORT_CERTAIN,
        "/etc/resolv.conf is written by %s (%s).%s", row->name, proof_clause(owner),
        is_at_risk ? " It names mxcache now; the next change of the network may undo that." : "");
    if (is_at_risk) {
        bool leads_on = owner->is_link && strstr(row->advice, "rm " RESOLV_CONF_PATH) == NULL;
        report_advise(&doctor->report, "%s%s\n    echo 'nameserver 127.0.0.1' >/etc/resolv.conf",
            row->advice, leads_on ? "\n    rm /etc/resolv.conf" : "");
    } else if (owner->id == RESOLVER_OWNER_CONTAINER) {
        report_advise(&doctor->report, "%s", is_ours ? "Nothing." : row->advice);
    } else {
        report_advise(&doctor->report,
            "Nothing, unless the host is to ask mxcache: `mxcache setup` then tells %s so.",
            row->name);
    }
}

void check_rc_owner(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    if (owner->verdict != HOST_READ) {
        report_add(report, CHECK_rc_owner, REPORT_SKIPPED, REPORT_CERTAIN, "%s %s.",
            RESOLV_CONF_PATH, host_verdict_clause(owner->verdict));
        return;
    }
    report_rivals(doctor);
    if (owner->is_immutable) {
        report_add(report, CHECK_rc_owner, REPORT_GOOD, REPORT_CERTAIN,
            "/etc/resolv.conf cannot be changed by anybody (chattr +i).");
    } else if (!owner->is_pinned) {
        report_owner(doctor);
    } else if (owner->is_link) {
        report_add(report, CHECK_rc_owner, REPORT_NOTE, REPORT_CERTAIN,
            "/etc/resolv.conf is a symlink to %s; who writes that is not known.", owner->target);
    } else if (owner->pinned_by[0] != '\0') {
        report_add(report, CHECK_rc_owner, REPORT_GOOD, REPORT_CERTAIN,
            "/etc/resolv.conf is a regular file that nobody rewrites (%s).", owner->pinned_by);
    } else {
        report_add(report, CHECK_rc_owner, REPORT_GOOD, REPORT_LIKELY,
            "/etc/resolv.conf is a regular file, and no program was seen that rewrites it.");
    }
}
