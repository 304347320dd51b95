/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "mail/redact.h"
#include "resolver/direct.h"

/* What direct.c (which way a question goes) and direct_learn.c (to whom) have in common. */

/* The zone's name servers could not be used; told to the operator once an hour. */
void direct_complain(struct resolver *resolver, struct direct_zone *zone, int64_t now);

/* A zone's name as the log may have it: a section's name may have a customer's key in it. */
void direct_zone_text(const struct resolver *resolver, const struct delegation_name *name,
    char text_out[REDACT_TEXT_SIZE]);
