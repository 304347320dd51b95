/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/cross.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "conf/parse_private.h"
#include "conf/resolv_conf.h"
#include "conf/upstreams.h"

/* libc's default timeout; a question without an answer is asked again then. */
#define CROSS_LIBC_TIMEOUT_US (5 * CLOCK_US_PER_S)

/* Room for a duration. */
struct cross_duration {
    char text[32];
};

static const char *cross_duration(int64_t duration_us, struct cross_duration *out)
{
    struct text text;
    text_init(&text, out->text, sizeof out->text);
    text_add_duration(&text, duration_us);
    return out->text;
}

/* Neither was reported. */
static bool cross_are_well(const struct parse *parse, enum schema_id a, enum schema_id b)
{
    return !parse->main[a].is_bad && !parse->main[b].is_bad;
}

/* Where to point for a quarrel of two settings: at the first one that the operator wrote. */
static struct finding_place cross_place(
    const struct parse *parse, enum schema_id a, enum schema_id b)
{
    if (parse->main[a].is_set) {
        return parse->main[a].place;
    }
    if (parse->main[b].is_set) {
        return parse->main[b].place;
    }
    return (struct finding_place){.file = parse->file};
}

static void cross_check_deadline(struct parse *parse)
{
    const struct settings *settings = parse->settings;
    enum schema_id deadline = SCHEMA_ID_answer_deadline;
    struct cross_duration a;
    struct cross_duration b;
    if (parse->main[deadline].is_bad) {
        return;
    }
    if (cross_are_well(parse, SCHEMA_ID_stale_patience, deadline) &&
        settings->stale_patience_us >= settings->answer_deadline_us) {
        struct finding_place place = cross_place(parse, SCHEMA_ID_stale_patience, deadline);
        finding_add(parse->findings, FINDING_ERROR, &place,
            "stale_patience = %s is not below answer_deadline = %s: an expired answer would come "
            "too late to help",
            cross_duration(settings->stale_patience_us, &a),
            cross_duration(settings->answer_deadline_us, &b));
    }
    if (cross_are_well(parse, SCHEMA_ID_try_timeout, deadline) &&
        settings->try_timeout_us >= settings->answer_deadline_us) {
        struct finding_place place = cross_place(parse, SCHEMA_ID_try_timeout, deadline);
        finding_add(parse->findings, FINDING_WARNING, &place,
            "try_timeout = %s is not below answer_deadline = %s: a second server is never asked",
            cross_duration(settings->try_timeout_us, &a),
            cross_duration(settings->answer_deadline_us, &b));
    }
    if (settings->answer_deadline_us >= CROSS_LIBC_TIMEOUT_US) {
        struct finding_place place = cross_place(parse, deadline, deadline);
        finding_add(parse->findings, FINDING_WARNING, &place,
            "answer_deadline = %s is not below 5s: libc asks again after 5 s, so each slow "
            "question comes twice; 4s is a good value",
            cross_duration(settings->answer_deadline_us, &a));
    }
}

static void cross_check_ttl(struct parse *parse)
{
    const struct settings *settings = parse->settings;
    struct cross_duration a;
    struct cross_duration b;
    if (cross_are_well(parse, SCHEMA_ID_ttl_min, SCHEMA_ID_ttl_max) &&
        settings->ttl_min_us > settings->ttl_max_us) {
        struct finding_place place = cross_place(parse, SCHEMA_ID_ttl_min, SCHEMA_ID_ttl_max);
        finding_add(parse->findings, FINDING_ERROR, &place,
            "ttl_min = %s is above ttl_max = %s: exchange or change one of them",
            cross_duration(settings->ttl_min_us, &a), cross_duration(settings->ttl_max_us, &b));
    }
}

static bool cross_allows_everybody(const struct settings *settings, uint8_t family)
{
    for (size_t i = 0; i < settings->allow_count; i++) {
        const struct network *network = &settings->allow[i];
        if (network->prefix == 0 && network->address.family == family) {
            return true;
        }
    }
    return false;
}

#define CROSS_DNS_PORT 53

/* One address of listen against the others and against allow. */
static void cross_check_listen_at(struct parse *parse, size_t index)
{
    const struct settings *settings = parse->settings;
    const struct address *own = &settings->listen[index];
    struct finding_place place = parse->listen_places[index];
    char host[ADDRESS_TEXT_SIZE];
    address_format_host(own, host, sizeof host);
    for (size_t i = 0; i < index; i++) {
        if (address_equal(own, &settings->listen[i])) {
            finding_add(parse->findings, FINDING_ERROR, &place,
                "listen names %s twice with the same port: take one out", host);
            break;
        }
    }
    if (parse->main[SCHEMA_ID_allow].is_bad) {
        return;
    }
    bool is_public = address_is_any(own) || !(address_is_loopback(own) || address_is_private(own));
    if (is_public && cross_allows_everybody(settings, own->family)) {
        finding_add(parse->findings, FINDING_WARNING, &place,
            "open resolver: listen has %s and allow lets everybody ask, so strangers will use this "
            "host for attacks: name your own networks in allow",
            host);
    }
}

static void cross_check_listen(struct parse *parse)
{
    for (size_t i = 0; !parse->main[SCHEMA_ID_listen].is_bad && i < parse->settings->listen_count;
         i++) {
        cross_check_listen_at(parse, i);
    }
}

/* trust_ad = yes needs a path on which nobody can set the bit. */
static void cross_check_trust(struct parse *parse, size_t index)
{
    const struct settings_group *group = &parse->settings->groups[index];
    if (parse->groups[index].trust_ad.is_bad || group->trust_ad != SETTINGS_TRUST_AD_YES) {
        return;
    }
    for (size_t i = 0; i < group->server_count; i++) {
        const struct settings_server *server = &group->servers[i];
        if (address_is_loopback(&server->address) || settings_server_is_tls(server)) {
            continue;
        }
        char host[ADDRESS_TEXT_SIZE];
        address_format_host(&server->address, host, sizeof host);
        finding_add(parse->findings, FINDING_ERROR, &parse->groups[index].trust_ad.place,
            "trust_ad = yes, but %s is asked in clear over a network: anybody on the path can set "
            "the AD bit, and DANE in Postfix believes it. Ask a validating resolver on this host, "
            "or write no, or insecurely to take the risk",
            host);
        return;
    }
}

/* Pins say that nothing shall be asked in clear; a server that would be is an oversight. */
static void cross_check_pins(struct parse *parse, size_t index)
{
    const struct settings_group *group = &parse->settings->groups[index];
    const struct finding_place *place = &parse->groups[index].tls_pins.place;
    bool is_from_file = index == 0 && parse->settings->upstreams_from_file;
    for (size_t i = 0; group->tls_pin_count > 0 && i < group->server_count; i++) {
        const struct settings_server *server = &group->servers[i];
        char host[ADDRESS_TEXT_SIZE];
        if (settings_server_is_tls(server)) {
            continue;
        }
        address_format_host(&server->address, host, sizeof host);
        finding_add(parse->findings, FINDING_ERROR, place,
            "tls_pins is set, but %s%s%s is asked in clear and shows no key: %s %s@853 for TLS "
            "with the key as its only proof, or %s#TLS-NAME to have the name checked as well%s",
            host, is_from_file ? " of " : "", is_from_file ? parse->settings->upstreams_file : "",
            is_from_file ? "write upstreams =" : "write", host, host,
            is_from_file ? "" : "; or move it to a group of its own");
        return;
    }
}

/* One server of a group: is it us, is it there twice, can it be asked? */
static void cross_check_server(struct parse *parse, size_t index, size_t at)
{
    const struct settings_group *group = &parse->settings->groups[index];
    const struct settings_server *server = &group->servers[at];
    const struct finding_place *place = &parse->groups[index].server_places[at];
    char text[ADDRESS_TEXT_SIZE];
    address_format(&server->address, text, sizeof text);
    if (!parse->main[SCHEMA_ID_listen].is_bad &&
        upstreams_is_own(parse->settings, &server->address)) {
        finding_add(parse->findings, FINDING_ERROR, place,
            "%s is our own address (listen): a forwarding loop to ourselves; name the resolver "
            "behind us",
            text);
    }
    for (size_t i = 0; i < at; i++) {
        if (address_equal(&server->address, &group->servers[i].address)) {
            finding_add(parse->findings, FINDING_WARNING, place,
                "%s stands twice in this group: take one out", text);
            return;
        }
    }
}

/* Some zone points to this group. */
static bool cross_is_used(const struct settings *settings, size_t index)
{
    for (size_t i = 0; i < settings->zone_count; i++) {
        if (settings->zones[i].group == index) {
            return true;
        }
    }
    return false;
}

static void cross_check_group(struct parse *parse, size_t index)
{
    const struct settings *settings = parse->settings;
    const struct parse_group *origin = &parse->groups[index];
    bool is_from_file = index == 0 && settings->upstreams_from_file;
    for (size_t i = 0; !is_from_file && i < settings->groups[index].server_count; i++) {
        cross_check_server(parse, index, i);
    }
    cross_check_trust(parse, index);
    cross_check_pins(parse, index);
    if (index == 0) {
        return;
    }
    if (!origin->servers.is_set) {
        finding_add(parse->findings, FINDING_ERROR, &origin->place,
            "this group has no servers: write servers = ADDRESS... below it");
    }
    if (parse->findings->errors == 0 && !cross_is_used(settings, index)) {
        finding_add(parse->findings, FINDING_WARNING, &origin->place,
            "no zone asks this group: write [zone NAME] with upstream = %s, or take it out",
            settings->groups[index].name);
    }
}

/* The port of questions is what an address without a port has, and never the one that is meant. */
static void cross_check_metrics(struct parse *parse)
{
    const struct settings *settings = parse->settings;
    bool is_read = parse->main[SCHEMA_ID_metrics_listen].is_set &&
                   !parse->main[SCHEMA_ID_metrics_listen].is_bad;
    for (size_t i = 0; is_read && i < settings->metrics_listen_count; i++) {
        const struct address *own = &settings->metrics_listen[i];
        char host[ADDRESS_TEXT_SIZE];
        address_format_host(own, host, sizeof host);
        if (own->port == CROSS_DNS_PORT) {
            finding_add(parse->findings, FINDING_ERROR, &parse->metrics_places[i],
                "metrics_listen needs a port: write %s@9153", host);
        } else if (!address_is_loopback(own)) {
            finding_add(parse->findings, FINDING_WARNING, &parse->metrics_places[i],
                "metrics_listen has %s: whoever reaches that address can read the numbers; let a "
                "firewall or a proxy see to it that only your monitoring does",
                host);
        }
    }
}

static void cross_check_dnstap(struct parse *parse)
{
    if (!MXCACHE_HAS_DNSTAP && parse->settings->dnstap[0] != '\0') {
        struct finding_place place = cross_place(parse, SCHEMA_ID_dnstap, SCHEMA_ID_dnstap);
        finding_add(parse->findings, FINDING_ERROR, &place,
            "dnstap is set, but this mxcache was built without libfstrm: take the setting out, or "
            "install libfstrm-dev and build again");
    }
}

void cross_check(struct parse *parse)
{
    cross_check_dnstap(parse);
    cross_check_listen(parse);
    cross_check_metrics(parse);
    cross_check_deadline(parse);
    cross_check_ttl(parse);
    for (size_t i = 0; i < parse->settings->group_count; i++) {
        cross_check_group(parse, i);
    }
}

void cross_check_libc(const struct settings *settings, const char *file,
    const struct resolv_conf *resolv_conf, struct findings *findings)
{
    int64_t timeout_us = (int64_t)resolv_conf->timeout_s * CLOCK_US_PER_S;
    if (!resolv_conf->has_timeout || timeout_us > settings->answer_deadline_us) {
        return;
    }
    struct finding_place place = {.file = file};
    struct cross_duration deadline;
    finding_add(findings, FINDING_WARNING, &place,
        "options timeout:%u makes libc ask again after %u s, and answer_deadline = %s is not below "
        "that: take the option out, or lower answer_deadline",
        resolv_conf->timeout_s, resolv_conf->timeout_s,
        cross_duration(settings->answer_deadline_us, &deadline));
}
