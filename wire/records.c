/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/records.h"

#include "base/must.h"
#include "wire/name.h"

#define RECORD_TTL_MAX 0x7fffffffu

/* Serial, refresh, retry, expire and minimum. */
#define SOA_NUMBERS_SIZE 20

bool record_read(struct reader *reader, struct record *record_out)
{
    struct reader ahead = *reader;
    struct record record = {.name_at = ahead.at};
    if (!name_skip(&ahead) || !reader_u16(&ahead, &record.type) ||
        !reader_u16(&ahead, &record.class)) {
        return false;
    }
    record.ttl_at = ahead.at;
    if (!reader_u32(&ahead, &record.ttl) || !reader_u16(&ahead, &record.rdata_len)) {
        return false;
    }
    record.rdata_at = ahead.at;
    if (!reader_skip(&ahead, record.rdata_len)) {
        return false;
    }
    record.ttl = record.ttl < RECORD_TTL_MAX ? record.ttl : RECORD_TTL_MAX;
    *record_out = record;
    *reader = ahead;
    return true;
}

void record_write(
    struct writer *writer, size_t owner_at, const struct record *record, const uint8_t *rdata)
{
    must(owner_at < 0x4000);
    writer_u16(writer, (uint16_t)(0xc000u | owner_at));
    writer_u16(writer, record->type);
    writer_u16(writer, record->class);
    writer_u32(writer, record->ttl);
    writer_u16(writer, record->rdata_len);
    writer_bytes(writer, rdata, record->rdata_len);
}

bool soa_read(const struct reader *message, const struct record *record, struct soa *soa_out)
{
    struct reader reader = *message;
    reader.at = record->rdata_at;
    reader.len = record->rdata_at + record->rdata_len;
    if (!name_skip(&reader) || !name_skip(&reader) || reader_left(&reader) != SOA_NUMBERS_SIZE) {
        return false;
    }
    const uint8_t *numbers = reader.bytes + reader.at;
    soa_out->serial = bytes_get_u32(numbers);
    soa_out->minimum = bytes_get_u32(numbers + SOA_NUMBERS_SIZE - 4);
    return true;
}
