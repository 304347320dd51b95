/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/exchange.h"

#include "base/must.h"
#include "wire/ask.h"
#include "conf/settings.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

static size_t exchange_compose(const struct exchange_form *form, const struct exchange *exchange,
    uint8_t bytes_out[ASK_SIZE_MAX])
{
    struct ask_form ask = {
        .id = exchange->wire_id,
        .wants_ad = form->trusts_ad,
        .wants_dnssec = form->wants_dnssec,
        .checking_disabled = form->checking_disabled,
        .has_edns = exchange->has_edns,
    };
    size_t len = ask_write(&ask, form->question, bytes_out, ASK_SIZE_MAX);
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
        .trusts_ad = form->trusts_ad,
        .sent_at = now,
    };
    if (form->fetch != NULL) {
        list_append(&form->fetch->exchanges, &exchange->link);
    }
    uint8_t bytes[ASK_SIZE_MAX];
    struct transmission transmission = {
        .exchange = id,
        .server = &resolver->servers.servers[plan->server].settings,
        .is_stream = plan->is_stream,
        .message = bytes,
        .len = exchange_compose(form, exchange, bytes),
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
