/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"
#include "mail/list_answer.h"

/*
 * Lists that nobody knows by name, found by how they are asked and how they answer: many different
 * reversed addresses before one zone, each answered by NXDOMAIN or in 127/8, and 127/8 at least
 * once. Hosts that are named like 4.3.2.1.dynamic.isp.example have addresses of their own, or
 * none at all: one answer elsewhere, and the zone is no list for as long as it is remembered.
 * A fixed number of candidates; the one that was longest not asked makes room. Embedded in lists.
 */
#define LIST_LEARN_CANDIDATES 32
#define LIST_LEARN_SUBJECTS   8 /* Different ones that it takes, counted by a hash of 6 bits. */

struct list_learn_candidate {
    uint8_t name[NAME_SIZE_MAX];
    uint8_t name_len; /* 0: free. */
    bool has_listed;
    bool is_no_list;
    uint64_t subjects; /* A bit for each hash seen. */
    int64_t seen_at;
};

struct list_learn {
    struct list_learn_candidate candidates[LIST_LEARN_CANDIDATES];
};

/* A question of that shape that was answered. */
struct list_learn_case {
    const uint8_t *name; /* The whole, in lower case. */
    size_t len;
    size_t zone_at;
    enum list_verdict verdict;
};

/* True: the zone has turned out to be a list, and is forgotten here. */
bool list_learn_note(struct list_learn *learn, const struct list_learn_case *seen, int64_t now);
