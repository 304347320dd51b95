/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "wire/message.h"
#include "wire/normalise.h"

#include "packet.h"

/*
 * A reply, in lines, and what its stored form must be, in lines. Shared by the tests of
 * normalise.c (what is kept) and normalise_sets.c (how it is written).
 */
struct normalise_case {
    const char *what;
    struct packet_lines reply;
    enum normalise_verdict verdict;
    const char *answers;   /* As packet_text() gives them; NULL: none. */
    const char *authority; /* The same. */
    uint32_t ttl;
    bool has_soa;
    bool is_chained;
};

static const struct normalise_limits normalise_case_limits = {
    .ttl_min = 0,
    .ttl_max = 86400,
    .negative_ttl_max = 3600,
};

static inline void normalise_case_expect_text(const struct normalise_case *row,
    const uint8_t *bytes, size_t len, ldns_pkt_section section, const char *expected)
{
    char text[8192];
    packet_text(bytes, len, section, text, sizeof(text));
    packet_expect(strcmp(text, expected == NULL ? "" : expected) == 0, row->what);
}

static inline void normalise_case_run(
    const struct normalise_case *row, const struct normalise_limits *limits)
{
    static struct packet packet;
    static uint8_t bytes[65535];
    struct message message;
    struct message stored;
    struct normalised normalised;
    packet_make(&packet, &row->reply);
    assert_int_equal(message_read(packet.bytes, packet.len, &message), MESSAGE_GOOD);
    enum normalise_verdict verdict =
        normalise_reply(&message, limits, bytes, packet.len + 64, &normalised);
    packet_expect(verdict == row->verdict, row->what);
    if (verdict == NORMALISE_BROKEN || verdict == NORMALISE_REFERRAL) {
        assert_int_equal(normalised.len, 0);
        return;
    }
    normalise_case_expect_text(row, bytes, normalised.len, LDNS_SECTION_ANSWER, row->answers);
    normalise_case_expect_text(row, bytes, normalised.len, LDNS_SECTION_AUTHORITY, row->authority);
    packet_expect(normalised.ttl == row->ttl, row->what);
    packet_expect(normalised.has_soa == row->has_soa, row->what);
    packet_expect(normalised.is_chained == row->is_chained, row->what);
    assert_int_equal(normalised.is_ad, row->reply.is_ad);
    assert_int_equal(message_read(bytes, normalised.len, &stored), MESSAGE_GOOD);
    assert_true(question_equal(&stored.question, &message.question));
    assert_int_equal(stored.id, 0);
    assert_int_equal(stored.rcode, row->reply.rcode);
    assert_int_equal(stored.counts[3], 0);
}
