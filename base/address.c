/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

/* Longest ADDRESS%SCOPE that is looked at. */
#define HOST_SIZE (INET6_ADDRSTRLEN + 1 + IF_NAMESIZE)

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_link_local(const struct address *address)
{
    return address->family == ADDRESS_IPV6 && address->bytes[0] == 0xfe &&
           (address->bytes[1] & 0xc0) == 0x80;
}

static struct address unmapped(const struct address *address)
{
    struct address plain = *address;
    if (address->family == ADDRESS_IPV6 &&
        memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        plain.family = ADDRESS_IPV4;
        plain.scope_id = 0;
        memset(plain.bytes, 0, sizeof(plain.bytes));
        memcpy(plain.bytes, address->bytes + sizeof(mapped_prefix), 4);
    }
    return plain;
}

static bool scope_parse(const char *scope, uint32_t *scope_id_out)
{
    uint64_t number = if_nametoindex(scope);
    if (number == 0 && !text_parse_u64(scope, strlen(scope), UINT32_MAX, &number)) {
        return false;
    }
    *scope_id_out = (uint32_t)number;
    return number != 0;
}

/* Reads ADDRESS[%SCOPE]; a scope is for link-local addresses, which alone need one. */
static bool host_parse(const char *text, size_t len, struct address *address_out)
{
    char host[HOST_SIZE];
    if (len >= sizeof(host) || memchr(text, '\0', len) != NULL) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';

    char *percent = strchr(host, '%');
    if (percent != NULL) {
        *percent = '\0';
    }
    if (percent == NULL && inet_pton(AF_INET, host, address_out->bytes) == 1) {
        address_out->family = ADDRESS_IPV4;
        return true;
    }
    if (inet_pton(AF_INET6, host, address_out->bytes) != 1) {
        return false;
    }
    address_out->family = ADDRESS_IPV6;
    return percent == NULL ||
           (is_link_local(address_out) && scope_parse(percent + 1, &address_out->scope_id));
}

bool address_parse(const char *text, size_t len, uint16_t port_default, struct address *address_out)
{
    struct address address = {.port = port_default};
    const char *at = memchr(text, '@', len);
    size_t host_len = at != NULL ? (size_t)(at - text) : len;
    if (at != NULL) {
        uint64_t port = 0;
        if (!text_parse_u64(at + 1, len - host_len - 1, UINT16_MAX, &port) || port == 0) {
            return false;
        }
        address.port = (uint16_t)port;
    }
    if (!host_parse(text, host_len, &address)) {
        return false;
    }
    *address_out = address;
    return true;
}

static void host_add(struct text *text, const struct address *address)
{
    char host[INET6_ADDRSTRLEN] = "none";
    if (address->family != ADDRESS_NONE) {
        int family = address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
        must(inet_ntop(family, address->bytes, host, sizeof(host)) != NULL);
    }
    text_add(text, host);
    if (address->scope_id == 0) {
        return;
    }
    char name[IF_NAMESIZE];
    if (if_indextoname(address->scope_id, name) != NULL) {
        text_addf(text, "%%%s", name);
    } else {
        text_addf(text, "%%%u", (unsigned)address->scope_id);
    }
}

size_t address_format(const struct address *address, char *text_out, size_t size)
{
    struct text text;
    text_init(&text, text_out, size);
    host_add(&text, address);
    if (address->port != 0) {
        text_addf(&text, "@%u", (unsigned)address->port);
    }
    return text.len;
}

size_t address_format_host(const struct address *address, char *text_out, size_t size)
{
    struct text text;
    text_init(&text, text_out, size);
    host_add(&text, address);
    return text.len;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Do the first `prefix` bits agree? */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
    unsigned whole = prefix / 8;
    unsigned rest = prefix % 8;
    if (memcmp(a, b, whole) != 0) {
        return false;
    }
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    struct address plain = unmapped(address);
    if (plain.family == ADDRESS_IPV4) {
        return plain.bytes[0] == 127;
    }
    return plain.family == ADDRESS_IPV6 && memcmp(plain.bytes, loopback, sizeof(loopback)) == 0;
}

bool address_is_private(const struct address *address)
{
    static const struct network networks[] = {
        {{.family = ADDRESS_IPV4, .bytes = {0}}, 8},
        {{.family = ADDRESS_IPV4, .bytes = {10}}, 8},
        {{.family = ADDRESS_IPV4, .bytes = {100, 64}}, 10},
        {{.family = ADDRESS_IPV4, .bytes = {169, 254}}, 16},
        {{.family = ADDRESS_IPV4, .bytes = {172, 16}}, 12},
        {{.family = ADDRESS_IPV4, .bytes = {192, 168}}, 16},
        {{.family = ADDRESS_IPV6, .bytes = {0xfc}}, 7},
        {{.family = ADDRESS_IPV6, .bytes = {0xfe, 0x80}}, 10},
        {{.family = ADDRESS_IPV6, .bytes = {0}}, 128},
    };
    struct address plain = unmapped(address);
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if (network_contains(&networks[i], &plain)) {
            return true;
        }
    }
    return false;
}

bool address_is_any(const struct address *address)
{
    static const uint8_t zero[16] = {0};
    return address->family != ADDRESS_NONE && memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

bool address_lacks_scope(const struct address *address)
{
    return is_link_local(address) && address->scope_id == 0;
}

socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (address->family == ADDRESS_IPV4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->bytes, 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    must(address->family == ADDRESS_IPV6);
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(address->port),
        .sin6_scope_id = address->scope_id,
    };
    memcpy(&in6.sin6_addr, address->bytes, 16);
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

struct address address_from_sockaddr(const struct sockaddr *sockaddr)
{
    /* Copied out, because the caller's bytes need not be aligned for the larger structs. */
    struct address address = {.family = ADDRESS_NONE};
    if (sockaddr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sockaddr, sizeof(in));
        address.family = ADDRESS_IPV4;
        address.port = ntohs(in.sin_port);
        memcpy(address.bytes, &in.sin_addr, 4);
    } else if (sockaddr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sockaddr, sizeof(in6));
        address.family = ADDRESS_IPV6;
        address.port = ntohs(in6.sin6_port);
        address.scope_id = in6.sin6_scope_id;
        memcpy(address.bytes, &in6.sin6_addr, 16);
    }
    return address;
}

bool network_parse(const char *text, size_t len, struct network *network_out)
{
    const char *slash = memchr(text, '/', len);
    size_t host_len = slash != NULL ? (size_t)(slash - text) : len;
    struct network network = {.prefix = 0};
    if (!host_parse(text, host_len, &network.address) || network.address.scope_id != 0) {
        return false;
    }
    uint64_t prefix_max = network.address.family == ADDRESS_IPV4 ? 32 : 128;
    uint64_t prefix = prefix_max;
    if (slash != NULL && !text_parse_u64(slash + 1, len - host_len - 1, prefix_max, &prefix)) {
        return false;
    }
    network.prefix = (uint8_t)prefix;
    for (unsigned bit = network.prefix; bit < 128; bit++) {
        if ((network.address.bytes[bit / 8] & (0x80 >> (bit % 8))) != 0) {
            return false;
        }
    }
    *network_out = network;
    return true;
}

size_t network_format(const struct network *network, char *text_out, size_t size)
{
    struct text text;
    text_init(&text, text_out, size);
    host_add(&text, &network->address);
    text_addf(&text, "/%u", (unsigned)network->prefix);
    return text.len;
}

bool network_contains(const struct network *network, const struct address *address)
{
    return network->address.family != ADDRESS_NONE && network->address.family == address->family &&
           bits_equal(network->address.bytes, address->bytes, network->prefix);
}
