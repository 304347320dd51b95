/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/timeline.h"

#include "base/must.h"

void timeline_begin(struct timeline *timeline, int64_t now)
{
    timeline->began_at = now;
    timeline->count = 0;
    timeline->server_count = 0;
    timeline->left_out = 0;
}

uint8_t timeline_add_server(struct timeline *timeline, const struct address *server)
{
    for (uint8_t i = 0; i < timeline->server_count; i++) {
        if (address_equal(&timeline->servers[i], server)) {
            return i;
        }
    }
    if (timeline->server_count == TIMELINE_SERVERS_MAX) {
        return TIMELINE_SERVER_NONE;
    }
    timeline->servers[timeline->server_count] = *server;
    return timeline->server_count++;
}

static bool timeline_lasts(const struct timeline *timeline, uint8_t kind)
{
    bool may_last =
        kind == TIMELINE_ALL_REST || kind == TIMELINE_NOBODY || kind == TIMELINE_SEEKING;
    return may_last && timeline->count > 0 && timeline->events[timeline->count - 1].kind == kind;
}

void timeline_add(struct timeline *timeline, struct timeline_event event, int64_t now)
{
    if (timeline_lasts(timeline, event.kind)) {
        return;
    }
    if (timeline->count == TIMELINE_EVENTS_MAX) {
        bool is_most = timeline->left_out == UINT16_MAX;
        timeline->left_out = is_most ? UINT16_MAX : (uint16_t)(timeline->left_out + 1);
        return;
    }
    int64_t at_us = now - timeline->began_at;
    event.at_us = at_us > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)at_us;
    timeline->events[timeline->count++] = event;
}

const char *timeline_kind_name(enum timeline_kind kind)
{
    switch (kind) {
    case TIMELINE_ASKED:
        return "asked";
    case TIMELINE_UNSENT:
        return "unsent";
    case TIMELINE_TIMED_OUT:
        return "lost";
    case TIMELINE_REPLIED:
        return "replied";
    case TIMELINE_BROKEN:
        return "broken";
    case TIMELINE_GIVEN_UP:
        return "given-up";
    case TIMELINE_ALL_REST:
        return "all-rest";
    case TIMELINE_NOBODY:
        return "nobody-left";
    case TIMELINE_SEEKING:
        return "seeking";
    case TIMELINE_TURNED_BACK:
        return "turned-back";
    case TIMELINE_TURNED_DIRECT:
        return "turned-direct";
    case TIMELINE_LIST_REFUSED:
        return "list-refused";
    case TIMELINE_RELOADED:
        return "reloaded";
    case TIMELINE_SLEPT:
        return "slept";
    }
    must_never("a kind of event");
}

const char *timeline_reason_name(enum timeline_reason reason)
{
    switch (reason) {
    case TIMELINE_FIRST:
        return "first";
    case TIMELINE_NEXT:
        return "next";
    case TIMELINE_AGAIN:
        return "again";
    case TIMELINE_SILENT:
        return "silent";
    case TIMELINE_HEDGE:
        return "hedge";
    case TIMELINE_TRUNCATED:
        return "truncated";
    case TIMELINE_PLAIN:
        return "no-edns";
    case TIMELINE_COOKIE:
        return "cookie";
    case TIMELINE_DOUBT:
        return "doubt";
    case TIMELINE_REOPENED:
        return "reopened";
    }
    must_never("a reason to ask");
}

const char *timeline_transport_name(enum timeline_transport transport)
{
    switch (transport) {
    case TIMELINE_UDP:
        return "udp";
    case TIMELINE_TCP:
        return "tcp";
    case TIMELINE_TLS:
        return "tls";
    }
    must_never("a transport");
}
