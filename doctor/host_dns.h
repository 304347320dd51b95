/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What several checks ask about how this host uses DNS, answered from the facts. Main thread.
 */
struct address;
struct doctor;

/* Is that one of the addresses that mxcache listens on? Without settings: 127.0.0.1 and ::1. */
bool host_dns_is_own(const struct doctor *doctor, const struct address *address);

/* The same, unless another program listens there: then it is not mxcache that answers. */
bool host_dns_is_us(const struct doctor *doctor, const struct address *address);

/* /etc/resolv.conf names mxcache's addresses, at least one of them; or nobody else. */
bool host_dns_names_us(const struct doctor *doctor);
bool host_dns_names_us_alone(const struct doctor *doctor);

/* /etc/resolv.conf names that address, among the three that libc asks. */
bool host_dns_is_in_file(const struct doctor *doctor, const struct address *address);

/* Somebody listens at UDP port 53 of that address. False as well when it cannot be seen. */
bool host_dns_is_held(const struct doctor *doctor, const char *address);

/* Seconds by which mxcache has answered every question, rounded up, where the host asks nobody
 * else; 0 elsewhere. */
unsigned host_dns_deadline_s(const struct doctor *doctor);

/* The seconds that one lookup of libc's takes at worst. */
unsigned host_dns_stall_s(const struct doctor *doctor);

/* Is there such a file or folder? */
bool host_has(const struct doctor *doctor, const char *path);
