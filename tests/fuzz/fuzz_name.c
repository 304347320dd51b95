/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: two bytes that say where a name begins, then a message. The same bytes are also read as
 * the text of a name.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "base/must.h"
#include "wire/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_check_text(const uint8_t *name, size_t len)
{
    char text[NAME_TEXT_SIZE];
    char cut[16];
    uint8_t back[NAME_SIZE_MAX];
    size_t back_len = 0;
    size_t text_len = name_to_text(name, len, text, sizeof(text));
    must(text_len == strlen(text) && text_len > 0 && text[text_len - 1] == '.');
    must(name_from_text(text, text_len, back, &back_len));
    must(back_len == len && memcmp(back, name, len) == 0);
    must(name_to_text(name, len, cut, sizeof(cut)) == strlen(cut));
}

static void name_check(const uint8_t *name, size_t len)
{
    uint8_t lower[NAME_SIZE_MAX];
    must(name_is_valid(name, len) && name_label_count(name, len) <= NAME_LABELS_MAX);
    memcpy(lower, name, len);
    name_to_lower(lower, len);
    must(name_is_valid(lower, len) && name_equal(name, len, lower, len));
    for (size_t at = 0; at < len; at += (size_t)name[at] + 1) {
        must(name_is_under(name, len, lower + at, len - at));
    }
    name_check_text(name, len);
}

static void name_check_referee(
    const uint8_t *bytes, size_t size, size_t at, const uint8_t *name, size_t len)
{
    ldns_rdf *rdf = NULL;
    must(ldns_wire2dname(&rdf, bytes, size, &at) == LDNS_STATUS_OK);
    must(ldns_rdf_size(rdf) == len && memcmp(ldns_rdf_data(rdf), name, len) == 0);
    ldns_rdf_deep_free(rdf);
}

static void name_fuzz_message(const uint8_t *bytes, size_t size, size_t at)
{
    struct reader reader = reader_of(bytes, size);
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    reader.at = at;
    struct reader skipper = reader;
    struct reader plain = reader;
    bool is_skipped = name_skip(&skipper);
    bool is_plain = name_read_plain(&plain, name, &len);
    must(!is_plain || is_skipped);
    if (!name_read(&reader, name, &len)) {
        must(reader.at == at && !is_plain);
        return;
    }
    must(is_skipped && skipper.at == reader.at);
    must(name_equals_at(name, len, &reader, at));
    name_check(name, len);
    name_check_referee(bytes, size, at, name, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    if (size < 2) {
        return 0;
    }
    const uint8_t *bytes = data + 2;
    size -= 2;
    size_t at = bytes_get_u16(data);
    name_fuzz_message(bytes, size, at < size ? at : size);
    if (name_from_text((const char *)bytes, size, name, &len)) {
        name_check(name, len);
    }
    return 0;
}
