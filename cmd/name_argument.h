/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/name.h"

/*
 * A domain name from the command line, in both forms. The text has every blank and odd byte
 * escaped, so that it is one word of the control protocol. Plain value; main thread.
 */
#define NAME_ARGUMENT_TEXT_SIZE NAME_TEXT_SIZE

struct name_argument {
    uint8_t name[NAME_SIZE_MAX];
    uint8_t len;
    char text[NAME_ARGUMENT_TEXT_SIZE];
};

/* False: no name; a sentence in the name of `subcommand` has been printed to standard error. */
bool name_argument_read(
    const char *subcommand, const char *argument, struct name_argument *name_out);
