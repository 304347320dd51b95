/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/memory.h"

#include <string.h>

#include "base/clock.h"
#include "wire/bytes.h"
#include "resolver/server.h"

#define MEMORY_KNOWS_EDNS     0x01u
#define MEMORY_FIXED          36u /* Before the buckets. */
#define MEMORY_SHARE          65535.0f
#define MEMORY_MASS           256.0f
#define MEMORY_LATENCY_MAX_US (60 * CLOCK_US_PER_S)

size_t memory_subject(const char *group, const struct settings_server *settings,
    uint8_t bytes_out[MEMORY_SUBJECT_SIZE])
{
    struct writer writer = writer_of(bytes_out, MEMORY_SUBJECT_SIZE);
    const struct address *address = &settings->address;
    writer_u8(&writer, address->family);
    writer_bytes(&writer, address->bytes, sizeof address->bytes);
    writer_u16(&writer, address->port);
    writer_u32(&writer, address->scope_id);
    /* With their NULs, so that two pairs of names are never one string. */
    writer_bytes(&writer, (const uint8_t *)group, strlen(group) + 1);
    writer_bytes(&writer, (const uint8_t *)settings->tls_name, strlen(settings->tls_name) + 1);
    return writer.len;
}

bool memory_is_about(
    const uint8_t *subject, size_t len, const char *group, const struct settings_server *settings)
{
    uint8_t own[MEMORY_SUBJECT_SIZE];
    const struct address *address = &settings->address;
    if (len <= 1 + sizeof address->bytes || subject[0] != address->family ||
        memcmp(subject + 1, address->bytes, sizeof address->bytes) != 0) {
        return false;
    }
    return memory_subject(group, settings, own) == len && memcmp(subject, own, len) == 0;
}

static uint16_t memory_u16(unsigned value)
{
    return (uint16_t)(value < UINT16_MAX ? value : UINT16_MAX);
}

static uint32_t memory_seconds(int64_t duration_us)
{
    int64_t seconds = (duration_us + CLOCK_US_PER_S - 1) / CLOCK_US_PER_S;
    return seconds <= 0 ? 0 : (uint32_t)(seconds < UINT32_MAX ? seconds : UINT32_MAX);
}

uint32_t memory_weight(const struct server *server)
{
    uint64_t answered = counter_read(&server->answered);
    return server->recent.count + (uint32_t)(answered < INT32_MAX ? answered : INT32_MAX);
}

/* Each bucket's share of all; the mass apart. */
static void memory_write_latency(struct writer *writer, const struct latency *latency)
{
    float mass = latency->unit > 0.0f ? latency->total / latency->unit : 0.0f;
    writer_u16(writer, memory_u16((unsigned)(mass * MEMORY_MASS)));
    writer_u16(writer, LATENCY_BUCKETS);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        float share = latency->total > 0.0f ? latency->weight[i] / latency->total : 0.0f;
        writer_u16(writer, memory_u16((unsigned)(share * MEMORY_SHARE + 0.5f)));
    }
}

size_t memory_of_server(const struct server *server, int64_t now, uint8_t bytes_out[MEMORY_SIZE])
{
    struct writer writer = writer_of(bytes_out, MEMORY_SIZE);
    if (server->recent.count == 0 && server->streak == 0) {
        return 0;
    }
    writer_u32(&writer, memory_seconds(now - server->heard_at));
    writer_u32(&writer, server->knows_edns ? MEMORY_KNOWS_EDNS : 0);
    writer_u32(&writer, (uint32_t)server->latency_us);
    writer_u16(&writer, memory_u16((unsigned)(server->loss * MEMORY_SHARE)));
    writer_u16(&writer, memory_u16(server->streak));
    writer_u16(&writer, memory_u16(server->failures));
    writer_u16(&writer, memory_u16(server->recent.count));
    writer_u32(&writer, memory_seconds(server->plain_until - now));
    writer_u32(&writer, memory_seconds(server->manners.letters_lost_until - now));
    writer_u32(&writer, memory_seconds(server->manners.cookieless_until - now));
    memory_write_latency(&writer, &server->recent);
    return writer.is_cut ? 0 : writer.len;
}

/* What was read; in range. */
struct memory_view {
    int64_t age_us; /* Since the server was heard of. */
    int64_t latency_us;
    bool knows_edns;
    float loss;
    unsigned streak;
    unsigned failures;
    int64_t plain_left_us;
    int64_t letters_left_us;
    int64_t cookieless_left_us;
    struct latency recent;
};

/* A term that was running when it was written, as far as it still runs. */
static int64_t memory_left(const struct memory *memory, uint32_t left_s, int64_t max_us)
{
    int64_t left_us = (int64_t)left_s * CLOCK_US_PER_S;
    left_us = left_us < max_us ? left_us : max_us;
    return left_us > memory->age_us ? left_us - memory->age_us : 0;
}

/* Rounding and nonsense are evened out: the total is the sum of what is taken. */
static void memory_read_latency(struct latency *latency, const uint8_t *bytes, unsigned count)
{
    float mass = (float)bytes_get_u16(bytes) / MEMORY_MASS;
    uint32_t sum = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        sum += bytes_get_u16(bytes + 4 + 2 * i);
    }
    *latency = (struct latency){0};
    if (sum == 0 || mass <= 0.0f) {
        return;
    }
    mass = mass < LATENCY_WINDOW ? mass : LATENCY_WINDOW;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        latency->weight[i] = mass * (float)bytes_get_u16(bytes + 4 + 2 * i) / (float)sum;
        latency->total += latency->weight[i];
    }
    latency->unit = 1.0f;
    latency->count = count < LATENCY_WINDOW ? count : LATENCY_WINDOW;
}

static bool memory_read(const struct memory *memory, struct memory_view *view_out)
{
    const uint8_t *bytes = memory->bytes;
    struct memory_view *view = view_out;
    if (memory->len < MEMORY_FIXED + 2 * LATENCY_BUCKETS ||
        bytes_get_u16(bytes + 32 + 2) != LATENCY_BUCKETS) {
        return false;
    }
    *view = (struct memory_view){
        .age_us = memory->age_us + (int64_t)bytes_get_u32(bytes) * CLOCK_US_PER_S,
        .knows_edns = (bytes_get_u32(bytes + 4) & MEMORY_KNOWS_EDNS) != 0,
        .latency_us = bytes_get_u32(bytes + 8),
        .loss = (float)bytes_get_u16(bytes + 12) / MEMORY_SHARE,
        .streak = bytes_get_u16(bytes + 14),
        .failures = bytes_get_u16(bytes + 16),
        .plain_left_us = memory_left(memory, bytes_get_u32(bytes + 20), SERVER_PLAIN_FOR_US),
        .letters_left_us = memory_left(memory, bytes_get_u32(bytes + 24), MANNERS_FORGET_US),
        .cookieless_left_us = memory_left(memory, bytes_get_u32(bytes + 28), MANNERS_FORGET_US),
    };
    memory_read_latency(&view->recent, bytes + 32, bytes_get_u16(bytes + 18));
    return view->latency_us <= MEMORY_LATENCY_MAX_US;
}

static void memory_take_manners(struct server *server, const struct memory_view *view, int64_t now)
{
    server->knows_edns = view->knows_edns;
    server->plain_until = view->plain_left_us > 0 ? now + view->plain_left_us : 0;
    server->manners.letters_lost_until =
        view->letters_left_us > 0 ? now + view->letters_left_us : 0;
    server->manners.cookieless_until =
        view->cookieless_left_us > 0 ? now + view->cookieless_left_us : 0;
}

bool memory_to_server(struct server *server, const struct memory *memory, int64_t now)
{
    struct memory_view view;
    if (memory->age_us < 0 || memory->age_us > MEMORY_WEAK_US || !memory_read(memory, &view)) {
        return false;
    }
    bool is_heard = server->recent.count > 0;
    if (!is_heard && counter_read(&server->sent) == 0 && memory->age_us <= MEMORY_REST_US) {
        server->streak = view.streak;
        server->failures = view.failures;
    }
    if (!is_heard && view.age_us <= MEMORY_WEAK_US) {
        memory_take_manners(server, &view, now);
        server->latency_us = view.latency_us;
        server->heard_at = now - view.age_us;
    }
    if (server->recent.count < LATENCY_KNOWN_MIN && view.age_us <= MEMORY_STRONG_US) {
        server->recent = view.recent;
        server->loss = view.loss;
    }
    return true;
}
