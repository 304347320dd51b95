/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/name_argument.h"

#include <stdio.h>
#include <string.h>

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

bool name_argument_read(
    const char *subcommand, const char *argument, struct name_argument *name_out)
{
    size_t len = 0;
    if (!is_ascii(argument)) {
        (void)fprintf(stderr,
            "mxcache %s: the name has letters outside ASCII: DNS knows it by its xn-- form, which"
            " idn2 prints.\n",
            subcommand);
        return false;
    }
    if (!name_from_text(argument, strlen(argument), name_out->name, &len)) {
        (void)fprintf(stderr,
            "mxcache %s: this is no domain name: labels of 1 to 63 bytes between dots, 255 bytes"
            " in all.\n",
            subcommand);
        return false;
    }
    name_out->len = (uint8_t)len;
    (void)name_to_text(name_out->name, len, name_out->text, sizeof name_out->text);
    return true;
}
