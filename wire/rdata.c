/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/rdata.h"

#include <string.h>

#include "wire/compress.h"
#include "wire/name.h"
#include "wire/records.h"
#include "wire/types.h"

/* A field is one of these, or a number of plain bytes. */
#define RDATA_END     0
#define RDATA_NAME    0xf0
#define RDATA_STRING  0xf1 /* A length byte and as many bytes. */
#define RDATA_STRINGS 0xf2 /* One or more of them, to the end (RFC 1035 section 3.3.14). */
#define RDATA_REST    0xf3 /* Any bytes, to the end. */

#define RDATA_FIELDS_MAX 7

struct rdata_shape {
    uint16_t type;
    bool is_compressed; /* May be written compressed (RFC 3597 section 4). */
    uint8_t fields[RDATA_FIELDS_MAX];
};

static const struct rdata_shape rdata_shapes[] = {
    {.type = 1, .fields = {4}},                                                        /* A */
    {.type = 2, .is_compressed = true, .fields = {RDATA_NAME}},                        /* NS */
    {.type = 3, .is_compressed = true, .fields = {RDATA_NAME}},                        /* MD */
    {.type = 4, .is_compressed = true, .fields = {RDATA_NAME}},                        /* MF */
    {.type = 5, .is_compressed = true, .fields = {RDATA_NAME}},                        /* CNAME */
    {.type = 6, .is_compressed = true, .fields = {RDATA_NAME, RDATA_NAME, 20}},        /* SOA */
    {.type = 7, .is_compressed = true, .fields = {RDATA_NAME}},                        /* MB */
    {.type = 8, .is_compressed = true, .fields = {RDATA_NAME}},                        /* MG */
    {.type = 9, .is_compressed = true, .fields = {RDATA_NAME}},                        /* MR */
    {.type = 12, .is_compressed = true, .fields = {RDATA_NAME}},                       /* PTR */
    {.type = 13, .fields = {RDATA_STRING, RDATA_STRING}},                              /* HINFO */
    {.type = 14, .is_compressed = true, .fields = {RDATA_NAME, RDATA_NAME}},           /* MINFO */
    {.type = 15, .is_compressed = true, .fields = {2, RDATA_NAME}},                    /* MX */
    {.type = 16, .fields = {RDATA_STRINGS}},                                           /* TXT */
    {.type = 17, .fields = {RDATA_NAME, RDATA_NAME}},                                  /* RP */
    {.type = 18, .fields = {2, RDATA_NAME}},                                           /* AFSDB */
    {.type = 21, .fields = {2, RDATA_NAME}},                                           /* RT */
    {.type = 24, .fields = {18, RDATA_NAME, RDATA_REST}},                              /* SIG */
    {.type = 26, .fields = {2, RDATA_NAME, RDATA_NAME}},                               /* PX */
    {.type = 28, .fields = {16}},                                                      /* AAAA */
    {.type = 30, .fields = {RDATA_NAME, RDATA_REST}},                                  /* NXT */
    {.type = 33, .fields = {6, RDATA_NAME}},                                           /* SRV */
    {.type = 35, .fields = {4, RDATA_STRING, RDATA_STRING, RDATA_STRING, RDATA_NAME}}, /* NAPTR */
    {.type = 36, .fields = {2, RDATA_NAME}},                                           /* KX */
    {.type = 39, .fields = {RDATA_NAME}},                                              /* DNAME */
    {.type = 46, .fields = {18, RDATA_NAME, RDATA_REST}},                              /* RRSIG */
    {.type = 47, .fields = {RDATA_NAME, RDATA_REST}},                                  /* NSEC */
    {.type = 99, .fields = {RDATA_STRINGS}},                                           /* SPF */
};

static const struct rdata_shape rdata_shape_opaque = {.fields = {RDATA_REST}};

/* A walk over the fields of one record's data. */
struct rdata_walk {
    struct reader reader; /* Ends where the data ends. */
    const struct rdata_shape *shape;
    unsigned field;
    bool is_bad;
};

/* A field: either a name, uncompressed, or bytes in the message. */
struct rdata_piece {
    bool is_name;
    bool is_compressed; /* The name was read through a pointer. */
    const uint8_t *bytes;
    size_t len;
    uint8_t name[NAME_SIZE_MAX];
};

/* An address outside the Internet class has another form (RFC 1035 section 3.4 is IN only). */
static const struct rdata_shape *rdata_shape_of(const struct record *record)
{
    bool is_foreign =
        record->class != CLASS_IN && (record->type == TYPE_A || record->type == TYPE_AAAA);
    for (size_t i = 0; i < sizeof(rdata_shapes) / sizeof(rdata_shapes[0]) && !is_foreign; i++) {
        if (rdata_shapes[i].type == record->type) {
            return &rdata_shapes[i];
        }
    }
    return &rdata_shape_opaque;
}

static struct rdata_walk rdata_walk_of(const struct reader *message, const struct record *record)
{
    struct rdata_walk walk = {.reader = *message, .shape = rdata_shape_of(record)};
    walk.reader.at = record->rdata_at;
    walk.reader.len = record->rdata_at + record->rdata_len;
    return walk;
}

static bool rdata_skip_string(struct reader *reader)
{
    uint8_t len;
    return reader_u8(reader, &len) && reader_skip(reader, len);
}

static bool rdata_skip_strings(struct reader *reader)
{
    do {
        if (!rdata_skip_string(reader)) {
            return false;
        }
    } while (reader_left(reader) > 0);
    return true;
}

static bool rdata_read_name_field(struct reader *reader, struct rdata_piece *piece_out)
{
    size_t start = reader->at;
    piece_out->bytes = piece_out->name;
    if (!name_read(reader, piece_out->name, &piece_out->len)) {
        return false;
    }
    piece_out->is_compressed = reader->at - start != piece_out->len;
    return true;
}

static bool rdata_read_field(struct reader *reader, uint8_t field, struct rdata_piece *piece_out)
{
    size_t start = reader->at;
    bool is_read = false;
    piece_out->is_name = field == RDATA_NAME;
    switch (field) {
    case RDATA_NAME:
        return rdata_read_name_field(reader, piece_out);
    case RDATA_STRING:
        is_read = rdata_skip_string(reader);
        break;
    case RDATA_STRINGS:
        is_read = rdata_skip_strings(reader);
        break;
    case RDATA_REST:
        is_read = reader_skip(reader, reader_left(reader));
        break;
    default:
        is_read = reader_skip(reader, field);
        break;
    }
    piece_out->bytes = reader->bytes + start;
    piece_out->len = reader->at - start;
    return is_read;
}

/* False at the end; walk->is_bad then tells whether the data was whole. */
static bool rdata_walk_next(struct rdata_walk *walk, struct rdata_piece *piece_out)
{
    uint8_t field = RDATA_END;
    if (walk->field < RDATA_FIELDS_MAX) {
        field = walk->shape->fields[walk->field];
    }
    if (field == RDATA_END) {
        walk->is_bad = reader_left(&walk->reader) != 0;
        return false;
    }
    walk->field++;
    walk->is_bad = !rdata_read_field(&walk->reader, field, piece_out);
    return !walk->is_bad;
}

bool rdata_is_valid(const struct reader *message, const struct record *record)
{
    struct rdata_walk walk = rdata_walk_of(message, record);
    struct rdata_piece piece;
    while (rdata_walk_next(&walk, &piece)) {
    }
    return !walk.is_bad;
}

bool rdata_write(const struct reader *message, const struct record *record,
    struct compress *compress, struct writer *writer)
{
    struct rdata_walk walk = rdata_walk_of(message, record);
    struct rdata_piece piece;
    while (rdata_walk_next(&walk, &piece)) {
        if (piece.is_name && walk.shape->is_compressed) {
            compress_write(compress, writer, piece.bytes, piece.len);
            continue;
        }
        if (piece.is_name && piece.is_compressed) {
            name_to_lower(piece.name, piece.len);
        }
        writer_bytes(writer, piece.bytes, piece.len);
    }
    return !walk.is_bad;
}

static bool rdata_piece_equal(const struct rdata_piece *a, const struct rdata_piece *b)
{
    if (a->is_name) {
        return name_equal(a->bytes, a->len, b->bytes, b->len);
    }
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Equal types have equal shapes, so both walks end together. */
bool rdata_equal(const struct reader *message, const struct record *a, const struct record *b)
{
    if (a->type != b->type || a->class != b->class) {
        return false;
    }
    /* Pointers count from the start of the message: equal bytes are equal data. */
    if (a->rdata_len == b->rdata_len &&
        memcmp(message->bytes + a->rdata_at, message->bytes + b->rdata_at, a->rdata_len) == 0) {
        return true;
    }
    struct rdata_walk walk_a = rdata_walk_of(message, a);
    struct rdata_walk walk_b = rdata_walk_of(message, b);
    struct rdata_piece piece_a;
    struct rdata_piece piece_b;
    while (rdata_walk_next(&walk_a, &piece_a)) {
        if (!rdata_walk_next(&walk_b, &piece_b) || !rdata_piece_equal(&piece_a, &piece_b)) {
            return false;
        }
    }
    return !walk_a.is_bad && !rdata_walk_next(&walk_b, &piece_b) && !walk_b.is_bad;
}

/* FNV-1a; 0x20 folds the case of letters in names. */
static uint32_t rdata_piece_hash(uint32_t hash, const struct rdata_piece *piece)
{
    uint8_t fold = piece->is_name ? 0x20 : 0;
    for (size_t i = 0; i < piece->len; i++) {
        hash = (hash ^ (uint8_t)(piece->bytes[i] | fold)) * 16777619u;
    }
    return hash;
}

uint32_t rdata_hash(const struct reader *message, const struct record *record, size_t *work_out)
{
    struct rdata_walk walk = rdata_walk_of(message, record);
    struct rdata_piece piece;
    uint32_t hash = 2166136261u ^ record->type;
    size_t size = 0;
    while (rdata_walk_next(&walk, &piece)) {
        hash = rdata_piece_hash(hash, &piece);
        size += piece.len;
    }
    *work_out = size + (message->hops_left - walk.reader.hops_left);
    return hash;
}

bool rdata_read_name(const struct reader *message, const struct record *record,
    uint8_t name_out[NAME_SIZE_MAX], size_t *len_out)
{
    struct reader reader = *message;
    reader.at = record->rdata_at;
    reader.len = record->rdata_at + record->rdata_len;
    return name_read(&reader, name_out, len_out);
}
