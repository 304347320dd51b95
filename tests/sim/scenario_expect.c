/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/scenario_expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "base/must.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"
#include "resolver/judge.h"
#include "resolver/list_stats.h"
#include "resolver/resolver.h"
#include "resolver/slow.h"
#include "resolver/stats.h"
#include "tests/sim/sim.h"

static struct actor *actor_named(struct actors *actors, const char *name)
{
    size_t i = 0;
    while (i < actors->count && strcmp(actors->items[i].name, name) != 0) {
        i++;
    }
    must(i < ACTORS_MAX);
    actors->count += i == actors->count ? 1 : 0;
    snprintf(actors->items[i].name, sizeof actors->items[i].name, "%s", name);
    return &actors->items[i];
}

void actors_set(struct actors *actors, const char *name, size_t client)
{
    struct actor *actor = actor_named(actors, name);
    actor->is_libc = false;
    actor->index = client;
}

void actors_set_libc(struct actors *actors, const char *name, size_t libc)
{
    struct actor *actor = actor_named(actors, name);
    actor->is_libc = true;
    actor->index = libc;
}

static const struct actor *actor_find(const struct actors *actors, const char *name)
{
    for (size_t i = 0; i < actors->count; i++) {
        if (strcmp(actors->items[i].name, name) == 0) {
            return &actors->items[i];
        }
    }
    sim_fail("nobody is called %s", name);
}

/* ---- Looking into an answer ---- */

/* Our own parser has accepted the message; ldns puts it into words. Freed by the caller. */
static char *answer_text(const struct sim_client *client)
{
    ldns_pkt *packet = NULL;
    if (ldns_wire2pkt(&packet, client->answer, client->len) != LDNS_STATUS_OK) {
        sim_fail("ldns does not accept the answer");
    }
    char *text = ldns_pkt2str(packet);
    ldns_pkt_free(packet);
    must(text != NULL);
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '\t' ? ' ' : *at;
    }
    return text;
}

static void expect_text(const struct sim_client *client, const char *wanted, bool is_there)
{
    char *text = answer_text(client);
    if ((strstr(text, wanted) != NULL) != is_there) {
        sim_fail("expected %s\"%s\" in:\n%s", is_there ? "" : "no ", wanted, text);
    }
    free(text);
}

static struct message answer_message(const struct sim_client *client)
{
    struct message message;
    if (message_read(client->answer, client->len, &message) != MESSAGE_GOOD) {
        sim_fail("the answer is malformed");
    }
    return message;
}

/* The TTLs of all records but OPT are between the bounds. */
static void expect_ttl(const struct sim_client *client, uint32_t min, uint32_t max)
{
    struct message message = answer_message(client);
    struct reader reader = reader_of(client->answer, client->len);
    reader.at = message.records_at;
    unsigned seen = 0;
    for (struct record record; record_read(&reader, &record);) {
        if (record.type == TYPE_OPT) {
            continue;
        }
        seen++;
        if (record.ttl < min || record.ttl > max) {
            sim_fail("a TTL is %u, not %u to %u", record.ttl, min, max);
        }
    }
    if (seen == 0) {
        sim_fail("the answer has no records");
    }
}

/* RFC 8914: where option 15 of the OPT record begins; 0: there is none. */
static size_t answer_ede_at(const struct sim_client *client)
{
    struct message message = answer_message(client);
    struct reader reader = reader_of(client->answer, client->len);
    reader.at = message.records_at;
    for (struct record record; record_read(&reader, &record);) {
        size_t at = record.rdata_at;
        while (record.type == TYPE_OPT && at + 4 <= record.rdata_at + record.rdata_len) {
            if (bytes_get_u16(client->answer + at) == 15) {
                return at;
            }
            at += 4u + bytes_get_u16(client->answer + at + 2);
        }
    }
    return 0;
}

static int answer_ede(const struct sim_client *client)
{
    size_t at = answer_ede_at(client);
    return at == 0 ? -1 : bytes_get_u16(client->answer + at + 4);
}

/* The option's text has, or has not, these words. */
static void expect_ede_text(const struct sim_client *client, const char *wanted, bool is_there)
{
    size_t at = answer_ede_at(client);
    char text[1024] = "";
    if (at != 0) {
        size_t len = bytes_get_u16(client->answer + at + 2) - 2u;
        must(len < sizeof text);
        memcpy(text, client->answer + at + 6, len);
        text[len] = '\0';
    }
    if ((strstr(text, wanted) != NULL) != is_there) {
        sim_fail(
            "expected %s\"%s\" in the extended error: %s", is_there ? "" : "no ", wanted, text);
    }
}

static void expect_flag(
    const struct sim_client *client, const char *word, unsigned flag, bool is_set)
{
    if (((header_flags(client->answer) & flag) != 0) != is_set) {
        sim_fail("expected %s; the flags are %04x", word, header_flags(client->answer));
    }
}

/* ---- The words ---- */

static uint64_t expect_number(const char *word)
{
    uint64_t number;
    if (word == NULL || !text_parse_u64(word, strlen(word), UINT32_MAX, &number)) {
        sim_fail("not a number: %s", word != NULL ? word : "(nothing)");
    }
    return number;
}

static int64_t expect_duration(const char *word)
{
    int64_t duration;
    if (word == NULL || !text_parse_duration(word, strlen(word), &duration)) {
        sim_fail("not a duration: %s", word != NULL ? word : "(nothing)");
    }
    return duration;
}

static bool expect_state(const struct sim_client *client, const char *word)
{
    if (strcmp(word, "waiting") == 0 || strcmp(word, "nothing") == 0) {
        bool is_waiting = client->state == SIM_CLIENT_WAITING;
        bool is_dropped = client->state == SIM_CLIENT_DROPPED;
        if (word[0] == 'w' ? !is_waiting : !is_dropped) {
            sim_fail("expected %s, but it has an answer or still waits", word);
        }
        return true;
    }
    if (client->state != SIM_CLIENT_ANSWERED) {
        sim_fail("there is no answer yet");
    }
    char text[TYPE_TEXT_SIZE];
    for (unsigned rcode = 0; rcode < 6; rcode++) {
        if (strcasecmp(rcode_to_text(rcode, text), word) == 0) {
            if (header_rcode(client->answer) != rcode) {
                sim_fail(
                    "expected %s, got %s", word, rcode_to_text(header_rcode(client->answer), text));
            }
            expect_flag(client, "ra", HEADER_RA, true);
            return true;
        }
    }
    return false;
}

static bool expect_bare(const struct sim_client *client, const char *word)
{
    static const struct {
        const char *word;
        unsigned flag;
        bool is_set;
    } flags[] = {
        {"tc", HEADER_TC, true},
        {"no-tc", HEADER_TC, false},
        {"ad", HEADER_AD, true},
        {"no-ad", HEADER_AD, false},
        {"cd", HEADER_CD, true},
    };
    if (strcmp(word, "no-ede") == 0) {
        if (answer_ede_at(client) != 0) {
            sim_fail("there is an extended error: %d", answer_ede(client));
        }
        return true;
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].word, word) == 0) {
            expect_flag(client, word, flags[i].flag, flags[i].is_set);
            return true;
        }
    }
    return false;
}

static void expect_number_is(const char *what, long long seen, uint64_t wanted)
{
    if (seen < 0 || (uint64_t)seen != wanted) {
        sim_fail("%s is %lld, not %llu", what, seen, (unsigned long long)wanted);
    }
}

/* Words with an argument. */
static void expect_pair(const struct sim_client *client, const char *word, const char *argument)
{
    if (strcmp(word, "has") == 0 && argument != NULL) {
        expect_text(client, argument, true);
    } else if (strcmp(word, "lacks") == 0 && argument != NULL) {
        expect_text(client, argument, false);
    } else if (strcmp(word, "ede-has") == 0 && argument != NULL) {
        expect_ede_text(client, argument, true);
    } else if (strcmp(word, "ede-lacks") == 0 && argument != NULL) {
        expect_ede_text(client, argument, false);
    } else if (strcmp(word, "ttl") == 0) {
        expect_ttl(client, (uint32_t)expect_number(argument), (uint32_t)expect_number(argument));
    } else if (strcmp(word, "ttl-at-most") == 0) {
        expect_ttl(client, 0, (uint32_t)expect_number(argument));
    } else if (strcmp(word, "answers") == 0) {
        expect_number_is(
            "the number of answers", header_ancount(client->answer), expect_number(argument));
    } else if (strcmp(word, "ede") == 0) {
        expect_number_is("the extended error", answer_ede(client), expect_number(argument));
    } else if (strcmp(word, "after") == 0) {
        expect_number_is("the wait in us", client->answered_at - client->asked_at,
            (uint64_t)expect_duration(argument));
    } else if (strcmp(word, "within") == 0) {
        if (client->answered_at - client->asked_at > expect_duration(argument)) {
            sim_fail("it took %lld us", (long long)(client->answered_at - client->asked_at));
        }
    } else {
        sim_fail("one cannot expect: %s", word);
    }
}

/* libc has come to an end, well or not, and no later than that after its first message. */
static void expect_libc(const struct sim *sim, const struct actor *actor, const char *limit)
{
    if (!actor->is_libc) {
        sim_fail("%s is no libc", actor->name);
    }
    const struct sim_libc *libc = &sim->libcs[actor->index];
    int64_t waited = (libc->is_done ? libc->done_at : sim->now) - libc->asked_at;
    if (!libc->is_done || waited > expect_duration(limit)) {
        sim_fail(
            "libc %s %lld us", libc->is_done ? "waited" : "waits still, for", (long long)waited);
    }
}

void scenario_expect(
    const struct sim *sim, const struct actors *actors, const char *const *words, size_t count)
{
    if (count < 2) {
        sim_fail("expect ACTOR WORD...");
    }
    const struct actor *actor = actor_find(actors, words[0]);
    size_t number = actor->is_libc ? sim->libcs[actor->index].client : actor->index;
    const struct sim_client *client = &sim->clients[number];
    for (size_t i = 1; i < count; i++) {
        if (strcmp(words[i], "libc-wait-at-most") == 0) {
            expect_libc(sim, actor, i + 1 < count ? words[i + 1] : NULL);
            i++;
            continue;
        }
        if (expect_state(client, words[i]) || expect_bare(client, words[i])) {
            continue;
        }
        expect_pair(client, words[i], i + 1 < count ? words[i + 1] : NULL);
        i++;
    }
}

void scenario_expect_counter(const struct sim *sim, const char *name, uint64_t value)
{
    const struct resolver_stats *stats = resolver_stats_of(sim->resolver);
    for (size_t i = 0; i < resolver_metric_row_count; i++) {
        if (strcmp(resolver_metric_rows[i].name, name) == 0) {
            expect_number_is(name, (long long)resolver_stats_read(stats, i), value);
            return;
        }
    }
    sim_fail("no such counter: %s", name);
}

uint64_t scenario_ahead_count(const struct sim *sim, const char *step, bool is_used)
{
    const struct resolver_stats *stats = resolver_stats_of(sim->resolver);
    for (unsigned i = SEQUEL_NONE + 1; i < SEQUEL_STEPS; i++) {
        enum sequel_step at = (enum sequel_step)i;
        if (strcmp(sequel_step_name(at), step) == 0) {
            return resolver_stats_read(stats, resolver_stats_ahead_row(at, is_used));
        }
    }
    sim_fail("no such step: %s", step);
}

static bool expect_find_list(const struct sim *sim, const char *zone, struct list_view *view_out)
{
    for (size_t i = 0; resolver_list_at(sim->resolver, i, sim->now, view_out); i++) {
        if (view_out->stats != NULL && strcmp(view_out->zone, zone) == 0) {
            return true;
        }
    }
    return false;
}

static void expect_list_row(const struct list_view *view, const char *name, uint64_t value)
{
    for (size_t i = 0; i < list_metric_row_count; i++) {
        if (strcmp(list_metric_rows[i].name, name) == 0) {
            expect_number_is(name, (long long)list_stats_read(view->stats, i), value);
            return;
        }
    }
    sim_fail("a list does not count %s", name);
}

void scenario_expect_list(
    const struct sim *sim, const char *zone, const char *what, const char *value)
{
    struct list_view view;
    bool is_there = expect_find_list(sim, zone, &view);
    if (is_there == (strcmp(what, "none") == 0)) {
        sim_fail("%s is %s list", zone, is_there ? "a" : "no");
    }
    if (!is_there) {
        return;
    }
    if (strcmp(what, "stands") == 0) {
        if (strcmp(view.standing, value) != 0) {
            sim_fail("%s stands as %s, not %s", zone, view.standing, value);
        }
    } else if (strcmp(what, "day") == 0) {
        expect_number_is("day", (long long)view.day, expect_number(value));
    } else {
        expect_list_row(&view, what, expect_number(value));
    }
}

/* ---- The story of a slow or failed question ---- */

/* Its record is in `record_out`; the failed ones are looked at last. */
static bool expect_find_story(
    const struct sim *sim, const char *name, struct slow_record *record_out)
{
    static struct slow_record records[SLOW_PLACES];
    char shown[REDACT_TEXT_SIZE];
    for (unsigned failed = 0; failed < 2; failed++) {
        size_t count = resolver_slow(sim->resolver, failed == 1, sim->now, records);
        for (size_t i = 0; i < count; i++) {
            (void)redact_kept_text(&records[i].name, false, shown, sizeof shown);
            if (strcmp(shown, name) == 0) {
                *record_out = records[i];
                return true;
            }
        }
    }
    return false;
}

/* KIND:DETAIL:ADDRESS:MILLISECONDS, where a dash stands for what is not there. */
static void story_event(const struct timeline *timeline, size_t index, char *out, size_t size)
{
    const struct timeline_event *event = &timeline->events[index];
    char server[ADDRESS_TEXT_SIZE] = "-";
    const char *detail = "-";
    if (event->server < timeline->server_count) {
        (void)address_format_host(&timeline->servers[event->server], server, sizeof server);
    }
    if (event->kind == TIMELINE_ASKED) {
        detail = timeline_reason_name((enum timeline_reason)event->detail);
    } else if (event->kind == TIMELINE_REPLIED) {
        detail = judge_verdict_name((enum judge_verdict)event->detail);
    }
    snprintf(out, size, "%s:%s:%s:%ums", timeline_kind_name((enum timeline_kind)event->kind),
        detail, server, event->at_us / 1000);
}

static void story_print(const struct timeline *timeline)
{
    char event[ADDRESS_TEXT_SIZE + 64];
    for (size_t i = 0; i < timeline->count; i++) {
        story_event(timeline, i, event, sizeof event);
        (void)fprintf(stderr, "    %s\n", event);
    }
}

void scenario_expect_story(
    const struct sim *sim, const char *name, const char *const *events, size_t count)
{
    struct slow_record record;
    char event[ADDRESS_TEXT_SIZE + 64];
    bool is_none = count == 1 && strcmp(events[0], "none") == 0;
    if (expect_find_story(sim, name, &record) == is_none) {
        sim_fail("%s has %s story", name, is_none ? "a" : "no");
    }
    for (size_t i = 0; i < count && !is_none; i++) {
        bool is_there = i < record.timeline.count;
        if (is_there) {
            story_event(&record.timeline, i, event, sizeof event);
        }
        if (!is_there || strncmp(event, events[i], strlen(events[i])) != 0) {
            story_print(&record.timeline);
            sim_fail("the story of %s has no %s in place %zu", name, events[i], i + 1);
        }
    }
    if (!is_none && record.timeline.count != count) {
        story_print(&record.timeline);
        sim_fail("the story of %s goes on after %zu events", name, count);
    }
}
