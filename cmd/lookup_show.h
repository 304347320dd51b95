/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * The records of a message in presentation form, a line each. The message has been accepted by
 * message_read(); names inside of record data are checked here before ldns sees them, and types
 * that ldns is not trusted with are shown as bytes (RFC 3597 section 5). Pure; any thread.
 */
struct lookup_hide;
struct message;
struct text;

/* At most so many records are shown; the rest is counted. */
#define LOOKUP_SHOW_RECORDS_MAX 200

/* Answer and authority section, TTLs less `age_s`, without what is to be hidden. */
void lookup_show_records(struct text *text, const struct lookup_hide *hide,
    const struct message *message, uint32_t age_s);
