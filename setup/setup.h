/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * Puts the host on mxcache by a plan (setup/plan.h), and takes it off again by the journal
 * (setup/journal.h). Each file is noted in the journal before it is replaced, in one rename; and
 * /etc/resolv.conf is switched only once mxcache answers: so a run that is interrupted anywhere
 * leaves a host that resolves, and can be gone on with or undone. Main thread.
 */
struct failure;
struct host;
struct plan;
struct setup_port;

/* How often mxcache is asked whether it is there, with a pause between. */
#define SETUP_AWAIT_TRIES 50

/* False: it stopped; the failure says where and why, and what has been done stays. */
bool setup_apply(const struct plan *plan, const struct host *host, const struct setup_port *port,
    struct failure *failure_out);

/* At least one of the servers answers; those that do not are told. */
bool setup_try_upstreams(
    const struct plan *plan, const struct setup_port *port, struct failure *failure_out);

struct setup_undo {
    bool is_forced; /* Files that were changed since are put back, too; a copy is kept. */
};

/* Everything as it was before the first setup. Files that somebody has changed since are left, and
 * told; then the journal stays, and it is false. */
bool setup_undo(const struct host *host, const struct setup_undo *undo,
    const struct setup_port *port, struct failure *failure_out);
