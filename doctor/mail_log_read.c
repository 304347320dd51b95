/* SPDX-License-Identifier: BSD-2-Clause */
/* Which logs are read, and how. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "doctor/doctor.h"
#include "doctor/mail_log.h"

#define READ_STEP 65536

/* A log that was turned over a moment ago says little; then the one before it is read as well. */
#define SHORT_LOG (1024 * 1024)

static void source_add(struct mail_log *log, const char *path)
{
    if (log->source_count < MAIL_LOG_SOURCES_MAX) {
        (void)snprintf(log->sources[log->source_count++], MAIL_LOG_PATH_SIZE, "%s", path);
    }
}

static bool source_is_read(const struct mail_log *log, const char *path)
{
    for (size_t i = 0; i < log->source_count; i++) {
        if (strcmp(log->sources[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static void deny(struct mail_log *log, const char *path)
{
    (void)snprintf(log->denied, sizeof log->denied, "%s", path);
}

/* A log of the host. */
static void read_file(struct mail_log *log, const struct host *host, const char *path)
{
    struct host_file file = {0};
    enum host_verdict verdict = HOST_ABSENT;
    if (!source_is_read(log, path)) {
        verdict = host_read_tail(host, path, MAIL_LOG_BYTES_MAX, &file);
        if (verdict == HOST_READ) {
            source_add(log, path);
            log->is_cut |= file.is_cut;
            mail_log_feed(log, file.bytes, file.len);
            mail_log_end(log);
        }
        host_file_fini(&file);
    }
    if (verdict == HOST_DENIED) {
        deny(log, path);
    }
}

static void read_with_previous(struct mail_log *log, const struct host *host, const char *path)
{
    struct stat stat;
    char previous[HOST_PATH_SIZE];
    bool is_short = host_stat(host, path, true, &stat) == HOST_READ && stat.st_size < SHORT_LOG;
    int len = snprintf(previous, sizeof previous, "%s.1", path);
    if (is_short && len > 0 && (size_t)len < sizeof previous) {
        read_file(log, host, previous);
    }
    read_file(log, host, path);
}

/* Whatever the admin named: a file, a pipe, standard input. A file's end is read, and of the others
 * what comes. */
static void read_named(struct mail_log *log, const char *path)
{
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) {
        deny(log, path);
        return;
    }
    if (S_ISREG(stat.st_mode) && !is_input && stat.st_size > MAIL_LOG_BYTES_MAX) {
        log->is_cut = lseek(fd, -(off_t)MAIL_LOG_BYTES_MAX, SEEK_END) >= 0;
    }
    char *bytes = malloc(READ_STEP);
    must(bytes != NULL);
    size_t total = 0;
    while (total < MAIL_LOG_STREAM_MAX) {
        ssize_t count = read(fd, bytes, READ_STEP);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        mail_log_feed(log, bytes, (size_t)count);
        total += (size_t)count;
    }
    mail_log_end(log);
    source_add(log, is_input ? "standard input" : path);
    free(bytes);
    (void)close(fd);
}

static void read_usual(struct mail_log *log, const struct doctor *doctor)
{
    static const char *const usual[] = {
        "/var/log/mail.log",
        "/var/log/maillog",
        "/var/log/mail",
        "/var/log/rspamd/rspamd.log",
    };
    const struct postfix *postfix = &doctor->facts.postfix;
    for (size_t i = 0; i < postfix->instance_count; i++) {
        char path[HOST_PATH_SIZE];
        size_t len = postfix_value(&postfix->instances[i], NULL, "maillog_file", path, sizeof path);
        if (len > 0 && len < sizeof path && path[0] == '/') {
            read_with_previous(log, &doctor->host, path);
        }
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        read_with_previous(log, &doctor->host, usual[i]);
    }
}

const struct mail_log *mail_log_of(struct doctor *doctor)
{
    if (doctor->facts.mail_log != NULL) {
        return doctor->facts.mail_log;
    }
    struct mail_log *log = malloc(sizeof *log);
    must(log != NULL);
    const time_t now = (time_t)doctor->now_wall_s;
    struct tm local;
    mail_log_init(log, doctor->now_wall_s, localtime_r(&now, &local) != NULL ? local.tm_gmtoff : 0);
    doctor->facts.mail_log = log;
    for (size_t i = 0; i < doctor->options.log_count; i++) {
        read_named(log, doctor->options.logs[i]);
    }
    if (doctor->options.log_count == 0) {
        read_usual(log, doctor);
    }
    return log;
}
