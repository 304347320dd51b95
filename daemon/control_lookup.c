/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_lookup.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/question.h"
#include "wire/types.h"
#include "mail/list_zone.h"
#include "mail/redact.h"
#include "cache/cache.h"
#include "resolver/resolver.h"
#include "resolver/trace.h"
#include "daemon/control_commands.h"
#include "daemon/control_request.h"
#include "daemon/control_slow.h"
#include "daemon/worker.h"

static const char *cache_kind_name(enum cache_kind kind)
{
    switch (kind) {
    case CACHE_KIND_ANSWER:
        return "answer";
    case CACHE_KIND_NODATA:
        return "nodata";
    case CACHE_KIND_NXDOMAIN:
        return "nxdomain";
    case CACHE_KIND_FAILURE:
        return "failure";
    }
    must_never("a kind of entry");
}

static const char *cache_segment_name(enum cache_segment segment)
{
    switch (segment) {
    case CACHE_SEGMENT_PROBATION:
        return "probation";
    case CACHE_SEGMENT_PROTECTED:
        return "protected";
    case CACHE_SEGMENT_LIST:
        return "list";
    }
    must_never("a segment");
}

static const char *cache_reason_name(enum cache_reason reason)
{
    switch (reason) {
    case CACHE_REASON_CLIENT:
        return "client";
    case CACHE_REASON_REFRESH:
        return "refresh";
    case CACHE_REASON_AHEAD:
        return "ahead";
    case CACHE_REASON_SNAPSHOT:
        return "snapshot";
    }
    must_never("a reason");
}

static void message_add(struct text *answer, const uint8_t *message, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    text_add(answer, len == 0 ? "message -" : "message ");
    for (size_t i = 0; i < len; i++) {
        char hex[2] = {digits[message[i] >> 4], digits[message[i] & 0xf]};
        text_add_bytes(answer, hex, sizeof hex);
    }
    text_add(answer, "\n");
}

static void variant_add(
    struct text *answer, struct control_commands *commands, const struct cache_key *key)
{
    struct cache *cache = commands->sources.cache;
    struct cache_found found;
    struct cache_birth birth = {.cost_us = 0};
    int64_t now = clock_now();
    enum cache_verdict verdict =
        cache_peek(cache, key, now, commands->message, MESSAGE_SIZE_MAX, &found);
    if (verdict == CACHE_MISS) {
        return;
    }
    (void)cache_read_birth(cache, key, now, &birth);
    bool is_failure = found.kind == CACHE_KIND_FAILURE;
    text_addf(answer, "entry %s %s %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %d %d %u",
        verdict == CACHE_FRESH ? "fresh" : "stale", cache_kind_name(found.kind), found.age_s,
        found.ttl_left_s, found.hits, key->wants_dnssec, key->checking_disabled, found.is_ad,
        found.origin);
    text_addf(answer, " %s %s %" PRIu32 " %d\n", cache_segment_name(found.segment),
        cache_reason_name(birth.reason), birth.cost_us, is_failure ? found.ede : -1);
    message_add(answer, commands->message, found.len);
}

/* What a worker knows of the lists that the name may be below. */
struct redaction {
    const struct control_request *request;
    bool is_list;
    bool has_key;
    char zone[NAME_TEXT_SIZE];
};

/* In the worker's thread. */
static void redact_in_worker(struct worker *worker, void *context)
{
    struct redaction *redaction = context;
    const struct control_request *request = redaction->request;
    struct redact_case redact =
        resolver_redact(worker_resolver(worker), request->name, request->name_len);
    redaction->is_list = redact.zone != NULL;
    if (redaction->is_list) {
        redaction->has_key = redact.zone->has_key;
        (void)name_to_text(request->name + redact.zone_at, request->name_len - redact.zone_at,
            redaction->zone, sizeof redaction->zone);
    }
}

/* The list that the name is at or below, so that the client can hide a key of a list that only
 * this configuration knows. */
static void list_add(struct text *answer, const struct export_sources *sources,
    const struct control_request *request)
{
    struct redaction redaction = {.request = request};
    if (sources->worker_count == 0) {
        return;
    }
    worker_call(sources->workers[0], redact_in_worker, &redaction);
    if (redaction.is_list) {
        text_addf(answer, "list %s %d\n", redaction.zone, redaction.has_key);
    }
}

void control_lookup_add(
    struct text *answer, struct control_commands *commands, const struct control_request *request)
{
    struct cache_key key = {
        .name_len = (uint8_t)request->name_len,
        .type = request->type,
        .class = CLASS_IN,
    };
    memcpy(key.name, request->name, request->name_len);
    text_add(answer, "ok\n");
    list_add(answer, &commands->sources, request);
    for (unsigned variant = 0; variant < 4; variant++) {
        key.wants_dnssec = (variant & 1u) != 0;
        key.checking_disabled = (variant & 2u) != 0;
        variant_add(answer, commands, &key);
    }
}

/* ---- A question that is followed ---- */

struct trace_errand {
    const struct control_request *request;
    uint64_t id; /* 0: there was no room. */
    bool is_there;
    struct trace_view view;
};

/* In the worker's thread. */
static void trace_start_in_worker(struct worker *worker, void *context)
{
    struct trace_errand *errand = context;
    const struct control_request *request = errand->request;
    struct question question = {
        .name_len = (uint8_t)request->name_len,
        .type = request->type,
        .class = CLASS_IN,
    };
    memcpy(question.name, request->name, request->name_len);
    errand->id = resolver_trace_start(worker_resolver(worker), &question, clock_now());
}

/* In the worker's thread. */
static void trace_look_in_worker(struct worker *worker, void *context)
{
    struct trace_errand *errand = context;
    errand->is_there =
        resolver_trace_look(worker_resolver(worker), errand->request->trace, &errand->view);
}

void control_trace_start(struct text *answer, const struct export_sources *sources,
    const struct control_request *request)
{
    struct trace_errand errand = {.request = request};
    if (sources->worker_count > 0) {
        worker_call(sources->workers[0], trace_start_in_worker, &errand);
    }
    if (errand.id == 0) {
        text_addf(answer, "error %d questions are being followed already; try again in a moment\n",
            TRACE_PLACES);
        return;
    }
    text_add(answer, "ok\n");
    list_add(answer, sources, request);
    text_addf(answer, "trace %" PRIu64 "\n", errand.id);
}

void control_trace_look(struct text *answer, const struct export_sources *sources,
    const struct control_request *request)
{
    struct trace_errand errand = {.request = request};
    char rcode[TYPE_TEXT_SIZE];
    if (sources->worker_count > 0) {
        worker_call(sources->workers[0], trace_look_in_worker, &errand);
    }
    if (!errand.is_there) {
        text_add(answer, "error there is no such question any more: others were followed since\n");
        return;
    }
    const struct slow_record *end = &errand.view.end;
    text_add(answer, "ok\n");
    control_timeline_add(answer, &errand.view.timeline, (size_t)request->from);
    if (!errand.view.is_over) {
        return;
    }
    text_addf(answer, "over %" PRId64 " %" PRId64 " %s %s %d\n", end->waited_us, end->joined_us,
        outcome_name(end->outcome), rcode_to_text(end->rcode, rcode), end->ede);
    if (end->reason[0] != '\0') {
        text_addf(answer, "reason %s\n", end->reason);
    }
    message_add(answer, errand.view.answer, errand.view.answer_len);
}
