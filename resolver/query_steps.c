/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/query_steps.h"

#include <string.h>

#include "base/must.h"
#include "wire/message.h"
#include "wire/types.h"
#include "mail/list_zone.h"
#include "cache/cache.h"
#include "cache/mark.h"
#include "resolver/classify.h"
#include "resolver/cut.h"
#include "resolver/fetch.h"
#include "resolver/local.h"
#include "resolver/observer.h"
#include "resolver/query.h"
#include "resolver/query_lists.h"
#include "resolver/reason.h"
#include "resolver/refusal.h"
#include "resolver/resolver.h"

/* A question that is followed is no client's, so none of its turns is counted as one. */
static void query_tally(const struct query_turn *turn, struct counter *counter)
{
    counter_add(counter, turn->query->trace == 0 ? 1 : 0);
}

/* ---- PARSE ---- */

/* Answers without records, and goes on to ANSWER. */
static enum step_verdict query_fail(struct query_turn *turn, unsigned rcode, enum ede ede)
{
    turn->source.stored.bytes = NULL;
    turn->source.error = (struct answer_error){.rcode = rcode, .ede = ede};
    turn->query->step = QUERY_ANSWER;
    return STEP_ON;
}

static enum step_verdict query_reject(struct query_turn *turn, unsigned rcode)
{
    query_tally(turn, &turn->resolver->stats.questions_malformed);
    return query_fail(turn, rcode, rcode == RCODE_NOTIMP ? EDE_NOT_SUPPORTED : EDE_NONE);
}

static enum step_verdict query_drop(struct query_turn *turn)
{
    counter_add(&turn->resolver->stats.questions_dropped, 1);
    turn->is_dropped = true;
    turn->query->step = QUERY_END;
    return STEP_END;
}

static void query_take_key(struct query *query, const struct message *message)
{
    struct cache_key *key = &query->key;
    memcpy(key->name, message->question.name, message->question.name_len);
    name_to_lower(key->name, message->question.name_len);
    key->name_len = message->question.name_len;
    key->type = message->question.type;
    key->class = message->question.class;
    key->wants_dnssec = message->edns.wants_dnssec;
    key->checking_disabled = (message->flags & HEADER_CD) != 0;
}

enum step_verdict query_parse(struct query_turn *turn)
{
    struct query *query = turn->query;
    struct message message;
    enum message_verdict verdict = message_read(turn->ask->query, turn->ask->len, &message);
    if (verdict == MESSAGE_SHORT || (message.flags & HEADER_QR) != 0) {
        return query_drop(turn);
    }
    query->form =
        answer_form_of(&message, query->client.is_stream, turn->resolver->limits.udp_answer_max);
    if (message.opcode != OPCODE_QUERY) {
        return query_reject(turn, RCODE_NOTIMP);
    }
    turn->source.has_question = verdict == MESSAGE_GOOD || message.edns.is_present;
    if (turn->source.has_question) {
        question_copy(&query->question, &message.question);
    }
    if (verdict == MESSAGE_MALFORMED) {
        return query_reject(turn, RCODE_FORMERR);
    }
    if (message.edns.version != 0) {
        return query_reject(turn, RCODE_BADVERS);
    }
    if (message.counts[1] != 0 || message.counts[2] != 0) {
        return query_reject(turn, RCODE_FORMERR);
    }
    query_take_key(query, &message);
    query->step = QUERY_LOOKUP;
    return STEP_ON;
}

/* ---- LOOKUP ---- */

static void query_use_stored(struct query_turn *turn, const uint8_t *stored, size_t len)
{
    turn->source.stored.bytes = stored;
    turn->source.stored.len = len;
    turn->query->step = QUERY_ANSWER;
}

/* It was validated, by whom the settings trust, which they may not have done when it was stored. */
static bool query_is_trusted(const struct query_turn *turn)
{
    const struct resolver *resolver = turn->resolver;
    return turn->found.is_ad &&
           resolver->servers.groups[fetch_group(resolver, &turn->query->key)].trusts_ad;
}

/* What the cache has found, with its message at `stored`. */
static enum step_verdict query_use_found(struct query_turn *turn, const uint8_t *stored)
{
    const struct cache_found *found = &turn->found;
    turn->source.stored.extra.age_s = found->age_s;
    turn->source.stored.extra.is_ad = query_is_trusted(turn);
    query_use_stored(turn, stored, found->len);
    turn->query->outcome = OUTCOME_HIT;
    return STEP_ON;
}

/* RFC 8767 section 4: a stale answer's TTL is 30 s, and it says that it is stale. */
static enum step_verdict query_use_stale(struct query_turn *turn)
{
    struct answer_extra *extra = &turn->source.stored.extra;
    query_use_found(turn, turn->answer);
    extra->age_s = 0; /* Its own TTLs have run out: ttl_cap bounds them instead. */
    extra->ttl_cap = turn->resolver->limits.stale_ttl_s;
    extra->is_ad = false;
    extra->ede = turn->found.kind == CACHE_KIND_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE_ANSWER;
    extra->ede_text = "upstream is slow or silent; this answer has expired";
    turn->query->outcome = OUTCOME_STALE;
    return STEP_ON;
}

/* It has expired this moment, and the new one is being fetched (resolver/refresh.h). */
static enum step_verdict query_use_bridge(struct query_turn *turn)
{
    query_use_stale(turn);
    turn->source.stored.extra.ttl_cap = REFRESH_BRIDGE_TTL_S;
    turn->source.stored.extra.ede_text = "expired a moment ago; a fresh answer is on its way";
    return STEP_ON;
}

static enum step_verdict query_servfail(struct query_turn *turn, enum ede ede, const char *text)
{
    query_fail(turn, RCODE_SERVFAIL, ede);
    turn->source.error.ede_text = text;
    turn->query->outcome = OUTCOME_FAILED;
    return STEP_ON;
}

/* A failure that is remembered; of a list it may be its refusal. */
static enum step_verdict query_use_failure(struct query_turn *turn)
{
    const char *sentence = NULL;
    if (turn->found.ede == EDE_PROHIBITED) {
        sentence = refusal_sentence(turn->resolver, turn->query->list);
    }
    if (sentence != NULL) {
        return query_servfail(turn, EDE_PROHIBITED, sentence);
    }
    return query_servfail(
        turn, reason_later(turn->found.ede), reason_sentence_later(turn->found.ede));
}

/* The list has been found to list the world since this listing was stored. */
static enum step_verdict query_use_world(struct query_turn *turn, const struct refusal *refusal)
{
    struct answer_extra *extra = &turn->source.stored.extra;
    size_t len;
    switch (refusal->action) {
    case LISTS_ACTION_SERVFAIL:
        return query_servfail(turn, EDE_PROHIBITED, refusal->sentence);
    case LISTS_ACTION_NXDOMAIN:
        len = refusal_deny(turn->resolver, refusal, &turn->query->key, turn->resolver->found);
        query_use_stored(turn, turn->resolver->found, len);
        turn->query->outcome = OUTCOME_HIT;
        break;
    case LISTS_ACTION_PASS:
        query_use_found(turn, turn->answer);
        break;
    }
    extra->ede = EDE_PROHIBITED;
    extra->ede_text = refusal->sentence;
    return STEP_ON;
}

/* What was found is a listing by a list that lists the world. */
static bool query_is_of_world(const struct query_turn *turn)
{
    return turn->found.kind == CACHE_KIND_ANSWER &&
           lists_is_world(&turn->resolver->lists, turn->query->list);
}

/* Such a listing is no help once it has expired; but while upstream is left alone, it is told what
 * the list is worth. */
static enum step_verdict query_lose_stale(struct query_turn *turn)
{
    struct refusal refusal = refusal_of_world(turn->resolver, turn->query->list, turn->now);
    if (!turn->found.is_failing) {
        turn->verdict = CACHE_MISS;
        return STEP_ON;
    }
    return refusal.action == LISTS_ACTION_PASS ? query_use_stale(turn)
                                               : query_use_world(turn, &refusal);
}

static enum step_verdict query_use_fresh(struct query_turn *turn)
{
    unsigned list = turn->query->list;
    if (turn->found.kind == CACHE_KIND_FAILURE) {
        return query_use_failure(turn);
    }
    turn->foreseen = turn->found.ahead;
    if (query_is_of_world(turn)) {
        struct refusal refusal = refusal_of_world(turn->resolver, list, turn->now);
        return query_use_world(turn, &refusal);
    }
    if (!lists_is_hash(&turn->resolver->lists, list)) {
        refresh_on_hit(turn);
    }
    return query_use_found(turn, turn->answer);
}

enum step_verdict query_lookup(struct query_turn *turn)
{
    struct query *query = turn->query;
    struct cache_found *found = &turn->found;
    turn->verdict = cache_lookup(
        turn->resolver->cache, &query->key, turn->now, turn->answer, MESSAGE_SIZE_MAX, found);
    query->step = QUERY_LOCAL;
    if (turn->verdict == CACHE_MISS) {
        return STEP_ON;
    }
    query_lists_find(turn);
    if (turn->verdict == CACHE_FRESH) {
        return query_use_fresh(turn);
    }
    if (query_is_of_world(turn)) {
        return query_lose_stale(turn);
    }
    if (found->is_failing) {
        return query_use_stale(turn);
    }
    return refresh_may_bridge(turn) ? query_use_bridge(turn) : STEP_ON;
}

/* ---- LOCAL ---- */

/* Is it known that a name above the asked one does not exist? Only from where the asked name itself
 * would be asked, and not from a list. */
static bool query_try_cut(struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    const struct cache_key *key = &turn->query->key;
    uint8_t denial[CUT_SIZE_MAX];
    struct cache_key above;
    if (!cut_is_for(key, turn->query->is_list)) {
        return false;
    }
    uint16_t origin = resolver->servers.groups[fetch_group(resolver, key)].origin;
    for (unsigned up = 1; cut_key(key, up, &above); up++) {
        struct cache_found *found = &turn->found;
        enum cache_verdict verdict =
            cache_peek(resolver->cache, &above, turn->now, denial, sizeof denial, found);
        if (verdict != CACHE_FRESH || found->origin != origin || found->is_list) {
            continue;
        }
        found->len = cut_compose(key, denial, found->len, resolver->found, sizeof resolver->found);
        if (found->len > 0) {
            return true;
        }
    }
    return false;
}

/* AD is not concluded. */
static enum step_verdict query_use_cut(struct query_turn *turn)
{
    counter_add(&turn->resolver->stats.answers_cut, 1);
    turn->found.is_ad = false;
    turn->source.stored.extra.ede = EDE_SYNTHESIZED;
    turn->source.stored.extra.ede_text = "concluded: a name above it does not exist (RFC 8020)";
    return query_use_found(turn, turn->resolver->found);
}

/* What is answered by what the name is, without knowing anything about it. */
static enum local_verdict query_ask_house(struct query_turn *turn, size_t *len_out)
{
    struct resolver *resolver = turn->resolver;
    struct query *query = turn->query;
    struct list_question list;
    bool is_list = query_lists_classify(turn, &list);
    struct local_case local = {
        .key = &query->key,
        .list = is_list ? &list : NULL,
        .is_configured =
            route_is_configured(&resolver->route, query->key.name, query->key.name_len),
        .private_lists_local = resolver->limits.private_lists_local,
        .version = resolver->version,
    };
    return local_answer(&local, resolver->found, sizeof resolver->found, len_out);
}

static enum step_verdict query_refuse(struct query_turn *turn, enum ede ede, const char *text)
{
    query_tally(turn, &turn->resolver->stats.questions_refused);
    query_fail(turn, RCODE_REFUSED, ede);
    turn->source.error.ede_text = text;
    return STEP_ON;
}

/* Who asks by hand should see that nobody else was asked. */
static enum step_verdict query_use_local(struct query_turn *turn, size_t len)
{
    query_use_stored(turn, turn->resolver->found, len);
    const char *sentence = local_sentence(&turn->query->key, turn->query->is_list);
    if (sentence != NULL) {
        turn->source.stored.extra.ede = EDE_SYNTHESIZED;
        turn->source.stored.extra.ede_text = sentence;
    }
    return STEP_ON;
}

enum step_verdict query_local(struct query_turn *turn)
{
    struct query *query = turn->query;
    size_t len;
    switch (query_ask_house(turn, &len)) {
    case LOCAL_ANSWER:
        return query_use_local(turn, len);
    case LOCAL_REFUSED:
        return query_refuse(turn, EDE_NOT_SUPPORTED, "neither other classes nor zone transfers");
    case LOCAL_NOT_IMPLEMENTED:
        return query_reject(turn, RCODE_NOTIMP);
    case LOCAL_NOT_OURS:
        break;
    }
    bool may_conclude = turn->verdict == CACHE_MISS && turn->query->trace == 0;
    if (may_conclude && query_try_cut(turn)) {
        return query_use_cut(turn);
    }
    if ((query->form.flags & HEADER_RD) == 0) {
        /* RFC 1034 section 4.3.1: it asked for what we have, and we have nothing; RFC 8914 section
         * 4.21 tells the code. */
        return query_refuse(turn, EDE_NOT_AUTHORITATIVE, "not in the cache, and RD is not set");
    }
    query->step = QUERY_JOIN;
    return STEP_ON;
}

/* ---- JOIN and WAIT ---- */

static enum step_verdict query_overflow(struct query_turn *turn)
{
    query_tally(turn, &turn->resolver->stats.questions_overflow);
    if (turn->verdict == CACHE_STALE) {
        return query_use_stale(turn);
    }
    return query_servfail(turn, EDE_OTHER, "too many questions are waiting for upstream");
}

/* Who asks what is being asked already costs nothing more. */
static bool query_is_shed(const struct query_turn *turn)
{
    return turn->ask != NULL && turn->ask->is_shed &&
           inflight_find(&turn->resolver->inflight, &turn->query->key) == POOL_NONE;
}

static enum step_verdict query_shed(struct query_turn *turn)
{
    query_tally(turn, &turn->resolver->stats.questions_shed);
    if (turn->verdict == CACHE_STALE) {
        return query_use_stale(turn);
    }
    return query_servfail(turn, EDE_OTHER, "more questions come in than can be asked upstream");
}

/* Our own message has come back to us: an upstream server asks us what we asked it. */
static bool query_is_echo(const struct query_turn *turn, const struct fetch *fetch)
{
    const struct query *query = turn->query;
    const struct list *head = &fetch->exchanges;
    for (struct list *at = head->next; at != head; at = at->next) {
        const struct exchange *exchange = list_entry(at, struct exchange, link);
        if (exchange_is_echoed(exchange, &fetch->question, &query->question, query->form.id)) {
            return true;
        }
    }
    return false;
}

/* The fetch for this question: somebody else's, or a new one. NULL: no room. */
static struct fetch *query_find_fetch(struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct query *query = turn->query;
    uint64_t id = inflight_find(&resolver->inflight, &query->key);
    if (id != POOL_NONE) {
        struct fetch *fetch = pool_find(&resolver->fetches, id);
        turn->foreseen = fetch->ahead;
        fetch_join(resolver, fetch, turn->now);
        query->outcome = OUTCOME_JOINED;
        return fetch;
    }
    query->outcome = OUTCOME_MISS;
    const struct fetch_order order = {
        .key = &query->key,
        .is_list = query->is_list,
        .is_placed = query->is_list && query->list < LISTS_MAX, /* LOCAL has found it just now. */
        .list = query->list,
        .purpose = FETCH_FOR_CLIENT,
    };
    return fetch_start(resolver, &order, turn->now);
}

static int64_t query_due_at(const struct resolver *resolver, const struct query *query)
{
    return query->asked_at + (query->has_patience ? resolver->limits.stale_patience_us
                                                  : resolver->limits.answer_deadline_us);
}

enum step_verdict query_join(struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    if (query_is_shed(turn)) {
        return query_shed(turn);
    }
    uint64_t id;
    struct query *pooled = pool_take(&resolver->queries, &id);
    if (pooled == NULL) {
        return query_overflow(turn);
    }
    struct fetch *fetch = query_find_fetch(turn);
    if (fetch == NULL) {
        pool_give(&resolver->queries, id);
        return query_overflow(turn);
    }
    if (turn->query->outcome == OUTCOME_JOINED && query_is_echo(turn, fetch)) {
        pool_give(&resolver->queries, id);
        counter_add(&resolver->stats.loops, 1);
        return query_servfail(turn, EDE_OTHER, "a forwarding loop: an upstream server asks us");
    }
    *pooled = *turn->query;
    pooled->id = id;
    pooled->has_patience = turn->verdict == CACHE_STALE;
    pooled->deadline = (struct deadline){.kind = LIFE_QUERY, .id = id};
    list_append(&fetch->waiters, &pooled->waiters);
    deadlines_set(&resolver->deadlines, &pooled->deadline, query_due_at(resolver, pooled));
    counter_set(&resolver->stats.questions_waiting, resolver->queries.in_use);
    pooled->step = QUERY_WAIT;
    turn->query = pooled;
    if (resolver->observer != NULL && pooled->trace == 0) {
        observer_on_parked(turn);
    }
    return STEP_ON;
}

enum step_verdict query_wait(struct query_turn *turn)
{
    must(turn->query->id != POOL_NONE);
    return STEP_PARK;
}

/* A stale answer, if the cache still has one. True: turn->source is set and the step is ANSWER. */
static bool query_try_stale(struct query_turn *turn)
{
    turn->verdict = cache_lookup(turn->resolver->cache, &turn->query->key, turn->now, turn->answer,
        MESSAGE_SIZE_MAX, &turn->found);
    if (turn->verdict != CACHE_MISS && query_is_of_world(turn)) {
        return false;
    }
    if (turn->verdict == CACHE_STALE) {
        query_use_stale(turn);
        return true;
    }
    if (turn->verdict == CACHE_FRESH && turn->found.kind != CACHE_KIND_FAILURE) {
        query_use_found(turn, turn->answer); /* Another worker was faster. */
        return true;
    }
    return false;
}

static struct query_turn query_turn_of(struct resolver *resolver, struct query *query, int64_t now)
{
    must(query->step == QUERY_WAIT);
    return (struct query_turn){
        .resolver = resolver,
        .query = query,
        .now = now,
        .source = {.has_question = true,
            .stored = {.extra = {.ede = EDE_NONE, .ttl_cap = UINT32_MAX}}},
        .answer = resolver->answer,
    };
}

void query_on_published(struct resolver *resolver, struct query *query,
    const struct publication *publication, int64_t now)
{
    struct query_turn turn = query_turn_of(resolver, query, now);
    turn.timeline = publication->timeline;
    if (publication->stored != NULL) {
        turn.source.stored.extra.is_ad = publication->is_ad;
        turn.source.stored.extra.ede = publication->ede;
        turn.source.stored.extra.ede_text = publication->ede_text;
        query_use_stored(&turn, publication->stored, publication->stored_len);
    } else if (!query_try_stale(&turn)) {
        query_servfail(&turn, publication->ede, publication->ede_text);
    }
    query_run(&turn);
}

/* The one that it waits for. */
static struct fetch *query_fetch(const struct resolver *resolver, const struct query *query)
{
    struct fetch *fetch =
        pool_find(&resolver->fetches, inflight_find(&resolver->inflight, &query->key));
    must(fetch != NULL);
    return fetch;
}

/* Gives up its fetch, and with the last waiter the fetch gives up. */
static void query_leave(struct resolver *resolver, struct query *query)
{
    struct fetch *fetch = query_fetch(resolver, query);
    list_remove(&query->waiters);
    if (list_is_empty(&fetch->waiters)) {
        fetch_retire(fetch);
    }
}

void query_on_deadline(struct resolver *resolver, struct query *query, int64_t now)
{
    struct query_turn turn = query_turn_of(resolver, query, now);
    turn.timeline = &query_fetch(resolver, query)->timeline;
    bool had_patience = query->has_patience;
    if (query_try_stale(&turn)) {
        query_run(&turn);
        return;
    }
    if (had_patience) {
        /* The stale answer was evicted meanwhile: wait on, like anybody else. */
        query->has_patience = false;
        deadlines_set(&resolver->deadlines, &query->deadline, query_due_at(resolver, query));
        return;
    }
    /* The next asker need not wait as long as this one (RFC 9520). A late reply undoes it. */
    query_tally(&turn, &resolver->stats.deadline_passed);
    if (!cache_is_flushed(resolver->cache, &query->key, query_fetch(resolver, query)->mark)) {
        cache_store_failure(resolver->cache, &query->key, EDE_NO_REACHABLE_AUTHORITY, now);
    }
    query_servfail(&turn, EDE_NO_REACHABLE_AUTHORITY, "no upstream server answered in time");
    query_leave(resolver, query);
    query_run(&turn);
}
