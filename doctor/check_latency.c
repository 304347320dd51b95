/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/types.h"
#include "doctor/dns_name.h"
#include "doctor/doctor.h"

/*
 * How long answers take: each of a few names asked of each server, and asked again when its answer
 * has come, so that the second shows what a cache is worth.
 */
#define LAT_LABEL_LEN 12
#define LAT_TEXT_SIZE 24

/* What is too slow. */
struct lat_limits {
    int64_t median_us;
    int64_t slowest_us;
};

static const struct lat_limits limits_usual = {150 * CLOCK_US_PER_MS, 1000 * CLOCK_US_PER_MS};
/* What no cache can know takes the way to the domain's own servers each time. */
static const struct lat_limits limits_uncached = {300 * CLOCK_US_PER_MS, 1500 * CLOCK_US_PER_MS};

/* A cache on this host answers a question that it knows in so much, even when busy. */
#define LAT_WARM_US (20 * CLOCK_US_PER_MS)

struct lat_case {
    enum check_id check;
    uint16_t type;
    const char *what; /* "MX". */
    const char *names[DNS_NAMES];
    struct lat_limits limits;
};

struct lat_server {
    const struct dns_server *server;
    const struct ask *first[DNS_NAMES];
    const struct ask *again[DNS_NAMES];
    size_t count;
};

/* What the answers of one kind took. */
struct lat_result {
    size_t asked;
    size_t silent;
    size_t failed;
    size_t absent; /* "There is no such name", or no such record. */
    const struct ask *failure;
    int64_t median_us;
    int64_t slowest_us;
};

static struct lat_result result_of(const struct ask *const *asks, size_t count)
{
    struct lat_result result = {.asked = count};
    int64_t times[DNS_NAMES];
    size_t answered = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ask *ask = asks[i];
        result.silent += ask->verdict == ASK_SILENT;
        if (!ask_is_answered(ask)) {
            bool counts = ask_is_replied(ask);
            result.failed += counts;
            result.failure = counts ? ask : result.failure;
            continue;
        }
        result.absent += ask->verdict != ASK_ANSWER;
        size_t at = answered++;
        for (; at > 0 && times[at - 1] > ask->round_trip_us; at--) {
            times[at] = times[at - 1];
        }
        times[at] = ask->round_trip_us;
    }
    if (answered > 0) {
        result.median_us = times[answered / 2];
        result.slowest_us = times[answered - 1];
    }
    return result;
}

static const char *lat_text(int64_t time_us, char text_out[LAT_TEXT_SIZE])
{
    struct text text;
    text_init(&text, text_out, LAT_TEXT_SIZE);
    text_add_latency(&text, (uint64_t)time_us);
    return text_out;
}

static bool report_lost(
    struct doctor *doctor, const struct lat_case *lat, const struct lat_server *server)
{
    struct lat_result first = result_of(server->first, server->count);
    struct lat_result again = result_of(server->again, server->count);
    size_t silent = first.silent + again.silent;
    char limit[LAT_TEXT_SIZE];
    if (silent == 0) {
        return false;
    }
    report_add(&doctor->report, lat->check, REPORT_WARNING, REPORT_LIKELY,
        "%s left %zu of %zu %s questions without an answer for %s.", server->server->shown, silent,
        first.asked + again.asked, lat->what, lat_text(server->first[0]->limit_us, limit));
    report_advise(&doctor->report,
        "Datagrams are lost on the way, or that server is overloaded: test the line (mtr), and "
        "give mxcache a second upstream server, which it then asks instead.");
    report_blame(
        &doctor->report, "the DNS server %s does not answer every question", server->server->shown);
    return true;
}

static bool report_failed(
    struct doctor *doctor, const struct lat_case *lat, const struct lat_server *server)
{
    struct lat_result first = result_of(server->first, server->count);
    char clause[ASK_CLAUSE_SIZE];
    char name[NAME_TEXT_SIZE];
    if (first.failed == 0) {
        return false;
    }
    const struct question *question = &first.failure->question;
    (void)name_to_text(question->name, question->name_len, name, sizeof name);
    report_add(&doctor->report, lat->check, REPORT_WARNING, REPORT_LIKELY,
        "%s %s to %zu of %zu %s questions, such as %s.", server->server->shown,
        ask_clause(first.failure, clause), first.failed, first.asked, lat->what, name);
    report_advise(&doctor->report,
        "`mxcache lookup NAME %s` shows what each server says to one name; if one "
        "server fails where the others answer, replace it.",
        lat->what);
    report_blame(
        &doctor->report, "the DNS server %s fails to look names up", server->server->shown);
    return true;
}

/* All but perhaps this host's own domain are known to be there. */
static bool report_unknown(
    struct doctor *doctor, const struct lat_case *lat, const struct lat_server *server)
{
    struct lat_result first = result_of(server->first, server->count);
    if (lat->type != TYPE_MX || first.asked < 2 || first.absent + 1 < first.asked) {
        return false;
    }
    report_add(&doctor->report, lat->check, REPORT_WARNING, REPORT_LIKELY,
        "%s says that the best-known mail domains do not exist: it does not know the Internet's "
        "names.",
        server->server->shown);
    report_advise(&doctor->report,
        "Ask a server that does; this one may serve a closed network, or be a filter.");
    report_blame(&doctor->report, "the DNS server %s does not know the Internet's names",
        server->server->shown);
    return true;
}

static bool report_slow(
    struct doctor *doctor, const struct lat_case *lat, const struct lat_server *server)
{
    struct lat_result first = result_of(server->first, server->count);
    struct lat_result again = result_of(server->again, server->count);
    char median[LAT_TEXT_SIZE];
    char slowest[LAT_TEXT_SIZE];
    if (first.median_us > lat->limits.median_us || first.slowest_us > lat->limits.slowest_us) {
        report_add(&doctor->report, lat->check, REPORT_WARNING, REPORT_LIKELY,
            "%s is slow: %s answers take %s in the middle, %s at worst.", server->server->shown,
            lat->what, lat_text(first.median_us, median), lat_text(first.slowest_us, slowest));
        report_advise(&doctor->report,
            "Postfix asks ten and more questions one after the other for a message. Ask servers "
            "that are nearer (your provider's, or a resolver of your own such as Unbound), and "
            "give mxcache two of them: it asks the faster one.");
        report_blame(&doctor->report, "the DNS server %s is slow (%s a question)",
            server->server->shown, median);
        return true;
    }
    bool is_cold = server->server->is_own && again.median_us > LAT_WARM_US;
    if (is_cold) {
        report_add(&doctor->report, lat->check, REPORT_WARNING, REPORT_POSSIBLE,
            "%s takes %s for an answer that it should have in its cache.", server->server->shown,
            lat_text(again.median_us, median));
        report_advise(&doctor->report, "Look at the load of this host; `mxcache top` shows what "
                                       "mxcache does, `mxcache slow` where time is spent.");
    }
    return is_cold;
}

static void report_good(
    struct doctor *doctor, const struct lat_case *lat, const struct lat_server *server)
{
    struct lat_result first = result_of(server->first, server->count);
    struct lat_result again = result_of(server->again, server->count);
    char median[LAT_TEXT_SIZE];
    char slowest[LAT_TEXT_SIZE];
    char warm[LAT_TEXT_SIZE];
    if (first.asked == 0 || first.slowest_us == 0) {
        return;
    }
    report_add(&doctor->report, lat->check, REPORT_GOOD, REPORT_CERTAIN,
        "%s: %s in %s, at worst %s; asked again %s.", server->server->shown, lat->what,
        lat_text(first.median_us, median), lat_text(first.slowest_us, slowest),
        lat_text(again.median_us, warm));
}

static void lat_ask(const struct lat_case *lat, struct ask_batch *batch, struct lat_server *server)
{
    for (size_t i = 0; i < DNS_NAMES; i++) {
        const struct address *address = &server->server->address;
        if (lat->names[i] == NULL) {
            continue;
        }
        struct ask *first = ask_batch_add(batch, address, lat->names[i], lat->type);
        struct ask *again = ask_batch_add(batch, address, lat->names[i], lat->type);
        if (first == NULL || again == NULL) {
            continue;
        }
        again->after = first;
        server->first[server->count] = first;
        server->again[server->count++] = again;
    }
}

static void lat_run(struct doctor *doctor, const struct lat_case *lat)
{
    const struct dns_scene *scene = &doctor->facts.dns;
    struct lat_server servers[DNS_SERVERS_MAX];
    struct ask_batch batch;
    size_t count = 0;
    size_t before = doctor->report.count;
    ask_batch_init(&batch, (size_t)2 * DNS_NAMES * DNS_SERVERS_MAX);
    for (size_t i = 0; i < scene->server_count; i++) {
        if (dns_server_is_usable(&scene->servers[i])) {
            servers[count] = (struct lat_server){.server = &scene->servers[i]};
            lat_ask(lat, &batch, &servers[count++]);
        }
    }
    dns_scene_run(doctor, &batch);
    for (size_t i = 0; i < count; i++) {
        if (!report_lost(doctor, lat, &servers[i]) && !report_failed(doctor, lat, &servers[i]) &&
            !report_unknown(doctor, lat, &servers[i]) && !report_slow(doctor, lat, &servers[i])) {
            report_good(doctor, lat, &servers[i]);
        }
    }
    if (doctor->report.count == before) {
        report_add(&doctor->report, lat->check, REPORT_SKIPPED, REPORT_CERTAIN,
            "The time for questions was up.");
    }
    ask_batch_fini(&batch);
}

/* The domain that this host receives for: --domain, else that of Postfix. */
static const char *own_domain(const struct doctor *doctor, char *domain_out, size_t size)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    if (doctor->options.domain != NULL) {
        return doctor->options.domain;
    }
    if (postfix->instance_count == 0 ||
        postfix_value(&postfix->instances[0], NULL, "mydomain", domain_out, size) == 0 ||
        strchr(domain_out, '.') == NULL) {
        return NULL;
    }
    return domain_out;
}

void check_lat_mx(struct doctor *doctor)
{
    char domain[NAME_TEXT_SIZE];
    if (!dns_scene_ready(doctor, CHECK_lat_mx)) {
        return;
    }
    struct lat_case lat = {CHECK_lat_mx, TYPE_MX, "MX", {NULL}, limits_usual};
    memcpy(lat.names, doctor->facts.dns.names.mx, sizeof lat.names);
    const char *own = own_domain(doctor, domain, sizeof domain);
    if (own != NULL && doctor->options.given == NULL) {
        lat.names[0] = own;
    }
    lat_run(doctor, &lat);
}

void check_lat_ptr(struct doctor *doctor)
{
    char own[DNS_REVERSE_SIZE];
    if (!dns_scene_ready(doctor, CHECK_lat_ptr)) {
        return;
    }
    const struct dns_scene *scene = &doctor->facts.dns;
    struct lat_case lat = {CHECK_lat_ptr, TYPE_PTR, "PTR", {NULL}, limits_usual};
    memcpy(lat.names, scene->names.ptr, sizeof lat.names);
    if (scene->own_count > 0 && !address_is_private(&scene->own[0]) &&
        !address_is_loopback(&scene->own[0])) {
        dns_name_reverse(&scene->own[0], own);
        lat.names[0] = own;
    }
    lat_run(doctor, &lat);
}

void check_lat_a(struct doctor *doctor)
{
    char names[DNS_NAMES][NAME_TEXT_SIZE];
    if (!dns_scene_ready(doctor, CHECK_lat_a)) {
        return;
    }
    struct lat_case lat = {CHECK_lat_a, TYPE_A, "A", {NULL}, limits_uncached};
    for (size_t i = 0; i < DNS_NAMES; i++) {
        const char *domain = doctor->facts.dns.names.a[i];
        char label[LAT_LABEL_LEN + 1] = "";
        for (size_t at = 0; at < LAT_LABEL_LEN; at++) {
            label[at] = (char)('a' + random_below(doctor->random, 26));
        }
        if (domain != NULL) {
            (void)snprintf(names[i], sizeof names[i], "%s.%.900s", label, domain);
            lat.names[i] = names[i];
        }
    }
    lat_run(doctor, &lat);
}
