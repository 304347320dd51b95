/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/answer.h"
#include "wire/message.h"
#include "wire/normalise.h"

#include "packet.h"

/* A stored form and the question of a client with a mind of its own about case. */
struct answer_scene {
    uint8_t stored[65535];
    size_t stored_len;
    struct question question;
    uint8_t bytes[65535];
    size_t len;
};

static struct answer_scene scene;

static const struct answer_extra extra_none = {.ttl_cap = UINT32_MAX, .ede = EDE_NONE};

static void scene_store(const struct packet_lines *lines)
{
    static const struct normalise_limits limits = {.ttl_max = 86400, .negative_ttl_max = 3600};
    static struct packet packet;
    struct message message;
    struct normalised normalised;
    packet_make(&packet, lines);
    assert_int_equal(message_read(packet.bytes, packet.len, &message), MESSAGE_GOOD);
    enum normalise_verdict verdict =
        normalise_reply(&message, &limits, scene.stored, sizeof(scene.stored), &normalised);
    assert_true(verdict != NORMALISE_BROKEN && verdict != NORMALISE_REFERRAL);
    scene.stored_len = normalised.len;
    scene.question = message.question;
    for (size_t i = 1; i < scene.question.name_len; i += 2) {
        uint8_t *byte = &scene.question.name[i];
        *byte = (uint8_t)(*byte >= 'a' && *byte <= 'z' ? *byte - 32 : *byte);
    }
}

/* The same comes out when the stored form stands where the answer goes. */
static void scene_check_in_place(const struct answer_form *form, const struct answer_stored *stored)
{
    static uint8_t bytes[sizeof(scene.bytes)];
    struct answer_stored moved = *stored;
    memcpy(bytes, stored->bytes, stored->len);
    moved.bytes = bytes;
    size_t len = answer_from_stored(form, &scene.question, &moved, bytes, sizeof(bytes));
    assert_int_equal(len, scene.len);
    assert_memory_equal(bytes, scene.bytes, len);
}

static void scene_answer(const struct answer_form *form, const struct answer_extra *extra)
{
    memset(scene.bytes, 0xaa, sizeof(scene.bytes));
    const struct answer_stored stored = {
        .bytes = scene.stored, .len = scene.stored_len, .extra = *extra};
    scene.len =
        answer_from_stored(form, &scene.question, &stored, scene.bytes, sizeof(scene.bytes));
    scene_check_in_place(form, &stored);
}

/* What every answer must be: a message, id and question byte for byte, QR and RA set, AA not. */
static struct message scene_check(const struct answer_form *form)
{
    struct message message;
    assert_int_equal(message_read(scene.bytes, scene.len, &message), MESSAGE_GOOD);
    assert_int_equal(message.id, form->id);
    assert_true((message.flags & HEADER_QR) != 0 && (message.flags & HEADER_RA) != 0);
    assert_true((message.flags & HEADER_AA) == 0);
    assert_int_equal(message.flags & HEADER_RD, form->flags & HEADER_RD);
    assert_int_equal(message.flags & HEADER_CD, form->flags & HEADER_CD);
    assert_int_equal(message.question.name_len, scene.question.name_len);
    assert_memory_equal(message.question.name, scene.question.name, scene.question.name_len);
    assert_int_equal(message.question.type, scene.question.type);
    assert_int_equal(message.edns.is_present, form->has_edns);
    assert_in_range(scene.len, HEADER_SIZE, form->size_max);
    return message;
}

static void scene_expect(ldns_pkt_section section, const char *expected)
{
    char text[4096];
    packet_text(scene.bytes, scene.len, section, text, sizeof(text));
    assert_string_equal(text, expected);
}

static const struct packet_lines mx_lines = {
    .question = "example.com. IN MX",
    .answers = {"example.com. 300 IN MX 10 mx.example.net.",
        "example.com. 300 IN MX 20 mx2.example.net."},
};

static void test_form_of(void **state)
{
    static const struct {
        struct message query;
        bool is_stream;
        uint16_t udp_answer_max;
        uint16_t size_max;
    } cases[] = {
        {{.id = 1}, false, 1232, 512},
        {{.id = 1}, true, 1232, 65535},
        {{.id = 1, .edns = {.is_present = true, .udp_size = 4096}}, false, 1232, 1232},
        {{.id = 1, .edns = {.is_present = true, .udp_size = 1200}}, false, 1232, 1200},
        {{.id = 1, .edns = {.is_present = true, .udp_size = 1200}}, false, 100, 512},
        {{.id = 1, .edns = {.is_present = true, .udp_size = 512}}, true, 1232, 65535},
        {{.id = 7,
             .flags = 0x0110,
             .edns = {.is_present = true, .wants_dnssec = true, .udp_size = 512}},
            false, 1232, 512},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct message *query = &cases[i].query;
        struct answer_form form =
            answer_form_of(query, cases[i].is_stream, cases[i].udp_answer_max);
        assert_int_equal(form.size_max, cases[i].size_max);
        assert_int_equal(form.id, query->id);
        assert_int_equal(form.flags, query->flags);
        assert_int_equal(form.has_edns, query->edns.is_present);
        assert_int_equal(form.wants_dnssec, query->edns.wants_dnssec);
    }
}

static void test_spelling_and_age(void **state)
{
    const struct answer_form form = {.id = 0xcafe, .flags = HEADER_RD, .size_max = 512};
    struct answer_extra extra = extra_none;
    (void)state;
    scene_store(&mx_lines);
    scene_answer(&form, &extra);
    scene_check(&form);
    scene_expect(LDNS_SECTION_ANSWER,
        "ExAmPlE.CoM. 300 IN MX 10 mx.example.net.\nExAmPlE.CoM. 300 IN MX 20 mx2.example.net.\n");
    extra.age_s = 299;
    scene_answer(&form, &extra);
    scene_expect(LDNS_SECTION_ANSWER,
        "ExAmPlE.CoM. 1 IN MX 10 mx.example.net.\nExAmPlE.CoM. 1 IN MX 20 mx2.example.net.\n");
    extra.age_s = 100000;
    scene_answer(&form, &extra);
    scene_expect(LDNS_SECTION_ANSWER,
        "ExAmPlE.CoM. 0 IN MX 10 mx.example.net.\nExAmPlE.CoM. 0 IN MX 20 mx2.example.net.\n");
    extra.age_s = 0;
    extra.ttl_cap = 30;
    scene_answer(&form, &extra);
    scene_expect(LDNS_SECTION_ANSWER,
        "ExAmPlE.CoM. 30 IN MX 10 mx.example.net.\nExAmPlE.CoM. 30 IN MX 20 mx2.example.net.\n");
}

static void test_denial(void **state)
{
    const struct packet_lines lines = {
        .question = "gone.example.com. IN A",
        .rcode = 3,
        .authority = {"example.com. 300 IN SOA ns.example.com. p.example.com. 1 2 3 4 120"},
    };
    const struct answer_form form = {.id = 1, .size_max = 512};
    struct answer_extra extra = extra_none;
    (void)state;
    scene_store(&lines);
    extra.age_s = 20;
    scene_answer(&form, &extra);
    struct message message = scene_check(&form);
    assert_int_equal(message.rcode, RCODE_NXDOMAIN);
    scene_expect(LDNS_SECTION_ANSWER, "");
    scene_expect(LDNS_SECTION_AUTHORITY,
        "eXaMpLe.cOm. 100 IN SOA ns.eXaMpLe.cOm. p.eXaMpLe.cOm. 1 2 3 4 120\n");
}

/* AD only when the answer deserves it and the client asked, by AD or DO (RFC 6840 section 5.8). */
static void test_flags(void **state)
{
    (void)state;
    scene_store(&mx_lines);
    for (unsigned bits = 0; bits < 32; bits++) {
        struct answer_form form = {.id = 1, .size_max = 512};
        struct answer_extra extra = extra_none;
        form.flags =
            (uint16_t)(((bits & 1) != 0 ? HEADER_AD : 0) | ((bits & 2) != 0 ? HEADER_CD : 0) |
                       ((bits & 16) != 0 ? HEADER_RD : 0));
        form.has_edns = form.wants_dnssec = (bits & 4) != 0;
        extra.is_ad = (bits & 8) != 0;
        scene_answer(&form, &extra);
        struct message message = scene_check(&form);
        bool is_ad = (message.flags & HEADER_AD) != 0;
        assert_int_equal(is_ad, extra.is_ad && (bits & 5) != 0);
        assert_int_equal(message.edns.wants_dnssec, form.wants_dnssec);
        assert_int_equal(message.counts[1], 2);
    }
}

static void scene_store_large_txt(void)
{
    struct packet_lines lines = {.question = "example.com. IN TXT"};
    static char texts[5][300];
    for (unsigned i = 0; i < 5; i++) {
        char filler[181];
        memset(filler, 'x', sizeof(filler));
        filler[180] = '\0';
        snprintf(texts[i], sizeof(texts[i]), "example.com. 60 IN TXT \"%u%s\"", i, filler);
        lines.answers[i] = texts[i];
    }
    scene_store(&lines);
}

/* Every size from 512 on: either the whole answer, or none of it and TC. */
static void test_truncation(void **state)
{
    (void)state;
    scene_store_large_txt();
    assert_true(scene.stored_len > 512);
    for (unsigned has_edns = 0; has_edns < 2; has_edns++) {
        size_t needed = scene.stored_len + (has_edns ? 11 : 0);
        for (size_t size = 512; size < needed + 10; size++) {
            const struct answer_form form = {
                .id = 1, .has_edns = has_edns != 0, .size_max = (uint16_t)size};
            scene_answer(&form, &extra_none);
            struct message message = scene_check(&form);
            bool is_truncated = (message.flags & HEADER_TC) != 0;
            assert_int_equal(is_truncated, size < needed);
            assert_int_equal(message.counts[1], is_truncated ? 0 : 5);
            assert_int_equal(
                scene.len, is_truncated ? HEADER_SIZE + 13 + 4 + (has_edns ? 11u : 0u) : needed);
        }
    }
}

/* The stored form of x. TXT, of so many bytes. */
static void scene_store_sized(size_t len)
{
    static const uint8_t head[] = "\0\0\x80\x80\0\1\0\1\0\0\0\0\1x\0\0\x10\0\1"
                                  "\xc0\x0c\0\x10\0\1\0\0\0\x3c";
    struct writer writer = writer_of(scene.stored, len);
    writer_bytes(&writer, head, sizeof(head) - 1);
    writer_u16(&writer, (uint16_t)(len - writer.len - 2));
    uint8_t *data = writer_take(&writer, len - writer.len);
    assert_non_null(data);
    memset(data, 0, (size_t)(scene.stored + len - data));
    scene.stored_len = len;
    scene.question = (struct question){.name = "\1X", .name_len = 3, .type = 16, .class = 1};
}

/* Over TCP nobody is sent elsewhere: where there is no room for OPT, it is left out. */
static void test_largest_messages(void **state)
{
    (void)state;
    for (size_t len = 65535 - 20; len <= 65535; len++) {
        const struct answer_form form = {
            .id = 1, .has_edns = true, .wants_dnssec = true, .size_max = 65535};
        struct answer_extra extra = extra_none;
        struct message message;
        extra.ede = EDE_STALE_ANSWER;
        scene_store_sized(len);
        scene_answer(&form, &extra);
        assert_int_equal(message_read(scene.bytes, scene.len, &message), MESSAGE_GOOD);
        assert_false((message.flags & HEADER_TC) != 0);
        assert_int_equal(message.counts[1], 1);
        assert_int_equal(message.edns.is_present, len + 11 <= 65535);
        assert_int_equal(scene.len, len + (len + 17 <= 65535 ? 17u : len + 11 <= 65535 ? 11u : 0u));
    }
}

/* The buffer's size binds as well as the client's. */
static void test_buffer_size(void **state)
{
    const struct answer_form form = {.id = 1, .size_max = 65535};
    (void)state;
    scene_store_large_txt();
    memset(scene.bytes, 0xaa, sizeof(scene.bytes));
    const struct answer_stored stored = {
        .bytes = scene.stored, .len = scene.stored_len, .extra = extra_none};
    scene.len = answer_from_stored(&form, &scene.question, &stored, scene.bytes, 600);
    struct message message = scene_check(&form);
    assert_true((message.flags & HEADER_TC) != 0);
    assert_int_equal(scene.bytes[600], 0xaa);
    assert_int_equal(answer_from_stored(&form, &scene.question, &stored, scene.bytes, 20), 0);
}

/* The text of the explanation goes first, then the option, then the answer. */
static void test_explanations(void **state)
{
    struct answer_extra extra = extra_none;
    (void)state;
    extra.ede = EDE_STALE_ANSWER;
    extra.ede_text = "served while the upstream is away";
    scene_store_large_txt();
    size_t text_len = strlen(extra.ede_text);
    const struct {
        size_t room;
        size_t opt_len;
        bool is_truncated;
    } cases[] = {
        {scene.stored_len + 17 + text_len, 17 + text_len, false},
        {scene.stored_len + 16 + text_len, 17, false},
        {scene.stored_len + 17, 17, false},
        {scene.stored_len + 16, 11, false},
        {scene.stored_len + 11, 11, false},
        {scene.stored_len + 10, 17 + text_len, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer_form form = {
            .id = 1, .has_edns = true, .size_max = (uint16_t)cases[i].room};
        scene_answer(&form, &extra);
        struct message message = scene_check(&form);
        size_t body = cases[i].is_truncated ? HEADER_SIZE + 13 + 4 : scene.stored_len;
        assert_int_equal(scene.len, body + cases[i].opt_len);
        assert_int_equal((message.flags & HEADER_TC) != 0, cases[i].is_truncated);
    }
}

static void test_errors(void **state)
{
    static const struct {
        struct answer_form form;
        unsigned rcode;
        unsigned rcode_seen;
        enum ede ede;
        size_t opt_len;
    } cases[] = {
        {{.id = 1, .flags = HEADER_RD | HEADER_AD, .size_max = 512}, RCODE_SERVFAIL, RCODE_SERVFAIL,
            EDE_NETWORK_ERROR, 0},
        {{.id = 2, .flags = HEADER_CD, .has_edns = true, .size_max = 512}, RCODE_REFUSED,
            RCODE_REFUSED, EDE_PROHIBITED, 17},
        {{.id = 3, .has_edns = true, .wants_dnssec = true, .size_max = 1232}, RCODE_BADVERS,
            RCODE_BADVERS, EDE_NONE, 11},
        {{.id = 4, .flags = 4 << 11, .size_max = 512}, RCODE_NOTIMP, RCODE_NOTIMP, EDE_NONE, 0},
        {{.id = 5, .size_max = 512}, RCODE_BADVERS, RCODE_SERVFAIL, EDE_NONE, 0},
    };
    (void)state;
    scene_store(&mx_lines);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer_error error = {.rcode = cases[i].rcode, .ede = cases[i].ede};
        scene.len =
            answer_error(&cases[i].form, &scene.question, &error, scene.bytes, sizeof(scene.bytes));
        struct message message = scene_check(&cases[i].form);
        assert_int_equal(message.rcode, cases[i].rcode_seen);
        assert_int_equal(message.opcode, cases[i].form.flags >> 11 & 0xf);
        assert_int_equal(message.flags & (HEADER_AD | HEADER_TC), 0);
        assert_int_equal(scene.len, HEADER_SIZE + 13 + 4 + cases[i].opt_len);
    }
}

static void test_error_without_question(void **state)
{
    const struct answer_form form = {.id = 0x1234, .flags = HEADER_RD, .size_max = 512};
    uint8_t bytes[512];
    (void)state;
    const struct answer_error error = {.rcode = RCODE_FORMERR, .ede = EDE_NONE};
    size_t len = answer_error(&form, NULL, &error, bytes, sizeof(bytes));
    assert_int_equal(len, HEADER_SIZE);
    assert_memory_equal(bytes, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0", HEADER_SIZE);
    assert_int_equal(answer_error(&form, NULL, &error, bytes, 11), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form_of),
        cmocka_unit_test(test_spelling_and_age),
        cmocka_unit_test(test_denial),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_largest_messages),
        cmocka_unit_test(test_buffer_size),
        cmocka_unit_test(test_explanations),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_error_without_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
