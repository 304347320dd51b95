/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * The door to libpcap: a file of packets (pcap or pcapng, as tcpdump and Wireshark write them),
 * read from its beginning. Nothing is captured here. A program that was built without libpcap has
 * the same functions (capture_file_absent.c), which say so. Bounded: CAPTURE_FILE_PACKETS_MAX
 * packets and CAPTURE_FILE_BYTES_MAX bytes are read of a file. One owner, one thread.
 */
#define CAPTURE_FILE_PACKETS_MAX 20000000
#define CAPTURE_FILE_BYTES_MAX   (16ULL << 30)

struct capture_file;
struct capture_packet;

enum capture_file_verdict {
    CAPTURE_FILE_PACKET,
    CAPTURE_FILE_END,
    CAPTURE_FILE_LIMIT,   /* There is more than is read. */
    CAPTURE_FILE_DAMAGED, /* From here on it cannot be understood: often the end is missing. */
};

/* A regular file, or standard input for "-". NULL: it cannot be read, and `sentence_out` says why,
 * as a sentence. Owned by the caller. */
struct capture_file *capture_file_open(const char *path, char *sentence_out, size_t size);

/* The packet's bytes are good until the next call. */
enum capture_file_verdict capture_file_next(
    struct capture_file *file, struct capture_packet *packet_out);

void capture_file_free(struct capture_file **file);

/* For `mxcache --version`: the library that runs, or that there is none. */
const char *capture_file_library(void);
