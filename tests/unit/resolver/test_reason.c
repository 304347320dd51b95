/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/header.h"
#include "wire/question.h"
#include "wire/types.h"
#include "resolver/reason.h"

#define NO_OPT (-2)

/* SERVFAIL with that extended error; EDE_NONE: with an OPT record only. */
static size_t reply_of(int ede, uint8_t bytes[512])
{
    const uint16_t counts[4] = {1, 0, 0, ede == NO_OPT ? 0 : 1};
    const struct question question = {
        .name = "\004corp\007example", .name_len = 14, .type = TYPE_A, .class = CLASS_IN};
    struct writer writer = writer_of(bytes, 512);
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &question);
    if (ede != NO_OPT) {
        edns_write(&writer,
            &(struct edns_reply){.udp_size = 1232, .rcode = RCODE_SERVFAIL, .ede = (enum ede)ede});
    }
    header_set_id(bytes, 1);
    header_set_flags(bytes, HEADER_QR | HEADER_RA | RCODE_SERVFAIL);
    header_set_counts(bytes, counts);
    return writer.len;
}

static void what_a_server_says_of_the_reason_counts_most(void **state)
{
    static const struct {
        enum ede before;
        enum ede found;
        int said;
        enum ede wanted;
    } cases[] = {
        {EDE_NO_REACHABLE_AUTHORITY, EDE_OTHER, NO_OPT, EDE_OTHER},
        {EDE_NO_REACHABLE_AUTHORITY, EDE_OTHER, EDE_NONE, EDE_OTHER},
        {EDE_NO_REACHABLE_AUTHORITY, EDE_OTHER, EDE_BOGUS, EDE_BOGUS},
        {EDE_NO_REACHABLE_AUTHORITY, EDE_PROHIBITED, EDE_BLOCKED, EDE_BLOCKED},
        {EDE_BOGUS, EDE_OTHER, NO_OPT, EDE_BOGUS},
        {EDE_BOGUS, EDE_OTHER, EDE_SIGNATURE_EXPIRED, EDE_SIGNATURE_EXPIRED},
        {EDE_BOGUS, EDE_OTHER, EDE_STALE_ANSWER, EDE_BOGUS},
        /* What a server says of its own troubles is not handed on: it would look like ours. */
        {EDE_OTHER, EDE_OTHER, EDE_NO_REACHABLE_AUTHORITY, EDE_OTHER},
        {EDE_OTHER, EDE_OTHER, EDE_CACHED_ERROR, EDE_OTHER},
        {EDE_OTHER, EDE_PROHIBITED, 49152, EDE_PROHIBITED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[512];
        size_t len = reply_of(cases[i].said, bytes);
        enum ede ede = reason_after(cases[i].before, cases[i].found, bytes, len);
        assert_int_equal(ede, cases[i].wanted);
    }
}

static void an_unreadable_reply_says_nothing(void **state)
{
    uint8_t bytes[512];
    (void)state;
    size_t len = reply_of(EDE_BOGUS, bytes);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(EDE_NETWORK_ERROR, reason_after(EDE_OTHER, EDE_NETWORK_ERROR, bytes, cut));
    }
    assert_int_equal(EDE_BOGUS, reason_after(EDE_OTHER, EDE_NETWORK_ERROR, bytes, len));
}

static void each_reason_has_its_words(void **state)
{
    static const struct {
        int ede;
        const char *now;
        enum ede later_ede;
        const char *later;
    } cases[] = {
        {EDE_OTHER, "failed on this", EDE_CACHED_ERROR, "failed on this question a moment ago"},
        {EDE_PROHIBITED, "refuses", EDE_CACHED_ERROR, "refused this question a moment ago"},
        {EDE_NO_REACHABLE_AUTHORITY, "no upstream", EDE_CACHED_ERROR, "a moment ago"},
        {EDE_NETWORK_ERROR, "connections broke", EDE_CACHED_ERROR, "a moment ago"},
        {EDE_BOGUS, "DNSSEC is bogus", EDE_BOGUS, "DNSSEC is bogus"},
        {EDE_NSEC_MISSING, "without proof", EDE_NSEC_MISSING, "without proof"},
        {EDE_FILTERED, "filter", EDE_FILTERED, "filter"},
        {EDE_STALE_ANSWER, NULL, EDE_CACHED_ERROR, "upstream failed a moment ago"},
        {65535, NULL, EDE_CACHED_ERROR, "upstream failed a moment ago"},
        {-1, NULL, EDE_CACHED_ERROR, "upstream failed a moment ago"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *now = reason_sentence((enum ede)cases[i].ede);
        if (cases[i].now == NULL) {
            assert_null(now);
        } else {
            assert_non_null(strstr(now, cases[i].now));
            assert_in_range(strlen(now), 1, 160);
        }
        assert_int_equal(reason_later(cases[i].ede), cases[i].later_ede);
        assert_non_null(strstr(reason_sentence_later(cases[i].ede), cases[i].later));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_says_of_the_reason_counts_most),
        cmocka_unit_test(an_unreadable_reply_says_nothing),
        cmocka_unit_test(each_reason_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
