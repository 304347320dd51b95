/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/records.h"
#include "wire/types.h"

#include "normalise_case.h"

/* The question's name stands at 12; its 126 labels of one letter begin two bytes apart. */
#define LONG_LABELS  126
#define LONG_NAME_AT 12

/* A reply that is written by hand, in its largest size. */
struct crafted {
    uint8_t bytes[65535];
    struct writer writer;
    unsigned counts[3]; /* By section. */
};

static void crafted_begin(struct crafted *crafted, const char *name, uint16_t type)
{
    uint8_t wire[NAME_SIZE_MAX];
    size_t len = packet_name(name, wire);
    memset(crafted->counts, 0, sizeof(crafted->counts));
    crafted->writer = writer_of(crafted->bytes, sizeof(crafted->bytes));
    writer_bytes(&crafted->writer, (const uint8_t *)"\0\1\x81\x80\0\1\0\0\0\0\0\0", 12);
    writer_bytes(&crafted->writer, wire, len);
    writer_u16(&crafted->writer, type);
    writer_u16(&crafted->writer, 1);
}

static void crafted_begin_long(struct crafted *crafted, uint16_t type)
{
    char text[2 * LONG_LABELS + 1];
    for (size_t i = 0; i < LONG_LABELS; i++) {
        memcpy(text + 2 * i, "x.", 2);
    }
    text[2 * LONG_LABELS] = '\0';
    crafted_begin(crafted, text, type);
}

/* False when it did not fit; the message then ends before it. */
static bool crafted_add(struct crafted *crafted, unsigned section, const uint8_t *owner,
    size_t owner_len, const struct record *record)
{
    struct writer *writer = &crafted->writer;
    size_t size = owner_len + 10 + record->rdata_len;
    unsigned records = crafted->counts[1] + crafted->counts[2];
    if (writer->size - writer->len < size || records == MESSAGE_RECORDS_MAX) {
        return false;
    }
    writer_bytes(writer, owner, owner_len);
    writer_u16(writer, record->type);
    writer_u16(writer, record->class);
    writer_u32(writer, 60);
    writer_u16(writer, record->rdata_len);
    crafted->counts[section]++;
    return true;
}

static bool crafted_answer(
    struct crafted *crafted, uint16_t owner_at, uint16_t type, const void *rdata, size_t rdata_len)
{
    uint8_t owner[2];
    const struct record record = {.type = type, .class = 1, .rdata_len = (uint16_t)rdata_len};
    bytes_put_u16(owner, (uint16_t)(0xc000u | owner_at));
    if (!crafted_add(crafted, 1, owner, sizeof(owner), &record)) {
        return false;
    }
    writer_bytes(&crafted->writer, rdata, rdata_len);
    return true;
}

static enum normalise_verdict crafted_run(
    struct crafted *crafted, bool wants_dnssec, struct normalised *normalised_out)
{
    static uint8_t stored[65535];
    struct message message;
    bytes_put_u16(crafted->bytes + 6, (uint16_t)crafted->counts[1]);
    bytes_put_u16(crafted->bytes + 8, (uint16_t)crafted->counts[2]);
    assert_false(crafted->writer.is_cut);
    assert_int_equal(message_read(crafted->bytes, crafted->writer.len, &message), MESSAGE_GOOD);
    message.edns.wants_dnssec = wants_dnssec;
    enum normalise_verdict verdict =
        normalise_reply(&message, &normalise_case_limits, stored, sizeof(stored), normalised_out);
    if (verdict != NORMALISE_BROKEN) {
        struct message again;
        assert_int_equal(message_read(stored, normalised_out->len, &again), MESSAGE_GOOD);
    }
    return verdict;
}

/* A label of two bytes, another for each number up to 4,095, that the case of letters keeps apart
 * from the others. */
static void crafted_label(uint8_t label_out[3], unsigned number)
{
    label_out[0] = 2;
    label_out[1] = (uint8_t)(0x80 | (number & 63));
    label_out[2] = (uint8_t)(0x80 | (number >> 6 & 63));
}

/* The replies that cost most, each as many records as fit. */
static void craft_addresses_at_a_long_name(struct crafted *crafted)
{
    uint8_t address[4];
    crafted_begin_long(crafted, TYPE_A);
    do {
        bytes_put_u32(address, crafted->counts[1]);
    } while (crafted_answer(crafted, LONG_NAME_AT, TYPE_A, address, sizeof(address)));
}

static void craft_addresses_twice(struct crafted *crafted)
{
    uint8_t address[4];
    crafted_begin_long(crafted, TYPE_A);
    do {
        bytes_put_u32(address, crafted->counts[1] / 2);
    } while (crafted_answer(crafted, LONG_NAME_AT, TYPE_A, address, sizeof(address)));
}

static void craft_long_names_spelled_two_ways(struct crafted *crafted)
{
    static const uint8_t whole[] = {0xc0, LONG_NAME_AT};
    static const uint8_t parts[] = {1, 'x', 0xc0, LONG_NAME_AT + 2};
    bool is_added = true;
    crafted_begin_long(crafted, TYPE_PTR);
    while (is_added) {
        bool is_whole = crafted->counts[1] % 2 == 0;
        is_added = crafted_answer(crafted, LONG_NAME_AT, TYPE_PTR, is_whole ? whole : parts,
            is_whole ? sizeof(whole) : sizeof(parts));
    }
}

static void craft_different_long_names(struct crafted *crafted)
{
    uint8_t name[5];
    crafted_begin_long(crafted, TYPE_PTR);
    do {
        crafted_label(name, crafted->counts[1]);
        bytes_put_u16(name + 3, 0xc000u | (LONG_NAME_AT + 4));
    } while (crafted_answer(crafted, LONG_NAME_AT, TYPE_PTR, name, sizeof(name)));
}

static void craft_two_long_names_each(struct crafted *crafted)
{
    uint8_t names[10];
    crafted_begin_long(crafted, 14);
    do {
        for (size_t at = 0; at < sizeof(names); at += 5) {
            crafted_label(names + at, crafted->counts[1]);
            bytes_put_u16(names + at + 3, 0xc000u | (LONG_NAME_AT + 4));
        }
    } while (crafted_answer(crafted, LONG_NAME_AT, 14, names, sizeof(names)));
}

/* '@' and '`' are folded together by the hash, but are no letters: equal hashes, other names. */
static void craft_equal_hashes(struct crafted *crafted)
{
    uint8_t name[15] = {12};
    crafted_begin_long(crafted, TYPE_PTR);
    do {
        for (size_t bit = 0; bit < 12; bit++) {
            name[1 + bit] = (crafted->counts[1] >> bit & 1) != 0 ? '@' : '`';
        }
        bytes_put_u16(name + 13, 0xc000u | (LONG_NAME_AT + 14));
    } while (crafted_answer(crafted, LONG_NAME_AT, TYPE_PTR, name, sizeof(name)));
}

static void craft_alias_of_itself(struct crafted *crafted)
{
    static const uint8_t target[] = {0xc0, LONG_NAME_AT};
    crafted_begin_long(crafted, TYPE_A);
    while (crafted_answer(crafted, LONG_NAME_AT, TYPE_CNAME, target, sizeof(target))) {
    }
}

static void craft_alias_spelled_two_ways(struct crafted *crafted)
{
    static const uint8_t whole[] = {0xc0, LONG_NAME_AT};
    static const uint8_t parts[] = {1, 'x', 0xc0, LONG_NAME_AT + 2};
    crafted_begin_long(crafted, TYPE_A);
    crafted_answer(crafted, LONG_NAME_AT, TYPE_CNAME, whole, sizeof(whole));
    while (crafted_answer(crafted, LONG_NAME_AT, TYPE_CNAME, parts, sizeof(parts))) {
    }
}

/* One that makes the alias comes last; the others are above as well, and each is read. */
static void craft_dnames_above(struct crafted *crafted)
{
    static const uint8_t target[] = {0xc0, LONG_NAME_AT};
    crafted_begin_long(crafted, TYPE_A);
    crafted_answer(crafted, LONG_NAME_AT, TYPE_CNAME, target, sizeof(target));
    while (crafted_answer(
        crafted, (uint16_t)(LONG_NAME_AT + 2 * (crafted->counts[1] % 100)), TYPE_DNAME, "\1y", 3)) {
    }
}

/* Each owner in a place of its own, all of them one long name. */
static void craft_owner_in_many_places(struct crafted *crafted)
{
    static const uint8_t owner[] = {1, 'X', 0xc0, LONG_NAME_AT + 2};
    const struct record record = {.type = TYPE_A, .class = 1, .rdata_len = 4};
    crafted_begin_long(crafted, TYPE_A);
    while (crafted_add(crafted, 1, owner, sizeof(owner), &record)) {
        writer_u32(&crafted->writer, crafted->counts[1]);
    }
}

static void craft_proofs_at_long_names(struct crafted *crafted)
{
    const struct record record = {.type = TYPE_NSEC3, .class = 1, .rdata_len = 1};
    uint8_t owner[5];
    crafted_begin_long(crafted, TYPE_A);
    do {
        crafted_label(owner, crafted->counts[2]);
        bytes_put_u16(owner + 3, 0xc000u | (LONG_NAME_AT + 4));
    } while (crafted_add(crafted, 2, owner, sizeof(owner), &record) &&
             writer_take(&crafted->writer, 1) != NULL);
}

static void craft_zones_that_do_not_hold_the_name(struct crafted *crafted)
{
    const struct record record = {.type = TYPE_SOA, .class = 1, .rdata_len = 0};
    uint8_t owner[5];
    crafted_begin_long(crafted, TYPE_A);
    do {
        crafted_label(owner, crafted->counts[2]);
        bytes_put_u16(owner + 3, 0xc000u | (LONG_NAME_AT + 4));
    } while (crafted_add(crafted, 2, owner, sizeof(owner), &record));
}

static void test_crafted_replies(void **state)
{
    static const struct {
        const char *what;
        void (*craft)(struct crafted *crafted);
        enum normalise_verdict verdict;
    } cases[] = {
        {"addresses at a long name", craft_addresses_at_a_long_name, NORMALISE_ANSWER},
        {"addresses twice", craft_addresses_twice, NORMALISE_ANSWER},
        {"long names spelled two ways", craft_long_names_spelled_two_ways, NORMALISE_BROKEN},
        {"different long names", craft_different_long_names, NORMALISE_BROKEN},
        {"two long names each", craft_two_long_names_each, NORMALISE_BROKEN},
        {"equal hashes", craft_equal_hashes, NORMALISE_BROKEN},
        {"an alias of itself", craft_alias_of_itself, NORMALISE_BROKEN},
        {"an alias spelled two ways", craft_alias_spelled_two_ways, NORMALISE_BROKEN},
        {"DNAMEs above", craft_dnames_above, NORMALISE_BROKEN},
        {"the owner in many places", craft_owner_in_many_places, NORMALISE_BROKEN},
        {"proofs at long names", craft_proofs_at_long_names, NORMALISE_BROKEN},
        {"zones elsewhere", craft_zones_that_do_not_hold_the_name, NORMALISE_BROKEN},
    };
    static struct crafted crafted;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned wants_dnssec = 0; wants_dnssec < 2; wants_dnssec++) {
            struct normalised normalised;
            cases[i].craft(&crafted);
            packet_expect(crafted.counts[1] + crafted.counts[2] > 2000, cases[i].what);
            enum normalise_verdict verdict = crafted_run(&crafted, wants_dnssec != 0, &normalised);
            packet_expect(verdict == cases[i].verdict, cases[i].what);
            /* The last step may be one record more: two names, each sought in eight places. */
            packet_expect(
                normalised.work <= NORMALISE_WORK_MAX + 20 * NAME_SIZE_MAX, cases[i].what);
            packet_expect(normalised.work > 0, cases[i].what);
        }
    }
}

/* Honest replies, the largest that anybody sends, are far from the bound. */
static void craft_exchanges(struct crafted *crafted)
{
    crafted_begin(crafted, "example.com.", TYPE_MX);
    for (unsigned i = 0; i < 300; i++) {
        char label[16];
        uint8_t rdata[32] = {0, 10};
        int len = snprintf(label, sizeof(label), "mx%u", i);
        rdata[2] = (uint8_t)len;
        memcpy(rdata + 3, label, (size_t)len);
        bytes_put_u16(rdata + 3 + len, 0xc00c);
        crafted_answer(crafted, 12, TYPE_MX, rdata, (size_t)len + 5);
    }
}

static void craft_uncompressed(struct crafted *crafted)
{
    const struct record record = {.type = TYPE_A, .class = 1, .rdata_len = 4};
    uint8_t owner[NAME_SIZE_MAX];
    const char *text = "a-rather-long-host-name.of-some-department.example.com.";
    size_t owner_len = packet_name(text, owner);
    crafted_begin(crafted, text, TYPE_A);
    while (crafted_add(crafted, 1, owner, owner_len, &record)) {
        writer_u32(&crafted->writer, crafted->counts[1]);
    }
}

static void craft_texts(struct crafted *crafted)
{
    uint8_t text[200] = {199};
    crafted_begin(crafted, "example.com.", TYPE_TXT);
    do {
        bytes_put_u16(text + 1, (uint16_t)crafted->counts[1]);
    } while (crafted_answer(crafted, 12, TYPE_TXT, text, sizeof(text)));
}

/* c0 is c1, c1 is c2, and so on to the limit; thousands of addresses at the end. */
static void craft_long_chain(struct crafted *crafted)
{
    uint16_t owner_at = 12;
    crafted_begin(crafted, "c0.x.", TYPE_A);
    for (unsigned i = 1; i <= NORMALISE_CHAIN_MAX; i++) {
        uint8_t target[5] = {2, 'c', (uint8_t)('0' + i), 0xc0, 15};
        crafted_answer(crafted, owner_at, TYPE_CNAME, target, sizeof(target));
        owner_at = (uint16_t)(crafted->writer.len - sizeof(target));
    }
    for (uint32_t i = 0; i < 3500; i++) {
        uint8_t address[4];
        bytes_put_u32(address, i);
        crafted_answer(crafted, owner_at, TYPE_A, address, sizeof(address));
    }
}

/* Signatures of other types and other names' records, which are passed by. */
static void craft_bystanders(struct crafted *crafted)
{
    const struct record record = {.type = TYPE_A, .class = 1, .rdata_len = 4};
    crafted_begin(crafted, "x.", TYPE_A);
    crafted_answer(crafted, 12, TYPE_CNAME, "\1y", 3);
    crafted_answer(crafted, (uint16_t)(crafted->writer.len - 3), TYPE_CNAME, "\1z", 3);
    crafted_answer(crafted, (uint16_t)(crafted->writer.len - 3), TYPE_A, "\1\2\3\4", 4);
    while (crafted->counts[1] < 4000) {
        assert_true(crafted_add(crafted, 1, (const uint8_t *)"", 1, &record));
        writer_u32(&crafted->writer, 0);
    }
}

static void test_honest_replies(void **state)
{
    static const struct {
        const char *what;
        void (*craft)(struct crafted *crafted);
        size_t times; /* Its work is at most so many times its length. */
    } cases[] = {
        {"300 exchanges", craft_exchanges, 10},
        {"as many addresses as fit, owners uncompressed", craft_uncompressed, 5},
        {"texts", craft_texts, 2},
        {"a long chain", craft_long_chain, 2},
        {"bystanders", craft_bystanders, 1},
    };
    static struct crafted crafted;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct normalised normalised;
        cases[i].craft(&crafted);
        packet_expect(crafted_run(&crafted, false, &normalised) == NORMALISE_ANSWER, cases[i].what);
        packet_expect(normalised.work <= cases[i].times * crafted.writer.len, cases[i].what);
        packet_expect(crafted_run(&crafted, true, &normalised) == NORMALISE_ANSWER, cases[i].what);
        packet_expect(normalised.work <= 2 * cases[i].times * crafted.writer.len, cases[i].what);
    }
}

/* Names whose hashes are equal, and one name that stands in many places, are told apart and found
 * together: the answer has all records of the asked name and no other. */
static void test_owners(void **state)
{
    static const uint8_t own[][5] = {"\1@\1x", "\1@\1X"};
    static const uint8_t other[] = "\1`\1x";
    const struct record record = {.type = TYPE_A, .class = 1, .rdata_len = 4};
    static struct crafted crafted;
    struct normalised normalised;
    (void)state;
    crafted_begin(&crafted, "\\064.x.", TYPE_A);
    for (uint32_t i = 0; i < 300; i++) {
        const uint8_t *owner = i % 3 == 0 ? other : own[i % 2];
        assert_true(crafted_add(&crafted, 1, owner, 5, &record));
        writer_u32(&crafted.writer, i);
    }
    assert_int_equal(crafted_run(&crafted, false, &normalised), NORMALISE_ANSWER);
    assert_int_equal(normalised.len, HEADER_SIZE + 9 + 200 * 16);
}

/* What is of another class is not there; what stands in the wrong section neither. */
static void test_classes_and_sections(void **state)
{
    const struct record chaos = {.type = TYPE_A, .class = CLASS_CH, .rdata_len = 0};
    const struct record address = {.type = TYPE_A, .class = CLASS_IN, .rdata_len = 4};
    static struct crafted crafted;
    struct normalised normalised;
    (void)state;
    crafted_begin(&crafted, "x.", TYPE_A);
    crafted_add(&crafted, 1, (const uint8_t *)"\1x", 3, &chaos);
    crafted_add(&crafted, 2, (const uint8_t *)"\1x", 3, &address);
    writer_u32(&crafted.writer, 1);
    assert_int_equal(crafted_run(&crafted, false, &normalised), NORMALISE_NODATA);
    assert_int_equal(normalised.len, HEADER_SIZE + 7);
}

/* A signature too short to say what it signs belongs to no set, not even of type 0. */
static void test_short_signature(void **state)
{
    static struct crafted crafted;
    struct normalised normalised;
    (void)state;
    crafted_begin(&crafted, "x.", 0);
    crafted_answer(&crafted, 12, 0, "data", 4);
    crafted_answer(&crafted, 12, TYPE_RRSIG, "\0", 1);
    assert_int_equal(crafted_run(&crafted, true, &normalised), NORMALISE_ANSWER);
    assert_int_equal(normalised.len, HEADER_SIZE + 7 + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crafted_replies),
        cmocka_unit_test(test_honest_replies),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_classes_and_sections),
        cmocka_unit_test(test_short_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
