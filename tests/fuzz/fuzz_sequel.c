/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a byte that chooses the subject and the limit, then an SPF record. What it foretells are
 * good names in lower case, within the limit; a smaller limit and the way through an answer's TXT
 * record, cut into strings anywhere, lead to the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/question.h"
#include "wire/types.h"
#include "mail/sequel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So much text passes through an answer whole (mail/sequel_follow.c). */
#define TEXT_MAX 1024

static const char *const subjects[] = {"example.org", "a.b.c.d.e.f.g.example.net",
    "0123456789012345678901234567890123456789012345678901234567890.example.com", "x"};

static size_t read_spf(const uint8_t *text, size_t len, const struct sequel_subject *subject,
    size_t limit, struct sequel_next *next_out)
{
    struct sequel_list list = {.next = next_out, .limit = limit};
    sequel_read_spf(text, len, subject, &list);
    must(list.count <= limit);
    return list.count;
}

static void check_next(const struct sequel_next *next)
{
    uint8_t lower[NAME_SIZE_MAX];
    must(name_is_valid(next->name, next->name_len) && next->name_len > 1);
    memcpy(lower, next->name, next->name_len);
    name_to_lower(lower, next->name_len);
    must(memcmp(lower, next->name, next->name_len) == 0);
    must(next->step == SEQUEL_SPF_INCLUDE || next->step == SEQUEL_SPF_OTHER);
    must((next->type == TYPE_TXT) == (next->step == SEQUEL_SPF_INCLUDE));
    must(next->type == TYPE_TXT || next->type == TYPE_A || next->type == TYPE_MX);
}

static void check_same(const struct sequel_next *a, const struct sequel_next *b)
{
    must(a->step == b->step && a->type == b->type);
    must(name_equal(a->name, a->name_len, b->name, b->name_len));
}

/* The stored form of an answer with this one TXT record. */
static size_t put_answer(uint8_t *bytes_out, size_t bytes_size, const struct question *question,
    const uint8_t *text, size_t len)
{
    struct writer writer = writer_of(bytes_out, bytes_size);
    const uint16_t counts[4] = {1, 1, 0, 0};
    size_t string_size = len > 0 ? 1 + text[0] % 255u : 1;
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, question);
    static const uint8_t head[] = {0xc0, 12, 0, TYPE_TXT, 0, CLASS_IN, 0, 0, 1, 44};
    writer_bytes(&writer, head, sizeof head);
    size_t rdata_at = writer.len + 2;
    writer_u16(&writer, 0);
    for (size_t at = 0; at < len; at += string_size) {
        size_t part = len - at < string_size ? len - at : string_size;
        writer_u8(&writer, (uint8_t)part);
        writer_bytes(&writer, text + at, part);
    }
    bytes_put_u16(bytes_out + rdata_at - 2, (uint16_t)(writer.len - rdata_at));
    header_set_flags(bytes_out, HEADER_QR);
    header_set_counts(bytes_out, counts);
    return writer.len;
}

static void check_follow(const struct sequel_subject *subject, const struct question *question,
    const uint8_t *text, size_t len)
{
    struct sequel_next expected[SEQUEL_NEXT_MAX];
    struct sequel_next found[SEQUEL_NEXT_MAX];
    uint8_t bytes[4 * TEXT_MAX];
    size_t count = read_spf(text, len, subject, SEQUEL_SPF_MAX, expected);
    struct sequel_answer answer = {bytes, 0};
    answer.len = put_answer(bytes, sizeof bytes, question, text, len);
    must(sequel_follow(subject, &answer, found) == count);
    for (size_t i = 0; i < count; i++) {
        check_same(&expected[i], &found[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct question question = {.type = TYPE_TXT, .class = CLASS_IN};
    const char *name = subjects[data[0] % 4];
    size_t name_len = 0;
    struct sequel_subject subject;
    must(name_from_text(name, strlen(name), question.name, &name_len));
    question.name_len = (uint8_t)name_len;
    must(sequel_subject_of(question.name, name_len, TYPE_TXT, NULL, &subject));

    /* A copy of its own size, so that reading past its end is seen. */
    size_t len = size - 1;
    uint8_t *text = malloc(len > 0 ? len : 1);
    must(text != NULL);
    memcpy(text, data + 1, len);
    struct sequel_next all[SEQUEL_NEXT_MAX];
    struct sequel_next some[SEQUEL_NEXT_MAX];
    size_t limit = data[0] / 4 % (SEQUEL_NEXT_MAX + 1);
    size_t count = read_spf(text, len, &subject, SEQUEL_NEXT_MAX, all);
    size_t count_some = read_spf(text, len, &subject, limit, some);
    must(count_some == (count < limit ? count : limit));
    for (size_t i = 0; i < count; i++) {
        check_next(&all[i]);
    }
    for (size_t i = 0; i < count_some; i++) {
        check_same(&all[i], &some[i]);
    }
    if (len <= TEXT_MAX) {
        check_follow(&subject, &question, text, len);
    }
    free(text);
    return 0;
}
