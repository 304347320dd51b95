/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: eight bytes that choose the form, then the question's name in wire form (or anything). A
 * question of ours must be read back as it was meant, and keep to its room.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/ask.h"
#include "wire/message.h"

#define ASK_INPUT_FIXED 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t ask_cookie[EDNS_COOKIE_SIZE_MAX] = "0123456789abcdefghijklmnopqrstuvwxyz";

static struct ask_form ask_form_from(const uint8_t *data)
{
    size_t cookie_len = data[3] % (EDNS_COOKIE_SIZE_MAX + 1u);
    return (struct ask_form){
        .id = bytes_get_u16(data),
        .wants_ad = (data[2] & 1) != 0,
        .wants_dnssec = (data[2] & 2) != 0,
        .checking_disabled = (data[2] & 4) != 0,
        .has_edns = (data[2] & 8) != 0,
        .cookie = ask_cookie,
        .cookie_len = edns_cookie_len_is_valid(cookie_len) ? cookie_len : 0,
        .pad_to = bytes_get_u16(data + 4),
    };
}

static void ask_check_message(
    const struct ask_form *form, const struct question *question, const struct message *message)
{
    size_t cookie_len = form->has_edns ? form->cookie_len : 0;
    must(message->id == form->id && (message->flags & HEADER_QR) == 0);
    must(((message->flags & HEADER_AD) != 0) == form->wants_ad);
    must(((message->flags & HEADER_CD) != 0) == form->checking_disabled);
    must(question_equal(&message->question, question));
    must(memcmp(message->question.name, question->name, question->name_len) == 0);
    must(message->edns.is_present == form->has_edns);
    must(message->edns.wants_dnssec == (form->has_edns && form->wants_dnssec));
    must(message->edns.cookie_len == cookie_len);
    must(memcmp(message->edns.cookie, ask_cookie, cookie_len) == 0);
}

/* In a block of exactly `size` bytes, so that the sanitizer sees a byte written past it. */
static size_t ask_check_in(
    const struct ask_form *form, const struct question *question, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    struct message message;
    must(bytes != NULL);
    size_t len = ask_write(form, question, bytes, size);
    must(len <= size && len <= ASK_SIZE_MAX);
    if (len > 0) {
        must(message_read(bytes, len, &message) == MESSAGE_GOOD);
        ask_check_message(form, question, &message);
    }
    free(bytes);
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct question question = {.type = 15, .class = 1};
    if (size <= ASK_INPUT_FIXED) {
        return 0;
    }
    struct reader reader = reader_of(data + ASK_INPUT_FIXED, size - ASK_INPUT_FIXED);
    struct ask_form form = ask_form_from(data);
    size_t name_len = 0;
    if (!name_read_plain(&reader, question.name, &name_len)) {
        return 0;
    }
    question.name_len = (uint8_t)name_len;
    question.type = bytes_get_u16(data + 6);
    size_t len = ask_check_in(&form, &question, 2 * ASK_SIZE_MAX);
    bool is_whole = len == ASK_SIZE_MAX || form.pad_to == 0 || len % form.pad_to == 0;
    must(len > 0 && (is_whole || !form.has_edns));
    ask_check_in(&form, &question, data[6]);
    ask_check_in(&form, &question, ASK_SIZE_MAX);

    size_t padded = len;
    form.pad_to = 0;
    len = ask_check_in(&form, &question, ASK_SIZE_MAX);
    must(len > 0 && len <= padded && ask_check_in(&form, &question, len) == len);
    must(ask_check_in(&form, &question, len - 1) == 0);
    return 0;
}
