/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A mail host in a folder, as `mxcache setup` meets it, for the tests of setup/: Postfix with a
 * chroot, OpenDKIM, one DNS server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "doctor/facts.h"
#include "setup/failure.h"
#include "setup/plan.h"
#include "setup/port.h"
#include "setup/setup.h"
#include "tests/support/host_fixture.h"

#define HOST_RESOLV_CONF                                                                           \
    "# by hand\nsearch example.net\nnameserver 192.0.2.53\noptions rotate edns0\n"
#define HOST_CHROOT_COPY "nameserver 192.0.2.53\n"
#define HOST_CONF        "/etc/mxcache/mxcache.conf"
#define HOST_STARTED     "/run/mxcache-started"
#define HOST_RAN_MAX     32

/* What was asked of the world. */
struct host_world {
    struct host_fixture fixture;
    struct host host;
    struct settings *settings;
    struct setup_port port;
    char ran[HOST_RAN_MAX][256]; /* Command lines. */
    size_t ran_count;
    const char *rewrites; /* Whose run writes resolv.conf anew. */
    bool upstream_is_dead;
    bool restart_fails;
};

static bool host_answers(const struct address *server, void *context)
{
    struct host_world *world = context;
    struct stat stat;
    if (!address_is_loopback(server)) {
        return !world->upstream_is_dead;
    }
    return host_stat(&world->host, HOST_STARTED, true, &stat) == HOST_READ;
}

static bool host_run(char *const *words, void *context)
{
    struct host_world *world = context;
    char line[256] = "";
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t len = strlen(line);
        (void)snprintf(line + len, sizeof line - len, "%s%s", i > 0 ? " " : "", words[i]);
    }
    assert_true(world->ran_count < HOST_RAN_MAX);
    (void)snprintf(world->ran[world->ran_count++], sizeof world->ran[0], "%s", line);
    if (world->rewrites != NULL && strcmp(line, world->rewrites) == 0) {
        host_fixture_write(&world->fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    }
    if (strstr(line, "restart mxcache") != NULL) {
        if (!world->restart_fails) {
            host_fixture_write(&world->fixture, HOST_STARTED, "");
        }
        return !world->restart_fails;
    }
    return true;
}

static void host_tell(const char *sentence, void *context)
{
    (void)sentence;
    (void)context;
}

static void host_pause(void *context)
{
    (void)context;
}

/* With a running Postfix master and OpenDKIM. */
static void host_world_init(struct host_world *world)
{
    struct host_fixture *fixture = &world->fixture;
    *world = (struct host_world){0};
    host_fixture_init(fixture);
    assert_true(host_init(&world->host, fixture->root));
    host_fixture_write(fixture, "/etc/resolv.conf", HOST_RESOLV_CONF);
    host_fixture_set_time(fixture, "/etc/resolv.conf", 1700000000);
    host_fixture_write(fixture, HOST_CONF, "listen = 127.0.0.1 ::1\n");
    host_fixture_write(fixture, "/etc/postfix/main.cf", "compatibility_level = 3.6\n");
    host_fixture_write(
        fixture, "/etc/postfix/master.cf", "smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n");
    host_fixture_write(fixture, "/var/spool/postfix/etc/resolv.conf", HOST_CHROOT_COPY);
    host_fixture_write(fixture, "/etc/opendkim.conf", "Syslog yes\n#Nameservers 127.0.0.1");
    host_fixture_write(fixture, "/proc/stat", "btime 1700000000\n");
    host_fixture_write(fixture, "/proc/71/stat",
        "71 (master) S 1 71 71 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n");
    host_fixture_write(fixture, "/proc/72/stat",
        "72 (opendkim) S 1 72 72 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n");
    host_fixture_write(fixture, "/run/systemd/system/.keep", "");
    host_fixture_write(fixture, "/var/lib/.keep", "");
    world->settings = calloc(1, sizeof *world->settings);
    assert_non_null(world->settings);
    world->settings->group_count = 1;
    world->settings->upstreams_from_file = true;
    (void)snprintf(world->settings->upstreams_file, sizeof world->settings->upstreams_file,
        "/etc/resolv.conf");
    world->settings->listen_count = 2;
    assert_true(address_parse("::1", 3, 53, &world->settings->listen[0]));
    assert_true(address_parse("127.0.0.1", 9, 53, &world->settings->listen[1]));
    world->port = (struct setup_port){host_answers, host_run, host_tell, host_pause, world};
}

static void host_world_fini(struct host_world *world)
{
    host_fini(&world->host);
    host_fixture_fini(&world->fixture);
    free(world->settings);
}

/* The heap has the large things. */
struct host_plan {
    struct facts facts;
    struct plan plan;
    struct failure failure;
    bool is_made;
};

/* As reading the configuration would tell. */
static void host_load_settings(struct host_world *world)
{
    struct host_file file;
    assert_int_equal(host_read(&world->host, HOST_CONF, HOST_FILE_MAX, &file), HOST_READ);
    world->settings->upstreams_from_file = strstr(file.bytes, "upstreams = ") == NULL;
    host_file_fini(&file);
}

static struct host_plan *host_plan_new(struct host_world *world, const char *upstreams)
{
    struct host_plan *made = calloc(1, sizeof *made);
    assert_non_null(made);
    host_load_settings(world);
    facts_gather(&made->facts, &world->host);
    const struct plan_case plan_case = {
        .host = &world->host,
        .facts = &made->facts,
        .settings = world->settings,
        .conf_path = HOST_CONF,
        .upstreams = upstreams,
    };
    made->is_made = plan_make(&made->plan, &plan_case, &made->failure);
    return made;
}

static void host_plan_free(struct host_plan *made)
{
    plan_fini(&made->plan);
    facts_fini(&made->facts);
    free(made);
}

/* Sets the host up, as the subcommand does. */
__attribute__((unused)) static bool host_set_up(
    struct host_world *world, struct failure *failure_out)
{
    struct host_plan *made = host_plan_new(world, NULL);
    bool is_done = made->is_made &&
                   setup_try_upstreams(&made->plan, &world->port, &made->failure) &&
                   setup_apply(&made->plan, &world->host, &world->port, &made->failure);
    *failure_out = made->failure;
    host_plan_free(made);
    return is_done;
}

__attribute__((unused)) static void host_expect_file(
    struct host_world *world, const char *path, const char *bytes)
{
    struct host_file file;
    assert_int_equal(host_read(&world->host, path, HOST_FILE_MAX, &file), HOST_READ);
    assert_string_equal(file.bytes, bytes);
    host_file_fini(&file);
}

__attribute__((unused)) static bool host_ran(const struct host_world *world, const char *line)
{
    for (size_t i = 0; i < world->ran_count; i++) {
        if (strcmp(world->ran[i], line) == 0) {
            return true;
        }
    }
    return false;
}
