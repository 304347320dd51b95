/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "resolver/resolver_private.h"

/*
 * The steps of a query, in the order in which a question meets them; see the diagram in query.h.
 * Each does one thing, sets the next step and tells the dispatcher how to go on. The last two are
 * in query_send.c.
 */
struct query_turn;

enum step_verdict query_parse(struct query_turn *turn);
enum step_verdict query_lookup(struct query_turn *turn);
enum step_verdict query_local(struct query_turn *turn);
enum step_verdict query_join(struct query_turn *turn);
enum step_verdict query_wait(struct query_turn *turn);
enum step_verdict query_answer(struct query_turn *turn);
enum step_verdict query_send(struct query_turn *turn);
