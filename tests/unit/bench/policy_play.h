/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <ctype.h>
#include <string.h>

#include "base/must.h"
#include "tests/bench/policy.h"

/*
 * Plays a policy by letters. Each letter of `asks` is a question, capitals are to lists; what came
 * of it is a character: `+` a hit, `.` added to free room, else the letter that made room.
 */
#define PLAY_SLOTS_MAX 16
#define PLAY_NAMES     128

static inline char play_ask(struct policy *policy, char *held, uint32_t slots, char letter)
{
    const struct policy_item item = {.name = (uint8_t)letter, .is_list = isupper(letter) != 0};
    const char *place = memchr(held, letter, slots);
    if (place != NULL) {
        policy->hit(policy, (uint32_t)(place - held));
        return '+';
    }
    char *idle = memchr(held, '\0', slots);
    uint32_t slot = idle != NULL ? (uint32_t)(idle - held) : policy->victim(policy, &item);
    must(slot < slots);
    char gone = held[slot];
    if (gone != '\0') {
        policy->remove(policy, slot);
    }
    held[slot] = letter;
    policy->add(policy, slot, &item);
    return gone != '\0' ? gone : '.';
}

/* Ends the policy. Spaces among the questions are for the reader, and stand in what came as well.
 */
static inline void play(struct policy *policy, uint32_t slots, const char *asks, char *came_out)
{
    char held[PLAY_SLOTS_MAX] = {0};
    must(policy != NULL && slots <= PLAY_SLOTS_MAX);
    for (; *asks != '\0'; asks++) {
        *came_out++ = *asks == ' ' ? ' ' : play_ask(policy, held, slots, *asks);
    }
    *came_out = '\0';
    policy->free(policy);
}
