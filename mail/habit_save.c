/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/habit_save.h"

#include <stdlib.h>
#include <string.h>

#include "wire/bytes.h"
#include "mail/habit.h"

/*
 * The saved form, big-endian: "MXHB", a version, the key of the hashes; then, each after its number
 * of entries: zones, rows that are not empty, worths, selectors. What is under watch is not saved:
 * no row has more opened subjects than matured ones.
 */
#define HABIT_MAGIC   UINT32_C(0x4d584842)
#define HABIT_VERSION HABIT_SAVE_VERSION

#define SAVE_SELECTOR_MAX (2 + 8 + HABIT_LABEL_SIZE)

static void save_u64(struct writer *writer, uint64_t value)
{
    writer_u32(writer, (uint32_t)(value >> 32));
    writer_u32(writer, (uint32_t)value);
}

static void save_zones(const struct habit *habit, struct writer *writer)
{
    writer_u16(writer, HABIT_ZONES);
    for (unsigned i = 0; i < HABIT_ZONES; i++) {
        const struct habit_zone *zone = &habit->zones[i];
        writer_u8(writer, zone->len);
        writer_bytes(writer, zone->name, zone->len);
        writer_u16(writer, zone->uses);
    }
}

static uint16_t save_least(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

static void save_rows(const struct habit *habit, struct writer *writer)
{
    uint16_t count = 0;
    size_t count_at = writer->len;
    writer_u16(writer, 0);
    for (unsigned i = 0; i < HABIT_ROWS; i++) {
        const struct habit_row *row = &habit->rows[i];
        if (row->matured == 0) {
            continue;
        }
        count++;
        writer_u16(writer, (uint16_t)i);
        writer_u16(writer, row->matured);
        save_u64(writer, row->dnssec);
        for (unsigned target = 0; target < HABIT_TARGETS; target++) {
            writer_u16(writer, save_least(row->asked[target], row->matured));
        }
    }
    if (!writer->is_cut) {
        bytes_put_u16(writer->bytes + count_at, count);
    }
}

static void save_worths(const struct habit *habit, struct writer *writer)
{
    writer_u16(writer, SEQUEL_STEPS);
    for (unsigned i = 0; i < SEQUEL_STEPS; i++) {
        writer_u16(writer, habit->worths[i].settled);
        writer_u16(writer, habit->worths[i].used);
    }
}

static void save_selectors(const struct habit *habit, struct writer *writer)
{
    uint16_t count = 0;
    size_t count_at = writer->len;
    writer_u16(writer, 0);
    for (unsigned i = 0; i < HABIT_SELECTORS; i++) {
        const struct habit_selector *selector = &habit->selectors[i];
        if (selector->tag == 0 || writer->size - writer->len < SAVE_SELECTOR_MAX) {
            continue;
        }
        count++;
        writer_u16(writer, (uint16_t)i);
        save_u64(writer, selector->tag);
        writer_bytes(writer, selector->label, 1u + selector->label[0]);
    }
    if (!writer->is_cut) {
        bytes_put_u16(writer->bytes + count_at, count);
    }
}

size_t habit_save(const struct habit *habit, uint8_t *bytes_out, size_t size)
{
    struct writer writer = writer_of(bytes_out, size);
    writer_u32(&writer, HABIT_MAGIC);
    writer_u16(&writer, HABIT_VERSION);
    save_u64(&writer, habit->secret.k0);
    save_u64(&writer, habit->secret.k1);
    save_zones(habit, &writer);
    save_rows(habit, &writer);
    save_worths(habit, &writer);
    save_selectors(habit, &writer);
    return writer.is_cut ? 0 : writer.len;
}

uint32_t habit_weight(const struct habit *habit)
{
    uint32_t weight = 0;
    for (unsigned i = 0; i < HABIT_ROWS; i++) {
        weight += habit->rows[i].matured;
    }
    return weight;
}

/* ---- And back ---- */

static bool load_u64(struct reader *reader, uint64_t *value_out)
{
    uint32_t high;
    uint32_t low;
    if (!reader_u32(reader, &high) || !reader_u32(reader, &low)) {
        return false;
    }
    *value_out = (uint64_t)high << 32 | low;
    return true;
}

static bool load_bytes(struct reader *reader, uint8_t *bytes_out, size_t len)
{
    size_t at = reader->at;
    if (!reader_skip(reader, len)) {
        return false;
    }
    memcpy(bytes_out, reader->bytes + at, len);
    return true;
}

static bool load_head(struct habit *habit, struct reader *reader)
{
    uint32_t magic;
    uint16_t version;
    return reader_u32(reader, &magic) && magic == HABIT_MAGIC && reader_u16(reader, &version) &&
           version == HABIT_VERSION && load_u64(reader, &habit->secret.k0) &&
           load_u64(reader, &habit->secret.k1);
}

static bool load_count(struct reader *reader, uint16_t *count_out, size_t limit)
{
    return reader_u16(reader, count_out) && *count_out <= limit;
}

static bool load_zones(struct habit *habit, struct reader *reader)
{
    uint16_t count;
    if (!load_count(reader, &count, HABIT_ZONES) || count != HABIT_ZONES) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        struct habit_zone *zone = &habit->zones[i];
        if (!reader_u8(reader, &zone->len) || zone->len > HABIT_ZONE_SIZE ||
            !load_bytes(reader, zone->name, zone->len) || !reader_u16(reader, &zone->uses) ||
            (zone->len == 0 ? zone->uses > 0 : !name_is_valid(zone->name, zone->len))) {
            return false;
        }
    }
    return true;
}

static bool load_row(struct habit *habit, struct reader *reader)
{
    uint16_t index;
    uint16_t matured;
    if (!load_count(reader, &index, HABIT_ROWS - 1) ||
        !load_count(reader, &matured, HABIT_ROW_MAX)) {
        return false;
    }
    struct habit_row *row = &habit->rows[index];
    row->opened = matured;
    row->matured = matured;
    if (!load_u64(reader, &row->dnssec)) {
        return false;
    }
    for (unsigned target = 0; target < HABIT_TARGETS; target++) {
        if (!load_count(reader, &row->asked[target], matured)) {
            return false;
        }
    }
    return true;
}

static bool load_rows(struct habit *habit, struct reader *reader)
{
    uint16_t count;
    bool is_good = load_count(reader, &count, HABIT_ROWS);
    for (unsigned i = 0; is_good && i < count; i++) {
        is_good = load_row(habit, reader);
    }
    return is_good;
}

static bool load_worths(struct habit *habit, struct reader *reader)
{
    uint16_t count;
    if (!load_count(reader, &count, SEQUEL_STEPS) || count != SEQUEL_STEPS) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        struct habit_worth *worth = &habit->worths[i];
        if (!reader_u16(reader, &worth->settled) ||
            !load_count(reader, &worth->used, worth->settled)) {
            return false;
        }
    }
    return true;
}

static bool load_selector(struct habit *habit, struct reader *reader)
{
    uint16_t index;
    uint8_t len;
    if (!load_count(reader, &index, HABIT_SELECTORS - 1)) {
        return false;
    }
    struct habit_selector *selector = &habit->selectors[index];
    if (!load_u64(reader, &selector->tag) || selector->tag == 0 || !reader_u8(reader, &len) ||
        len == 0 || len >= HABIT_LABEL_SIZE) {
        return false;
    }
    selector->label[0] = len;
    selector->seen = ++habit->selectors_seen;
    return load_bytes(reader, selector->label + 1, len);
}

static bool load_selectors(struct habit *habit, struct reader *reader)
{
    uint16_t count;
    bool is_good = load_count(reader, &count, HABIT_SELECTORS);
    for (unsigned i = 0; is_good && i < count; i++) {
        is_good = load_selector(habit, reader);
    }
    return is_good && reader_left(reader) == 0;
}

bool habit_load(struct habit *habit, const uint8_t *bytes, size_t len)
{
    struct habit *loaded = calloc(1, sizeof *loaded);
    struct reader reader = reader_of(bytes, len);
    if (loaded == NULL) {
        return false;
    }
    loaded->worth = habit->worth;
    bool is_good = load_head(loaded, &reader) && load_zones(loaded, &reader) &&
                   load_rows(loaded, &reader) && load_worths(loaded, &reader) &&
                   load_selectors(loaded, &reader);
    if (is_good) {
        *habit = *loaded;
    }
    free(loaded);
    return is_good;
}
