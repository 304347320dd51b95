/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: sixteen bytes that describe a client, then a reply. Whatever is stored from the reply, the
 * client gets a message with its id and its question, byte for byte, no larger than it can take.
 */
#include <string.h>

#include "stored.h"

#include "wire/answer.h"
#include "wire/question.h"
#include "wire/records.h"

#define ANSWER_INPUT_FIXED 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Client and presentation, as the input has them. */
struct scene {
    struct answer_form form;
    struct answer_extra extra;
    struct question question;
    unsigned rcode;
    uint8_t *bytes; /* form.size_max of them. */
};

static void scene_init(struct scene *scene, const uint8_t *data)
{
    struct message query = {.id = bytes_get_u16(data), .flags = bytes_get_u16(data + 2)};
    query.edns.is_present = (data[4] & 1) != 0;
    query.edns.wants_dnssec = (data[4] & 3) == 3;
    query.edns.udp_size = bytes_get_u16(data + 5) < 512 ? 512 : bytes_get_u16(data + 5);
    scene->form = answer_form_of(&query, (data[4] & 4) != 0, bytes_get_u16(data + 7));
    must(scene->form.size_max >= 512);
    scene->rcode = data[15] % 24u;
    scene->extra = (struct answer_extra){
        .age_s = bytes_get_u16(data + 9),
        .ttl_cap = (data[4] & 8) != 0 ? UINT32_MAX : bytes_get_u16(data + 11),
        .is_ad = (data[4] & 16) != 0,
        .ede = (data[4] & 32) != 0 ? EDE_NONE : EDE_STALE_ANSWER,
        .ede_text = (data[4] & 64) != 0 ? NULL : "kept from better times",
    };
    scene->bytes = malloc(scene->form.size_max);
    must(scene->bytes != NULL);
}

/* The client's own mixture of cases, from two bytes of bits. */
static void scene_respell(struct scene *scene, const uint8_t *bits)
{
    for (size_t i = 0; i < scene->question.name_len; i++) {
        uint8_t byte = scene->question.name[i];
        bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (is_letter && (bits[i / 8 % 2] >> (i % 8) & 1) != 0) {
            scene->question.name[i] = byte ^ 0x20;
        }
    }
}

static void scene_check(const struct scene *scene, size_t len, struct message *message_out)
{
    const struct answer_form *form = &scene->form;
    must(len <= form->size_max);
    must(message_read(scene->bytes, len, message_out) == MESSAGE_GOOD);
    must(message_out->id == form->id);
    must((message_out->flags & (HEADER_QR | HEADER_RA)) == (HEADER_QR | HEADER_RA));
    must((message_out->flags & HEADER_AA) == 0);
    must(((message_out->flags ^ form->flags) & (HEADER_RD | HEADER_CD | 0x7800u)) == 0);
    must(message_out->question.name_len == scene->question.name_len);
    must(memcmp(message_out->question.name, scene->question.name, scene->question.name_len) == 0);
    bool is_largest = len > MESSAGE_SIZE_MAX - 11; /* There OPT may be missing. */
    bool has_edns = message_out->edns.is_present;
    must(has_edns == form->has_edns || (is_largest && !has_edns));
    must(!has_edns || message_out->edns.wants_dnssec == form->wants_dnssec);
}

/* Record by record: the same but for the age. */
static void scene_check_ttls(
    const struct scene *scene, const struct message *answer, const struct message *stored)
{
    struct reader reader = reader_of(answer->bytes, answer->len);
    struct reader stored_reader = reader_of(stored->bytes, stored->len);
    struct record record;
    struct record old;
    reader.at = answer->records_at;
    stored_reader.at = stored->records_at;
    while (reader_left(&stored_reader) > 0) {
        must(record_read(&reader, &record) && record_read(&stored_reader, &old));
        must(record.type == old.type && record.rdata_len == old.rdata_len);
        must(record.ttl <= scene->extra.ttl_cap && record.ttl <= old.ttl);
        must(record.ttl == 0 || record.ttl == scene->extra.ttl_cap ||
             record.ttl + scene->extra.age_s == old.ttl);
    }
}

static void scene_check_stored(struct scene *scene, const struct stored *stored)
{
    struct message answer;
    struct message kept;
    must(message_read(stored->bytes, stored->normalised.len, &kept) == MESSAGE_GOOD);
    const struct answer_stored source = {
        .bytes = stored->bytes, .len = stored->normalised.len, .extra = scene->extra};
    size_t len = answer_from_stored(
        &scene->form, &scene->question, &source, scene->bytes, scene->form.size_max);
    scene_check(scene, len, &answer);
    must(answer.rcode == kept.rcode);
    bool may_say_ad = scene->form.wants_dnssec || (scene->form.flags & HEADER_AD) != 0;
    must(((answer.flags & HEADER_AD) != 0) == (scene->extra.is_ad && may_say_ad));
    if ((answer.flags & HEADER_TC) != 0) {
        must(answer.counts[1] == 0 && answer.counts[2] == 0);
        must(stored->normalised.len + (scene->form.has_edns ? 11u : 0u) > scene->form.size_max);
        return;
    }
    must(answer.counts[1] == kept.counts[1] && answer.counts[2] == kept.counts[2]);
    scene_check_ttls(scene, &answer, &kept);
}

static void scene_check_error(struct scene *scene)
{
    struct message answer;
    const struct answer_error error = {
        .rcode = scene->rcode, .ede = scene->extra.ede, .ede_text = scene->extra.ede_text};
    size_t len =
        answer_error(&scene->form, &scene->question, &error, scene->bytes, scene->form.size_max);
    scene_check(scene, len, &answer);
    must(answer.rcode == scene->rcode || (scene->rcode > 15 && answer.rcode == RCODE_SERVFAIL));
    must((answer.flags & (HEADER_TC | HEADER_AD)) == 0 && answer.counts[1] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct normalise_limits limits = {.ttl_max = 86400, .negative_ttl_max = 3600};
    struct message reply;
    struct stored stored;
    struct scene scene;
    if (size < ANSWER_INPUT_FIXED || message_read(data + ANSWER_INPUT_FIXED,
                                         size - ANSWER_INPUT_FIXED, &reply) != MESSAGE_GOOD) {
        return 0;
    }
    scene_init(&scene, data);
    scene.question = reply.question;
    scene_respell(&scene, data + 13);
    stored_make(&stored, &reply, &limits, 64);
    if (stored_is_whole(&stored)) {
        scene_check_stored(&scene, &stored);
    }
    scene_check_error(&scene);
    stored_free(&stored);
    free(scene.bytes);
    return 0;
}
