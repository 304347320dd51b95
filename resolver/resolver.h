/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/sequel.h"
#include "resolver/port.h"

/*
 * The front door of the floor that turns a question into an answer. It has no sockets, no loop and
 * no clock: bytes and time come in by these functions, and leave by the port. One resolver per
 * worker, used by that worker's thread alone; the cache is shared. `now` is base/clock.h's and
 * never goes backward. Every accepted question gets exactly one answer, within answer_deadline.
 */
struct resolver;
struct settings;
struct cache;
struct random;
struct resolver_stats;
struct observer;

struct resolver_options {
    const struct settings *settings; /* Copied in what is needed; need not outlive the call. */
    struct cache *cache;             /* Outlives the resolver. */
    struct random *random;           /* Outlives the resolver. */
    struct port port;
    const char *version;             /* For version.bind; a literal. */
    const struct observer *observer; /* Is told of every question; NULL: nobody is. Outlives it. */
};

/* NULL when memory is short. All memory is taken here, by questions_max. */
struct resolver *resolver_new(const struct resolver_options *options);

/* Waiting clients get no answer: drain first. */
void resolver_free(struct resolver **resolver);

/* A query as it came in, and room for its answer. */
struct ask {
    struct client client;
    const uint8_t *query;
    size_t len;
    uint8_t *answer; /* MESSAGE_SIZE_MAX bytes of room. */
    size_t answer_len;
    bool is_shed; /* There is no time to ask upstream: SERVFAIL if it is neither known nor asked. */
};

enum ask_verdict {
    ASK_ANSWERED, /* ask->answer_len bytes are to be sent now. */
    ASK_PARKED,   /* port.deliver() will be called, once. */
    ASK_DROPPED,  /* Not a query; no answer is owed. */
};

enum ask_verdict resolver_ask(struct resolver *resolver, struct ask *ask, int64_t now);

/* Bytes came in on an exchange's line. False: they are not its reply; keep listening. */
bool resolver_on_reply(
    struct resolver *resolver, uint64_t exchange, const uint8_t *bytes, size_t len, int64_t now);

/* The line of an exchange is gone: nothing will come. */
void resolver_on_line_lost(
    struct resolver *resolver, uint64_t exchange, enum line_end end, int64_t now);

/* When resolver_run_due() is to be called next; INT64_MAX: no need. */
int64_t resolver_next_deadline(const struct resolver *resolver);
void resolver_run_due(struct resolver *resolver, int64_t now);

/* The answers that resolver_ask() gave at once since the last call have left the house, `waited_us`
 * after their questions came in: that is what is recorded as their clients' wait. */
void resolver_settle(struct resolver *resolver, int64_t waited_us);

/* Takes new settings. Servers that stay keep their health; work under way goes on. Pool sizes
 * (questions_max) change with the next start only. False when memory is short: nothing changed. */
bool resolver_set_settings(struct resolver *resolver, const struct settings *settings, int64_t now);

/* The same in two steps, so that several resolvers can change all together or not at all: first
 * whatever takes memory, of which NULL says that there is none; then the change, which cannot fail
 * and ends its preparation. In between `settings` stay where they are. */
struct resolver_change;
struct resolver_change *resolver_prepare(
    struct resolver *resolver, const struct settings *settings);
void resolver_take(struct resolver *resolver, struct resolver_change **change, int64_t now);

/* It is not to be. */
void resolver_change_free(struct resolver_change **change);

/* How many clients wait, and how many fetches run: both 0 when quiet. */
uint32_t resolver_waiting(const struct resolver *resolver);
uint32_t resolver_fetching(const struct resolver *resolver);

const struct resolver_stats *resolver_stats_of(const struct resolver *resolver);

/* One upstream server as the exporter shows it. */
struct server_view {
    const char *group; /* Valid until the next resolver_set_settings(). */
    struct address address;
    const char *tls_name;            /* settings_server_tls_label(). */
    const char *state;               /* server_state() of resolver/server.h. */
    uint64_t sent;                   /* Messages. */
    uint64_t answered;               /* Usable replies. */
    uint64_t failed;                 /* SERVFAIL, REFUSED, unreadable. */
    uint64_t timed_out;              /* Tries without a reply in time. */
    uint64_t lost;                   /* Lines that broke. */
    uint64_t latency_us;             /* Smoothed round trip; 0: none yet. */
    const struct histogram *latency; /* SERVER_WAYS: round trips of usable replies. */
};

/* False: no server with that index. Worker's thread only. */
bool resolver_server_at(
    const struct resolver *resolver, size_t index, struct server_view *view_out);

/* Is it asked ahead by that step at present, as far as this worker has seen it used? Worker's
 * thread only. */
bool resolver_ahead_is_on(const struct resolver *resolver, enum sequel_step step);

/* The slowest questions of the last hour, or with `failed` the failed ones (resolver/slow.h), in no
 * order. `records_out` has room for SLOW_PLACES. Worker's thread only. */
struct slow_record;
size_t resolver_slow(
    const struct resolver *resolver, bool failed, int64_t now, struct slow_record *records_out);

/* Follows one question (resolver/trace.h). Worker's thread only. */
struct question;
struct trace_view;
uint64_t resolver_trace_start(
    struct resolver *resolver, const struct question *question, int64_t now);
bool resolver_trace_look(const struct resolver *resolver, uint64_t id, struct trace_view *view_out);

/* What of a name may be shown (mail/redact.h). Worker's thread only. */
struct redact_case;
struct redact_case resolver_redact(
    const struct resolver *resolver, const uint8_t *name, size_t len);

/* One DNS list as the exporter shows it. */
struct list_stats;
struct list_view {
    const char *zone;     /* Without the final dot; "-": all that found no place. */
    const char *standing; /* "well", "ended", or list_cause_name() of mail/list_answer.h. */
    const struct list_stats *stats; /* NULL: nothing is there, look further. */
    uint64_t day;                   /* Messages sent to it in the last day. */
    uint64_t quota;                 /* Of a day; 0: not stated. */
};

/* False: no list with that index or a larger one. Worker's thread only. */
bool resolver_list_at(
    const struct resolver *resolver, size_t index, int64_t now, struct list_view *view_out);
