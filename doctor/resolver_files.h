/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "conf/resolv_conf.h"
#include "doctor/host.h"

/*
 * The files of a host that name the servers its questions go to: /etc/resolv.conf itself, and those
 * in which the programs that may write it keep what they have learned of the network. Read once;
 * plain data, owns nothing, bounded. Any bytes are safe. Main thread.
 */
#define RESOLVER_FILES_MAX      32
#define RESOLVER_FILE_SIZE_MAX  (256 * 1024)
#define RESOLVER_UPSTREAMS_MAX  16
#define RESOLVER_FILE_PATH_SIZE 256

/* In the order in which they are believed. */
enum resolver_file_kind {
    RESOLVER_FILE_LIBC,            /* /etc/resolv.conf. */
    RESOLVER_FILE_RESOLVED,        /* The servers behind the stub of systemd-resolved. */
    RESOLVER_FILE_NETWORK_MANAGER, /* Those of NetworkManager's connections. */
    RESOLVER_FILE_RESOLVCONF,      /* resolvconf's record of an interface. */
    RESOLVER_FILE_NETWORKD,        /* A lease of systemd-networkd. */
    RESOLVER_FILE_DHCLIENT,        /* The last lease in a file of dhclient's. */
};

struct resolver_file {
    enum resolver_file_kind kind;
    char path[RESOLVER_FILE_PATH_SIZE];
    enum host_verdict verdict;
    struct resolv_conf conf; /* Of other formats, the servers only. */
    bool is_empty;           /* No byte at all. */
    long modified_s;         /* Wall clock. */
};

struct resolver_files {
    struct resolver_file files[RESOLVER_FILES_MAX]; /* The first is /etc/resolv.conf. */
    size_t count;
    size_t dropped; /* More than fit. */
};

void resolver_files_read(struct resolver_files *files, const struct host *host);

/* The first that could be read, of that kind; NULL: none. */
const struct resolver_file *resolver_files_find(
    const struct resolver_files *files, enum resolver_file_kind kind);

/* A server and who names it. */
struct resolver_upstream {
    struct address address;
    const struct resolver_file *file;
};

/* The servers that are neither this host's loopback addresses nor wildcards: those of
 * /etc/resolv.conf; where it has none, those of the first kind of file that has any. No server
 * twice. Returns how many. */
size_t resolver_files_upstreams(const struct resolver_files *files,
    struct resolver_upstream upstreams_out[RESOLVER_UPSTREAMS_MAX]);

/* What dhclient(8) was told last: the last `option domain-name-servers` in the text. And the DNS=
 * line of systemd-networkd's leases. Pure. */
void resolver_lease_parse(const char *bytes, size_t len, struct resolv_conf *out);
void resolver_networkd_parse(const char *bytes, size_t len, struct resolv_conf *out);
