/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/ask.h"

#include "wire/edns.h"
#include "wire/header.h"
#include "wire/question.h"

static uint16_t ask_flags(const struct ask_form *form)
{
    unsigned flags = form->is_final ? 0 : HEADER_RD;
    flags |= form->wants_ad ? HEADER_AD : 0;
    flags |= form->checking_disabled ? HEADER_CD : 0;
    return (uint16_t)flags;
}

/* How many bytes a message of `len` is to grow, the option's own header included. */
static size_t ask_padding(size_t len, size_t pad_to, size_t size)
{
    size_t padded = len + EDNS_OPTION_HEADER_SIZE + pad_to - 1;
    padded -= padded % pad_to;
    return (padded < size ? padded : size) - len;
}

static void ask_write_edns(const struct ask_form *form, struct writer *writer)
{
    struct edns_reply edns = {
        .udp_size = EDNS_UDP_SIZE,
        .wants_dnssec = form->wants_dnssec,
        .ede = EDE_NONE,
        .cookie = form->cookie,
        .cookie_len = form->cookie_len,
    };
    size_t len = writer->len + edns_size(&edns);
    size_t size = writer->size < ASK_SIZE_MAX ? writer->size : ASK_SIZE_MAX;
    if (form->pad_to != 0 && len + EDNS_OPTION_HEADER_SIZE <= size) {
        size_t padding = ask_padding(len, form->pad_to, size);
        edns.is_padded = true;
        edns.padding_len = (uint16_t)(padding - EDNS_OPTION_HEADER_SIZE);
    }
    edns_write(writer, &edns);
}

size_t ask_write(
    const struct ask_form *form, const struct question *question, uint8_t *bytes_out, size_t size)
{
    struct writer writer = writer_of(bytes_out, size);
    uint8_t *header = writer_take(&writer, HEADER_SIZE);
    if (header == NULL) {
        return 0;
    }
    const uint16_t counts[4] = {1, 0, 0, form->has_edns ? 1 : 0};
    header_set_id(header, form->id);
    header_set_flags(header, ask_flags(form));
    header_set_counts(header, counts);
    question_write(&writer, question);
    if (form->has_edns) {
        ask_write_edns(form, &writer);
    }
    return writer.is_cut ? 0 : writer.len;
}
