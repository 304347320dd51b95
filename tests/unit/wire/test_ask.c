/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "wire/ask.h"
#include "wire/message.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
