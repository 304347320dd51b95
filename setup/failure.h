/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Why setup stopped: one sentence for the operator, with what to do. Plain value.
 */
#define FAILURE_SENTENCE_SIZE 640

struct failure {
    char sentence[FAILURE_SENTENCE_SIZE];
};

/* Always false, so that a function can fail and say why in one line. */
__attribute__((format(printf, 2, 3))) _Bool failure_set(
    struct failure *failure, const char *format, ...);
