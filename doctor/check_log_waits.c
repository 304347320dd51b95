/* SPDX-License-Identifier: BSD-2-Clause */
/* What the logs tell of waiting: who waited for whom, how long deliveries took, what still waits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "doctor/doctor.h"
#include "doctor/evidence.h"
#include "doctor/wording.h"

#define ROWS(rows) rows, sizeof rows / sizeof rows[0]

#define DELIVERIES_MIN  20 /* Fewer make no distribution. */
#define CONNECTION_US   CLOCK_US_PER_S
#define BEFORE_US       (10 * CLOCK_US_PER_S)
#define LATENCY_SIZE    16
#define QUEUE_AGED_MAX  2000 /* Files whose age is read. */
#define QUEUE_HEAD_SIZE 512
#define QUEUE_MANY      500
#define HOUR_S          3600
#define DAY_S           86400

void check_log_timeout(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_TIMEOUT_DATA, REPORT_WARNING, 3, REPORT_POSSIBLE,
            "A peer went silent after our 354, until smtpd_timeout ended it with 421 4.4.2",
            "When it is the same peer again and again, it waits for something of its own: its DNS, "
            "its filter, or packets that are too large for the path (MTU). Its admin must look "
            "there. smtpd_timeout below 300s makes it worse. A packet capture tells for certain: "
            "mxcache doctor --capture FILE",
            "a peer stalls after 354, on its own side"},
        {LOG_LOST_DATA, REPORT_NOTE, 1, REPORT_CERTAIN, "Peers hung up in the middle of a message",
            "Some always do. Many from well-known senders: their clock ran out while this host's "
            "checks and filters worked; see smtpd-timeout.",
            NULL},
        {LOG_PEER_421, REPORT_WARNING, 3, REPORT_POSSIBLE,
            "Peers ended a delivery of ours with 421 4.4.2: this host had been silent too long",
            "Between two commands smtp waits for nobody, so look for lost packets on the way: a "
            "path that drops large ones (MTU; set net.ipv4.tcp_mtu_probing=1), or a firewall that "
            "rewrites SMTP. mxcache doctor --capture FILE tells who was silent.",
            "deliveries stall on the way to the peer, which gives up with 421 4.4.2"},
        {LOG_PEER_SLOW, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Peers kept a delivery of ours waiting until a time-out",
            "The peer is slow, often on its own DNS. Nothing to change here.", NULL},
        {LOG_TIMEOUT_OTHER, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Clients fell silent at other places; mostly scanners", NULL, NULL},
    };
    evidence_reports(doctor, CHECK_log_timeout, ROWS(rows),
        "No conversation ended because somebody was silent.");
}

static void latency_text(
    const struct histogram_sum *sum, unsigned permille, char text_out[LATENCY_SIZE])
{
    struct text text;
    text_init(&text, text_out, LATENCY_SIZE);
    text_add_latency(&text, histogram_quantile(sum, permille));
}

static void report_connection(struct doctor *doctor, const struct mail_log *log)
{
    struct report *report = &doctor->report;
    const struct histogram_sum *sum = &log->delays[MAIL_LOG_CONNECTION];
    char median[LATENCY_SIZE];
    char tail[LATENCY_SIZE];
    latency_text(sum, 500, median);
    latency_text(sum, 950, tail);
    bool is_slow = histogram_quantile(sum, 500) >= CONNECTION_US;
    report_add(report, CHECK_log_delays, is_slow ? REPORT_WARNING : REPORT_GOOD,
        is_slow ? REPORT_POSSIBLE : REPORT_CERTAIN,
        "Of %" PRIu64 " deliveries to other hosts, half took longer than %s to look up and connect "
        "(c of delays=a/b/c/d), and one in twenty longer than %s.",
        sum->count, median, tail);
    if (is_slow) {
        report_advise(report, "It is DNS, the connection, the greeting and TLS together. lat-mx "
                              "tells the part of DNS; the rest is the net and the peers.");
        report_blame(report, "looking up and connecting to other hosts takes %s", median);
    }
}

static void report_before_queue(struct doctor *doctor, const struct mail_log *log)
{
    const struct histogram_sum *sum = &log->delays[MAIL_LOG_BEFORE_QUEUE];
    char median[LATENCY_SIZE];
    if (sum->count < DELIVERIES_MIN || histogram_quantile(sum, 500) < (uint64_t)BEFORE_US) {
        return;
    }
    latency_text(sum, 500, median);
    report_add(&doctor->report, CHECK_log_delays, REPORT_NOTE, REPORT_POSSIBLE,
        "Half of the messages took longer than %s until they were in the queue (a of "
        "delays=a/b/c/d): restrictions, policy services and milters, with all their lookups.",
        median);
    report_advise(&doctor->report, "See smtpd-timeout, greylist, policy-alive and lat-dnsbl.");
}

static void report_slow_dns(struct doctor *doctor, const struct mail_log *log)
{
    if (log->slow_dns == 0) {
        return;
    }
    report_add(&doctor->report, CHECK_log_delays,
        log->slow_dns >= 10 ? REPORT_WARNING : REPORT_NOTE, REPORT_LIKELY,
        "%" PRIu64 " deliveries were put off after 5 s or more of looking a name up.",
        log->slow_dns);
    report_advise(&doctor->report, "`mxcache slow` shows the names; see log-ns and lat-mx.");
    if (log->slow_dns >= 10) {
        report_blame(&doctor->report, "deliveries wait for DNS servers that do not answer");
    }
}

/* Delays that are often taken for DNS. */
static void report_not_dns(struct doctor *doctor, const struct mail_log *log)
{
    static const struct evidence rows[] = {
        {LOG_GREYLISTED, REPORT_NOTE, 1, REPORT_CERTAIN,
            "This host put senders off by greylisting; the minutes until their next try are not "
            "DNS",
            NULL, NULL},
        {LOG_GREYLISTED_US, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Peers put this host's mail off by greylisting; the minutes until the next try are not "
            "DNS",
            NULL, NULL},
        {LOG_CONNECT_TIMEOUT, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Connections to peers timed out; that is the net or a firewall, not DNS",
            "When it is nearly all peers: port 25 outbound is blocked; mxcache doctor --smtp HOST "
            "tries it.",
            NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)evidence_report(doctor, CHECK_log_delays, log, &rows[i]);
    }
}

void check_log_delays(struct doctor *doctor)
{
    const struct mail_log *log = evidence_log(doctor, CHECK_log_delays);
    if (log == NULL) {
        return;
    }
    if (log->delays[MAIL_LOG_CONNECTION].count < DELIVERIES_MIN) {
        report_add(&doctor->report, CHECK_log_delays, REPORT_SKIPPED, REPORT_CERTAIN,
            "The log has %" PRIu64 " deliveries to other hosts; too few to tell.", log->sent);
    } else {
        report_connection(doctor, log);
    }
    report_before_queue(doctor, log);
    report_slow_dns(doctor, log);
    report_not_dns(doctor, log);
}

/* Upgrades and restarts leave a few such lines behind; more of them are worth a warning. */
void check_log_filters(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_COMPONENT_DOWN, REPORT_WARNING, 10, REPORT_CERTAIN,
            "Postfix did not reach a policy service, or another server that it asks",
            "Each time a client was put off with 451. policy-alive tells whether it runs now; its "
            "own log tells why it did not.",
            "a policy service that Postfix asks was not there"},
        {LOG_MILTER_DOWN, REPORT_WARNING, 10, REPORT_CERTAIN, "Postfix did not reach a milter",
            "milter_default_action tells what became of the mail: put off, or let in unchecked. "
            "policy-alive tells whether the milter runs now, and where its socket should be.",
            "a milter that Postfix asks was not there"},
    };
    evidence_reports(
        doctor, CHECK_log_filters, ROWS(rows), "Postfix reached all that it asks about mail.");
}

/* Messages that wait, by age. */
struct queue_count {
    size_t files;
    size_t aged; /* Whose age could be read. */
    size_t hour; /* Younger than that. */
    size_t day;
    int64_t oldest_s;
    bool is_cut;
};

/* A queue file begins with records of a type byte, a length byte and that many bytes; the second
 * one is `T` with the time of arrival in decimal. */
static int64_t queue_file_time(const struct host_file *file)
{
    size_t at = 0;
    for (int i = 0; i < 4 && at + 2 < file->len; i++) {
        size_t len = (unsigned char)file->bytes[at + 1];
        if (len >= 0x80 || at + 2 + len > file->len) {
            return 0;
        }
        if (file->bytes[at] == 'T') {
            uint64_t time_s = 0;
            const char *digits = file->bytes + at + 2;
            size_t digit_count = strspn(digits, "0123456789");
            digit_count = digit_count < len ? digit_count : len;
            return text_parse_u64(digits, digit_count, INT64_MAX, &time_s) ? (int64_t)time_s : 0;
        }
        at += 2 + len;
    }
    return 0;
}

static void queue_count_age(
    struct queue_count *count, const struct doctor *doctor, const char *path)
{
    struct host_file file;
    int64_t arrived_s = 0;
    if (host_read(&doctor->host, path, QUEUE_HEAD_SIZE, &file) == HOST_READ) {
        arrived_s = queue_file_time(&file);
    }
    host_file_fini(&file);
    if (arrived_s == 0 || arrived_s > doctor->now_wall_s) {
        return;
    }
    int64_t age_s = doctor->now_wall_s - arrived_s;
    count->aged++;
    count->hour += age_s < HOUR_S;
    count->day += age_s < DAY_S;
    count->oldest_s = age_s > count->oldest_s ? age_s : count->oldest_s;
}

static void queue_count_folder(
    struct queue_count *count, const struct doctor *doctor, const char *folder)
{
    struct host_names names;
    if (host_list(&doctor->host, folder, &names) == HOST_READ) {
        count->files += names.count;
        count->is_cut |= names.is_cut;
        for (size_t i = 0; i < names.count && count->aged < QUEUE_AGED_MAX; i++) {
            char path[HOST_PATH_SIZE];
            (void)snprintf(path, sizeof path, "%s/%s", folder, names.names[i]);
            queue_count_age(count, doctor, path);
        }
    }
    host_names_fini(&names);
}

static void report_queue(struct doctor *doctor, const char *folder, const struct queue_count *count)
{
    char oldest[32];
    char ages[128] = "";
    bool is_many = count->files >= QUEUE_MANY;
    wording_duration(count->oldest_s, oldest, sizeof oldest);
    if (count->aged > 0) {
        (void)snprintf(ages, sizeof ages,
            " Of %zu, %zu came in the last hour, %zu in the last day; the oldest is %s old.",
            count->aged, count->hour, count->day, oldest);
    }
    report_add(&doctor->report, CHECK_queue, is_many ? REPORT_NOTE : REPORT_GOOD, REPORT_CERTAIN,
        "%s%zu messages wait in %s for another try.%s", count->is_cut ? "At least " : "",
        count->files, folder, ages);
    if (is_many) {
        report_advise(&doctor->report,
            "qshape deferred shows for which domains; log-ns and log-delays tell whether DNS is "
            "why. Once it is mended: postqueue -f");
    }
}

static void queue_look(struct doctor *doctor, const char *queue_directory)
{
    struct host_names names;
    struct queue_count count = {0};
    char folder[HOST_PATH_SIZE];
    (void)snprintf(folder, sizeof folder, "%s/deferred", queue_directory);
    enum host_verdict verdict = host_list(&doctor->host, folder, &names);
    for (size_t i = 0; i < names.count; i++) {
        char path[HOST_PATH_SIZE];
        int len = snprintf(path, sizeof path, "%s/%s", folder, names.names[i]);
        if (len > 0 && (size_t)len < sizeof path && strlen(names.names[i]) == 1) {
            queue_count_folder(&count, doctor, path);
        }
    }
    host_names_fini(&names);
    if (verdict != HOST_READ) {
        report_add(&doctor->report, CHECK_queue, REPORT_SKIPPED, REPORT_CERTAIN, "%s %s.", folder,
            host_verdict_clause(verdict));
        return;
    }
    report_queue(doctor, folder, &count);
}

void check_queue(struct doctor *doctor)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    if (!postfix->is_installed) {
        report_add(&doctor->report, CHECK_queue, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix is not installed.");
        return;
    }
    for (size_t i = 0; i < postfix->instance_count; i++) {
        queue_look(doctor, postfix->instances[i].queue_directory);
    }
}
