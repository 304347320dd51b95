/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/check_chroot.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/resolv_conf.h"
#include "doctor/check_postfix.h"
#include "doctor/doctor.h"

#define NAMES_SIZE  512
#define PORT_DNS    53
#define QUEUE_FILE  "/etc/resolv.conf"
#define CHROOT_PATH (HOST_PATH_SIZE + 64)

/* The programs that look names up. */
bool check_chroot_asks(const struct postfix_service *service)
{
    static const char *const commands[] = {"smtpd", "smtp", "lmtp", "dnsblog", "qmqpd"};
    for (size_t i = 0; service->is_chrooted && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(service->command, commands[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool check_chroot_is_used(const struct postfix_instance *instance)
{
    for (size_t i = 0; i < instance->service_count; i++) {
        if (check_chroot_asks(&instance->services[i])) {
            return true;
        }
    }
    return false;
}

/* They run programs or write as other users, which a chroot makes impossible. */
static bool cannot_be_chrooted(const struct postfix_service *service)
{
    static const char *const commands[] = {"local", "pipe", "spawn"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(service->command, commands[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void column_check(struct doctor *doctor, const struct postfix_instance *instance)
{
    char buffer[NAMES_SIZE];
    struct text names;
    struct report *report = &doctor->report;
    size_t count = 0;
    text_init(&names, buffer, sizeof buffer);
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *service = &instance->services[i];
        if (check_chroot_asks(service)) {
            text_addf(&names, "%s%s %s (line %u)", count++ > 0 ? ", " : "", service->name,
                service->type, service->line);
        }
        if (service->is_chrooted && cannot_be_chrooted(service)) {
            report_add(report, CHECK_chroot_column, REPORT_WARNING, REPORT_LIKELY,
                "%s/master.cf:%u runs %s in the chroot, where it cannot work.",
                instance->config_directory, service->line, service->command);
            report_advise(
                report, "Write n into the fifth field of that line; then: postfix reload.");
        }
    }
    if (count == 0) {
        report_add(report, CHECK_chroot_column, REPORT_GOOD, REPORT_CERTAIN,
            "No service of %s/master.cf that asks DNS runs in a chroot.",
            instance->config_directory);
        return;
    }
    report_add(report, CHECK_chroot_column, REPORT_GOOD, REPORT_CERTAIN,
        "In the chroot %s, and asking DNS: %s%s.", instance->queue_directory, buffer,
        names.is_cut ? "..." : "");
}

void check_chroot_column(struct doctor *doctor)
{
    size_t at = 0;
    const struct postfix_instance *instance;
    if (!check_postfix_present(doctor, CHECK_chroot_column)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        column_check(doctor, instance);
    }
}

/* The copy of one instance, and what it is compared with. */
struct copy {
    struct doctor *doctor;
    const struct postfix_instance *instance;
    char path[CHROOT_PATH];
    struct resolv_conf system;
    struct resolv_conf chroot;
    bool is_link;
    bool is_system_useless; /* /etc/resolv.conf itself: not there, or without a server. */
};

static size_t servers_write(const struct resolv_conf *conf, struct text *text)
{
    for (size_t i = 0; i < conf->server_count; i++) {
        char host[ADDRESS_TEXT_SIZE];
        (void)address_format_host(&conf->servers[i], host, sizeof host);
        text_addf(text, "%s%s", i > 0 ? ", " : "", host);
    }
    if (conf->server_count == 0) {
        text_add(text, "none");
    }
    return conf->server_count;
}

static bool conf_has(const struct resolv_conf *conf, const struct address *server)
{
    for (size_t i = 0; i < conf->server_count; i++) {
        if (address_equal(&conf->servers[i], server)) {
            return true;
        }
    }
    return false;
}

/* Does something on this host answer at that address? */
static bool server_is_here(const struct doctor *doctor, const struct address *server)
{
    size_t at = 0;
    const struct net_socket *socket;
    while ((socket = net_sockets_next(&doctor->facts.sockets, NET_UDP, PORT_DNS, &at)) != NULL) {
        if (address_equal(&socket->local, server) ||
            (address_is_any(&socket->local) && address_is_loopback(server))) {
            return true;
        }
    }
    return false;
}

static bool loopback_is_served(const struct doctor *doctor)
{
    const struct address loopback = {
        .family = ADDRESS_IPV4, .bytes = {127, 0, 0, 1}, .port = PORT_DNS};
    return server_is_here(doctor, &loopback);
}

static bool chroot_has_folder(const struct copy *copy)
{
    char folder[CHROOT_PATH];
    struct stat stat;
    (void)snprintf(folder, sizeof folder, "%s/etc", copy->instance->queue_directory);
    return host_stat(&copy->doctor->host, folder, true, &stat) == HOST_READ;
}

/* Commands that do it as they stand: cp follows no symlink that leads nowhere, and makes no folder.
 */
static void copy_advise(const struct copy *copy)
{
    struct report *report = &copy->doctor->report;
    const char *config = copy->instance->config_directory;
    char first[CHROOT_PATH + 16] = "";
    if (copy->is_link) {
        (void)snprintf(first, sizeof first, "rm %s\n", copy->path);
    } else if (!chroot_has_folder(copy)) {
        (void)snprintf(
            first, sizeof first, "mkdir -m 755 %s/etc\n", copy->instance->queue_directory);
    }
    report_advise(report, "%s%scp /etc/resolv.conf %s\nchmod 644 %s\npostfix -c %s reload%s",
        copy->is_system_useless
            ? "First give /etc/resolv.conf a server again (see rc-file); then:\n"
            : "",
        first, copy->path, copy->path, config,
        copy->is_system_useless
            ? ""
            : "\n(the reload is needed: running processes keep the old servers)");
}

/* Without a server libc asks 127.0.0.1. */
static void copy_report_useless(const struct copy *copy, const char *what)
{
    struct report *report = &copy->doctor->report;
    bool is_served = loopback_is_served(copy->doctor);
    report_add(report, CHECK_chroot_resolv, is_served ? REPORT_WARNING : REPORT_ERROR,
        REPORT_CERTAIN, "%s %s. The services in the chroot then ask 127.0.0.1, where %s.",
        copy->path, what,
        is_served ? "a resolver happens to listen" : "no resolver listens: each lookup fails");
    copy_advise(copy);
    if (!is_served) {
        report_blame(report, "Postfix cannot look names up, because its chroot has no usable "
                             "resolv.conf");
    }
}

static void copy_report_unreadable(const struct copy *copy, unsigned mode)
{
    struct report *report = &copy->doctor->report;
    report_add(report, CHECK_chroot_resolv, REPORT_ERROR, REPORT_LIKELY,
        "%s has the mode %04o: the services in the chroot, which run as the user postfix, cannot "
        "read it.",
        copy->path, mode & 07777u);
    report_advise(
        report, "chmod 644 %s\npostfix -c %s reload", copy->path, copy->instance->config_directory);
    report_blame(report, "Postfix may not read the resolv.conf of its chroot");
}

static void copy_report_different(const struct copy *copy, const char *age)
{
    struct report *report = &copy->doctor->report;
    char chroot_buffer[NAMES_SIZE];
    char system_buffer[NAMES_SIZE];
    struct text chroot_text;
    struct text system_text;
    size_t shared = 0;
    size_t here = 0;
    text_init(&chroot_text, chroot_buffer, sizeof chroot_buffer);
    text_init(&system_text, system_buffer, sizeof system_buffer);
    (void)servers_write(&copy->chroot, &chroot_text);
    (void)servers_write(&copy->system, &system_text);
    for (size_t i = 0; i < copy->chroot.server_count; i++) {
        shared += conf_has(&copy->system, &copy->chroot.servers[i]);
        here += server_is_here(copy->doctor, &copy->chroot.servers[i]);
    }
    /* Somebody may have given the chroot a resolver of this host on purpose. */
    bool is_harmless = here == copy->chroot.server_count;
    bool is_stale = shared == 0 && !is_harmless;
    report_add(report, CHECK_chroot_resolv,
        is_harmless ? REPORT_NOTE : (is_stale ? REPORT_ERROR : REPORT_WARNING), REPORT_LIKELY,
        "%s%s names other servers (%s) than /etc/resolv.conf (%s); the services in the chroot ask "
        "the former.",
        copy->path, age, chroot_buffer, system_buffer);
    if (!is_harmless) {
        copy_advise(copy);
    }
    if (is_stale) {
        report_blame(report,
            "Postfix's chroot asks DNS servers (%s) that this host does not use "
            "any more",
            chroot_buffer);
    }
}

static bool confs_are_equal(const struct resolv_conf *a, const struct resolv_conf *b)
{
    bool are_equal = a->server_count == b->server_count;
    for (size_t i = 0; are_equal && i < a->server_count; i++) {
        are_equal = address_equal(&a->servers[i], &b->servers[i]);
    }
    return are_equal;
}

static void copy_compare(
    struct copy *copy, const struct host_file *file, const struct host_file *system)
{
    struct report *report = &copy->doctor->report;
    char buffer[NAMES_SIZE];
    struct text text;
    bool is_older = file->stat.st_mtime < system->stat.st_mtime;
    if (!confs_are_equal(&copy->chroot, &copy->system)) {
        copy_report_different(copy, is_older ? ", older than /etc/resolv.conf," : "");
        return;
    }
    text_init(&text, buffer, sizeof buffer);
    (void)servers_write(&copy->chroot, &text);
    if (copy->chroot.timeout_s != copy->system.timeout_s ||
        copy->chroot.attempts != copy->system.attempts) {
        report_add(report, CHECK_chroot_resolv, REPORT_NOTE, REPORT_CERTAIN,
            "%s names the same servers as /etc/resolv.conf (%s), but has other options "
            "(timeout:%u attempts:%u).",
            copy->path, buffer, copy->chroot.timeout_s, copy->chroot.attempts);
        copy_advise(copy);
        return;
    }
    report_add(report, CHECK_chroot_resolv, REPORT_GOOD, REPORT_CERTAIN,
        "%s names the servers of /etc/resolv.conf: %s.", copy->path, buffer);
}

/* The copy is the better one, and must not be written over. */
static void copy_report_orphan(const struct copy *copy, enum host_verdict verdict)
{
    struct report *report = &copy->doctor->report;
    bool is_rescued = verdict == HOST_READ && loopback_is_served(copy->doctor);
    char buffer[NAMES_SIZE];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    (void)servers_write(&copy->chroot, &text);
    report_add(report, CHECK_chroot_resolv, is_rescued ? REPORT_WARNING : REPORT_ERROR,
        REPORT_CERTAIN,
        "/etc/resolv.conf %s; %s is an old copy (%s) which the services in the chroot still ask, "
        "while all others %s.",
        verdict == HOST_READ ? "names no server"
                             : "is not there, or is a symlink that leads nowhere",
        copy->path, buffer, is_rescued ? "ask 127.0.0.1" : "have no server");
    copy_advise(copy);
    report_blame(report, "/etc/resolv.conf %s, and Postfix's chroot has an old copy",
        verdict == HOST_READ ? "names no server" : "leads nowhere");
}

/* Inside the chroot a symlink is followed from another root. */
static bool copy_is_link(const struct copy *copy)
{
    struct stat stat;
    char target[HOST_PATH_SIZE];
    return host_stat(&copy->doctor->host, copy->path, false, &stat) == HOST_READ &&
           S_ISLNK(stat.st_mode) &&
           host_link(&copy->doctor->host, copy->path, target, sizeof target) &&
           strchr(target, '/') != NULL;
}

static void copy_judge(struct copy *copy, const struct host_file *file)
{
    struct host_file system;
    resolv_conf_parse(file->bytes, file->len, &copy->chroot);
    enum host_verdict verdict =
        host_read(&copy->doctor->host, QUEUE_FILE, RESOLV_CONF_SIZE_MAX, &system);
    resolv_conf_parse(verdict == HOST_READ ? system.bytes : "", system.len, &copy->system);
    copy->is_system_useless =
        verdict == HOST_ABSENT || (verdict == HOST_READ && copy->system.server_count == 0);
    if ((file->stat.st_mode & S_IROTH) == 0) {
        copy_report_unreadable(copy, (unsigned)file->stat.st_mode);
    } else if (copy->chroot.server_count == 0) {
        copy_report_useless(copy, file->len == 0 ? "is empty" : "names no server");
    } else if (copy->is_system_useless) {
        copy_report_orphan(copy, verdict);
    } else if (verdict != HOST_READ) {
        report_add(&copy->doctor->report, CHECK_chroot_resolv, REPORT_SKIPPED, REPORT_CERTAIN,
            QUEUE_FILE " %s.", host_verdict_clause(verdict));
    } else {
        copy_compare(copy, file, &system);
    }
    host_file_fini(&system);
}

static void resolv_check(struct doctor *doctor, const struct postfix_instance *instance)
{
    struct copy copy = {.doctor = doctor, .instance = instance};
    struct host_file file;
    if (!check_chroot_is_used(instance)) {
        report_add(&doctor->report, CHECK_chroot_resolv, REPORT_GOOD, REPORT_CERTAIN,
            "No service of %s/master.cf that asks DNS runs in a chroot.",
            instance->config_directory);
        return;
    }
    (void)snprintf(copy.path, sizeof copy.path, "%s" QUEUE_FILE, instance->queue_directory);
    copy.is_link = copy_is_link(&copy);
    if (copy.is_link) {
        copy_report_useless(&copy, "is a symlink, which leads nowhere from inside the chroot");
        return;
    }
    enum host_verdict verdict = host_read(&doctor->host, copy.path, RESOLV_CONF_SIZE_MAX, &file);
    if (verdict == HOST_READ) {
        copy_judge(&copy, &file);
    } else if (verdict == HOST_ABSENT) {
        struct stat stat;
        copy.is_system_useless = host_stat(&doctor->host, QUEUE_FILE, true, &stat) == HOST_ABSENT;
        copy_report_useless(&copy, "is not there");
    } else {
        report_add(&doctor->report, CHECK_chroot_resolv, REPORT_SKIPPED, REPORT_CERTAIN, "%s %s.",
            copy.path, host_verdict_clause(verdict));
    }
    host_file_fini(&file);
}

void check_chroot_resolv(struct doctor *doctor)
{
    size_t at = 0;
    const struct postfix_instance *instance;
    if (!check_postfix_present(doctor, CHECK_chroot_resolv)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        resolv_check(doctor, instance);
    }
}
