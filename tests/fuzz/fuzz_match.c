/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a reply. It matches its own id and question, and nothing else; another spelling of the
 * name is told apart. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/random.h"
#include "wire/match.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two other spellings of the name: all in lower case, and at random. */
static void match_check_case(const struct message *message, bool is_reply)
{
    const uint8_t *bytes = message->bytes;
    struct question asked = message->question;
    bool is_other = false;
    name_to_lower(asked.name, asked.name_len);
    for (size_t i = 0; i < asked.name_len; i++) {
        is_other |= asked.name[i] != message->question.name[i];
    }
    enum match_verdict verdict = match_reply(bytes, message->len, message->id, &asked);
    enum match_verdict expected = is_other ? MATCH_OTHER_CASE : MATCH_YES;
    must(verdict == (is_reply ? expected : MATCH_NO));
    must(match_reply(bytes, message->len, message->id ^ 1, &asked) == MATCH_NO);

    struct random random;
    random_init_seed(&random, message->len);
    name_randomise_case(asked.name, asked.name_len, &random);
    must(question_equal(&asked, &message->question) && name_is_valid(asked.name, asked.name_len));
    must(name_hash32(asked.name, asked.name_len) ==
         name_hash32(message->question.name, message->question.name_len));
    is_other = memcmp(asked.name, message->question.name, asked.name_len) != 0;
    expected = is_other ? MATCH_OTHER_CASE : MATCH_YES;
    must(match_reply(bytes, message->len, message->id, &asked) == (is_reply ? expected : MATCH_NO));
}

static void match_check_own(const struct message *message)
{
    const uint8_t *bytes = message->bytes;
    struct question asked = message->question;
    bool is_reply = (message->flags & HEADER_QR) != 0 && message->opcode == OPCODE_QUERY;
    enum match_verdict verdict = match_reply(bytes, message->len, message->id, &asked);
    must(verdict == (is_reply ? MATCH_YES : MATCH_NO));
    match_check_case(message, is_reply);
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
        bool is_ours = verdict == MATCH_YES || verdict == MATCH_OTHER_CASE;
        must(is_ours <= question_equal(&other, &message.question));
    }
    return 0;
}
