/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mail/public_resolver.h"
#include "conf/resolv_conf.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "doctor/doctor.h"

/*
 * The DNS lists in use as they are configured, without asking them: unfiltered, ended, with a key
 * that rejects would show, and asked through resolvers that they refuse.
 */
#define RESOLV_CONF "/etc/resolv.conf"

static bool lists_are_used(struct doctor *doctor, enum check_id check)
{
    if (doctor->facts.lists.count > 0) {
        return true;
    }
    bool is_denied = doctor->facts.postfix.is_denied;
    report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
        is_denied ? "Postfix's configuration may not be read; run the doctor as root."
                  : "No DNS list is in use.");
    return false;
}

/* What of the answers is a listing, at lists that are known to say other things, too. */
struct list_filter {
    const char *zone;
    const char *filter;
};

static const struct list_filter list_filters[] = {
    {"zen.spamhaus.org", "127.0.0.[2..11]"},
    {"sbl-xbl.spamhaus.org", "127.0.0.[2..11]"},
    {"dbl.spamhaus.org", "127.0.1.[2..99]"},
    {"zen.dq.spamhaus.net", "127.0.0.[2..11]"},
    {"dbl.dq.spamhaus.net", "127.0.1.[2..99]"},
    {"zrd.dq.spamhaus.net", "127.0.2.[2..24]"},
    {"multi.uribl.com", "127.0.0.2"},
    {"black.uribl.com", "127.0.0.2"},
    {"list.dnswl.org", "127.0.[0..255].[1..3]"},
    {"hostkarma.junkemailfilter.com", "127.0.0.2"},
    {"rep.mailspike.net", "127.0.0.[10..12]"},
};

static const char *filter_of(const struct list_use *use)
{
    for (size_t i = 0; i < sizeof list_filters / sizeof list_filters[0]; i++) {
        if (use->known != NULL && strcmp(use->known->zone, list_filters[i].zone) == 0) {
            return list_filters[i].filter;
        }
    }
    return "127.0.0.[2..254]";
}

/* By an address that a filter would tell from a listing. */
static bool list_can_refuse(const struct list_use *use)
{
    static const enum list_rules rules[] = {LIST_RULES_SPAMHAUS, LIST_RULES_SPAMHAUS_DBL,
        LIST_RULES_SPAMHAUS_DATA, LIST_RULES_URIBL, LIST_RULES_SURBL, LIST_RULES_DNSWL,
        LIST_RULES_DNSWL_DOMAINS, LIST_RULES_VALIDITY};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (use->known != NULL && use->known->rules == rules[i]) {
            return true;
        }
    }
    return use->known == NULL;
}

/* libc asks mxcache and nobody else. Where it does not run, somebody else has its address. */
static bool host_is_ours(const struct doctor *doctor)
{
    const struct settings *settings = doctor->options.settings;
    const struct doctor_daemon *daemon = doctor->options.daemon;
    if (daemon != NULL && daemon->state == DOCTOR_DAEMON_ABSENT) {
        return false;
    }
    const struct resolv_conf *libc = &doctor->facts.resolver.files[0].conf;
    bool is_ours = settings != NULL && libc->server_count > 0;
    for (size_t i = 0; i < libc->server_count && i < RESOLV_CONF_LIBC_MAX; i++) {
        is_ours = is_ours && upstreams_is_own(settings, &libc->servers[i]);
    }
    return is_ours;
}

/* mxcache stands before the lists, and keeps refusals from whoever asks. */
static bool refusals_are_kept(const struct doctor *doctor)
{
    return host_is_ours(doctor) &&
           doctor->options.settings->list_action != SETTINGS_LIST_ACTION_PASS;
}

static void report_unfiltered(struct doctor *doctor, const struct list_use *use, bool is_kept)
{
    bool is_allow = list_use_is_allow(use);
    bool is_harsh = list_can_refuse(use) && !use->warns_only && !is_kept;
    enum report_level level = is_harsh ? REPORT_WARNING : REPORT_NOTE;
    const char *effect = is_allow ? "admits everybody"
                                  : (use->by == LIST_USE_POSTSCREEN ? "counts against every client"
                                                                    : "rejects every mail");
    report_add(&doctor->report, CHECK_dnsbl_filter, level, REPORT_CERTAIN,
        "%s: %s %s has no filter, so any answer counts as a listing, a refusal (127.255.255.254) "
        "or a parked domain's address, too; then it %s.%s%s",
        use->place, use->word, use->shown, effect,
        is_kept ? " mxcache stands before it and answers SERVFAIL instead of a refusal, so this "
                  "happens only if it is bypassed."
                : "",
        use->warns_only ? " It only warns (warn_if_reject)." : "");
    report_advise(
        &doctor->report, "Write %s=%s there, then: postfix reload", use->shown, filter_of(use));
    if (is_harsh && !is_allow) {
        report_blame(&doctor->report,
            "%s is asked without a filter (%s), so that a refusal of the list rejects mail",
            use->shown, use->place);
    }
}

void check_dnsbl_filter(struct doctor *doctor)
{
    const struct list_uses *uses = &doctor->facts.lists;
    size_t of_postfix = 0;
    size_t unfiltered = 0;
    if (!lists_are_used(doctor, CHECK_dnsbl_filter)) {
        return;
    }
    bool is_kept = refusals_are_kept(doctor);
    for (size_t i = 0; i < uses->count; i++) {
        const struct list_use *use = &uses->uses[i];
        of_postfix += list_use_is_postfix(use);
        if (list_use_is_postfix(use) && !use->has_filter &&
            (use->known == NULL || use->known->ended == NULL)) {
            unfiltered++;
            report_unfiltered(doctor, use, is_kept);
        }
    }
    if (of_postfix == 0) {
        report_add(&doctor->report, CHECK_dnsbl_filter, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix itself asks no DNS list.");
    } else if (unfiltered == 0) {
        report_add(&doctor->report, CHECK_dnsbl_filter, REPORT_GOOD, REPORT_CERTAIN,
            "Lists that Postfix asks, each with a filter: %zu.", of_postfix);
    }
}

static void report_ended(struct doctor *doctor, const struct list_use *use)
{
    enum report_level level = use->is_default ? REPORT_NOTE : REPORT_WARNING;
    report_add(&doctor->report, CHECK_dnsbl_dead, level, REPORT_CERTAIN,
        "%s: %s ended (%s), and is still asked by %s.", use->place, use->shown, use->known->ended,
        use->word);
    switch (use->by) {
    case LIST_USE_RSPAMD:
        report_advise(&doctor->report,
            "In /etc/rspamd/local.d/rbl.conf: rbls { %s { enabled = false; } }\nthen: systemctl "
            "reload rspamd",
            use->word);
        break;
    case LIST_USE_SPAMASSASSIN:
        report_advise(&doctor->report,
            "In /etc/spamassassin/local.cf: dns_query_restriction deny %s\nthen restart "
            "SpamAssassin",
            use->known->zone);
        break;
    case LIST_USE_REJECT:
    case LIST_USE_REJECT_DOMAIN:
    case LIST_USE_PERMIT:
    case LIST_USE_PERMIT_DOMAIN:
    case LIST_USE_POSTSCREEN:
        report_advise(&doctor->report, "Take it out there, then: postfix reload");
        report_blame(&doctor->report,
            "Postfix asks %s, which has ended, and waits for an answer or rejects by it",
            use->shown);
        break;
    }
}

void check_dnsbl_dead(struct doctor *doctor)
{
    const struct list_uses *uses = &doctor->facts.lists;
    size_t ended = 0;
    if (!lists_are_used(doctor, CHECK_dnsbl_dead)) {
        return;
    }
    for (size_t i = 0; i < uses->count; i++) {
        const struct list_use *use = &uses->uses[i];
        if (use->known != NULL && use->known->ended != NULL) {
            ended++;
            report_ended(doctor, use);
        }
    }
    if (ended == 0) {
        report_add(&doctor->report, CHECK_dnsbl_dead, REPORT_GOOD, REPORT_CERTAIN,
            "None of the %zu lists in use is known to have ended.", uses->count);
    }
}

/* Is the text that a rejected client sees one of the operator's own making? */
static bool reply_is_own(const struct doctor *doctor, const struct list_use *use)
{
    char value[POSTFIX_VALUE_MAX];
    const struct postfix_instance *instance = &doctor->facts.postfix.instances[use->instance];
    if (use->by == LIST_USE_POSTSCREEN) {
        return postfix_value(instance, NULL, "postscreen_dnsbl_reply_map", value, sizeof value) > 0;
    }
    if (postfix_value(instance, NULL, "rbl_reply_maps", value, sizeof value) > 0) {
        return true;
    }
    /* As written: expanded, the names that Postfix fills in later would be gone. */
    for (size_t i = instance->parameter_count; i > 0; i--) {
        const struct postfix_parameter *parameter = &instance->parameters[i - 1];
        if (strcmp(parameter->name, "default_rbl_reply") == 0) {
            return strstr(parameter->value, "rbl_domain") == NULL &&
                   strstr(parameter->value, "rbl_reason") == NULL;
        }
    }
    return false;
}

static void report_leak(struct doctor *doctor, const struct list_use *use)
{
    const char *bare = strncmp(use->shown, "*.", 2) == 0 ? use->shown + 2 : use->shown;
    report_add(&doctor->report, CHECK_dnsbl_key, REPORT_WARNING, REPORT_CERTAIN,
        "%s: every client that %s rejects is shown the key of %s, for the reply names the list as "
        "it is asked.",
        use->place, use->word, use->shown);
    if (use->by == LIST_USE_POSTSCREEN) {
        report_advise(&doctor->report,
            "In main.cf: postscreen_dnsbl_reply_map = texthash:/etc/postfix/dnsbl_reply\n"
            "In /etc/postfix/dnsbl_reply (chmod 640): KEY.%s %s\nthen: postfix reload",
            bare, bare);
        return;
    }
    report_advise(&doctor->report,
        "In main.cf: rbl_reply_maps = texthash:/etc/postfix/dnsbl_reply\n"
        "In /etc/postfix/dnsbl_reply (chmod 640), the list just as it is written in main.cf: "
        "KEY.%s=%s $rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using "
        "%s\nthen: postfix reload",
        bare, filter_of(use), bare);
}

void check_dnsbl_key(struct doctor *doctor)
{
    const struct list_uses *uses = &doctor->facts.lists;
    size_t keyed = 0;
    size_t leaks = 0;
    for (size_t i = 0; i < uses->count; i++) {
        const struct list_use *use = &uses->uses[i];
        bool rejects = use->by == LIST_USE_REJECT || use->by == LIST_USE_REJECT_DOMAIN ||
                       (use->by == LIST_USE_POSTSCREEN && use->weight > 0);
        if (!use->has_key || !rejects || use->warns_only) {
            continue;
        }
        keyed++;
        if (!reply_is_own(doctor, use)) {
            leaks++;
            report_leak(doctor, use);
        }
    }
    if (keyed == 0) {
        report_add(&doctor->report, CHECK_dnsbl_key, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix rejects by no list that is asked with a customer's key.");
    } else if (leaks == 0) {
        report_add(&doctor->report, CHECK_dnsbl_key, REPORT_GOOD, REPORT_CERTAIN,
            "Lists with a key whose replies do not show it: %zu.", keyed);
    }
}

/* The public servers among those that are asked; 0: none. */
static size_t public_add(struct text *text, const struct address *address, size_t count)
{
    char host[ADDRESS_TEXT_SIZE];
    const char *owner = public_resolver_name(address);
    if (owner == NULL) {
        return count;
    }
    (void)address_format_host(address, host, sizeof host);
    text_addf(text, "%s%s (%s)", count > 0 ? ", " : "", host, owner);
    return count + 1;
}

/* systemd-resolved passes on what its stub is asked. */
static size_t public_of_stub(const struct doctor *doctor, struct text *text, size_t count)
{
    const struct resolver_file *file =
        resolver_files_find(&doctor->facts.resolver, RESOLVER_FILE_RESOLVED);
    for (size_t i = 0; file != NULL && i < file->conf.server_count; i++) {
        count = public_add(text, &file->conf.servers[i], count);
    }
    return count;
}

static bool libc_asks_stub(const struct doctor *doctor)
{
    const struct resolv_conf *libc = &doctor->facts.resolver.files[0].conf;
    return libc->server_count > 0 && upstreams_is_stub(&libc->servers[0]);
}

static size_t public_of_libc(const struct doctor *doctor, struct text *text)
{
    const struct resolv_conf *libc = &doctor->facts.resolver.files[0].conf;
    size_t count = 0;
    for (size_t i = 0; i < libc->server_count && i < RESOLV_CONF_LIBC_MAX; i++) {
        count = public_add(text, &libc->servers[i], count);
        if (upstreams_is_stub(&libc->servers[i])) {
            count = public_of_stub(doctor, text, count);
        }
    }
    return count;
}

static size_t public_of_group(const struct settings_group *group, struct text *text)
{
    size_t count = 0;
    for (size_t i = 0; i < group->server_count; i++) {
        count = public_add(text, &group->servers[i].address, count);
    }
    return count;
}

static void report_public_libc(struct doctor *doctor, const char *servers)
{
    report_add(&doctor->report, CHECK_public_resolver, REPORT_WARNING, REPORT_CERTAIN,
        RESOLV_CONF
        " names %s%s, and this host asks DNS lists. Spamhaus, URIBL, SURBL, DNSWL and "
        "others refuse questions that come through public resolvers, and rspamd (since 3.14) "
        "asks all servers of that file in turn, not only the first.",
        libc_asks_stub(doctor) ? "systemd-resolved, which asks " : "", servers);
    report_advise(&doctor->report,
        "Let " RESOLV_CONF " name this host's own resolver alone (nameserver 127.0.0.1; `mxcache "
        "setup` does that), and mxcache asks the lists that refuse by itself. The common advice "
        "to write 8.8.8.8 or 1.1.1.1 there is wrong for a mail host that uses lists.");
    report_blame(&doctor->report,
        "DNS lists are asked through public resolvers (%s), which they refuse", servers);
}

/* mxcache's own upstream servers. With route auto it asks the lists itself once they refuse. */
static void report_public_upstream(struct doctor *doctor, const char *servers)
{
    switch (doctor->options.settings->list_route) {
    case SETTINGS_ROUTE_DIRECT:
        report_add(&doctor->report, CHECK_public_resolver, REPORT_GOOD, REPORT_CERTAIN,
            "mxcache's upstream servers are public (%s), but it asks the known lists' own name "
            "servers (list_route = direct).",
            servers);
        return;
    case SETTINGS_ROUTE_AUTO:
        report_add(&doctor->report, CHECK_public_resolver, REPORT_NOTE, REPORT_CERTAIN,
            "mxcache's upstream servers are public (%s). Lists refuse them; mxcache notices and "
            "asks these lists' own name servers (list_route = auto).",
            servers);
        return;
    case SETTINGS_ROUTE_UPSTREAM:
        break;
    }
    report_add(&doctor->report, CHECK_public_resolver, REPORT_WARNING, REPORT_CERTAIN,
        "mxcache's upstream servers are public (%s), and list_route = upstream sends them the "
        "questions to DNS lists, which refuse them.",
        servers);
    report_advise(&doctor->report, "In mxcache.conf: list_route = auto\nthen: mxcache reload");
    report_blame(&doctor->report, "DNS lists are asked through public resolvers (%s)", servers);
}

void check_public_resolver(struct doctor *doctor)
{
    char libc_text[512];
    char upstream_text[1024];
    struct text libc;
    struct text upstream;
    const struct settings *settings = doctor->options.settings;
    if (!lists_are_used(doctor, CHECK_public_resolver)) {
        return;
    }
    text_init(&libc, libc_text, sizeof libc_text);
    text_init(&upstream, upstream_text, sizeof upstream_text);
    size_t of_libc = public_of_libc(doctor, &libc);
    size_t of_group = host_is_ours(doctor) ? public_of_group(&settings->groups[0], &upstream) : 0;
    if (of_libc > 0) {
        report_public_libc(doctor, libc_text);
    } else if (of_group > 0) {
        report_public_upstream(doctor, upstream_text);
    } else {
        report_add(&doctor->report, CHECK_public_resolver, REPORT_GOOD, REPORT_CERTAIN,
            "No public resolver is asked about lists.");
    }
}
