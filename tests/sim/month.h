/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "resolver/stats.h"
#include "tests/sim/month_calendar.h"
#include "tests/sim/month_mail.h"
#include "tests/sim/month_net.h"

/*
 * The simulated month: one resolver with its cache, the network and the clients around it, and the
 * clock that moves them. month_weather.c makes the calendar's troubles come true, month_checks.c
 * knows what must hold; a broken promise ends the program with a sentence.
 */
#define MONTH_CACHE_BYTES (UINT64_C(4) << 20)

/* All counters begin here, so that 32 bits end soon. */
#define MONTH_COUNTERS_FROM (UINT64_C(0xffffffff) - 3000)

/* Settings, by number. */
#define MONTH_CONF_USUAL 0
#define MONTH_CONF_MOVED 4

struct cache;
struct resolver;
struct settings;

struct month {
    struct net net;
    struct mail mail;
    struct calendar calendar;
    struct random random;
    struct settings *settings;
    struct cache *cache;
    struct resolver *resolver;
    struct resolver_stats before; /* As they stood in the last hour. */
    int64_t started_at;
    double sessions_a_day;
    double alone_s; /* Of single servers that were dead while others were not. */
    double all_s;   /* Of all of them. */
    uint64_t outages;
    uint64_t lossy_asked; /* Questions in lossy weather. */
    uint64_t night_refreshes_max;
    uint64_t night_sent_max;
    uint64_t entries_max;
    unsigned conf;
    uint64_t settled_kb;         /* Allocated, after the first week. */
    bool was_done[CALENDAR_MAX]; /* What happens once, of the known troubles. */
    bool is_verbose;
};

/* Seconds since the beginning, and the clock's time of such a second. */
double month_now_s(const struct month *month);
int64_t month_at_s(const struct month *month, double seconds);

void month_reload(struct month *month, unsigned conf);

/* Lets time pass, with all that happens in it. */
void month_pass(struct month *month, int64_t end);

/* From now to `next_s` everything stays as it is set here. */
void month_weather_set(struct month *month, double next_s);

/* What happens once, and is due. */
void month_moments_run(struct month *month);

uint64_t month_heap_kb(void);

/* Each hour; at the end of each day, of which `day` have passed; when nobody has asked for a while;
 * and at the end. */
void month_check_hour(struct month *month);
void month_check_memory(struct month *month, unsigned day);
void month_check_quiet(struct month *month);
void month_check_losses(const struct month *month);

/* What a counter of the resolver has counted. */
uint64_t month_grown(const struct counter *counter);
