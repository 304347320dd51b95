/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/compress.h"
#include "wire/header.h"

#include "packet.h"

static void compress_text(struct compress *compress, struct writer *writer, const char *text)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = packet_name(text, name);
    compress_write(compress, writer, name, len);
}

static void test_bytes(void **state)
{
    static const char expected[] = "\0\0\0\0\0\0\0\0\0\0\0\0" /* The header. */
                                   "\7example\3com\0"         /* At 12. */
                                   "\xc0\14"                  /* The same. */
                                   "\2mx\xc0\14"              /* At 27. */
                                   "\3net\0"                  /* At 32. */
                                   "\xc0\24"                  /* com. */
                                   "\1a\xc0\33"               /* a.mx.example.com. */
                                   "\0"                       /* The root. */
                                   "\xc0\33";                 /* MX.example.com. */
    static const char *const names[] = {"example.com.", "EXAMPLE.com.", "mx.example.com.", "net.",
        "com.", "a.mx.example.com.", ".", "MX.example.com."};
    static struct compress compress;
    uint8_t bytes[128] = {0};
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    compress_init(&compress);
    writer_take(&writer, HEADER_SIZE);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        compress_text(&compress, &writer, names[i]);
    }
    assert_false(writer.is_cut);
    assert_int_equal(writer.len, sizeof(expected) - 1);
    assert_memory_equal(bytes, expected, writer.len);
}

/* Names that grow label by label: each reads back, and none needs many pointers. */
static void test_depth(void **state)
{
    static struct compress compress;
    static uint8_t bytes[20000];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    uint8_t name[NAME_SIZE_MAX] = {0};
    (void)state;
    compress_init(&compress);
    writer_take(&writer, HEADER_SIZE);
    for (size_t labels = 1; labels <= NAME_LABELS_MAX; labels++) {
        size_t len = 2 * labels + 1;
        uint8_t back[NAME_SIZE_MAX];
        size_t back_len = 0;
        memmove(name + 2, name, len - 2);
        name[0] = 1;
        name[1] = (uint8_t)('a' + labels % 26);
        size_t at = writer.len;
        compress_write(&compress, &writer, name, len);
        struct reader reader = reader_of(bytes, writer.len);
        reader.at = at;
        reader.hops_left = COMPRESS_DEPTH_MAX;
        assert_true(name_read(&reader, back, &back_len));
        assert_true(name_equal(name, len, back, back_len));
        assert_int_equal(reader.at, writer.len);
    }
    assert_false(writer.is_cut);
}

/* More names than the table holds, and past the reach of a pointer: all read back. */
static void test_full_table(void **state)
{
    static struct compress compress;
    static uint8_t bytes[65535];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    compress_init(&compress);
    writer_take(&writer, HEADER_SIZE);
    for (unsigned i = 0; i < 2000; i++) {
        char text[64];
        uint8_t back[NAME_SIZE_MAX];
        size_t back_len = 0;
        snprintf(text, sizeof(text), "host%u.sub%u.example.com.", i, i % 700);
        size_t at = writer.len;
        compress_text(&compress, &writer, text);
        struct reader reader = reader_of(bytes, writer.len);
        reader.at = at;
        assert_true(name_read(&reader, back, &back_len));
        char back_text[NAME_TEXT_SIZE];
        name_to_text(back, back_len, back_text, sizeof(back_text));
        assert_string_equal(back_text, text);
    }
    assert_false(writer.is_cut);
}

/* A pointer has fourteen bits: what stands further out is never pointed at. */
static void test_reach(void **state)
{
    static struct compress compress;
    static uint8_t bytes[0x4000 + 64];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    compress_init(&compress);
    writer_take(&writer, 0x3ffe);
    compress_text(&compress, &writer, "a.b.");
    compress_text(&compress, &writer, "c.b.");
    compress_text(&compress, &writer, "d.a.b.");
    assert_memory_equal(bytes + 0x3ffe, "\1a\1b\0\1c\1b\0\1d\xff\xfe", 14);
    assert_int_equal(writer.len, 0x3ffe + 14);
}

static void test_work_cap(void **state)
{
    static struct compress compress;
    uint8_t bytes[64] = {0};
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    compress_init(&compress);
    writer_take(&writer, HEADER_SIZE);
    compress_text(&compress, &writer, "a.b.");
    compress.work = COMPRESS_WORK_MAX;
    compress_text(&compress, &writer, "a.b.");
    assert_memory_equal(bytes + HEADER_SIZE, "\1a\1b\0\1a\1b\0", 10);
}

static void test_no_room(void **state)
{
    static struct compress compress;
    uint8_t bytes[16] = {0};
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    compress_init(&compress);
    writer_take(&writer, HEADER_SIZE);
    compress_text(&compress, &writer, "example.");
    assert_true(writer.is_cut);
    writer.is_cut = false;
    compress_text(&compress, &writer, "x.");
    assert_false(writer.is_cut);
    assert_memory_equal(bytes + HEADER_SIZE, "\1x\0", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_work_cap),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
