/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_belief.h"

#include "base/must.h"
#include "wire/types.h"

/* With letters in random case, which must come back; asked anew, it has none (SECURITY.md). */
static bool name_is_spelled(const struct world_name *name)
{
    for (size_t i = 0; i < name->len; i++) {
        if (name->bytes[i] >= 'A' && name->bytes[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

/* Some servers say FORMERR, SERVFAIL and the like with a header alone. That is no data. */
static bool reply_is_bare_error(const struct tale *reply, const struct tale *asked)
{
    unsigned rcode = reply->flags & 0xfu;
    return (reply->flags & HEADER_QR) != 0 && (reply->flags & 0x7800u) == 0 &&
           reply->id == asked->id && reply->question_count == 0 && rcode != RCODE_NOERROR &&
           rcode != RCODE_NXDOMAIN;
}

enum belief belief_of(struct tale *reply_out, const struct house_source *source)
{
    static struct tale asked;
    must(tale_read(&asked, source->asked, source->asked_len));
    bool is_whole = tale_read(reply_out, source->bytes, source->len);
    enum referee_match match = referee_match(reply_out, &asked);
    if (match == REFEREE_STRANGER || (match == REFEREE_SPELLING && name_is_spelled(&asked.name))) {
        return reply_is_bare_error(reply_out, &asked) ? BELIEF_BROKEN : BELIEF_NONE;
    }
    return is_whole && referee_may_believe(reply_out) ? BELIEF_MAY : BELIEF_BROKEN;
}
