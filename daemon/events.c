/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/events.h"

#define EVENT(name, level, sentence)                                                               \
    const struct log_event event_##name = {#name, LOG_LEVEL_##level, sentence};
#include "daemon/events.def"
#undef EVENT
