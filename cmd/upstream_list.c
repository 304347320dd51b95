/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/upstream_list.h"

#include <stdint.h>
#include <string.h>

#include "resolver/origin.h"
#include "cmd/reply.h"

#define UPSTREAM_WORDS 4
#define PORT_DNS       53

static bool upstream_read(char *const words[], struct upstream *upstream_out)
{
    memset(upstream_out, 0, sizeof *upstream_out);
    bool is_plain = strcmp(words[3], "-") == 0;
    return reply_word_copy(words[1], upstream_out->group, sizeof upstream_out->group) &&
           address_parse(words[2], strlen(words[2]), PORT_DNS, &upstream_out->address) &&
           (is_plain ||
               reply_word_copy(words[3], upstream_out->tls_name, sizeof upstream_out->tls_name));
}

bool upstream_list_read(struct reply *reply, struct upstream_list *list_out)
{
    list_out->count = 0;
    for (char *line = reply_next(reply); line != NULL; line = reply_next(reply)) {
        char *words[UPSTREAM_WORDS];
        size_t count = reply_words(line, words, UPSTREAM_WORDS);
        if (count == 0 || strcmp(words[0], "upstream") != 0 ||
            list_out->count == UPSTREAM_LIST_MAX) {
            continue;
        }
        if (count < UPSTREAM_WORDS || !upstream_read(words, &list_out->items[list_out->count])) {
            return false;
        }
        list_out->count++;
    }
    return true;
}

const char *upstream_list_group(const struct upstream_list *list, uint16_t origin)
{
    /* May be without servers, and is not listed then. */
    static const char standard[] = "default";
    for (size_t i = 0; i < list->count; i++) {
        if (origin_of_group(list->items[i].group) == origin) {
            return list->items[i].group;
        }
    }
    return origin_of_group(standard) == origin ? standard : "(not of this configuration)";
}
