/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/month_net.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "conf/settings.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/types.h"

#define DELAY_SIGMA     0.8
#define RECORD_TTL_AT   6  /* Behind a compressed owner, type and class. */
#define RECORD_DATA_AT  12 /* ... TTL and length. */
#define HALF_TURN       3.14159265358979323846
#define CLOCK_TAIL      "\5clock\5bench"
#define FIRST_SERVER_IP 1

static const uint32_t clock_ttls[NET_CLOCK_TTLS] = {5, 30, 60, 300, 3600, 86400};

uint32_t net_clock_ttl(uint32_t number)
{
    return clock_ttls[number % NET_CLOCK_TTLS];
}

bool net_init(struct net *net, uint64_t seed)
{
    *net = (struct net){.world = {.ttl_max = 86400}};
    random_init_seed(&net->random, seed);
    net_calm(net);
    return pool_init(&net->flights, sizeof(struct net_flight), NET_FLIGHTS_MAX) &&
           deadlines_init(&net->due, NET_FLIGHTS_MAX);
}

void net_fini(struct net *net)
{
    deadlines_fini(&net->due);
    pool_fini(&net->flights);
}

void net_calm(struct net *net)
{
    net->delay_median_us = 15 * (double)CLOCK_US_PER_MS;
    net->delay_max_us = 150 * (double)CLOCK_US_PER_MS;
    net->loss_percent = 0;
    net->truncates = false;
    net->world.lists_refuse = false;
}

static double draw(struct net *net)
{
    return ((double)random_below(&net->random, 1u << 30) + 0.5) / (double)(1u << 30);
}

static int64_t delay_draw(struct net *net)
{
    double normal = sqrt(-2 * log(draw(net))) * cos(2 * HALF_TURN * draw(net));
    double delay_us = net->delay_median_us * exp(DELAY_SIGMA * normal);
    return (int64_t)(delay_us < net->delay_max_us ? delay_us : net->delay_max_us);
}

/* Of a name of the clock, whose first label is its number behind a letter; else false. */
static bool clock_number(const struct question *question, uint32_t *number_out)
{
    static const uint8_t tail[] = CLOCK_TAIL;
    uint8_t name[NAME_SIZE_MAX];
    memcpy(name, question->name, question->name_len);
    name_to_lower(name, question->name_len);
    size_t first_end = 1u + name[0];
    if (question->type != TYPE_A || question->name_len != first_end + sizeof tail ||
        memcmp(name + first_end, tail, sizeof tail) != 0) {
        return false;
    }
    *number_out = 0;
    for (size_t i = 2; i < first_end; i++) {
        *number_out = *number_out * 10 + name[i] - '0';
    }
    return true;
}

static size_t reply_write(struct net *net, const uint8_t *bytes, size_t len, bool is_stream,
    uint8_t reply_out[SYNTH_SIZE_MAX])
{
    static const uint16_t question_alone[4] = {1};
    struct message query;
    uint32_t number = 0;
    must(message_read(bytes, len, &query) == MESSAGE_GOOD);
    size_t reply_len = synth_reply(&query, &net->world, reply_out);
    must(reply_len > 0);
    if (net->truncates && !is_stream) {
        header_set_flags(reply_out, (uint16_t)(header_flags(reply_out) | HEADER_TC));
        header_set_counts(reply_out, question_alone);
        return query.records_at;
    }
    if (clock_number(&query.question, &number)) {
        uint8_t *record = reply_out + query.records_at;
        bytes_put_u32(record + RECORD_TTL_AT, net_clock_ttl(number));
        bytes_put_u32(record + RECORD_DATA_AT, (uint32_t)(net->now / CLOCK_US_PER_S));
    }
    return reply_len;
}

bool net_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct net *net = world;
    struct net_flight *flight = pool_take(&net->flights, line_out);
    size_t server = transmission->server->address.bytes[3] - FIRST_SERVER_IP;
    if (flight == NULL) {
        return false;
    }
    must(server < NET_SERVERS);
    net->sent++;
    net->sent_to[server]++;
    flight->due.id = *line_out;
    flight->exchange = transmission->exchange;
    bool is_lost = !transmission->is_stream && random_below(&net->random, 100) < net->loss_percent;
    if (!net->is_dead[server] && !is_lost) {
        flight->len = reply_write(
            net, transmission->message, transmission->len, transmission->is_stream, flight->reply);
        deadlines_set(&net->due, &flight->due, net->now + delay_draw(net));
    }
    return true;
}

void net_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct net *net = world;
    struct net_flight *flight = pool_find(&net->flights, line);
    (void)is_stream;
    must(flight != NULL);
    deadlines_clear(&net->due, &flight->due);
    pool_give(&net->flights, line);
}

const struct net_flight *net_take_arrived(struct net *net)
{
    const struct deadline *due = deadlines_take_due(&net->due, net->now);
    return due == NULL ? NULL : pool_find(&net->flights, due->id);
}

void net_sleep(struct net *net, int64_t end)
{
    while (deadlines_take_due(&net->due, end) != NULL) {
    }
}
