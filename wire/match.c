/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/match.h"

#include <string.h>

#include "wire/header.h"
#include "wire/question.h"

/* NXDOMAIN is data about a name, and here is no name. */
static enum match_verdict match_bare(const uint8_t *bytes)
{
    unsigned rcode = header_rcode(bytes);
    bool is_error = rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN;
    bool is_bare = header_ancount(bytes) == 0 && header_nscount(bytes) == 0;
    return is_error && is_bare ? MATCH_BARE_ERROR : MATCH_NO;
}

enum match_verdict match_reply(
    const uint8_t *bytes, size_t len, uint16_t id, const struct question *asked)
{
    if (len < HEADER_SIZE || header_id(bytes) != id || (header_flags(bytes) & HEADER_QR) == 0 ||
        header_opcode(bytes) != OPCODE_QUERY) {
        return MATCH_NO;
    }
    if (header_qdcount(bytes) == 0) {
        return match_bare(bytes);
    }
    struct reader reader = reader_of(bytes, len);
    struct question question;
    reader.at = HEADER_SIZE;
    if (header_qdcount(bytes) != 1 || !question_read(&reader, &question)) {
        return MATCH_NO;
    }
    if (!question_equal(&question, asked)) {
        return MATCH_NO;
    }
    /* Equal names have equal lengths. */
    bool is_same = memcmp(question.name, asked->name, asked->name_len) == 0;
    return is_same ? MATCH_YES : MATCH_OTHER_CASE;
}
