/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/must.h"
#include "wire/name.h"

/*
 * Messages for the tests of this floor, written and read by ldns: a second opinion that knows
 * nothing of our code. Lines are in the form of zone files.
 */
#define PACKET_LINES_MAX 20

struct packet {
    uint8_t bytes[65535];
    size_t len;
};

struct packet_lines {
    const char *question; /* "example.com. IN MX" */
    unsigned rcode;
    bool is_authoritative;
    bool is_ad;
    bool wants_dnssec; /* With an OPT record then. */
    const char *answers[PACKET_LINES_MAX];
    const char *authority[PACKET_LINES_MAX];
};

/* An assertion that names the row of a table which it is about. */
static inline void packet_expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "row: %s\n", what);
    }
    assert_true(is_true);
}

static inline void packet_push(ldns_pkt *pkt, ldns_pkt_section section, const char *line)
{
    ldns_rr *rr = NULL;
    ldns_status status = section == LDNS_SECTION_QUESTION
                             ? ldns_rr_new_question_frm_str(&rr, line, NULL, NULL)
                             : ldns_rr_new_frm_str(&rr, line, 3600, NULL, NULL);
    must(status == LDNS_STATUS_OK && ldns_pkt_push_rr(pkt, section, rr));
}

/* Writes the message; names are compressed as ldns does it. */
static inline void packet_make(struct packet *packet, const struct packet_lines *lines)
{
    ldns_pkt *pkt = ldns_pkt_new();
    uint8_t *wire = NULL;
    packet_push(pkt, LDNS_SECTION_QUESTION, lines->question);
    for (size_t i = 0; i < PACKET_LINES_MAX && lines->answers[i] != NULL; i++) {
        packet_push(pkt, LDNS_SECTION_ANSWER, lines->answers[i]);
    }
    for (size_t i = 0; i < PACKET_LINES_MAX && lines->authority[i] != NULL; i++) {
        packet_push(pkt, LDNS_SECTION_AUTHORITY, lines->authority[i]);
    }
    ldns_pkt_set_flags(pkt, LDNS_QR | LDNS_RD | LDNS_RA);
    ldns_pkt_set_aa(pkt, lines->is_authoritative);
    ldns_pkt_set_ad(pkt, lines->is_ad);
    ldns_pkt_set_rcode(pkt, (uint8_t)lines->rcode);
    ldns_pkt_set_id(pkt, 0x1234);
    if (lines->wants_dnssec) {
        ldns_pkt_set_edns_udp_size(pkt, 1232);
        ldns_pkt_set_edns_do(pkt, true);
    }
    must(ldns_pkt2wire(&wire, pkt, &packet->len) == LDNS_STATUS_OK);
    memcpy(packet->bytes, wire, packet->len);
    free(wire);
    ldns_pkt_free(pkt);
}

/* The records of a section, one a line, fields parted by one blank; "" for none. A message that
 * ldns does not take is "(not a message)". */
static inline const char *packet_text(
    const uint8_t *bytes, size_t len, ldns_pkt_section section, char *text_out, size_t size)
{
    ldns_pkt *pkt = NULL;
    if (ldns_wire2pkt(&pkt, bytes, len) != LDNS_STATUS_OK) {
        snprintf(text_out, size, "(not a message)");
        return text_out;
    }
    ldns_rr_list *list = ldns_pkt_get_section_clone(pkt, section);
    char *text = ldns_rr_list2str(list);
    snprintf(text_out, size, "%s", text);
    for (char *at = text_out; *at != '\0'; at++) {
        *at = *at == '\t' ? ' ' : *at;
    }
    free(text);
    ldns_rr_list_deep_free(list);
    ldns_pkt_free(pkt);
    return text_out;
}

/* A name from its text; the text must be one. */
static inline size_t packet_name(const char *text, uint8_t name_out[NAME_SIZE_MAX])
{
    size_t len = 0;
    must(name_from_text(text, strlen(text), name_out, &len));
    return len;
}
