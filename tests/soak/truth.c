/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/soak/truth.h"

#include <string.h>

#include "tests/bench/synth.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/records.h"
#include "wire/types.h"

#define RECORDS_MAX 8
#define DATA_MAX    512
#define TTL_MAX     86400

/* A record by itself: no compression, names in lower case. */
struct fact {
    uint16_t type;
    uint32_t ttl;
    size_t len;
    uint8_t data[DATA_MAX];
};

struct facts {
    unsigned rcode;
    bool is_cut;
    size_t count;
    struct fact facts[RECORDS_MAX];
};

/* How many bytes stand before the name that the record's data is; negative: it is none. */
static int name_offset(uint16_t type)
{
    if (type == TYPE_MX) {
        return 2;
    }
    return type == TYPE_PTR || type == TYPE_NS || type == TYPE_CNAME ? 0 : -1;
}

static bool fact_read(const struct message *message, const struct record *record, struct fact *fact)
{
    struct reader reader = reader_of(message->bytes, message->len);
    int offset = name_offset(record->type);
    size_t name_len = 0;
    *fact = (struct fact){.type = record->type, .ttl = record->ttl, .len = record->rdata_len};
    if (offset < 0) {
        memcpy(fact->data, message->bytes + record->rdata_at,
            fact->len < DATA_MAX ? fact->len : DATA_MAX);
        return fact->len <= DATA_MAX;
    }
    reader.at = record->rdata_at + (size_t)offset;
    if (record->rdata_len < offset || !name_read(&reader, fact->data + offset, &name_len)) {
        return false;
    }
    memcpy(fact->data, message->bytes + record->rdata_at, (size_t)offset);
    name_to_lower(fact->data + offset, name_len);
    fact->len = (size_t)offset + name_len;
    return true;
}

static bool facts_read(const uint8_t *bytes, size_t len, struct facts *facts)
{
    struct message message;
    struct record record;
    if (message_read(bytes, len, &message) != MESSAGE_GOOD || message.counts[1] > RECORDS_MAX) {
        return false;
    }
    struct reader reader = reader_of(bytes, len);
    reader.at = message.records_at;
    facts->rcode = message.rcode;
    facts->is_cut = (message.flags & HEADER_TC) != 0;
    facts->count = message.counts[1];
    for (size_t i = 0; i < facts->count; i++) {
        if (!record_read(&reader, &record) || !fact_read(&message, &record, &facts->facts[i])) {
            return false;
        }
    }
    return true;
}

static const struct fact *fact_find(const struct facts *facts, const struct fact *wanted)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->facts[i];
        if (fact->type == wanted->type && fact->len == wanted->len &&
            memcmp(fact->data, wanted->data, fact->len) == 0) {
            return fact;
        }
    }
    return NULL;
}

static enum truth_verdict facts_compare(const struct facts *told, const struct facts *true_ones)
{
    if (told->is_cut) {
        return TRUTH_CUT;
    }
    if (told->rcode != true_ones->rcode) {
        return TRUTH_OTHER_RCODE;
    }
    if (told->count != true_ones->count) {
        return TRUTH_OTHER_RECORDS;
    }
    for (size_t i = 0; i < true_ones->count; i++) {
        const struct fact *fact = fact_find(told, &true_ones->facts[i]);
        if (fact == NULL) {
            return TRUTH_OTHER_RECORDS;
        }
        if (fact->ttl > true_ones->facts[i].ttl) {
            return TRUTH_LONG_TTL;
        }
    }
    return TRUTH_TRUE;
}

const char *truth_word(enum truth_verdict verdict)
{
    static const char *const words[TRUTH_VERDICTS] = {
        [TRUTH_TRUE] = "true",
        [TRUTH_UNREADABLE] = "unreadable",
        [TRUTH_OTHER_RCODE] = "another rcode",
        [TRUTH_OTHER_RECORDS] = "other records",
        [TRUTH_LONG_TTL] = "a TTL too long",
        [TRUTH_CUT] = "cut",
    };
    return words[verdict];
}

enum truth_verdict truth_check(const struct question *question, const uint8_t *answer, size_t len)
{
    const struct synth_world world = {.ttl_max = TTL_MAX};
    const struct message query = {.question = *question, .opcode = OPCODE_QUERY};
    uint8_t bytes[SYNTH_SIZE_MAX];
    struct facts told;
    struct facts true_ones;
    size_t true_len = synth_reply(&query, &world, bytes);
    if (!facts_read(bytes, true_len, &true_ones) || !facts_read(answer, len, &told)) {
        return TRUTH_UNREADABLE;
    }
    return facts_compare(&told, &true_ones);
}
