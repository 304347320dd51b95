/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <string.h>

#include "wire/types.h"

/* ---- The header (RFC 1035 section 4.1.1) ---- */

static unsigned one(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 1;
}

static unsigned sixteen(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 16;
}

static void id_bit(struct tale *tale, unsigned variant)
{
    tale->id = (uint16_t)(tale->id ^ 1u << variant);
}

static unsigned id_others_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 4;
}

static void id_other(struct tale *tale, unsigned variant)
{
    const uint16_t ids[] = {
        0, 65535, (uint16_t)(tale->id + 1), (uint16_t)(tale->id << 8 | tale->id >> 8)};
    tale->id = ids[variant] == tale->id ? (uint16_t)(tale->id + 7) : ids[variant];
}

static void flag_bit(struct tale *tale, unsigned variant)
{
    tale->flags = (uint16_t)(tale->flags ^ 1u << variant);
}

static void opcode(struct tale *tale, unsigned variant)
{
    tale->flags = (uint16_t)((tale->flags & ~0x7800u) | variant << 11);
}

static void rcode(struct tale *tale, unsigned variant)
{
    tale->flags = (uint16_t)((tale->flags & ~0xfu) | variant);
}

/* Each rcode with an empty message, too. */
static void rcode_bare(struct tale *tale, unsigned variant)
{
    rcode(tale, variant);
    tale->count = 0;
    tale->question_count = 0;
}

static void flags_all(struct tale *tale, unsigned variant)
{
    (void)variant;
    tale->flags |= HEADER_AA | HEADER_AD | HEADER_CD | 0x0040u;
}

static unsigned counts_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 4 * 6;
}

static uint16_t section_count(const struct tale *tale, unsigned section)
{
    uint16_t count = section == 0 ? 1 : 0;
    for (size_t i = 0; i < tale->count; i++) {
        count = (uint16_t)(count + (tale->records[i].section == section ? 1 : 0));
    }
    return count;
}

static void counts(struct tale *tale, unsigned variant)
{
    unsigned section = variant / 6;
    uint16_t truth = section_count(tale, section);
    const int32_t told[] = {truth + 1, truth - 1, 0, 65535, 4097, 256};
    tale->counts_told[section] = told[variant % 6] & 0xffff;
}

/* One more in a section, and one less in the next: records move over the border. */
static void counts_shifted(struct tale *tale, unsigned variant)
{
    unsigned section = 1 + variant % 2;
    int shift = variant < 2 ? 1 : -1;
    tale->counts_told[section] = (section_count(tale, section) + shift) & 0xffff;
    tale->counts_told[section + 1] = (section_count(tale, section + 1) - shift) & 0xffff;
}

static unsigned four(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 4;
}

/* ---- The question ---- */

static const char *const other_names[] = {"victim.example.", "example.", ".", "other.",
    "sub.victim.example.", "bank.other.", "xmx.example.", "nothing.example."};

static unsigned question_names_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return sizeof other_names / sizeof other_names[0];
}

/* With its records under that name, as they would be if it had been asked. */
static void question_name(struct tale *tale, unsigned variant)
{
    struct world_name name = tale_name(other_names[variant]);
    for (size_t i = 0; i < tale->count; i++) {
        if (tale_name_is(&tale->records[i].owner, &tale->name) && variant % 2 == 0) {
            tale->records[i].owner = name;
        }
    }
    tale->name = name;
}

static unsigned question_letters_count(const struct tale *truth, size_t len)
{
    (void)len;
    return truth->name.len;
}

/* The name one byte off: in a letter's case, in a letter. */
static void question_case(struct tale *tale, unsigned variant)
{
    uint8_t *byte = &tale->name.bytes[variant];
    bool is_letter = (*byte | 0x20) >= 'a' && (*byte | 0x20) <= 'z';
    *byte = is_letter ? *byte ^ 0x20 : *byte;
}

static void question_case_all(struct tale *tale, unsigned variant)
{
    for (unsigned i = 0; i < tale->name.len; i++) {
        question_case(tale, i);
        tale->name.bytes[i] |= variant == 1 && tale->name.bytes[i] >= 'A' ? 0x20 : 0;
    }
}

static void question_letter(struct tale *tale, unsigned variant)
{
    uint8_t *byte = &tale->name.bytes[variant];
    *byte = *byte >= 'A' ? *byte ^ 0x01 : *byte;
}

static void question_type(struct tale *tale, unsigned variant)
{
    static const uint16_t types[] = {
        0, 1, 2, 5, 6, 12, 15, 16, 28, 41, 43, 46, 52, 250, 255, 65535};
    tale->type = tale->type == types[variant] ? 13 : types[variant];
}

static void question_class(struct tale *tale, unsigned variant)
{
    static const uint16_t classes[] = {
        0, 2, 3, 4, 254, 255, 256, 257, 0x0101, 0x8001, 65535, 5, 6, 7, 8, 9};
    tale->class = classes[variant];
}

static void question_class_records(struct tale *tale, unsigned variant)
{
    question_class(tale, variant);
    for (size_t i = 0; i < tale->count; i++) {
        tale->records[i].class = tale->class;
    }
}

static void question_number(struct tale *tale, unsigned variant)
{
    static const unsigned numbers[] = {0, 2, 3, 100};
    tale->question_count = numbers[variant];
}

static const struct twist rows[] = {
    {"id, one bit", sixteen, id_bit, NULL},
    {"id, another", id_others_count, id_other, NULL},
    {"each flag", sixteen, flag_bit, NULL},
    {"opcode", sixteen, opcode, NULL},
    {"rcode", sixteen, rcode, NULL},
    {"rcode and nothing else", sixteen, rcode_bare, NULL},
    {"AA, AD, CD and Z", one, flags_all, NULL},
    {"counts", counts_count, counts, NULL},
    {"counts shifted", four, counts_shifted, NULL},
    {"question, another name", question_names_count, question_name, NULL},
    {"question, case of a letter", question_letters_count, question_case, NULL},
    {"question, case of all letters", four, question_case_all, NULL},
    {"question, a letter", question_letters_count, question_letter, NULL},
    {"question, another type", sixteen, question_type, NULL},
    {"question, another class", sixteen, question_class, NULL},
    {"question and records, another class", sixteen, question_class_records, NULL},
    {"questions: 0, 2, 3, 100", four, question_number, NULL},
};

const struct twist_table twists_header = {"header", rows, sizeof rows / sizeof rows[0], false};
