/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "wire/header.h"
#include "wire/rdata.h"
#include "wire/records.h"
#include "wire/types.h"
#include "mail/sequel.h"

#define FOLLOW_RECORDS_MAX 64
#define FOLLOW_TEXT_MAX    2048

static const uint8_t follow_smtp[] = "\3_25\4_tcp";
static const uint8_t follow_dmarc[] = "\6_dmarc";

/* One look at an answer. */
struct follow {
    struct reader message; /* Behind the question. */
    unsigned answers;
    unsigned rcode;
    const struct sequel_subject *subject;
    struct sequel_list list;
};

static bool follow_begin(struct follow *follow, const struct sequel_answer *answer)
{
    follow->message = reader_of(answer->stored, answer->len);
    if (answer->len < HEADER_SIZE || bytes_get_u16(answer->stored + 4) != 1) {
        return false;
    }
    follow->answers = header_ancount(answer->stored);
    follow->rcode = header_rcode(answer->stored);
    return reader_skip(&follow->message, HEADER_SIZE) && name_skip(&follow->message) &&
           reader_skip(&follow->message, 4);
}

/* The next record of that type in the answer section. */
static bool follow_next(struct follow *follow, uint16_t type, struct record *record_out)
{
    while (follow->answers > 0) {
        follow->answers--;
        if (!record_read(&follow->message, record_out)) {
            follow->answers = 0;
            return false;
        }
        if (record_out->type == type) {
            return true;
        }
    }
    return false;
}

/* The name at `at` of the message, in lower case. The root names nothing. */
static bool follow_name(struct follow *follow, size_t at, struct sequel_next *next)
{
    struct reader reader = follow->message;
    size_t len = 0;
    reader.at = at;
    if (!name_read(&reader, next->name, &len) || len <= 1) {
        return false;
    }
    name_to_lower(next->name, len);
    next->name_len = (uint8_t)len;
    return true;
}

static struct sequel_next *follow_room(struct follow *follow)
{
    struct sequel_list *list = &follow->list;
    return list->count < list->limit ? &list->next[list->count] : NULL;
}

/* Adds the question for `type` of the name, which may stand behind `prefix`. */
static void follow_add(
    struct follow *follow, const struct sequel_next *host, uint16_t type, enum sequel_step step)
{
    struct sequel_next *next = follow_room(follow);
    size_t prefix_len = type == TYPE_TLSA ? sizeof follow_smtp - 1 : 0;
    if (next == NULL || prefix_len + host->name_len > NAME_SIZE_MAX) {
        return;
    }
    memcpy(next->name, follow_smtp, prefix_len);
    memcpy(next->name + prefix_len, host->name, host->name_len);
    next->name_len = (uint8_t)(prefix_len + host->name_len);
    next->type = type;
    next->step = step;
    follow->list.count++;
}

/* The name must lead back to the address, so it is asked for the address's own family. */
static void follow_ptr(struct follow *follow)
{
    struct record record;
    struct sequel_next host;
    if (follow_next(follow, TYPE_PTR, &record) && follow_name(follow, record.rdata_at, &host)) {
        bool is_ipv4 = follow->subject->address.family == ADDRESS_IPV4;
        follow_add(follow, &host, is_ipv4 ? TYPE_A : TYPE_AAAA, SEQUEL_CLIENT_HOST);
    }
}

/* ---- MX ---- */

struct follow_exchange {
    uint16_t preference;
    size_t name_at;
};

/* The most preferred ones, in order; equal ones as the answer has them. */
static size_t follow_exchanges(
    struct follow *follow, struct follow_exchange exchanges[SEQUEL_EXCHANGES_MAX])
{
    struct record record;
    size_t count = 0;
    while (follow_next(follow, TYPE_MX, &record)) {
        if (record.rdata_len < 3) {
            continue;
        }
        uint16_t preference = bytes_get_u16(follow->message.bytes + record.rdata_at);
        size_t place = count;
        while (place > 0 && preference < exchanges[place - 1].preference) {
            place--;
        }
        if (place == SEQUEL_EXCHANGES_MAX) {
            continue;
        }
        count += count < SEQUEL_EXCHANGES_MAX ? 1 : 0;
        memmove(
            &exchanges[place + 1], &exchanges[place], (count - 1 - place) * sizeof exchanges[0]);
        exchanges[place] = (struct follow_exchange){preference, record.rdata_at + 2};
    }
    return count;
}

static void follow_mx(struct follow *follow)
{
    struct follow_exchange exchanges[SEQUEL_EXCHANGES_MAX];
    size_t count = follow_exchanges(follow, exchanges);
    for (size_t i = 0; i < count; i++) {
        struct sequel_next host;
        if (follow_name(follow, exchanges[i].name_at, &host)) {
            follow_add(follow, &host, TYPE_A, i == 0 ? SEQUEL_MX_A : SEQUEL_BACKUP_A);
            follow_add(follow, &host, TYPE_AAAA, i == 0 ? SEQUEL_MX_AAAA : SEQUEL_BACKUP_AAAA);
            follow_add(follow, &host, TYPE_TLSA, i == 0 ? SEQUEL_MX_TLSA : SEQUEL_BACKUP_TLSA);
        }
    }
}

static void follow_ns(struct follow *follow)
{
    struct record record;
    struct sequel_next host;
    for (unsigned i = 0; i < SEQUEL_EXCHANGES_MAX && follow_next(follow, TYPE_NS, &record); i++) {
        if (follow_name(follow, record.rdata_at, &host)) {
            follow_add(follow, &host, TYPE_A, SEQUEL_NS_A);
        }
    }
}

/* ---- TXT ---- */

/* The strings of the record, put together (RFC 7208 section 3.3). 0: too long, or not strings. */
static size_t follow_text(
    const struct follow *follow, const struct record *record, uint8_t text_out[FOLLOW_TEXT_MAX])
{
    const uint8_t *rdata = follow->message.bytes + record->rdata_at;
    size_t len = 0;
    for (size_t at = 0; at < record->rdata_len; at += 1u + rdata[at]) {
        size_t part = rdata[at];
        if (part > record->rdata_len - at - 1 || len + part > FOLLOW_TEXT_MAX) {
            return 0;
        }
        memcpy(text_out + len, rdata + at + 1, part);
        len += part;
    }
    return len;
}

static void follow_spf(struct follow *follow)
{
    struct record record;
    uint8_t text[FOLLOW_TEXT_MAX];
    for (unsigned i = 0; i < FOLLOW_RECORDS_MAX && follow_next(follow, TYPE_TXT, &record); i++) {
        size_t len = follow_text(follow, &record, text);
        size_t count_before = follow->list.count;
        sequel_read_spf(text, len, follow->subject, &follow->list);
        if (follow->list.count != count_before) {
            return; /* There is one such record, or none is valid (RFC 7208 section 4.5). */
        }
    }
}

/* A domain without a policy of its own has that of the domain above it (RFC 7489 section 6.6.3);
 * which one that is says a list of suffixes that is not at hand, so the next one is taken. */
static void follow_dmarc_up(struct follow *follow)
{
    const struct sequel_subject *subject = follow->subject;
    struct record record;
    struct sequel_next *next = follow_room(follow);
    size_t skip = 1u + subject->name[0];
    if (next == NULL || follow_next(follow, TYPE_TXT, &record) || skip >= subject->name_len ||
        skip + 1u + subject->name[skip] >= subject->name_len) {
        return;
    }
    struct writer writer = writer_of(next->name, NAME_SIZE_MAX);
    writer_bytes(&writer, follow_dmarc, sizeof follow_dmarc - 1);
    writer_bytes(&writer, subject->name + skip, subject->name_len - skip);
    writer_u8(&writer, 0);
    if (!writer.is_cut) {
        next->name_len = (uint8_t)writer.len;
        next->type = TYPE_TXT;
        next->step = SEQUEL_DMARC_PARENT;
        follow->list.count++;
    }
}

bool sequel_may_follow(enum sequel_aspect aspect)
{
    switch (aspect) {
    case SEQUEL_ASPECT_PTR:
    case SEQUEL_ASPECT_MX:
    case SEQUEL_ASPECT_TXT:
    case SEQUEL_ASPECT_NS:
    case SEQUEL_ASPECT_DMARC:
        return true;
    case SEQUEL_ASPECT_A:
    case SEQUEL_ASPECT_AAAA:
    case SEQUEL_ASPECT_DKIM:
    case SEQUEL_ASPECT_STS:
    case SEQUEL_ASPECT_TLSA:
    case SEQUEL_ASPECT_LIST:
        break;
    }
    return false;
}

size_t sequel_follow(const struct sequel_subject *subject, const struct sequel_answer *answer,
    struct sequel_next next_out[SEQUEL_NEXT_MAX])
{
    struct follow follow = {
        .subject = subject,
        .list = {.next = next_out, .limit = SEQUEL_NEXT_MAX},
    };
    if (!sequel_may_follow(subject->aspect) || !follow_begin(&follow, answer)) {
        return 0;
    }
    if (subject->aspect == SEQUEL_ASPECT_PTR) {
        follow_ptr(&follow);
    } else if (subject->aspect == SEQUEL_ASPECT_MX) {
        follow_mx(&follow);
    } else if (subject->aspect == SEQUEL_ASPECT_NS) {
        follow_ns(&follow);
    } else if (subject->aspect == SEQUEL_ASPECT_DMARC) {
        follow_dmarc_up(&follow);
    } else {
        follow.list.limit = SEQUEL_SPF_MAX;
        follow_spf(&follow);
    }
    return follow.list.count;
}
