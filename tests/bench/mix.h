/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/question.h"

/*
 * Distinct questions in the proportions of mail: a block of 64 is what postscreen, smtpd and a
 * filter ask for one message from a client, for a sender and about links never seen before. 46 of
 * them go to DNS lists; by type they are 47 A, 10 TXT, 4 AAAA, 2 MX and 1 PTR. Question and number
 * belong together for ever, so that a set of any size needs no memory. Pure.
 */
enum mix_kind {
    MIX_MAIL,
    MIX_LISTS, /* Only addresses and domains asked at lists: blocks of 45. */
};

/* Numbers below this give distinct questions. */
#define MIX_COUNT_MAX (UINT64_C(1) << 28)

struct mix_question {
    struct question question;
    bool has_edns; /* Filters ask with EDNS, libc does not. */
};

void mix_question(enum mix_kind kind, uint64_t number, struct mix_question *question_out);
