/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/capture_packet.h"
#include "doctor/capture_stream.h"

/* Segments of a known text, in any order: the text comes out, once. */

static const char whole[] = "abcdefghijklmnopqrstuvwxyz";

struct heard {
    char text[128]; /* A dash for what is missing. */
    size_t len;
};

static void take(void *context, const uint8_t *bytes, uint32_t len, uint32_t missing)
{
    struct heard *heard = context;
    assert_true(heard->len + len + missing < sizeof heard->text);
    if (len > 0) {
        memcpy(heard->text + heard->len, bytes, len);
    }
    memset(heard->text + heard->len + len, '-', missing);
    heard->len += len + missing;
}

/* Sequence numbers wrap in the middle. */
#define BASE 0xfffffff8u

static enum capture_arrival add(
    struct capture_stream *stream, struct heard *heard, uint32_t from, uint32_t len, uint32_t kept)
{
    const struct capture_sink sink = {take, heard};
    const struct capture_segment segment = {
        .sequence = BASE + from,
        .bytes = (const uint8_t *)whole + (from % 26),
        .len = kept,
        .wire_len = len,
    };
    return capture_stream_add(stream, &segment, &sink);
}

static void test_order(void **state)
{
    struct capture_stream stream = {0};
    struct heard heard = {0};
    (void)state;
    capture_stream_start(&stream, BASE);
    assert_int_equal(add(&stream, &heard, 0, 4, 4), CAPTURE_NEW);
    assert_int_equal(add(&stream, &heard, 8, 4, 4), CAPTURE_EARLY);
    assert_int_equal(add(&stream, &heard, 8, 4, 4), CAPTURE_REPEATED);
    assert_int_equal(add(&stream, &heard, 12, 4, 4), CAPTURE_EARLY);
    assert_int_equal(add(&stream, &heard, 0, 4, 4), CAPTURE_REPEATED);
    assert_int_equal(add(&stream, &heard, 2, 8, 8), CAPTURE_NEW);
    assert_string_equal(heard.text, "abcdefghijklmnop");
    assert_int_equal(add(&stream, &heard, 16, 0, 0), CAPTURE_EMPTY);
    assert_int_equal(add(&stream, &heard, 15, 0, 0), CAPTURE_KEEPALIVE);
    assert_int_equal(add(&stream, &heard, 15, 1, 1), CAPTURE_KEEPALIVE);
    assert_int_equal(add(&stream, &heard, 0x50000000u, 1, 1), CAPTURE_STRAY);
}

static void test_missing(void **state)
{
    struct capture_stream stream = {0};
    struct heard heard = {0};
    const struct capture_sink sink = {take, &heard};
    (void)state;
    capture_stream_start(&stream, BASE);
    (void)add(&stream, &heard, 0, 6, 2);
    assert_string_equal(heard.text, "ab----");
    /* What is confirmed and not here was not captured. */
    (void)add(&stream, &heard, 10, 2, 2);
    assert_true(!capture_stream_is_unacked(&stream));
    capture_stream_acked(&stream, BASE + 8, &sink);
    assert_string_equal(heard.text, "ab------");
    assert_true(capture_stream_is_unacked(&stream));
    capture_stream_acked(&stream, BASE + 14, &sink);
    assert_string_equal(heard.text, "ab--------kl--");
    assert_false(capture_stream_is_unacked(&stream));
    assert_int_equal(add(&stream, &heard, 6, 4, 4), CAPTURE_REPEATED);
    /* A confirmation of a FIN is no byte; nonsense is ignored. */
    stream.has_ended = true;
    capture_stream_acked(&stream, BASE + 15, &sink);
    capture_stream_acked(&stream, BASE + 0x60000000u, &sink);
    assert_int_equal(heard.len, 14);
}

/* More early segments than are kept: the hole is given up. */
static void test_too_many(void **state)
{
    struct capture_stream stream = {0};
    struct heard heard = {0};
    (void)state;
    capture_stream_start(&stream, BASE);
    for (uint32_t i = 0; i < STREAM_PIECES; i++) {
        assert_int_equal(add(&stream, &heard, 2 + 2 * i, 2, 2), CAPTURE_EARLY);
    }
    assert_int_equal(heard.len, 0);
    (void)add(&stream, &heard, 2 + 2 * STREAM_PIECES, 2, 2);
    assert_string_equal(heard.text, "--cdefghijklmnopqrst");
    assert_int_equal(add(&stream, &heard, 0, 2, 2), CAPTURE_REPEATED);
}

/* In the middle of a connection the first segment is the beginning. */
static void test_middle(void **state)
{
    struct capture_stream stream = {0};
    struct heard heard = {0};
    (void)state;
    assert_int_equal(add(&stream, &heard, 5, 3, 3), CAPTURE_NEW);
    assert_string_equal(heard.text, "fgh");
    assert_int_equal(add(&stream, &heard, 2, 3, 3), CAPTURE_REPEATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
