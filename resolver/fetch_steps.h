/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "resolver/direct.h"
#include "resolver/judge.h"
#include "resolver/refusal.h"
#include "resolver/resolver_private.h"

/*
 * The steps of a fetch; see the diagram in fetch.h.
 */
struct exchange;
struct fetch;

/* A denial without an SOA says nothing about its lifetime (RFC 2308 section 5: not to be kept); so
 * long it is kept all the same, against storms. */
#define FETCH_TTL_WITHOUT_SOA_S 5

/* One visit of a fetch to the dispatcher. */
struct fetch_turn {
    struct resolver *resolver;
    struct fetch *fetch;
    int64_t now;
    struct exchange *exchange; /* That the reply came on; NULL otherwise. */
    struct direct_reply reply; /* On it. */
    enum judge_verdict verdict;
    struct normalised normalised;
    bool has_answer;        /* resolver->normalised holds the stored form. */
    bool is_ad;             /* Validated, and by an upstream that is trusted to say so. */
    struct refusal refusal; /* By the list that was asked; then has_answer tells what is given. */
};

enum step_verdict fetch_route(struct fetch_turn *turn);
enum step_verdict fetch_ask(struct fetch_turn *turn);
enum step_verdict fetch_await(struct fetch_turn *turn);
enum step_verdict fetch_judge(struct fetch_turn *turn);
enum step_verdict fetch_store(struct fetch_turn *turn);
enum step_verdict fetch_publish(struct fetch_turn *turn);
enum step_verdict fetch_linger(struct fetch_turn *turn);
