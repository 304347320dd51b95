/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of a question: the line of the query log and the frame of dnstap. Input: bytes for a
 * record, then a name or a message. The line is one line of KEY=VALUE words, each key once and in
 * order, without a blank or a control character in a value; the frame is taken apart again by a
 * reader that knows protocol buffers only, and nothing is lost.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "wire/bytes.h"
#include "wire/name.h"
#include "daemon/dnstap_frame.h"
#include "daemon/query_log.h"
#include "daemon/query_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_SIZE 24

/* ---- The query log ---- */

static struct address address_of(const uint8_t *bytes, bool is_ipv6)
{
    struct address address = {.family = is_ipv6 ? ADDRESS_IPV6 : ADDRESS_IPV4};
    memcpy(address.bytes, bytes, is_ipv6 ? 8 : 4);
    address.port = bytes_get_u16(bytes);
    return address;
}

/* Those of `keys` that are missing are in `absent`, a bit each. */
static void check_line(const char *line, size_t len, unsigned absent)
{
    static const char *const keys[] = {"time=", "client=", "transport=", "name=", "type=", "class=",
        "outcome=", "rcode=", "wait_us=", "upstream="};
    size_t at = 0;
    must(len > 0 && strlen(line) == len && line[len - 1] == '\n');
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if ((absent >> i & 1) != 0) {
            continue;
        }
        must(strncmp(line + at, keys[i], strlen(keys[i])) == 0);
        for (at += strlen(keys[i]); line[at] > ' ' && line[at] < 0x7f; at++) {
        }
        must(line[at] == (at + 1 == len ? '\n' : ' '));
        at++;
    }
    must(at == len);
}

/* name, type and class; upstream. */
#define ABSENT_QUESTION 0x038u
#define ABSENT_UPSTREAM 0x200u

static void check_query_log(const uint8_t *head, const uint8_t *bytes, size_t len)
{
    char line[QUERY_LOG_LINE_SIZE];
    struct text text;
    struct query_record record = {
        .waited_us = bytes_get_u32(head),
        .client = address_of(head + 4, (head[1] & 1) != 0),
        .type = bytes_get_u16(head + 12),
        .rcode = bytes_get_u16(head + 14) & 0xfff,
        .class = head[16] % QUESTION_CLASSES,
        .outcome = head[17] % OUTCOMES,
        .has_question = (head[18] & 1) != 0,
        .is_stream = (head[18] & 2) != 0,
    };
    struct reader reader = reader_of(bytes, len);
    uint8_t name[NAME_SIZE_MAX];
    size_t name_len;
    if (!name_read_plain(&reader, name, &name_len)) {
        return;
    }
    redact_keep(&(struct redact_case){.shows_subject = true}, name, name_len, &record.name);
    if ((head[18] & 4) != 0) {
        record.upstream = address_of(head + 4, (head[18] & 8) != 0);
    }
    text_init(&text, line, sizeof line);
    query_log_line(
        &record, (int64_t)bytes_get_u32(head + 8) * 1000003, (head[18] & 16) != 0, &text);
    must(!text.is_cut);
    check_line(line, text.len,
        (record.has_question ? 0 : ABSENT_QUESTION) |
            (record.upstream.family != ADDRESS_NONE ? 0 : ABSENT_UPSTREAM));
}

/* ---- dnstap ---- */

/* Field numbers of dnstap.proto, as published. */
enum field {
    DNSTAP_IDENTITY = 1,
    DNSTAP_VERSION = 2,
    DNSTAP_MESSAGE = 14,
    DNSTAP_TYPE = 15,
    MESSAGE_QUERY_MESSAGE = 10,
    MESSAGE_RESPONSE_MESSAGE = 14,
};

struct piece {
    unsigned field;
    uint64_t number; /* Of a varint or fixed32. */
    const uint8_t *bytes;
    size_t len;
};

static uint64_t varint_read(struct reader *reader)
{
    uint64_t value = 0;
    uint8_t byte;
    unsigned shift = 0;
    do {
        must(shift < 64 && reader_u8(reader, &byte));
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0);
    return value;
}

static bool piece_read(struct reader *reader, struct piece *piece_out)
{
    if (reader_left(reader) == 0) {
        return false;
    }
    uint64_t tag = varint_read(reader);
    *piece_out = (struct piece){.field = (unsigned)(tag >> 3)};
    switch (tag & 7) {
    case 0:
        piece_out->number = varint_read(reader);
        return true;
    case 2:
        piece_out->len = varint_read(reader);
        piece_out->bytes = reader->bytes + reader->at;
        must(reader_skip(reader, piece_out->len));
        return true;
    case 5:
        must(reader_skip(reader, 4));
        return true;
    default:
        must_never("a wire type of a frame");
    }
}

static void check_message(
    const struct dnstap_frame *frame, const struct piece *message, unsigned field)
{
    struct reader reader = reader_of(message->bytes, message->len);
    struct piece piece;
    unsigned last = 0;
    bool is_found = false;
    while (piece_read(&reader, &piece)) {
        must(piece.field > last);
        last = piece.field;
        if (piece.field == field) {
            must(piece.len == frame->message_len);
            must(memcmp(piece.bytes, frame->message, piece.len) == 0);
            is_found = true;
        }
    }
    must(is_found);
}

static void check_dnstap(const uint8_t *head, const uint8_t *bytes, size_t len)
{
    struct address client = address_of(head, (head[8] & 1) != 0);
    char identity[16] = {0};
    memcpy(identity, head + 10, 12);
    bool is_response = (head[8] & 2) != 0;
    const struct dnstap_frame frame = {
        .type = is_response ? DNSTAP_CLIENT_RESPONSE : DNSTAP_CLIENT_QUERY,
        .client = &client,
        .is_stream = (head[8] & 4) != 0,
        .asked_us = bytes_get_u32(head) * INT64_C(4000003),
        .answered_us = bytes_get_u32(head + 4) * INT64_C(4000003),
        .message = bytes,
        .message_len = len,
        .identity = identity,
        .version = "fuzzed",
    };
    uint8_t *room = malloc(dnstap_frame_size_max(&frame));
    must(room != NULL);
    struct reader reader = reader_of(room, dnstap_frame_write(&frame, room));
    struct piece piece;
    unsigned seen = 0;
    while (piece_read(&reader, &piece)) {
        seen |= 1u << piece.field;
        if (piece.field == DNSTAP_IDENTITY) {
            must(piece.len == strlen(identity) && memcmp(piece.bytes, identity, piece.len) == 0);
        } else if (piece.field == DNSTAP_MESSAGE) {
            check_message(
                &frame, &piece, is_response ? MESSAGE_RESPONSE_MESSAGE : MESSAGE_QUERY_MESSAGE);
        }
    }
    must(seen ==
         (1u << DNSTAP_IDENTITY | 1u << DNSTAP_VERSION | 1u << DNSTAP_MESSAGE | 1u << DNSTAP_TYPE));
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= HEAD_SIZE) {
        check_query_log(data, data + HEAD_SIZE, size - HEAD_SIZE);
        check_dnstap(data, data + HEAD_SIZE, size - HEAD_SIZE);
    }
    return 0;
}
