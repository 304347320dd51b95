/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as what people write in configuration files and command lines: addresses, networks,
 * numbers, durations, sizes. What is read is written so that it is read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/must.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const char *text, size_t len)
{
    struct address address;
    struct address again;
    char shown[ADDRESS_TEXT_SIZE];
    struct sockaddr_storage sockaddr;
    if (!address_parse(text, len, 53, &address)) {
        return;
    }
    size_t shown_len = address_format(&address, shown, sizeof shown);
    must(shown_len == strlen(shown) && shown_len < sizeof shown);
    must(address_parse(shown, shown_len, 0, &again) && address_equal(&address, &again));
    must(address_to_sockaddr(&address, &sockaddr) <= sizeof sockaddr);
    again = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    /* An IPv4 address in IPv6's clothes comes back without them. */
    must(address_equal(&address, &again) || address.family != again.family);
    must(address_is_loopback(&address) == address_is_loopback(&again));
    must(address_is_private(&again) || !address_is_any(&again));
}

static void check_network(const char *text, size_t len)
{
    struct network network;
    struct network again;
    char shown[ADDRESS_TEXT_SIZE];
    if (!network_parse(text, len, &network)) {
        return;
    }
    size_t shown_len = network_format(&network, shown, sizeof shown);
    must(network_parse(shown, shown_len, &again) && again.prefix == network.prefix);
    must(address_equal(&network.address, &again.address));
    must(network_contains(&network, &network.address));
}

static void check_numbers(const char *bytes, size_t len)
{
    char shown[64];
    struct text text;
    uint64_t number;
    uint64_t again;
    int64_t duration;
    int64_t duration_again;
    if (text_parse_u64(bytes, len, 1000000, &number)) {
        must(number <= 1000000);
    }
    if (text_parse_size(bytes, len, &number)) {
        text_init(&text, shown, sizeof shown);
        text_add_size(&text, number);
        must(!text.is_cut && text_parse_size(shown, text.len, &again) && again == number);
    }
    if (text_parse_duration(bytes, len, &duration)) {
        must(duration >= 0);
        text_init(&text, shown, sizeof shown);
        text_add_duration(&text, duration);
        must(!text.is_cut && text_parse_duration(shown, text.len, &duration_again));
        must(duration == duration_again);
    }
}

/* Whatever is told in a log line or in JSON stays one line, printable, and closed. */
static void check_told(const char *string, size_t len)
{
    char shown[2048];
    struct text text;
    text_init(&text, shown, sizeof shown);
    text_add_json_string(&text, string, len);
    for (size_t i = 0; i < text.len; i++) {
        must(shown[i] >= ' ' && shown[i] < 0x7f);
    }
    must(text.is_cut || (text.len >= 2 && shown[0] == '"' && shown[text.len - 1] == '"'));
    text_init(&text, shown, sizeof shown);
    text_add_quoted(&text, string);
    for (size_t i = 0; i < text.len; i++) {
        must((unsigned char)shown[i] >= ' ' && shown[i] != 0x7f);
    }
    must(text.len == strlen(shown));
}

static void check_distance(const char *string, size_t len)
{
    const char *other = len > 3 ? string + 3 : string;
    unsigned distance = text_distance(string, other);
    must(distance == text_distance(other, string) && distance <= 99);
    must(distance > 0 || strcmp(string, other) == 0 || strlen(string) > 99);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *string = malloc(size + 1);
    must(string != NULL);
    memcpy(string, data, size);
    string[size] = '\0';
    check_address(string, size);
    check_network(string, size);
    check_numbers(string, size);
    check_told(string, size);
    check_distance(string, size);
    free(string);
    return 0;
}
