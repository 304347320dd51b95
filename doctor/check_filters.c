/* SPDX-License-Identifier: BSD-2-Clause */
/* Greylisting, which is taken for slow DNS, and the components that Postfix asks about each mail.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "doctor/component.h"
#include "doctor/config_lines.h"
#include "doctor/doctor.h"
#include "doctor/host_dns.h"
#include "doctor/mail_log.h"
#include "doctor/restrictions.h"
#include "doctor/rspamd_config.h"
#include "doctor/user_rights.h"

#define COMPONENTS_MAX    32
#define POSTGREY_DELAY_S  300
#define DELAY_LONG_S      300
#define PORT_POSTGREY     ":10023"
#define PORT_POSTGREY_OLD ":60000"
#define PORT_SQLGREY      ":2501"

/* A component, and what asks it. */
struct found_component {
    struct component component;
    const char *what; /* "policy service", "milter" */
    char asked_by[64];
    const struct postfix_instance *instance;
};

struct found_components {
    struct found_component items[COMPONENTS_MAX];
    size_t count;
};

static void found_add(struct found_components *found, const char *endpoint, const char *what,
    const struct postfix_instance *instance, const struct postfix_service *service)
{
    struct component component;
    bool is_chrooted = service != NULL && service->is_chrooted;
    component_parse(&component, endpoint, instance, is_chrooted);
    for (size_t i = 0; i < found->count; i++) {
        const struct component *other = &found->items[i].component;
        if (strcmp(other->text, component.text) == 0 && strcmp(other->path, component.path) == 0) {
            return;
        }
    }
    if (found->count == COMPONENTS_MAX || component.text[0] == '\0') {
        return;
    }
    struct found_component *item = &found->items[found->count++];
    item->component = component;
    item->what = what;
    item->instance = instance;
    (void)snprintf(item->asked_by, sizeof item->asked_by, "%s%s",
        service != NULL ? service->name : "cleanup", is_chrooted ? " (chrooted)" : "");
}

static void find_policies(struct found_components *found, const struct postfix_instance *instance,
    const struct postfix_service *service)
{
    struct restrictions *restrictions = malloc(sizeof *restrictions);
    must(restrictions != NULL);
    restrictions_read(restrictions, instance, service);
    for (size_t i = 0; i < restrictions->count; i++) {
        const struct restriction *item = &restrictions->items[i];
        if (strcmp(item->word, "check_policy_service") == 0) {
            found_add(found, item->argument, "policy service", instance, service);
        }
    }
    free(restrictions);
}

static void find_milters(struct found_components *found, const struct postfix_instance *instance,
    const struct postfix_service *service, const char *parameter)
{
    char value[POSTFIX_VALUE_MAX];
    const char *word;
    size_t len;
    size_t at = 0;
    (void)postfix_value(instance, service, parameter, value, sizeof value);
    while (postfix_word(value, &at, &word, &len)) {
        char endpoint[COMPONENT_TEXT_SIZE];
        (void)snprintf(endpoint, sizeof endpoint, "%.*s", (int)len, word);
        found_add(found, endpoint, "milter", instance, service);
    }
}

static void find_components(struct found_components *found, const struct doctor *doctor)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    found->count = 0;
    for (size_t i = 0; i < postfix->instance_count; i++) {
        const struct postfix_instance *instance = &postfix->instances[i];
        for (size_t at = 0; at < instance->service_count; at++) {
            const struct postfix_service *service = &instance->services[at];
            if (strcmp(service->command, "smtpd") == 0) {
                find_policies(found, instance, service);
                find_milters(found, instance, service, "smtpd_milters");
            } else if (strcmp(service->command, "cleanup") == 0) {
                find_milters(found, instance, service, "non_smtpd_milters");
            }
        }
    }
}

/* --delay=N of the line that starts postgrey, or its default. */
static long postgrey_delay(const struct doctor *doctor)
{
    static const struct config_place places[] = {{"/etc/default/postgrey", NULL, "=", NULL}};
    struct config_found found;
    uint64_t delay_s = POSTGREY_DELAY_S;
    if (config_value(&doctor->host, places, 1, "POSTGREY_OPTS", &found)) {
        const char *option = strstr(found.value, "--delay=");
        if (option != NULL) {
            option += strlen("--delay=");
            (void)text_parse_u64(option, strspn(option, "0123456789"), INT32_MAX, &delay_s);
        }
    }
    return (long)delay_s;
}

static bool component_greylists(const struct component *component)
{
    static const char *const signs[] = {"postgrey", "sqlgrey", "greylist", "milter-greylist",
        PORT_POSTGREY, PORT_POSTGREY_OLD, PORT_SQLGREY};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        const char *at = strstr(component->text, signs[i]);
        bool is_port = signs[i][0] == ':';
        if (at != NULL && (!is_port || at[strlen(signs[i])] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool report_policy_greylist(struct doctor *doctor, const struct component *component)
{
    bool is_postgrey = strstr(component->text, PORT_POSTGREY) != NULL ||
                       strstr(component->text, "postgrey") != NULL;
    long delay_s = is_postgrey ? postgrey_delay(doctor) : POSTGREY_DELAY_S;
    bool is_long = delay_s > DELAY_LONG_S;
    report_add(&doctor->report, CHECK_greylist, is_long ? REPORT_WARNING : REPORT_NOTE,
        REPORT_LIKELY,
        "New senders are put off by greylisting (%s) for %ld s, until their next try: such delays "
        "are not DNS.",
        component->text, delay_s);
    report_advise(&doctor->report,
        is_long ? "Lower --delay in /etc/default/postgrey to 300 or less; senders add their own "
                  "waits."
                : "Nothing, if this is wanted. postscreen and rspamd do without putting everybody "
                  "off.");
    if (is_long) {
        report_blame(&doctor->report, "greylisting puts new senders off for %ld s", delay_s);
    }
    return true;
}

/* Tests behind the greeting end with a refusal for now, also for those who pass. */
static bool report_postscreen(struct doctor *doctor, const struct postfix_instance *instance)
{
    static const char *const parameters[] = {
        "postscreen_pipelining_enable",
        "postscreen_non_smtp_command_enable",
        "postscreen_bare_newline_enable",
    };
    const struct postfix_service *service = postfix_service_find(instance, "postscreen", "inet");
    for (size_t i = 0; service != NULL && i < sizeof parameters / sizeof parameters[0]; i++) {
        if (postfix_is_yes(instance, service, parameters[i])) {
            report_add(&doctor->report, CHECK_greylist, REPORT_NOTE, REPORT_CERTAIN,
                "postscreen's tests behind the greeting are on (%s = yes, %s/main.cf:%u): each new "
                "client must come a second time, which is greylisting by another name.",
                parameters[i], instance->config_directory, postfix_line(instance, parameters[i]));
            report_advise(&doctor->report,
                "%s = no, unless it is wanted; large providers come from another address each "
                "time. Then: postfix reload",
                parameters[i]);
            return true;
        }
    }
    return false;
}

/* On by default for mail that looks a little like spam, where rspamd is installed. */
static bool report_rspamd(struct doctor *doctor)
{
    struct rspamd_found found;
    if (!host_has(doctor, "/etc/rspamd/rspamd.conf")) {
        return false;
    }
    if (rspamd_value(&doctor->host, "greylist.conf", NULL, "enabled", &found) &&
        strncmp(found.value, "false", 5) == 0) {
        return false;
    }
    report_add(&doctor->report, CHECK_greylist, REPORT_NOTE, REPORT_POSSIBLE,
        "rspamd greylists mail with a score in between, by default for 5 minutes: such delays are "
        "not DNS.");
    report_advise(&doctor->report,
        "Nothing, if this is wanted. Else: enabled = false; in "
        "/etc/rspamd/local.d/greylist.conf, and systemctl reload rspamd");
    return true;
}

void check_greylist(struct doctor *doctor)
{
    struct found_components *found = malloc(sizeof *found);
    bool is_met = false;
    must(found != NULL);
    find_components(found, doctor);
    for (size_t i = 0; i < found->count; i++) {
        if (component_greylists(&found->items[i].component)) {
            is_met |= report_policy_greylist(doctor, &found->items[i].component);
        }
    }
    free(found);
    for (size_t i = 0; i < doctor->facts.postfix.instance_count; i++) {
        is_met |= report_postscreen(doctor, &doctor->facts.postfix.instances[i]);
    }
    is_met |= report_rspamd(doctor);
    if (!is_met && !doctor->facts.postfix.is_installed) {
        report_add(&doctor->report, CHECK_greylist, REPORT_SKIPPED, REPORT_CERTAIN,
            "Neither Postfix nor a greylisting rspamd is installed.");
    } else if (!is_met) {
        report_add(&doctor->report, CHECK_greylist, REPORT_GOOD, REPORT_LIKELY,
            "No greylisting was found in the configuration.");
    }
}

static void report_dead(
    struct doctor *doctor, const struct found_component *item, const char *what_is_wrong)
{
    struct report *report = &doctor->report;
    report_add(report, CHECK_policy_alive, REPORT_ERROR, REPORT_CERTAIN,
        "The %s %s, which %s asks, %s.", item->what, item->component.text, item->asked_by,
        what_is_wrong);
    report_advise(report,
        "Start it, or take it out of main.cf until it runs. Meanwhile Postfix puts all mail off "
        "with 451 (policy services) or by milter_default_action.");
    report_blame(report, "the %s %s does not answer Postfix", item->what, item->component.text);
}

/* A daemon made its socket where Postfix in its chroot does not see it. */
static bool report_outside(struct doctor *doctor, const struct found_component *item)
{
    struct report *report = &doctor->report;
    const struct component *component = &item->component;
    if (component->outside[0] == '\0' || !host_has(doctor, component->outside)) {
        return false;
    }
    report_add(report, CHECK_policy_alive, REPORT_ERROR, REPORT_CERTAIN,
        "The socket of the %s %s is at %s, but %s looks for it in the chroot, at %s.", item->what,
        component->text, component->outside, item->asked_by, component->path);
    report_advise(report,
        "Let the daemon make its socket at %s (the folder made with the daemon as its owner, and "
        "the user postfix in its group), or let it listen at inet:127.0.0.1:PORT. The chroot may "
        "stay.",
        component->path);
    report_blame(report, "the socket of the %s %s is outside of Postfix's chroot", item->what,
        component->text);
    return true;
}

static void report_untried(
    struct doctor *doctor, const struct found_component *item, const char *why)
{
    report_add(&doctor->report, CHECK_policy_alive, REPORT_SKIPPED, REPORT_CERTAIN,
        "The %s %s was not tried: %s.", item->what, item->component.text, why);
}

static void report_state(
    struct doctor *doctor, const struct found_component *item, enum component_state state)
{
    switch (state) {
    case COMPONENT_ALIVE:
        report_add(&doctor->report, CHECK_policy_alive, REPORT_GOOD, REPORT_CERTAIN,
            "The %s %s takes connections.", item->what, item->component.text);
        return;
    case COMPONENT_REFUSED:
        report_dead(doctor, item, "refuses connections: nobody listens there");
        return;
    case COMPONENT_SILENT:
        report_dead(doctor, item, "did not take a connection within 2 s");
        return;
    case COMPONENT_ABSENT:
        if (!report_outside(doctor, item)) {
            report_dead(doctor, item, "has no socket there");
        }
        return;
    case COMPONENT_DENIED:
        report_untried(doctor, item, "this user may not reach it; run the doctor as root");
        return;
    case COMPONENT_UNTRIED:
        report_untried(doctor, item, "its address would have to be looked up");
        return;
    }
}

/* root gets through where Postfix, which is no root when it asks, does not. */
static bool report_kept_out(struct doctor *doctor, const struct found_component *item)
{
    struct report *report = &doctor->report;
    struct user_rights rights;
    char owner[64];
    char stopped_by[HOST_PATH_SIZE];
    (void)postfix_value(item->instance, NULL, "mail_owner", owner, sizeof owner);
    user_rights_find(&rights, &doctor->host, owner);
    if (item->component.kind != COMPONENT_UNIX ||
        user_rights_reach(
            &rights, &doctor->host, item->component.path, stopped_by, sizeof stopped_by)) {
        return false;
    }
    report_add(report, CHECK_policy_alive, REPORT_WARNING, REPORT_LIKELY,
        "The %s %s is there, but the user %s, as whom %s asks, may not reach it: the mode of %s "
        "keeps it out.",
        item->what, item->component.text, owner, item->asked_by, stopped_by);
    report_advise(report,
        "adduser %s GROUP, with the group that `ls -ld %s` shows, and let the daemon make its "
        "socket with the mode 660 (OpenDKIM: UMask 007); then: systemctl restart postfix",
        owner, stopped_by);
    report_blame(
        report, "Postfix may not reach the socket of the %s %s", item->what, item->component.text);
    return true;
}

static void look_at(struct doctor *doctor, const struct found_component *item)
{
    bool is_misplaced = item->component.kind == COMPONENT_UNIX &&
                        !host_has(doctor, item->component.path) && report_outside(doctor, item);
    if (is_misplaced || report_kept_out(doctor, item)) {
        return;
    }
    if (!doctor->host.is_live) {
        report_untried(doctor, item, "another host's files are looked at");
        return;
    }
    if (doctor->options.is_offline) {
        report_untried(doctor, item, "--offline");
        return;
    }
    report_state(doctor, item, component_try(&item->component, &doctor->host));
}

void check_policy_alive(struct doctor *doctor)
{
    struct found_components *found = malloc(sizeof *found);
    must(found != NULL);
    find_components(found, doctor);
    for (size_t i = 0; i < found->count; i++) {
        look_at(doctor, &found->items[i]);
    }
    if (!doctor->facts.postfix.is_installed) {
        report_add(&doctor->report, CHECK_policy_alive, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix is not installed.");
    } else if (found->count == 0) {
        report_add(&doctor->report, CHECK_policy_alive, REPORT_GOOD, REPORT_CERTAIN,
            "Postfix asks no policy service and no milter.");
    }
    free(found);
}
