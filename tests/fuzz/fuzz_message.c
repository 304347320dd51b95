/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a message. What we accept, ldns reads alike; what we refuse leaves the header, and the
 * question if an OPT was met. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "referee.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message_check_question(const uint8_t *data, const struct message *message)
{
    uint8_t bytes[NAME_SIZE_MAX + 4];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    question_write(&writer, &message->question);
    must(!writer.is_cut && HEADER_SIZE + writer.len == message->records_at);
    must(memcmp(bytes, data + HEADER_SIZE, writer.len) == 0);
}

static void message_check_refused(const uint8_t *data, const struct message *message)
{
    must(message->id == header_id(data) && message->flags == header_flags(data));
    must(message->opcode == header_opcode(data));
    must(message->edns.is_present == (message->question.name_len > 0));
    if (message->edns.is_present) {
        message_check_question(data, message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    enum message_verdict verdict = message_read(data, size, &message);
    must((verdict == MESSAGE_SHORT) == (size < HEADER_SIZE));
    if (verdict == MESSAGE_MALFORMED) {
        message_check_refused(data, &message);
    }
    if (verdict == MESSAGE_GOOD) {
        message_check_question(data, &message);
        referee_agrees(&message);
    }
    return 0;
}
