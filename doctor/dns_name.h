/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/* Addresses and names, as PTR questions and their answers have them. Pure. */
struct ask;

/* 1.2.0.192.in-addr.arpa, or the nibbles; without a final dot. */
#define DNS_REVERSE_SIZE 80
void dns_name_reverse(const struct address *address, char name_out[DNS_REVERSE_SIZE]);

/* The name in the first PTR record of the answer, without its final dot. False: there is none. */
bool dns_name_of_ptr(const struct ask *ask, char *name_out, size_t size);

/* One of the A or AAAA records of the answer is that address. */
bool dns_name_leads_to(const struct ask *ask, const struct address *address);

/* The first A or AAAA record's address. False: there is none. */
bool dns_name_address(const struct ask *ask, struct address *address_out);
