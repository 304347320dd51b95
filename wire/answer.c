/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/answer.h"

#include "base/must.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/question.h"
#include "wire/records.h"

#define ANSWER_OPCODE_BITS   0x7800u
#define ANSWER_UDP_SIZE      512 /* Without EDNS (RFC 1035 section 4.2.1). */
#define ANSWER_RCODE_PLAIN   15  /* The largest rcode that fits a header. */
#define ANSWER_QUESTION_TAIL 4   /* Type and class. */

struct answer_form answer_form_of(
    const struct message *query, bool is_stream, uint16_t udp_answer_max)
{
    struct answer_form form = {
        .id = query->id,
        .flags = query->flags,
        .has_edns = query->edns.is_present,
        .wants_dnssec = query->edns.wants_dnssec,
        .size_max = ANSWER_UDP_SIZE,
    };
    if (is_stream) {
        form.size_max = MESSAGE_SIZE_MAX;
    } else if (query->edns.is_present) {
        uint16_t bound = udp_answer_max < ANSWER_UDP_SIZE ? ANSWER_UDP_SIZE : udp_answer_max;
        form.size_max = query->edns.udp_size < bound ? query->edns.udp_size : bound;
    }
    return form;
}

static size_t answer_room(const struct answer_form *form, size_t size)
{
    return size < form->size_max ? size : form->size_max;
}

/* What every answer has in common. AA is never set: we are no authority for anything. */
static unsigned answer_flags(const struct answer_form *form)
{
    return HEADER_QR | HEADER_RA | (form->flags & (ANSWER_OPCODE_BITS | HEADER_RD | HEADER_CD));
}

static struct edns_reply answer_edns(
    const struct answer_form *form, unsigned rcode, enum ede ede, const char *ede_text)
{
    return (struct edns_reply){
        .udp_size = EDNS_UDP_SIZE,
        .rcode = rcode,
        .wants_dnssec = form->wants_dnssec,
        .ede = ede,
        .ede_text = ede_text,
    };
}

/* The explanation is worth less than the answer: its text goes first, then the whole option. */
static bool answer_fit_edns(struct edns_reply *edns, size_t room)
{
    if (edns_size(edns) > room) {
        edns->ede_text = NULL;
    }
    if (edns_size(edns) > room) {
        edns->ede = EDE_NONE;
    }
    return edns_size(edns) <= room;
}

/* Header, question (may be NULL) and OPT (may be NULL) without any record. Returns the length, 0 if
 * it does not fit. */
static size_t answer_write_empty(const struct answer_form *form, unsigned flags,
    const struct question *question, struct edns_reply *edns, struct writer *writer)
{
    uint8_t *header = writer_take(writer, HEADER_SIZE);
    if (header == NULL) {
        return 0;
    }
    uint16_t counts[4] = {question != NULL ? 1 : 0, 0, 0, 0};
    if (question != NULL) {
        question_write(writer, question);
    }
    if (writer->is_cut) {
        return 0;
    }
    if (edns != NULL && answer_fit_edns(edns, writer->size - writer->len)) {
        edns_write(writer, edns);
        counts[3] = 1;
    }
    header_set_id(header, form->id);
    header_set_flags(header, (uint16_t)flags);
    header_set_counts(header, counts);
    return writer->len;
}

static uint32_t answer_ttl(uint32_t ttl, const struct answer_extra *extra)
{
    uint32_t left = ttl > extra->age_s ? ttl - extra->age_s : 0;
    return left < extra->ttl_cap ? left : extra->ttl_cap;
}

static void answer_age_records(
    uint8_t *bytes, size_t len, size_t records_at, const struct answer_extra *extra)
{
    struct reader reader = reader_of(bytes, len);
    reader.at = records_at;
    while (reader_left(&reader) > 0) {
        struct record record;
        bool is_whole = record_read(&reader, &record);
        must(is_whole);
        bytes_put_u32(bytes + record.ttl_at, answer_ttl(record.ttl, extra));
    }
}

/* The client's question takes the stored one's place byte for byte, so pointers into it hold. */
static void answer_copy_stored(
    const struct question *question, const struct answer_stored *stored, uint8_t *bytes_out)
{
    size_t records_at = HEADER_SIZE + (size_t)question->name_len + ANSWER_QUESTION_TAIL;
    must(stored->len >= records_at);
    if (stored->bytes != bytes_out) {
        memcpy(bytes_out, stored->bytes, stored->len);
    }
    memcpy(bytes_out + HEADER_SIZE, question->name, question->name_len);
    bytes_put_u16(bytes_out + records_at - ANSWER_QUESTION_TAIL, question->type);
    bytes_put_u16(bytes_out + records_at - 2, question->class);
    answer_age_records(bytes_out, stored->len, records_at, &stored->extra);
}

/* Over a stream there is no larger room to send the client to: there the records come before OPT,
 * which the largest messages leave no space for. */
static bool answer_may_lack_edns(const struct answer_form *form)
{
    return form->size_max == MESSAGE_SIZE_MAX;
}

size_t answer_from_stored(const struct answer_form *form, const struct question *question,
    const struct answer_stored *stored, uint8_t *bytes_out, size_t size)
{
    const struct answer_extra *extra = &stored->extra;
    size_t room = answer_room(form, size);
    unsigned rcode = header_rcode(stored->bytes);
    uint16_t additional = header_arcount(stored->bytes);
    bool may_say_ad = form->wants_dnssec || (form->flags & HEADER_AD) != 0;
    unsigned flags = answer_flags(form) | rcode;
    flags |= extra->is_ad && may_say_ad ? HEADER_AD : 0;
    struct edns_reply edns = answer_edns(form, rcode, extra->ede, extra->ede_text);
    struct edns_reply edns_full = edns;

    bool fits = stored->len <= room;
    bool fits_edns = fits && form->has_edns && answer_fit_edns(&edns, room - stored->len);
    if (!fits || (form->has_edns && !fits_edns && !answer_may_lack_edns(form))) {
        struct writer empty = writer_of(bytes_out, room);
        return answer_write_empty(
            form, flags | HEADER_TC, question, form->has_edns ? &edns_full : NULL, &empty);
    }
    answer_copy_stored(question, stored, bytes_out);
    struct writer writer = writer_of(bytes_out, room);
    writer.len = stored->len;
    header_set_id(bytes_out, form->id);
    header_set_flags(bytes_out, (uint16_t)flags);
    if (fits_edns) {
        edns_write(&writer, &edns);
        bytes_put_u16(bytes_out + 10, (uint16_t)(additional + 1));
    }
    return writer.len;
}

/* A query that cannot be read as far as its OPT showed none, so none goes back (RFC 6891 section
 * 7).
 */
size_t answer_error(const struct answer_form *form, const struct question *question,
    const struct answer_error *error, uint8_t *bytes_out, size_t size)
{
    unsigned rcode = error->rcode;
    if (rcode > ANSWER_RCODE_PLAIN && !form->has_edns) {
        rcode = RCODE_SERVFAIL;
    }
    struct edns_reply edns = answer_edns(form, rcode, error->ede, error->ede_text);
    struct writer writer = writer_of(bytes_out, answer_room(form, size));
    return answer_write_empty(form, answer_flags(form) | (rcode & ANSWER_RCODE_PLAIN), question,
        form->has_edns ? &edns : NULL, &writer);
}
