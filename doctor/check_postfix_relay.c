/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "doctor/check_postfix.h"
#include "doctor/doctor.h"

/* Wider than this no single operator's own hosts are, private networks aside. */
#define PREFIX_WIDE_4 16
#define PREFIX_WIDE_6 32
#define LIST_FILE_MAX ((size_t)256 * 1024)

static bool word_is(const char *word, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(word, wanted, len) == 0;
}

/* What a list of restrictions does with a stranger's mail for a stranger. */
enum list_verdict {
    LIST_OPEN,    /* Says permit first. */
    LIST_CLOSED,  /* Says reject or defer first. */
    LIST_NOTHING, /* Neither. */
    LIST_UNKNOWN, /* A class of the site's own comes first. */
};

static bool word_closes(const char *word, size_t len)
{
    static const char *const words[] = {"reject_unauth_destination", "defer_unauth_destination",
        "reject", "defer", "defer_if_permit", "check_relay_domains"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (word_is(word, len, words[i])) {
            return true;
        }
    }
    return false;
}

static bool list_has(const char *list, const char *wanted)
{
    size_t at = 0;
    const char *word;
    size_t len;
    while (postfix_word(list, &at, &word, &len)) {
        if (word_is(word, len, wanted)) {
            return true;
        }
    }
    return false;
}

static enum list_verdict list_judge(const char *list, const char *classes)
{
    size_t at = 0;
    const char *word;
    size_t len;
    while (postfix_word(list, &at, &word, &len)) {
        char name[128];
        (void)snprintf(name, sizeof name, "%.*s", (int)(len < 127 ? len : 127), word);
        if (word_closes(word, len)) {
            return LIST_CLOSED;
        }
        if (word_is(word, len, "permit")) {
            return LIST_OPEN;
        }
        if (list_has(classes, name)) {
            return LIST_UNKNOWN;
        }
    }
    return LIST_NOTHING;
}

/* Everything here is about one smtpd service, or about main.cf where `service` is NULL. */
struct relay {
    struct doctor *doctor;
    const struct postfix_instance *instance;
    const struct postfix_service *service;
    char place[HOST_PATH_SIZE + 64];
    bool trusts_mynetworks; /* permit_mynetworks comes before the door. */
    size_t findings;
};

static void relay_report_open(struct relay *relay)
{
    struct report *report = &relay->doctor->report;
    report_add(report, CHECK_pf_mynetworks, REPORT_ERROR, REPORT_LIKELY,
        "%s: the restrictions say `permit` before they refuse strangers, so anybody may send "
        "anything through this host: an open relay.",
        relay->place);
    report_advise(report, "Set `smtpd_relay_restrictions = permit_mynetworks, "
                          "permit_sasl_authenticated, defer_unauth_destination` in main.cf; then: "
                          "postfix reload.");
    report_blame(report, "this host is an open relay, which puts it on blocklists");
    relay->findings++;
}

static void relay_report_dead(struct relay *relay)
{
    struct report *report = &relay->doctor->report;
    report_add(report, CHECK_pf_mynetworks, REPORT_ERROR, REPORT_LIKELY,
        "%s: neither smtpd_relay_restrictions nor smtpd_recipient_restrictions refuses strangers; "
        "smtpd stops at that, and clients get 421.",
        relay->place);
    report_advise(report, "Set `smtpd_relay_restrictions = permit_mynetworks, "
                          "permit_sasl_authenticated, defer_unauth_destination` in main.cf; then: "
                          "postfix reload.");
    report_blame(report, "smtpd stops because its relay restrictions refuse nobody");
    relay->findings++;
}

static void relay_find_trust(struct relay *relay)
{
    char first[POSTFIX_VALUE_MAX];
    char second[POSTFIX_VALUE_MAX];
    (void)postfix_value(
        relay->instance, relay->service, "smtpd_relay_restrictions", first, sizeof first);
    (void)postfix_value(
        relay->instance, relay->service, "smtpd_recipient_restrictions", second, sizeof second);
    relay->trusts_mynetworks =
        list_has(first, "permit_mynetworks") || list_has(second, "permit_mynetworks");
}

static void relay_check_restrictions(struct relay *relay)
{
    char first[POSTFIX_VALUE_MAX];
    char second[POSTFIX_VALUE_MAX];
    char classes[POSTFIX_VALUE_MAX];
    (void)postfix_value(
        relay->instance, relay->service, "smtpd_relay_restrictions", first, sizeof first);
    (void)postfix_value(
        relay->instance, relay->service, "smtpd_recipient_restrictions", second, sizeof second);
    (void)postfix_value(
        relay->instance, relay->service, "smtpd_restriction_classes", classes, sizeof classes);
    enum list_verdict relay_verdict = list_judge(first, classes);
    enum list_verdict recipient_verdict = list_judge(second, classes);
    if (relay_verdict == LIST_CLOSED || recipient_verdict == LIST_CLOSED ||
        relay_verdict == LIST_UNKNOWN || recipient_verdict == LIST_UNKNOWN) {
        return;
    }
    bool has_refusal = false;
    const char *const lists[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        size_t at = 0;
        const char *word;
        size_t len;
        while (postfix_word(lists[i], &at, &word, &len)) {
            has_refusal |= word_closes(word, len);
        }
    }
    /* Below level 1 Postfix has a fallback of its own when neither is set. */
    bool is_set = relay->service != NULL ||
                  postfix_line(relay->instance, "smtpd_relay_restrictions") != 0 ||
                  postfix_line(relay->instance, "smtpd_recipient_restrictions") != 0;
    if (has_refusal) {
        relay_report_open(relay);
    } else if (is_set) {
        relay_report_dead(relay);
    }
}

static void relay_report_network(struct relay *relay, const char *word, int len)
{
    struct report *report = &relay->doctor->report;
    bool is_open = relay->trusts_mynetworks;
    report_add(report, CHECK_pf_mynetworks, is_open ? REPORT_ERROR : REPORT_WARNING, REPORT_CERTAIN,
        "%s: mynetworks contains %.*s, the whole Internet%s.", relay->place, len, word,
        is_open ? ": an open relay, anybody may send anything through this host" : "");
    report_advise(report, "Name only your own hosts, such as `mynetworks = 127.0.0.0/8 [::1]/128`; "
                          "let users log in (submission with SASL). Then: postfix reload.");
    if (is_open) {
        report_blame(
            report, "this host is an open relay (mynetworks), which puts it on blocklists");
    }
    relay->findings++;
}

static void relay_report_wide(struct relay *relay, const char *word, int len)
{
    struct report *report = &relay->doctor->report;
    report_add(report, CHECK_pf_mynetworks, REPORT_WARNING, REPORT_LIKELY,
        "%s: mynetworks contains %.*s, a large public network; each host in it may send anything "
        "through this one.",
        relay->place, len, word);
    report_advise(report, "Name only your own hosts in mynetworks; then: postfix reload.");
    relay->findings++;
}

/* "192.0.2.1/24" is no network: Postfix says so in the log and answers 451. */
static void relay_report_bad(struct relay *relay, const char *word, int len)
{
    struct report *report = &relay->doctor->report;
    report_add(report, CHECK_pf_mynetworks, REPORT_ERROR, REPORT_LIKELY,
        "%s: mynetworks contains %.*s, which is no network: the address has bits beyond the "
        "prefix, or is none. Postfix then answers 451 `Temporary lookup failure`.",
        relay->place, len, word);
    report_advise(report, "Write the network with zeros behind the prefix, such as 192.0.2.0/24 "
                          "or [2001:db8::]/32; then: postfix reload.");
    report_blame(report, "mynetworks cannot be read, so smtpd answers 451");
    relay->findings++;
}

/* [2001:db8::]/32 as 2001:db8::/32. */
static size_t network_unbracket(const char *word, size_t len, char *out, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < len && count + 1 < size; i++) {
        if (word[i] != '[' && word[i] != ']') {
            out[count++] = word[i];
        }
    }
    out[count] = '\0';
    return count;
}

static bool word_looks_numeric(const char *word, size_t len)
{
    return len > 0 && (word[0] == '[' || strspn(word, "0123456789./") >= len);
}

static void relay_check_network(struct relay *relay, const char *word, size_t len)
{
    char text[96];
    struct network network;
    if (!word_looks_numeric(word, len)) {
        return; /* A table, an exception, or a name: not to be judged from here. */
    }
    size_t text_len = network_unbracket(word, len, text, sizeof text);
    if (!network_parse(text, text_len, &network)) {
        relay_report_bad(relay, word, (int)len);
        return;
    }
    unsigned wide = network.address.family == ADDRESS_IPV4 ? PREFIX_WIDE_4 : PREFIX_WIDE_6;
    bool is_private = address_is_private(&network.address) || address_is_loopback(&network.address);
    if (network.prefix == 0) {
        relay_report_network(relay, word, (int)len);
    } else if (network.prefix < wide && (!is_private || network.prefix < 7)) {
        relay_report_wide(relay, word, (int)len);
    }
}

static void relay_check_words(struct relay *relay, const char *list)
{
    size_t at = 0;
    const char *word;
    size_t len;
    while (postfix_word(list, &at, &word, &len)) {
        relay_check_network(relay, word, len);
    }
}

/* A word "/path" names a file with more of them, comments included. */
static void relay_check_file(struct relay *relay, const char *word, size_t len)
{
    char path[HOST_PATH_SIZE];
    struct host_file file;
    (void)snprintf(path, sizeof path, "%.*s", (int)(len < HOST_PATH_SIZE ? len : 0), word);
    if (host_read(&relay->doctor->host, path, LIST_FILE_MAX, &file) != HOST_READ) {
        return;
    }
    for (char *at = file.bytes; *at != '\0';) {
        size_t line_len = strcspn(at, "\n");
        bool is_last = at[line_len] == '\0';
        at[line_len] = '\0';
        at[strcspn(at, "#")] = '\0';
        relay_check_words(relay, at);
        at += line_len + !is_last;
    }
    host_file_fini(&file);
}

static void relay_check_networks(struct relay *relay)
{
    char list[POSTFIX_VALUE_MAX];
    size_t at = 0;
    const char *word;
    size_t len;
    (void)postfix_value(relay->instance, relay->service, "mynetworks", list, sizeof list);
    relay_check_words(relay, list);
    while (postfix_word(list, &at, &word, &len)) {
        if (word[0] == '/') {
            relay_check_file(relay, word, len);
        }
    }
}

static void relay_check_style(struct relay *relay)
{
    char style[32];
    struct report *report = &relay->doctor->report;
    (void)postfix_value(relay->instance, NULL, "mynetworks_style", style, sizeof style);
    if (postfix_line(relay->instance, "mynetworks") != 0 || strcmp(style, "host") == 0) {
        return;
    }
    bool is_class = strcmp(style, "class") == 0;
    report_add(report, CHECK_pf_mynetworks, REPORT_WARNING,
        is_class ? REPORT_LIKELY : REPORT_POSSIBLE,
        "%s: without mynetworks, mynetworks_style = %s lets all hosts of %s send anything through "
        "this one; at a hoster these are strangers.",
        relay->place, style, is_class ? "its class A, B or C network" : "its subnets");
    report_advise(report, "Set `mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128` and add "
                          "your own hosts; then: postfix reload.");
    relay->findings++;
}

static bool service_sets(const struct postfix_service *service, const char *name)
{
    for (size_t i = 0; i < service->option_count; i++) {
        if (strcmp(service->options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A service on loopback, behind a content filter, may trust whoever reaches it. */
static bool service_is_open_to_others(const struct postfix_service *service)
{
    static const char *const starts[] = {"127.", "localhost:", "[::1]:", "[127."};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (strncmp(service->name, starts[i], strlen(starts[i])) == 0) {
            return false;
        }
    }
    return strcmp(service->command, "smtpd") == 0;
}

static size_t service_check(struct doctor *doctor, const struct postfix_instance *instance,
    const struct postfix_service *service)
{
    struct relay relay = {.doctor = doctor, .instance = instance, .service = service};
    (void)snprintf(relay.place, sizeof relay.place, "%s/master.cf:%u (%s)",
        instance->config_directory, service->line, service->name);
    relay_find_trust(&relay);
    if (service_sets(service, "smtpd_relay_restrictions") ||
        service_sets(service, "smtpd_recipient_restrictions")) {
        relay_check_restrictions(&relay);
    }
    if (service_sets(service, "mynetworks")) {
        relay_check_networks(&relay);
    }
    return relay.findings;
}

static size_t instance_check(struct doctor *doctor, const struct postfix_instance *instance)
{
    struct relay relay = {.doctor = doctor, .instance = instance};
    (void)snprintf(relay.place, sizeof relay.place, "%s/main.cf", instance->config_directory);
    relay_find_trust(&relay);
    relay_check_restrictions(&relay);
    relay_check_networks(&relay);
    relay_check_style(&relay);
    size_t findings = relay.findings;
    for (size_t i = 0; i < instance->service_count; i++) {
        if (service_is_open_to_others(&instance->services[i])) {
            findings += service_check(doctor, instance, &instance->services[i]);
        }
    }
    return findings;
}

void check_pf_mynetworks(struct doctor *doctor)
{
    size_t at = 0;
    size_t findings = 0;
    const struct postfix_instance *instance;
    if (!check_postfix_present(doctor, CHECK_pf_mynetworks)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        findings += instance_check(doctor, instance);
    }
    if (findings == 0) {
        report_add(&doctor->report, CHECK_pf_mynetworks, REPORT_GOOD, REPORT_LIKELY,
            "Only hosts of mynetworks and logged-in users may relay.");
    }
}
