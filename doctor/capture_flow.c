/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "doctor/capture_packet.h"

#define TABLE_SIZE 2048 /* A power of two. */
#define KEY_SIZE   38   /* Two addresses with ports. */
#define PORT_SMTPS 465

/* `tcpdump -i any` shows a packet once for each interface that it passes. */
#define TWICE_US (2 * CLOCK_US_PER_MS)

/* Longer segments than this do not fit everywhere: paths with tunnels take 1,280 and more. */
#define LARGE_LEN 1200

static const uint16_t usual_ports[] = {25, 465, 587, 2525};

bool capture_flows_init(
    struct capture_flows *flows, const struct hash_key *key, uint16_t port, size_t flow_max)
{
    *flows = (struct capture_flows){.key = *key, .flow_max = flow_max};
    list_init(&flows->free);
    list_init(&flows->open);
    list_init(&flows->over);
    flows->flows = calloc(flow_max, sizeof flows->flows[0]);
    flows->table = calloc(TABLE_SIZE, sizeof(struct capture_flow *));
    if (flows->flows == NULL || flows->table == NULL) {
        return false;
    }
    memcpy(flows->ports, usual_ports, sizeof usual_ports);
    flows->port_count = sizeof usual_ports / sizeof usual_ports[0];
    if (port != 0) {
        flows->ports[flows->port_count++] = port;
    }
    return true;
}

void capture_flows_fini(struct capture_flows *flows)
{
    free(flows->flows);
    free((void *)flows->table);
    flows->flows = NULL;
    flows->table = NULL;
}

static bool port_is_served(const struct capture_flows *flows, uint16_t port)
{
    for (size_t i = 0; i < flows->port_count; i++) {
        if (flows->ports[i] == port) {
            return true;
        }
    }
    return false;
}

static size_t key_add(uint8_t *key, const struct address *address)
{
    key[0] = address->family;
    memcpy(key + 1, address->bytes, sizeof address->bytes);
    key[17] = (uint8_t)(address->port >> 8);
    key[18] = (uint8_t)address->port;
    return KEY_SIZE / 2;
}

static struct capture_flow **table_place(
    const struct capture_flows *flows, const struct address *client, const struct address *server)
{
    uint8_t key[KEY_SIZE];
    size_t at = key_add(key, client);
    (void)key_add(key + at, server);
    return &flows->table[hash_siphash13(&flows->key, key, sizeof key) % TABLE_SIZE];
}

static struct capture_flow *table_find(
    const struct capture_flows *flows, const struct address *client, const struct address *server)
{
    struct capture_flow *flow = *table_place(flows, client, server);
    while (flow != NULL && !(address_equal(&flow->peers[CAPTURE_CLIENT], client) &&
                               address_equal(&flow->peers[CAPTURE_SERVER], server))) {
        flow = flow->chained;
    }
    return flow;
}

/* Which side sent it, where the ports of both are those of servers: as it was with the first. */
static enum capture_side segment_side_twofold(
    const struct capture_flows *flows, const struct capture_segment *segment)
{
    bool is_syn = (segment->flags & CAPTURE_SYN) != 0;
    bool is_ack = (segment->flags & CAPTURE_ACK) != 0;
    if (is_syn) {
        return is_ack ? CAPTURE_SERVER : CAPTURE_CLIENT;
    }
    if (table_find(flows, &segment->from, &segment->to) != NULL) {
        return CAPTURE_CLIENT;
    }
    return table_find(flows, &segment->to, &segment->from) != NULL ||
                   segment->from.port < segment->to.port
               ? CAPTURE_SERVER
               : CAPTURE_CLIENT;
}

/* CAPTURE_NOBODY: it is no conversation of mail. */
static enum capture_side segment_side(
    const struct capture_flows *flows, const struct capture_segment *segment)
{
    bool is_from_server = port_is_served(flows, segment->from.port);
    bool is_to_server = port_is_served(flows, segment->to.port);
    if (is_from_server && is_to_server) {
        return segment_side_twofold(flows, segment);
    }
    return is_from_server ? CAPTURE_SERVER : is_to_server ? CAPTURE_CLIENT : CAPTURE_NOBODY;
}

static void table_remove(const struct capture_flows *flows, const struct capture_flow *flow)
{
    struct capture_flow **at =
        table_place(flows, &flow->peers[CAPTURE_CLIENT], &flow->peers[CAPTURE_SERVER]);
    while (*at != flow) {
        at = &(*at)->chained;
    }
    *at = flow->chained;
}

/* The time that a window has been shut is added up to `now`. */
static void window_count(struct capture_flow *flow, enum capture_side side, int64_t now)
{
    if (flow->zero_since_us[side] != 0 && now > flow->zero_since_us[side]) {
        flow->smtp.net.blocked_us[side] += now - flow->zero_since_us[side];
        flow->zero_since_us[side] = now;
    }
}

static void flow_measure(struct capture_flow *flow, int64_t now)
{
    window_count(flow, CAPTURE_CLIENT, now);
    window_count(flow, CAPTURE_SERVER, now);
    flow->smtp.is_unacked = capture_stream_is_unacked(&flow->streams[CAPTURE_CLIENT]) ||
                            capture_stream_is_unacked(&flow->streams[CAPTURE_SERVER]);
}

/* The flow is judged, and its room is free. */
static void flow_finish(struct capture_flows *flows, struct capture_flow *flow, int64_t now)
{
    const struct capture_stroke stroke = {.at_us = now, .side = CAPTURE_NOBODY};
    flow_measure(flow, now);
    capture_smtp_end(&flow->smtp, &stroke, CAPTURE_END_CAPTURE);
    flows->done(flows->context, flow);
    table_remove(flows, flow);
    list_remove(&flow->link);
    list_prepend(&flows->free, &flow->link);
}

static struct capture_flow *flow_room(struct capture_flows *flows)
{
    if (list_is_empty(&flows->free) && flows->used < flows->flow_max) {
        return &flows->flows[flows->used++];
    }
    if (list_is_empty(&flows->free)) {
        bool has_over = !list_is_empty(&flows->over);
        struct list *link = has_over ? flows->over.next : flows->open.next;
        struct capture_flow *flow = list_entry(link, struct capture_flow, link);
        flows->counts.evicted += !has_over;
        flow_finish(flows, flow, flow->seen_us);
    }
    return list_entry(list_take_first(&flows->free), struct capture_flow, link);
}

static struct capture_flow *flow_new(struct capture_flows *flows, const struct address *client,
    const struct address *server, const struct capture_segment *segment)
{
    struct capture_flow *flow = flow_room(flows);
    struct capture_flow **place = table_place(flows, client, server);
    bool is_begin = (segment->flags & CAPTURE_SYN) != 0;
    *flow = (struct capture_flow){.chained = *place, .seen_us = segment->at_us};
    *place = flow;
    flow->peers[CAPTURE_CLIENT] = *client;
    flow->peers[CAPTURE_SERVER] = *server;
    list_append(&flows->open, &flow->link);
    capture_smtp_init(
        &flow->smtp, is_begin ? CAPTURE_STAGE_CONNECT : CAPTURE_STAGE_UNKNOWN, segment->at_us);
    flows->counts.flows++;
    return flow;
}

/* The conversation that a segment belongs to; a new one for a new SYN. NULL: none, and a RST or a
 * bare confirmation does not make one. */
static struct capture_flow *flow_of(
    struct capture_flows *flows, const struct capture_segment *segment, enum capture_side side)
{
    const struct address *client = side == CAPTURE_CLIENT ? &segment->from : &segment->to;
    const struct address *server = side == CAPTURE_CLIENT ? &segment->to : &segment->from;
    struct capture_flow *flow = table_find(flows, client, server);
    bool is_syn = (segment->flags & CAPTURE_SYN) != 0 && side == CAPTURE_CLIENT;
    bool is_again = flow != NULL && is_syn && flow->syn_count > 0 && !flow->is_over &&
                    flow->syn_sequence == segment->sequence;
    if (flow != NULL && is_syn && !is_again) {
        flow_finish(flows, flow, flow->seen_us);
        flow = NULL;
    }
    bool is_worth = (segment->flags & CAPTURE_SYN) != 0 || segment->wire_len > 0;
    return flow != NULL || !is_worth ? flow : flow_new(flows, client, server, segment);
}

/* A note in the drawing about what TCP does. */
static void flow_note(
    struct capture_flow *flow, const struct capture_stroke *stroke, const char *words)
{
    const struct capture_stroke drawn = {stroke->at_us, stroke->side, flow->smtp.turn.side};
    capture_ladder_add(&flow->smtp.ladder, &drawn, words, strlen(words));
}

static enum capture_stage stage_connected(const struct capture_flow *flow)
{
    bool is_smtps = flow->peers[CAPTURE_SERVER].port == PORT_SMTPS;
    return is_smtps ? CAPTURE_STAGE_TLS : CAPTURE_STAGE_BANNER;
}

static bool segment_is_twice(
    const struct capture_flow *flow, const struct capture_segment *segment, enum capture_side side)
{
    return segment->sequence == flow->last_sequence[side] &&
           segment->wire_len == flow->last_len[side] &&
           segment->at_us - flow->last_us[side] < TWICE_US;
}

static void segment_remember(
    struct capture_flow *flow, const struct capture_segment *segment, enum capture_side side)
{
    flow->last_sequence[side] = segment->sequence;
    flow->last_len[side] = segment->wire_len;
    flow->last_us[side] = segment->at_us;
}

static void flow_syn(struct capture_flow *flow, const struct capture_segment *segment,
    const struct capture_stroke *stroke)
{
    if (segment_is_twice(flow, segment, stroke->side)) {
        return;
    }
    segment_remember(flow, segment, stroke->side);
    if (!flow->streams[stroke->side].is_started) {
        capture_stream_start(&flow->streams[stroke->side], segment->sequence + 1);
    }
    flow->mss[stroke->side] = segment->mss;
    if (stroke->side == CAPTURE_CLIENT) {
        flow_note(flow, stroke, flow->syn_count == 0 ? "SYN" : "SYN again");
        flow->syn_sequence = segment->sequence;
        flow->syn_count++;
        if (flow->syn_count == 1) {
            capture_smtp_connected(&flow->smtp, CAPTURE_STAGE_CONNECT, segment->at_us);
        }
        return;
    }
    flow_note(flow, stroke, "SYN, ACK");
    if (!flow->has_syn_ack && flow->smtp.stage == CAPTURE_STAGE_CONNECT) {
        capture_smtp_connected(&flow->smtp, stage_connected(flow), segment->at_us);
    }
    flow->has_syn_ack = true;
}

static void flow_repeated(struct capture_flow *flow, const struct capture_segment *segment,
    const struct capture_stroke *stroke)
{
    bool is_large = segment->wire_len >= LARGE_LEN;
    flow->smtp.net.repeated[stroke->side]++;
    flow->smtp.net.large[stroke->side] += is_large;
    flow_note(flow, stroke, is_large ? "(sent again, large)" : "(sent again)");
}

struct flow_sink {
    struct capture_flow *flow;
    struct capture_stroke stroke;
};

static void sink_take(void *context, const uint8_t *bytes, uint32_t len, uint32_t missing)
{
    const struct flow_sink *sink = context;
    struct capture_flow *flow = sink->flow;
    /* What speaks is connected, whether the capture shows that or not. */
    if (flow->smtp.stage == CAPTURE_STAGE_CONNECT) {
        capture_smtp_connected(&flow->smtp, stage_connected(flow), sink->stroke.at_us);
    }
    capture_smtp_take(&flow->smtp, &sink->stroke, bytes, len, missing);
}

static void flow_payload(struct capture_flow *flow, const struct capture_segment *segment,
    const struct capture_stroke *stroke)
{
    struct flow_sink context = {flow, *stroke};
    const struct capture_sink sink = {sink_take, &context};
    switch (capture_stream_add(&flow->streams[stroke->side], segment, &sink)) {
    case CAPTURE_REPEATED:
        if (!segment_is_twice(flow, segment, stroke->side)) {
            flow_repeated(flow, segment, stroke);
        }
        break;
    case CAPTURE_EARLY:
        flow->smtp.net.early[stroke->side]++;
        flow_note(flow, stroke, "(something before this is missing)");
        break;
    case CAPTURE_NEW:
    case CAPTURE_EMPTY:
    case CAPTURE_KEEPALIVE:
    case CAPTURE_STRAY:
        break;
    }
    if (segment->wire_len > 0) {
        segment_remember(flow, segment, stroke->side);
    }
}

/* What a side confirms of the other's, and how much it takes. */
static void flow_acked(struct capture_flow *flow, const struct capture_segment *segment,
    const struct capture_stroke *stroke)
{
    enum capture_side other = stroke->side == CAPTURE_CLIENT ? CAPTURE_SERVER : CAPTURE_CLIENT;
    struct flow_sink context = {flow, {.at_us = stroke->at_us, .side = other}};
    const struct capture_sink sink = {sink_take, &context};
    capture_stream_acked(&flow->streams[other], segment->acknowledgement, &sink);
    bool is_shut = segment->window == 0 && (segment->flags & (CAPTURE_SYN | CAPTURE_RST)) == 0;
    if (is_shut && flow->zero_since_us[stroke->side] == 0) {
        flow_note(flow, stroke, "(window is zero: it does not read)");
        flow->zero_since_us[stroke->side] = segment->at_us;
    } else if (!is_shut && flow->zero_since_us[stroke->side] != 0) {
        flow_note(flow, stroke, "(window is open again)");
        flow->zero_since_us[stroke->side] = 0;
    }
}

static void flow_close(struct capture_flow *flow, const struct capture_segment *segment,
    const struct capture_stroke *stroke)
{
    struct capture_stream *stream = &flow->streams[stroke->side];
    if ((segment->flags & CAPTURE_RST) != 0) {
        flow_note(flow, stroke, "RST");
        capture_smtp_end(&flow->smtp, stroke, CAPTURE_END_RESET);
        flow->has_reset = true;
        flow->is_over = true;
        return;
    }
    if ((segment->flags & CAPTURE_FIN) != 0 && !stream->has_ended) {
        flow_note(flow, stroke, "FIN");
        capture_smtp_end(&flow->smtp, stroke, CAPTURE_END_CLOSED);
        stream->has_ended = true;
        flow->is_over =
            flow->streams[CAPTURE_CLIENT].has_ended && flow->streams[CAPTURE_SERVER].has_ended;
    }
}

static void flow_take(struct capture_flows *flows, struct capture_flow *flow,
    const struct capture_segment *segment, enum capture_side side)
{
    const struct capture_stroke stroke = {.at_us = segment->at_us, .side = side};
    flow_measure(flow, segment->at_us);
    flow->hops[side] = segment->hops;
    flow->seen_us = segment->at_us;
    if ((segment->flags & CAPTURE_ACK) != 0) {
        flow_acked(flow, segment, &stroke);
    }
    if ((segment->flags & CAPTURE_SYN) != 0) {
        flow_syn(flow, segment, &stroke);
    } else if ((segment->flags & CAPTURE_RST) == 0) {
        flow_payload(flow, segment, &stroke);
    }
    flow_close(flow, segment, &stroke);
    list_remove(&flow->link);
    list_append(flow->is_over ? &flows->over : &flows->open, &flow->link);
}

void capture_flows_take(struct capture_flows *flows, const struct capture_packet *packet)
{
    struct capture_segment segment;
    if (flows->counts.packets++ == 0) {
        flows->first_us = packet->at_us;
    }
    flows->first_us = packet->at_us < flows->first_us ? packet->at_us : flows->first_us;
    flows->last_us = packet->at_us > flows->last_us ? packet->at_us : flows->last_us;
    enum capture_verdict verdict = capture_packet_read(packet, &segment);
    flows->counts.fragments += verdict == CAPTURE_FRAGMENT;
    flows->counts.broken += verdict == CAPTURE_BROKEN;
    if (verdict != CAPTURE_SEGMENT) {
        return;
    }
    enum capture_side side = segment_side(flows, &segment);
    struct capture_flow *flow = side != CAPTURE_NOBODY ? flow_of(flows, &segment, side) : NULL;
    if (flow != NULL) {
        flows->counts.segments++;
        flows->counts.snapped += segment.len < segment.wire_len;
        flow_take(flows, flow, &segment, side);
    }
}

static void list_finish(struct capture_flows *flows, const struct list *flow_list)
{
    while (!list_is_empty(flow_list)) {
        flow_finish(flows, list_entry(flow_list->next, struct capture_flow, link), flows->last_us);
    }
}

void capture_flows_end(struct capture_flows *flows)
{
    list_finish(flows, &flows->open);
    list_finish(flows, &flows->over);
}
