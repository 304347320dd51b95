/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <string.h>

#include "wire/types.h"

/* What happens to bytes: cut, prolonged, each bit turned, each byte made a pointer. */

static unsigned bit_count(const struct tale *truth, size_t len)
{
    (void)truth;
    return (unsigned)len * 8;
}

static size_t bit(uint8_t *bytes, size_t len, unsigned variant)
{
    if (variant / 8 < len) {
        bytes[variant / 8] ^= (uint8_t)(1u << variant % 8);
    }
    return len;
}

#define BYTE_VALUES 6

static unsigned byte_count(const struct tale *truth, size_t len)
{
    (void)truth;
    return (unsigned)(len - HEADER_SIZE) * BYTE_VALUES;
}

static size_t byte(uint8_t *bytes, size_t len, unsigned variant)
{
    static const uint8_t values[BYTE_VALUES] = {0x00, 0xff, 0xc0, 0x40, 0x80, 0x3f};
    size_t at = HEADER_SIZE + variant / BYTE_VALUES;
    if (at < len) {
        bytes[at] = values[variant % BYTE_VALUES];
    }
    return len;
}

static unsigned cut_count(const struct tale *truth, size_t len)
{
    (void)truth;
    return (unsigned)len;
}

static size_t cut(uint8_t *bytes, size_t len, unsigned variant)
{
    (void)bytes;
    return variant < len ? variant : len;
}

/* Cut, and the counts say that there is no more. */
static size_t cut_quietly(uint8_t *bytes, size_t len, unsigned variant)
{
    if (variant >= HEADER_SIZE && variant < len) {
        memset(bytes + 8, 0, 4);
    }
    return variant < len ? variant : len;
}

static const size_t tails[] = {1, 2, 11, 12, 100, 1000, 10000, MESSAGE_SIZE_MAX};
#define TAILS (sizeof tails / sizeof tails[0])

static unsigned tail_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return TAILS * 2;
}

/* More bytes behind the last record: zeros, or a forged record that no count knows of. */
static size_t tail(uint8_t *bytes, size_t len, unsigned variant)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 203, 0, 113, 66};
    size_t end = len + tails[variant / 2];
    end = end < MESSAGE_SIZE_MAX ? end : MESSAGE_SIZE_MAX;
    for (size_t at = len; at < end; at++) {
        bytes[at] = variant % 2 == 0 ? 0 : record[(at - len) % sizeof record];
    }
    return end;
}

static unsigned pointer_count(const struct tale *truth, size_t len)
{
    (void)truth;
    return (unsigned)(len - HEADER_SIZE - 1) * 3;
}

/* Each place becomes a pointer: to itself, ahead, into the header. */
static size_t pointer(uint8_t *bytes, size_t len, unsigned variant)
{
    size_t at = HEADER_SIZE + variant / 3;
    const size_t targets[] = {at, at + 2, 4};
    if (at + 2 <= len) {
        bytes_put_u16(bytes + at, (uint16_t)(0xc000u | targets[variant % 3]));
    }
    return len;
}

/* ---- Names that are costly to read ---- */

/* Replaces all records by `count` answers whose owner is a pointer to `target_at`, behind `blob`.
 */
static size_t answers_by_pointer(uint8_t *bytes, size_t at, size_t count, size_t target_at)
{
    static const uint8_t record[] = {0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 203, 0, 113, 66};
    const uint16_t counts[4] = {1, (uint16_t)(count + 1), 0, 0};
    for (size_t i = 0; i < count && at + 16 <= MESSAGE_SIZE_MAX; i++) {
        bytes_put_u16(bytes + at, (uint16_t)(0xc000u | target_at));
        memcpy(bytes + at + 2, record, sizeof record);
        at += 16;
    }
    header_set_counts(bytes, counts);
    return at;
}

static size_t question_end(const uint8_t *bytes, size_t len)
{
    size_t at = HEADER_SIZE;
    while (at < len && bytes[at] != 0) {
        at += 1u + bytes[at];
    }
    return at + 5;
}

static const size_t towers[] = {2, 60, 64, 100, 126, 200, 1000, 8000};
#define TOWERS (sizeof towers / sizeof towers[0])

static unsigned tower_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return TOWERS * 3;
}

/* In the data of a first record, pointers that lead to pointers (or labels of one byte that end in
 * pointers), so many; then thousands of names that begin at the top. */
static size_t tower(uint8_t *bytes, size_t len, unsigned variant)
{
    static const uint8_t head[] = {0, 0xff, 0x01, 0, 1, 0, 0, 0, 0};
    size_t steps = towers[variant / 3];
    size_t step_size = variant % 3 == 1 ? 4 : 2;
    size_t at = question_end(bytes, len);
    memcpy(bytes + at, head, sizeof head);
    bytes_put_u16(bytes + at + sizeof head, (uint16_t)(steps * step_size + 1));
    at += sizeof head + 2;
    size_t below = at;
    bytes[at++] = 0;
    for (size_t i = 0; i < steps; i++) {
        size_t here = at;
        if (step_size == 4) {
            bytes[at++] = 1;
            bytes[at++] = 'a';
        }
        bytes_put_u16(bytes + at, (uint16_t)(0xc000u | (below & 0x3fff)));
        at += 2;
        below = variant % 3 == 2 ? below : here;
    }
    return answers_by_pointer(bytes, at, variant % 2 == 0 ? 3000 : 10, below & 0x3fff);
}

static const struct twist rows[] = {
    {"every bit", bit_count, NULL, bit},
    {"every byte", byte_count, NULL, byte},
    {"cut at every byte", cut_count, NULL, cut},
    {"cut, with counts that hide it", cut_count, NULL, cut_quietly},
    {"bytes behind the end", tail_count, NULL, tail},
    {"bad pointer at every byte", pointer_count, NULL, pointer},
    {"towers of pointers", tower_count, NULL, tower},
};

const struct twist_table twists_bytes = {"bytes", rows, sizeof rows / sizeof rows[0], false};
