/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_slow.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "wire/types.h"
#include "resolver/judge.h"
#include "resolver/resolver.h"
#include "resolver/slow.h"
#include "daemon/export.h"
#include "daemon/worker.h"

struct gathering {
    struct slow_record *records; /* SLOW_PLACES for each worker. */
    size_t count;
    bool failed;
    int64_t now;
};

/* In the worker's thread. */
static void gather_worker(struct worker *worker, void *context)
{
    struct gathering *gathering = context;
    gathering->count += resolver_slow(worker_resolver(worker), gathering->failed, gathering->now,
        gathering->records + gathering->count);
}

static const char *event_detail(const struct timeline_event *event)
{
    switch ((enum timeline_kind)event->kind) {
    case TIMELINE_ASKED:
        return timeline_reason_name((enum timeline_reason)event->detail);
    case TIMELINE_REPLIED:
        return judge_verdict_name((enum judge_verdict)event->detail);
    case TIMELINE_UNSENT:
    case TIMELINE_TIMED_OUT:
    case TIMELINE_BROKEN:
    case TIMELINE_GIVEN_UP:
    case TIMELINE_ALL_REST:
    case TIMELINE_NOBODY:
    case TIMELINE_SEEKING:
    case TIMELINE_TURNED_BACK:
    case TIMELINE_TURNED_DIRECT:
    case TIMELINE_LIST_REFUSED:
    case TIMELINE_RELOADED:
    case TIMELINE_SLEPT:
        return "-";
    }
    must_never("a kind of event");
}

static void event_add(
    struct text *answer, const struct timeline *timeline, const struct timeline_event *event)
{
    char server[ADDRESS_TEXT_SIZE] = "-";
    char rcode[TYPE_TEXT_SIZE] = "-";
    if (event->server < timeline->server_count) {
        (void)address_format(&timeline->servers[event->server], server, sizeof server);
    }
    if (event->kind == TIMELINE_REPLIED) {
        (void)rcode_to_text(event->rcode, rcode);
    }
    text_addf(answer, "event %" PRIu32 " %s %s %s %s %s %d\n", event->at_us,
        timeline_kind_name((enum timeline_kind)event->kind), server,
        timeline_transport_name((enum timeline_transport)event->transport), event_detail(event),
        rcode, event->is_late);
}

void control_timeline_add(struct text *answer, const struct timeline *timeline, size_t from)
{
    for (size_t i = from; i < timeline->count; i++) {
        event_add(answer, timeline, &timeline->events[i]);
    }
    if (timeline->left_out > 0) {
        text_addf(answer, "left-out %u\n", timeline->left_out);
    }
}

static void record_add(
    struct text *answer, const struct slow_record *record, bool shows_names, int64_t now)
{
    char name[REDACT_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    char rcode[TYPE_TEXT_SIZE];
    (void)redact_kept_text(&record->name, shows_names, name, sizeof name);
    text_addf(answer, "question %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu32,
        (now - record->at) / CLOCK_US_PER_S, record->waited_us, record->joined_us, record->count);
    text_addf(answer, " %s %d %s %s %d %s\n", type_to_text(record->type, type),
        record->wants_dnssec, outcome_name(record->outcome), rcode_to_text(record->rcode, rcode),
        record->ede, name);
    if (record->reason[0] != '\0') {
        text_addf(answer, "reason %s\n", record->reason);
    }
    control_timeline_add(answer, &record->timeline, 0);
}

bool control_slow_add(struct text *answer, const struct export_sources *sources,
    const struct control_slow_case *wanted)
{
    size_t room = (sources->worker_count > 0 ? sources->worker_count : 1) * SLOW_PLACES;
    struct gathering gathering = {
        .records = calloc(room, sizeof *gathering.records),
        .failed = wanted->failed,
        .now = clock_now(),
    };
    if (gathering.records == NULL) {
        return false;
    }
    for (size_t i = 0; i < sources->worker_count; i++) {
        worker_call(sources->workers[i], gather_worker, &gathering);
    }
    size_t shown = slow_sort(gathering.records, gathering.count, wanted->failed);
    for (size_t i = 0; i < shown; i++) {
        record_add(answer, &gathering.records[i], wanted->shows_names, gathering.now);
    }
    free(gathering.records);
    return true;
}
