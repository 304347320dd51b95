/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The processes of the host, as /proc below its root names them. Read once; at most
 * HOST_NAMES_MAX names of /proc are looked at. Owns its list. Main thread.
 */
struct host;

#define PROCESS_NAME_SIZE 64

struct process {
    int pid;
    int parent_pid;
    char name[PROCESS_NAME_SIZE]; /* What the kernel calls it: 15 bytes, not the full path. */
    int64_t started_s;            /* Wall clock; 0: the time of boot is not known. */
};

struct processes {
    struct process *items; /* Owned; by process id as text. */
    size_t count;
    bool is_cut; /* There are more. */
};

/* Without /proc the list is empty. */
void processes_read(struct processes *processes, const struct host *host);
void processes_fini(struct processes *processes);

/* The first process of that name; NULL: none. */
const struct process *processes_find(const struct processes *processes, const char *name);

/* The first process of that id; NULL: none. */
const struct process *processes_find_pid(const struct processes *processes, int pid);
