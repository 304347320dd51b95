/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_tale.h"

#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "base/must.h"
#include "wire/types.h"

/* ---- Names ---- */

static uint8_t byte_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

static void name_lower(struct world_name *name)
{
    for (size_t i = 0; i < name->len; i++) {
        name->bytes[i] = byte_lower(name->bytes[i]);
    }
}

struct world_name tale_name(const char *text)
{
    struct world_name name = {.len = 0};
    ldns_rdf *rdf = ldns_dname_new_frm_str(text);
    must(rdf != NULL && ldns_rdf_size(rdf) <= sizeof name.bytes);
    name.len = (uint8_t)ldns_rdf_size(rdf);
    memcpy(name.bytes, ldns_rdf_data(rdf), name.len);
    ldns_rdf_deep_free(rdf);
    return name;
}

bool tale_name_is(const struct world_name *a, const struct world_name *b)
{
    if (a->len != b->len) {
        return false;
    }
    for (size_t i = 0; i < a->len; i++) {
        if (byte_lower(a->bytes[i]) != byte_lower(b->bytes[i])) {
            return false;
        }
    }
    return true;
}

bool tale_name_is_under(const struct world_name *name, const struct world_name *zone)
{
    for (size_t at = 0; at < name->len; at += 1u + name->bytes[at]) {
        struct world_name end = {.len = (uint8_t)(name->len - at)};
        memcpy(end.bytes, name->bytes + at, end.len);
        if (tale_name_is(&end, zone)) {
            return true;
        }
    }
    return false;
}

/* ---- Reading ---- */

struct scroll {
    const uint8_t *bytes;
    size_t len;
    size_t at;
};

static bool scroll_take(struct scroll *scroll, size_t count, uint32_t *value_out)
{
    if (scroll->len - scroll->at < count) {
        return false;
    }
    *value_out = 0;
    for (size_t i = 0; i < count; i++) {
        *value_out = *value_out << 8 | scroll->bytes[scroll->at++];
    }
    return true;
}

static bool scroll_label(struct scroll *scroll, size_t at, struct world_name *name)
{
    size_t size = 1u + scroll->bytes[at];
    if (scroll->len - at < size || name->len + size > NAME_SIZE_MAX) {
        return false;
    }
    memcpy(name->bytes + name->len, scroll->bytes + at, size);
    name->len = (uint8_t)(name->len + size);
    return true;
}

/* Where a pointer at `at` leads: a prior occurrence (RFC 1035 section 4.1.4), behind the header and
 * before the labels that led to it. False: nowhere. */
static bool scroll_pointer(const struct scroll *scroll, size_t at, size_t begun, size_t *target_out)
{
    struct scroll place = {scroll->bytes, scroll->len, at};
    uint32_t value;
    if (!scroll_take(&place, 2, &value)) {
        return false;
    }
    *target_out = value & 0x3fffu;
    return *target_out >= HEADER_SIZE && *target_out < begun;
}

static bool scroll_name(struct scroll *scroll, struct world_name *name_out)
{
    size_t at = scroll->at;
    size_t begun = at;
    size_t end = 0; /* Behind the first pointer. */
    name_out->len = 0;
    while (at < scroll->len) {
        unsigned size = scroll->bytes[at];
        if (size >= 0xc0) {
            end = end == 0 ? at + 2 : end;
            if (!scroll_pointer(scroll, at, begun, &at)) {
                return false;
            }
            begun = at;
            continue;
        }
        if (size > 63 || !scroll_label(scroll, at, name_out)) {
            return false;
        }
        at += 1u + size;
        if (size == 0) {
            scroll->at = end == 0 ? at : end;
            return true;
        }
    }
    return false;
}

/* Data as it is compared: how many bytes stand before, between and behind the names in it. */
struct shape {
    uint16_t type;
    uint8_t before;
    uint8_t names;
    uint8_t behind;
};

#define SHAPE_REST 255 /* Any number of bytes. */

static const struct shape shapes[] = {
    {TYPE_A, 4, 0, 0},
    {TYPE_AAAA, 16, 0, 0},
    {TYPE_NS, 0, 1, 0},
    {TYPE_CNAME, 0, 1, 0},
    {TYPE_PTR, 0, 1, 0},
    {TYPE_DNAME, 0, 1, 0},
    {TYPE_MX, 2, 1, 0},
    {TYPE_SRV, 6, 1, 0},
    {TYPE_SOA, 0, 2, 20},
    {TYPE_RRSIG, 18, 1, SHAPE_REST},
    {TYPE_NSEC, 0, 1, SHAPE_REST},
};

static void heap_put(struct tale *tale, const uint8_t *bytes, size_t len)
{
    must(tale->heap_len + len <= TALE_HEAP_MAX);
    if (len > 0) {
        memcpy(tale->heap + tale->heap_len, bytes, len);
    }
    tale->heap_len += len;
}

static bool shape_read(struct tale *tale, const struct shape *shape, struct scroll *data)
{
    if (data->len - data->at < shape->before) {
        return false;
    }
    heap_put(tale, data->bytes + data->at, shape->before);
    data->at += shape->before;
    for (unsigned i = 0; i < shape->names; i++) {
        struct world_name name;
        if (!scroll_name(data, &name)) {
            return false;
        }
        name_lower(&name);
        heap_put(tale, name.bytes, name.len);
    }
    size_t left = data->len - data->at;
    heap_put(tale, data->bytes + data->at, left);
    return shape->behind == SHAPE_REST ? left > 0 : left == shape->behind;
}

/* Strings that fill the data exactly, one at least (RFC 1035 section 3.3.14). */
static bool text_is_whole(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        at += 1u + bytes[at];
    }
    return len > 0 && at == len;
}

/* The data, without compression if the type may have that; else, or broken, as it stands. */
static void data_read(
    struct tale *tale, struct tale_record *record, const struct scroll *scroll, size_t len)
{
    struct scroll data = {scroll->bytes, scroll->at + len, scroll->at};
    record->data_at = tale->heap_len;
    record->is_broken = record->type == TYPE_TXT && !text_is_whole(scroll->bytes + data.at, len);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (shapes[i].type != record->type) {
            continue;
        }
        if (shape_read(tale, &shapes[i], &data)) {
            record->len = (uint16_t)(tale->heap_len - record->data_at);
            return;
        }
        record->is_broken = true;
        tale->heap_len = record->data_at;
    }
    heap_put(tale, scroll->bytes + scroll->at, len);
    record->len = (uint16_t)len;
}

static bool record_take(struct tale *tale, struct scroll *scroll, unsigned section)
{
    uint32_t type;
    uint32_t class;
    uint32_t len;
    must(tale->count < TALE_RECORDS_MAX);
    struct tale_record *record = &tale->records[tale->count];
    *record = (struct tale_record){.section = section, .len_told = TALE_TRUE};
    if (!scroll_name(scroll, &record->owner) || !scroll_take(scroll, 2, &type) ||
        !scroll_take(scroll, 2, &class) || !scroll_take(scroll, 4, &record->ttl) ||
        !scroll_take(scroll, 2, &len) || scroll->len - scroll->at < len) {
        return false;
    }
    record->type = (uint16_t)type;
    record->class = (uint16_t) class;
    data_read(tale, record, scroll, len);
    for (size_t i = 0; i < record->len; i++) {
        record->sum = record->sum * 31 + tale->heap[record->data_at + i];
    }
    scroll->at += len;
    tale->count++;
    return true;
}

/* RFC 6891 section 6.1.1: one at most, in the additional section, and its owner is the root. */
static bool opt_is_right(const struct tale *tale)
{
    size_t seen = 0;
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *record = &tale->records[i];
        if (record->type == TYPE_OPT) {
            seen++;
            if (seen > 1 || record->section != TALE_ADDITIONAL || record->owner.len != 1) {
                return false;
            }
        }
    }
    return true;
}

static bool question_take(struct tale *tale, struct scroll *scroll)
{
    uint32_t type;
    uint32_t class;
    if (!scroll_name(scroll, &tale->name) || !scroll_take(scroll, 2, &type) ||
        !scroll_take(scroll, 2, &class)) {
        return false;
    }
    tale->type = (uint16_t)type;
    tale->class = (uint16_t) class;
    return true;
}

bool tale_read(struct tale *tale, const uint8_t *bytes, size_t len)
{
    struct scroll scroll = {bytes, len, 0};
    uint32_t head[6];
    memset(tale, 0, offsetof(struct tale, records));
    tale->count = 0;
    tale->heap_len = 0;
    for (unsigned i = 0; i < 6; i++) {
        if (!scroll_take(&scroll, 2, &head[i])) {
            return false;
        }
    }
    tale->id = (uint16_t)head[0];
    tale->flags = (uint16_t)head[1];
    tale->question_count = head[2];
    for (unsigned i = 0; i < 4; i++) {
        tale->counts_told[i] = TALE_TRUE;
    }
    /* RFC 9619: never more than one, and a reply without has nothing to compare. */
    if (tale->question_count != 1 || !question_take(tale, &scroll)) {
        return false;
    }
    for (unsigned section = 1; section <= 3; section++) {
        for (uint32_t i = 0; i < head[2 + section]; i++) {
            if (tale->count == TALE_RECORDS_MAX || !record_take(tale, &scroll, section)) {
                return false;
            }
        }
    }
    return opt_is_right(tale);
}

/* ---- Writing ---- */

static void scribe_u16(struct writer *writer, size_t value)
{
    writer_u16(writer, (uint16_t)value);
}

/* The longest end of the name that the question has too becomes a pointer into it. */
static void scribe_name(struct writer *writer, const struct tale *tale, const uint8_t *name)
{
    size_t len = 1;
    for (size_t at = 0; name[at] != 0; at += 1u + name[at]) {
        len += 1u + name[at];
    }
    for (size_t at = 0; at + 1 < len; at += 1u + name[at]) {
        struct world_name end = {.len = (uint8_t)(len - at)};
        memcpy(end.bytes, name + at, end.len);
        if (tale->question_count > 0 && tale_name_is_under(&tale->name, &end)) {
            writer_bytes(writer, name, at);
            scribe_u16(writer, 0xc000u + HEADER_SIZE + tale->name.len - end.len);
            return;
        }
    }
    writer_bytes(writer, name, len);
}

/* Is the data a name, with as many bytes before it as its type has, and nothing behind? */
static bool data_is_name(const uint8_t *data, const struct tale_record *record, size_t before)
{
    bool may_be = record->type == TYPE_CNAME || record->type == TYPE_NS ||
                  record->type == TYPE_PTR || record->type == TYPE_MX;
    size_t at = before;
    while (may_be && at < record->len && data[at] != 0 && data[at] <= 63) {
        at += 1u + data[at];
    }
    return may_be && at + 1 == record->len && data[at] == 0;
}

static void scribe_record(
    struct writer *writer, const struct tale *tale, const struct tale_record *record)
{
    const uint8_t *data = tale_data(tale, record);
    size_t before = record->type == TYPE_MX ? 2 : 0;
    scribe_name(writer, tale, record->owner.bytes);
    scribe_u16(writer, record->type);
    scribe_u16(writer, record->class);
    writer_u32(writer, record->ttl);
    size_t len_at = writer->len;
    scribe_u16(writer, 0);
    if (data_is_name(data, record, before)) {
        writer_bytes(writer, data, before);
        scribe_name(writer, tale, data + before);
    } else {
        writer_bytes(writer, data, record->len);
    }
    if (!writer->is_cut) {
        size_t len = writer->len - len_at - 2;
        bytes_put_u16(writer->bytes + len_at,
            (uint16_t)(record->len_told == TALE_TRUE ? len : (size_t)record->len_told));
    }
}

size_t tale_write(const struct tale *tale, uint8_t bytes_out[MESSAGE_SIZE_MAX])
{
    struct writer writer = writer_of(bytes_out, MESSAGE_SIZE_MAX);
    uint16_t counts[4] = {(uint16_t)tale->question_count, 0, 0, 0};
    writer_take(&writer, HEADER_SIZE);
    for (unsigned i = 0; i < tale->question_count; i++) {
        writer_bytes(&writer, tale->name.bytes, tale->name.len);
        scribe_u16(&writer, tale->type);
        scribe_u16(&writer, tale->class);
    }
    for (unsigned section = 1; section <= 3; section++) {
        for (size_t i = 0; i < tale->count; i++) {
            if (tale->records[i].section == section) {
                scribe_record(&writer, tale, &tale->records[i]);
                counts[section]++;
            }
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        counts[i] = tale->counts_told[i] == TALE_TRUE ? counts[i] : (uint16_t)tale->counts_told[i];
    }
    header_set_id(bytes_out, tale->id);
    header_set_flags(bytes_out, tale->flags);
    header_set_counts(bytes_out, counts);
    return writer.len;
}

/* ---- Changing ---- */

void tale_copy(struct tale *copy_out, const struct tale *tale)
{
    memcpy(copy_out, tale, offsetof(struct tale, records));
    memcpy(copy_out->records, tale->records, tale->count * sizeof tale->records[0]);
    copy_out->count = tale->count;
    memcpy(copy_out->heap, tale->heap, tale->heap_len);
    copy_out->heap_len = tale->heap_len;
}

struct tale_record *tale_put(
    struct tale *tale, const struct tale_record *form, const uint8_t *data, size_t len)
{
    must(tale->count < TALE_RECORDS_MAX);
    struct tale_record *record = &tale->records[tale->count++];
    *record = *form;
    record->len_told = TALE_TRUE;
    record->data_at = tale->heap_len;
    record->len = (uint16_t)len;
    heap_put(tale, data, len);
    return record;
}

struct tale_record *tale_add(struct tale *tale, unsigned section, const char *text)
{
    ldns_rr *rr = NULL;
    must(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) == LDNS_STATUS_OK);
    ldns_buffer *buffer = ldns_buffer_new(4096);
    must(buffer != NULL && ldns_rr_rdata2buffer_wire(buffer, rr) == LDNS_STATUS_OK);
    struct tale_record form = {.section = section,
        .type = (uint16_t)ldns_rr_get_type(rr),
        .class = (uint16_t)ldns_rr_get_class(rr),
        .ttl = ldns_rr_ttl(rr)};
    form.owner.len = (uint8_t)ldns_rdf_size(ldns_rr_owner(rr));
    memcpy(form.owner.bytes, ldns_rdf_data(ldns_rr_owner(rr)), form.owner.len);
    struct tale_record *record =
        tale_put(tale, &form, ldns_buffer_begin(buffer), ldns_buffer_position(buffer));
    ldns_buffer_free(buffer);
    ldns_rr_free(rr);
    return record;
}

void tale_remove(struct tale *tale, size_t index)
{
    tale->count--;
    memmove(&tale->records[index], &tale->records[index + 1],
        (tale->count - index) * sizeof tale->records[0]);
}

/* ---- Looking ---- */

const uint8_t *tale_data(const struct tale *tale, const struct tale_record *record)
{
    return tale->heap + record->data_at;
}

unsigned tale_rcode(const struct tale *tale)
{
    unsigned rcode = tale->flags & 0xfu;
    for (size_t i = 0; i < tale->count; i++) {
        if (tale->records[i].type == TYPE_OPT) {
            rcode |= tale->records[i].ttl >> 24 << 4;
        }
    }
    return rcode;
}

struct world_name tale_target(const struct tale *tale, const struct tale_record *record)
{
    struct world_name name;
    struct scroll scroll = {tale->heap, record->data_at + record->len, record->data_at};
    must(scroll_name(&scroll, &name));
    return name;
}

uint32_t tale_minimum(const struct tale *tale, const struct tale_record *record)
{
    struct scroll scroll = {tale->heap, record->data_at + record->len, 0};
    uint32_t minimum;
    scroll.at = scroll.len - 4;
    must(record->len >= 4 && scroll_take(&scroll, 4, &minimum));
    return minimum;
}
