/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random;

/*
 * What happens in the simulated month: a day's pattern of mail, troubles with a name in the first
 * days and weeks, and short ones by lot every day. Times are seconds since the beginning, which is
 * a Monday at midnight. Pure.
 */
enum trouble_kind {
    TROUBLE_DEAD,       /* The servers of the mask `what` are silent. */
    TROUBLE_LOSS,       /* So many per cent. */
    TROUBLE_SLOW,       /* A median of so many milliseconds. */
    TROUBLE_TRUNCATING, /* All UDP replies. */
    TROUBLE_REFUSAL,    /* By the lists. */
    TROUBLE_FLOOD,      /* So many new names a second: a wave of spam. */
    TROUBLE_MOVE,   /* Server 2 is gone and server 3 there; the settings follow an hour later. */
    TROUBLE_SLEEP,  /* The host's. */
    TROUBLE_RELOAD, /* With the settings of that number; at the end, with the usual ones. */
    TROUBLE_FLUSH,  /* Once, at the beginning. */
};

struct trouble {
    double begin_s;
    double end_s;
    enum trouble_kind kind;
    unsigned what;
};

#define CALENDAR_MAX    64 /* Troubles of the known kind, and a day's. */
#define CALENDAR_SHORTS 4

struct calendar {
    struct trouble troubles[CALENDAR_MAX];
    size_t count;
    size_t known; /* The rest is the day's. */
};

void calendar_init(struct calendar *calendar);

/* Draws the short troubles of the day that begins at `day_s`. */
void calendar_draw_day(struct calendar *calendar, struct random *random, double day_s);

/* When something begins or ends after `now_s`. */
double calendar_next(const struct calendar *calendar, double now_s);

/* The share of a mean day's mail, per hour, at that time: 1 is the mean. */
double calendar_rate(double now_s);

/* Nobody sends between 2 and 5 at night. */
#define CALENDAR_NIGHT_S   (2 * 3600.0)
#define CALENDAR_MORNING_S (5 * 3600.0)
#define CALENDAR_DAY_S     86400.0
