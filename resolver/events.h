/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/log.h"

/* The rows of resolver/events.def, for log_event(): event_list_refuses and so on. */
#define EVENT(name, level, sentence) extern const struct log_event event_##name;
#include "resolver/events.def"
#undef EVENT
