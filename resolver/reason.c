/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/reason.h"

#include <stdbool.h>

#include "wire/message.h"

struct reason {
    enum ede ede;
    bool is_said;
    const char *now;
    const char *later;
};

static const struct reason reasons[] = {
#define FOUND(ede, now, later) {ede, false, now, later},
#define SAID(ede, sentence)    {ede, true, sentence, sentence},
#include "resolver/reasons.def"
#undef FOUND
#undef SAID
};

static const struct reason *reason_find(int ede)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((int)reasons[i].ede == ede) {
            return &reasons[i];
        }
    }
    return NULL;
}

static bool reason_is_said(int ede)
{
    const struct reason *reason = reason_find(ede);
    return reason != NULL && reason->is_said;
}

enum ede reason_after(enum ede before, enum ede found, const uint8_t *reply, size_t len)
{
    struct message message;
    if (message_read(reply, len, &message) == MESSAGE_GOOD && message.edns.has_ede &&
        reason_is_said(message.edns.ede)) {
        return (enum ede)message.edns.ede;
    }
    return reason_is_said((int)before) ? before : found;
}

const char *reason_sentence(enum ede ede)
{
    const struct reason *reason = reason_find((int)ede);
    return reason == NULL ? NULL : reason->now;
}

enum ede reason_later(int ede)
{
    return reason_is_said(ede) ? (enum ede)ede : EDE_CACHED_ERROR;
}

const char *reason_sentence_later(int ede)
{
    const struct reason *reason = reason_find(ede);
    return reason == NULL ? "upstream failed a moment ago" : reason->later;
}
