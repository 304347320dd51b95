/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "wire/header.h"
#include "wire/types.h"
#include "tests/sim/sim.h"

static struct sim_server *server_of(struct scenario *scenario, const char *word)
{
    struct address address;
    if (!address_parse(word, strlen(word), 53, &address)) {
        sim_fail("not an address: %s", word);
    }
    return sim_server_at(scenario->sim, &address);
}

static struct world_name name_of(const char *word)
{
    struct world_name name;
    size_t len;
    if (!name_from_text(word, strlen(word), name.bytes, &len)) {
        sim_fail("not a name: %s", word);
    }
    name.len = (uint8_t)len;
    return name;
}

/* ---- How it behaves ---- */

static int rcode_of(const char *word)
{
    char text[TYPE_TEXT_SIZE];
    for (unsigned rcode = 0; rcode < 16; rcode++) {
        if (strcasecmp(rcode_to_text(rcode, text), word) == 0) {
            return (int)rcode;
        }
    }
    sim_fail("not an rcode: %s", word);
}

static enum sim_lie lie_of(const char *word)
{
    static const char *const names[SIM_LIES] = {
        "none", "id", "question", "qr", "garbage", "first", "port", "forged", "case", "cookie"};
    for (size_t i = 0; i < SIM_LIES; i++) {
        if (strcmp(names[i], word) == 0) {
            return (enum sim_lie)i;
        }
    }
    sim_fail("not a lie: %s", word);
}

/* Words without arguments. False: it is none of them. */
static bool server_set_flag(struct sim_server *server, const char *word)
{
    static const struct {
        const char *word;
        size_t offset;
    } flags[] = {
        {"silent", offsetof(struct sim_server, is_silent)},
        {"refusing", offsetof(struct sim_server, is_refusing)},
        {"looping", offsetof(struct sim_server, is_looping)},
        {"lowercase", offsetof(struct sim_server, is_lowercase)},
        {"ad", offsetof(struct sim_server, is_validating)},
        {"truncating", offsetof(struct sim_server, is_truncating)},
        {"no-tcp", offsetof(struct sim_server, has_no_tcp)},
        {"no-edns", offsetof(struct sim_server, has_no_edns)},
        {"drops-edns", offsetof(struct sim_server, drops_edns)},
        {"caching", offsetof(struct sim_server, is_caching)},
        {"cookie", offsetof(struct sim_server, has_cookies)},
        {"badcookie", offsetof(struct sim_server, wants_cookies)},
        {"no-glue", offsetof(struct sim_server, authority.has_no_glue)},
        {"hearsay", offsetof(struct sim_server, authority.is_hearsay)},
    };
    if (strcmp(word, "well") == 0) {
        sim_server_well(server);
        return true;
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].word, word) == 0) {
            *(bool *)((char *)server + flags[i].offset) = true;
            server->has_cookies |= server->wants_cookies;
            return true;
        }
    }
    return false;
}

static bool server_set_time(struct sim_server *server, const struct words *words, size_t index)
{
    const char *word = words->at[index];
    if (strcmp(word, "delay") == 0) {
        server->delay_us = words_duration(words, index + 1);
        server->delay_p99_us = 0;
    } else if (strcmp(word, "lognormal") == 0) {
        server->delay_us = words_duration(words, index + 1);
        server->delay_p99_us = words_duration(words, index + 2);
    } else if (strcmp(word, "jitter") == 0) {
        server->jitter_us = words_duration(words, index + 1);
    } else if (strcmp(word, "flapping") == 0) {
        server->flapping_us = words_duration(words, index + 1);
    } else {
        return false;
    }
    return true;
}

/* Words about what it serves; each has one argument. */
static bool server_set_authority(
    struct sim_authority *authority, const struct words *words, size_t index)
{
    const char *word = words->at[index];
    if (strcmp(word, "authority") == 0) {
        if (authority->zone_count == SIM_AUTHORITY_ZONES) {
            sim_fail("an authority for more than %d zones", SIM_AUTHORITY_ZONES);
        }
        authority->zones[authority->zone_count++] = name_of(words_get(words, index + 1));
    } else if (strcmp(word, "blocked") == 0) {
        authority->blocked = name_of(words_get(words, index + 1));
        authority->is_blocked = true;
    } else if (strcmp(word, "glue") == 0) {
        const char *text = words_get(words, index + 1);
        if (!address_parse(text, strlen(text), 0, &authority->glue)) {
            sim_fail("not an address: %s", text);
        }
    } else {
        return false;
    }
    return true;
}

/* One word of behaviour, with its arguments; how many words it took. */
static size_t server_set(struct sim_server *server, const struct words *words, size_t index)
{
    const char *word = words->at[index];
    if (server_set_flag(server, word)) {
        return 1;
    }
    if (server_set_time(server, words, index)) {
        return strcmp(word, "lognormal") == 0 ? 3 : 2;
    }
    if (server_set_authority(&server->authority, words, index)) {
        return 2;
    }
    if (strcmp(word, "loss") == 0) {
        server->loss = words_number(words, index + 1);
    } else if (strcmp(word, "loses") == 0) {
        server->loses = words_number(words, index + 1);
    } else if (strcmp(word, "duplicates") == 0) {
        server->duplicates = words_number(words, index + 1);
    } else if (strcmp(word, "ede") == 0) {
        server->ede = (int)words_number(words, index + 1);
    } else if (strcmp(word, "rcode") == 0) {
        server->rcode = rcode_of(words_get(words, index + 1));
    } else if (strcmp(word, "fails") == 0) {
        server->failing = name_of(words_get(words, index + 1));
        server->is_failing = true;
    } else if (strcmp(word, "lie") == 0) {
        server->lie = lie_of(words_get(words, index + 1));
    } else {
        sim_fail("a server cannot be: %s", word);
    }
    return 2;
}

/* server ADDRESS WORD... */
void play_server(struct scenario *scenario, const struct words *words)
{
    struct sim_server *server = server_of(scenario, words_get(words, 1));
    for (size_t i = 2; i < words->count;) {
        i += server_set(server, words, i);
    }
    server->flapping_since = scenario->sim->now;
}

/* ---- What it was sent ---- */

/* sent ADDRESS|all BOUND */
void play_sent(struct scenario *scenario, const struct words *words)
{
    const char *word = words_get(words, 1);
    if (strcmp(word, "all") == 0) {
        words_bound(words, 2, "the number of messages sent to all servers",
            scenario->sim->sent_count - scenario->sim->sent_marked);
        return;
    }
    char what[80];
    snprintf(what, sizeof what, "the number of messages sent to %s", word);
    words_bound(words, 2, what, server_of(scenario, word)->asked);
}

/* sent-rate ADDRESS BOUND per DURATION */
void play_sent_rate(struct scenario *scenario, const struct words *words)
{
    const struct sim_server *server = server_of(scenario, words_get(words, 1));
    if (words->count != 6 || strcmp(words->at[4], "per") != 0) {
        sim_fail("sent-rate ADDRESS at-most N per DURATION");
    }
    unsigned rate = sim_sent_rate(scenario->sim, server, words_duration(words, 5));
    words_bound(words, 2, "the largest number of messages in such a time", rate);
}

/* A word that says yes or, with "no-" before it, no. */
static void last_check_flag(const struct sim_seen *seen, const char *word)
{
    const struct {
        const char *word;
        bool is_so;
    } flags[] = {
        {"edns", seen->has_edns},
        {"do", seen->wants_dnssec},
        {"ad", (seen->flags & HEADER_AD) != 0},
        {"cd", (seen->flags & HEADER_CD) != 0},
        {"rd", (seen->flags & HEADER_RD) != 0},
        {"cookie", seen->has_cookie},
        {"server-cookie", seen->has_server_cookie},
        {"capitals", seen->has_capitals},
        {"tcp", seen->is_stream},
    };
    bool is_wanted = strncmp(word, "no-", 3) != 0;
    const char *flag = is_wanted ? word : word + 3;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].word, flag) != 0) {
            continue;
        }
        if (flags[i].is_so != is_wanted) {
            sim_fail("the last message had %s%s", is_wanted ? "no " : "", flag);
        }
        return;
    }
    sim_fail("a message cannot have: %s", word);
}

/* last ADDRESS WORD... */
void play_last(struct scenario *scenario, const struct words *words)
{
    const struct sim_server *server = server_of(scenario, words_get(words, 1));
    const struct sim_seen *seen = &server->last;
    char text[TYPE_TEXT_SIZE];
    if (seen->name.len == 0) {
        sim_fail("%s was never sent anything", words->at[1]);
    }
    for (size_t i = 2; i < words->count; i++) {
        if (strcmp(words->at[i], "name") == 0) {
            struct world_name name = name_of(words_get(words, ++i));
            if (!name_equal(name.bytes, name.len, seen->name.bytes, seen->name.len)) {
                sim_fail("the last message was not about %s", words->at[i]);
            }
        } else if (strcmp(words->at[i], "type") == 0) {
            if (strcasecmp(type_to_text(seen->type, text), words_get(words, ++i)) != 0) {
                sim_fail("the last message was about %s", text);
            }
        } else {
            last_check_flag(seen, words->at[i]);
        }
    }
}
