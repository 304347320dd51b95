/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/types.h"
#include "tests/sim/sim_network.h"

/* resolv.conf(5): timeout and attempts. */
#define LIBC_TIMEOUT_US (5 * CLOCK_US_PER_S)
#define LIBC_TRIES      2

/* ---- Asking ---- */

void sim_client_take(struct sim *sim, uint64_t number, const uint8_t *bytes, size_t len)
{
    must(number < sim->client_count);
    struct sim_client *client = &sim->clients[number];
    if (client->state != SIM_CLIENT_WAITING) {
        sim_fail("client %llu was answered twice", (unsigned long long)number);
    }
    client->state = SIM_CLIENT_ANSWERED;
    client->answered_at = sim->now;
    client->len = len < SIM_ANSWER_MAX ? len : SIM_ANSWER_MAX;
    memcpy(client->answer, bytes, client->len);
    sim_digest(sim, bytes, len);
    if (client->answered_at - client->asked_at > sim->settings->answer_deadline_us) {
        sim_fail("client %llu was answered after answer_deadline", (unsigned long long)number);
    }
    sim_asker_on_answer(sim, number);
}

size_t sim_ask_as(struct sim *sim, const uint8_t *bytes, size_t len, bool is_stream,
    const struct sim_asker *asker)
{
    static uint8_t answer[MESSAGE_SIZE_MAX];
    must(sim->client_count < SIM_CLIENTS_MAX);
    size_t number = sim->client_count++;
    struct sim_client *client = &sim->clients[number];
    client->state = SIM_CLIENT_WAITING;
    client->asked_at = sim->now;
    client->asker = *asker;
    sim->questions += asker->kind == SIM_ASKER_LOOP ? 0 : 1;
    struct ask ask = {.client = {.line = number, .is_stream = is_stream},
        .query = bytes,
        .len = len,
        .answer = answer};
    switch (resolver_ask(sim->resolver, &ask, sim->now)) {
    case ASK_ANSWERED:
        sim_client_take(sim, number, answer, ask.answer_len);
        break;
    case ASK_PARKED:
        break;
    case ASK_DROPPED:
        client->state = SIM_CLIENT_DROPPED;
        break;
    }
    return number;
}

size_t sim_ask_bytes(struct sim *sim, const uint8_t *bytes, size_t len, bool is_stream)
{
    struct sim_asker plain = {.kind = SIM_ASKER_PLAIN};
    return sim_ask_as(sim, bytes, len, is_stream, &plain);
}

size_t sim_ask(struct sim *sim, const struct sim_question *question)
{
    uint8_t bytes[512];
    struct question asked = {.type = question->type, .class = question->class};
    size_t name_len;
    if (!name_from_text(question->name, strlen(question->name), asked.name, &name_len)) {
        sim_fail("not a name: %s", question->name);
    }
    asked.name_len = (uint8_t)name_len;
    struct writer writer = writer_of(bytes, sizeof bytes);
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &asked);
    if (question->has_edns) {
        struct edns_reply edns = {.udp_size = question->udp_size,
            .wants_dnssec = question->wants_dnssec,
            .ede = EDE_NONE};
        edns_write(&writer, &edns);
    }
    const uint16_t counts[4] = {1, 0, 0, question->has_edns ? 1 : 0};
    header_set_id(bytes, question->has_id ? question->id : random_u16(&sim->random));
    header_set_flags(bytes, question->flags);
    header_set_counts(bytes, counts);
    return sim_ask_as(sim, bytes, writer.len, question->is_stream, &question->asker);
}

/* ---- libc ---- */

static void libc_try(struct sim *sim, size_t index)
{
    struct sim_libc *libc = &sim->libcs[index];
    libc->tries++;
    libc->serial++;
    sim_call_add(sim, sim->now + LIBC_TIMEOUT_US, SIM_ASKER_LIBC, index, libc->serial);
    libc->client = sim->client_count;
    sim_ask(sim, &libc->question);
}

size_t sim_libc_new(struct sim *sim, const struct sim_question *question)
{
    must(sim->libc_count < SIM_LIBCS_MAX);
    size_t index = sim->libc_count++;
    struct sim_libc *libc = &sim->libcs[index];
    *libc = (struct sim_libc){.question = *question, .asked_at = sim->now};
    snprintf(libc->name, sizeof libc->name, "%s", question->name);
    libc->question.name = libc->name;
    libc->question.has_id = true;
    libc->question.id = random_u16(&sim->random);
    libc->question.asker = (struct sim_asker){.kind = SIM_ASKER_LIBC, .index = index};
    libc_try(sim, index);
    return index;
}

static void libc_end(struct sim *sim, struct sim_libc *libc, bool has_failed)
{
    libc->is_done = true;
    libc->has_failed = has_failed;
    libc->done_at = sim->now;
}

/* An answer to any of its messages will do; after a failure or TC it asks again in a moment, for
 * nobody asks from inside an answer. Going over to TCP is no new try. */
static void libc_on_answer(struct sim *sim, size_t index, size_t number)
{
    struct sim_libc *libc = &sim->libcs[index];
    const uint8_t *answer = sim->clients[number].answer;
    unsigned rcode = header_rcode(answer);
    bool has_failed = rcode == RCODE_SERVFAIL || rcode == RCODE_NOTIMP || rcode == RCODE_REFUSED;
    bool is_cut = (header_flags(answer) & HEADER_TC) != 0 && !libc->question.is_stream;
    if (libc->is_done) {
        return;
    }
    libc->client = number;
    if (is_cut) {
        libc->question.is_stream = true;
        libc->tries--;
    }
    if (is_cut || (has_failed && libc->tries < LIBC_TRIES)) {
        sim_call_add(sim, sim->now, SIM_ASKER_LIBC, index, libc->serial);
    } else {
        libc_end(sim, libc, has_failed);
    }
}

/* It has waited long enough, or has had a failure. */
static void libc_on_call(struct sim *sim, size_t index, unsigned serial)
{
    struct sim_libc *libc = &sim->libcs[index];
    if (libc->is_done || serial != libc->serial) {
        return;
    }
    if (libc->tries == LIBC_TRIES) {
        libc_end(sim, libc, true);
    } else {
        libc_try(sim, index);
    }
}

/* ---- Loads ---- */

void sim_text_numbered(const char *text, unsigned number, char *text_out, size_t size)
{
    size_t len = 0;
    for (; *text != '\0' && len + 1 < size; text++) {
        if (*text == '*') {
            int digits = snprintf(text_out + len, size - len, "%u", number);
            len += (size_t)digits;
        } else {
            text_out[len++] = *text;
        }
    }
    must(len < size);
    text_out[len] = '\0';
}

static void load_on_call(struct sim *sim, size_t index)
{
    struct sim_load *load = &sim->loads[index];
    char name[SIM_TEXT_SIZE];
    sim_text_numbered(load->pattern, ++load->asked, name, sizeof name);
    struct sim_question question = {.name = name,
        .type = load->type,
        .class = CLASS_IN,
        .flags = HEADER_RD,
        .asker = {.kind = SIM_ASKER_LOAD, .index = index}};
    if (load->asked < load->count) {
        sim_call_add(sim, sim->now + load->every_us, SIM_ASKER_LOAD, index, 0);
    }
    sim_ask(sim, &question);
}

size_t sim_load_new(struct sim *sim, const struct sim_load *load)
{
    must(sim->load_count < SIM_LOADS_MAX && load->count > 0);
    size_t index = sim->load_count++;
    sim->loads[index] = *load;
    sim_call_add(sim, sim->now, SIM_ASKER_LOAD, index, 0);
    return index;
}

static int wait_compare(const void *a, const void *b)
{
    const int64_t *first = a;
    const int64_t *second = b;
    return (*first > *second) - (*first < *second);
}

void sim_load_result(const struct sim *sim, size_t index, struct sim_load_result *result_out)
{
    static int64_t waits[SIM_CLIENTS_MAX];
    size_t count = 0;
    int64_t sum = 0;
    *result_out = (struct sim_load_result){.failed = 0};
    for (size_t i = 0; i < sim->client_count; i++) {
        const struct sim_client *client = &sim->clients[i];
        if (client->asker.kind != SIM_ASKER_LOAD || client->asker.index != index ||
            client->state != SIM_CLIENT_ANSWERED) {
            continue;
        }
        unsigned rcode = header_rcode(client->answer);
        result_out->failed += rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN ? 1 : 0;
        waits[count] = client->answered_at - client->asked_at;
        result_out->waited += waits[count] > 0 ? 1 : 0;
        sum += waits[count++];
    }
    result_out->waiting = sim->loads[index].count - (unsigned)count;
    if (count > 0) {
        qsort(waits, count, sizeof waits[0], wait_compare);
        result_out->median = waits[count / 2];
        result_out->mean = sum / (int64_t)count;
        result_out->p99 = waits[count * 99 / 100];
        result_out->worst = waits[count - 1];
    }
}

/* ---- All of them ---- */

void sim_call_run(struct sim *sim, enum sim_asker_kind kind, size_t subject, unsigned serial)
{
    switch (kind) {
    case SIM_ASKER_PLAIN:
    case SIM_ASKER_LOOP:
        must_never("a client that does as it is told");
    case SIM_ASKER_LIBC:
        libc_on_call(sim, subject, serial);
        break;
    case SIM_ASKER_LOAD:
        load_on_call(sim, subject);
        break;
    }
}

void sim_asker_on_answer(struct sim *sim, size_t number)
{
    const struct sim_client *client = &sim->clients[number];
    switch (client->asker.kind) {
    case SIM_ASKER_PLAIN:
    case SIM_ASKER_LOAD:
        break;
    case SIM_ASKER_LIBC:
        libc_on_answer(sim, client->asker.index, number);
        break;
    case SIM_ASKER_LOOP:
        sim_loop_answer(sim, client);
        break;
    }
}

/* A sleeper does not notice that it waits. */
void sim_clients_sleep(struct sim *sim, int64_t duration_us)
{
    for (size_t i = 0; i < sim->client_count; i++) {
        sim->clients[i].asked_at += sim->clients[i].state == SIM_CLIENT_WAITING ? duration_us : 0;
    }
    for (size_t i = 0; i < sim->libc_count; i++) {
        sim->libcs[i].asked_at += sim->libcs[i].is_done ? 0 : duration_us;
    }
}
