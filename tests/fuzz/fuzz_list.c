/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to DNS lists and what their answers mean. Input: a byte for the type, a name in wire
 * form, then a reply. What is found in the name lies in it, in this order: subject, key, zone;
 * letters' case does not matter; nothing that is shown holds the key, nor the subject unless it may
 * be; and an answer's verdict and cause fit together.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/types.h"
#include "mail/list_answer.h"
#include "mail/list_zone.h"
#include "mail/redact.h"
#include "tests/fuzz/stored.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct name {
    const uint8_t *bytes;
    size_t len;
};

/* A label begins there. */
static bool is_edge(const struct name *name, size_t at)
{
    size_t edge = 0;
    while (edge < at && name->bytes[edge] != 0) {
        edge += (size_t)name->bytes[edge] + 1;
    }
    return edge == at;
}

static void check_question(const struct name *name, uint16_t type)
{
    struct list_question question;
    struct list_question again;
    uint8_t lower[NAME_SIZE_MAX];
    memcpy(lower, name->bytes, name->len);
    name_to_lower(lower, name->len);
    bool is_list = list_question_of(name->bytes, name->len, type, &question);
    must(list_question_of(lower, name->len, type, &again) == is_list);
    if (!is_list) {
        return;
    }
    must(question.known == again.known && question.zone_at == again.zone_at);
    must(question.subject_end > 0 && question.subject_end <= question.zone_at);
    must(question.zone_at < name->len && is_edge(name, question.zone_at));
    must(is_edge(name, question.subject_end));
    must(question.known != NULL || question.subject_end == question.zone_at);
    must(!question.has_address || question.address.family != ADDRESS_NONE);
    if (question.known != NULL) {
        size_t zone_at = 0;
        must(list_zone_above(name->bytes, name->len, &zone_at) == question.known);
        must(zone_at == question.zone_at && question.kind == question.known->kind);
    }
}

/* The text of the name from `at` on. */
static size_t tail_text(const struct name *name, size_t at, char text_out[NAME_TEXT_SIZE])
{
    return name_to_text(name->bytes + at, name->len - at, text_out, NAME_TEXT_SIZE);
}

static void check_redacted(const struct name *name, bool shows_subject)
{
    const struct redact_case redact = {.shows_subject = shows_subject};
    struct redacted kept;
    char text[REDACT_TEXT_SIZE];
    char again[REDACT_TEXT_SIZE];
    char tail[NAME_TEXT_SIZE];
    size_t zone_at = 0;
    const struct list_zone *zone = list_zone_above(name->bytes, name->len, &zone_at);
    size_t len = redact_name(&redact, name->bytes, name->len, text, sizeof text);
    must(len == strlen(text) && len > 0);
    redact_keep(&redact, name->bytes, name->len, &kept);
    must(name_is_valid(kept.name, kept.len) && kept.subject_len < kept.len);
    must(redact_kept_text(&kept, shows_subject, again, sizeof again) == len);
    must(strcmp(text, again) == 0);
    if (zone == NULL || zone_at == 0 || shows_subject) {
        return;
    }
    /* Two marks at most stand before the zone. */
    size_t tail_len = tail_text(name, zone_at, tail);
    must(len >= tail_len && strcmp(text + len - tail_len, tail) == 0);
    text[len - tail_len] = '\0';
    must(text[strspn(text, "?*.")] == '\0' && len - tail_len <= 4);
}

static void check_answer(const struct list_zone *zone, uint16_t type, const struct stored *stored)
{
    struct list_answer answer = list_answer_of(zone, type, stored->bytes, stored->normalised.len);
    bool is_plain =
        answer.verdict == LIST_VERDICT_LISTED || answer.verdict == LIST_VERDICT_NOT_LISTED;
    must(is_plain == (answer.cause == LIST_CAUSE_NONE));
    must(list_verdict_is_refusal(answer.verdict) != is_plain);
    must(list_cause_name(answer.cause) != NULL && list_cause_clause(answer.cause) != NULL);
    must(!list_cause_is_tested(answer.cause));
}

static void check_answers(const uint8_t *bytes, size_t len)
{
    static const struct normalise_limits limits = {.ttl_max = 86400, .negative_ttl_max = 3600};
    struct message message;
    struct stored stored;
    size_t count;
    if (message_read(bytes, len, &message) != MESSAGE_GOOD) {
        return;
    }
    const struct list_zone *table = list_zone_table(&count);
    stored_make(&stored, &message, &limits, 64);
    if (stored_is_whole(&stored)) {
        check_answer(NULL, message.question.type, &stored);
        for (size_t i = 0; i < count; i++) {
            check_answer(&table[i], message.question.type, &stored);
        }
    }
    stored_free(&stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t types[] = {TYPE_A, TYPE_TXT, TYPE_AAAA, TYPE_NS};
    struct reader reader = reader_of(data, size);
    uint8_t bytes[NAME_SIZE_MAX];
    size_t len;
    if (!reader_skip(&reader, 1) || !name_read_plain(&reader, bytes, &len)) {
        return 0;
    }
    const struct name name = {bytes, len};
    check_question(&name, types[data[0] % 4]);
    check_redacted(&name, false);
    check_redacted(&name, true);
    check_answers(data + reader.at, size - reader.at);
    return 0;
}
