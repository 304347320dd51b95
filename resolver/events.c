/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/events.h"

#define EVENT(name, level, sentence)                                                               \
    const struct log_event event_##name = {#name, LOG_LEVEL_##level, sentence};
#include "resolver/events.def"
#undef EVENT
