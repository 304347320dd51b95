/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "mail/list_answer.h"

/*
 * Asking the lists in use what must be listed and what must not (RFC 5782 section 5): a list whose
 * domain has expired lists the world, and rejects all mail; one that has been emptied, or that an
 * upstream server filters out, lists nothing, and nobody notices. Two questions an hour and list,
 * as work that nobody waits for; a finding is looked at again sooner. The answers come by
 * list_test_note(), with those of all other questions to the list. Embedded in its place.
 */
#define LIST_TEST_FIRST_US (INT64_C(30) * 1000000) /* After the list's first question. */
#define LIST_TEST_EVERY_US (INT64_C(3600) * 1000000)
#define LIST_TEST_AGAIN_US (INT64_C(300) * 1000000) /* After a finding, and after no answer. */

/* Tests in a row without an answer, and the list counts as silent. */
#define LIST_TEST_SILENT_MIN 2

#define LIST_TEST_LABEL_SIZE 12 /* Letters drawn by lot. */

struct cache_key;
struct resolver;

struct list_test {
    bool is_scheduled;
    int64_t next_at;
    bool awaits_listed;
    bool awaits_unlisted;
    bool is_failed;        /* Of this test: a question without an answer. */
    enum list_cause found; /* By this test so far. */
    unsigned failures;     /* Tests in a row. */
    bool is_world;         /* By the last test that was answered. */
    char label[LIST_TEST_LABEL_SIZE + 1];
};

/* The list at this place was asked: it is tested from now on, if it can be. */
void list_test_schedule(struct resolver *resolver, unsigned place, int64_t now);

/* What a question to the list brought; `answer` NULL: nothing. */
void list_test_note(struct resolver *resolver, unsigned place, const struct cache_key *key,
    const struct list_answer *answer, int64_t now);

/* The event: a test is due. */
void list_test_on_deadline(struct resolver *resolver, int64_t now);
