/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/value_private.h"

#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "conf/pin.h"
#include "conf/settings.h"
#include "wire/name.h"

#define VALUE_LIST_PORT     53
#define VALUE_LIST_PORT_TLS 853

static void value_list_refuse(const struct value_entry *entry, const char *advice)
{
    const struct lexer_word *word = entry->word;
    struct finding_quote quote;
    finding_add(entry->findings, FINDING_ERROR, &word->place, "%s: \"%s\" %s", entry->row->name,
        finding_quote(word->bytes, word->len, &quote), advice);
}

/* Reads the address of `len` bytes at the word's start. */
static bool value_list_read_host(
    const struct value_entry *entry, size_t len, uint16_t port_default, struct address *address_out)
{
    const char *bytes = entry->word->bytes;
    struct address address;
    bool is_address = address_parse(bytes, len, port_default, &address) && address.port > 0;
    if (is_address && address_lacks_scope(&address)) {
        value_list_refuse(
            entry, "is link-local: write the interface behind it, as in fe80::1%eth0");
        return false;
    }
    if (is_address) {
        *address_out = address;
        return true;
    }
    const char *at = memchr(bytes, '@', len);
    bool is_port_wrong = at != NULL && address_parse(bytes, (size_t)(at - bytes), 1, &address);
    value_list_refuse(entry,
        is_port_wrong ? "has no port behind its @: write a number from 1 to 65535"
                      : "is not an address: write ADDRESS or ADDRESS@PORT, as in 192.0.2.53 or "
                        "2001:db8::53@5353; host names cannot be used here");
    return false;
}

bool value_list_read_address(const struct value_entry *entry, struct address *address_out)
{
    return value_list_read_host(entry, entry->word->len, VALUE_LIST_PORT, address_out);
}

/* The same network with the bits past its prefix cleared. False: that was not what is wrong. */
static bool value_list_mask(const struct lexer_word *word, struct network *network_out)
{
    const char *slash = memchr(word->bytes, '/', word->len);
    uint64_t prefix = 0;
    if (slash == NULL || !network_parse(word->bytes, (size_t)(slash - word->bytes), network_out) ||
        !text_parse_u64(slash + 1, word->len - (size_t)(slash + 1 - word->bytes),
            network_out->prefix, &prefix)) {
        return false;
    }
    for (unsigned bit = (unsigned)prefix; bit < network_out->prefix; bit++) {
        network_out->address.bytes[bit / 8] &= (uint8_t) ~(0x80U >> (bit % 8));
    }
    network_out->prefix = (uint8_t)prefix;
    return true;
}

bool value_list_read_network(const struct value_entry *entry, struct network *network_out)
{
    const struct lexer_word *word = entry->word;
    struct network network;
    if (network_parse(word->bytes, word->len, &network)) {
        *network_out = network;
        return true;
    }
    if (!value_list_mask(word, &network)) {
        value_list_refuse(entry, "is not a network: write ADDRESS or ADDRESS/PREFIX, as in "
                                 "192.0.2.0/24 or 2001:db8::/32");
        return false;
    }
    char masked[ADDRESS_TEXT_SIZE];
    network_format(&network, masked, sizeof masked);
    struct finding_quote quote;
    finding_add(entry->findings, FINDING_ERROR, &word->place,
        "%s: \"%s\" has bits set behind its prefix: write %s if you mean the network, or leave out "
        "the prefix if you mean the one address",
        entry->row->name, finding_quote(word->bytes, word->len, &quote), masked);
    return false;
}

/* The name that the server's certificate must bear. */
static bool value_list_read_tls_name(
    const char *bytes, size_t len, char name_out[SETTINGS_TLS_SIZE])
{
    uint8_t wire[NAME_SIZE_MAX];
    size_t wire_len = 0;
    if (len >= SETTINGS_TLS_SIZE || !name_from_text(bytes, len, wire, &wire_len)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char byte = bytes[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_letter && !is_digit && byte != '-' && byte != '.' && byte != '_') {
            return false;
        }
    }
    memcpy(name_out, bytes, len);
    name_out[len] = '\0';
    return true;
}

bool value_list_read_server(const struct value_entry *entry, struct settings_server *server_out)
{
    const struct lexer_word *word = entry->word;
    struct settings_server server;
    memset(&server, 0, sizeof server);
    const char *hash = memchr(word->bytes, '#', word->len);
    size_t host_len = hash == NULL ? word->len : (size_t)(hash - word->bytes);
    uint16_t port_default = hash == NULL ? VALUE_LIST_PORT : VALUE_LIST_PORT_TLS;
    if (!value_list_read_host(entry, host_len, port_default, &server.address)) {
        return false;
    }
    if (address_is_any(&server.address)) {
        value_list_refuse(entry, "is no server: it stands for every address");
        return false;
    }
    if (hash != NULL &&
        !value_list_read_tls_name(hash + 1, word->len - host_len - 1, server.tls_name)) {
        value_list_refuse(entry,
            "has no valid TLS name behind #: write the name in the server's certificate, as in "
            "192.0.2.53#dns.example.net; a comment needs a blank before its #");
        return false;
    }
    *server_out = server;
    return true;
}

/* The port is left out when it is the one that would be taken anyway. */
static void value_list_write_host(const struct address *address, uint16_t port, struct text *text)
{
    char host[ADDRESS_TEXT_SIZE];
    if (address->port == port) {
        address_format_host(address, host, sizeof host);
    } else {
        address_format(address, host, sizeof host);
    }
    text_add(text, host);
}

void value_list_write_address(const struct address *address, struct text *text)
{
    value_list_write_host(address, VALUE_LIST_PORT, text);
}

void value_list_write_network(const struct network *network, struct text *text)
{
    char host[ADDRESS_TEXT_SIZE];
    if (network->prefix == (network->address.family == ADDRESS_IPV4 ? 32 : 128)) {
        address_format_host(&network->address, host, sizeof host);
    } else {
        network_format(network, host, sizeof host);
    }
    text_add(text, host);
}

void value_list_write_server(const struct settings_server *server, struct text *text)
{
    bool has_tls = server->tls_name[0] != '\0';
    value_list_write_host(&server->address, has_tls ? VALUE_LIST_PORT_TLS : VALUE_LIST_PORT, text);
    if (has_tls) {
        text_addf(text, "#%s", server->tls_name);
    }
}

bool value_list_read_pin(const struct value_entry *entry, struct settings_pin *pin_out)
{
    if (pin_from_text(entry->word->bytes, entry->word->len, pin_out)) {
        return true;
    }
    value_list_refuse(entry, "is not a pin: write sha256/ and the base64 of the 32 bytes that are "
                             "the SHA-256 of the server's public key, 44 characters of which the "
                             "last is =");
    return false;
}

void value_list_write_pin(const struct settings_pin *pin, struct text *text)
{
    char pin_text[PIN_TEXT_SIZE];
    pin_to_text(pin, pin_text);
    text_add(text, pin_text);
}
