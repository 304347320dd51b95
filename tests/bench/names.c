/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/names.h"

#include <stdio.h>

#define ISPS         997
#define MAILERS      60
#define ISPS_PRIME   UINT64_C(0x697370)
#define PTR_SALT     UINT64_C(0x707472)
#define CLIENT_SALT  UINT64_C(0x636c69)
#define NO_PTR_PART  20 /* One in so many clients. */
#define CLIENT_FIRST 20 /* First octets of clients that come again: 20 to 79, nothing special. */
#define CLIENT_COUNT 60
#define STRANGER_TOP 84 /* First octet of those that come once. */

uint64_t names_mix(uint64_t number)
{
    uint64_t mixed = number + UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint32_t names_client(uint32_t rank)
{
    uint64_t mixed = names_mix(CLIENT_SALT ^ rank);
    uint32_t top = CLIENT_FIRST + rank % CLIENT_COUNT;
    return top << 24 | (uint32_t)(mixed & 0xffffffu);
}

uint32_t names_stranger(uint32_t session)
{
    /* An odd factor keeps 2^24 sessions apart. */
    return (uint32_t)STRANGER_TOP << 24 | ((session * 0x9e3779u) & 0xffffffu);
}

bool names_has_ptr(uint32_t address)
{
    return names_mix(PTR_SALT ^ address) % NO_PTR_PART != 0;
}

void names_reverse(uint32_t address, const char *zone, char text_out[NAMES_TEXT_SIZE])
{
    (void)snprintf(text_out, NAMES_TEXT_SIZE, "%u.%u.%u.%u.%s", address & 0xffu,
        (address >> 8) & 0xffu, (address >> 16) & 0xffu, address >> 24, zone);
}

void names_host(uint32_t address, char text_out[NAMES_TEXT_SIZE])
{
    (void)snprintf(text_out, NAMES_TEXT_SIZE, "h%u-%u-%u-%u.isp%u.bench", address >> 24,
        (address >> 16) & 0xffu, (address >> 8) & 0xffu, address & 0xffu,
        (unsigned)(names_mix(ISPS_PRIME ^ address) % ISPS));
}

void names_domain(uint32_t rank, char text_out[NAMES_TEXT_SIZE])
{
    (void)snprintf(text_out, NAMES_TEXT_SIZE, "d%u.bench", rank);
}

void names_link(uint32_t rank, char text_out[NAMES_TEXT_SIZE])
{
    (void)snprintf(text_out, NAMES_TEXT_SIZE, "u%u.bench", rank);
}

void names_mx(uint32_t rank, unsigned which, char text_out[NAMES_TEXT_SIZE])
{
    unsigned provider = (unsigned)(names_mix(rank) % NAMES_PROVIDERS);
    (void)snprintf(text_out, NAMES_TEXT_SIZE, "mx%u.prov%u.bench", which, provider);
}

void names_spf(uint32_t rank, unsigned which, char text_out[NAMES_TEXT_SIZE])
{
    if (which == 0) {
        unsigned provider = (unsigned)(names_mix(rank) % NAMES_PROVIDERS);
        (void)snprintf(text_out, NAMES_TEXT_SIZE, "_spf.prov%u.bench", provider);
    } else {
        unsigned mailer = (unsigned)(names_mix(~(uint64_t)rank) % MAILERS);
        (void)snprintf(text_out, NAMES_TEXT_SIZE, "spf.mailer%u.bench", mailer);
    }
}
