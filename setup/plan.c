/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/settings.h"
#include "doctor/host.h"
#include "setup/failure.h"
#include "setup/plan_private.h"

#define NOTE_SIZE 1024
#define SYSTEMCTL "/usr/bin/systemctl"
#define SERVICE   "/usr/sbin/service"
#define SYSTEMD   "/run/systemd/system"

static struct step *step_add(struct plan *plan, enum step_kind kind, const char *why)
{
    if (plan->step_count == PLAN_STEPS_MAX) {
        return NULL;
    }
    struct step *step = &plan->steps[plan->step_count++];
    *step = (struct step){.kind = kind, .why = strdup(why)};
    return step->why != NULL ? step : NULL;
}

bool plan_add_write(struct plan *plan, const struct host *host, const char *path, const char *bytes,
    const char *why)
{
    struct path_state was;
    struct path_state set;
    if (!path_state_read(host, path, &was)) {
        plan_note(plan, "%s is left alone: it cannot be read (%s).", path, strerror(errno));
        return true;
    }
    if (!path_state_make(&set, bytes, strlen(bytes))) {
        path_state_fini(&was);
        return false;
    }
    if (was.kind == PATH_FILE) {
        set.mode = was.mode;
        set.uid = was.uid;
        set.gid = was.gid;
    }
    bool is_same = path_state_equal(&was, &set);
    path_state_fini(&was);
    struct step *step = is_same ? NULL : step_add(plan, STEP_WRITE, why);
    if (step == NULL) {
        path_state_fini(&set);
        return is_same;
    }
    step->set = set;
    step->makes_folder = true;
    step->path = strdup(path);
    return step->path != NULL;
}

bool plan_add_run(struct plan *plan, const char *why, bool is_vital, const char *const *words)
{
    struct step *step = step_add(plan, STEP_RUN, why);
    if (step == NULL) {
        return false;
    }
    step->is_vital = is_vital;
    for (size_t i = 0; i < PLAN_WORDS_MAX && words[i] != NULL; i++) {
        step->words[i] = strdup(words[i]);
        if (step->words[i] == NULL) {
            return false;
        }
    }
    return true;
}

void plan_note(struct plan *plan, const char *format, ...)
{
    char note[NOTE_SIZE];
    va_list arguments;
    if (plan->note_count == PLAN_NOTES_MAX) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    plan->notes[plan->note_count] = strdup(note);
    plan->note_count += plan->notes[plan->note_count] != NULL;
}

static bool has_systemd(const struct plan_case *facts)
{
    struct stat stat;
    return host_stat(facts->host, SYSTEMD, true, &stat) == HOST_READ;
}

bool plan_add_service(struct plan *plan, const struct plan_case *facts, const char *why,
    const char *verb, const char *unit)
{
    const char *const systemd[] = {SYSTEMCTL, verb, unit, NULL};
    const char *const other[] = {SERVICE, unit, verb, NULL};
    return plan_add_run(plan, why, false, has_systemd(facts) ? systemd : other);
}

/* Of addresses that libc can be told, which asks port 53 only; 0: not this one. */
static unsigned self_rank(const struct address *listen)
{
    if (listen->port != 53 || address_is_any(listen)) {
        return 0;
    }
    /* Some programs' own resolvers know IPv4 only. */
    return 1 + (listen->family == ADDRESS_IPV4 ? 1u : 0) + (address_is_loopback(listen) ? 2u : 0);
}

static bool find_self(struct plan *plan, const struct settings *settings)
{
    unsigned best = 0;
    for (size_t i = 0; i < settings->listen_count; i++) {
        unsigned rank = self_rank(&settings->listen[i]);
        if (rank > best) {
            plan->self = settings->listen[i];
            best = rank;
        }
    }
    return best > 0;
}

/* With the new configuration, and before anybody is sent to it. */
static bool plan_start(struct plan *plan, const struct plan_case *facts)
{
    static const char *const enable[] = {SYSTEMCTL, "enable", "mxcache.service", NULL};
    static const char *const restart[] = {SYSTEMCTL, "restart", "mxcache.service", NULL};
    bool is_planned = true;
    if (has_systemd(facts)) {
        is_planned = plan_add_run(plan, "so that mxcache runs after a boot", true, enable) &&
                     plan_add_run(plan, "so that mxcache runs with these settings", true, restart);
    } else {
        plan_note(plan, "There is no systemd here: start mxcache by your service manager, before "
                        "and after this.");
    }
    return is_planned && step_add(plan, STEP_AWAIT, "before anybody is sent to it") != NULL;
}

/* Which steps of a plan change what the host's programs see? */
static bool has_writes(const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].kind == STEP_WRITE) {
            return true;
        }
    }
    return false;
}

static void drop_steps(struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        struct step *step = &plan->steps[i];
        free(step->why);
        free(step->path);
        path_state_fini(&step->set);
        for (size_t j = 0; j < PLAN_WORDS_MAX; j++) {
            free(step->words[j]);
        }
    }
    plan->step_count = 0;
}

bool plan_make(struct plan *plan, const struct plan_case *facts, struct failure *failure_out)
{
    if (!find_self(plan, facts->settings)) {
        return failure_set(failure_out,
            "mxcache does not listen on port 53 of an address that can be written into "
            "resolv.conf. Set `listen = 127.0.0.1 ::1` in %s.",
            facts->conf_path);
    }
    if (!plan_upstreams(plan, facts, failure_out)) {
        return false;
    }
    if (!plan_start(plan, facts)) {
        return failure_set(failure_out, "Out of memory.");
    }
    if (!plan_resolv_conf(plan, facts, failure_out)) {
        return false;
    }
    if (!plan->leaves_resolv_conf) {
        plan_chroots(plan, facts);
        plan_services(plan, facts);
    }
    if (plan->step_count == PLAN_STEPS_MAX) {
        return failure_set(
            failure_out, "This takes more than %d steps; please report it.", PLAN_STEPS_MAX);
    }
    if (!has_writes(plan)) {
        drop_steps(plan);
    }
    return true;
}

void plan_fini(struct plan *plan)
{
    drop_steps(plan);
    for (size_t i = 0; i < plan->note_count; i++) {
        free(plan->notes[i]);
    }
    plan->note_count = 0;
}
