/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "doctor/dns_scene.h"
#include "doctor/list_use.h"
#include "doctor/net_sockets.h"
#include "doctor/postfix_config.h"
#include "doctor/processes.h"
#include "doctor/resolver_files.h"
#include "doctor/resolver_owner.h"

/*
 * What several checks want to know, gathered once, before the first of them. A new fact is a member
 * here, a file that gathers it, and a line in facts.c. Read-only for the checks. Main thread.
 */
struct host;
struct mail_log;

struct facts {
    struct postfix postfix;
    struct net_sockets sockets;
    struct processes processes;
    struct resolver_files resolver;
    struct resolver_owner resolver_owner;
    struct list_uses lists;
    struct dns_scene dns;      /* By the first check that asks questions. */
    struct mail_log *mail_log; /* Owned. NULL until mail_log_of() reads it. */
};

void facts_gather(struct facts *facts, const struct host *host);
void facts_fini(struct facts *facts);
