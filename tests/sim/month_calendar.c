/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/month_calendar.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

#define HOURS 24
#define DAYS  7

#define AT(day, hour) ((day)*CALENDAR_DAY_S + (hour)*3600.0)

/* Mail has a morning and an afternoon. */
static const double hour_weights[HOURS] = {0.4, 0.2, 0, 0, 0, 0.2, 0.4, 0.8, 1.8, 2.4, 2.2, 1.9,
    1.4, 1.6, 1.9, 1.8, 1.6, 1.3, 1.0, 0.8, 0.7, 0.6, 0.5, 0.5};
static const double day_weights[DAYS] = {1.7, 1.2, 1.1, 1.1, 1.0, 0.5, 0.4};

static const struct trouble known[] = {
    {AT(1, 9.0), AT(1, 9.05), TROUBLE_DEAD, 3},  /* Three minutes. */
    {AT(2, 10.0), AT(2, 13.0), TROUBLE_DEAD, 3}, /* Three hours of a working day. */
    {AT(3, 6.0), AT(5, 6.0), TROUBLE_DEAD, 2},   /* The second one, two days. */
    {AT(5, 15.0), AT(5, 16.0), TROUBLE_FLOOD, 8},
    {AT(7, 8.0), AT(7, 14.0), TROUBLE_REFUSAL, 0},
    {AT(8, 9.0), AT(8, 17.0), TROUBLE_LOSS, 5},
    {AT(9, 9.0), AT(9, 12.0), TROUBLE_SLOW, 300},
    {AT(10, 11.0), AT(14, 11.0), TROUBLE_MOVE, 0},
    {AT(11, 10.0), AT(11, 18.0), TROUBLE_SLEEP, 0},
    {AT(15, 9.0), AT(15, 15.0), TROUBLE_TRUNCATING, 0},
    {AT(16, 14.5), AT(16, 14.5), TROUBLE_FLUSH, 0},
    {AT(17, 9.0), AT(17, 18.0), TROUBLE_RELOAD, 1},
    {AT(18, 9.0), AT(18, 18.0), TROUBLE_RELOAD, 2},
    {AT(19, 21.0), AT(20, 23.0), TROUBLE_DEAD, 3}, /* Longer than stale_max. */
    {AT(21, 9.0), AT(21, 9.5), TROUBLE_FLOOD, 20},
    {AT(21, 9.1), AT(21, 9.2), TROUBLE_DEAD, 1},
    {AT(22, 9.0), AT(22, 9.3), TROUBLE_DEAD, 3}, /* While a wave of spam comes. */
    {AT(22, 8.9), AT(22, 9.4), TROUBLE_FLOOD, 20},
    {AT(24, 9.0), AT(24, 17.0), TROUBLE_LOSS, 10},
    {AT(24, 20.52), AT(24, 20.53), TROUBLE_DEAD, 3}, /* 2^31 ms after the beginning. */
    {AT(25, 12.0), AT(25, 20.0), TROUBLE_SLEEP, 0},
    {AT(26, 9.0), AT(26, 18.0), TROUBLE_RELOAD, 3},
    {AT(28, 8.0), AT(28, 20.0), TROUBLE_DEAD, 1},
};

void calendar_init(struct calendar *calendar)
{
    memcpy(calendar->troubles, known, sizeof known);
    calendar->known = sizeof known / sizeof known[0];
    calendar->count = calendar->known;
}

void calendar_draw_day(struct calendar *calendar, struct random *random, double day_s)
{
    calendar->count = calendar->known;
    for (unsigned i = 0; i < CALENDAR_SHORTS; i++) {
        struct trouble *trouble = &calendar->troubles[calendar->count++];
        /* From a second to two minutes, in working hours. */
        trouble->begin_s = day_s + 6 * 3600.0 + random_below(random, 16 * 3600);
        trouble->end_s = trouble->begin_s + 1 + random_below(random, 1 + random_below(random, 120));
        trouble->kind = random_below(random, 4) == 0 ? TROUBLE_LOSS : TROUBLE_DEAD;
        trouble->what = trouble->kind == TROUBLE_LOSS ? 20 : 1 + random_below(random, 3);
    }
}

double calendar_next(const struct calendar *calendar, double now_s)
{
    double next = (floor(now_s / 3600) + 1) * 3600; /* The hour has its own rate. */
    for (size_t i = 0; i < calendar->count; i++) {
        const struct trouble *trouble = &calendar->troubles[i];
        if (trouble->begin_s > now_s && trouble->begin_s < next) {
            next = trouble->begin_s;
        }
        if (trouble->end_s > now_s && trouble->end_s < next) {
            next = trouble->end_s;
        }
    }
    return next;
}

double calendar_rate(double now_s)
{
    unsigned day = (unsigned)(now_s / CALENDAR_DAY_S) % DAYS;
    unsigned hour = (unsigned)(now_s / 3600) % HOURS;
    return hour_weights[hour] * day_weights[day];
}
