/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/policy_trace.h"

#include <stdlib.h>

#include "base/random.h"
#include "tests/bench/names.h"
#include "tests/bench/zipf.h"

/* How many there are of those that come again, and how their fame falls. */
#define TRACE_CLIENTS  100000
#define TRACE_DOMAINS  50000
#define TRACE_LINKS    100000
#define TRACE_EXPONENT 0.9

#define TRACE_TTL_MIN 60
#define TRACE_TTL_MAX 3600

/* The names that belong to one of them stand side by side. */
#define TRACE_LISTS        5
#define TRACE_CLIENT_NAMES (TRACE_LISTS + 2) /* And PTR and A. */
#define TRACE_DOMAIN_NAMES 6                 /* A domain list, MX, A, SPF, DKIM, DMARC. */
#define TRACE_LINK_NAMES   2                 /* Two lists of links. */

#define TRACE_DOMAINS_AT  (TRACE_CLIENTS * TRACE_CLIENT_NAMES)
#define TRACE_LINKS_AT    (TRACE_DOMAINS_AT + TRACE_DOMAINS * TRACE_DOMAIN_NAMES)
#define TRACE_STRANGER_AT (TRACE_LINKS_AT + TRACE_LINKS * TRACE_LINK_NAMES)

/* A connection asks no more than this. */
#define TRACE_ASKS_MAX 17

struct trace_maker {
    struct policy_trace *trace;
    struct random random;
    struct zipf clients;
    struct zipf domains;
    struct zipf links;
    uint32_t second;
};

/* Equal for all answers to one question. */
static uint16_t trace_ttl(uint32_t name)
{
    return (uint16_t)(TRACE_TTL_MIN + names_mix(name) % (TRACE_TTL_MAX - TRACE_TTL_MIN + 1));
}

static void trace_ask(struct trace_maker *maker, uint32_t name, bool is_list)
{
    struct policy_trace *trace = maker->trace;
    trace->asks[trace->count++] = (struct policy_ask){
        .second = maker->second,
        .name = name,
        .ttl_s = trace_ttl(name),
        .is_list = is_list,
    };
}

/* The lists, and the client's name and address; some have no name. */
static void trace_client(struct trace_maker *maker, uint32_t first, bool has_name)
{
    for (uint32_t i = 0; i < TRACE_LISTS; i++) {
        trace_ask(maker, first + i, true);
    }
    trace_ask(maker, first + TRACE_LISTS, false);
    if (has_name) {
        trace_ask(maker, first + TRACE_LISTS + 1, false);
    }
}

static uint32_t trace_domain(struct trace_maker *maker)
{
    return TRACE_DOMAINS_AT + zipf_draw(&maker->domains, &maker->random) * TRACE_DOMAIN_NAMES;
}

/* Comes once, with a forged sender, and goes. */
static void trace_bot(struct trace_maker *maker)
{
    uint32_t first = maker->trace->name_count;
    maker->trace->name_count += TRACE_CLIENT_NAMES;
    trace_client(maker, first, random_below(&maker->random, 2) == 0);
    trace_ask(maker, trace_domain(maker) + 1, false);
}

static void trace_mail(struct trace_maker *maker)
{
    uint32_t client = zipf_draw(&maker->clients, &maker->random) * TRACE_CLIENT_NAMES;
    uint32_t domain = trace_domain(maker);
    uint32_t links = random_below(&maker->random, 3);
    trace_client(maker, client, true);
    for (uint32_t i = 0; i < TRACE_DOMAIN_NAMES; i++) {
        trace_ask(maker, domain + i, i == 0);
    }
    for (uint32_t i = 0; i < links; i++) {
        uint32_t rank = zipf_draw(&maker->links, &maker->random);
        uint32_t first = TRACE_LINKS_AT + rank * TRACE_LINK_NAMES;
        for (uint32_t list = 0; list < TRACE_LINK_NAMES; list++) {
            trace_ask(maker, first + list, true);
        }
    }
}

static void trace_fill(struct trace_maker *maker, const struct policy_trace_options *options)
{
    for (uint32_t i = 0; i < options->connections; i++) {
        maker->second = (uint32_t)((uint64_t)options->seconds * i / options->connections);
        if (random_below(&maker->random, 100) < options->bots_percent) {
            trace_bot(maker);
        } else {
            trace_mail(maker);
        }
    }
}

bool policy_trace_init(struct policy_trace *trace, const struct policy_trace_options *options)
{
    struct trace_maker maker = {.trace = trace};
    *trace = (struct policy_trace){.name_count = TRACE_STRANGER_AT};
    trace->asks = calloc((size_t)options->connections * TRACE_ASKS_MAX, sizeof(*trace->asks));
    random_init_seed(&maker.random, options->seed);
    bool is_ready = trace->asks != NULL &&
                    zipf_init(&maker.clients, TRACE_CLIENTS, TRACE_EXPONENT) &&
                    zipf_init(&maker.domains, TRACE_DOMAINS, TRACE_EXPONENT) &&
                    zipf_init(&maker.links, TRACE_LINKS, TRACE_EXPONENT);
    if (is_ready) {
        trace_fill(&maker, options);
    }
    zipf_fini(&maker.links);
    zipf_fini(&maker.domains);
    zipf_fini(&maker.clients);
    return is_ready;
}

void policy_trace_fini(struct policy_trace *trace)
{
    free(trace->asks);
    *trace = (struct policy_trace){.asks = NULL};
}

/* Notes in `seen` what was seen of a name, and tells what it was before: 0, 1 or 2 for more. */
static uint8_t trace_see(uint8_t *seen, const struct policy_ask *ask)
{
    uint8_t before = seen[ask->name];
    if (before < 2) {
        seen[ask->name]++;
    }
    return before;
}

bool policy_trace_sum_up(const struct policy_trace *trace, struct policy_trace_facts *facts_out)
{
    uint8_t *seen = calloc(trace->name_count, 1);
    *facts_out = (struct policy_trace_facts){.lists = 0};
    if (seen == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct policy_ask *ask = &trace->asks[i];
        uint8_t before = trace_see(seen, ask);
        facts_out->lists += ask->is_list;
        facts_out->names += before == 0;
        facts_out->lists_names += before == 0 && ask->is_list;
        facts_out->once += before == 0;
        facts_out->once -= before == 1;
        facts_out->lists_once += before == 0 && ask->is_list;
        facts_out->lists_once -= before == 1 && ask->is_list;
    }
    free(seen);
    return true;
}
