/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The names of the bench's mail world, in text form without the final dot. The generator asks them
 * and the simulated upstream answers with them, so both take them from here. All hosts and domains
 * lie below .bench, which nobody has; only the lists' zones are real names, for resolvers may know
 * them. Pure.
 */
#define NAMES_TEXT_SIZE  128
#define NAMES_DOMAINS    5000  /* Sender domains: d0.bench and so on. */
#define NAMES_LINKS      20000 /* Domains of links in messages: u0.bench and so on. */
#define NAMES_PROVIDERS  250   /* Who run the MX hosts of the sender domains. */
#define NAMES_CLIENTS    50000 /* Clients that come again. */
#define NAMES_HASH_CHARS 32

/* A mixed 64-bit number: equal inputs give equal numbers on every machine. */
uint64_t names_mix(uint64_t number);

/* The address of a client that comes again, by rank, and of the one that comes once, by session.
 * Neither is private or special. */
uint32_t names_client(uint32_t rank);
uint32_t names_stranger(uint32_t session);

/* Some clients have no PTR record. */
bool names_has_ptr(uint32_t address);

void names_reverse(uint32_t address, const char *zone, char text_out[NAMES_TEXT_SIZE]);
void names_host(uint32_t address, char text_out[NAMES_TEXT_SIZE]);
void names_domain(uint32_t rank, char text_out[NAMES_TEXT_SIZE]);
void names_link(uint32_t rank, char text_out[NAMES_TEXT_SIZE]);

/* Of a sender domain: its MX hosts (0 and 1), and the names its SPF record includes (0 and 1). */
void names_mx(uint32_t rank, unsigned which, char text_out[NAMES_TEXT_SIZE]);
void names_spf(uint32_t rank, unsigned which, char text_out[NAMES_TEXT_SIZE]);
