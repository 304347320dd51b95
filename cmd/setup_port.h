/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The world as `mxcache setup` meets it: real servers, real programs, the terminal. Main thread.
 */
struct random;
struct setup_port;

/* `random` is borrowed for as long as the port is used. */
void setup_port_init(struct setup_port *port, struct random *random);
