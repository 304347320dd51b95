/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "doctor/capture_file.h"
#include "tests/support/capture_scripts.h"

/* Files of packets, and what is none. Where libpcap is not built in, only that is said. */

static bool has_library(void)
{
    return strncmp(capture_file_library(), "libpcap version", 15) == 0;
}

struct shelf {
    char path[64];
    char sentence[512];
};

static void shelf_put(struct shelf *shelf, const void *bytes, size_t len)
{
    (void)snprintf(shelf->path, sizeof shelf->path, "/tmp/mxcache-capture-XXXXXX");
    int fd = mkstemp(shelf->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

static struct capture_file *shelf_open(struct shelf *shelf)
{
    shelf->sentence[0] = '\0';
    struct capture_file *file =
        capture_file_open(shelf->path, shelf->sentence, sizeof shelf->sentence);
    assert_int_equal(unlink(shelf->path), 0);
    return file;
}

static void test_packets(void **state)
{
    (void)state;
    for (int link = 0; link < CAPTURE_LINKS && has_library(); link++) {
        struct script_file script;
        struct script_wire wire = script_wire_plain;
        struct shelf shelf;
        struct capture_packet packet;
        const struct script_case *healthy = script_find("healthy");
        wire.link = (enum capture_link)link;
        wire.snaplen = 70;
        script_file_init(&script, wire.link);
        script_play(healthy->rows, healthy->count, &wire, script_file_add, &script);
        shelf_put(&shelf, script.bytes, script.len - 10);
        free(script.bytes);
        struct capture_file *file = shelf_open(&shelf);
        assert_non_null(file);
        for (size_t i = 0; i + 1 < healthy->count; i++) {
            assert_int_equal(capture_file_next(file, &packet), CAPTURE_FILE_PACKET);
            assert_int_equal(packet.link, link);
            assert_true(packet.len <= 70 && packet.len <= packet.wire_len);
            assert_in_range(packet.at_us, 1760000000000000, 1760000001000000);
        }
        /* The last one is cut off. */
        assert_int_equal(capture_file_next(file, &packet), CAPTURE_FILE_DAMAGED);
        capture_file_free(&file);
        assert_null(file);
    }
}

/* A pcapng file by hand: section, interface, one packet of 60 bytes. */
static void test_pcapng(void **state)
{
    const uint32_t words[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00000001, 0xffffffff, 0xffffffff, 28, 1,
        20, 1, 65535, 20, 6, 92, 0, 0x000640bc, 0x3b0a6400, 60, 60};
    uint8_t bytes[sizeof words + 60 + 4] = {0};
    const uint32_t total = 92;
    struct shelf shelf;
    struct capture_packet packet;
    (void)state;
    if (!has_library()) {
        skip();
    }
    memcpy(bytes, words, sizeof words);
    memcpy(bytes + sizeof words + 60, &total, 4);
    shelf_put(&shelf, bytes, sizeof bytes);
    struct capture_file *file = shelf_open(&shelf);
    assert_non_null(file);
    assert_int_equal(capture_file_next(file, &packet), CAPTURE_FILE_PACKET);
    assert_int_equal(packet.link, CAPTURE_LINK_ETHERNET);
    assert_int_equal(packet.len, 60);
    assert_int_equal(capture_file_next(file, &packet), CAPTURE_FILE_END);
    capture_file_free(&file);
}

static void test_none(void **state)
{
    static const char *const paths[] = {"/", "/dev/null", "/nowhere"};
    struct shelf shelf;
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        shelf.sentence[0] = '\0';
        assert_null(capture_file_open(paths[i], shelf.sentence, sizeof shelf.sentence));
        assert_non_null(strstr(shelf.sentence, paths[i]));
        assert_int_equal(shelf.sentence[strlen(shelf.sentence) - 1], '.');
    }
    shelf_put(&shelf, "GET / HTTP/1.1\r\n\r\nand so on, for longer than a header", 52);
    assert_null(shelf_open(&shelf));
    assert_non_null(strstr(shelf.sentence, has_library() ? "tcpdump -s0" : "without libpcap"));
    shelf_put(&shelf, "", 0);
    assert_null(shelf_open(&shelf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_pcapng),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
