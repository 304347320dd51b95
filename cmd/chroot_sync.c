/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/resolv_conf.h"
#include "doctor/host.h"
#include "doctor/postfix_config.h"
#include "cmd/chroot_copy.h"
#include "cmd/cmd.h"

#define SOURCE_FILE  "/etc/resolv.conf"
#define COMMAND_SIZE 1024

static const char chroot_sync_usage[] =
    "usage: mxcache chroot-sync [--dry-run] [--root FOLDER]\n"
    "\n"
    "Makes etc/resolv.conf in the queue directory of each Postfix instance that runs\n"
    "services chrooted equal to /etc/resolv.conf, and reloads the instances in which it\n"
    "changed. An /etc/resolv.conf without a nameserver is copied nowhere. Says what it\n"
    "does, a line for each step; needs to be root.\n"
    "\n"
    "  -n, --dry-run      say it, do nothing\n"
    "      --root FOLDER  the host below this folder; nothing is reloaded then\n"
    "  -h, --help\n";

enum {
    OPTION_ROOT = 256,
};

static const struct option chroot_sync_options[] = {
    {"dry-run", no_argument, NULL, 'n'},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct chroot_sync {
    struct host host;
    bool is_rehearsal;
    struct host_file source;
    struct postfix postfix;
    int exit_code; /* That of the first failure. */
};

static void sync_fail(struct chroot_sync *sync, int exit_code)
{
    if (sync->exit_code == EX_OK) {
        sync->exit_code = exit_code;
    }
}

/* False: copying it would leave the chroots without DNS. The sentence has been said. */
static bool sync_read_source(struct chroot_sync *sync)
{
    struct resolv_conf parsed;
    enum host_verdict verdict =
        host_read(&sync->host, SOURCE_FILE, RESOLV_CONF_SIZE_MAX, &sync->source);
    if (verdict != HOST_READ) {
        (void)fprintf(stderr, "mxcache chroot-sync: %s %s; the chroots stay as they are.\n",
            SOURCE_FILE, host_verdict_clause(verdict));
        return false;
    }
    resolv_conf_parse(sync->source.bytes, sync->source.len, &parsed);
    if (sync->source.is_cut || parsed.server_count == 0) {
        (void)fprintf(stderr, "mxcache chroot-sync: %s %s; the chroots stay as they are.\n",
            SOURCE_FILE, sync->source.is_cut ? "is longer than 64 KiB" : "names no nameserver");
        return false;
    }
    return true;
}

static bool instance_is_chrooted(const struct postfix_instance *instance)
{
    for (size_t i = 0; i < instance->service_count; i++) {
        if (instance->services[i].is_chrooted) {
            return true;
        }
    }
    return false;
}

/* Runs `postfix -c DIRECTORY ACTION`, its words to our standard error. */
static bool postfix_run(const char *command, const char *directory, const char *action)
{
    char *const environment[] = {
        (char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"LC_ALL=C"}, NULL};
    char *const arguments[] = {(char *)(uintptr_t)command, (char[]){"-c"},
        (char *)(uintptr_t)directory, (char *)(uintptr_t)action, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    int status = -1;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    (void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    (void)fflush(stdout);
    if (posix_spawn(&pid, command, &actions, NULL, arguments, environment) == 0) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Only what runs has old servers in its memory. */
static void instance_reload(struct chroot_sync *sync, const struct postfix_instance *instance)
{
    const char *directory = instance->config_directory;
    char folder[COMMAND_SIZE / 2];
    char command[COMMAND_SIZE];
    (void)postfix_value(instance, NULL, "command_directory", folder, sizeof folder);
    (void)snprintf(command, sizeof command, "%s/postfix", folder[0] == '/' ? folder : "/usr/sbin");
    if (sync->is_rehearsal || !sync->host.is_live) {
        (void)printf("%s: to be reloaded by %s -c %s reload\n", directory, command, directory);
    } else if (!postfix_run(command, directory, "status")) {
        (void)printf("%s: does not run, nothing to reload\n", directory);
    } else if (postfix_run(command, directory, "reload")) {
        (void)printf("%s: reloaded\n", directory);
    } else {
        (void)fprintf(stderr,
            "mxcache chroot-sync: %s: `%s -c %s reload` failed; its services go on"
            " with the old name servers.\n",
            directory, command, directory);
        sync_fail(sync, EX_UNAVAILABLE);
    }
}

static void instance_copy(struct chroot_sync *sync, const struct postfix_instance *instance)
{
    const char *queue = instance->queue_directory;
    struct chroot_copy copy = {
        .queue_fd = host_open_path(&sync->host, queue),
        .bytes = sync->source.bytes,
        .len = sync->source.len,
        .is_rehearsal = sync->is_rehearsal,
        .step = "open the queue directory",
    };
    copy.error = errno;
    enum chroot_copy_verdict verdict =
        copy.queue_fd < 0 ? CHROOT_COPY_FAILED : chroot_copy_run(&copy);
    switch (verdict) {
    case CHROOT_COPY_EQUAL:
        (void)printf("%s: %s%s is equal already\n", instance->config_directory, queue, SOURCE_FILE);
        break;
    case CHROOT_COPY_WRITTEN:
        (void)printf("%s: %s%s %s, %zu bytes\n", instance->config_directory, queue, SOURCE_FILE,
            sync->is_rehearsal ? "to be written" : "written", sync->source.len);
        instance_reload(sync, instance);
        break;
    case CHROOT_COPY_FAILED:
        (void)fprintf(stderr, "mxcache chroot-sync: %s: cannot %s in %s: %s.\n",
            instance->config_directory, copy.step, queue, strerror(copy.error));
        sync_fail(sync, copy.error == EACCES || copy.error == EPERM ? EX_NOPERM : EX_CANTCREAT);
        break;
    }
    if (copy.queue_fd >= 0) {
        (void)close(copy.queue_fd);
    }
}

static void sync_instances(struct chroot_sync *sync)
{
    postfix_read(&sync->postfix, &sync->host);
    if (sync->postfix.is_denied) {
        (void)fputs("mxcache chroot-sync: Postfix's configuration may not be read; run it as"
                    " root.\n",
            stderr);
        sync_fail(sync, EX_NOPERM);
    } else if (!sync->postfix.is_installed) {
        (void)puts("there is no Postfix here, nothing to do");
    }
    for (size_t i = 0; sync->postfix.is_installed && i < sync->postfix.instance_count; i++) {
        const struct postfix_instance *instance = &sync->postfix.instances[i];
        if (instance_is_chrooted(instance)) {
            instance_copy(sync, instance);
        } else {
            (void)printf("%s: no service runs chrooted\n", instance->config_directory);
        }
    }
}

static int chroot_sync_run(const char *root, bool is_rehearsal)
{
    struct chroot_sync *sync = calloc(1, sizeof *sync);
    if (sync == NULL || !host_init(&sync->host, root)) {
        (void)fprintf(stderr, "mxcache chroot-sync: cannot open %s: %s.\n", root, strerror(errno));
        free(sync);
        return EX_NOINPUT;
    }
    sync->is_rehearsal = is_rehearsal;
    if (sync_read_source(sync)) {
        sync_instances(sync);
    } else {
        sync_fail(sync, EX_NOINPUT);
    }
    int exit_code = sync->exit_code;
    postfix_fini(&sync->postfix);
    host_file_fini(&sync->source);
    host_fini(&sync->host);
    free(sync);
    return exit_code;
}

int chroot_sync_main(int argc, char **argv)
{
    const char *root = "/";
    bool is_rehearsal = false;
    int option;
    while ((option = getopt_long(argc, argv, "nh", chroot_sync_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(chroot_sync_usage, stdout);
            return EX_OK;
        }
        if (option == 'n') {
            is_rehearsal = true;
        } else if (option == OPTION_ROOT) {
            root = optarg;
        } else {
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(
            stderr, "mxcache chroot-sync: `%s` is more than it takes; see --help.\n", argv[optind]);
        return EX_USAGE;
    }
    return chroot_sync_run(root, is_rehearsal);
}
