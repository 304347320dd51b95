/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "doctor/net_sockets.h"
#include "doctor/postfix_config.h"

/*
 * What several checks want to know, gathered once, before the first of them. A new fact is a member
 * here, a file that gathers it, and a line in facts.c. Read-only for the checks. Main thread.
 */
struct host;

struct facts {
    struct postfix postfix;
    struct net_sockets sockets;
};

void facts_gather(struct facts *facts, const struct host *host);
void facts_fini(struct facts *facts);
