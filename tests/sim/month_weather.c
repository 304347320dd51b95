/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cache/cache.h"
#include "tests/sim/month.h"

#define RECOVERY_S    15.0  /* Until no question is left that began in trouble, nor its failure. */
#define STALE_AFTER_S 60.0  /* A failed refresh is not tried again for 30 s. */
#define REFUSAL_S     310.0 /* resolver/refusal.h. */
#define MOVE_NOTICED  3600.0

static void trouble_sleep(struct month *month, const struct trouble *trouble)
{
    struct mail *mail = &month->mail;
    int64_t end = month_at_s(month, trouble->end_s);
    int64_t duration_us = end - month->net.now;
    mail_set_rates(mail, 0, 0);
    net_sleep(&month->net, end);
    mail_sleep(mail, duration_us);
    month->net.now = end;
}

/* Those that happen at one moment. */
static void trouble_begin(struct month *month, const struct trouble *trouble)
{
    if (trouble->kind == TROUBLE_SLEEP) {
        trouble_sleep(month, trouble);
    } else if (trouble->kind == TROUBLE_RELOAD) {
        month_reload(month, trouble->what);
    } else if (trouble->kind == TROUBLE_FLUSH) {
        (void)cache_flush_all(month->cache);
    }
}

/* The settings that should be in force, but for reloads of the calendar's. */
static void move_follow(struct month *month, const struct trouble *trouble, double now)
{
    bool is_known = now >= trouble->begin_s + MOVE_NOTICED && now < trouble->end_s + MOVE_NOTICED;
    unsigned conf = is_known ? MONTH_CONF_MOVED : MONTH_CONF_USUAL;
    if (month->conf != conf && (month->conf == MONTH_CONF_MOVED || conf == MONTH_CONF_MOVED)) {
        month_reload(month, conf);
    }
}

static void trouble_apply(struct month *month, const struct trouble *trouble, double *flood)
{
    struct net *net = &month->net;
    switch (trouble->kind) {
    case TROUBLE_DEAD:
        net->is_dead[0] = net->is_dead[0] || (trouble->what & 1) != 0;
        net->is_dead[1] = net->is_dead[1] || (trouble->what & 2) != 0;
        break;
    case TROUBLE_LOSS:
        net->loss_percent = trouble->what;
        break;
    case TROUBLE_SLOW:
        net->delay_median_us = (double)trouble->what * (double)CLOCK_US_PER_MS;
        net->delay_max_us = 4 * net->delay_median_us;
        break;
    case TROUBLE_TRUNCATING:
        net->truncates = true;
        break;
    case TROUBLE_REFUSAL:
        net->world.lists_refuse = true;
        break;
    case TROUBLE_FLOOD:
        *flood += trouble->what;
        break;
    case TROUBLE_MOVE:
        net->is_dead[1] = true;
        net->is_dead[2] = false;
        break;
    case TROUBLE_SLEEP:
    case TROUBLE_RELOAD:
    case TROUBLE_FLUSH:
        break;
    }
}

static bool all_are_dead(const struct month *month)
{
    size_t second = month->conf == MONTH_CONF_MOVED ? 2 : 1;
    return month->net.is_dead[0] && month->net.is_dead[second];
}

/* What the weather until `next_s` will explain. */
static void excuses_set(struct month *month, double next_s, bool is_troubled)
{
    struct mail_excuses *excuses = &month->mail.excuses;
    if (all_are_dead(month)) {
        excuses->failures_until = month_at_s(month, next_s + RECOVERY_S);
        month->all_s += next_s - month_now_s(month);
    } else if (month->net.is_dead[0] || month->net.is_dead[1]) {
        month->alone_s += next_s - month_now_s(month);
    }
    if (month->net.world.lists_refuse) {
        excuses->lists_until = month_at_s(month, next_s + REFUSAL_S);
    }
    if (month->net.loss_percent > 0) {
        excuses->lossy_until = month_at_s(month, next_s + RECOVERY_S);
    }
    if (is_troubled) {
        excuses->stale_until = month_at_s(month, next_s + STALE_AFTER_S);
    }
}

/* From now to `next_s` everything stays as it is set here. */
void month_weather_set(struct month *month, double next_s)
{
    double now = month_now_s(month);
    double flood = 0;
    bool is_troubled = false;
    net_calm(&month->net);
    month->net.is_dead[0] = month->net.is_dead[1] = false;
    month->net.is_dead[2] = true;
    for (size_t i = 0; i < month->calendar.count; i++) {
        const struct trouble *trouble = &month->calendar.troubles[i];
        bool is_on = now >= trouble->begin_s && now < trouble->end_s;
        if (trouble->kind == TROUBLE_MOVE) {
            move_follow(month, trouble, now);
        }
        if (is_on) {
            trouble_apply(month, trouble, &flood);
        }
        is_troubled = is_troubled || is_on;
    }
    month->outages += is_troubled ? 1 : 0;
    excuses_set(month, next_s, is_troubled);
    mail_set_rates(
        &month->mail, month->sessions_a_day / CALENDAR_DAY_S * calendar_rate(now), flood);
}

/* Moments of the calendar that have come. */
void month_moments_run(struct month *month)
{
    for (size_t i = 0; i < month->calendar.known; i++) {
        const struct trouble *trouble = &month->calendar.troubles[i];
        if (!month->was_done[i] && month_now_s(month) >= trouble->begin_s) {
            month->was_done[i] = true;
            trouble_begin(month, trouble);
        }
        if (trouble->kind == TROUBLE_RELOAD && month->conf == trouble->what &&
            month_now_s(month) >= trouble->end_s) {
            month_reload(month, MONTH_CONF_USUAL);
        }
    }
}
