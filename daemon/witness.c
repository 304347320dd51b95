/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/witness.h"

#include <string.h>
#include <unistd.h>

#include "conf/settings.h"
#include "daemon/dnstap.h"
#include "daemon/events.h"
#include "daemon/query_log.h"
#include "daemon/stats.h"
#include "daemon/trouble.h"

#define HOST_SIZE 256

static bool witnesses_open_dnstap(
    struct witnesses *witnesses, const struct witnesses_options *options)
{
    const struct settings *settings = options->settings;
    char host[HOST_SIZE] = "";
    (void)gethostname(host, sizeof host - 1);
    witnesses->dnstap = dnstap_new(&(struct dnstap_options){
        .path = settings->dnstap,
        .identity = host,
        .version = options->version,
        .worker_count = settings->workers,
    });
    if (witnesses->dnstap != NULL) {
        log_event(&event_dnstap_open, "socket=\"%s\"", settings->dnstap);
    }
    return witnesses->dnstap != NULL;
}

bool witnesses_init(
    struct witnesses *witnesses, const struct witnesses_options *options, struct trouble *trouble)
{
    const struct settings *settings = options->settings;
    bool is_made = true;
    if (settings->query_log[0] != '\0') {
        witnesses->query_log = query_log_new(&(struct query_log_options){
            .path = settings->query_log,
            .shows_names = settings->query_log_names,
            .worker_count = settings->workers,
            .stats = options->stats,
        });
        is_made = witnesses->query_log != NULL;
    }
    if (is_made && settings->dnstap[0] != '\0') {
        is_made = witnesses_open_dnstap(witnesses, options);
    }
    if (!is_made) {
        trouble_set_memory(trouble);
    }
    return is_made;
}

void witnesses_fini(struct witnesses *witnesses)
{
    query_log_free(&witnesses->query_log);
    dnstap_free(&witnesses->dnstap);
}

void witnesses_reopen(struct witnesses *witnesses)
{
    if (witnesses->query_log != NULL) {
        query_log_reopen(witnesses->query_log);
    }
}

static void witness_tap_query(struct witness *witness, const struct dnstap_query *query)
{
    if (!dnstap_note_query(witness->all->dnstap, witness->index, query)) {
        counter_add(&witness->stats->dnstap_dropped, 1);
    }
}

static void witness_on_parked(
    void *world, const struct client *client, const uint8_t *bytes, size_t len, int64_t now)
{
    struct witness *witness = world;
    const struct dnstap_query query = {
        .client = client, .asked_at = now, .bytes = bytes, .len = len};
    if (witness->all->dnstap != NULL) {
        witness_tap_query(witness, &query);
    }
}

static void witness_tap(struct witness *witness, const struct observed *observed)
{
    const struct dnstap_query query = {
        .client = observed->client,
        .asked_at = observed->asked_at,
        .bytes = observed->query,
        .len = observed->query_len,
    };
    if (query.bytes != NULL) {
        witness_tap_query(witness, &query);
    }
    if (!dnstap_note_answer(witness->all->dnstap, witness->index, observed)) {
        counter_add(&witness->stats->dnstap_dropped, 1);
    }
}

static void witness_on_answered(void *world, const struct observed *observed)
{
    struct witness *witness = world;
    const struct witnesses *all = witness->all;
    if (all->query_log != NULL && !query_log_note(all->query_log, witness->index, observed)) {
        counter_add(&witness->stats->query_log_dropped, 1);
    }
    if (all->dnstap != NULL) {
        witness_tap(witness, observed);
    }
}

static void witness_on_settled(void *world, int64_t waited_us)
{
    struct witness *witness = world;
    if (witness->all->query_log != NULL) {
        query_log_settle(witness->all->query_log, witness->index, waited_us);
    }
}

const struct observer *witness_init(
    struct witness *witness, const struct witnesses *all, size_t index, struct daemon_stats *stats)
{
    *witness = (struct witness){
        .observer =
            {
                .world = witness,
                .parked = witness_on_parked,
                .answered = witness_on_answered,
                .settled = witness_on_settled,
            },
        .all = all,
        .index = index,
        .stats = stats,
    };
    bool is_wanted = all != NULL && (all->query_log != NULL || all->dnstap != NULL);
    return is_wanted ? &witness->observer : NULL;
}
