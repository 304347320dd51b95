/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"

/*
 * The question section of a query or a reply: exactly one question (RFC 9619), its name without
 * compression and in the asker's own spelling, which an answer must repeat byte for byte.
 */
struct question {
    uint8_t name[NAME_SIZE_MAX];
    uint8_t name_len;
    uint16_t type;
    uint16_t class;
};

/* Of the name only the bytes that there are. */
void question_copy(struct question *copy_out, const struct question *question);

/* False: not a question; reader unmoved. */
bool question_read(struct reader *reader, struct question *question_out);
void question_write(struct writer *writer, const struct question *question);

/* Name (any case), type and class are equal. */
bool question_equal(const struct question *a, const struct question *b);
