/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/judge.h"

/* A question asked, and room to build replies to it. */
struct scene {
    struct sent sent;
    struct question asked;
    uint8_t reply[512];
    size_t len;
};

static struct scene scene_of(unsigned flags)
{
    struct scene scene = {0};
    scene.sent.len = query_of("mail.example.org", TYPE_A, scene.sent.bytes);
    struct reader reader = reader_of(scene.sent.bytes, scene.sent.len);
    reader.at = HEADER_SIZE;
    assert_true(question_read(&reader, &scene.asked));
    scene.len = reply_of(&scene.sent, flags, scene.reply);
    return scene;
}

/* The reply of a name server of the zone. */
static enum judge_verdict judge_scene_direct(const struct scene *scene)
{
    static uint8_t stored[MESSAGE_SIZE_MAX];
    struct normalised normalised;
    struct judge_case judged = {.bytes = scene->reply,
        .len = scene->len,
        .id = 0x1234,
        .asked = &scene->asked,
        .is_direct = true,
        .limits = {0, 86400, 3600}};
    return judge_reply(&judged, stored, &normalised);
}

static enum judge_verdict judge_scene(const struct scene *scene, bool has_edns, bool is_stream)
{
    static uint8_t stored[MESSAGE_SIZE_MAX];
    struct normalised normalised;
    struct judge_case judged = {.bytes = scene->reply,
        .len = scene->len,
        .id = 0x1234,
        .asked = &scene->asked,
        .has_edns = has_edns,
        .is_stream = is_stream,
        .limits = {0, 86400, 3600}};
    return judge_reply(&judged, stored, &normalised);
}

/* What a name server of the zone says, and what somebody says who stands in its place. */
static void test_direct(void **state)
{
    static const uint8_t ns[] = {0xc0, 12, 0, TYPE_NS, 0, CLASS_IN, 0, 0, 1, 44, 0, 2, 0xc0, 12};
    static const uint8_t alias[] = {
        0xc0, 12, 0, TYPE_CNAME, 0, CLASS_IN, 0, 0, 1, 44, 0, 3, 1, 'x', 0};
    static const struct {
        unsigned flags; /* RA among them is to be taken away. */
        bool has_ra;
        uint16_t counts[3];
        const uint8_t *records;
        size_t len;
        enum judge_verdict verdict;
        enum judge_verdict verdict_of_forwarder;
    } cases[] = {
        {0, false, {0, 1, 0}, ns, sizeof ns, JUDGE_REFERRAL, JUDGE_LAME},
        {HEADER_AA | RCODE_NXDOMAIN, false, {0, 0, 0}, ns, 0, JUDGE_NXDOMAIN, JUDGE_NXDOMAIN},
        {RCODE_NXDOMAIN, false, {0, 0, 0}, ns, 0, JUDGE_LAME, JUDGE_NXDOMAIN},
        {HEADER_AA, true, {0, 0, 0}, ns, 0, JUDGE_NODATA, JUDGE_NODATA},
        {0, true, {0, 0, 0}, ns, 0, JUDGE_LAME, JUDGE_NODATA},
        {HEADER_AA, false, {1, 0, 0}, alias, sizeof alias, JUDGE_LAME, JUDGE_NODATA},
        {RCODE_REFUSED, false, {0, 0, 0}, ns, 0, JUDGE_REFUSED, JUDGE_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene = scene_of(0);
        scene.len = reply_with(&scene.sent, cases[i].flags, cases[i].counts, cases[i].records,
            cases[i].len, scene.reply);
        unsigned flags = header_flags(scene.reply) & ~(cases[i].has_ra ? 0u : HEADER_RA);
        header_set_flags(scene.reply, (uint16_t)flags);
        assert_int_equal(judge_scene(&scene, false, false), cases[i].verdict_of_forwarder);
        assert_int_equal(judge_scene_direct(&scene), cases[i].verdict);
    }
    /* An answer without AA is one, unless it comes from somebody who asks others. */
    struct scene scene = scene_of(0);
    assert_int_equal(judge_scene_direct(&scene), JUDGE_LAME);
    header_set_flags(scene.reply, HEADER_QR);
    assert_int_equal(judge_scene_direct(&scene), JUDGE_ANSWER);
}

static void test_rcodes(void **state)
{
    static const struct {
        unsigned flags;
        bool has_edns;
        enum judge_verdict verdict;
    } cases[] = {
        {RCODE_NOERROR, true, JUDGE_ANSWER},
        {RCODE_NXDOMAIN, true, JUDGE_NXDOMAIN},
        {RCODE_SERVFAIL, true, JUDGE_SERVFAIL},
        {RCODE_REFUSED, true, JUDGE_REFUSED},
        {RCODE_FORMERR, true, JUDGE_NO_EDNS},
        {RCODE_NOTIMP, true, JUDGE_NO_EDNS},
        {RCODE_FORMERR, false, JUDGE_SERVFAIL},
        {9, true, JUDGE_SERVFAIL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene = scene_of(cases[i].flags);
        assert_int_equal(judge_scene(&scene, cases[i].has_edns, false), cases[i].verdict);
    }
}

static void test_truncation(void **state)
{
    struct scene scene = scene_of(HEADER_TC);
    (void)state;
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_TRUNCATED);
    /* There is nothing to turn to; "no such record" would be a lie that Postfix acts on. */
    assert_int_equal(judge_scene(&scene, true, true), JUDGE_MALFORMED);
    /* The cut may fall inside a record. */
    scene = scene_of(0);
    header_set_flags(scene.reply, HEADER_QR | HEADER_RA | HEADER_TC);
    scene.len -= 3;
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_TRUNCATED);
}

static void test_strangers(void **state)
{
    struct scene scene = scene_of(0);
    (void)state;
    header_set_id(scene.reply, 0x1235);
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_STRANGER);
    scene = scene_of(0);
    scene.reply[HEADER_SIZE + 1] = 'x';
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_STRANGER);
    scene = scene_of(0);
    header_set_flags(scene.reply, HEADER_RA);
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_STRANGER);
    scene.len = 5;
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_STRANGER);
}

static void test_malformed_and_bare(void **state)
{
    struct scene scene = scene_of(0);
    (void)state;
    scene.len -= 3;
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_MALFORMED);
    scene = scene_of(RCODE_REFUSED);
    bytes_put_u16(scene.reply + 4, 0);
    scene.len = HEADER_SIZE;
    assert_int_equal(judge_scene(&scene, true, false), JUDGE_REFUSED);
}

static void test_other_case(void **state)
{
    static uint8_t stored[MESSAGE_SIZE_MAX];
    struct scene scene = scene_of(0);
    struct normalised normalised;
    struct judge_case judged = {.bytes = scene.reply,
        .len = scene.len,
        .id = 0x1234,
        .asked = &scene.asked,
        .limits = {0, 86400, 3600}};
    (void)state;
    scene.reply[HEADER_SIZE + 1] = 'M';
    assert_int_equal(judge_reply(&judged, stored, &normalised), JUDGE_ANSWER);
    judged.is_spelled = true;
    assert_int_equal(judge_reply(&judged, stored, &normalised), JUDGE_OTHER_CASE);
    scene.reply[HEADER_SIZE + 1] = 'm';
    assert_int_equal(judge_reply(&judged, stored, &normalised), JUDGE_ANSWER);
}

/* Signatures are kept for whoever asked with DO, and for nobody else, whatever the reply says of
 * DO: servers forget to copy it. */
static void test_dnssec_goes_by_the_question(void **state)
{
    static const uint8_t signature[] = "\xc0\x0c\0\x2e\0\1\0\0\1\x2c\0\x20"
                                       "\0\1\x0d\3\0\0\1\x2c\0\0\0\2\0\0\0\1\0\1"
                                       "\7example\3org\0\xaa";
    static const uint8_t opts[2][11] = {
        {0, 0, TYPE_OPT, 0x04, 0xd0, 0, 0, 0x00}, {0, 0, TYPE_OPT, 0x04, 0xd0, 0, 0, 0x80}};
    static uint8_t stored[MESSAGE_SIZE_MAX];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct scene scene = scene_of(0);
        struct normalised normalised;
        const uint16_t counts[4] = {1, 2, 0, 1};
        memcpy(scene.reply + scene.len, signature, sizeof signature - 1);
        scene.len += sizeof signature - 1;
        memcpy(scene.reply + scene.len, opts[i / 2], sizeof opts[0]);
        scene.len += sizeof opts[0];
        header_set_counts(scene.reply, counts);
        struct judge_case judged = {.bytes = scene.reply,
            .len = scene.len,
            .id = 0x1234,
            .asked = &scene.asked,
            .has_edns = true,
            .wants_dnssec = i % 2 != 0,
            .limits = {0, 86400, 3600}};
        assert_int_equal(judge_reply(&judged, stored, &normalised), JUDGE_ANSWER);
        assert_int_equal(header_ancount(stored), judged.wants_dnssec ? 2 : 1);
    }
}

static void test_cookies(void **state)
{
    static const uint8_t client[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        unsigned rcode;
        uint8_t first;
        uint8_t len;
        bool is_expected;
        enum judge_verdict verdict;
    } cases[] = {
        {RCODE_NOERROR, 1, 16, true, JUDGE_ANSWER},
        {RCODE_NOERROR, 1, 8, true, JUDGE_ANSWER},
        {RCODE_NOERROR, 1, 0, false, JUDGE_ANSWER},
        {RCODE_NOERROR, 1, 0, true, JUDGE_NO_COOKIE},
        {RCODE_NOERROR, 9, 16, false, JUDGE_NO_COOKIE},
        {RCODE_REFUSED, 1, 0, true, JUDGE_NO_COOKIE},
        {RCODE_FORMERR, 1, 0, false, JUDGE_NO_EDNS},
        {RCODE_BADCOOKIE, 1, 16, false, JUDGE_BAD_COOKIE},
        {RCODE_BADCOOKIE, 9, 16, false, JUDGE_NO_COOKIE},
    };
    static uint8_t stored[MESSAGE_SIZE_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene = scene_of(cases[i].rcode & 0xf);
        uint8_t sent_back[16] = {cases[i].first, 2, 3, 4, 5, 6, 7, 8, 99};
        struct edns_reply edns = {.udp_size = EDNS_UDP_SIZE,
            .rcode = cases[i].rcode,
            .ede = EDE_NONE,
            .cookie = sent_back,
            .cookie_len = cases[i].len};
        struct writer writer = writer_of(scene.reply, sizeof scene.reply);
        writer.len = scene.len;
        edns_write(&writer, &edns);
        bytes_put_u16(scene.reply + 10, 1);
        struct judge_cookie cookie = {.is_expected = cases[i].is_expected};
        memcpy(cookie.client, client, sizeof client);
        struct normalised normalised;
        struct judge_case judged = {.bytes = scene.reply,
            .len = writer.len,
            .id = 0x1234,
            .asked = &scene.asked,
            .has_edns = true,
            .cookie = &cookie,
            .limits = {0, 86400, 3600}};
        assert_int_equal(judge_reply(&judged, stored, &normalised), cases[i].verdict);
        assert_true(cookie.is_checked);
        assert_int_equal(cookie.received_len, cases[i].len);
    }
}

/* A cookie of 7 bytes is nobody's, whether one was expected or not; what cannot be read has shown
 * none. A forger must not end the wait for the true reply. */
static void test_unreadable_is_without_cookie(void **state)
{
    static uint8_t stored[MESSAGE_SIZE_MAX];
    static const uint8_t cookie_of_7[] = {
        0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 11, 0, 10, 0, 7, 1, 2, 3, 4, 5, 6, 7};
    (void)state;
    for (int is_expected = 0; is_expected < 2; is_expected++) {
        struct scene scene = scene_of(0);
        memcpy(scene.reply + scene.len, cookie_of_7, sizeof cookie_of_7);
        bytes_put_u16(scene.reply + 10, 1);
        struct judge_cookie cookie = {
            .client = {1, 2, 3, 4, 5, 6, 7, 8}, .is_expected = is_expected != 0};
        struct normalised normalised;
        struct judge_case judged = {.bytes = scene.reply,
            .len = scene.len + sizeof cookie_of_7,
            .id = 0x1234,
            .asked = &scene.asked,
            .has_edns = true,
            .cookie = &cookie,
            .limits = {0, 86400, 3600}};
        assert_int_equal(judge_reply(&judged, stored, &normalised), JUDGE_NO_COOKIE);
        judged.len = scene.len + 3; /* Cut within the OPT record. */
        enum judge_verdict wanted = is_expected != 0 ? JUDGE_NO_COOKIE : JUDGE_MALFORMED;
        assert_int_equal(judge_reply(&judged, stored, &normalised), wanted);
        judged.cookie = NULL;
        assert_int_equal(judge_reply(&judged, stored, &normalised), JUDGE_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rcodes), cmocka_unit_test(test_direct),
        cmocka_unit_test(test_truncation), cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_malformed_and_bare), cmocka_unit_test(test_other_case),
        cmocka_unit_test(test_dnssec_goes_by_the_question), cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_unreadable_is_without_cookie)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
