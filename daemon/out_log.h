/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * What the ways out tell the operator when the system refuses them a socket: one line a minute,
 * with the remedy.
 */
struct log_limit;

/* `way` is "UDP" or "TCP". */
void out_log_socket(struct log_limit *limit, const char *way, int error_number);
