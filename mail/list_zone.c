/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/list_zone.h"

#include <string.h>

#include "wire/name.h"
#include "wire/types.h"

#define LIST_OCTETS       4
#define LIST_NIBBLES      32
#define LIST_SHAPE_LABELS 2 /* A zone that is recognised by shape has at least so many. */

#define LIST_OPEN  false
#define LIST_KEYED true

static const struct list_zone list_zones[] = {
#define LIST(text, is, key, row)                                                                   \
    {.zone = text, .kind = LIST_KIND_##is, .has_key = LIST_##key, .rules = LIST_RULES_##row},
#define LIST_ENDED(text, is, when) {.zone = text, .kind = LIST_KIND_##is, .ended = when},
#include "mail/lists.def"
#undef LIST_ENDED
#undef LIST
};

#define LIST_ZONE_COUNT (sizeof list_zones / sizeof list_zones[0])

/* Bytes of each zone in wire form: every dot becomes a length, one more length goes before, and the
 * NUL that sizeof counts stands for the root. One memchr() over this row finds the few zones that a
 * name's ending can be at all. */
static const uint8_t list_zone_lens[] = {
#define LIST(zone, ...)       (uint8_t)(sizeof zone + 1),
#define LIST_ENDED(zone, ...) (uint8_t)(sizeof zone + 1),
#include "mail/lists.def"
#undef LIST_ENDED
#undef LIST
};

/* The first letter of each: nearly all that have the right length by chance end here. */
static const uint8_t list_zone_firsts[] = {
#define LIST(zone, ...)       (uint8_t)(zone)[0],
#define LIST_ENDED(zone, ...) (uint8_t)(zone)[0],
#include "mail/lists.def"
#undef LIST_ENDED
#undef LIST
};

/* No known zone has more labels, so only the last few of a name are compared. */
#define LIST_ZONE_LABELS_MAX 5

/* Where the labels of a name begin. */
struct list_labels {
    const uint8_t *name;
    size_t len;
    unsigned count; /* Without the root. */
    uint8_t starts[NAME_LABELS_MAX];
};

const struct list_zone *list_zone_table(size_t *count_out)
{
    *count_out = LIST_ZONE_COUNT;
    return list_zones;
}

static bool list_labels_of(const uint8_t *name, size_t len, struct list_labels *labels_out)
{
    labels_out->name = name;
    labels_out->len = len;
    labels_out->count = 0;
    size_t at = 0;
    while (at < len && name[at] != 0) {
        if (labels_out->count == NAME_LABELS_MAX || at > UINT8_MAX) {
            return false;
        }
        labels_out->starts[labels_out->count++] = (uint8_t)at;
        at += 1u + name[at];
    }
    return at + 1 == len;
}

static uint8_t list_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Does the wire form at `wire` read as the text `zone`? Lengths are equal; a length byte stands
 * where the text has a dot. A dot within a label of the name is no such dot. */
static bool list_zone_equals(const uint8_t *wire, const char *zone)
{
    size_t label_left = wire[0];
    for (size_t i = 0; zone[i] != '\0'; i++) {
        uint8_t byte = wire[i + 1];
        bool is_label_end = label_left == 0;
        if (is_label_end != (zone[i] == '.')) {
            return false;
        }
        if (!is_label_end && list_lower(byte) != (uint8_t)zone[i]) {
            return false;
        }
        label_left = is_label_end ? byte : label_left - 1;
    }
    return label_left == 0;
}

/* The known zone whose wire form is exactly `len` bytes at `wire`, or NULL. */
static const struct list_zone *list_zone_at(const uint8_t *wire, size_t len)
{
    size_t row = 0;
    while (len <= UINT8_MAX && row < LIST_ZONE_COUNT) {
        const uint8_t *hit = memchr(list_zone_lens + row, (int)len, LIST_ZONE_COUNT - row);
        if (hit == NULL) {
            return NULL;
        }
        row = (size_t)(hit - list_zone_lens);
        bool may_equal = list_zone_firsts[row] == list_lower(wire[1]);
        if (may_equal && list_zone_equals(wire, list_zones[row].zone)) {
            return &list_zones[row];
        }
        row++;
    }
    return NULL;
}

/* A decimal octet without leading zeros, or -1. */
static int list_octet_of(const uint8_t *label)
{
    unsigned len = label[0];
    if (len < 1 || len > 3 || (len > 1 && label[1] == '0')) {
        return -1;
    }
    int value = 0;
    for (unsigned i = 1; i <= len; i++) {
        if (label[i] < '0' || label[i] > '9') {
            return -1;
        }
        value = value * 10 + (label[i] - '0');
    }
    return value <= UINT8_MAX ? value : -1;
}

/* A single hexadecimal digit, or -1. */
static int list_nibble_of(const uint8_t *label)
{
    uint8_t digit = list_lower(label[1]);
    if (label[0] != 1) {
        return -1;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool list_address_ipv4(const struct list_labels *labels, struct address *address_out)
{
    struct address address = {.family = ADDRESS_IPV4};
    for (unsigned i = 0; i < LIST_OCTETS; i++) {
        int octet = list_octet_of(labels->name + labels->starts[i]);
        if (octet < 0) {
            return false;
        }
        address.bytes[LIST_OCTETS - 1 - i] = (uint8_t)octet;
    }
    *address_out = address;
    return true;
}

static bool list_address_ipv6(const struct list_labels *labels, struct address *address_out)
{
    struct address address = {.family = ADDRESS_IPV6};
    for (unsigned i = 0; i < LIST_NIBBLES; i++) {
        int nibble = list_nibble_of(labels->name + labels->starts[i]);
        if (nibble < 0) {
            return false;
        }
        unsigned place = LIST_NIBBLES - 1 - i; /* Of the nibble, in the address's own order. */
        unsigned shift = place % 2 == 0 ? 4 : 0;
        address.bytes[place / 2] = (uint8_t)(address.bytes[place / 2] | (unsigned)nibble << shift);
    }
    *address_out = address;
    return true;
}

/* The first `subject_labels` labels as a reversed address; there may be no others among them. */
static bool list_address_of(
    const struct list_labels *labels, unsigned subject_labels, struct address *address_out)
{
    if (subject_labels == LIST_OCTETS) {
        return list_address_ipv4(labels, address_out);
    }
    return subject_labels == LIST_NIBBLES && list_address_ipv6(labels, address_out);
}

/* The longest known zone among the name's ends from label `from` on, or NULL; `label_out` is where
 * it begins. */
static const struct list_zone *list_zone_find(
    const struct list_labels *labels, unsigned from, unsigned *label_out)
{
    bool is_long = labels->count > LIST_ZONE_LABELS_MAX;
    unsigned first = is_long ? labels->count - LIST_ZONE_LABELS_MAX : 0;
    for (unsigned i = first > from ? first : from; i < labels->count; i++) {
        size_t at = labels->starts[i];
        const struct list_zone *known = list_zone_at(labels->name + at, labels->len - at);
        if (known != NULL) {
            *label_out = i;
            return known;
        }
    }
    return NULL;
}

/* At least one label of subject stands before the zone at label `label` and, where the list has
 * keys, the key between the two. */
static bool list_question_before(const struct list_zone *zone, const struct list_labels *labels,
    unsigned label, struct list_question *question_out)
{
    unsigned subject_labels = zone->has_key && label > 0 ? label - 1 : label;
    if (subject_labels == 0) {
        return false;
    }
    *question_out = (struct list_question){
        .kind = zone->kind,
        .known = zone,
        .zone_at = labels->starts[label],
        .subject_end = labels->starts[subject_labels],
    };
    question_out->has_address = list_address_of(labels, subject_labels, &question_out->address);
    return true;
}

static bool list_question_known(
    const struct list_labels *labels, struct list_question *question_out)
{
    unsigned label;
    const struct list_zone *known = list_zone_find(labels, 1, &label);
    return known != NULL && list_question_before(known, labels, label, question_out);
}

static bool list_is_under_arpa(const struct list_labels *labels)
{
    static const uint8_t in_addr[] = "\7in-addr\4arpa";
    static const uint8_t ip6[] = "\3ip6\4arpa";
    return name_is_under(labels->name, labels->len, in_addr, sizeof in_addr) ||
           name_is_under(labels->name, labels->len, ip6, sizeof ip6);
}

static bool list_label_is_number(const uint8_t *label)
{
    for (unsigned i = 1; i <= label[0]; i++) {
        if (label[i] < '0' || label[i] > '9') {
            return false;
        }
    }
    return true;
}

/*
 * A reversed address before some zone, asked for A or TXT, is almost always a question to a list
 * that we do not know. Not always: providers name dial-up hosts like 4.3.2.1.dynamic.isp.example.
 * That is good enough for statistics and for short stale times; nothing harder may be built on it.
 */
static bool list_question_by_shape(
    const struct list_labels *labels, uint16_t type, struct list_question *question_out)
{
    unsigned subject_labels = LIST_OCTETS;
    if (type != TYPE_A && type != TYPE_TXT) {
        return false;
    }
    if (labels->count >= LIST_NIBBLES + LIST_SHAPE_LABELS &&
        list_nibble_of(labels->name + labels->starts[LIST_OCTETS]) >= 0) {
        subject_labels = LIST_NIBBLES;
    }
    if (labels->count < subject_labels + LIST_SHAPE_LABELS) {
        return false;
    }
    struct list_question question = {
        .kind = LIST_KIND_IP,
        .zone_at = labels->starts[subject_labels],
        .subject_end = labels->starts[subject_labels],
    };
    if (!list_address_of(labels, subject_labels, &question.address) ||
        list_label_is_number(labels->name + question.zone_at) || list_is_under_arpa(labels)) {
        return false;
    }
    question.has_address = true;
    *question_out = question;
    return true;
}

bool list_question_of(
    const uint8_t *name, size_t len, uint16_t type, struct list_question *question_out)
{
    struct list_labels labels;
    if (!list_labels_of(name, len, &labels)) {
        return false;
    }
    return list_question_known(&labels, question_out) ||
           list_question_by_shape(&labels, type, question_out);
}

const struct list_zone *list_zone_above(const uint8_t *name, size_t len, size_t *zone_at_out)
{
    struct list_labels labels;
    unsigned label;
    if (!list_labels_of(name, len, &labels)) {
        return NULL;
    }
    const struct list_zone *zone = list_zone_find(&labels, 0, &label);
    if (zone != NULL) {
        *zone_at_out = labels.starts[label];
    }
    return zone;
}

bool list_question_at(const struct list_zone *zone, const uint8_t *name, size_t len, size_t zone_at,
    struct list_question *question_out)
{
    struct list_labels labels;
    if (!list_labels_of(name, len, &labels)) {
        return false;
    }
    for (unsigned label = 1; label < labels.count; label++) {
        if (labels.starts[label] == zone_at) {
            return list_question_before(zone, &labels, label, question_out);
        }
    }
    return false;
}

bool list_zone_is_direct(const struct list_zone *zone)
{
    return zone->ended == NULL && !zone->has_key;
}
