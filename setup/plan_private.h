/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/* The parts of plan_make(), in the order of the steps; each in the file of its subject. False: it
 * cannot be done. */
struct failure;
struct plan;
struct plan_case;

bool plan_upstreams(struct plan *plan, const struct plan_case *facts, struct failure *failure_out);
bool plan_resolv_conf(
    struct plan *plan, const struct plan_case *facts, struct failure *failure_out);
void plan_chroots(struct plan *plan, const struct plan_case *facts);
void plan_services(struct plan *plan, const struct plan_case *facts);

/* Asks the service manager that runs this host: unit and verb. */
bool plan_add_service(struct plan *plan, const struct plan_case *facts, const char *why,
    const char *verb, const char *unit);

/* A command line by the absolute path of its program; a note, where this host does not have it. */
bool plan_command(
    struct plan *plan, const struct plan_case *facts, const char *command, const char *why);

/* All running programs that have read resolv.conf, Postfix included. */
void plan_reloads(struct plan *plan, const struct plan_case *facts);

/* What /etc/resolv.conf is going to be: owned by the caller. NULL: no memory. */
char *plan_resolv_conf_bytes(const struct plan *plan, const struct plan_case *facts);
