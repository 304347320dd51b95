/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_server.h"

#include <math.h>
#include <string.h>

#include "base/must.h"
#include "wire/edns.h"
#include "wire/header.h"
#include "tests/sim/sim_cookie.h"
#include "tests/sim/sim_network.h"
#include "tests/support/world_answer.h"

#define RCODE_BADCOOKIE 23
#define COOKIE_ROOM     (4 + SIM_COOKIE_SIZE)

/* A question as a server sees it. */
struct asked {
    const struct transmission *transmission;
    struct world_query query;
    struct sim_cookie cookie;
};

void sim_server_well(struct sim_server *server)
{
    *server = (struct sim_server){.address = server->address,
        .rcode = -1,
        .ede = -1,
        .delay_us = 20000,
        .asked = server->asked,
        .last = server->last};
}

/* ---- What a server is sent ---- */

static size_t asked_records_at(const struct asked *asked)
{
    return HEADER_SIZE + asked->query.question.name_len + 4u;
}

static struct asked asked_read(const struct transmission *transmission)
{
    struct asked asked = {.transmission = transmission};
    if (!world_query_read(transmission->message, transmission->len, &asked.query)) {
        sim_fail("the resolver sent a message that is no query");
    }
    if (asked.query.has_edns) {
        asked.cookie =
            sim_cookie_of(transmission->message, transmission->len, asked_records_at(&asked));
    }
    if (asked.cookie.len != 0 && asked.cookie.len != SIM_COOKIE_CLIENT_SIZE &&
        asked.cookie.len < 2 * SIM_COOKIE_CLIENT_SIZE) {
        sim_fail("a cookie of %zu bytes (RFC 7873 section 4)", asked.cookie.len);
    }
    return asked;
}

static struct sim_seen asked_seen(const struct asked *asked)
{
    const struct question *question = &asked->query.question;
    struct sim_seen seen = {.type = question->type,
        .flags = asked->query.flags,
        .has_edns = asked->query.has_edns,
        .wants_dnssec = asked->query.wants_dnssec,
        .has_cookie = asked->cookie.len > 0,
        .has_server_cookie = asked->cookie.len > SIM_COOKIE_CLIENT_SIZE,
        .is_stream = asked->transmission->is_stream};
    seen.name.len = question->name_len;
    memcpy(seen.name.bytes, question->name, question->name_len);
    for (size_t i = 0; i < question->name_len; i++) {
        seen.has_capitals |= question->name[i] >= 'A' && question->name[i] <= 'Z';
    }
    return seen;
}

/* ---- What a server sends ---- */

static void question_to_lower(uint8_t *reply, size_t name_len)
{
    for (uint8_t *at = reply + HEADER_SIZE; at < reply + HEADER_SIZE + name_len; at++) {
        *at = (uint8_t)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
    }
}

/* A reply without records; with an OPT record if the server is one that has something to say in it,
 * but never with FORMERR, which is what servers say that do not know EDNS. */
static size_t server_error(
    const struct sim_server *server, const struct asked *asked, unsigned rcode, uint8_t *bytes)
{
    const struct world_query *query = &asked->query;
    bool says = server->has_cookies || server->ede >= 0;
    bool has_opt = says && query->has_edns && rcode != RCODE_FORMERR;
    struct writer writer = writer_of(bytes, 512);
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &query->question);
    if (has_opt) {
        struct edns_reply edns = {
            .udp_size = EDNS_UDP_SIZE, .rcode = rcode, .ede = (enum ede)server->ede};
        edns_write(&writer, &edns);
    }
    const uint16_t counts[4] = {1, 0, 0, has_opt ? 1 : 0};
    header_set_id(bytes, query->id);
    header_set_flags(bytes, (uint16_t)(HEADER_QR | HEADER_RA | (rcode & 0xfu)));
    header_set_counts(bytes, counts);
    return writer.len;
}

static bool server_is_failing(const struct sim_server *server, const struct asked *asked)
{
    return server->is_failing &&
           name_is_under(asked->query.question.name, asked->query.question.name_len,
               server->failing.bytes, server->failing.len);
}

static uint64_t server_secret(const struct sim_server *server)
{
    return UINT64_C(0x5eed) + server->address.bytes[3];
}

static size_t server_compose(
    struct sim *sim, const struct sim_server *server, const struct asked *asked, uint8_t *bytes)
{
    bool is_udp = !asked->transmission->is_stream;
    if (server->rcode >= 0) {
        return server_error(server, asked, (unsigned)server->rcode, bytes);
    }
    if (server->has_no_edns && asked->query.has_edns) {
        return server_error(server, asked, RCODE_FORMERR, bytes);
    }
    if (server->wants_cookies && is_udp && asked->cookie.len > 0 &&
        !sim_cookie_is_known(&asked->cookie, server_secret(server))) {
        return server_error(server, asked, RCODE_BADCOOKIE, bytes);
    }
    if (server_is_failing(server, asked)) {
        return server_error(server, asked, RCODE_SERVFAIL, bytes);
    }
    if (server->is_truncating && is_udp) {
        size_t len = server_error(server, asked, RCODE_NOERROR, bytes);
        header_set_flags(bytes, (uint16_t)(header_flags(bytes) | HEADER_TC));
        return len;
    }
    if (sim_authority_is_blocked(&server->authority, &asked->query)) {
        return sim_authority_write_block(&asked->query, bytes, MESSAGE_SIZE_MAX);
    }
    if (server->authority.zone_count > 0) {
        return sim_authority_write(
            &server->authority, &sim->world, &asked->query, bytes, MESSAGE_SIZE_MAX);
    }
    return world_answer_write(
        &sim->world, &asked->query, is_udp, bytes, MESSAGE_SIZE_MAX - COOKIE_ROOM);
}

static size_t server_reply(
    struct sim *sim, struct sim_server *server, const struct asked *asked, uint8_t *bytes)
{
    size_t len = server_compose(sim, server, asked, bytes);
    if (len == 0) {
        return 0;
    }
    unsigned rcode = header_rcode(bytes);
    bool wants_ad = (asked->query.flags & HEADER_AD) != 0 || asked->query.wants_dnssec;
    if (server->is_validating && wants_ad && (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN)) {
        header_set_flags(bytes, (uint16_t)(header_flags(bytes) | HEADER_AD));
    }
    if (server->is_lowercase) {
        question_to_lower(bytes, asked->query.question.name_len);
    }
    if (server->is_caching) {
        sim_caching_age(&server->caching, &asked->query.question, bytes, len, sim->now);
    }
    if (server->has_cookies && asked->cookie.len > 0 && header_arcount(bytes) == 1) {
        struct sim_cookie cookie = sim_cookie_given(&asked->cookie, server_secret(server));
        len = sim_cookie_add(bytes, len, &cookie);
    }
    return len;
}

/* ---- Lies ---- */

/* Replies that somebody else sends who saw the question's id. */
static size_t lie_forged(
    struct sim *sim, const struct sim_server *server, const struct asked *asked, uint8_t *bytes)
{
    struct world_query bare = asked->query;
    bare.has_edns = server->lie == SIM_LIE_COOKIE;
    size_t len = world_answer_write(&sim->world, &bare, true, bytes, 512);
    if (len == 0 || header_ancount(bytes) == 0) {
        return 0;
    }
    bytes[len - 1 - (bare.has_edns ? 11u : 0u)] ^= 0x01;
    if (server->lie == SIM_LIE_CASE) {
        question_to_lower(bytes, asked->query.question.name_len);
    }
    if (server->lie == SIM_LIE_COOKIE) {
        struct sim_cookie strange = {.len = 0};
        strange = sim_cookie_given(&strange, server_secret(server));
        len = sim_cookie_add(bytes, len, &strange);
    }
    return len;
}

/* The false reply that comes before the true one. */
static void lie_before(
    struct sim *sim, struct sim_server *server, const struct asked *asked, int64_t delay)
{
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    const struct transmission *transmission = asked->transmission;
    size_t len = 0;
    switch (server->lie) {
    case SIM_LIE_NONE:
    case SIM_LIE_ID:
    case SIM_LIE_QUESTION:
    case SIM_LIE_QR:
    case SIM_LIE_GARBAGE:
        return;
    case SIM_LIE_FIRST:
        len = server_reply(sim, server, asked, bytes);
        header_set_id(bytes, (uint16_t)(asked->query.id + 1));
        break;
    case SIM_LIE_PORT:
        len = server_reply(sim, server, asked, bytes);
        sim_reply_astray(sim, transmission, delay, bytes, len);
        return;
    case SIM_LIE_FORGED:
    case SIM_LIE_CASE:
    case SIM_LIE_COOKIE:
        len = lie_forged(sim, server, asked, bytes);
        break;
    }
    if (len > 0) {
        sim_reply_add(sim, transmission, delay, bytes, len);
    }
}

/* What becomes of the reply itself; its length. */
static size_t lie_about(
    struct sim *sim, enum sim_lie lie, uint8_t *bytes, size_t len, size_t records_at)
{
    switch (lie) {
    case SIM_LIE_NONE:
    case SIM_LIE_FIRST:
    case SIM_LIE_PORT:
    case SIM_LIE_FORGED:
    case SIM_LIE_CASE:
    case SIM_LIE_COOKIE:
        return len;
    case SIM_LIE_ID:
        header_set_id(bytes, (uint16_t)(header_id(bytes) + 1));
        return len;
    case SIM_LIE_QUESTION:
        bytes[HEADER_SIZE + 1] ^= 0x01;
        return len;
    case SIM_LIE_QR:
        header_set_flags(bytes, (uint16_t)(header_flags(bytes) & ~HEADER_QR));
        return len;
    case SIM_LIE_GARBAGE:
        bytes_put_u16(bytes + 6, 7);
        random_bytes(&sim->random, bytes + records_at, 40);
        return records_at + 40;
    }
    must_never("a lie");
}

/* ---- Weather ---- */

static bool sim_chance(struct sim *sim, unsigned percent)
{
    return percent > 0 && random_below(&sim->random, 100) < percent;
}

/* In (0, 1]. */
static double sim_fraction(struct sim *sim)
{
    return ((double)random_u32(&sim->random) + 1.0) / 4294967296.0;
}

/* Lognormal by its median and its 99th percentile, which lies 2.326 sigma above it. */
static int64_t delay_lognormal(struct sim *sim, int64_t median_us, int64_t p99_us)
{
    double sigma = log((double)p99_us / (double)median_us) / 2.3263478740408408;
    double radius = sqrt(-2.0 * log(sim_fraction(sim)));
    double normal = radius * cos(6.283185307179586 * sim_fraction(sim));
    return (int64_t)((double)median_us * exp(sigma * normal));
}

/* A stream needs one more round trip, for its opening. */
static int64_t server_delay(struct sim *sim, const struct sim_server *server, bool is_stream)
{
    int64_t delay = server->delay_us;
    if (server->delay_p99_us > 0) {
        delay = delay_lognormal(sim, server->delay_us, server->delay_p99_us);
    }
    delay *= is_stream ? 2 : 1;
    if (server->jitter_us > 0) {
        delay += random_below(&sim->random, (uint32_t)server->jitter_us);
    }
    return delay;
}

static bool server_is_silent(struct sim *sim, struct sim_server *server, bool has_edns)
{
    if (server->loses > 0) {
        server->loses--;
        return true;
    }
    bool is_down = server->flapping_us > 0 &&
                   (sim->now - server->flapping_since) / server->flapping_us % 2 == 0;
    return server->is_silent || is_down || (server->drops_edns && has_edns) ||
           sim_chance(sim, server->loss);
}

void sim_server_serve(
    struct sim *sim, struct sim_server *server, const struct transmission *transmission)
{
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    struct asked asked = asked_read(transmission);
    server->last = asked_seen(&asked);
    if (server->is_refusing || (transmission->is_stream && server->has_no_tcp)) {
        sim_line_lose(sim, transmission, 100);
        return;
    }
    struct world_manner manner = world_manner_of(&sim->world, &server->last.name);
    if (manner.is_dropped || server_is_silent(sim, server, asked.query.has_edns)) {
        return;
    }
    int64_t delay =
        server_delay(sim, server, transmission->is_stream) + manner.delay_ms * INT64_C(1000);
    if (server->is_looping) {
        sim_loop_add(sim, transmission, delay);
        return;
    }
    size_t len = server_reply(sim, server, &asked, bytes);
    if (len == 0) {
        return;
    }
    lie_before(sim, server, &asked, delay / 2);
    len = lie_about(sim, server->lie, bytes, len, asked_records_at(&asked));
    sim_reply_add(sim, transmission, delay, bytes, len);
    if (sim_chance(sim, server->duplicates)) {
        sim_reply_add(sim, transmission, delay + 1000, bytes, len);
    }
}
