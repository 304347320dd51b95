/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/slow_view.h"

#include <string.h>

#include "base/text.h"
#include "cmd/reply.h"

/* question AGE_S WAITED_US JOINED_US COUNT TYPE DO OUTCOME RCODE EDE NAME */
#define QUESTION_WORDS 11

static bool question_read(char *const words[], size_t count, struct slow_question *question_out)
{
    uint64_t wants_dnssec;
    memset(question_out, 0, sizeof *question_out);
    if (count < QUESTION_WORDS || !reply_number(words[6], 1, &wants_dnssec)) {
        return false;
    }
    question_out->wants_dnssec = wants_dnssec == 1;
    question_out->has_ede = words[9][0] != '-';
    return reply_number(words[1], UINT32_MAX, &question_out->age_s) &&
           reply_number(words[2], INT64_MAX, &question_out->waited_us) &&
           reply_number(words[3], INT64_MAX, &question_out->joined_us) &&
           reply_number(words[4], UINT32_MAX, &question_out->count) &&
           reply_word_copy(words[5], question_out->type, sizeof question_out->type) &&
           reply_word_copy(words[7], question_out->outcome, sizeof question_out->outcome) &&
           reply_word_copy(words[8], question_out->rcode, sizeof question_out->rcode) &&
           (!question_out->has_ede || reply_number(words[9], UINT16_MAX, &question_out->ede)) &&
           reply_word_copy(words[10], question_out->name, sizeof question_out->name);
}

/* The lines that follow a question's first one; others are passed over. */
static bool detail_read(char *const words[], size_t count, struct slow_question *question)
{
    if (strcmp(words[0], "left-out") == 0) {
        return count > 1 && reply_number(words[1], UINT32_MAX, &question->left_out);
    }
    if (strcmp(words[0], "event") != 0) {
        return true;
    }
    if (question->event_count == SLOW_VIEW_EVENTS_MAX) {
        question->left_out++;
        return true;
    }
    return event_view_read(words, count, &question->events[question->event_count++]);
}

/* Before the line is cut up. */
static bool reason_take(const char *line, struct slow_question *question)
{
    static const char reason[] = "reason ";
    struct text text;
    if (question == NULL || strncmp(line, reason, sizeof reason - 1) != 0) {
        return false;
    }
    text_init(&text, question->reason, sizeof question->reason);
    text_add(&text, line + sizeof reason - 1);
    return true;
}

bool slow_view_read(struct reply *reply, size_t max, struct slow_view *view_out)
{
    struct slow_question *question = NULL;
    max = max < SLOW_VIEW_MAX ? max : SLOW_VIEW_MAX;
    view_out->count = 0;
    for (char *line = reply_next(reply); line != NULL; line = reply_next(reply)) {
        char *words[QUESTION_WORDS];
        if (reason_take(line, question)) {
            continue;
        }
        size_t count = reply_words(line, words, QUESTION_WORDS);
        if (count > 0 && strcmp(words[0], "question") == 0) {
            if (view_out->count == max) {
                return true;
            }
            question = &view_out->questions[view_out->count++];
            if (!question_read(words, count, question)) {
                return false;
            }
        } else if (count > 0 && question != NULL && !detail_read(words, count, question)) {
            return false;
        }
    }
    return true;
}
