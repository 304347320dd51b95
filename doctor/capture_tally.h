/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "doctor/capture_judge.h"

/*
 * All conversations of a capture, judged: similar troubles are counted together, and of each kind
 * the worst conversation is kept for being told. Bounded: CAPTURE_GROUPS_MAX kinds. Pure.
 */
#define CAPTURE_GROUPS_MAX   24
#define CAPTURE_CULPRITS_MAX 8

struct capture_group {
    struct capture_case worst;
    uint64_t count;
    struct address peers[CAPTURE_SIDES]; /* Of the worst, as what follows. */
    enum capture_side home;
    uint16_t mss[CAPTURE_SIDES];
    int64_t begin_us;
    uint32_t syn_count;
    char reply[CAPTURE_LINE_TEXT_SIZE * 2];
    struct capture_ladder ladder;
    struct address culprits[CAPTURE_CULPRITS_MAX]; /* Different ones, without ports. */
    size_t culprit_count;
};

struct capture_tally {
    struct capture_group groups[CAPTURE_GROUPS_MAX]; /* After capture_tally_sort(): worst first. */
    size_t group_count;
    uint64_t dropped; /* Troubles of yet other kinds. */
    uint64_t troubled;
    uint64_t well;
    uint64_t one_sided; /* Of which the capture has one direction. */
    uint64_t encrypted;
    uint64_t mails;
    int64_t longest_us; /* Wait of those that were well. */
};

/* A capture_flow_done. */
void capture_tally_take(void *tally, const struct capture_flow *flow);
void capture_tally_sort(struct capture_tally *tally);
