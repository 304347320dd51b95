/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/doctor_daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/must.h"
#include "daemon/stats_view.h"
#include "daemon/trouble.h"
#include "cmd/client.h"
#include "cmd/stats_read.h"
#include "doctor/doctor.h"

#define DEFAULT_SOCKET "/run/mxcache/control.sock"
#define COMMAND        "stats since 600"

static enum doctor_daemon_health health_of(enum stats_health health)
{
    switch (health) {
    case STATS_HEALTH_IDLE:
    case STATS_HEALTH_WELL:
        return DOCTOR_DAEMON_WELL;
    case STATS_HEALTH_LIMPING:
        return DOCTOR_DAEMON_LIMPING;
    case STATS_HEALTH_FAILING:
        return DOCTOR_DAEMON_FAILING;
    case STATS_HEALTH_CUT_OFF:
        return DOCTOR_DAEMON_CUT_OFF;
    }
    must_never("a health of stats_view.h");
}

static uint64_t longest_p99(const struct stats_view *view)
{
    uint64_t longest = 0;
    for (unsigned i = 0; i < QUESTION_CLASSES; i++) {
        struct histogram_sum sum;
        stats_view_sum_class(view, (enum question_class)i, &sum);
        uint64_t p99 = histogram_quantile(&sum, 990);
        if (p99 > longest) {
            longest = p99;
        }
    }
    return longest;
}

static void take_view(const struct stats_view *view, struct doctor_daemon *daemon)
{
    struct histogram_sum failed;
    stats_view_sum_outcome(view, OUTCOME_FAILED, &failed);
    daemon->state = DOCTOR_DAEMON_RUNNING;
    daemon->health = health_of(stats_view_health(view));
    daemon->covers_s = view->covers_s;
    daemon->questions = stats_view_count(view);
    daemon->failed = failed.count;
    daemon->p99_us = longest_p99(view);
    daemon->servers = view->upstream_count;
    for (size_t i = 0; i < view->upstream_count; i++) {
        daemon->resting += stats_upstream_is_resting(&view->upstreams[i]);
    }
}

/* Without what comes behind the reason: it is advice for other commands. */
static void take_trouble(struct doctor_daemon *daemon, int exit_code, const char *sentence)
{
    const char *end = strstr(sentence, ". ");
    int len = (int)(end != NULL ? (size_t)(end - sentence) : strlen(sentence));
    daemon->state = exit_code == EX_UNAVAILABLE ? DOCTOR_DAEMON_ABSENT : DOCTOR_DAEMON_DENIED;
    (void)snprintf(daemon->sentence, sizeof daemon->sentence, "%.*s.", len, sentence);
}

void doctor_daemon_ask(const struct settings *settings, struct doctor_daemon *daemon_out)
{
    struct reply reply;
    struct trouble trouble;
    struct stats_view *view = malloc(sizeof *view);
    *daemon_out = (struct doctor_daemon){.state = DOCTOR_DAEMON_ABSENT};
    if (view == NULL) {
        take_trouble(daemon_out, EX_OSERR, "out of memory");
        return;
    }
    bool is_asked = client_ask(
        settings != NULL ? settings->control_socket : DEFAULT_SOCKET, COMMAND, &reply, &trouble);
    if (!is_asked) {
        take_trouble(daemon_out, trouble.exit_code, trouble.sentence);
    } else if (reply.is_refused || !stats_read(&reply, view)) {
        take_trouble(
            daemon_out, EX_PROTOCOL, "it runs, but is of another version than this program");
    } else {
        take_view(view, daemon_out);
    }
    reply_fini(&reply);
    free(view);
}
