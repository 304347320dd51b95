/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * What the steps of a query do about DNS lists: which list is asked, and what its clients got to
 * know. The hit's part is short: it asks neither the table of lists nor the shape of the name.
 */
struct list_question;
struct query_turn;

/* What kind of question it is; false: not one to a list. */
bool query_lists_classify(struct query_turn *turn, struct list_question *list_out);

/* The same for what was found in the cache, with no more work than a hit can bear. */
void query_lists_find(struct query_turn *turn);

/* Counts the answer with its list. */
void query_lists_count(const struct query_turn *turn);
