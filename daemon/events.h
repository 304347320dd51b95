/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/log.h"

/* The rows of daemon/events.def, for log_event(): event_started and so on. */
#define EVENT(name, level, sentence) extern const struct log_event event_##name;
#include "daemon/events.def"
#undef EVENT
