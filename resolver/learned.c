/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/learned.h"

#include <stdbool.h>
#include <string.h>

#include "mail/habit.h"
#include "mail/habit_save.h"
#include "resolver/memory.h"
#include "resolver/probe.h"
#include "resolver/resolver_private.h"

/* Where saving stands. */
struct learned_turn {
    const struct resolver *resolver;
    int64_t now;
    learned_take *take;
    void *context;
};

/* Gives each of its blobs to the turn's `take`; `form` has its name and version. */
typedef void learned_saver(const struct learned_turn *turn, const struct snapshot_blob *form);
typedef void learned_restorer(
    struct resolver *resolver, const struct snapshot_blob *blob, int64_t age_us, int64_t now);

static void upstream_save(const struct learned_turn *turn, const struct snapshot_blob *form)
{
    const struct server_table *table = &turn->resolver->servers;
    for (size_t i = 0; i < table->count; i++) {
        const struct server *server = &table->servers[i];
        uint8_t subject[MEMORY_SUBJECT_SIZE];
        uint8_t bytes[MEMORY_SIZE];
        struct snapshot_blob blob = *form;
        blob.subject_len =
            memory_subject(table->groups[server->group].name, &server->settings, subject);
        blob.len = memory_of_server(server, turn->now, bytes);
        blob.weight = memory_weight(server);
        blob.subject = subject;
        blob.bytes = bytes;
        if (blob.len > 0) {
            turn->take(turn->context, &blob);
        }
    }
}

static void upstream_restore(
    struct resolver *resolver, const struct snapshot_blob *blob, int64_t age_us, int64_t now)
{
    const struct memory memory = {.bytes = blob->bytes, .len = blob->len, .age_us = age_us};
    struct server_table *table = &resolver->servers;
    for (size_t i = 0; i < table->count; i++) {
        struct server *server = &table->servers[i];
        bool is_it = memory_is_about(
            blob->subject, blob->subject_len, table->groups[server->group].name, &server->settings);
        if (is_it && memory_to_server(server, &memory, now)) {
            probe_watch(resolver, i, now);
        }
    }
}

static void habits_save(const struct learned_turn *turn, const struct snapshot_blob *form)
{
    static const uint8_t subject[] = "all";
    const struct habit *habit = turn->resolver->ahead.habit;
    uint8_t bytes[HABIT_SAVE_MAX];
    struct snapshot_blob blob = *form;
    blob.subject = subject;
    blob.subject_len = sizeof subject - 1;
    blob.bytes = bytes;
    blob.len = habit_save(habit, bytes, sizeof bytes);
    blob.weight = habit_weight(habit);
    if (blob.len > 0 && blob.weight > 0) {
        turn->take(turn->context, &blob);
    }
}

/* Habits do not age: what is not done any more is soon seen. */
static void habits_restore(
    struct resolver *resolver, const struct snapshot_blob *blob, int64_t age_us, int64_t now)
{
    struct habit *habit = resolver->ahead.habit;
    (void)age_us;
    (void)now;
    if (blob->weight > habit_weight(habit)) {
        (void)habit_load(habit, blob->bytes, blob->len);
    }
}

static const struct learned_row {
    const char *name;
    uint16_t version;
    learned_saver *save;
    learned_restorer *restore;
} learned_rows[] = {
    {"upstream", MEMORY_VERSION, upstream_save, upstream_restore},
    {"habits", HABIT_SAVE_VERSION, habits_save, habits_restore},
};

#define LEARNED_ROWS (sizeof learned_rows / sizeof learned_rows[0])

void learned_save(const struct resolver *resolver, int64_t now, learned_take *take, void *context)
{
    const struct learned_turn turn = {
        .resolver = resolver, .now = now, .take = take, .context = context};
    for (size_t i = 0; i < LEARNED_ROWS; i++) {
        const struct snapshot_blob form = {
            .name = learned_rows[i].name,
            .name_len = strlen(learned_rows[i].name),
            .version = learned_rows[i].version,
        };
        learned_rows[i].save(&turn, &form);
    }
}

void learned_restore(
    struct resolver *resolver, const struct snapshot_blob *blob, int64_t age_us, int64_t now)
{
    for (size_t i = 0; i < LEARNED_ROWS; i++) {
        const struct learned_row *row = &learned_rows[i];
        if (blob->name_len == strlen(row->name) &&
            memcmp(blob->name, row->name, blob->name_len) == 0 && blob->version == row->version) {
            row->restore(resolver, blob, age_us, now);
        }
    }
}
