/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/edns.h"

/*
 * Why a question failed: the code of the extended error (RFC 8914) and the sentence beside it, by
 * the rows of reasons.def. Pure; any thread.
 */

/* What is to be told after a reply that is no answer: what the server said of the reason, if that
 * is a row of reasons.def; else what an earlier one said (`before`); else `found`. */
enum ede reason_after(enum ede before, enum ede found, const uint8_t *reply, size_t len);

/* For a failure that has just happened. NULL: nothing is known. */
const char *reason_sentence(enum ede ede);

/* For one that is remembered, as the code that it was remembered with (any number). */
enum ede reason_later(int ede);
const char *reason_sentence_later(int ede);
