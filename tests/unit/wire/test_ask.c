/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include "wire/ask.h"
#include "wire/message.h"

#include "packet.h"

static const struct question asked = {.name = "\2Mx\2aT", .name_len = 7, .type = 15, .class = 1};

static void test_plain(void **state)
{
    const struct ask_form form = {.id = 0xbeef};
    uint8_t bytes[ASK_SIZE_MAX];
    (void)state;
    size_t len = ask_write(&form, &asked, bytes, sizeof(bytes));
    assert_int_equal(len, 23);
    assert_memory_equal(bytes, "\xbe\xef\1\0\0\1\0\0\0\0\0\0\2Mx\2aT\0\0\17\0\1", 23);
}

/* A name server of the zone is not to ask others for us. */
static void test_final(void **state)
{
    const struct ask_form form = {.id = 0xbeef, .is_final = true};
    uint8_t bytes[ASK_SIZE_MAX];
    (void)state;
    size_t len = ask_write(&form, &asked, bytes, sizeof(bytes));
    assert_int_equal(len, 23);
    assert_memory_equal(bytes, "\xbe\xef\0\0\0\1\0\0\0\0\0\0", 12);
}

static void test_flags(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        const struct ask_form form = {
            .id = 1,
            .wants_ad = (bits & 1) != 0,
            .checking_disabled = (bits & 2) != 0,
            .has_edns = (bits & 4) != 0,
            .wants_dnssec = (bits & 8) != 0,
        };
        uint8_t bytes[ASK_SIZE_MAX];
        struct message message;
        ldns_pkt *pkt = NULL;
        size_t len = ask_write(&form, &asked, bytes, sizeof(bytes));
        assert_int_equal(message_read(bytes, len, &message), MESSAGE_GOOD);
        assert_true(question_equal(&message.question, &asked));
        assert_int_equal(ldns_wire2pkt(&pkt, bytes, len), LDNS_STATUS_OK);
        assert_true(ldns_pkt_rd(pkt));
        assert_false(ldns_pkt_qr(pkt));
        assert_int_equal(ldns_pkt_ad(pkt), form.wants_ad);
        assert_int_equal(ldns_pkt_cd(pkt), form.checking_disabled);
        assert_int_equal(ldns_pkt_edns(pkt), form.has_edns);
        assert_int_equal(ldns_pkt_edns_do(pkt), form.has_edns && form.wants_dnssec);
        assert_int_equal(message.edns.udp_size, form.has_edns ? EDNS_UDP_SIZE : 0);
        ldns_pkt_free(pkt);
    }
}

static void test_too_small(void **state)
{
    const struct ask_form form = {.id = 1, .has_edns = true};
    uint8_t bytes[ASK_SIZE_MAX];
    (void)state;
    size_t len = ask_write(&form, &asked, bytes, sizeof(bytes));
    for (size_t size = 0; size < len; size++) {
        assert_int_equal(ask_write(&form, &asked, bytes, size), 0);
    }
    assert_int_equal(ask_write(&form, &asked, bytes, len), len);
}

/* The longest name still leaves room in ASK_SIZE_MAX. */
static void test_longest(void **state)
{
    const struct ask_form form = {.id = 1, .has_edns = true};
    struct question longest = {.name_len = 255, .type = 16, .class = 1};
    uint8_t bytes[ASK_SIZE_MAX];
    (void)state;
    for (size_t i = 0; i < 127; i++) {
        memcpy(longest.name + 2 * i, "\1x", 2);
    }
    assert_int_equal(ask_write(&form, &longest, bytes, sizeof(bytes)), HEADER_SIZE + 255 + 4 + 11);
}

static void test_cookie(void **state)
{
    static const uint8_t cookie[] = "abcdefghABCDEFGHabcdefghABCDEFGHabcdefgh";
    static const size_t lens[] = {8, 16, 24, 40};
    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct ask_form form = {.id = 1, .has_edns = true, .cookie = cookie, .cookie_len = lens[i]};
        uint8_t bytes[ASK_SIZE_MAX];
        struct message message;
        size_t len = ask_write(&form, &asked, bytes, sizeof(bytes));
        assert_int_equal(len, 23 + 11 + 4 + lens[i]);
        assert_int_equal(message_read(bytes, len, &message), MESSAGE_GOOD);
        assert_int_equal(message.edns.cookie_len, lens[i]);
        assert_memory_equal(message.edns.cookie, cookie, lens[i]);
        for (size_t size = 0; size < len; size++) {
            assert_int_equal(ask_write(&form, &asked, bytes, size), 0);
        }
        /* Without EDNS there is no place for it. */
        form.has_edns = false;
        assert_int_equal(ask_write(&form, &asked, bytes, sizeof(bytes)), 23);
    }
}

/* A question whose message has `len` bytes with an empty OPT record. */
static struct question ask_question_of(size_t len)
{
    struct question question = {.type = 16, .class = 1};
    size_t name_len = len - HEADER_SIZE - 4 - 11;
    size_t at = 0;
    while (name_len - at > 1) {
        size_t label = name_len - at - 2 < 63 ? name_len - at - 2 : 63;
        /* Never a label that would leave no room for the next. */
        label = name_len - at - 2 - label == 1 ? label - 1 : label;
        question.name[at] = (uint8_t)label;
        memset(question.name + at + 1, 'x', label);
        at += label + 1;
    }
    question.name_len = (uint8_t)name_len;
    return question;
}

static void test_padding(void **state)
{
    static const uint8_t cookie[] = "abcdefghABCDEFGHabcdefghABCDEFGHabcdefgh";
    static const struct {
        const char *what;
        size_t len; /* Of the message with an empty OPT record. */
        size_t cookie_len;
        uint16_t pad_to;
        size_t size;
        size_t expected;
    } cases[] = {
        {"a short one", 34, 0, 128, ASK_SIZE_MAX, 128},
        {"with a cookie", 34, 24, 128, ASK_SIZE_MAX, 128},
        {"an empty option fills it", 124, 0, 128, ASK_SIZE_MAX, 128},
        {"a byte too long for that", 125, 0, 128, ASK_SIZE_MAX, 256},
        {"a multiple already, but the option counts too", 128, 0, 128, ASK_SIZE_MAX, 256},
        {"the longest", 282, 40, 128, ASK_SIZE_MAX, 384},
        {"no padding", 34, 0, 0, ASK_SIZE_MAX, 34},
        {"of one byte: only the option", 34, 0, 1, ASK_SIZE_MAX, 38},
        {"an odd multiple", 34, 0, 100, ASK_SIZE_MAX, 100},
        {"never more than the largest question", 34, 0, 1000, 2000, ASK_SIZE_MAX},
        {"the largest multiple", 34, 0, 65535, ASK_SIZE_MAX, ASK_SIZE_MAX},
        {"the room ends before the multiple", 34, 0, 128, 100, 100},
        {"room for the option alone", 34, 0, 128, 38, 38},
        {"no room for the option", 34, 0, 128, 37, 34},
        {"no room for the message", 34, 0, 128, 33, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct question question = ask_question_of(cases[i].len);
        const struct ask_form form = {.id = 1,
            .has_edns = true,
            .cookie = cookie,
            .cookie_len = cases[i].cookie_len,
            .pad_to = cases[i].pad_to};
        uint8_t bytes[2001];
        struct message message;
        memset(bytes, 0xaa, sizeof(bytes));
        size_t len = ask_write(&form, &question, bytes, cases[i].size);
        packet_expect(len == cases[i].expected, cases[i].what);
        assert_int_equal(bytes[cases[i].size], 0xaa);
        if (len == 0) {
            continue;
        }
        assert_int_equal(message_read(bytes, len, &message), MESSAGE_GOOD);
        assert_true(question_equal(&message.question, &question));
        size_t plain = cases[i].len + (cases[i].cookie_len != 0 ? 4 + cases[i].cookie_len : 0);
        for (size_t at = plain + 4; at < len; at++) {
            assert_int_equal(bytes[at], 0);
        }
        if (len > plain) {
            assert_int_equal(bytes_get_u16(bytes + plain), 12);
            assert_int_equal(bytes_get_u16(bytes + plain + 2), len - plain - 4);
        }
    }
}

/* Without EDNS nothing is padded. */
static void test_padding_needs_edns(void **state)
{
    const struct ask_form form = {.id = 1, .pad_to = 128};
    uint8_t bytes[ASK_SIZE_MAX];
    (void)state;
    assert_int_equal(ask_write(&form, &asked, bytes, sizeof(bytes)), 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_final),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_padding_needs_edns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
