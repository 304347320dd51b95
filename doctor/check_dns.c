/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/header.h"
#include "wire/types.h"
#include "base/text.h"
#include "doctor/doctor.h"

/* Who answers, by which way, and how much at once. */

#define EDNS_LARGE 512 /* Without EDNS a reply by UDP has no more (RFC 1035 section 4.2.1). */

struct dns_tally {
    size_t well; /* By UDP and TCP. */
    size_t udp;
    size_t tcp;
};

static struct dns_tally tally_of(const struct dns_scene *scene)
{
    struct dns_tally tally = {0, 0, 0};
    for (size_t i = 0; i < scene->server_count; i++) {
        const struct dns_server *server = &scene->servers[i];
        bool has_tcp = ask_is_answered(&server->tcp);
        bool has_udp = server->is_tls ? has_tcp : server->state == DNS_WELL;
        tally.udp += has_udp;
        tally.tcp += has_tcp;
        tally.well += has_udp && has_tcp;
    }
    return tally;
}

static void report_nobody(struct doctor *doctor)
{
    const struct dns_scene *scene = &doctor->facts.dns;
    char all[REPORT_TEXT_MAX];
    char clause[ASK_CLAUSE_SIZE];
    struct text text;
    text_init(&text, all, sizeof all);
    for (size_t i = 0; i < scene->server_count; i++) {
        const struct dns_server *server = &scene->servers[i];
        text_addf(&text, "%s%s %s", i > 0 ? "; " : "", server->shown,
            ask_clause(server->is_tls ? &server->tcp : &server->udp, clause));
    }
    report_add(&doctor->report, CHECK_fw_dns, REPORT_ERROR, REPORT_CERTAIN,
        "No DNS server answers: %s. The other questions are not asked.", all);
    report_advise(&doctor->report,
        "Test the line to these servers, and whether a firewall, here or at the provider, lets UDP "
        "and TCP port 53 out. If mxcache does not run: systemctl start mxcache.");
    report_blame(&doctor->report, "no DNS server answers");
}

static void advise_silent(
    struct doctor *doctor, const struct dns_server *server, const struct ask *ask)
{
    struct report *report = &doctor->report;
    if (server->is_own) {
        report_advise(report, "systemctl status mxcache and `mxcache stats` tell how it is.");
    } else if (server->is_resolver && ask->verdict == ASK_SILENT) {
        report_advise(report,
            "Take it out of /etc/resolv.conf, or let UDP port 53 out to it: libc waits five "
            "seconds for it before it asks the next server, at each lookup.");
    } else if (server->is_resolver) {
        report_advise(report,
            "Take it out of /etc/resolv.conf, or repair it: a server named there must look up any "
            "name for this host. One that knows only its own zones is none.");
    } else {
        report_advise(report,
            "Take it out of the upstream servers in mxcache.conf, or let port %u out to it.",
            server->address.port);
    }
}

/* No reply by UDP, or none that is an answer; of a server that speaks TLS, no connection. */
static void report_silent(struct doctor *doctor, const struct dns_server *server)
{
    char clause[ASK_CLAUSE_SIZE];
    const struct ask *ask = server->is_tls ? &server->tcp : &server->udp;
    bool is_felt = server->is_resolver && !server->is_own;
    bool is_dropped =
        ask->verdict == ASK_SILENT && !server->is_tls && ask_is_answered(&server->tcp);
    report_add(&doctor->report, CHECK_fw_dns, is_felt ? REPORT_ERROR : REPORT_WARNING,
        REPORT_CERTAIN, "%s %s%s.", server->shown, ask_clause(ask, clause),
        is_dropped ? ", though it does by TCP: something drops UDP port 53" : "");
    advise_silent(doctor, server, ask);
    report_blame(&doctor->report, "the DNS server %s %s", server->shown, ask_clause(ask, clause));
}

static void report_no_tcp(
    struct doctor *doctor, const struct dns_server *server, const struct dns_tally *tally)
{
    char clause[ASK_CLAUSE_SIZE];
    bool is_alone = tally->tcp == 0;
    report_add(&doctor->report, CHECK_fw_dns, is_alone ? REPORT_ERROR : REPORT_WARNING,
        REPORT_CERTAIN, "%s answers by UDP, but by TCP it %s.", server->shown,
        ask_clause(&server->tcp, clause));
    report_advise(&doctor->report,
        "Let TCP port %u out to it in the firewall (here, and at the provider), or use a server "
        "that answers by TCP. Long answers, such as DKIM keys and large MX sets, come only so.",
        server->address.port);
    report_blame(&doctor->report,
        "TCP port 53 does not get through to %s, so lookups with long answers fail", server->shown);
}

void check_fw_dns(struct doctor *doctor)
{
    if (!dns_scene_look(doctor, CHECK_fw_dns)) {
        return;
    }
    const struct dns_scene *scene = &doctor->facts.dns;
    struct dns_tally tally = tally_of(scene);
    if (tally.udp == 0) {
        report_nobody(doctor);
        return;
    }
    for (size_t i = 0; i < scene->server_count; i++) {
        const struct dns_server *server = &scene->servers[i];
        bool has_tcp = ask_is_answered(&server->tcp);
        bool is_silent = server->is_tls ? !has_tcp : server->state != DNS_WELL;
        if (is_silent) {
            report_silent(doctor, server);
        } else if (!has_tcp) {
            report_no_tcp(doctor, server, &tally);
        }
    }
    if (tally.well == scene->server_count) {
        report_add(&doctor->report, CHECK_fw_dns, REPORT_GOOD, REPORT_CERTAIN,
            "Servers that answer by UDP and by TCP: %zu of %zu.", tally.well, scene->server_count);
    }
}

/* One server, asked for what does not fit into 512 bytes. */
struct edns_asks {
    const struct dns_server *server;
    const struct ask *edns;
    const struct ask *plain;
    const struct ask *stream;
};

static void report_edns(struct doctor *doctor, const struct edns_asks *asks)
{
    char clause[ASK_CLAUSE_SIZE];
    struct report *report = &doctor->report;
    const char *shown = asks->server->shown;
    bool has_plain = ask_is_replied(asks->plain);
    bool has_stream = ask_is_answered(asks->stream);
    bool is_shortened =
        asks->plain->verdict == ASK_NODATA && has_stream && asks->stream->verdict == ASK_ANSWER;
    if (is_shortened) {
        report_add(report, CHECK_edns_size, REPORT_WARNING, REPORT_LIKELY,
            "%s leaves records out of a long answer without saying so (no TC bit), so nobody asks "
            "again by TCP.",
            shown);
        report_advise(report, "Something between here and that server rewrites DNS (a router, a "
                              "firewall with DNS inspection): switch that off, or use TLS to the "
                              "upstream (ADDRESS@853#NAME).");
        report_blame(report, "%s loses records of long answers", shown);
        return;
    }
    if (asks->edns->verdict == ASK_SILENT && has_plain) {
        report_add(report, CHECK_edns_size, REPORT_WARNING, REPORT_LIKELY,
            "%s does not answer a question with EDNS whose answer takes more than 512 bytes; the "
            "same without EDNS is answered.",
            shown);
        report_advise(report, "A firewall drops DNS datagrams over 512 bytes, or with EDNS: allow "
                              "both (on a Cisco ASA: message-length maximum client auto).");
        report_blame(report, "large DNS answers from %s are dropped on the way", shown);
        return;
    }
    if (!has_stream && asks->plain->was_cut) {
        report_add(report, CHECK_edns_size, REPORT_WARNING, REPORT_CERTAIN,
            "%s says that the answer is too long for UDP, but by TCP it %s.", shown,
            ask_clause(asks->stream, clause));
        report_advise(report, "See fw-dns: TCP port 53 must get through to that server.");
        return;
    }
    if (asks->edns->verdict == ASK_FAILED && has_plain && asks->plain->verdict != ASK_FAILED) {
        report_add(report, CHECK_edns_size, REPORT_NOTE, REPORT_CERTAIN,
            "%s does not take EDNS (%s), so every answer over 512 bytes takes a TCP connection.",
            shown, ask_clause(asks->edns, clause));
        report_advise(report, "Use a server that does; all current ones do.");
    }
}

static void report_large(struct doctor *doctor, bool was_large)
{
    if (!was_large) {
        report_add(&doctor->report, CHECK_edns_size, REPORT_SKIPPED, REPORT_CERTAIN,
            "No server gave the long answer that it was asked for (the root's DNSKEY).");
        return;
    }
    report_add(&doctor->report, CHECK_edns_size, REPORT_GOOD, REPORT_CERTAIN,
        "Answers over %d bytes arrive whole.", EDNS_LARGE);
}

void check_edns_size(struct doctor *doctor)
{
    if (!dns_scene_ready(doctor, CHECK_edns_size)) {
        return;
    }
    const struct dns_scene *scene = &doctor->facts.dns;
    struct edns_asks asks[DNS_SERVERS_MAX];
    struct ask_batch batch;
    size_t count = 0;
    size_t before = doctor->report.count;
    ask_batch_init(&batch, (size_t)3 * DNS_SERVERS_MAX);
    for (size_t i = 0; i < scene->server_count; i++) {
        const struct dns_server *server = &scene->servers[i];
        if (!dns_server_is_usable(server)) {
            continue;
        }
        struct ask *edns = ask_batch_add(&batch, &server->address, scene->names.large, TYPE_DNSKEY);
        struct ask *plain =
            ask_batch_add(&batch, &server->address, scene->names.large, TYPE_DNSKEY);
        struct ask *stream =
            ask_batch_add(&batch, &server->address, scene->names.large, TYPE_DNSKEY);
        edns->way = ASK_BY_UDP_ONLY;
        plain->way = ASK_BY_UDP_ONLY;
        plain->form.has_edns = false;
        stream->way = ASK_BY_TCP;
        asks[count++] = (struct edns_asks){server, edns, plain, stream};
    }
    dns_scene_run(doctor, &batch);
    bool was_large = false;
    for (size_t i = 0; i < count; i++) {
        was_large =
            was_large || asks[i].edns->size > EDNS_LARGE || asks[i].stream->size > EDNS_LARGE;
        report_edns(doctor, &asks[i]);
    }
    if (doctor->report.count == before) {
        report_large(doctor, was_large);
    }
    ask_batch_fini(&batch);
}
