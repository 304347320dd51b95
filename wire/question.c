/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/question.h"

#include <string.h>

void question_copy(struct question *copy_out, const struct question *question)
{
    memcpy(copy_out->name, question->name, question->name_len);
    copy_out->name_len = question->name_len;
    copy_out->type = question->type;
    copy_out->class = question->class;
}

bool question_read(struct reader *reader, struct question *question_out)
{
    struct reader ahead = *reader;
    size_t name_len;
    if (!name_read_plain(&ahead, question_out->name, &name_len) ||
        !reader_u16(&ahead, &question_out->type) || !reader_u16(&ahead, &question_out->class)) {
        return false;
    }
    question_out->name_len = (uint8_t)name_len;
    *reader = ahead;
    return true;
}

void question_write(struct writer *writer, const struct question *question)
{
    writer_bytes(writer, question->name, question->name_len);
    writer_u16(writer, question->type);
    writer_u16(writer, question->class);
}

bool question_equal(const struct question *a, const struct question *b)
{
    return a->type == b->type && a->class == b->class &&
           name_equal(a->name, a->name_len, b->name, b->name_len);
}
