/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

struct address;
struct settings;

/* May this client ask? True when one of the networks in settings->allow contains its address. An
 * open resolver is a weapon against others (RFC 5358), so who is not named is not served. */
bool allow_admits(const struct settings *settings, const struct address *client);

/* It may, too, when it asks from the very address that it asks: so this host does by itself, and
 * the answer stays in it, whoever has sent the question. Ports do not matter. */
bool allow_is_ourselves(const struct address *client, const struct address *asked);

/* Either of them, for who has connected: what is asked is the address of our end. */
bool allow_admits_connection(const struct settings *settings, const struct address *client, int fd);
