/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/exchange.h"

#include <string.h>

#include "base/must.h"
#include "wire/ask.h"
#include "wire/cookie.h"
#include "wire/name.h"
#include "wire/question.h"
#include "conf/settings.h"
#include "resolver/direct.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

static struct server *exchange_server(struct resolver *resolver, const struct exchange *exchange)
{
    bool is_known = exchange->server != SERVER_NONE;
    return is_known ? &resolver->servers.servers[exchange->server] : NULL;
}

/* The question as it was sent: `question` is in lower case. */
static void exchange_spell(
    const struct exchange *exchange, const struct question *question, struct question *spelled_out)
{
    *spelled_out = *question;
    for (unsigned i = 0; exchange->is_spelled && i < question->name_len; i++) {
        bool is_capital = (exchange->capitals[i / 8] >> i % 8 & 1) != 0;
        spelled_out->name[i] = (uint8_t)(question->name[i] & (is_capital ? ~0x20u : 0xffu));
    }
}

static void exchange_draw_spelling(
    struct resolver *resolver, struct exchange *exchange, const struct question *question)
{
    struct question spelled = *question;
    name_randomise_case(spelled.name, spelled.name_len, resolver->random);
    for (unsigned i = 0; i < question->name_len; i++) {
        bool is_capital = spelled.name[i] != question->name[i];
        exchange->capitals[i / 8] |= (uint8_t)((is_capital ? 1u : 0u) << i % 8);
        exchange->is_spelled = exchange->is_spelled || is_capital;
    }
}

static void exchange_disguise(struct resolver *resolver, const struct exchange_form *form,
    struct exchange *exchange, int64_t now)
{
    const struct server *server = exchange_server(resolver, exchange);
    if (form->fetch == NULL || exchange->is_stream) {
        return;
    }
    if (!form->fetch->is_list && manners_keeps_letters(&server->manners, now)) {
        exchange_draw_spelling(resolver, exchange, form->question);
    }
    if (exchange->has_edns && manners_takes_cookies(&server->manners, now)) {
        exchange->has_cookie = true;
        cookie_client_make(&resolver->cookie_secret, &server->settings.address, exchange->cookie);
    }
}

static size_t exchange_compose(struct resolver *resolver, const struct exchange_form *form,
    const struct exchange *exchange, uint8_t bytes_out[ASK_SIZE_MAX])
{
    const struct server *server = exchange_server(resolver, exchange);
    struct question question;
    struct ask_form ask = {
        .id = exchange->wire_id,
        .is_final = exchange->is_direct,
        .wants_ad = form->trusts_ad,
        .wants_dnssec = form->wants_dnssec,
        .checking_disabled = form->checking_disabled,
        .has_edns = exchange->has_edns,
        .pad_to = settings_server_is_tls(&server->settings) ? EXCHANGE_PAD_TO : 0,
    };
    if (exchange->has_cookie) {
        bool has_whole = manners_expects_cookie(&server->manners);
        ask.cookie = has_whole ? server->manners.cookie : exchange->cookie;
        ask.cookie_len = has_whole ? server->manners.cookie_len : sizeof exchange->cookie;
    }
    exchange_spell(exchange, form->question, &question);
    size_t len = ask_write(&ask, &question, bytes_out, ASK_SIZE_MAX);
    must(len != 0);
    return len;
}

static void exchange_count_sent(
    struct resolver *resolver, const struct exchange *exchange, int64_t now)
{
    counter_add(&resolver->stats.upstream_sent, 1);
    server_on_sent(&resolver->servers.servers[exchange->server], now);
    if (exchange->is_stream) {
        counter_add(&resolver->stats.upstream_sent_stream, 1);
    }
}

static bool exchange_is_direct(const struct resolver *resolver, const struct exchange_plan *plan)
{
    size_t group = resolver->servers.servers[plan->server].group;
    return resolver->servers.groups[group].is_direct;
}

struct exchange *exchange_start(struct resolver *resolver, const struct exchange_form *form,
    const struct exchange_plan *plan, int64_t now)
{
    uint64_t id;
    struct exchange *exchange = pool_take(&resolver->exchanges, &id);
    if (exchange == NULL) {
        counter_add(&resolver->stats.upstream_unsent, 1);
        return NULL;
    }
    *exchange = (struct exchange){
        .id = id,
        .fetch = form->fetch != NULL ? form->fetch->inflight.id : POOL_NONE,
        .server = plan->server,
        .place = plan->place,
        .wire_id = random_u16(resolver->random),
        .is_stream = plan->is_stream,
        .has_edns = plan->has_edns,
        .is_recookied = plan->is_recookied,
        .is_direct = exchange_is_direct(resolver, plan),
        .mark = direct_mark(resolver, resolver->servers.servers[plan->server].group),
        .trusts_ad = form->trusts_ad,
        .sent_at = now,
    };
    if (form->fetch != NULL) {
        list_append(&form->fetch->exchanges, &exchange->link);
    }
    exchange_disguise(resolver, form, exchange, now);
    uint8_t bytes[ASK_SIZE_MAX];
    struct transmission transmission = {
        .exchange = id,
        .server = &resolver->servers.servers[plan->server].settings,
        .is_stream = plan->is_stream,
        .message = bytes,
        .len = exchange_compose(resolver, form, exchange, bytes),
    };
    if (!resolver->port.transmit(resolver->port.world, &transmission, &exchange->line)) {
        counter_add(&resolver->stats.upstream_unsent, 1);
        server_on_unsent(&resolver->servers.servers[plan->server]);
        exchange->server = SERVER_NONE;
        exchange_forget(resolver, exchange);
        return NULL;
    }
    exchange_count_sent(resolver, exchange, now);
    return exchange;
}

static void exchange_learn(struct manners *manners, const struct exchange *exchange,
    const struct judge_cookie *cookie, enum judge_verdict verdict, int64_t now)
{
    bool is_answer =
        verdict == JUDGE_ANSWER || verdict == JUDGE_NODATA || verdict == JUDGE_NXDOMAIN;
    if (exchange->is_spelled && (is_answer || verdict == JUDGE_OTHER_CASE)) {
        manners_on_letters(manners, is_answer, now);
    }
    if (cookie->is_checked) {
        manners_on_cookie(manners, cookie->verdict, cookie->received, cookie->received_len, now);
    }
}

enum judge_verdict exchange_judge(struct resolver *resolver, struct exchange *exchange,
    struct judge_case *judged, struct normalised *normalised_out, int64_t now)
{
    struct server *server = exchange_server(resolver, exchange);
    struct judge_cookie cookie = {.verdict = COOKIE_NONE};
    struct question spelled;
    exchange_spell(exchange, judged->asked, &spelled);
    memcpy(cookie.client, exchange->cookie, sizeof cookie.client);
    cookie.is_expected = server != NULL && manners_expects_cookie(&server->manners);
    judged->id = exchange->wire_id;
    judged->asked = &spelled;
    judged->has_edns = exchange->has_edns;
    judged->is_stream = exchange->is_stream;
    judged->is_direct = exchange->is_direct;
    judged->is_spelled = exchange->is_spelled;
    judged->cookie = exchange->has_cookie ? &cookie : NULL;
    enum judge_verdict verdict = judge_reply(judged, resolver->normalised, normalised_out);
    judged->asked = NULL; /* These two were of this call. */
    judged->cookie = NULL;
    bool is_doubtful = verdict == JUDGE_OTHER_CASE || verdict == JUDGE_NO_COOKIE;
    if (is_doubtful && exchange->is_doubted) {
        return JUDGE_STRANGER;
    }
    exchange->is_doubted = exchange->is_doubted || is_doubtful;
    if (server != NULL) {
        exchange_learn(&server->manners, exchange, &cookie, verdict, now);
    }
    return verdict;
}

struct server_reply exchange_as_reply(const struct exchange *exchange, bool is_usable, int64_t now)
{
    return (struct server_reply){
        .round_trip_us = exchange->is_overslept ? SERVER_UNMEASURED : now - exchange->sent_at,
        .way = exchange->is_stream ? SERVER_WAY_STREAM : SERVER_WAY_DATAGRAM,
        .is_usable = is_usable,
    };
}

void exchange_end(struct resolver *resolver, struct exchange *exchange)
{
    resolver->port.withdraw(resolver->port.world, exchange->line, exchange->is_stream);
    exchange_forget(resolver, exchange);
}

void exchange_forget(struct resolver *resolver, struct exchange *exchange)
{
    if (exchange->server != SERVER_NONE) {
        server_on_withdrawn(&resolver->servers.servers[exchange->server]);
    }
    list_remove(&exchange->link);
    pool_give(&resolver->exchanges, exchange->id);
}

/* With so many letters the same spelling by chance is out of the question. A forwarder draws an id
 * of its own; one that passes on ours needs no letters to be told. */
#define EXCHANGE_ECHO_LETTERS 12

static unsigned exchange_letters(const struct question *question)
{
    unsigned letters = 0;
    for (size_t i = 0; i < question->name_len; i++) {
        uint8_t lower = question->name[i] | 0x20;
        letters += lower >= 'a' && lower <= 'z' ? 1 : 0;
    }
    return letters;
}

bool exchange_is_echoed(const struct exchange *exchange, const struct question *asked,
    const struct question *seen, uint16_t seen_id)
{
    struct question spelled;
    exchange_spell(exchange, asked, &spelled);
    bool is_same = exchange->is_spelled && seen->name_len == spelled.name_len &&
                   memcmp(seen->name, spelled.name, spelled.name_len) == 0;
    return is_same &&
           (seen_id == exchange->wire_id || exchange_letters(asked) >= EXCHANGE_ECHO_LETTERS);
}
