/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/name.h"

#include <string.h>

#include "base/random.h"
#include "wire/header.h"

#define NAME_LABEL_MAX    63
#define NAME_POINTER_BITS 0xc0u

/* A walk along the labels of a name in a message, through its compression pointers. */
struct name_walk {
    const uint8_t *bytes;
    size_t len;
    size_t at;     /* The length byte of the label that comes next. */
    size_t run_at; /* Where this run of labels began: a pointer must lead before it. */
    size_t end_at; /* Behind the first pointer; 0 while none was followed. */
    uint32_t hops_left;
};

static uint8_t name_byte_lower(uint8_t byte)
{
    return (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
}

/* Length bytes are at most 63 and no letters, so whole names are compared without regard to labels.
 */
static bool name_bytes_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name_byte_lower(a[i]) != name_byte_lower(b[i])) {
            return false;
        }
    }
    return true;
}

/* A pointer into the header leads to no name: nothing is written there but the header. */
static bool name_walk_hop(struct name_walk *walk)
{
    if (walk->hops_left == 0 || walk->len - walk->at < 2) {
        return false;
    }
    size_t target = bytes_get_u16(walk->bytes + walk->at) & 0x3fffu;
    if (target >= walk->run_at || target < HEADER_SIZE) {
        return false;
    }
    if (walk->end_at == 0) {
        walk->end_at = walk->at + 2;
    }
    walk->hops_left--;
    walk->at = target;
    walk->run_at = target;
    return true;
}

/* Follows pointers until a whole label (or the root's zero byte) stands at walk->at. */
static bool name_walk_to_label(struct name_walk *walk)
{
    while (walk->at < walk->len) {
        uint8_t first = walk->bytes[walk->at];
        if (first <= NAME_LABEL_MAX) {
            return walk->len - walk->at > first;
        }
        if ((first & NAME_POINTER_BITS) != NAME_POINTER_BITS || !name_walk_hop(walk)) {
            return false;
        }
    }
    return false;
}

static struct name_walk name_walk_of(const struct reader *reader, size_t at, uint32_t hops_max)
{
    return (struct name_walk){
        .bytes = reader->bytes,
        .len = reader->len,
        .at = at,
        .run_at = at,
        .hops_left = hops_max,
    };
}

static bool name_walk_copy(struct name_walk *walk, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out)
{
    size_t len = 0;
    for (;;) {
        if (!name_walk_to_label(walk)) {
            return false;
        }
        size_t count = (size_t)walk->bytes[walk->at] + 1;
        if (count > NAME_SIZE_MAX - len) {
            return false;
        }
        memcpy(name_out + len, walk->bytes + walk->at, count);
        len += count;
        walk->at += count;
        if (count == 1) {
            *len_out = len;
            return true;
        }
    }
}

/* The hops of a bad name count as well: the cap is on the work, not on the success. */
bool name_read(struct reader *reader, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out)
{
    uint32_t hops_max = reader->hops_left < NAME_HOPS_MAX ? reader->hops_left : NAME_HOPS_MAX;
    struct name_walk walk = name_walk_of(reader, reader->at, hops_max);
    bool is_name = name_walk_copy(&walk, name_out, len_out);
    reader->hops_left -= hops_max - walk.hops_left;
    if (is_name) {
        reader->at = walk.end_at != 0 ? walk.end_at : walk.at;
    }
    return is_name;
}

/* Every question is read by this one, so it looks at length bytes only and copies once. */
bool name_read_plain(struct reader *reader, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out)
{
    const uint8_t *name = reader->bytes + reader->at;
    size_t left = reader_left(reader) < NAME_SIZE_MAX ? reader_left(reader) : NAME_SIZE_MAX;
    size_t len = 0;
    size_t label;
    do {
        if (len >= left || name[len] > NAME_LABEL_MAX) {
            return false;
        }
        label = name[len];
        len += label + 1;
    } while (label != 0);
    memcpy(name_out, name, len);
    reader->at += len;
    *len_out = len;
    return true;
}

bool name_skip(struct reader *reader)
{
    size_t at = reader->at;
    while (at < reader->len) {
        uint8_t first = reader->bytes[at];
        if (first > NAME_LABEL_MAX) {
            if ((first & NAME_POINTER_BITS) != NAME_POINTER_BITS || reader->len - at < 2) {
                return false;
            }
            reader->at = at + 2;
            return true;
        }
        size_t count = (size_t)first + 1;
        if (reader->len - at < count || at - reader->at + count > NAME_SIZE_MAX) {
            return false;
        }
        at += count;
        if (first == 0) {
            reader->at = at;
            return true;
        }
    }
    return false;
}

bool name_equals_at(const uint8_t *name, size_t len, const struct reader *message, size_t at)
{
    struct name_walk walk = name_walk_of(message, at, NAME_HOPS_MAX);
    size_t compared = 0;
    while (name_walk_to_label(&walk)) {
        size_t count = (size_t)walk.bytes[walk.at] + 1;
        if (count > len - compared ||
            !name_bytes_equal(name + compared, walk.bytes + walk.at, count)) {
            return false;
        }
        compared += count;
        walk.at += count;
        if (count == 1) {
            return compared == len;
        }
    }
    return false;
}

bool name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len == b_len && name_bytes_equal(a, b, a_len);
}

bool name_is_under(const uint8_t *name, size_t len, const uint8_t *zone, size_t zone_len)
{
    size_t at = 0;
    while (len - at > zone_len) {
        at += (size_t)name[at] + 1;
    }
    return name_equal(name + at, len - at, zone, zone_len);
}

/* Eight bytes at once. In each byte below 0x80 the two sums carry into the top bit from 'A' on, and
 * from behind 'Z' on; where only the first does, there is a capital, and 0x20 makes it small. */
static uint64_t name_word_lower(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = word & each * 0x7f;
    uint64_t from_a = low + each * (0x80 - 'A');
    uint64_t behind_z = low + each * (0x7f - 'Z');
    uint64_t is_capital = (from_a ^ behind_z) & ~word & each * 0x80;
    return word | is_capital >> 2;
}

void name_to_lower(uint8_t *name, size_t len)
{
    size_t at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, name + at, sizeof word);
        word = name_word_lower(word);
        memcpy(name + at, &word, sizeof word);
    }
    for (; at < len; at++) {
        name[at] = name_byte_lower(name[at]);
    }
}

static bool name_byte_is_letter(uint8_t byte)
{
    uint8_t lower = name_byte_lower(byte);
    return lower >= 'a' && lower <= 'z';
}

/* Length bytes are no letters, so labels need not be told apart here. */
void name_randomise_case(uint8_t *name, size_t len, struct random *random)
{
    uint64_t bits = 0;
    unsigned bits_left = 0;
    for (size_t i = 0; i < len; i++) {
        if (!name_byte_is_letter(name[i])) {
            continue;
        }
        if (bits_left == 0) {
            bits = random_u64(random);
            bits_left = 64;
        }
        name[i] = (uint8_t)((name[i] & ~0x20u) | (bits & 1) << 5);
        bits >>= 1;
        bits_left--;
    }
}

/* FNV-1a. Case is folded bluntly: other bytes than letters meet as well, which is harmless. */
uint32_t name_hash32(const uint8_t *name, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (name[i] | 0x20u)) * 16777619u;
    }
    return hash;
}

bool name_find_label(const struct reader *message, size_t at, size_t *label_at_out)
{
    struct name_walk walk = name_walk_of(message, at, NAME_HOPS_MAX);
    if (!name_walk_to_label(&walk)) {
        return false;
    }
    *label_at_out = walk.at;
    return true;
}

unsigned name_label_count(const uint8_t *name, size_t len)
{
    unsigned count = 0;
    for (size_t at = 0; at < len && name[at] != 0; at += (size_t)name[at] + 1) {
        count++;
    }
    return count;
}

bool name_is_valid(const uint8_t *name, size_t len)
{
    struct reader reader = reader_of(name, len);
    struct name_walk walk = name_walk_of(&reader, 0, 0);
    uint8_t copy[NAME_SIZE_MAX];
    size_t copy_len;
    return name_walk_copy(&walk, copy, &copy_len) && copy_len == len;
}
