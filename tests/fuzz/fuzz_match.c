/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a reply. It matches its own id and question, and nothing else. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "wire/match.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match_check_own(const struct message *message)
{
    const uint8_t *bytes = message->bytes;
    struct question asked = message->question;
    bool is_reply = (message->flags & HEADER_QR) != 0 && message->opcode == OPCODE_QUERY;
    enum match_verdict verdict = match_reply(bytes, message->len, message->id, &asked);
    must(verdict == (is_reply ? MATCH_YES : MATCH_NO));
    name_to_lower(asked.name, asked.name_len);
    must(match_reply(bytes, message->len, message->id, &asked) == verdict);
    must(match_reply(bytes, message->len, message->id ^ 1, &asked) == MATCH_NO);
    asked.type ^= 1;
    must(match_reply(bytes, message->len, message->id, &asked) == MATCH_NO);
    asked.type ^= 1;
    asked.class ^= 1;
    must(match_reply(bytes, message->len, message->id, &asked) == MATCH_NO);
    asked.class ^= 1;
    if (asked.name_len > 1) {
        asked.name[1] ^= 1;
        must(match_reply(bytes, message->len, message->id, &asked) == MATCH_NO);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct question other = {.name = "\2mx\2at", .name_len = 7, .type = 15, .class = 1};
    struct message message;
    uint16_t id = size >= 2 ? bytes_get_u16(data) : 0;
    enum match_verdict verdict = match_reply(data, size, id, &other);
    if (verdict == MATCH_BARE_ERROR) {
        must(header_qdcount(data) == 0 && header_rcode(data) != RCODE_NOERROR);
    }
    if (message_read(data, size, &message) == MESSAGE_GOOD) {
        match_check_own(&message);
        must((verdict == MATCH_YES) <= question_equal(&other, &message.question));
    }
    return 0;
}
