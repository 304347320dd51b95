/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/types.h"
#include "conf/parse.h"
#include "daemon/control.h"
#include "daemon/control_lookup.h"
#include "daemon/control_request.h"
#include "daemon/control_slow.h"
#include "daemon/control_stats.h"
#include "daemon/look_back.h"

/* Since when the numbers count, if not since the start. */
static void covers_add(
    struct control_commands *commands, uint64_t since_s, int64_t now, struct text *answer)
{
    if (since_s == 0) {
        return;
    }
    int64_t since = now - (int64_t)since_s * CLOCK_US_PER_S;
    int64_t from = look_back_apply(commands->look_back, commands->export, since);
    text_addf(answer, "covers %" PRId64 "\n", (now - from) / CLOCK_US_PER_S);
}

static void stats_run(struct control_commands *commands, uint64_t since_s, struct text *answer)
{
    int64_t now = clock_now();
    int64_t uptime_s = (now - commands->started_at) / CLOCK_US_PER_S;
    text_addf(answer, "info %s %" PRId64 " %zu %ld %s\n", commands->version, uptime_s,
        commands->sources.worker_count, (long)getpid(), commands->config);
    covers_add(commands, since_s, now, answer);
    control_stats_add(answer, commands->export);
}

static void reload_run(struct control_commands *commands, struct text *answer)
{
    char notes_bytes[4096];
    struct text notes;
    text_init(&notes, notes_bytes, sizeof notes_bytes);
    struct findings *findings = calloc(1, sizeof *findings);
    if (findings == NULL) {
        text_add(answer, "error out of memory; the old settings stay\n");
        return;
    }
    bool is_done = commands->reload(commands->daemon, findings, &notes);
    text_add(answer, is_done ? "ok\n" : "error the settings have errors; the old ones stay\n");
    for (size_t i = 0; i < findings->count; i++) {
        char line[FINDING_FILE_SIZE + FINDING_SENTENCE_SIZE + 64];
        (void)finding_format(&findings->items[i], line, sizeof line);
        text_addf(answer, "finding %s\n", line);
    }
    text_add(answer, notes.data);
    free(findings);
}

static void slow_run(
    struct control_commands *commands, const struct control_request *request, struct text *answer)
{
    const struct control_slow_case wanted = {
        .failed = request->command == CONTROL_SLOW_FAILED,
        .shows_names = request->wants_names,
    };
    text_add(answer, "ok\n");
    if (!control_slow_add(answer, &commands->sources, &wanted)) {
        text_init(answer, answer->data, answer->size);
        text_add(answer, "error out of memory\n");
    }
}

static void commands_run_checked(
    struct control_commands *commands, const struct control_request *request, struct text *answer)
{
    struct cache *cache = commands->sources.cache;
    size_t flushed = 0;
    switch (request->command) {
    case CONTROL_RELOAD:
        reload_run(commands, answer);
        return;
    case CONTROL_PING:
        text_add(answer, "ok\n");
        return;
    case CONTROL_LOOKUP:
        control_lookup_add(answer, commands, request);
        return;
    case CONTROL_TRACE_START:
        control_trace_start(answer, &commands->sources, request);
        return;
    case CONTROL_TRACE_LOOK:
        control_trace_look(answer, &commands->sources, request);
        return;
    case CONTROL_STATS:
    case CONTROL_UPSTREAMS:
        text_add(answer, "ok\n");
        export_gather(commands->export, &commands->sources);
        if (request->command == CONTROL_STATS) {
            stats_run(commands, request->since_s, answer);
        } else {
            control_stats_add_upstreams(answer, commands->export);
        }
        return;
    case CONTROL_SLOW:
    case CONTROL_SLOW_FAILED:
        slow_run(commands, request, answer);
        return;
    case CONTROL_FLUSH_NAME:
        flushed = cache_flush_name(cache, request->name, request->name_len);
        break;
    case CONTROL_FLUSH_UNDER:
        flushed = cache_flush_under(cache, request->name, request->name_len);
        break;
    case CONTROL_FLUSH_ALL:
        flushed = cache_flush_all(cache);
        break;
    }
    text_addf(answer, "ok\nflushed %zu\n", flushed);
}

void control_commands_run(
    void *world, const struct control_peer *peer, const char *line, size_t len, struct text *answer)
{
    struct control_commands *commands = world;
    struct control_request request;
    const char *complaint = NULL;
    if (!control_request_parse(line, len, &request, &complaint)) {
        text_addf(answer, "error %s\n", complaint);
    } else if (control_request_is_write(&request) && !peer->may_write) {
        text_add(answer,
            "error not permitted: flush and reload are for root, the daemon's own user, and users "
            "whose first group is the socket's\n");
    } else if (control_request_is_personal(&request) && !peer->may_see_names) {
        text_add(answer,
            "error not permitted: whom list questions are about is shown to root and the daemon's "
            "own user only; leave out --names\n");
    } else {
        commands_run_checked(commands, &request, answer);
    }
}
