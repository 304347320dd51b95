/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/sim/liar_house.h"

/*
 * What a reply is worth to who asked, before anybody looks at what follows from it.
 */
enum belief {
    BELIEF_NONE,   /* It is no reply to what was asked. */
    BELIEF_BROKEN, /* It is, but nothing of it may be believed. */
    BELIEF_MAY,
};

/* Of what a server has said; it is read into `reply_out`. */
enum belief belief_of(struct tale *reply_out, const struct house_source *source);
