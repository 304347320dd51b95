/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message;

/*
 * The reply to any question, made up out of its name and type, so that every resolver under
 * measurement finds the same world and nothing has to be stored: MX, SPF, DKIM and DMARC records,
 * addresses, PTR, listed or not. TTLs as mail software meets them: lists 60 to 300 s, MX and TXT 5
 * min to 1 h, addresses 1 min to 1 h, PTR 1 h to 1 d. No reply needs more than 512 bytes. Pure.
 */
#define SYNTH_SIZE_MAX 512

/* What a measurement bends. TTLs below the least or above the largest become it: for what shall not
 * expire while it is measured, or has expired when it is. */
struct synth_world {
    uint32_t ttl_min;
    uint32_t ttl_max;
    bool lists_nothing; /* All DNS lists say NXDOMAIN. */
    bool lists_refuse;  /* They say that they do not talk to this client. */
};

/* Returns the length; 0: `query` gets no reply. */
size_t synth_reply(const struct message *query, const struct synth_world *world,
    uint8_t bytes_out[SYNTH_SIZE_MAX]);
