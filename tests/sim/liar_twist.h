/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "tests/sim/liar_house.h"

/*
 * The lies, as tables: each row is a way to alter a true reply, in so many variants. Those of one
 * reply are counted from it. None of them is chosen for what the resolver does with it.
 */
struct twist {
    const char *name;
    unsigned (*count)(const struct tale *truth, size_t len); /* How many variants. */
    void (*tell)(struct tale *tale, unsigned variant);
    size_t (*garble)(uint8_t *bytes, size_t len, unsigned variant);
};

struct twist_table {
    const char *name;
    const struct twist *rows;
    size_t count;
    bool is_about_others; /* After each of them many other questions are asked, not a few. */
};

/* In how many ways a row alters the true reply to what a story asks, of this server; NULL: of any,
 * where all know the world. */
unsigned twist_variants(const struct twist *twist, const struct house *house,
    const struct story *story, const struct address *server);

extern const struct twist_table twists_header;  /* Header and question. */
extern const struct twist_table twists_records; /* Each field of each record. */
extern const struct twist_table twists_foreign; /* Records of other names, zones and sections. */
extern const struct twist_table twists_chains;  /* Aliases. */
extern const struct twist_table twists_denials; /* SOA, NSEC, rcodes. */
extern const struct twist_table twists_bytes;   /* Cuts, pointers, every bit. */

/* Name servers and their addresses; told where zones are asked directly. */
extern const struct twist_table twists_referrals;

/* An address that nobody in the world has: where it is seen, a lie was believed. */
#define TWIST_EVIL "203.0.113.66"
