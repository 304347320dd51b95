/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/processes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/text.h"
#include "doctor/host.h"

#define PROC_STAT_MAX  (1024 * 1024)
#define PID_DIGITS_MAX 10
#define PID_MAX        INT32_MAX

/* When the host was booted, in seconds of the wall clock; 0: not known. */
static int64_t boot_time(const struct host *host)
{
    struct host_file file;
    int64_t boot_s = 0;
    if (host_read(host, "/proc/stat", PROC_STAT_MAX, &file) == HOST_READ) {
        const char *line = strstr(file.bytes, "\nbtime ");
        if (line != NULL && sscanf(line, "\nbtime %15" SCNd64, &boot_s) != 1) {
            boot_s = 0;
        }
    }
    host_file_fini(&file);
    return boot_s;
}

/* "PID (NAME) STATE PARENT ..."; the name may be anything, so it ends at the last parenthesis. The
 * 22nd word is the start in ticks since boot (proc(5)). */
static bool process_parse(const char *stat, int64_t boot_s, struct process *process)
{
    const char *start = strchr(stat, '(');
    const char *end = strrchr(stat, ')');
    if (start == NULL || end == NULL || end < start) {
        return false;
    }
    size_t len = (size_t)(end - start - 1);
    len = len < PROCESS_NAME_SIZE ? len : PROCESS_NAME_SIZE - 1;
    memcpy(process->name, start + 1, len);
    process->name[len] = '\0';
    uint64_t ticks = 0;
    if (sscanf(end + 1,
            " %*c %9d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
            "%18" SCNu64,
            &process->parent_pid, &ticks) != 2) {
        return false;
    }
    long ticks_a_second = sysconf(_SC_CLK_TCK);
    must(ticks_a_second > 0);
    process->started_s = boot_s == 0 ? 0 : boot_s + (int64_t)(ticks / (uint64_t)ticks_a_second);
    return true;
}

static bool process_read(
    const struct host *host, const char *name, int64_t boot_s, struct process *process)
{
    uint64_t pid = 0;
    if (!text_parse_u64(name, strlen(name), PID_MAX, &pid)) {
        return false;
    }
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%.*s/stat", PID_DIGITS_MAX, name);
    struct host_file file;
    *process = (struct process){.pid = (int)pid};
    bool is_read = host_read(host, path, PROC_STAT_MAX, &file) == HOST_READ &&
                   process_parse(file.bytes, boot_s, process);
    host_file_fini(&file);
    return is_read;
}

void processes_read(struct processes *processes, const struct host *host)
{
    struct host_names names;
    *processes = (struct processes){0};
    if (host_list(host, "/proc", &names) == HOST_READ && names.count > 0) {
        int64_t boot_s = boot_time(host);
        processes->items = calloc(names.count, sizeof processes->items[0]);
        must(processes->items != NULL);
        for (size_t i = 0; i < names.count; i++) {
            processes->count +=
                process_read(host, names.names[i], boot_s, &processes->items[processes->count]);
        }
        processes->is_cut = names.is_cut;
    }
    host_names_fini(&names);
}

void processes_fini(struct processes *processes)
{
    free(processes->items);
    *processes = (struct processes){0};
}

const struct process *processes_find(const struct processes *processes, const char *name)
{
    for (size_t i = 0; i < processes->count; i++) {
        if (strcmp(processes->items[i].name, name) == 0) {
            return &processes->items[i];
        }
    }
    return NULL;
}

const struct process *processes_find_pid(const struct processes *processes, int pid)
{
    for (size_t i = 0; i < processes->count; i++) {
        if (processes->items[i].pid == pid) {
            return &processes->items[i];
        }
    }
    return NULL;
}
