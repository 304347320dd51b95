/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap.h>

#include "base/clock.h"
#include "doctor/capture_packet.h"

/* In some year 36,000; a time beyond is damage, and is not counted with. */
#define TIME_S_MAX (INT64_C(1) << 40)

/* In files of BSD, whose numbers differ from those of Linux, raw IP is one of these. */
#define LINK_RAW_BSD 14

struct capture_file {
    pcap_t *pcap;
    enum capture_link link;
    uint64_t packets;
    uint64_t bytes;
};

struct link_row {
    int number;
    enum capture_link link;
};

static const struct link_row link_rows[] = {
    {DLT_EN10MB, CAPTURE_LINK_ETHERNET},
    {DLT_LINUX_SLL, CAPTURE_LINK_COOKED},
    {DLT_LINUX_SLL2, CAPTURE_LINK_COOKED_2},
    {DLT_RAW, CAPTURE_LINK_RAW},
    {DLT_IPV4, CAPTURE_LINK_RAW},
    {DLT_IPV6, CAPTURE_LINK_RAW},
    {LINK_RAW_BSD, CAPTURE_LINK_RAW},
    {DLT_NULL, CAPTURE_LINK_LOOPBACK},
    {DLT_LOOP, CAPTURE_LINK_LOOPBACK},
};

static enum capture_link link_of(int number)
{
    for (size_t i = 0; i < sizeof link_rows / sizeof link_rows[0]; i++) {
        if (link_rows[i].number == number) {
            return link_rows[i].link;
        }
    }
    return CAPTURE_LINK_UNKNOWN;
}

/* A descriptor of its own; -1: it is none that can be read to an end, which has been said. */
static int file_descriptor(const char *path, char *sentence_out, size_t size)
{
    struct stat stat;
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                      : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        (void)snprintf(sentence_out, size, "%s cannot be read: %s.", path, strerror(errno));
    } else if (is_input ? isatty(fd) == 0 : S_ISREG(stat.st_mode)) {
        return fd;
    } else {
        (void)snprintf(sentence_out, size, "%s is no file; write the capture to one first.",
            is_input ? "Standard input" : path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

/* libpcap takes the stream over when it understands it. */
static pcap_t *savefile_open(int fd, char error_out[PCAP_ERRBUF_SIZE])
{
    FILE *stream = fdopen(fd, "rb");
    if (stream == NULL) {
        (void)close(fd);
        (void)snprintf(error_out, PCAP_ERRBUF_SIZE, "out of memory");
        return NULL;
    }
    pcap_t *pcap =
        pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_MICRO, error_out);
    if (pcap == NULL) {
        (void)fclose(stream);
    }
    return pcap;
}

struct capture_file *capture_file_open(const char *path, char *sentence_out, size_t size)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    int fd = file_descriptor(path, sentence_out, size);
    if (fd < 0) {
        return NULL;
    }
    struct capture_file *file = calloc(1, sizeof *file);
    pcap_t *pcap = savefile_open(fd, error);
    if (file == NULL || pcap == NULL) {
        (void)snprintf(sentence_out, size,
            "%s is no packet capture that libpcap understands: %s. Write one with "
            "`tcpdump -s0 -w FILE port 25`.",
            path, error);
        if (pcap != NULL) {
            pcap_close(pcap);
        }
        free(file);
        return NULL;
    }
    file->pcap = pcap;
    file->link = link_of(pcap_datalink(pcap));
    return file;
}

enum capture_file_verdict capture_file_next(
    struct capture_file *file, struct capture_packet *packet_out)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    if (file->packets >= CAPTURE_FILE_PACKETS_MAX || file->bytes >= CAPTURE_FILE_BYTES_MAX) {
        return CAPTURE_FILE_LIMIT;
    }
    int got = pcap_next_ex(file->pcap, &header, &bytes);
    if (got != 1) {
        return got == PCAP_ERROR_BREAK ? CAPTURE_FILE_END : CAPTURE_FILE_DAMAGED;
    }
    int64_t seconds = header->ts.tv_sec;
    seconds = seconds < 0 || seconds > TIME_S_MAX ? 0 : seconds;
    int64_t fraction = header->ts.tv_usec;
    fraction = fraction < 0 || fraction >= CLOCK_US_PER_S ? 0 : fraction;
    *packet_out = (struct capture_packet){
        .at_us = seconds * CLOCK_US_PER_S + fraction,
        .link = file->link,
        .bytes = bytes,
        .len = header->caplen,
        .wire_len = header->len,
    };
    file->packets++;
    file->bytes += header->caplen;
    return CAPTURE_FILE_PACKET;
}

void capture_file_free(struct capture_file **file)
{
    if (*file != NULL) {
        pcap_close((*file)->pcap);
        free(*file);
        *file = NULL;
    }
}

const char *capture_file_library(void)
{
    return pcap_lib_version();
}
