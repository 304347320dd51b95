/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * An IP address with a port, and a network (address and prefix length). Plain values, comparable
 * and printable; the text form is the configuration's: ADDRESS or ADDRESS@PORT. Pure; any thread.
 */
enum address_family {
    ADDRESS_NONE = 0,
    ADDRESS_IPV4 = 4,
    ADDRESS_IPV6 = 6,
};

struct address {
    uint8_t family;    /* enum address_family. */
    uint8_t bytes[16]; /* Network order; IPv4 uses the first four, the rest is zero. */
    uint16_t port;     /* Host order. */
    uint32_t scope_id; /* Of a link-local IPv6 address, else 0. */
};

struct network {
    struct address address; /* Bits past the prefix are zero; the port is 0. */
    uint8_t prefix;         /* 0 to 32 or 128. */
};

/* Longest text form with port and scope, final NUL included. */
#define ADDRESS_TEXT_SIZE 80

/* Reads ADDRESS[@PORT]; without a port `port_default` is taken. The scope of fe80::1%eth0 is
 * resolved by if_nametoindex(3). False: not an address; `address_out` is untouched then. */
bool address_parse(
    const char *text, size_t len, uint16_t port_default, struct address *address_out);

/* Writes the address, with @PORT when port is not 0. Returns the length; always NUL-terminated. */
size_t address_format(const struct address *address, char *text_out, size_t size);

/* The same without the port. */
size_t address_format_host(const struct address *address, char *text_out, size_t size);

/* Family, bytes, scope and port are equal. */
bool address_equal(const struct address *a, const struct address *b);

/* 127/8, ::1, or either as an IPv4-mapped address. */
bool address_is_loopback(const struct address *address);

/* 10/8, 172.16/12, 192.168/16, 169.254/16, 100.64/10, fc00::/7, fe80::/10, :: and 0/8. */
bool address_is_private(const struct address *address);

/* 0.0.0.0 or ::. */
bool address_is_any(const struct address *address);

/* Link-local IPv6 without an interface: nothing can be sent to it, nor bound to it. */
bool address_lacks_scope(const struct address *address);

/* Returns the length of the sockaddr. */
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *out);

/* An IPv4-mapped address stays IPv6: our sockets are of one family each, so it can only be forged,
 * and is not to pass for the IPv4 address in it. ADDRESS_NONE for another family. */
struct address address_from_sockaddr(const struct sockaddr *sockaddr);

/* Reads ADDRESS[/PREFIX]. False: not a network, or bits set past the prefix. */
bool network_parse(const char *text, size_t len, struct network *network_out);
size_t network_format(const struct network *network, char *text_out, size_t size);
bool network_contains(const struct network *network, const struct address *address);
