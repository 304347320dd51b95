/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wire/types.h"
#include "doctor/dns_name.h"
#include "doctor/doctor.h"
#include "doctor/smtp_try.h"

/* This host as its peers see it: its names, and whether it reaches them at all. */

#define SMTP_PORT 25

/* What was found out about one address of this host. */
struct self {
    struct address address;
    char shown[ADDRESS_TEXT_SIZE];
    char reverse[DNS_REVERSE_SIZE];
    char name[NAME_TEXT_SIZE]; /* Of the PTR record; "": none. */
    const struct ask *ptr;
    const struct ask *forward;
};

struct self_run {
    struct doctor *doctor;
    const struct postfix_instance *instance;
    const struct dns_server *server; /* Who is asked. */
    struct self selves[DNS_OWN_MAX];
    size_t count;
    char helo[NAME_TEXT_SIZE];
    const struct ask *helo_a;
    const struct ask *helo_aaaa;
    struct ask_batch ptr_batch;
    struct ask_batch name_batch;
};

/* The one that mail software asks, if it is well. */
static const struct dns_server *server_to_ask(const struct dns_scene *scene)
{
    const struct dns_server *best = NULL;
    for (size_t i = 0; i < scene->server_count; i++) {
        const struct dns_server *server = &scene->servers[i];
        bool is_better = best == NULL || (server->is_resolver && !best->is_resolver);
        if (dns_server_is_usable(server) && is_better) {
            best = server;
        }
    }
    return best;
}

/* smtp_bind_address counts before what the kernel would choose. */
static void self_bind(struct self_run *run, struct address *address)
{
    char value[ADDRESS_TEXT_SIZE];
    struct address bound;
    const char *name = address->family == ADDRESS_IPV6 ? "smtp_bind_address6" : "smtp_bind_address";
    size_t len = postfix_value(run->instance, NULL, name, value, sizeof value);
    if (len > 0 && address_parse(value, len, 0, &bound) && bound.family == address->family) {
        *address = bound;
    }
}

static bool protocol_is_on(const struct self_run *run, const struct address *address)
{
    char value[64];
    (void)postfix_value(run->instance, NULL, "inet_protocols", value, sizeof value);
    const char *own = address->family == ADDRESS_IPV6 ? "ipv6" : "ipv4";
    return value[0] == '\0' || strstr(value, "all") != NULL || strstr(value, own) != NULL;
}

/* The public addresses that mail leaves from. */
static void run_gather(struct self_run *run)
{
    const struct dns_scene *scene = &run->doctor->facts.dns;
    for (size_t i = 0; i < scene->own_count; i++) {
        struct address address = scene->own[i];
        self_bind(run, &address);
        if (address_is_private(&address) || address_is_loopback(&address) ||
            !protocol_is_on(run, &address)) {
            continue;
        }
        struct self *self = &run->selves[run->count++];
        self->address = address;
        (void)address_format_host(&address, self->shown, sizeof self->shown);
        dns_name_reverse(&address, self->reverse);
    }
    (void)postfix_value(run->instance, NULL, "smtp_helo_name", run->helo, sizeof run->helo);
}

static void run_ask(struct self_run *run)
{
    const struct address *server = &run->server->address;
    for (size_t i = 0; i < run->count; i++) {
        run->selves[i].ptr =
            ask_batch_add(&run->ptr_batch, server, run->selves[i].reverse, TYPE_PTR);
    }
    run->helo_a = ask_batch_add(&run->ptr_batch, server, run->helo, TYPE_A);
    run->helo_aaaa = ask_batch_add(&run->ptr_batch, server, run->helo, TYPE_AAAA);
    dns_scene_run(run->doctor, &run->ptr_batch);
    for (size_t i = 0; i < run->count; i++) {
        struct self *self = &run->selves[i];
        bool is_ipv6 = self->address.family == ADDRESS_IPV6;
        if (self->ptr != NULL && dns_name_of_ptr(self->ptr, self->name, sizeof self->name)) {
            self->forward =
                ask_batch_add(&run->name_batch, server, self->name, is_ipv6 ? TYPE_AAAA : TYPE_A);
        }
    }
    dns_scene_run(run->doctor, &run->name_batch);
}

static void advise_ptr(struct report *report, const struct self *self)
{
    if (self->address.family == ADDRESS_IPV6) {
        report_advise(report,
            "Let the provider of the address name it (PTR) like this host, and give that name an "
            "AAAA record with the address. Until then let mail try IPv4 first: postconf "
            "smtp_address_preference=ipv4; postfix reload");
        return;
    }
    report_advise(report, "Let the provider of the address set its PTR record to this host's name, "
                          "and give that name an A record with the address.");
}

/* False: there is something to say. */
static bool self_is_well(struct self_run *run, const struct self *self)
{
    struct report *report = &run->doctor->report;
    char clause[ASK_CLAUSE_SIZE];
    if (self->ptr == NULL || self->ptr->verdict == ASK_UNASKED) {
        return true;
    }
    if (!ask_is_answered(self->ptr)) {
        report_add(report, CHECK_fcrdns_self, REPORT_WARNING, REPORT_POSSIBLE,
            "The name of %s, from which mail leaves, cannot be looked up: %s %s.", self->shown,
            run->server->shown, ask_clause(self->ptr, clause));
        report_advise(report, "If that lasts, the name servers of the reverse zone are broken: "
                              "tell the provider of the address.");
        return false;
    }
    if (self->name[0] == '\0') {
        report_add(report, CHECK_fcrdns_self, REPORT_WARNING, REPORT_LIKELY,
            "%s, from which mail leaves, has no name (no PTR record). Many receivers reject mail "
            "from such addresses.",
            self->shown);
        advise_ptr(report, self);
        report_blame(report, "%s, from which mail leaves, has no PTR record", self->shown);
        return false;
    }
    if (self->forward != NULL && ask_is_answered(self->forward) &&
        !dns_name_leads_to(self->forward, &self->address)) {
        report_add(report, CHECK_fcrdns_self, REPORT_WARNING, REPORT_LIKELY,
            "%s, from which mail leaves, is named %s, but that name does not lead back to it. "
            "Receivers take such a name for forged.",
            self->shown, self->name);
        advise_ptr(report, self);
        report_blame(report, "the name of %s does not lead back to it", self->shown);
        return false;
    }
    return true;
}

static bool helo_is_well(struct self_run *run)
{
    struct report *report = &run->doctor->report;
    if (strchr(run->helo, '.') == NULL) {
        report_add(report, CHECK_fcrdns_self, REPORT_WARNING, REPORT_CERTAIN,
            "Postfix greets other servers as `%s`, which is not a full domain name.", run->helo);
        report_advise(report, "postconf myhostname=mail.EXAMPLE.ORG (a name that leads to this "
                              "host); systemctl restart postfix");
        report_blame(
            report, "this host says HELO with `%s`, which is not a full domain name", run->helo);
        return false;
    }
    bool is_known = run->helo_a != NULL && run->helo_aaaa != NULL && ask_is_answered(run->helo_a) &&
                    ask_is_answered(run->helo_aaaa);
    if (!is_known || run->helo_a->verdict == ASK_ANSWER || run->helo_aaaa->verdict == ASK_ANSWER) {
        return true;
    }
    report_add(report, CHECK_fcrdns_self, REPORT_WARNING, REPORT_LIKELY,
        "Postfix greets other servers as %s, and that name has no address. Receivers that check "
        "the greeting reject it.",
        run->helo);
    report_advise(report,
        "Give %s an A record with this host's address, or set myhostname to a "
        "name that has one.",
        run->helo);
    report_blame(report, "the name with which this host greets (%s) has no address", run->helo);
    return false;
}

static void run_report(struct self_run *run)
{
    bool is_well = helo_is_well(run);
    for (size_t i = 0; i < run->count; i++) {
        is_well = self_is_well(run, &run->selves[i]) && is_well;
    }
    if (is_well && run->selves[0].name[0] == '\0') {
        report_add(&run->doctor->report, CHECK_fcrdns_self, REPORT_SKIPPED, REPORT_CERTAIN,
            "The time for questions was up.");
    } else if (is_well) {
        report_add(&run->doctor->report, CHECK_fcrdns_self, REPORT_GOOD, REPORT_CERTAIN,
            "%s is named %s, and the name leads back to it; the greeting is %s.",
            run->selves[0].shown, run->selves[0].name, run->helo);
    }
}

/* False: this host's own names are not what its peers look at, or cannot be known. */
static bool self_matters(struct self_run *run)
{
    struct report *report = &run->doctor->report;
    const struct dns_scene *scene = &run->doctor->facts.dns;
    char value[512];
    char host[ADDRESS_TEXT_SIZE];
    if (postfix_value(run->instance, NULL, "relayhost", value, sizeof value) > 0) {
        report_add(report, CHECK_fcrdns_self, REPORT_SKIPPED, REPORT_CERTAIN,
            "Mail leaves by the relay host %s, whose names count.", value);
        return false;
    }
    (void)postfix_value(run->instance, NULL, "default_transport", value, sizeof value);
    if (strncmp(value, "error", 5) == 0 || strncmp(value, "discard", 7) == 0) {
        report_add(report, CHECK_fcrdns_self, REPORT_SKIPPED, REPORT_CERTAIN,
            "This host sends no mail to others (default_transport = %s).", value);
        return false;
    }
    run_gather(run);
    if (run->count > 0) {
        return true;
    }
    if (scene->own_count == 0) {
        report_add(report, CHECK_fcrdns_self, REPORT_SKIPPED, REPORT_CERTAIN,
            "This host has no way to the Internet.");
        return false;
    }
    (void)address_format_host(&scene->own[0], host, sizeof host);
    report_add(report, CHECK_fcrdns_self, REPORT_NOTE, REPORT_CERTAIN,
        "This host's address %s is private, so its mail comes from another, public one (NAT), "
        "which cannot be seen from here. That one needs a name that leads back to it.",
        host);
    report_advise(report, "Look it up: `mxcache lookup D.C.B.A.in-addr.arpa PTR` for the public "
                          "address A.B.C.D, then the name that comes back.");
    return false;
}

void check_fcrdns_self(struct doctor *doctor)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    if (!postfix->is_installed || postfix->instance_count == 0) {
        report_add(&doctor->report, CHECK_fcrdns_self, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix is not installed, or its configuration may not be read.");
        return;
    }
    struct self_run run = {.doctor = doctor, .instance = &postfix->instances[0]};
    if (!dns_scene_ready(doctor, CHECK_fcrdns_self) || !self_matters(&run)) {
        return;
    }
    run.server = server_to_ask(&doctor->facts.dns);
    ask_batch_init(&run.ptr_batch, DNS_OWN_MAX + 2);
    ask_batch_init(&run.name_batch, DNS_OWN_MAX);
    run_ask(&run);
    run_report(&run);
    ask_batch_fini(&run.ptr_batch);
    ask_batch_fini(&run.name_batch);
}

/* The host of --smtp as an address: it is one, or has one. */
static bool smtp_address(struct doctor *doctor, struct address *address_out)
{
    const char *host = doctor->options.smtp_host;
    struct ask_batch batch;
    bool is_found = false;
    if (address_parse(host, strlen(host), SMTP_PORT, address_out)) {
        return true;
    }
    if (!dns_scene_ready(doctor, CHECK_out_25)) {
        return false;
    }
    const struct address *server = &server_to_ask(&doctor->facts.dns)->address;
    ask_batch_init(&batch, 2);
    (void)ask_batch_add(&batch, server, host, TYPE_A);
    (void)ask_batch_add(&batch, server, host, TYPE_AAAA);
    dns_scene_run(doctor, &batch);
    for (size_t i = 0; i < batch.count && !is_found; i++) {
        is_found = dns_name_address(&batch.asks[i], address_out);
        address_out->port = SMTP_PORT;
    }
    ask_batch_fini(&batch);
    if (!is_found) {
        report_add(&doctor->report, CHECK_out_25, REPORT_SKIPPED, REPORT_CERTAIN,
            "%s has no address; give --smtp the name or address of a mail server.", host);
    }
    return is_found;
}

static void report_try(struct doctor *doctor, const char *shown, const struct smtp_try *try)
{
    struct report *report = &doctor->report;
    const char *host = doctor->options.smtp_host;
    switch (try->verdict) {
    case SMTP_TRY_GREETED:
        report_add(report, CHECK_out_25, REPORT_GOOD, REPORT_CERTAIN, "%s (%s) greets: %s", host,
            shown, try->banner);
        return;
    case SMTP_TRY_REJECTED:
        report_add(report, CHECK_out_25, REPORT_WARNING, REPORT_LIKELY,
            "%s (%s) takes the connection, but says: %s", host, shown, try->banner);
        report_advise(report, "It does not want this host as a client, or is no mail server: try "
                              "another with --smtp.");
        return;
    case SMTP_TRY_MUTE:
        report_add(report, CHECK_out_25, REPORT_WARNING, REPORT_POSSIBLE,
            "%s (%s) takes the connection and says nothing for 5 seconds.", host, shown);
        report_advise(report,
            "It may keep strangers waiting on purpose, or wait for its own DNS about this host "
            "(see fcrdns-self); or a proxy on the way takes port 25: try another with --smtp.");
        return;
    case SMTP_TRY_SILENT:
        report_add(report, CHECK_out_25, REPORT_ERROR, REPORT_LIKELY,
            "No connection to %s (%s) within 5 seconds: outbound port 25 is blocked, by this "
            "host's firewall or, as is usual, by the provider.",
            host, shown);
        report_advise(report,
            "Ask the provider to open outbound port 25, or send by a relay: postconf "
            "relayhost=[RELAY]:587; postfix reload");
        report_blame(report, "outbound port 25 is blocked");
        return;
    case SMTP_TRY_BROKEN:
        report_add(report, CHECK_out_25, REPORT_WARNING, REPORT_POSSIBLE,
            "No connection to %s (%s): %s.", host, shown, strerror(try->error));
        report_advise(report, "If another server, too, cannot be reached with --smtp, a firewall "
                              "rejects outbound port 25.");
        return;
    }
}

void check_out_25(struct doctor *doctor)
{
    struct address address;
    struct smtp_try try;
    char shown[ADDRESS_TEXT_SIZE];
    bool may_connect = doctor->host.is_live || doctor->options.given != NULL;
    if (doctor->options.smtp_host == NULL) {
        report_add(&doctor->report, CHECK_out_25, REPORT_SKIPPED, REPORT_CERTAIN,
            "Give --smtp HOST, a mail server that is not yours, and port 25 is tried there.");
        return;
    }
    if (doctor->options.is_offline || !may_connect) {
        report_add(&doctor->report, CHECK_out_25, REPORT_SKIPPED, REPORT_CERTAIN,
            "No connections are made with --offline and --root.");
        return;
    }
    if (!smtp_address(doctor, &address)) {
        return;
    }
    (void)address_format(&address, shown, sizeof shown);
    smtp_try(&address, &try);
    report_try(doctor, shown, &try);
}
