/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/event_view.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "cmd/reply.h"

/* What a kind and its detail mean. "%" stands for the server, "&" for "by UDP" and its like, "$"
 * for the code of the reply. */
struct phrase {
    const char *kind;
    const char *detail; /* NULL: any. */
    const char *words;
};

static const struct phrase phrases[] = {
    {"asked", "first", "asked % &"},
    {"asked", "next", "asked % next, &"},
    {"asked", "again", "asked % again, &"},
    {"asked", "silent", "asked % too, &: the one before has fallen silent"},
    {"asked", "hedge", "asked % too, &: this takes longer than usual (hedge)"},
    {"asked", "truncated", "asked % again, &, for the whole answer"},
    {"asked", "no-edns", "asked % again, &, without EDNS"},
    {"asked", "cookie", "asked % again, &, with its cookie"},
    {"asked", "doubt", "asked % again, &: that reply may have been forged"},
    {"asked", "reopened", "asked % again, &, on a new line"},
    {"asked", NULL, "asked % &"},
    {"unsent", NULL, "could not send to %"},
    {"lost", NULL, "no reply from % in its time: taken for lost"},
    {"replied", "answer", "% answered: $"},
    {"replied", "nodata", "% answered: no records of this type"},
    {"replied", "nxdomain", "% answered: there is no such name (NXDOMAIN)"},
    {"replied", "truncated", "% answered: too long for a datagram (TC)"},
    {"replied", "no-edns", "% does not take EDNS: $"},
    {"replied", "bad-cookie", "% wants to see its cookie first"},
    {"replied", "other-case", "a reply from % with the name in other letters: forged?"},
    {"replied", "no-cookie", "a reply from % without our cookie: forged?"},
    {"replied", "servfail", "% failed: $"},
    {"replied", "refused", "% refused to answer: $"},
    {"replied", "lame", "% knows nothing about this name"},
    {"replied", "referral", "% named other servers"},
    {"replied", "malformed", "a reply from % that cannot be read"},
    {"replied", NULL, "% replied: $"},
    {"broken", NULL, "the line to % broke (&)"},
    {"given-up", NULL, "left the line to %: somebody guesses replies there"},
    {"all-rest", NULL, "all servers are dead: waited for one to come back"},
    {"nobody-left", NULL, "nobody is left to ask: waited for late replies"},
    {"seeking", NULL, "looked for the zone's own name servers"},
    {"turned-back", NULL, "these do not help: back to the upstream servers"},
    {"turned-direct", NULL, "the list refuses them: on to its own name servers"},
    {"list-refused", NULL, "the list refuses to answer: this is no listing"},
    {"reloaded", NULL, "the configuration was read anew: began again"},
    {"slept", NULL, "the host slept; that time does not count"},
};

bool event_view_read(char *const words[], size_t count, struct event_view *event_out)
{
    uint64_t is_late;
    *event_out = (struct event_view){.at_us = 0};
    if (count < EVENT_VIEW_WORDS || strcmp(words[0], "event") != 0 ||
        !reply_number(words[7], 1, &is_late)) {
        return false;
    }
    event_out->is_late = is_late == 1;
    return reply_number(words[1], UINT32_MAX, &event_out->at_us) &&
           reply_word_copy(words[2], event_out->kind, sizeof event_out->kind) &&
           reply_word_copy(words[3], event_out->server, sizeof event_out->server) &&
           reply_word_copy(words[4], event_out->transport, sizeof event_out->transport) &&
           reply_word_copy(words[5], event_out->detail, sizeof event_out->detail) &&
           reply_word_copy(words[6], event_out->rcode, sizeof event_out->rcode);
}

static const struct phrase *phrase_find(const struct event_view *event)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        const struct phrase *phrase = &phrases[i];
        bool is_any = phrase->detail == NULL || strcmp(phrase->detail, event->detail) == 0;
        if (is_any && strcmp(phrase->kind, event->kind) == 0) {
            return phrase;
        }
    }
    return NULL;
}

/* The usual port goes without saying. */
static void add_server(struct text *text, const char *server)
{
    static const char usual[] = "@53";
    size_t len = strlen(server);
    size_t tail = sizeof usual - 1;
    if (strcmp(server, "-") == 0) {
        text_add(text, "one more server");
        return;
    }
    bool is_usual = len > tail && strcmp(server + len - tail, usual) == 0;
    text_add_bytes(text, server, is_usual ? len - tail : len);
}

static void add_transport(struct text *text, const char *transport)
{
    text_add(text, "by ");
    for (; *transport != '\0'; transport++) {
        char letter = (char)toupper((unsigned char)*transport);
        text_add_bytes(text, &letter, 1);
    }
}

void event_view_add(struct text *text, const struct event_view *event)
{
    const struct phrase *phrase = phrase_find(event);
    if (phrase == NULL) {
        text_add(text, event->kind);
        return;
    }
    for (const char *at = phrase->words; *at != '\0'; at++) {
        if (*at == '%') {
            add_server(text, event->server);
        } else if (*at == '&') {
            add_transport(text, event->transport);
        } else if (*at == '$') {
            text_add(text, event->rcode);
        } else {
            text_add_bytes(text, at, 1);
        }
    }
    text_add(text, event->is_late ? ", after it had been given up" : "");
}
