/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "wire/header.h"
#include "wire/types.h"
#include "conf/settings.h"
#include "doctor/doctor.h"

/*
 * DANE (RFC 7672) as Postfix has it: it asks libc's servers with the AD and DO bits and believes
 * the AD bit of the reply. So that bit has to come, from a server that validates, over a path where
 * nobody else can set it.
 */
#define DANE_VALUE_SIZE 64

enum dane_wish {
    DANE_OFF,
    DANE_OPPORTUNISTIC, /* dane: without DNSSEC it is TLS like any other. */
    DANE_ONLY,          /* dane-only: without DNSSEC mail stays in the queue. */
};

struct dane_config {
    enum dane_wish wish;
    bool has_dnssec; /* smtp_dns_support_level. */
    char level[DANE_VALUE_SIZE];
};

static enum dane_wish wish_of(const char *level)
{
    if (strcmp(level, "dane-only") == 0) {
        return DANE_ONLY;
    }
    return strcmp(level, "dane") == 0 ? DANE_OPPORTUNISTIC : DANE_OFF;
}

/* Of main.cf or of a service, whichever wants most. */
static void config_take(struct dane_config *config, const struct postfix_instance *instance,
    const struct postfix_service *service)
{
    char level[DANE_VALUE_SIZE];
    char support[DANE_VALUE_SIZE];
    (void)postfix_value(instance, service, "smtp_tls_security_level", level, sizeof level);
    (void)postfix_value(instance, service, "smtp_dns_support_level", support, sizeof support);
    if (service == NULL || wish_of(level) > config->wish) {
        config->wish = wish_of(level);
        config->has_dnssec = strcmp(support, "dnssec") == 0;
        memcpy(config->level, level, sizeof level);
    }
}

static struct dane_config config_of(const struct postfix *postfix)
{
    struct dane_config config = {.wish = DANE_OFF};
    for (size_t i = 0; i < postfix->instance_count; i++) {
        const struct postfix_instance *instance = &postfix->instances[i];
        if (i == 0) {
            config_take(&config, instance, NULL);
        }
        for (size_t at = 0; at < instance->service_count; at++) {
            if (strcmp(instance->services[at].command, "smtp") == 0) {
                config_take(&config, instance, &instance->services[at]);
            }
        }
    }
    return config;
}

static enum report_level level_of(const struct dane_config *config)
{
    return config->wish == DANE_ONLY ? REPORT_ERROR : REPORT_WARNING;
}

static const char *effect_of(const struct dane_config *config)
{
    return config->wish == DANE_ONLY ? "mail stays in the queue" : "mail goes without DANE";
}

static bool report_config(struct doctor *doctor, const struct dane_config *config)
{
    if (config->wish == DANE_OFF) {
        report_add(&doctor->report, CHECK_dane, REPORT_SKIPPED, REPORT_CERTAIN,
            "DANE is not switched on (smtp_tls_security_level = %s).",
            config->level[0] != '\0' ? config->level : "empty");
        return false;
    }
    if (config->has_dnssec) {
        return true;
    }
    report_add(&doctor->report, CHECK_dane, level_of(config), REPORT_CERTAIN,
        "smtp_tls_security_level = %s, but smtp_dns_support_level is not dnssec, so %s.",
        config->level, effect_of(config));
    report_advise(&doctor->report, "postconf smtp_dns_support_level=dnssec; postfix reload");
    if (config->wish == DANE_ONLY) {
        report_blame(&doctor->report,
            "DANE is demanded (dane-only) without smtp_dns_support_level = dnssec");
    }
    return false;
}

/* What one server says about signed names and about bogus ones. */
struct dane_asks {
    const struct dns_server *server;
    const struct ask *root;
    const struct ask *domain;
    const struct ask *bogus;
};

static bool has_ad(const struct ask *ask)
{
    return ask_is_answered(ask) && (ask->flags & HEADER_AD) != 0;
}

/* mxcache passes AD on from upstream servers that are trusted with it, and from no others. */
static void advise_own(struct doctor *doctor, bool upstream_has_ad)
{
    const struct settings *settings = doctor->options.settings;
    bool is_trusted = settings != NULL && settings->groups[0].trust_ad != SETTINGS_TRUST_AD_NO;
    if (upstream_has_ad && !is_trusted) {
        report_advise(&doctor->report,
            "The upstream server validates, but mxcache does not pass its word on. Ask it over "
            "TLS (ADDRESS@853#NAME) or on this host, and write in mxcache.conf, in [upstream "
            "default] with its servers: trust_ad = yes");
        return;
    }
    report_advise(&doctor->report,
        "Let mxcache ask a resolver that validates, over a path that can be trusted: Unbound on "
        "this host, or a server over TLS (ADDRESS@853#NAME), with trust_ad = yes in [upstream "
        "default].");
}

static bool report_no_ad(struct doctor *doctor, const struct dane_config *config,
    const struct dane_asks *asks, bool upstream_has_ad)
{
    if (has_ad(asks->root) || has_ad(asks->domain)) {
        return false;
    }
    report_add(&doctor->report, CHECK_dane, level_of(config), REPORT_CERTAIN,
        "%s answers without the AD bit, also for signed names, so Postfix believes nothing to be "
        "signed and %s.",
        asks->server->shown, effect_of(config));
    if (asks->server->is_own) {
        advise_own(doctor, upstream_has_ad);
    } else {
        report_advise(&doctor->report,
            "Let /etc/resolv.conf name a validating resolver on this host alone (nameserver "
            "127.0.0.1).");
    }
    if (config->wish == DANE_ONLY) {
        report_blame(&doctor->report, "DANE is demanded, but %s does not tell what is signed",
            asks->server->shown);
    }
    return true;
}

static void report_bogus(struct doctor *doctor, const struct dane_asks *asks)
{
    if (!ask_is_answered(asks->bogus) || asks->bogus->verdict == ASK_NXDOMAIN) {
        return;
    }
    bool is_believed = has_ad(asks->bogus);
    report_add(&doctor->report, CHECK_dane, REPORT_WARNING, REPORT_LIKELY,
        "%s answers for a name with a false signature%s: it passes the AD bit on, but does not "
        "validate itself, or not everything.",
        asks->server->shown, is_believed ? ", with the AD bit" : "");
    report_advise(&doctor->report,
        "Use a resolver that validates (Unbound with its trust anchor; Quad9, Cloudflare and "
        "Google validate, too, but are refused by DNS lists).");
}

/* Anybody between here and a server on the network can set the bit. */
static void report_path(struct doctor *doctor, const struct dane_asks *asks)
{
    if (address_is_loopback(&asks->server->address) || asks->server->is_own) {
        return;
    }
    report_add(&doctor->report, CHECK_dane, REPORT_WARNING, REPORT_CERTAIN,
        "%s is asked in clear over the network, where anybody on the path can set the AD bit: DANE "
        "protects from nothing then.",
        asks->server->shown);
    report_advise(&doctor->report,
        "Let /etc/resolv.conf name a resolver on this host alone (nameserver 127.0.0.1) that "
        "validates, or that asks one over TLS.");
}

static void dane_ask(const struct dns_scene *scene, struct ask_batch *batch, struct dane_asks *asks)
{
    const struct address *address = &asks->server->address;
    const char *const names[] = {".", scene->names.signed_domain, scene->names.bogus_domain};
    const uint16_t types[] = {TYPE_NS, TYPE_MX, TYPE_A};
    const struct ask **const outs[] = {&asks->root, &asks->domain, &asks->bogus};
    for (size_t i = 0; i < 3; i++) {
        struct ask *ask = ask_batch_add(batch, address, names[i], types[i]);
        ask->form.wants_ad = true;
        ask->form.wants_dnssec = true;
        *outs[i] = ask;
    }
}

static size_t dane_ask_all(
    struct doctor *doctor, struct ask_batch *batch, struct dane_asks asks_out[DNS_SERVERS_MAX])
{
    const struct dns_scene *scene = &doctor->facts.dns;
    size_t count = 0;
    for (size_t i = 0; i < scene->server_count; i++) {
        if (dns_server_is_usable(&scene->servers[i])) {
            asks_out[count].server = &scene->servers[i];
            dane_ask(scene, batch, &asks_out[count++]);
        }
    }
    dns_scene_run(doctor, batch);
    return count;
}

void check_dane(struct doctor *doctor)
{
    struct dane_asks asks[DNS_SERVERS_MAX];
    struct ask_batch batch;
    bool upstream_has_ad = false;
    if (!doctor->facts.postfix.is_installed) {
        report_add(&doctor->report, CHECK_dane, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix is not installed.");
        return;
    }
    struct dane_config config = config_of(&doctor->facts.postfix);
    if (!report_config(doctor, &config) || !dns_scene_ready(doctor, CHECK_dane)) {
        return;
    }
    ask_batch_init(&batch, (size_t)3 * DNS_SERVERS_MAX);
    size_t count = dane_ask_all(doctor, &batch, asks);
    size_t before = doctor->report.count;
    for (size_t i = 0; i < count; i++) {
        upstream_has_ad = upstream_has_ad || (asks[i].server->is_upstream && has_ad(asks[i].root));
    }
    for (size_t i = 0; i < count; i++) {
        bool was_asked = ask_is_answered(asks[i].root) || ask_is_answered(asks[i].domain);
        if (!asks[i].server->is_resolver || !was_asked) {
            continue;
        }
        if (!report_no_ad(doctor, &config, &asks[i], upstream_has_ad)) {
            report_bogus(doctor, &asks[i]);
            report_path(doctor, &asks[i]);
        }
    }
    if (doctor->report.count == before) {
        report_add(&doctor->report, CHECK_dane, REPORT_GOOD, REPORT_CERTAIN,
            "The servers of /etc/resolv.conf tell what is signed and fail what is bogus.");
    }
    ask_batch_fini(&batch);
}
