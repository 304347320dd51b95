/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/name_argument.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "doctor/dns_name.h"

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

/* An address without a final dot: whoever writes one means the name of its host. */
static bool is_address(const char *argument, char reverse_out[DNS_REVERSE_SIZE])
{
    struct address address;
    if (strchr(argument, '@') != NULL || !address_parse(argument, strlen(argument), 53, &address)) {
        return false;
    }
    dns_name_reverse(&address, reverse_out);
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
    char reverse[DNS_REVERSE_SIZE];
    if (is_address(argument, reverse)) {
        (void)fprintf(stderr,
            "mxcache %s: this is an address: DNS knows its host as %s PTR; for a name that looks "
            "so,"
            " write a dot behind it.\n",
            subcommand, reverse);
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
