/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/list_zone.h"
#include "wire/name.h"

/*
 * The DNS lists that this host's mail software is configured to ask: those of Postfix (restrictions
 * and postscreen, of all instances), of rspamd and of SpamAssassin, where these are installed, with
 * the place where each is written. One entry for each list and program: of several mentions the
 * first counts, but one without a filter counts before others. Keys are in `name` only and never
 * shown. Bounded: LIST_USES_MAX entries. Owned by the facts. Main thread.
 */
struct host;
struct postfix;

#define LIST_USES_MAX       512
#define LIST_USE_SHOWN_SIZE 280
#define LIST_USE_PLACE_SIZE 200
#define LIST_USE_WORD_SIZE  64

enum list_use_by {
    LIST_USE_REJECT,        /* reject_rbl_client: an address. */
    LIST_USE_REJECT_DOMAIN, /* reject_rhsbl_...: a name. */
    LIST_USE_PERMIT,        /* permit_dnswl_client. */
    LIST_USE_PERMIT_DOMAIN, /* permit_rhswl_client. */
    LIST_USE_POSTSCREEN,    /* postscreen_dnsbl_sites. */
    LIST_USE_RSPAMD,
    LIST_USE_SPAMASSASSIN,
};

struct list_use {
    enum list_use_by by;
    uint8_t name[NAME_SIZE_MAX]; /* Of the zone as it is asked, key included; lower case. */
    size_t name_len;
    const struct list_zone *known; /* The row of lists.def; NULL: nothing is known of it. */
    enum list_kind kind;
    bool has_key;
    bool has_filter;                 /* Of Postfix: zone=127.0.0.[2..11]. */
    bool warns_only;                 /* Of Postfix: behind warn_if_reject. */
    bool is_default;                 /* The program came with it; nobody here has asked for it. */
    int weight;                      /* Of postscreen; negative: an allow list. */
    size_t instance;                 /* Of Postfix: which of facts.postfix.instances. */
    char shown[LIST_USE_SHOWN_SIZE]; /* The zone for people: without its key. */
    char place[LIST_USE_PLACE_SIZE]; /* "/etc/postfix/main.cf:12". */
    char word[LIST_USE_WORD_SIZE];   /* reject_rbl_client; the block or rule of a filter. */
};

struct list_uses {
    struct list_use *uses; /* Owned. */
    size_t count;
    size_t dropped; /* More than fit. */
};

void list_uses_gather(
    struct list_uses *uses, const struct host *host, const struct postfix *postfix);
void list_uses_fini(struct list_uses *uses);

/* Asked by Postfix itself, so that an answer rejects or admits mail with nothing in between. */
bool list_use_is_postfix(const struct list_use *use);

/* An answer of that list speaks for the client. */
bool list_use_is_allow(const struct list_use *use);

/* The same zone, key included. */
bool list_use_is_same(const struct list_use *a, const struct list_use *b);
