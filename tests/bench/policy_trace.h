/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * What a mail host asks in a working day, as numbers: inbound connections at an even pace, most of
 * them from bots that come once; each is looked up in five lists, has its PTR asked, and so on; the
 * others bring mail, with sender domains and links drawn by Zipf's law. A name is a number below
 * name_count, with a TTL of its own. All of it follows from the options.
 */
struct policy_ask {
    uint32_t second;
    uint32_t name;
    uint16_t ttl_s;
    bool is_list; /* A question to a DNS list. */
};

struct policy_trace_options {
    uint32_t connections;
    uint32_t seconds;      /* They take this long. */
    uint32_t bots_percent; /* Of the connections. */
    uint64_t seed;
};

struct policy_trace {
    struct policy_ask *asks;
    uint32_t count;
    uint32_t name_count;
};

/* False when memory is short; the trace is then safe to policy_trace_fini(). */
bool policy_trace_init(struct policy_trace *trace, const struct policy_trace_options *options);
void policy_trace_fini(struct policy_trace *trace);

struct policy_trace_facts {
    uint32_t lists;       /* Questions to lists. */
    uint32_t names;       /* Different names. */
    uint32_t once;        /* Names asked once. */
    uint32_t lists_names; /* Different names in lists. */
    uint32_t lists_once;
};

/* False when memory is short. */
bool policy_trace_sum_up(const struct policy_trace *trace, struct policy_trace_facts *facts_out);
