/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Why the daemon cannot start: one sentence with the cause and the remedy, for the operator, and
 * the exit code that says the same to a supervisor (sysexits.h). Owned by whoever calls; the first
 * trouble ends the start.
 */
#define TROUBLE_SENTENCE_SIZE 640

struct trouble {
    int exit_code;
    char sentence[TROUBLE_SENTENCE_SIZE];
};

__attribute__((format(printf, 3, 4))) void trouble_set(
    struct trouble *trouble, int exit_code, const char *format, ...);

/* Memory is short; says so, with exit code EX_OSERR. */
void trouble_set_memory(struct trouble *trouble);
