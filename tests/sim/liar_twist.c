/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include "base/must.h"

unsigned twist_variants(const struct twist *twist, const struct house *house,
    const struct story *story, const struct address *server)
{
    static struct tale truth;
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    struct referee_question question = story_question(story);
    uint8_t query[512];
    const struct house_request request = {
        .story = story, .server = server, .message = query, .len = house_query(&question, query)};
    size_t len = house_truth(house, &request, bytes);
    must(tale_read(&truth, bytes, len));
    return twist->count(&truth, len);
}
