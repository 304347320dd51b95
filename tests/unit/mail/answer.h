/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/header.h"
#include "wire/name.h"
#include "wire/types.h"
#include "mail/list_zone.h"
#include "mail/sequel.h"

/*
 * For the tests of this floor: questions from text, and answers in the stored form, written record
 * by record.
 */
struct asked {
    uint8_t name[NAME_SIZE_MAX];
    size_t name_len;
    uint16_t type;
    struct sequel_subject subject;
    bool has_subject;
};

/* Points into itself: not to be copied. */
static inline void ask(struct asked *asked, const char *name, uint16_t type)
{
    struct list_question list;
    assert_true(name_from_text(name, strlen(name), asked->name, &asked->name_len));
    asked->type = type;
    bool is_list = list_question_of(asked->name, asked->name_len, type, &list);
    asked->has_subject = sequel_subject_of(
        asked->name, asked->name_len, type, is_list ? &list : NULL, &asked->subject);
}

struct stored {
    uint8_t bytes[4096];
    struct writer writer;
    uint16_t counts[4];
    uint16_t type;
    size_t rdata_at;
};

static inline void stored_begin(struct stored *stored, const struct asked *asked, unsigned rcode)
{
    *stored = (struct stored){.counts = {1}, .type = asked->type};
    stored->writer = writer_of(stored->bytes, sizeof stored->bytes);
    writer_take(&stored->writer, HEADER_SIZE);
    header_set_flags(stored->bytes, (uint16_t)(HEADER_QR | rcode));
    header_set_counts(stored->bytes, stored->counts);
    writer_bytes(&stored->writer, asked->name, asked->name_len);
    writer_u16(&stored->writer, asked->type);
    writer_u16(&stored->writer, CLASS_IN);
}

static inline void record_open(struct stored *stored, uint16_t type)
{
    writer_u16(&stored->writer, 0xc00c);
    writer_u16(&stored->writer, type);
    writer_u16(&stored->writer, CLASS_IN);
    writer_u32(&stored->writer, 300);
    stored->rdata_at = stored->writer.len + 2;
    writer_u16(&stored->writer, 0);
}

static inline void record_close(struct stored *stored)
{
    size_t len = stored->writer.len - stored->rdata_at;
    bytes_put_u16(stored->bytes + stored->rdata_at - 2, (uint16_t)len);
    stored->counts[1]++;
    header_set_counts(stored->bytes, stored->counts);
}

static inline void put_name(struct stored *stored, const char *text)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    assert_true(name_from_text(text, strlen(text), name, &len));
    writer_bytes(&stored->writer, name, len);
}

static inline void add_name(struct stored *stored, uint16_t type, const char *text)
{
    record_open(stored, type);
    put_name(stored, text);
    record_close(stored);
}

static inline void add_mx(struct stored *stored, uint16_t preference, const char *text)
{
    record_open(stored, TYPE_MX);
    writer_u16(&stored->writer, preference);
    put_name(stored, text);
    record_close(stored);
}

/* Strings, each ended by '|'; the last one by the end. */
static inline void add_txt(struct stored *stored, const char *text)
{
    record_open(stored, TYPE_TXT);
    while (*text != '\0') {
        size_t len = strcspn(text, "|");
        writer_u8(&stored->writer, (uint8_t)len);
        writer_bytes(&stored->writer, (const uint8_t *)text, len);
        text += len + (text[len] == '|' ? 1 : 0);
    }
    record_close(stored);
}

static inline size_t follow(const struct asked *asked, const struct stored *stored,
    struct sequel_next next[SEQUEL_NEXT_MAX])
{
    const struct sequel_answer answer = {stored->bytes, stored->writer.len};
    return sequel_follow(&asked->subject, &answer, next);
}

static inline void assert_next(
    const struct sequel_next *next, enum sequel_step step, const char *name, uint16_t type)
{
    char text[NAME_TEXT_SIZE];
    (void)name_to_text(next->name, next->name_len, text, sizeof text);
    assert_string_equal(text, name);
    assert_int_equal(next->step, step);
    assert_int_equal(next->type, type);
}
