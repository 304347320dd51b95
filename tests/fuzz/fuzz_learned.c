/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a snapshot brings back beside answers: habits (the first byte is even) and servers' records
 * (odd). Any bytes. What is believed is within all bounds, can be used, and is saved as bytes that
 * lead to the same; what is refused changes nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/name.h"
#include "mail/habit.h"
#include "mail/habit_save.h"
#include "resolver/memory.h"
#include "resolver/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(400000000000)

/* ---- Habits ---- */

static void check_habit(const struct habit *habit)
{
    for (size_t i = 0; i < HABIT_ROWS; i++) {
        const struct habit_row *row = &habit->rows[i];
        must(row->matured <= row->opened && row->opened <= HABIT_ROW_MAX);
        for (size_t target = 0; target < HABIT_TARGETS; target++) {
            must(row->asked[target] <= row->opened);
        }
    }
    for (size_t i = 0; i < HABIT_ZONES; i++) {
        const struct habit_zone *zone = &habit->zones[i];
        must(zone->len <= HABIT_ZONE_SIZE);
        must(zone->len == 0 || name_is_valid(zone->name, zone->len));
    }
    for (size_t i = 0; i < HABIT_SELECTORS; i++) {
        must(habit->selectors[i].label[0] < HABIT_LABEL_SIZE);
    }
}

/* A domain is asked about, and whatever is worth it is asked ahead. */
static void use_habit(struct habit *habit)
{
    static const uint8_t name[] = "\1a\7example";
    struct sequel_subject subject;
    struct sequel_next next;
    must(sequel_subject_of(name, sizeof name, 15, NULL, &subject));
    const struct habit_question question = {
        .subject = &subject, .name = name, .name_len = sizeof name, .type = 15};
    for (unsigned i = 0; i < 3; i++) {
        struct habit_visit visit = habit_on_question(habit, &question, NOW + i * HABIT_LIFE_US);
        must(visit.subject != NULL);
        uint64_t wanted = habit_wanted(habit, visit.subject);
        for (uint8_t target = 0; target < HABIT_TARGETS; target++) {
            if ((wanted >> target & 1) != 0 && habit_compose(habit, &subject, target, 0, &next)) {
                must(name_is_valid(next.name, next.name_len));
                habit_on_asked(visit.subject, target);
            }
        }
        check_habit(habit);
    }
}

static void check_habits(const uint8_t *data, size_t size)
{
    static struct habit habit;
    static struct habit again;
    static uint8_t saved[HABIT_SAVE_MAX];
    static uint8_t saved_again[HABIT_SAVE_MAX];
    static const struct hash_key secret = {1, 2};
    memset(&habit, 0, sizeof habit);
    memset(&again, 0, sizeof again);
    habit_init(&habit, &secret, 50);
    habit_init(&again, &secret, 50);
    if (!habit_load(&habit, data, size)) {
        must(habit_weight(&habit) == 0 && habit.zones[0].len == 0 && habit.selectors_seen == 0);
        return;
    }
    check_habit(&habit);
    size_t len = habit_save(&habit, saved, sizeof saved);
    must(len > 0 && habit_load(&again, saved, len));
    must(habit_weight(&again) == habit_weight(&habit));
    must(habit_save(&again, saved_again, sizeof saved_again) == len);
    must(memcmp(saved, saved_again, len) == 0);
    use_habit(&habit);
}

/* ---- Servers ---- */

static void check_server(const struct server *server)
{
    must(server->loss >= 0 && server->loss <= 1);
    must(server->latency_us >= 0 && server->heard_at <= NOW);
    must(server->recent.count <= LATENCY_WINDOW && server->recent.total >= 0);
    int64_t before = 0;
    for (unsigned permille = 10; permille < 1000; permille += 30) {
        int64_t quantile = latency_quantile(&server->recent, permille);
        must(quantile >= before);
        before = quantile;
    }
    must(server_try_timeout(server, 2, 800000) <= 800000);
    must(server_hedge_delay(server, 20) <= SERVER_HEDGE_MAX_US);
    must(server->manners.letters_lost_until <= NOW + MANNERS_FORGET_US);
    must(server->plain_until <= NOW + SERVER_PLAIN_FOR_US);
}

static void check_memory(const uint8_t *data, size_t size)
{
    static const int64_t ages_us[] = {-5000000, 0, 1000000, MEMORY_REST_US, MEMORY_STRONG_US,
        MEMORY_WEAK_US, INT64_C(400000000000000)};
    static struct server server;
    static struct server again;
    uint8_t saved[MEMORY_SIZE];
    if (size == 0) {
        return;
    }
    struct memory memory = {.bytes = data + 1, .len = size - 1, .age_us = ages_us[data[0] % 7]};
    memset(&server, 0, sizeof server);
    memset(&again, 0, sizeof again);
    if (!memory_to_server(&server, &memory, NOW)) {
        must(memcmp(&server, &again, sizeof server) == 0);
        return;
    }
    check_server(&server);
    memory = (struct memory){.bytes = saved, .len = memory_of_server(&server, NOW, saved)};
    must(memory.len <= sizeof saved);
    must(memory.len == 0 || memory_to_server(&again, &memory, NOW));
    check_server(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* A copy of its own size, so that reading past its end is seen. */
    uint8_t *bytes = malloc(size);
    must(bytes != NULL);
    memcpy(bytes, data, size);
    if ((bytes[0] & 1) == 0) {
        check_habits(bytes + 1, size - 1);
    } else {
        check_memory(bytes + 1, size - 1);
    }
    free(bytes);
    return 0;
}
