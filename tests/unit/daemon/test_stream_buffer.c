/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/stream_buffer.h"

static void receive(struct stream_buffer *buffer, const void *bytes, size_t len)
{
    size_t room_len = 0;
    uint8_t *room = stream_buffer_room(buffer, &room_len);
    assert_in_range(len, 1, room_len);
    memcpy(room, bytes, len);
    stream_buffer_filled(buffer, len);
}

static void expect_message(struct stream_buffer *buffer, const void *bytes, size_t len)
{
    const uint8_t *message = NULL;
    size_t message_len = 0;
    assert_int_equal(stream_buffer_take(buffer, &message, &message_len), STREAM_BUFFER_MESSAGE);
    assert_int_equal(message_len, len);
    if (len > 0) {
        assert_memory_equal(message, bytes, len);
    }
}

static void expect_verdict(struct stream_buffer *buffer, enum stream_buffer_verdict verdict)
{
    const uint8_t *message = NULL;
    size_t len = 0;
    assert_int_equal(stream_buffer_take(buffer, &message, &len), verdict);
    assert_null(message);
}

static void test_takes_byte_by_byte(void **state)
{
    (void)state;
    struct stream_buffer buffer;
    assert_true(stream_buffer_init(&buffer, 16));
    const char *frame = "\0\3abc";
    expect_verdict(&buffer, STREAM_BUFFER_PARTIAL);
    for (size_t i = 0; i < 4; i++) {
        receive(&buffer, frame + i, 1);
        expect_verdict(&buffer, STREAM_BUFFER_PARTIAL);
    }
    receive(&buffer, frame + 4, 1);
    expect_message(&buffer, "abc", 3);
    expect_verdict(&buffer, STREAM_BUFFER_PARTIAL);
    assert_int_equal(stream_buffer_len(&buffer), 0);
    stream_buffer_fini(&buffer);
}

static void test_takes_several_and_a_part(void **state)
{
    (void)state;
    struct stream_buffer buffer;
    assert_true(stream_buffer_init(&buffer, 16));
    receive(&buffer, "\0\1a\0\0\0\2bc\0\4d", 12);
    expect_message(&buffer, "a", 1);
    expect_message(&buffer, "", 0);
    expect_message(&buffer, "bc", 2);
    expect_verdict(&buffer, STREAM_BUFFER_PARTIAL);
    receive(&buffer, "efg", 3);
    expect_message(&buffer, "defg", 4);
    stream_buffer_fini(&buffer);
}

static void test_refuses_what_never_fits(void **state)
{
    (void)state;
    struct stream_buffer buffer;
    assert_true(stream_buffer_init(&buffer, 16));
    receive(&buffer, "\0\17", 2);
    expect_verdict(&buffer, STREAM_BUFFER_TOO_LONG);
    stream_buffer_fini(&buffer);
}

/* Whatever the sizes of the pieces, room is never empty while a message is partial. */
static void test_room_never_ends(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 16; piece++) {
        struct stream_buffer buffer;
        assert_true(stream_buffer_init(&buffer, 16));
        uint8_t stream[16 * 100];
        for (size_t i = 0; i < sizeof(stream); i++) {
            stream[i] = (uint8_t)(i % 16 == 0 ? 0 : i % 16 == 1 ? 14 : i);
        }
        size_t sent = 0;
        size_t messages = 0;
        while (messages < 100) {
            size_t room_len = 0;
            uint8_t *room = stream_buffer_room(&buffer, &room_len);
            assert_in_range(room_len, 1, 16);
            size_t len = room_len < piece ? room_len : piece;
            len = len < sizeof(stream) - sent ? len : sizeof(stream) - sent;
            memcpy(room, stream + sent, len);
            stream_buffer_filled(&buffer, len);
            sent += len;
            const uint8_t *message = NULL;
            size_t message_len = 0;
            while (stream_buffer_take(&buffer, &message, &message_len) == STREAM_BUFFER_MESSAGE) {
                assert_int_equal(message_len, 14);
                assert_memory_equal(message, stream + messages * 16 + 2, 14);
                messages++;
            }
        }
        assert_int_equal(stream_buffer_len(&buffer), 0);
        stream_buffer_fini(&buffer);
    }
}

static void test_whole_size_takes_the_longest(void **state)
{
    (void)state;
    struct stream_buffer buffer;
    assert_true(stream_buffer_init(&buffer, STREAM_BUFFER_SIZE_WHOLE));
    uint8_t *message = calloc(1, STREAM_BUFFER_MESSAGE_MAX + 1);
    assert_non_null(message);
    message[STREAM_BUFFER_MESSAGE_MAX - 1] = 7;
    assert_false(stream_buffer_fits(&buffer, STREAM_BUFFER_MESSAGE_MAX + 1));
    assert_false(stream_buffer_push(&buffer, message, STREAM_BUFFER_MESSAGE_MAX + 1));
    assert_true(stream_buffer_push(&buffer, message, STREAM_BUFFER_MESSAGE_MAX));
    assert_false(stream_buffer_fits(&buffer, 0));
    expect_message(&buffer, message, STREAM_BUFFER_MESSAGE_MAX);
    free(message);
    stream_buffer_fini(&buffer);
}

static void test_push_and_consume(void **state)
{
    (void)state;
    struct stream_buffer buffer;
    assert_true(stream_buffer_init(&buffer, 10));
    assert_true(stream_buffer_push(&buffer, (const uint8_t *)"abc", 3));
    assert_true(stream_buffer_push(&buffer, (const uint8_t *)"de", 2));
    assert_false(stream_buffer_fits(&buffer, 0));
    assert_false(stream_buffer_push(&buffer, (const uint8_t *)"f", 1));
    size_t len = 0;
    assert_memory_equal(stream_buffer_pending(&buffer, &len), "\0\3abc\0\2de", 9);
    assert_int_equal(len, 9);
    stream_buffer_consume(&buffer, 4);
    assert_memory_equal(stream_buffer_pending(&buffer, &len), "c\0\2de", 5);
    assert_int_equal(len, 5);
    /* Room that opened at the front is used. */
    assert_true(stream_buffer_push(&buffer, (const uint8_t *)"ghi", 3));
    assert_memory_equal(stream_buffer_pending(&buffer, &len), "c\0\2de\0\3ghi", 10);
    stream_buffer_consume(&buffer, 10);
    (void)stream_buffer_pending(&buffer, &len);
    assert_int_equal(len, 0);
    stream_buffer_fini(&buffer);
}

static void test_fini_is_harmless(void **state)
{
    (void)state;
    struct stream_buffer buffer = {0};
    stream_buffer_fini(&buffer);
    stream_buffer_fini(NULL);
    assert_null(buffer.bytes);
    assert_false(stream_buffer_fits(&buffer, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_byte_by_byte),
        cmocka_unit_test(test_takes_several_and_a_part),
        cmocka_unit_test(test_refuses_what_never_fits),
        cmocka_unit_test(test_room_never_ends),
        cmocka_unit_test(test_whole_size_takes_the_longest),
        cmocka_unit_test(test_push_and_consume),
        cmocka_unit_test(test_fini_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
