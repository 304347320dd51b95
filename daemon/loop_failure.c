/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/loop_failure.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <ev.h>

#include "base/log.h"
#include "daemon/events.h"

#define TRIES_MAX 5
#define PAUSE_MS  10

static void loop_failure_on_error(const char *message) __attribute__((noreturn));

static void loop_failure_on_error(const char *message)
{
    bool is_shortage = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOSPC;
    log_event(&event_loop_failed, "at=\"%s\" error=\"%s\"", message, strerror(errno));
    if (is_shortage) {
        _exit(EX_OSERR);
    }
    abort();
}

void *loop_failure_resize(void *old, long size)
{
    if (size <= 0) {
        free(old);
        return NULL;
    }
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        void *memory = realloc(old, (size_t)size);
        if (memory != NULL) {
            return memory;
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
    log_event(&event_no_memory, "for=\"the event loop\" bytes=%ld", size);
    _exit(EX_OSERR);
}

void loop_failure_init(void)
{
    ev_set_syserr_cb(loop_failure_on_error);
    ev_set_allocator(loop_failure_resize);
}
