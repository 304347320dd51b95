/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/lookup_show.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include <ldns/ldns.h>

#include "base/text.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/records.h"
#include "wire/types.h"
#include "mail/redact.h"
#include "cmd/lookup_hide.h"

/* Not in enum type, because nothing else needs them. */
#define TYPE_SPF 99
#define TYPE_CAA 257

#define REST_ANY 255

/* Where the names stand in a type's data. Types that are not in this table are shown as bytes. */
struct shape {
    uint16_t type;
    uint8_t skipped; /* Bytes before the first name. */
    uint8_t names;
    uint8_t rest; /* Bytes behind the last name, exactly. */
};

static const struct shape shapes[] = {
    {TYPE_A, 0, 0, 4},
    {TYPE_AAAA, 0, 0, 16},
    {TYPE_CAA, 0, 0, REST_ANY},
    {TYPE_CNAME, 0, 1, 0},
    {TYPE_DNAME, 0, 1, 0},
    {TYPE_DNSKEY, 0, 0, REST_ANY},
    {TYPE_DS, 0, 0, REST_ANY},
    {TYPE_HINFO, 0, 0, REST_ANY},
    {TYPE_MX, 2, 1, 0},
    {TYPE_NS, 0, 1, 0},
    {TYPE_PTR, 0, 1, 0},
    {TYPE_RRSIG, 18, 1, REST_ANY},
    {TYPE_SOA, 0, 2, 20},
    {TYPE_SPF, 0, 0, REST_ANY},
    {TYPE_SRV, 6, 1, 0},
    {TYPE_TLSA, 0, 0, REST_ANY},
    {TYPE_TXT, 0, 0, REST_ANY},
};

static const struct shape *shape_find(uint16_t type)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (shapes[i].type == type) {
            return &shapes[i];
        }
    }
    return NULL;
}

/* Does the data have the shape of its type, with names that are bounded? */
static bool shape_fits(
    const struct shape *shape, const struct message *message, const struct record *record)
{
    struct reader reader = reader_of(message->bytes, message->len);
    size_t end = record->rdata_at + record->rdata_len;
    reader.at = record->rdata_at;
    if (!reader_skip(&reader, shape->skipped)) {
        return false;
    }
    for (unsigned i = 0; i < shape->names; i++) {
        uint8_t name[NAME_SIZE_MAX];
        size_t len;
        if (!name_read(&reader, name, &len)) {
            return false;
        }
    }
    return reader.at <= end && (shape->rest == REST_ANY || end - reader.at == shape->rest);
}

/* What is being shown, and how. */
struct show {
    const struct lookup_hide *hide;
    const struct message *message;
    uint32_t age_s;
};

/* Nothing from a network reaches the terminal unseen. */
static void make_printable(char *string)
{
    for (; *string != '\0'; string++) {
        bool is_printable = *string >= ' ' && *string <= '~';
        *string = (char)(is_printable ? *string : '?');
    }
}

static bool add_data_by_ldns(
    struct text *text, const struct show *show, const struct record *record)
{
    const struct message *message = show->message;
    ldns_rr *rr = NULL;
    size_t at = record->name_at;
    if (ldns_wire2rr(&rr, message->bytes, message->len, &at, LDNS_SECTION_ANSWER) !=
        LDNS_STATUS_OK) {
        return false;
    }
    /* Of data that ends early ldns keeps the fields that are there. */
    size_t fields = ldns_rr_rd_count(rr);
    if (fields == 0 || fields < ldns_rr_descriptor_minimum(ldns_rr_descript(record->type))) {
        ldns_rr_free(rr);
        return false;
    }
    for (size_t i = 0; i < fields; i++) {
        char *field = ldns_rdf2str(ldns_rr_rdf(rr, i));
        text_add(text, " ");
        if (field != NULL) {
            make_printable(field);
        }
        lookup_hide_add_data(show->hide, text, field != NULL ? field : "?");
        free(field);
    }
    ldns_rr_free(rr);
    return true;
}

static void add_data_as_bytes(
    struct text *text, const struct message *message, const struct record *record)
{
    text_addf(text, " \\# %u ", record->rdata_len);
    for (size_t i = 0; i < record->rdata_len; i++) {
        text_addf(text, "%02x", message->bytes[record->rdata_at + i]);
    }
}

static void add_record(struct text *text, const struct show *show, const struct record *record)
{
    const struct message *message = show->message;
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    char name_text[REDACT_TEXT_SIZE];
    char type_text[TYPE_TEXT_SIZE];
    struct reader reader = reader_of(message->bytes, message->len);
    reader.at = record->name_at;
    if (!name_read(&reader, name, &len)) {
        text_add(text, "    (a record whose name cannot be read)\n");
        return;
    }
    lookup_hide_name(show->hide, name, len, name_text);
    text_addf(text, "    %s %" PRIu32 " %s", name_text,
        record->ttl > show->age_s ? record->ttl - show->age_s : 0,
        type_to_text(record->type, type_text));
    const struct shape *shape = shape_find(record->type);
    if (shape == NULL || record->class != CLASS_IN || !shape_fits(shape, message, record) ||
        !add_data_by_ldns(text, show, record)) {
        add_data_as_bytes(text, message, record);
    }
    text_add(text, "\n");
}

void lookup_show_records(struct text *text, const struct lookup_hide *hide,
    const struct message *message, uint32_t age_s)
{
    const struct show show = {.hide = hide, .message = message, .age_s = age_s};
    struct reader reader = reader_of(message->bytes, message->len);
    unsigned answers = message->counts[1];
    unsigned total = answers + message->counts[2];
    struct record record;
    reader.at = message->records_at;
    for (unsigned i = 0; i < total && record_read(&reader, &record); i++) {
        if (i == LOOKUP_SHOW_RECORDS_MAX) {
            text_addf(text, "    and %u more\n", total - i);
            return;
        }
        if (i == answers) {
            text_add(text, "  authority:\n");
        }
        add_record(text, &show, &record);
    }
}
