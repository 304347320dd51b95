/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What the tests of several checks share: a host with mxcache's settings, processes and sockets.
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

#include "base/clock.h"
#include "conf/settings.h"
#include "tests/support/host_fixture.h"

#define DOCTOR_CASE_BOOT_S 1000000L

struct doctor_case {
    struct host_fixture fixture;
    struct settings *settings; /* Listens on 127.0.0.1 and has one upstream server. */
};

static inline void doctor_case_address(const char *text, struct address *out)
{
    assert_true(address_parse(text, strlen(text), 53, out));
}

static inline void doctor_case_init(struct doctor_case *doctor_case)
{
    host_fixture_init(&doctor_case->fixture);
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->listen_count = 1;
    settings->group_count = 1;
    settings->groups[0].server_count = 1;
    settings->answer_deadline_us = 4 * CLOCK_US_PER_S;
    doctor_case_address("127.0.0.1", &settings->listen[0]);
    doctor_case_address("192.0.2.53", &settings->groups[0].servers[0].address);
    doctor_case->settings = settings;
    doctor_case->fixture.options.settings = settings;
}

static inline void doctor_case_fini(struct doctor_case *doctor_case)
{
    host_fixture_fini(&doctor_case->fixture);
    free(doctor_case->settings);
}

/* A process that was started so many seconds after boot. */
static inline void doctor_case_process(
    struct doctor_case *doctor_case, int pid, const char *name, int parent, long after_s)
{
    char path[64];
    char stat[256];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    (void)snprintf(stat, sizeof stat,
        "%d (%s) S %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %ld 1 1\n", pid, name, parent,
        after_s * sysconf(_SC_CLK_TCK));
    host_fixture_write(&doctor_case->fixture, path, stat);
    (void)snprintf(path, sizeof path, "/proc/%d/comm", pid);
    (void)snprintf(stat, sizeof stat, "%s\n", name);
    host_fixture_write(&doctor_case->fixture, path, stat);
    (void)snprintf(stat, sizeof stat, "cpu 1 2\nbtime %ld\n", DOCTOR_CASE_BOOT_S);
    host_fixture_write(&doctor_case->fixture, "/proc/stat", stat);
}

/* A row of /proc/net/udp or tcp, as this machine's kernel would print it, for port 53 of an IPv4
 * address; held by the process, or by nobody that is to be seen (0). */
static inline void doctor_case_port_53(
    struct doctor_case *doctor_case, const char *path, const char *address, int pid)
{
    struct address parsed;
    uint32_t word;
    char text[512];
    char link[64];
    doctor_case_address(address, &parsed);
    memcpy(&word, parsed.bytes, sizeof word);
    (void)snprintf(text, sizeof text,
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   1: %08X:0035 00000000:0000 %s 00000000:00000000 00:00000000 00000000  0 0 %d9 2 0\n",
        (unsigned)word, strstr(path, "tcp") != NULL ? "0A" : "07", pid);
    host_fixture_write(&doctor_case->fixture, path, text);
    if (pid != 0) {
        (void)snprintf(text, sizeof text, "socket:[%d9]", pid);
        (void)snprintf(link, sizeof link, "/proc/%d/fd/3", pid);
        host_fixture_link(&doctor_case->fixture, link, text);
    }
}

/* Runs a check and expects an entry, with no other that is worse. */
static inline void doctor_case_expect(
    struct doctor_case *doctor_case, enum check_id check, enum report_level level, const char *part)
{
    (void)host_fixture_run(&doctor_case->fixture, check);
    host_fixture_expect(&doctor_case->fixture, check, level, part);
    if (level < REPORT_ERROR) {
        host_fixture_expect_below(&doctor_case->fixture, (enum report_level)(level + 1));
    }
}
