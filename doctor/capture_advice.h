/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The sentences about a trouble of the conversations of a capture: what was seen, what to change
 * (for whose side it is, when that is known), and the clause that names it as a cause. Pure.
 */
struct capture_group;
struct postfix;
struct text;

void capture_advice_seen(struct text *text, const struct capture_group *group);

/* Nothing is added when there is nothing to do. `postfix` is this host's. */
void capture_advice_change(
    struct text *text, const struct capture_group *group, const struct postfix *postfix);

void capture_advice_cause(struct text *text, const struct capture_group *group);
