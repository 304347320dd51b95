/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "doctor/check_postfix.h"
#include "doctor/doctor.h"
#include "doctor/postfix_listener.h"

#define PORT_SMTP        25
#define PORT_SUBMISSIONS 465
#define PORT_SUBMISSION  587

/* One instance under examination. */
struct master {
    struct doctor *doctor;
    const struct postfix_instance *instance;
    size_t findings;
};

/* The line of "#NAME TYPE ...": a service that is commented out. 0: there is none. */
static unsigned commented_line(const struct master *master, const char *name, const char *type)
{
    char path[HOST_PATH_SIZE];
    struct host_file file;
    unsigned line = 0;
    unsigned found = 0;
    (void)snprintf(path, sizeof path, "%s/master.cf", master->instance->config_directory);
    if (host_read(&master->doctor->host, path, HOST_FILE_MAX, &file) != HOST_READ) {
        return 0;
    }
    for (const char *at = file.bytes; *at != '\0' && found == 0;) {
        size_t len = strcspn(at, "\n");
        const char *word = at + strspn(at, "# \t");
        size_t name_len = strcspn(word, " \t\n");
        const char *next = word + name_len + strspn(word + name_len, " \t");
        line++;
        if (*at == '#' && name_len == strlen(name) && strncmp(word, name, name_len) == 0 &&
            strncmp(next, type, strlen(type)) == 0) {
            found = line;
        }
        at += len + (at[len] != '\0');
    }
    host_file_fini(&file);
    return found;
}

/* "uncomment line N" or "add the line": how a service is brought in. */
static void advise_service(
    struct master *master, const char *name, const char *type, const char *whole_line)
{
    struct report *report = &master->doctor->report;
    unsigned line = commented_line(master, name, type);
    if (line != 0) {
        report_advise(report, "Remove the # at the start of %s/master.cf:%u; then: postfix reload.",
            master->instance->config_directory, line);
    } else {
        report_advise(report, "Add to %s/master.cf:\n%s\nThen: postfix reload.",
            master->instance->config_directory, whole_line);
    }
    master->findings++;
}

static const struct postfix_service *service_named(
    const struct postfix_instance *instance, const char *name, const char *type)
{
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *service = &instance->services[i];
        if (strcmp(service->name, name) == 0 && strcmp(service->type, type) == 0) {
            return service;
        }
    }
    return NULL;
}

static void check_doubles(struct master *master)
{
    const struct postfix_instance *instance = master->instance;
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *one = &instance->services[i];
        const struct postfix_service *first = service_named(instance, one->name, one->type);
        if (first == one) {
            continue;
        }
        report_add(&master->doctor->report, CHECK_pf_mastercf, REPORT_WARNING, REPORT_CERTAIN,
            "%s/master.cf:%u and :%u are both the service %s %s; Postfix takes the last one.",
            instance->config_directory, first->line, one->line, one->name, one->type);
        report_advise(&master->doctor->report, "Comment one of the two lines out, with its -o "
                                               "lines; then: postfix reload.");
        master->findings++;
    }
}

/* What no mail gets through without. */
static void check_inner_services(struct master *master)
{
    static const struct {
        const char *name;
        const char *line;
        const char *does;
    } rows[] = {
        {"cleanup", "cleanup   unix  n  -  y  -  0  cleanup", "takes mail into the queue"},
        {"qmgr", "qmgr      unix  n  -  n  300  1  qmgr", "sends what is in the queue"},
        {"rewrite", "rewrite   unix  -  -  y  -  -  trivial-rewrite", "finds out where mail goes"},
        {"smtp", "smtp      unix  -  -  y  -  -  smtp", "delivers to other servers"},
        {"bounce", "bounce    unix  -  -  y  -  0  bounce", "tells senders of failures"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (service_named(master->instance, rows[i].name, "unix") != NULL ||
            service_named(master->instance, rows[i].name, "fifo") != NULL) {
            continue;
        }
        report_add(&master->doctor->report, CHECK_pf_mastercf, REPORT_ERROR, REPORT_LIKELY,
            "%s/master.cf has no service `%s unix`, which %s.", master->instance->config_directory,
            rows[i].name, rows[i].does);
        advise_service(master, rows[i].name, "unix", rows[i].line);
        report_blame(
            &master->doctor->report, "master.cf lacks the service `%s unix`", rows[i].name);
    }
}

static void check_smtp(struct master *master, const struct postfix_listeners *listeners)
{
    char reason[HOST_PATH_SIZE + 128];
    size_t at = 0;
    if (postfix_listeners_next(listeners, PORT_SMTP, &at) != NULL) {
        return;
    }
    struct report *report = &master->doctor->report;
    bool receives = postfix_receives(master->instance, reason, sizeof reason);
    report_add(report, CHECK_pf_mastercf, receives ? REPORT_ERROR : REPORT_NOTE, REPORT_LIKELY,
        "No service of master.cf listens on port 25%s%s.",
        receives ? ", yet " : ": right for a host that only sends", receives ? reason : "");
    if (receives) {
        advise_service(master, "smtp", "inet", "smtp      inet  n  -  y  -  -  smtpd");
        report_blame(report, "master.cf has no service for port 25");
    }
    master->findings++;
}

/* What the service's own -o line says, or "". */
static const char *option_of(const struct postfix_service *service, const char *name)
{
    for (size_t i = service->option_count; i > 0; i--) {
        if (strcmp(service->options[i - 1].name, name) == 0) {
            return service->options[i - 1].value;
        }
    }
    return "";
}

static bool ends_with_reject(const char *list)
{
    size_t len = strlen(list);
    return len > 6 && strcmp(list + len - 6, "reject") == 0;
}

/* Comments on a service line leave its -o lines to the service above: the classic is a submission
 * line commented out, whose options then close port 25 to everybody who does not log in. */
static void check_stray_options(struct master *master, const struct postfix_listener *listener)
{
    static const char login[] = "permit_sasl_authenticated";
    struct report *report = &master->doctor->report;
    const struct postfix_service *service = listener->service;
    const char *name = option_of(service, "syslog_name");
    const char *clients = option_of(service, "smtpd_client_restrictions");
    bool is_foreign = strstr(name, "/submission") != NULL || strstr(name, "/smtps") != NULL;
    bool wants_login = strncmp(clients, login, strlen(login)) == 0 && ends_with_reject(clients);
    if (listener->is_loopback || (!is_foreign && !wants_login)) {
        return;
    }
    report_add(report, CHECK_pf_mastercf, REPORT_ERROR, REPORT_LIKELY,
        "%s/master.cf:%u, the service of port 25, has options that belong to submission (%s): -o "
        "lines go to the last service line above them that is no comment.",
        listener->instance->config_directory, service->line,
        is_foreign ? "syslog_name" : "smtpd_client_restrictions");
    report_advise(report,
        "Below line %u, comment out the -o lines that belong to a service line "
        "with a #, or remove that #; then: postfix reload.",
        service->line);
    report_blame(report, "options of submission refuse other mail servers at port 25");
    master->findings++;
}

/* TLS from the first byte is for port 465, and for it alone. */
static void check_wrapper(struct master *master, const struct postfix_listener *listener)
{
    struct report *report = &master->doctor->report;
    bool wraps = postfix_is_yes(listener->instance, listener->service, "smtpd_tls_wrappermode");
    if (strcmp(listener->service->command, "smtpd") != 0 ||
        wraps == (listener->port == PORT_SUBMISSIONS)) {
        return;
    }
    report_add(report, CHECK_pf_mastercf, REPORT_ERROR, REPORT_LIKELY,
        wraps ? "%s/master.cf:%u (%s) expects TLS from the first byte; clients of port %u speak "
                "first without, and hang until they give up."
              : "%s/master.cf:%u (%s) greets without TLS; clients of port %u start with TLS, and "
                "hang until they give up.",
        listener->instance->config_directory, listener->service->line, listener->service->name,
        (unsigned)listener->port);
    report_advise(report,
        "%s `-o smtpd_tls_wrappermode=yes` %s this service; then: postfix "
        "reload.",
        wraps ? "Take" : "Add", wraps ? "out of" : "to");
    report_blame(report, "clients of port %u hang, because the service there %s TLS at once",
        (unsigned)listener->port, wraps ? "expects" : "does not start");
    master->findings++;
}

static void check_listeners(struct master *master, const struct postfix_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct postfix_listener *listener = &listeners->items[i];
        if (listener->instance != master->instance) {
            continue;
        }
        if (listener->port == PORT_SMTP) {
            check_stray_options(master, listener);
        }
        if (listener->port == PORT_SMTP || listener->port == PORT_SUBMISSION ||
            listener->port == PORT_SUBMISSIONS) {
            check_wrapper(master, listener);
        }
    }
}

/* With SASL switched on somebody is meant to log in. Many let them do so at port 25. */
static void check_submission(struct master *master, const struct postfix_listeners *listeners)
{
    size_t at = 0;
    size_t at_tls = 0;
    if (!postfix_is_yes(master->instance, NULL, "smtpd_sasl_auth_enable") ||
        postfix_is_loopback_only(master->instance) ||
        postfix_listeners_next(listeners, PORT_SUBMISSION, &at) != NULL ||
        postfix_listeners_next(listeners, PORT_SUBMISSIONS, &at_tls) != NULL) {
        return;
    }
    report_add(&master->doctor->report, CHECK_pf_mastercf, REPORT_WARNING, REPORT_LIKELY,
        "%s/main.cf:%u lets users log in, but neither submission (587) nor submissions (465) is "
        "there: mail programs that use these ports are refused.",
        master->instance->config_directory,
        postfix_line(master->instance, "smtpd_sasl_auth_enable"));
    advise_service(master, "submission", "inet",
        "submission inet n  -  y  -  -  smtpd\n"
        "  -o syslog_name=postfix/submission\n"
        "  -o smtpd_tls_security_level=encrypt\n"
        "  -o smtpd_sasl_auth_enable=yes\n"
        "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject");
}

/* The parts that postscreen hands its work to. */
static void check_postscreen_part(
    struct master *master, const char *parameter, const char *type, const char *line)
{
    char name[128];
    (void)postfix_value(master->instance, NULL, parameter, name, sizeof name);
    if (service_named(master->instance, name, type) != NULL) {
        return;
    }
    report_add(&master->doctor->report, CHECK_pf_mastercf, REPORT_ERROR, REPORT_CERTAIN,
        "postscreen needs the service `%s %s`, and %s/master.cf has none%s.", name, type,
        master->instance->config_directory,
        strcmp(type, "pass") == 0 ? ": every client is dropped" : "");
    advise_service(master, name, type, line);
    report_blame(&master->doctor->report, "postscreen lacks its service `%s %s`", name, type);
}

static bool has_value(const struct postfix_instance *instance, const char *name)
{
    char value[8];
    return postfix_value(instance, NULL, name, value, sizeof value) > 0;
}

static void check_postscreen(struct master *master)
{
    const struct postfix_instance *instance = master->instance;
    struct report *report = &master->doctor->report;
    const struct postfix_service *screen = postfix_service_find(instance, "postscreen", "inet");
    if (screen == NULL) {
        if (postfix_line(instance, "postscreen_dnsbl_sites") != 0 &&
            has_value(instance, "postscreen_dnsbl_sites")) {
            report_add(report, CHECK_pf_mastercf, REPORT_WARNING, REPORT_LIKELY,
                "%s/main.cf:%u has blocklists for postscreen, but master.cf has no postscreen "
                "service, so they are not asked.",
                instance->config_directory, postfix_line(instance, "postscreen_dnsbl_sites"));
            report_advise(report, "Switch postscreen on in master.cf (smtp inet postscreen, smtpd "
                                  "pass, dnsblog, tlsproxy), or remove the line.");
            master->findings++;
        }
        return;
    }
    check_postscreen_part(
        master, "smtpd_service_name", "pass", "smtpd     pass  -  -  y  -  -  smtpd");
    if (has_value(instance, "postscreen_dnsbl_sites")) {
        check_postscreen_part(
            master, "dnsblog_service_name", "unix", "dnsblog   unix  -  -  y  -  0  dnsblog");
    }
    if (has_value(instance, "smtpd_tls_security_level") ||
        postfix_is_yes(instance, NULL, "smtpd_use_tls")) {
        check_postscreen_part(
            master, "tlsproxy_service_name", "unix", "tlsproxy  unix  -  -  y  -  0  tlsproxy");
    }
    if (screen->maxproc != 1) {
        report_add(report, CHECK_pf_mastercf, REPORT_ERROR, REPORT_CERTAIN,
            "%s/master.cf:%u: postscreen must have a process limit of 1 (the seventh field); it "
            "stops otherwise.",
            instance->config_directory, screen->line);
        report_advise(
            report, "Write: %s inet n - y - 1 postscreen. Then: postfix reload.", screen->name);
        report_blame(report, "postscreen stops because its process limit is not 1");
        master->findings++;
    }
}

static void instance_check(struct master *master, const struct postfix_listeners *listeners)
{
    const struct postfix_instance *instance = master->instance;
    if (!instance->has_master) {
        report_add(&master->doctor->report, CHECK_pf_mastercf, REPORT_SKIPPED, REPORT_CERTAIN,
            "%s/master.cf is not there, or may not be read.", instance->config_directory);
        master->findings++;
        return;
    }
    check_doubles(master);
    check_inner_services(master);
    check_listeners(master, listeners);
    check_submission(master, listeners);
    check_postscreen(master);
}

void check_pf_mastercf(struct doctor *doctor)
{
    size_t at = 0;
    struct master master = {.doctor = doctor};
    struct postfix_listeners listeners;
    if (!check_postfix_present(doctor, CHECK_pf_mastercf)) {
        return;
    }
    postfix_listeners_find(&listeners, &doctor->facts.postfix, &doctor->host);
    while ((master.instance = check_postfix_next(doctor, &at)) != NULL) {
        instance_check(&master, &listeners);
    }
    master.instance = &doctor->facts.postfix.instances[0];
    if (master.instance->has_master) {
        check_smtp(&master, &listeners);
    }
    if (master.findings == 0) {
        report_add(&doctor->report, CHECK_pf_mastercf, REPORT_GOOD, REPORT_CERTAIN,
            "master.cf has the services that mail needs, and they fit together.");
    }
}
