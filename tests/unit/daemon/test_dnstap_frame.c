/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/dnstap_frame.h"

/* A reader of protocol buffers, written apart from the writer: by the wire format alone. */
struct field {
    uint64_t number;
    uint64_t value; /* Or the length of `bytes`. */
    const uint8_t *bytes;
};

struct input {
    const uint8_t *bytes;
    size_t len;
    size_t at;
};

static uint64_t read_varint(struct input *input)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        assert_true(input->at < input->len);
        uint8_t byte = input->bytes[input->at++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    fail_msg("a varint without an end");
    return 0;
}

static bool read_field(struct input *input, struct field *field_out)
{
    if (input->at == input->len) {
        return false;
    }
    uint64_t tag = read_varint(input);
    *field_out = (struct field){.number = tag >> 3};
    if ((tag & 7) == 5) {
        assert_true(input->len - input->at >= 4);
        for (unsigned i = 0; i < 4; i++) {
            field_out->value |= (uint64_t)input->bytes[input->at++] << (8 * i);
        }
        return true;
    }
    assert_true((tag & 7) == 0 || (tag & 7) == 2);
    field_out->value = read_varint(input);
    if ((tag & 7) == 2) {
        assert_true(field_out->value <= input->len - input->at);
        field_out->bytes = input->bytes + input->at;
        input->at += field_out->value;
    }
    return true;
}

/* The field with that number, which is there once. */
static struct field find(const uint8_t *bytes, size_t len, uint64_t number)
{
    struct input input = {.bytes = bytes, .len = len};
    struct field found = {.number = 0};
    struct field field;
    while (read_field(&input, &field)) {
        if (field.number == number) {
            assert_int_equal(found.number, 0);
            found = field;
        }
    }
    return found;
}

static void frames_read_back(void **state)
{
    static const struct {
        enum dnstap_type type;
        struct address client;
        bool is_stream;
        size_t message_len;
        uint64_t family;
        size_t address_len;
    } cases[] = {
        {DNSTAP_CLIENT_QUERY, {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 1}, .port = 53}, false,
            12, 1, 4},
        {DNSTAP_CLIENT_RESPONSE, {.family = ADDRESS_IPV4, .bytes = {10}, .port = 65535}, true, 127,
            1, 4},
        {DNSTAP_CLIENT_RESPONSE, {.family = ADDRESS_IPV6, .bytes = {0x20, 1}, .port = 1}, false,
            128, 2, 16},
        {DNSTAP_CLIENT_RESPONSE, {.family = ADDRESS_IPV6, .port = 0}, true, 65535, 2, 16},
        {DNSTAP_CLIENT_QUERY, {.family = ADDRESS_IPV6, .port = 9}, true, 0, 2, 16},
    };
    uint8_t *message = calloc(1, 65536);
    (void)state;
    assert_non_null(message);
    memset(message, 0xa5, 65536);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct dnstap_frame frame = {
            .type = cases[i].type,
            .client = &cases[i].client,
            .is_stream = cases[i].is_stream,
            .asked_us = INT64_C(1769843700123456),
            .answered_us = INT64_C(1769843700999999),
            .message = message,
            .message_len = cases[i].message_len,
            .identity = "mail.example.com",
            .version = "mxcache 1.2.3",
        };
        uint8_t *bytes = malloc(dnstap_frame_size_max(&frame));
        assert_non_null(bytes);
        size_t len = dnstap_frame_write(&frame, bytes);
        assert_memory_equal(find(bytes, len, 1).bytes, "mail.example.com", 16);
        assert_memory_equal(find(bytes, len, 2).bytes, "mxcache 1.2.3", 13);
        assert_int_equal(find(bytes, len, 15).value, 1);
        struct field inner = find(bytes, len, 14);
        assert_non_null(inner.bytes);
        bool is_query = cases[i].type == DNSTAP_CLIENT_QUERY;
        assert_int_equal(find(inner.bytes, inner.value, 1).value, cases[i].type);
        assert_int_equal(find(inner.bytes, inner.value, 2).value, cases[i].family);
        assert_int_equal(find(inner.bytes, inner.value, 3).value, cases[i].is_stream ? 2 : 1);
        struct field address = find(inner.bytes, inner.value, 4);
        assert_int_equal(address.value, cases[i].address_len);
        assert_memory_equal(address.bytes, cases[i].client.bytes, cases[i].address_len);
        assert_int_equal(find(inner.bytes, inner.value, 6).value, cases[i].client.port);
        assert_int_equal(find(inner.bytes, inner.value, 8).value, 1769843700);
        assert_int_equal(find(inner.bytes, inner.value, 9).value, 123456000);
        assert_int_equal(find(inner.bytes, inner.value, 12).value, is_query ? 0 : 1769843700);
        assert_int_equal(find(inner.bytes, inner.value, 13).value, is_query ? 0 : 999999000);
        struct field dns = find(inner.bytes, inner.value, is_query ? 10 : 14);
        assert_int_equal(dns.value, cases[i].message_len);
        assert_memory_equal(dns.bytes, message, cases[i].message_len);
        assert_int_equal(find(inner.bytes, inner.value, is_query ? 14 : 10).number, 0);
        free(bytes);
    }
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(frames_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
