/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "doctor/list_use.h"

/* What the files that read Postfix, rspamd and SpamAssassin say of a list that they have seen. */
struct list_seen {
    enum list_use_by by;
    enum list_kind kind; /* If the list is not known. */
    const char *zone;    /* As written there; a final dot does not matter. */
    size_t zone_len;
    const char *file;
    unsigned line;
    const char *word;
    size_t word_len;
    bool has_filter;
    bool warns_only;
    bool is_default;
    int weight;
    size_t instance;
};

/* What is no domain name of at least two labels is passed over. */
void list_uses_add(struct list_uses *uses, const struct list_seen *seen);

/* Takes those out for which `is_out` holds. */
typedef bool list_use_test(const struct list_use *use, const void *context);
void list_uses_remove(struct list_uses *uses, list_use_test *is_out, const void *context);

void list_uses_of_postfix(struct list_uses *uses, const struct postfix *postfix);
void list_uses_of_rspamd(struct list_uses *uses, const struct host *host);
void list_uses_of_spamassassin(struct list_uses *uses, const struct host *host);
