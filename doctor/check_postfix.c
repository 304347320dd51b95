/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/check_postfix.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor/doctor.h"

#define PID_MAX 99999999

bool check_postfix_present(struct doctor *doctor, enum check_id check)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    if (!postfix->is_installed) {
        report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
            "Postfix is not installed here.");
        return false;
    }
    if (!postfix->instances[0].has_main) {
        report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
            "/etc/postfix/main.cf %s.",
            host_verdict_clause(postfix->is_denied ? HOST_DENIED : HOST_ABSENT));
        return false;
    }
    return true;
}

const struct postfix_instance *check_postfix_next(struct doctor *doctor, size_t *at_inout)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    while (*at_inout < postfix->instance_count) {
        const struct postfix_instance *instance = &postfix->instances[(*at_inout)++];
        if (instance->is_enabled && instance->has_main) {
            return instance;
        }
    }
    return NULL;
}

/* "      1234\n": a number with blanks around it. */
static enum host_verdict pid_read(
    const struct doctor *doctor, const struct postfix_instance *instance, uint64_t *pid_out)
{
    char path[HOST_PATH_SIZE + sizeof "/pid/master.pid"];
    struct host_file file;
    *pid_out = 0;
    (void)snprintf(path, sizeof path, "%s/pid/master.pid", instance->queue_directory);
    enum host_verdict verdict = host_read(&doctor->host, path, 64, &file);
    if (verdict == HOST_READ) {
        size_t start = strspn(file.bytes, " \t\n");
        (void)text_parse_u64(
            file.bytes + start, strcspn(file.bytes + start, " \t\n"), PID_MAX, pid_out);
    }
    host_file_fini(&file);
    return verdict;
}

enum check_postfix_life check_postfix_life(
    const struct doctor *doctor, const struct postfix_instance *instance)
{
    char path[64];
    uint64_t pid;
    struct host_file file;
    if (doctor->facts.sockets.verdict != HOST_READ) {
        return CHECK_POSTFIX_UNKNOWN;
    }
    enum host_verdict verdict = pid_read(doctor, instance, &pid);
    if (verdict == HOST_DENIED || verdict == HOST_UNFIT) {
        return CHECK_POSTFIX_UNKNOWN;
    }
    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/comm", pid);
    bool runs =
        verdict == HOST_READ && pid != 0 && host_read(&doctor->host, path, 32, &file) == HOST_READ;
    if (runs) {
        runs = strcmp(file.bytes, "master\n") == 0;
        host_file_fini(&file);
    }
    return runs ? CHECK_POSTFIX_RUNS : CHECK_POSTFIX_STOPPED;
}
