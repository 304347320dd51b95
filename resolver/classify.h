/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "resolver/stats.h"

/* Which kind of question this is, for statistics and for the rules that differ by kind. Pure. */
struct cache_key;
struct list_question;

/* Sets `list_out` and returns QUESTION_CLASS_LIST for a question to a DNS list. */
enum question_class classify_question(const struct cache_key *key, struct list_question *list_out);

/* The same where it is known whether it is a list's. */
enum question_class classify_type(uint16_t type, bool is_list);
