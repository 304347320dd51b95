/* SPDX-License-Identifier: BSD-2-Clause */
/* Postfix's time-outs against the time that DNS may take, and the mode in which they are short. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "doctor/doctor.h"
#include "doctor/host_dns.h"
#include "doctor/mail_log.h"
#include "doctor/restrictions.h"

/* Seconds. RFC 5321 section 4.5.3.2 asks for 5 minutes; peers that hang up after one were seen. */
#define PEER_PATIENCE_S  300
#define PEER_SHORTEST_S  60
#define POLICY_LEAST_S   30
#define CMDLINE_SIZE_MAX 8192
#define BASE_LOOKUPS     2 /* The client's name, and its address. */

static unsigned service_lookups(
    const struct postfix_instance *instance, const struct postfix_service *service)
{
    struct restrictions *restrictions = malloc(sizeof *restrictions);
    unsigned lookups = BASE_LOOKUPS;
    must(restrictions != NULL);
    restrictions_read(restrictions, instance, service);
    for (size_t i = 0; i < restrictions->count; i++) {
        lookups += restriction_lookups(&restrictions->items[i]);
    }
    free(restrictions);
    return lookups;
}

static void report_waits(
    struct doctor *doctor, const struct postfix_service *service, unsigned lookups)
{
    struct report *report = &doctor->report;
    unsigned stall_s = host_dns_stall_s(doctor);
    unsigned worst_s = lookups * stall_s;
    bool is_ours = host_dns_deadline_s(doctor) > 0;
    if (worst_s < PEER_PATIENCE_S) {
        report_add(report, CHECK_smtpd_timeout, REPORT_GOOD, REPORT_CERTAIN,
            "For one recipient the service %s makes up to %u lookups in a row, of at worst %u s "
            "each: %u s when no DNS server answers.",
            service->name, lookups, stall_s, worst_s);
        return;
    }
    report_add(report, CHECK_smtpd_timeout, is_ours ? REPORT_NOTE : REPORT_WARNING, REPORT_POSSIBLE,
        "For one recipient the service %s makes up to %u lookups in a row, of at worst %u s each: "
        "%u s when no DNS server answers. Peers wait %d s at most, some only %d s, and then hang "
        "up.",
        service->name, lookups, stall_s, worst_s, PEER_PATIENCE_S, PEER_SHORTEST_S);
    report_advise(report, "%s",
        is_ours ? "Fewer lists in smtpd_*_restrictions; postscreen asks its lists at the same time."
                : "nameserver 127.0.0.1 alone (mxcache answers within 4 s, and from its memory "
                  "when servers are dead); fewer lists in smtpd_*_restrictions, those of "
                  "postscreen are asked at the same time. A longer smtpd_timeout does not help "
                  "here: it is the peer's clock that runs.");
    if (!is_ours) {
        report_blame(report, "lookups in a row take longer than peers wait when DNS is slow");
    }
}

/* A time-out that is shorter than it should be. */
struct least {
    const char *name;
    long least_s;
    const char *why;
};

static const struct least smtpd_leasts[] = {
    {"smtpd_timeout", PEER_SHORTEST_S,
        "a peer that waits for its own DNS or filter, after our 354 for example, is cut off with "
        "421 4.4.2 timeout exceeded"},
    {"smtpd_policy_service_timeout", POLICY_LEAST_S,
        "a policy service that looks names up (SPF) is given up too early, and mail is put off "
        "with 451"},
};

static const struct least milter_leasts[] = {
    {"milter_command_timeout", 10, "a milter that looks names up at each command is given up"},
    {"milter_content_timeout", 60,
        "a milter that looks keys and lists up at the end of the message is given up, and mail is "
        "put off or passes unchecked"},
};

static const struct least smtp_leasts[] = {
    {"smtp_helo_timeout", PEER_SHORTEST_S, "peers look our name up before they greet"},
    {"smtp_mail_timeout", PEER_SHORTEST_S, "peers look the sender's domain up"},
    {"smtp_rcpt_timeout", PEER_SHORTEST_S, "peers make a dozen lookups here"},
    {"smtp_data_init_timeout", PEER_SHORTEST_S, "peers make lookups here"},
    {"smtp_data_done_timeout", 120,
        "peers filter the message here, and giving up makes them get it twice"},
};

static bool report_leasts(struct doctor *doctor, const struct postfix_instance *instance,
    const struct postfix_service *service, const struct least *leasts, size_t count)
{
    bool is_short = false;
    for (size_t i = 0; i < count; i++) {
        long seconds = postfix_time(instance, service, leasts[i].name, 's');
        if (seconds < 0 || seconds >= leasts[i].least_s) {
            continue;
        }
        is_short = true;
        report_add(&doctor->report, CHECK_smtpd_timeout, REPORT_WARNING, REPORT_LIKELY,
            "%s is %ld s (%s): %s.", leasts[i].name, seconds,
            service != NULL ? service->name : "main.cf", leasts[i].why);
        report_advise(&doctor->report,
            "Take %s out of main.cf and master.cf (the default is longer), then: postfix reload",
            leasts[i].name);
        report_blame(&doctor->report, "%s = %lds cuts conversations off that wait for DNS",
            leasts[i].name, seconds);
    }
    return is_short;
}

static bool has_milters(
    const struct postfix_instance *instance, const struct postfix_service *service)
{
    char value[POSTFIX_VALUE_MAX];
    return postfix_value(instance, service, "smtpd_milters", value, sizeof value) > 0;
}

static void look_at_smtpd(struct doctor *doctor, const struct postfix_instance *instance,
    const struct postfix_service *service)
{
    report_waits(doctor, service, service_lookups(instance, service));
    (void)report_leasts(
        doctor, instance, service, smtpd_leasts, sizeof smtpd_leasts / sizeof smtpd_leasts[0]);
    if (has_milters(instance, service)) {
        (void)report_leasts(doctor, instance, service, milter_leasts,
            sizeof milter_leasts / sizeof milter_leasts[0]);
    }
}

static bool service_is_smtpd(const struct postfix_service *service)
{
    return strcmp(service->command, "smtpd") == 0 &&
           (strcmp(service->type, "inet") == 0 || strcmp(service->type, "pass") == 0);
}

void check_smtpd_timeout(struct doctor *doctor)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    if (!postfix->is_installed) {
        report_add(&doctor->report, CHECK_smtpd_timeout, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix is not installed.");
        return;
    }
    for (size_t i = 0; i < postfix->instance_count; i++) {
        const struct postfix_instance *instance = &postfix->instances[i];
        bool is_short = report_leasts(
            doctor, instance, NULL, smtp_leasts, sizeof smtp_leasts / sizeof smtp_leasts[0]);
        if (!is_short) {
            report_add(&doctor->report, CHECK_smtpd_timeout, REPORT_GOOD, REPORT_CERTAIN,
                "The time-outs of smtp in %s leave peers the time for their own lookups.",
                instance->config_directory);
        }
        for (size_t at = 0; at < instance->service_count; at++) {
            if (service_is_smtpd(&instance->services[at])) {
                look_at_smtpd(doctor, instance, &instance->services[at]);
            }
        }
    }
}

/* master(8) tells its children by the arguments that all of them are busy. */
static bool process_is_stressed(const struct doctor *doctor, const struct process *process)
{
    static const char sign[] = "stress=yes";
    char path[64];
    struct host_file file;
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", process->pid);
    bool is_stressed = host_read(&doctor->host, path, CMDLINE_SIZE_MAX, &file) == HOST_READ &&
                       memmem(file.bytes, file.len, sign, sizeof sign - 1) != NULL;
    host_file_fini(&file);
    return is_stressed;
}

static void report_limit(struct doctor *doctor)
{
    const struct mail_log *log = mail_log_of(doctor);
    const struct mail_log_tally *tally = &log->tallies[LOG_POSTFIX_LIMIT];
    if (tally->count == 0) {
        return;
    }
    report_add(&doctor->report, CHECK_stress, REPORT_NOTE, REPORT_CERTAIN,
        "All processes of a service were busy at times, so that clients had to wait. The last: %s",
        tally->example);
    report_advise(&doctor->report,
        "Find out what they wait for first (lat-dnsbl, log-rbl, policy-alive); then a higher "
        "maxproc in master.cf or default_process_limit helps.");
}

void check_stress(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct processes *processes = &doctor->facts.processes;
    size_t seen = 0;
    size_t stressed = 0;
    for (size_t i = 0; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        bool is_server =
            strcmp(process->name, "smtpd") == 0 || strcmp(process->name, "postscreen") == 0;
        seen += is_server;
        stressed += is_server && process_is_stressed(doctor, process);
    }
    report_limit(doctor);
    if (stressed > 0) {
        report_add(report, CHECK_stress, REPORT_ERROR, REPORT_CERTAIN,
            "Postfix is overloaded: %zu of %zu smtpd and postscreen processes run with stress=yes, "
            "and give clients 10 s in place of 300 s.",
            stressed, seen);
        report_advise(report,
            "All processes are busy, often because each waits for DNS: see lat-dnsbl, log-rbl and "
            "policy-alive. postscreen in front keeps idle clients away; maxproc in master.cf gives "
            "more processes.");
        report_blame(
            report, "all smtpd processes are busy (stress mode), so clients get 10 s only");
    } else if (seen == 0) {
        report_add(report, CHECK_stress, REPORT_SKIPPED, REPORT_CERTAIN,
            "No process of smtpd or postscreen is to be seen.");
    } else {
        report_add(report, CHECK_stress, REPORT_GOOD, REPORT_CERTAIN,
            "None of %zu smtpd and postscreen processes runs in stress mode.", seen);
    }
}
