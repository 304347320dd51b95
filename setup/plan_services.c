/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "doctor/config_lines.h"
#include "doctor/facts.h"
#include "doctor/host.h"
#include "setup/plan.h"
#include "setup/plan_private.h"

#define OPENDKIM_CONF "/etc/opendkim.conf"
#define PATH_SIZE     (HOST_PATH_SIZE + 32)
#define PID_FILE_MAX  64

struct service {
    const char *process;
    const char *unit;
    const char *verb;
};

static const struct service services[] = {
#define SERVICE(process_name, unit_name, verb_word) {process_name, unit_name, verb_word},
#include "setup/services.def"
#undef SERVICE
};

static bool instance_is_chrooted(const struct postfix_instance *instance)
{
    for (size_t i = 0; i < instance->service_count; i++) {
        if (instance->services[i].is_chrooted) {
            return true;
        }
    }
    return false;
}

/* Whether the process behind the instance's own pid file is a master; without that file any master
 * will do. */
static bool instance_runs(const struct plan_case *facts, const struct postfix_instance *instance)
{
    const struct processes *processes = &facts->facts->processes;
    char path[PATH_SIZE];
    struct host_file file;
    uint64_t pid = 0;
    (void)snprintf(path, sizeof path, "%s/pid/master.pid", instance->queue_directory);
    if (host_read(facts->host, path, PID_FILE_MAX, &file) != HOST_READ) {
        return processes_find(processes, "master") != NULL;
    }
    const char *start = file.bytes + strspn(file.bytes, " \t\n");
    bool is_pid = text_parse_u64(start, strcspn(start, " \t\n"), INT32_MAX, &pid);
    host_file_fini(&file);
    const struct process *process = is_pid ? processes_find_pid(processes, (int)pid) : NULL;
    return process != NULL && strcmp(process->name, "master") == 0;
}

static void reload_postfix(
    struct plan *plan, const struct plan_case *facts, const struct postfix_instance *instance)
{
    char folder[HOST_PATH_SIZE];
    char program[PATH_SIZE];
    (void)postfix_value(instance, NULL, "command_directory", folder, sizeof folder);
    (void)snprintf(program, sizeof program, "%s/postfix", folder);
    const char *const words[] = {program, "-c", instance->config_directory, "reload", NULL};
    if (instance_runs(facts, instance)) {
        (void)plan_add_run(
            plan, "so that Postfix's processes read the new resolv.conf", false, words);
    }
}

/* What the chrooted processes see in place of /etc/resolv.conf. */
void plan_chroots(struct plan *plan, const struct plan_case *facts)
{
    const struct postfix *postfix = &facts->facts->postfix;
    char *bytes = plan_resolv_conf_bytes(plan, facts);
    for (size_t i = 0; i < postfix->instance_count && bytes != NULL; i++) {
        const struct postfix_instance *instance = &postfix->instances[i];
        char path[PATH_SIZE];
        struct stat stat;
        size_t before = plan->step_count;
        (void)snprintf(path, sizeof path, "%s/etc/resolv.conf", instance->queue_directory);
        if (instance_is_chrooted(instance) && instance->queue_directory[0] == '/' &&
            host_stat(facts->host, instance->queue_directory, true, &stat) == HOST_READ) {
            (void)plan_add_write(
                plan, facts->host, path, bytes, "so that Postfix's chrooted processes ask mxcache");
        }
        if (plan->step_count > before) {
            reload_postfix(plan, facts, instance);
        }
    }
    free(bytes);
}

/* OpenDKIM never reads resolv.conf: without this line it asks the root servers. */
static void plan_opendkim(struct plan *plan, const struct plan_case *facts)
{
    static const struct config_place place = {OPENDKIM_CONF, NULL, " ", NULL};
    struct config_found found;
    struct path_state was;
    char address[ADDRESS_TEXT_SIZE];
    (void)address_format_host(&plan->self, address, sizeof address);
    if (config_value(facts->host, &place, 1, "Nameservers", &found)) {
        if (strstr(found.value, address) == NULL) {
            plan_note(plan,
                "%s line %u names other servers: `Nameservers %s`. Change it to %s if "
                "OpenDKIM is to use mxcache.",
                found.path, found.line, found.value, address);
        }
        return;
    }
    if (!path_state_read(facts->host, OPENDKIM_CONF, &was) || was.kind != PATH_FILE) {
        path_state_fini(&was);
        return;
    }
    size_t size = was.len + sizeof address + 64;
    size_t before = plan->step_count;
    char *bytes = malloc(size);
    if (bytes != NULL) {
        (void)snprintf(bytes, size, "%s%sNameservers %s\n", was.bytes,
            was.len > 0 && was.bytes[was.len - 1] != '\n' ? "\n" : "", address);
        (void)plan_add_write(plan, facts->host, OPENDKIM_CONF, bytes,
            "so that OpenDKIM asks mxcache and not the root servers");
    }
    if (plan->step_count > before && processes_find(&facts->facts->processes, "opendkim") != NULL) {
        (void)plan_add_service(
            plan, facts, "so that OpenDKIM reads its configuration", "restart", "opendkim");
    }
    free(bytes);
    path_state_fini(&was);
}

static bool unit_is_there(const struct plan_case *facts, const char *unit)
{
    static const char *const folders[] = {
        "/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system", "/etc/init.d"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[PATH_SIZE];
        struct stat stat;
        bool is_script = strcmp(folders[i], "/etc/init.d") == 0;
        (void)snprintf(path, sizeof path, "%s/%s%s", folders[i], unit, is_script ? "" : ".service");
        if (host_stat(facts->host, path, true, &stat) == HOST_READ) {
            return true;
        }
    }
    return false;
}

/* Of the units that the process may be, those that this host has; a name differs by release. */
static size_t restart_process(struct plan *plan, const struct plan_case *facts, const char *process)
{
    size_t planned = 0;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        char why[128];
        if (strcmp(services[i].process, process) == 0 && unit_is_there(facts, services[i].unit)) {
            (void)snprintf(why, sizeof why, "so that %s reads the new resolv.conf", process);
            planned += plan_add_service(plan, facts, why, services[i].verb, services[i].unit);
        }
    }
    return planned;
}

static void restart_services(struct plan *plan, const struct plan_case *facts)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        const char *process = services[i].process;
        bool is_done = i > 0 && strcmp(services[i - 1].process, process) == 0;
        if (is_done || processes_find(&facts->facts->processes, process) == NULL) {
            continue;
        }
        if (restart_process(plan, facts, process) == 0) {
            plan_note(plan,
                "%s runs, but not as a service that setup knows: restart it by hand, so that it "
                "reads the new resolv.conf.",
                process);
        }
    }
}

void plan_services(struct plan *plan, const struct plan_case *facts)
{
    plan_opendkim(plan, facts);
    restart_services(plan, facts);
}

void plan_reloads(struct plan *plan, const struct plan_case *facts)
{
    const struct postfix *postfix = &facts->facts->postfix;
    for (size_t i = 0; i < postfix->instance_count; i++) {
        reload_postfix(plan, facts, &postfix->instances[i]);
    }
    if (processes_find(&facts->facts->processes, "opendkim") != NULL) {
        (void)plan_add_service(
            plan, facts, "so that OpenDKIM reads its configuration", "restart", "opendkim");
    }
    restart_services(plan, facts);
}
