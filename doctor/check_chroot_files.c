/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor/check_chroot.h"
#include "doctor/check_postfix.h"
#include "doctor/doctor.h"

#define FILE_PATH (HOST_PATH_SIZE + 320)

/* What a copy is worth when it is missing or another than the host's. */
struct copied_row {
    const char *name;
    enum report_level missing;
    enum report_level different;
    const char *effect;
};

static const struct copied_row copied_rows[] = {
    {"nsswitch.conf", REPORT_NOTE, REPORT_WARNING, "it says where names are looked up"},
    {"services", REPORT_WARNING, REPORT_NOTE, "port names such as `smtp` come from it"},
    {"hosts", REPORT_NOTE, REPORT_NOTE, "names of this host's own come from it"},
    {"host.conf", REPORT_GOOD, REPORT_NOTE, "it has options of the resolver"},
    {"localtime", REPORT_NOTE, REPORT_NOTE, "log lines have their time zone from it"},
};

static bool files_are_equal(const struct host_file *a, const struct host_file *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static void advise_restart(struct doctor *doctor)
{
    report_advise(&doctor->report,
        "systemctl restart postfix (a start copies the files, a reload does not).");
}

/* Returns whether there was something to say. */
static bool copied_check(
    struct doctor *doctor, const struct postfix_instance *instance, const struct copied_row *row)
{
    char system_path[64];
    char chroot_path[FILE_PATH];
    struct host_file system;
    struct host_file chroot;
    enum report_level level = REPORT_GOOD;
    (void)snprintf(system_path, sizeof system_path, "/etc/%s", row->name);
    (void)snprintf(
        chroot_path, sizeof chroot_path, "%s/etc/%s", instance->queue_directory, row->name);
    enum host_verdict system_verdict =
        host_read(&doctor->host, system_path, HOST_FILE_MAX, &system);
    enum host_verdict chroot_verdict =
        host_read(&doctor->host, chroot_path, HOST_FILE_MAX, &chroot);
    if (system_verdict == HOST_READ && chroot_verdict == HOST_ABSENT) {
        level = row->missing;
    } else if (system_verdict == HOST_READ && chroot_verdict == HOST_READ &&
               !files_are_equal(&system, &chroot)) {
        level = row->different;
    }
    host_file_fini(&system);
    host_file_fini(&chroot);
    if (level == REPORT_GOOD) {
        return false;
    }
    report_add(&doctor->report, CHECK_chroot_others, level, REPORT_CERTAIN, "%s %s %s; %s.",
        chroot_path, chroot_verdict == HOST_ABSENT ? "is missing, unlike" : "is not the same as",
        system_path, row->effect);
    advise_restart(doctor);
    return true;
}

/* Since 2.34 libc looks names up in DNS without a library of its own; up to then libc.so.6 was a
 * symlink that tells the version. */
static bool libc_needs_library(const struct doctor *doctor, const char *directory)
{
    char path[FILE_PATH];
    char target[HOST_PATH_SIZE];
    uint64_t minor;
    (void)snprintf(path, sizeof path, "%s/libc.so.6", directory);
    if (!host_link(&doctor->host, path, target, sizeof target)) {
        return false;
    }
    const char *start = strstr(target, "libc-2.");
    if (start == NULL) {
        return false;
    }
    start += strlen("libc-2.");
    return text_parse_u64(start, strcspn(start, "."), 999, &minor) && minor < 34;
}

/* A library in the chroot and on the host. */
static bool library_differs(
    const struct doctor *doctor, const char *system_path, const char *chroot_path)
{
    struct stat system;
    struct stat chroot;
    return host_stat(&doctor->host, system_path, true, &system) == HOST_READ &&
           host_stat(&doctor->host, chroot_path, true, &chroot) == HOST_READ &&
           system.st_size != chroot.st_size;
}

static bool library_check(struct doctor *doctor, const struct postfix_instance *instance,
    const char *directory, const char *name)
{
    char system_path[FILE_PATH];
    char chroot_path[FILE_PATH];
    struct stat stat;
    struct report *report = &doctor->report;
    bool is_needed = libc_needs_library(doctor, directory);
    (void)snprintf(system_path, sizeof system_path, "%s/%s", directory, name);
    (void)snprintf(
        chroot_path, sizeof chroot_path, "%s%s/%s", instance->queue_directory, directory, name);
    if (host_stat(&doctor->host, system_path, true, &stat) != HOST_READ) {
        return false;
    }
    enum host_verdict verdict = host_stat(&doctor->host, chroot_path, true, &stat);
    if (verdict == HOST_ABSENT && is_needed) {
        report_add(report, CHECK_chroot_others, REPORT_ERROR, REPORT_LIKELY,
            "%s is missing: without it libc looks up no name in the chroot.", chroot_path);
        advise_restart(doctor);
        report_blame(report, "Postfix's chroot lacks a library (%s) to look names up", name);
        return true;
    }
    if (verdict == HOST_READ && library_differs(doctor, system_path, chroot_path)) {
        report_add(report, CHECK_chroot_others, is_needed ? REPORT_WARNING : REPORT_NOTE,
            REPORT_LIKELY, "%s is of another version than %s: left from before an upgrade.",
            chroot_path, system_path);
        advise_restart(doctor);
        return true;
    }
    return false;
}

/* Debian's and Ubuntu's folders of libraries, one an architecture, and the older single ones. */
static size_t libraries_check(struct doctor *doctor, const struct postfix_instance *instance)
{
    static const char *const directories[] = {"/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
        "/lib/arm-linux-gnueabihf", "/lib/i386-linux-gnu", "/lib/powerpc64le-linux-gnu",
        "/lib/riscv64-linux-gnu", "/lib/s390x-linux-gnu", "/lib64"};
    static const char *const names[] = {"libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"};
    size_t findings = 0;
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            findings += library_check(doctor, instance, directories[i], names[j]);
        }
    }
    return findings;
}

static void others_check(struct doctor *doctor, const struct postfix_instance *instance)
{
    size_t findings = 0;
    if (!check_chroot_is_used(instance)) {
        report_add(&doctor->report, CHECK_chroot_others, REPORT_GOOD, REPORT_CERTAIN,
            "No service of %s/master.cf that asks DNS runs in a chroot.",
            instance->config_directory);
        return;
    }
    for (size_t i = 0; i < sizeof copied_rows / sizeof copied_rows[0]; i++) {
        findings += copied_check(doctor, instance, &copied_rows[i]);
    }
    findings += libraries_check(doctor, instance);
    if (findings == 0) {
        report_add(&doctor->report, CHECK_chroot_others, REPORT_GOOD, REPORT_CERTAIN,
            "The other files of the chroot %s are as on the host.", instance->queue_directory);
    }
}

void check_chroot_others(struct doctor *doctor)
{
    size_t at = 0;
    const struct postfix_instance *instance;
    if (!check_postfix_present(doctor, CHECK_chroot_others)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        others_check(doctor, instance);
    }
}

static bool path_is_there(const struct doctor *doctor, const char *path, bool follows)
{
    struct stat stat;
    return host_stat(&doctor->host, path, follows, &stat) == HOST_READ;
}

static bool unit_is_enabled(const struct doctor *doctor, const char *unit)
{
    static const char *const targets[] = {"multi-user.target", "paths.target", "default.target"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "/etc/systemd/system/%s.wants/%s", targets[i], unit);
        if (path_is_there(doctor, path, false)) {
            return true;
        }
    }
    return false;
}

/* Who copies a changed resolv.conf into the chroot; NULL: nobody. */
static const char *carrier_find(const struct doctor *doctor)
{
    if (unit_is_enabled(doctor, "mxcache-chroot-sync.path")) {
        return "mxcache-chroot-sync.path";
    }
    if (unit_is_enabled(doctor, "postfix-resolvconf.path")) {
        return "postfix-resolvconf.path";
    }
    if (path_is_there(doctor, "/sbin/resolvconf", true) &&
        path_is_there(doctor, "/etc/resolvconf/update-libc.d/postfix", true)) {
        return "resolvconf";
    }
    return NULL;
}

static bool servers_are_loopback(const struct resolver_files *files)
{
    const struct resolv_conf *conf = &files->files[0].conf;
    for (size_t i = 0; i < conf->server_count; i++) {
        if (!address_is_loopback(&conf->servers[i])) {
            return false;
        }
    }
    return conf->server_count > 0;
}

static const char *carrier_to_enable(const struct doctor *doctor)
{
    static const char *const units[] = {"mxcache-chroot-sync.path", "postfix-resolvconf.path"};
    static const char *const folders[] = {"/lib/systemd/system", "/usr/lib/systemd/system"};
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", folders[i % 2], units[i / 2]);
        if (path_is_there(doctor, path, true)) {
            return units[i / 2];
        }
    }
    return NULL;
}

static void refresh_report_missing(struct doctor *doctor)
{
    struct report *report = &doctor->report;
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    report_add(report, CHECK_chroot_refresh, REPORT_NOTE, REPORT_LIKELY,
        "/etc/resolv.conf is written by %s, and nothing carries a change into Postfix's chroot: "
        "until the next restart Postfix would ask the old servers.",
        resolver_owner_row(owner->id)->name);
    const char *unit = carrier_to_enable(doctor);
    if (unit != NULL) {
        report_advise(report,
            "systemctl enable --now %s; or a resolv.conf that never changes: nameserver 127.0.0.1, "
            "with mxcache there (`mxcache setup`).",
            unit);
    } else {
        report_advise(report, "Give the host a resolv.conf that never changes: nameserver "
                              "127.0.0.1, with mxcache there (`mxcache setup`).");
    }
}

void check_chroot_refresh(struct doctor *doctor)
{
    size_t at = 0;
    bool is_used = false;
    const struct postfix_instance *instance;
    const struct resolver_owner *owner = &doctor->facts.resolver_owner;
    struct report *report = &doctor->report;
    if (!check_postfix_present(doctor, CHECK_chroot_refresh)) {
        return;
    }
    while ((instance = check_postfix_next(doctor, &at)) != NULL) {
        is_used |= check_chroot_is_used(instance);
    }
    const char *carrier = carrier_find(doctor);
    if (!is_used) {
        report_add(report, CHECK_chroot_refresh, REPORT_GOOD, REPORT_CERTAIN,
            "No service that asks DNS runs in a chroot.");
    } else if (owner->id == RESOLVER_OWNER_NOBODY || owner->is_pinned ||
               servers_are_loopback(&doctor->facts.resolver)) {
        report_add(report, CHECK_chroot_refresh, REPORT_GOOD, REPORT_LIKELY,
            "/etc/resolv.conf does not change by itself.");
    } else if (carrier != NULL) {
        report_add(report, CHECK_chroot_refresh, REPORT_GOOD, REPORT_CERTAIN,
            "%s carries changes of /etc/resolv.conf into the chroot.", carrier);
    } else {
        refresh_report_missing(doctor);
    }
}
