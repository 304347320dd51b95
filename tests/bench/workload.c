/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/workload.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/random.h"
#include "tests/bench/names.h"
#include "wire/name.h"
#include "wire/types.h"

#define STRANGERS_PERCENT 40
#define OWN_HELO_PERCENT                                                                           \
    60 /* HELO is the name that PTR gave; the others have one of their own.                        \
        */
#define PAUSE_MIN_US        1000u
#define PAUSE_RANGE_US      7000u
#define LINKS_IN_MESSAGE    3
#define HASHES_IN_MESSAGE   6
#define CLIENT_EXPONENT     1.0
#define DOMAIN_EXPONENT     1.1
#define LINK_EXPONENT       1.0
#define RANDOM_SPREAD_PRIME UINT64_C(0x9e3779b97f4a7c15)

/* Postscreen asks the first four; the filter all of them for the client, and the last four also for
 * the host that the message came from before. */
static const char *const address_lists[] = {
    "zen.spamhaus.org",
    "bl.spamcop.net",
    "b.barracudacentral.org",
    "list.dnswl.org",
    "psbl.surriel.com",
    "bl.mailspike.net",
    "rep.mailspike.net",
    "dnsbl-1.uceprotect.net",
};
static const char *const domain_lists[] = {
    "dbl.spamhaus.org",
    "multi.uribl.com",
    "multi.surbl.org",
    "fresh.fmb.la",
};
static const char *const hash_lists[] = {
    "ebl.msbl.org",
    "hashbl.surbl.org",
    "email.rspamd.com",
};

#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define POSTSCREEN_LISTS 4

/* A plan in the making, and what the session is about. */
struct planner {
    struct workload_plan *plan;
    struct random random;
    uint32_t session;
    uint32_t client;
    uint32_t relay;
    uint32_t domain;
    uint32_t links[LINKS_IN_MESSAGE];
};

bool workload_init(struct workload *workload, uint64_t seed)
{
    *workload = (struct workload){.seed = seed};
    return zipf_init(&workload->clients, NAMES_CLIENTS, CLIENT_EXPONENT) &&
           zipf_init(&workload->domains, NAMES_DOMAINS, DOMAIN_EXPONENT) &&
           zipf_init(&workload->links, NAMES_LINKS, LINK_EXPONENT);
}

void workload_fini(struct workload *workload)
{
    zipf_fini(&workload->clients);
    zipf_fini(&workload->domains);
    zipf_fini(&workload->links);
}

static void step_begin(struct planner *planner, enum workload_manner manner)
{
    struct workload_plan *plan = planner->plan;
    must(plan->step_count < WORKLOAD_STEPS_MAX);
    plan->steps[plan->step_count++] = (struct workload_step){
        .manner = manner,
        .pause_us = PAUSE_MIN_US + random_below(&planner->random, PAUSE_RANGE_US),
        .first = plan->question_count,
    };
}

static void question_add(struct planner *planner, const char *name, uint16_t type)
{
    struct workload_plan *plan = planner->plan;
    size_t len = 0;
    must(plan->question_count < WORKLOAD_QUESTIONS_MAX);
    struct question *question = &plan->questions[plan->question_count++];
    *question = (struct question){.type = type, .class = CLASS_IN};
    must(name_from_text(name, strlen(name), question->name, &len));
    question->name_len = (uint8_t)len;
    plan->steps[plan->step_count - 1].count++;
}

static void step_single(struct planner *planner, const char *name, uint16_t type)
{
    step_begin(planner, WORKLOAD_LIBC);
    question_add(planner, name, type);
}

static void below_add(struct planner *planner, const char *label, const char *zone, uint16_t type)
{
    char name[2 * NAMES_TEXT_SIZE];
    (void)snprintf(name, sizeof(name), "%s.%s", label, zone);
    question_add(planner, name, type);
}

static void address_lists_add(struct planner *planner, uint32_t address, size_t from, size_t to)
{
    char name[NAMES_TEXT_SIZE];
    for (size_t i = from; i < to; i++) {
        names_reverse(address, address_lists[i], name);
        question_add(planner, name, TYPE_A);
    }
}

static void domain_lists_add(struct planner *planner, const char *domain)
{
    for (size_t i = 0; i < COUNT(domain_lists); i++) {
        below_add(planner, domain, domain_lists[i], TYPE_A);
    }
}

static void client_steps(struct planner *planner)
{
    char name[NAMES_TEXT_SIZE];
    names_reverse(planner->client, "in-addr.arpa", name);
    step_single(planner, name, TYPE_PTR);
    names_host(planner->client, name);
    if (names_has_ptr(planner->client)) {
        step_single(planner, name, TYPE_A);
    }
    if (random_below(&planner->random, 100) >= OWN_HELO_PERCENT) {
        char helo[2 * NAMES_TEXT_SIZE];
        (void)snprintf(helo, sizeof(helo), "helo.%s", name);
        step_single(planner, helo, TYPE_A);
    } else {
        step_single(planner, name, TYPE_A);
    }
}

static void sender_steps(struct planner *planner)
{
    char domain[NAMES_TEXT_SIZE];
    char name[NAMES_TEXT_SIZE];
    names_domain(planner->domain, domain);
    step_single(planner, domain, TYPE_MX);
    names_mx(planner->domain, 0, name);
    step_single(planner, name, TYPE_A);
    step_begin(planner, WORKLOAD_LIBC);
    below_add(planner, domain, domain_lists[0], TYPE_A);
    step_single(planner, domain, TYPE_TXT);
    for (unsigned i = 0; i < 2; i++) {
        names_spf(planner->domain, i, name);
        step_single(planner, name, TYPE_TXT);
    }
}

static void hashes_add(struct planner *planner, uint64_t seed)
{
    for (unsigned i = 0; i < HASHES_IN_MESSAGE; i++) {
        char label[NAMES_HASH_CHARS + 1];
        uint64_t mixed = names_mix(seed ^ names_mix((uint64_t)planner->session << 8 | i));
        (void)snprintf(label, sizeof(label), "%016llx%016llx", (unsigned long long)mixed,
            (unsigned long long)names_mix(mixed));
        below_add(planner, label, hash_lists[i % COUNT(hash_lists)], TYPE_A);
    }
}

static void filter_step(struct planner *planner, uint64_t seed)
{
    char domain[NAMES_TEXT_SIZE];
    char link[NAMES_TEXT_SIZE];
    names_domain(planner->domain, domain);
    step_begin(planner, WORKLOAD_FILTER);
    below_add(planner, "s1._domainkey", domain, TYPE_TXT);
    below_add(planner, "_dmarc", domain, TYPE_TXT);
    address_lists_add(planner, planner->client, 0, COUNT(address_lists));
    address_lists_add(planner, planner->relay, POSTSCREEN_LISTS, COUNT(address_lists));
    domain_lists_add(planner, domain);
    for (unsigned i = 0; i < LINKS_IN_MESSAGE; i++) {
        names_link(planner->links[i], link);
        domain_lists_add(planner, link);
    }
    hashes_add(planner, seed);
    question_add(planner, domain, TYPE_A);
    question_add(planner, domain, TYPE_AAAA);
    question_add(planner, domain, TYPE_NS);
    question_add(planner, link, TYPE_A);
}

static uint32_t client_draw(
    const struct workload *workload, struct planner *planner, uint32_t session)
{
    if (random_below(&planner->random, 100) < STRANGERS_PERCENT) {
        return names_stranger(session);
    }
    return names_client(zipf_draw(&workload->clients, &planner->random));
}

void workload_plan(
    const struct workload *workload, uint32_t session, struct workload_plan *plan_out)
{
    struct planner planner = {.plan = plan_out, .session = session};
    memset(plan_out, 0, sizeof(*plan_out));
    random_init_seed(&planner.random, workload->seed ^ (session * RANDOM_SPREAD_PRIME));
    planner.client = client_draw(workload, &planner, session);
    planner.relay = names_client(zipf_draw(&workload->clients, &planner.random));
    planner.domain = zipf_draw(&workload->domains, &planner.random);
    for (unsigned i = 0; i < LINKS_IN_MESSAGE; i++) {
        planner.links[i] = zipf_draw(&workload->links, &planner.random);
    }
    step_begin(&planner, WORKLOAD_LIBC);
    address_lists_add(&planner, planner.client, 0, POSTSCREEN_LISTS);
    client_steps(&planner);
    sender_steps(&planner);
    filter_step(&planner, workload->seed);
}
