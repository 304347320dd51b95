/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "resolver/resolver_private.h"

/*
 * The steps of a fetch; see the diagram in fetch.h.
 */
struct fetch_turn;

enum step_verdict fetch_route(struct fetch_turn *turn);
enum step_verdict fetch_ask(struct fetch_turn *turn);
enum step_verdict fetch_await(struct fetch_turn *turn);
enum step_verdict fetch_judge(struct fetch_turn *turn);
enum step_verdict fetch_store(struct fetch_turn *turn);
enum step_verdict fetch_publish(struct fetch_turn *turn);
enum step_verdict fetch_linger(struct fetch_turn *turn);
