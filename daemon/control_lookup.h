/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What the control commands say about one name: what is cached, and what happens when it is asked
 * anew (daemon/control.h). Main thread.
 */
struct control_commands;
struct control_request;
struct export_sources;
struct text;

void control_lookup_add(
    struct text *answer, struct control_commands *commands, const struct control_request *request);

/* Begins to follow a question, in the first worker. */
void control_trace_start(struct text *answer, const struct export_sources *sources,
    const struct control_request *request);

/* What is new, and the answer when it is over. */
void control_trace_look(struct text *answer, const struct export_sources *sources,
    const struct control_request *request);
