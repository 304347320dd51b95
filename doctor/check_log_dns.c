/* SPDX-License-Identifier: BSD-2-Clause */
/* What the logs tell of lookups, lists, DANE and the filters. */
#include "doctor/doctor.h"
#include "doctor/evidence.h"

#define ROWS(rows) rows, sizeof rows / sizeof rows[0]

/* So many failed lookups, and one in fifty deliveries, are more than the net's usual share. */
#define NS_OFTEN   10
#define NS_PART    50
#define HARD_OFTEN 50
#define HARD_PART  5
#define SOME       10
#define MANY       100

static const char ns_change[] =
    "`mxcache slow --failed` and `mxcache stats` show which names fail and what each server says. "
    "A second upstream from another network helps when one is slow or dead.";

static void report_ns(struct doctor *doctor, const struct mail_log *log)
{
    const struct mail_log_tally *tally = &log->tallies[LOG_NS_SOFT];
    uint64_t deliveries = log->sent + log->deferred;
    bool is_share = tally->count * NS_PART > deliveries;
    bool is_theirs = evidence_is_about_one(tally);
    const struct evidence row = {LOG_NS_SOFT, REPORT_WARNING,
        is_share && !is_theirs ? NS_OFTEN : UINT64_MAX, REPORT_LIKELY,
        is_theirs ? "Postfix could not look a name up for now; nearly always the same one, so it "
                    "is that domain's own DNS"
                  : "Postfix could not look names up for now (the answer was a failure, or none)",
        is_theirs ? "Nothing here: the domain's name servers do not answer." : ns_change,
        "DNS lookups of Postfix fail or time out"};
    (void)evidence_report(doctor, CHECK_log_ns, log, &row);
}

void check_log_ns(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_SPF_DNS, REPORT_WARNING, SOME, REPORT_LIKELY, "The SPF check ran out of time on DNS",
            ns_change, "SPF lookups time out"},
        {LOG_DKIM_DNS, REPORT_WARNING, SOME, REPORT_LIKELY, "OpenDKIM could not look up a key",
            "See rs-nameserver: on Debian OpenDKIM needs Nameservers 127.0.0.1.",
            "OpenDKIM's lookups fail"},
    };
    const struct mail_log *log = evidence_log(doctor, CHECK_log_ns);
    size_t before = doctor->report.count;
    if (log == NULL) {
        return;
    }
    report_ns(doctor, log);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)evidence_report(doctor, CHECK_log_ns, log, &rows[i]);
    }
    if (doctor->report.count == before) {
        report_add(&doctor->report, CHECK_log_ns, REPORT_GOOD, REPORT_CERTAIN,
            "No lookup of Postfix failed for the time being.");
    }
}

void check_log_ns_hard(struct doctor *doctor)
{
    const struct mail_log *log = evidence_log(doctor, CHECK_log_ns_hard);
    if (log == NULL) {
        return;
    }
    uint64_t count = log->tallies[LOG_NS_HARD].count;
    bool is_share = count * HARD_PART > log->sent + log->deferred + count;
    const struct evidence rows[] = {
        {LOG_NS_HARD, REPORT_WARNING, is_share ? HARD_OFTEN : UINT64_MAX, REPORT_POSSIBLE,
            "Mail was sent to domains that do not exist (5.4.4)",
            "A few are mistyped addresses, or bounces to forged senders. So many may mean that an "
            "upstream server denies names that exist: compare with `mxcache lookup NAME MX`.",
            "an upstream DNS server denies names that exist"},
        {LOG_NS_NO_DATA, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Mail was sent to domains that have no mail server", NULL, NULL},
    };
    evidence_reports(
        doctor, CHECK_log_ns_hard, ROWS(rows), "No mail was sent to domains that do not exist.");
}

void check_log_ptr(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_PTR_SOFT, REPORT_WARNING, MANY, REPORT_LIKELY,
            "The name of a client could not be looked up for now", ns_change,
            "lookups of clients' names fail or time out"},
        {LOG_PTR_DEFERRED, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Clients were put off because their address has no name (4.7.25)",
            "Mostly spam senders. reject_unknown_client_hostname also hits real hosts; "
            "reject_unknown_reverse_client_hostname asks less of them.",
            NULL},
        {LOG_DOMAIN_DEFERRED, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Senders were put off because their domain was not found", NULL, NULL},
        {LOG_HELO_DEFERRED, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Clients were put off because the name in their HELO was not found", NULL, NULL},
    };
    evidence_reports(doctor, CHECK_log_ptr, ROWS(rows), "No client was put off for its name.");
}

void check_log_rbl(struct doctor *doctor)
{
    static const char refused_change[] =
        "The list refuses the resolver that asks it. With list_route = auto (the default) mxcache "
        "asks it directly; public resolvers cannot be used for lists. In main.cf take only real "
        "listings: reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]";
    static const char dead_change[] =
        "See lat-dnsbl: a list that never answers is taken out of main.cf.";
    static const struct evidence rows[] = {
        {LOG_LIST_REJECTED, REPORT_ERROR, 1, REPORT_CERTAIN,
            "Mail was rejected because a list's refusal was taken for a listing", refused_change,
            "a block list's refusal is taken for a listing, and mail of everybody is rejected"},
        {LOG_LIST_REJECTED_CODE, REPORT_ERROR, 1, REPORT_CERTAIN,
            "Mail was rejected because a list's refusal was taken for a listing", refused_change,
            "a block list's refusal is taken for a listing, and mail of everybody is rejected"},
        {LOG_LIST_REFUSED, REPORT_WARNING, 1, REPORT_CERTAIN,
            "A list refused to answer this host's resolver", refused_change, NULL},
        {LOG_RBL_SOFT, REPORT_WARNING, SOME, REPORT_LIKELY,
            "A list did not answer smtpd, which let the mail pass after the wait", dead_change,
            "a block list that does not answer stalls each session"},
        {LOG_DNSBLOG_ERROR, REPORT_WARNING, SOME, REPORT_LIKELY, "A list did not answer postscreen",
            dead_change, NULL},
        {LOG_DNSBLOG_TIMEOUT, REPORT_WARNING, SOME, REPORT_LIKELY,
            "A list took longer than 10 s, so that it did not count", dead_change, NULL},
    };
    evidence_reports(doctor, CHECK_log_rbl, ROWS(rows), "All lists answered.");
}

void check_log_dane(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_DANE_TLSA_ERROR, REPORT_WARNING, 3, REPORT_LIKELY,
            "Mail was put off because a TLSA record could not be looked up",
            "A domain whose DNSSEC is broken is its owner's to mend; when it is many domains, see "
            "the check dane.",
            "lookups for DANE (TLSA) fail"},
        {LOG_DANE_UNAVAILABLE, REPORT_WARNING, 1, REPORT_CERTAIN,
            "Postfix found that nobody validates DNSSEC for it, so DANE is off",
            "DANE needs a validating resolver over a trusted path as mxcache's upstream, with "
            "trust_ad = yes there; see the check dane.",
            NULL},
        {LOG_DANE_INSECURE, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Mail for a destination without DNSSEC met a policy that wants DANE", NULL, NULL},
    };
    evidence_reports(doctor, CHECK_log_dane, ROWS(rows), "Nothing was said about DANE.");
}

void check_log_chroot(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_CHROOT_DIFFERS, REPORT_WARNING, 1, REPORT_POSSIBLE,
            "Postfix said that its chroot has another resolv.conf than the host",
            "See the check chroot-resolv for how it is now, and for the commands that copy it. A "
            "copy without `postfix reload` does not reach the processes that run.",
            "the resolv.conf in Postfix's chroot is out of date"},
    };
    evidence_reports(doctor, CHECK_log_chroot, ROWS(rows),
        "Postfix did not complain about its chroot's resolv.conf.");
}

void check_log_rspamd(struct doctor *doctor)
{
    static const struct evidence rows[] = {
        {LOG_RSPAMD_TIMED_OUT, REPORT_WARNING, SOME, REPORT_LIKELY,
            "rspamd's DNS questions timed out", ns_change,
            "rspamd waits for DNS answers that do not come"},
        {LOG_RSPAMD_DISABLED, REPORT_WARNING, SOME, REPORT_LIKELY,
            "rspamd switched a list off because it did not answer",
            "A list that is dead is best taken out in local.d/rbl.conf (enabled = false); when it "
            "is many lists, see lat-dnsbl.",
            NULL},
        {LOG_RSPAMD_BLOCKED, REPORT_WARNING, 1, REPORT_LIKELY, "A list refused rspamd's questions",
            "The list refuses the resolver: rspamd must ask mxcache alone (rs-nameserver, "
            "rc-file).",
            NULL},
        {LOG_RSPAMD_MONITORED, REPORT_WARNING, SOME, REPORT_LIKELY,
            "A list answered rspamd's test question wrongly",
            "The list refuses the resolver, or has ended: see lat-dnsbl.", NULL},
        {LOG_RSPAMD_RETRY, REPORT_NOTE, 1, REPORT_CERTAIN,
            "A list's test question of rspamd had to be repeated", NULL, NULL},
    };
    evidence_reports(doctor, CHECK_log_rspamd, ROWS(rows), "rspamd had no trouble with DNS.");
}

void check_log_sa(struct doctor *doctor)
{
    static const char change[] =
        "The list refuses the resolver that SpamAssassin asks: leave nameserver 127.0.0.1 alone "
        "in /etc/resolv.conf and restart spamd (or amavis).";
    static const struct evidence rows[] = {
        {LOG_SA_URIBL_BLOCKED, REPORT_WARNING, SOME, REPORT_CERTAIN,
            "URIBL refused SpamAssassin's questions", change, NULL},
        {LOG_SA_ZEN_BLOCKED, REPORT_WARNING, SOME, REPORT_CERTAIN,
            "Spamhaus refused SpamAssassin's questions", change, NULL},
        {LOG_SA_OPENDNS_BLOCKED, REPORT_WARNING, SOME, REPORT_CERTAIN,
            "A list refused SpamAssassin's questions, which come through OpenDNS", change, NULL},
        {LOG_SA_DNSWL_BLOCKED, REPORT_WARNING, SOME, REPORT_CERTAIN,
            "dnswl.org refused SpamAssassin's questions", change, NULL},
        {LOG_SA_NO_CALLBACK, REPORT_NOTE, 1, REPORT_CERTAIN,
            "Answers came to SpamAssassin when it no longer waited for them",
            "Slow answers: see lat-dnsbl, and rbl_timeout of SpamAssassin.", NULL},
    };
    evidence_reports(doctor, CHECK_log_sa, ROWS(rows), "No list refused SpamAssassin.");
}
