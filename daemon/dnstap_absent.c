/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/dnstap.h"

/* In place of dnstap.c where libfstrm is not there. The checker turns the setting away. */
bool dnstap_is_built_in(void)
{
    return false;
}

struct dnstap *dnstap_new(const struct dnstap_options *options)
{
    (void)options;
    return NULL;
}

void dnstap_free(struct dnstap **dnstap)
{
    (void)dnstap;
}

bool dnstap_note_query(struct dnstap *dnstap, size_t index, const struct dnstap_query *query)
{
    (void)dnstap;
    (void)index;
    (void)query;
    return false;
}

bool dnstap_note_answer(struct dnstap *dnstap, size_t index, const struct observed *observed)
{
    (void)dnstap;
    (void)index;
    (void)observed;
    return false;
}
