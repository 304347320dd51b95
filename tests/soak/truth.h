/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct question;

/*
 * Is that the true answer? The world of the simulated upstream (tests/bench/synth.h) does not
 * change, so there is one for each question, whatever the weather: these records, in any order, no
 * TTL longer than the world's own. Reads the answer with the wire floor's readers, but knows
 * nothing of what normalises, stores or writes answers. Pure.
 */
enum truth_verdict {
    TRUTH_TRUE,
    TRUTH_UNREADABLE,
    TRUTH_OTHER_RCODE,
    TRUTH_OTHER_RECORDS,
    TRUTH_LONG_TTL,
    TRUTH_CUT, /* TC: it did not fit, which no answer of this world needs. */
    TRUTH_VERDICTS,
};

const char *truth_word(enum truth_verdict verdict);

enum truth_verdict truth_check(const struct question *question, const uint8_t *answer, size_t len);
