/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/dnstap_frame.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"

/* The wire types of protocol buffers. */
enum wire_type {
    WIRE_VARINT = 0,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

/* message Dnstap. */
enum frame_field {
    FRAME_IDENTITY = 1,
    FRAME_VERSION = 2,
    FRAME_MESSAGE = 14,
    FRAME_TYPE = 15,
};
#define FRAME_TYPE_MESSAGE 1

/* message Message. */
enum message_field {
    MESSAGE_TYPE = 1,
    MESSAGE_FAMILY = 2,
    MESSAGE_PROTOCOL = 3,
    MESSAGE_QUERY_ADDRESS = 4,
    MESSAGE_QUERY_PORT = 6,
    MESSAGE_QUERY_SECONDS = 8,
    MESSAGE_QUERY_NANOSECONDS = 9,
    MESSAGE_QUERY_BYTES = 10,
    MESSAGE_RESPONSE_SECONDS = 12,
    MESSAGE_RESPONSE_NANOSECONDS = 13,
    MESSAGE_RESPONSE_BYTES = 14,
};
#define FAMILY_IPV4  1
#define FAMILY_IPV6  2
#define PROTOCOL_UDP 1
#define PROTOCOL_TCP 2

/* Seven fields of at most 16 bytes and their tags. */
#define MESSAGE_HEAD_SIZE 96

struct output {
    uint8_t *bytes;
    size_t len;
};

static void output_varint(struct output *output, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        output->bytes[output->len++] = (uint8_t)(value | 0x80);
    }
    output->bytes[output->len++] = (uint8_t)value;
}

static void output_tag(struct output *output, unsigned field, enum wire_type wire_type)
{
    output_varint(output, field << 3 | (unsigned)wire_type);
}

static void output_number(struct output *output, unsigned field, uint64_t value)
{
    output_tag(output, field, WIRE_VARINT);
    output_varint(output, value);
}

static void output_fixed32(struct output *output, unsigned field, uint32_t value)
{
    output_tag(output, field, WIRE_FIXED32);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        output->bytes[output->len++] = (uint8_t)(value >> shift);
    }
}

static void output_bytes(struct output *output, unsigned field, const void *bytes, size_t len)
{
    output_tag(output, field, WIRE_BYTES);
    output_varint(output, len);
    memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
}

static void output_time(
    struct output *output, unsigned seconds_field, unsigned nanoseconds_field, int64_t at_us)
{
    output_number(output, seconds_field, (uint64_t)(at_us / CLOCK_US_PER_S));
    output_fixed32(output, nanoseconds_field, (uint32_t)(at_us % CLOCK_US_PER_S * 1000));
}

static unsigned varint_size(uint64_t value)
{
    unsigned size = 1;
    for (; value >= 0x80; value >>= 7) {
        size++;
    }
    return size;
}

/* All of the inner message but the DNS message, which comes last. */
static void message_write_head(const struct dnstap_frame *frame, struct output *output)
{
    bool is_ipv6 = frame->client->family == ADDRESS_IPV6;
    output_number(output, MESSAGE_TYPE, (uint64_t)frame->type);
    output_number(output, MESSAGE_FAMILY, is_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4);
    output_number(output, MESSAGE_PROTOCOL, frame->is_stream ? PROTOCOL_TCP : PROTOCOL_UDP);
    output_bytes(output, MESSAGE_QUERY_ADDRESS, frame->client->bytes, is_ipv6 ? 16 : 4);
    output_number(output, MESSAGE_QUERY_PORT, frame->client->port);
    output_time(output, MESSAGE_QUERY_SECONDS, MESSAGE_QUERY_NANOSECONDS, frame->asked_us);
    if (frame->type == DNSTAP_CLIENT_RESPONSE) {
        output_time(
            output, MESSAGE_RESPONSE_SECONDS, MESSAGE_RESPONSE_NANOSECONDS, frame->answered_us);
    }
}

size_t dnstap_frame_size_max(const struct dnstap_frame *frame)
{
    return DNSTAP_FRAME_HEAD + frame->message_len;
}

size_t dnstap_frame_write(const struct dnstap_frame *frame, uint8_t *bytes_out)
{
    uint8_t head_bytes[MESSAGE_HEAD_SIZE];
    struct output head = {.bytes = head_bytes};
    struct output output = {.bytes = bytes_out};
    unsigned field =
        frame->type == DNSTAP_CLIENT_QUERY ? MESSAGE_QUERY_BYTES : MESSAGE_RESPONSE_BYTES;
    must(strlen(frame->identity) < 256 && strlen(frame->version) < 256);
    message_write_head(frame, &head);
    must(head.len <= sizeof head_bytes);
    size_t len = head.len + 1 + varint_size(frame->message_len) + frame->message_len;

    output_bytes(&output, FRAME_IDENTITY, frame->identity, strlen(frame->identity));
    output_bytes(&output, FRAME_VERSION, frame->version, strlen(frame->version));
    output_number(&output, FRAME_TYPE, FRAME_TYPE_MESSAGE);
    output_tag(&output, FRAME_MESSAGE, WIRE_BYTES);
    output_varint(&output, len);
    memcpy(output.bytes + output.len, head.bytes, head.len);
    output.len += head.len;
    output_bytes(&output, field, frame->message, frame->message_len);
    must(output.len <= dnstap_frame_size_max(frame));
    return output.len;
}
