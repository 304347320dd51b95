/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "conf/settings.h"
#include "doctor/doctor.h"
#include "doctor/host_dns.h"

static size_t servers_of(const struct settings *settings)
{
    size_t count = 0;
    for (size_t i = 0; i < settings->group_count; i++) {
        count += settings->groups[i].server_count;
    }
    return count;
}

void check_mx_conf(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct settings *settings = doctor->options.settings;
    if (doctor->options.settings_skipped != NULL) {
        report_add(report, CHECK_mx_conf, REPORT_SKIPPED, REPORT_CERTAIN, "%s",
            doctor->options.settings_skipped);
        return;
    }
    if (settings == NULL) {
        report_add(report, CHECK_mx_conf, REPORT_ERROR, REPORT_CERTAIN,
            "mxcache's configuration has errors.");
        report_advise(report, "`mxcache check` tells each with its place and what to write.");
        report_blame(report, "mxcache's configuration has errors, so it cannot start");
        return;
    }
    if (servers_of(settings) == 0) {
        report_add(report, CHECK_mx_conf, REPORT_ERROR, REPORT_CERTAIN,
            "mxcache has nobody to ask: no `upstreams`, and none in %s.", settings->upstreams_file);
        report_advise(report, "Write `upstreams = ADDRESS...` into /etc/mxcache/mxcache.conf, or "
                              "run `mxcache setup`, which finds them.");
        report_blame(report, "mxcache has no upstream servers");
        return;
    }
    report_add(report, CHECK_mx_conf, REPORT_GOOD, REPORT_CERTAIN,
        "mxcache's configuration is well; upstream servers: %zu.", servers_of(settings));
}

static void report_absent(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const char *sentence = doctor->options.daemon->sentence;
    if (!host_dns_names_us(doctor)) {
        report_add(report, CHECK_mx_daemon, REPORT_NOTE, REPORT_CERTAIN,
            "This host does not ask mxcache, and mxcache does not answer here: %s", sentence);
        report_advise(report, "`mxcache setup --dry-run` shows what putting this host on mxcache "
                              "would change.");
        return;
    }
    report_add(report, CHECK_mx_daemon, REPORT_ERROR, REPORT_CERTAIN,
        "/etc/resolv.conf names mxcache, but it cannot be asked: %s", sentence);
    report_advise(report, "systemctl restart mxcache; journalctl -u mxcache tells what happened.");
    report_blame(report, "mxcache, which this host asks, does not run or hangs");
}

static void report_running(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct doctor_daemon *daemon = doctor->options.daemon;
    switch (daemon->health) {
    case DOCTOR_DAEMON_WELL:
        report_add(report, CHECK_mx_daemon, REPORT_GOOD, REPORT_CERTAIN,
            "mxcache runs; %" PRIu64 " questions in the last %" PRIu64 " minutes, %" PRIu64
            " failed.",
            daemon->questions, daemon->covers_s / 60, daemon->failed);
        return;
    case DOCTOR_DAEMON_LIMPING:
        report_add(report, CHECK_mx_daemon, REPORT_WARNING, REPORT_CERTAIN,
            "%" PRIu64 " of mxcache's %" PRIu64 " upstream servers do not answer and are left "
            "alone; the others do.",
            daemon->resting, daemon->servers);
        report_advise(report, "`mxcache stats` names them; take out those that are gone.");
        return;
    case DOCTOR_DAEMON_FAILING:
        report_add(report, CHECK_mx_daemon, REPORT_WARNING, REPORT_LIKELY,
            "%" PRIu64 " of %" PRIu64 " questions failed in the last %" PRIu64 " minutes.",
            daemon->failed, daemon->questions, daemon->covers_s / 60);
        report_advise(report, "`mxcache slow --failed` shows which, and what each server said.");
        report_blame(report, "DNS questions fail: `mxcache slow --failed` shows which");
        return;
    case DOCTOR_DAEMON_CUT_OFF:
        report_add(report, CHECK_mx_daemon, REPORT_ERROR, REPORT_CERTAIN,
            "mxcache runs, but none of the upstream servers of a group answers.");
        report_advise(report, "See the DNS findings here, and `mxcache stats`; test the line to "
                              "the servers, and the firewall for UDP and TCP port 53.");
        report_blame(report, "no upstream DNS server answers");
        return;
    }
}

void check_mx_daemon(struct doctor *doctor)
{
    const struct doctor_daemon *daemon = doctor->options.daemon;
    if (daemon == NULL) {
        report_add(&doctor->report, CHECK_mx_daemon, REPORT_SKIPPED, REPORT_CERTAIN,
            "It is not asked with --offline and --root.");
        return;
    }
    switch (daemon->state) {
    case DOCTOR_DAEMON_RUNNING:
        report_running(doctor);
        return;
    case DOCTOR_DAEMON_DENIED:
        report_add(&doctor->report, CHECK_mx_daemon, REPORT_SKIPPED, REPORT_CERTAIN,
            "mxcache was not asked: %s", daemon->sentence);
        return;
    case DOCTOR_DAEMON_ABSENT:
        report_absent(doctor);
        return;
    }
}
