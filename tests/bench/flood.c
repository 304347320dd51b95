/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load of `./dev bench flood`: one process asks questions that nobody has asked before, as fast
 * as it can send, and reads no answer; beside it a polite client asks one of a few questions that
 * were asked before, waits for its answer, and asks the next. Like libc it takes a new port for
 * each.
 *
 *     flood [-n KNOWN] [-f FIRST] [-t SECONDS] [-r RATE] [-q] SERVER@PORT
 *
 * The polite client asks the first KNOWN questions of the mail mix (mix.h) in turn, the flood those
 * from FIRST on, at most RATE of them a second; -q: no flood. Prints one line of JSON. Ends by
 * itself, and when its parent ends.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/metrics.h"
#include "base/text.h"
#include "wire/header.h"
#include "tests/bench/mix.h"

#define BATCH         64
#define QUERY_SIZE    512
#define SECONDS_MAX   3600
#define PATIENCE_MS   1000
#define POLITE_GAP_NS 2000000 /* So that the client is no load itself: at most 500 a second. */

struct flood {
    struct address server;
    uint64_t known;
    uint64_t first;
    uint64_t rate; /* 0: as fast as it can. */
    int64_t time_us;
    bool is_quiet;
};

struct polite {
    struct histogram waits;
    uint64_t failed; /* Neither NOERROR nor NXDOMAIN. */
    uint64_t lost;
};

static size_t query_write(uint64_t number, uint8_t *bytes)
{
    struct mix_question asked;
    struct writer writer = writer_of(bytes, QUERY_SIZE);
    const uint16_t counts[4] = {1, 0, 0, 0};
    mix_question(MIX_MAIL, number, &asked);
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &asked.question);
    header_set_id(bytes, (uint16_t)number);
    header_set_flags(bytes, HEADER_RD);
    header_set_counts(bytes, counts);
    return writer.len;
}

/* -1: no socket. */
static int server_connect(const struct address *server)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(server, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&sockaddr, len) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* Waits until the flood may send more, or is over. */
static void flood_pace(const struct flood *flood, int64_t began, uint64_t sent)
{
    const struct timespec gap = {.tv_nsec = POLITE_GAP_NS};
    uint64_t due = flood->rate == 0 ? 0 : sent * CLOCK_US_PER_S / flood->rate;
    uint64_t end = (uint64_t)flood->time_us;
    while ((uint64_t)(clock_now() - began) < (due < end ? due : end)) {
        (void)nanosleep(&gap, NULL);
    }
}

/* In a process of its own, which ends with its parent. */
static void flood_send(const struct flood *flood, struct counter *sent)
{
    static uint8_t bytes[BATCH][QUERY_SIZE];
    struct iovec rooms[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    int fd = server_connect(&flood->server);
    uint64_t number = flood->first;
    int64_t began = clock_now();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (fd >= 0 && clock_now() - began < flood->time_us && number < MIX_COUNT_MAX - BATCH) {
        for (unsigned i = 0; i < BATCH; i++) {
            rooms[i] = (struct iovec){bytes[i], query_write(number++, bytes[i])};
            messages[i].msg_hdr.msg_iov = &rooms[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        int done = sendmmsg(fd, messages, BATCH, 0);
        counter_add(sent, done > 0 ? (uint64_t)done : 0);
        flood_pace(flood, began, number - flood->first);
    }
    _exit(fd < 0 ? 1 : 0);
}

/* One question, from its own port. */
static void polite_ask(struct polite *polite, const struct flood *flood, uint64_t number)
{
    uint8_t bytes[QUERY_SIZE];
    size_t len = query_write(number, bytes);
    int fd = server_connect(&flood->server);
    int64_t began = clock_now();
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (fd < 0 || send(fd, bytes, len, 0) < 0 || poll(&readable, 1, PATIENCE_MS) != 1 ||
        recv(fd, bytes, sizeof bytes, 0) < HEADER_SIZE) {
        polite->lost++;
    } else {
        histogram_record(&polite->waits, clock_now() - began);
        unsigned rcode = header_rcode(bytes);
        polite->failed += rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN ? 0 : 1;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void polite_run(struct polite *polite, const struct flood *flood)
{
    const struct timespec gap = {.tv_nsec = POLITE_GAP_NS};
    int64_t stop_at = clock_now() + flood->time_us;
    for (uint64_t number = 0; clock_now() < stop_at; number++) {
        polite_ask(polite, flood, number % flood->known);
        (void)nanosleep(&gap, NULL);
    }
}

static void result_print(const struct polite *polite, uint64_t sent, int64_t time_us)
{
    struct histogram_sum waits = {.count = 0};
    histogram_merge(&waits, &polite->waits);
    printf("{\"flood_a_second\":%.0f,\"answered\":%llu,\"failed\":%llu,\"lost\":%llu,"
           "\"median_us\":%llu,\"p99_us\":%llu,\"worst_us\":%llu}\n",
        (double)sent * CLOCK_US_PER_S / (double)time_us, (unsigned long long)waits.count,
        (unsigned long long)polite->failed, (unsigned long long)polite->lost,
        (unsigned long long)histogram_quantile(&waits, 500),
        (unsigned long long)histogram_quantile(&waits, 990), (unsigned long long)waits.max_us);
}

static bool option_take(struct flood *flood, int option)
{
    uint64_t number = 0;
    if (option == 'q') {
        flood->is_quiet = true;
        return true;
    }
    if (option == '?' || !text_parse_u64(optarg, strlen(optarg), MIX_COUNT_MAX, &number)) {
        return false;
    }
    if (option == 'n') {
        flood->known = number;
    } else if (option == 'f') {
        flood->first = number;
    } else if (option == 'r') {
        flood->rate = number;
    } else {
        flood->time_us = (int64_t)number * CLOCK_US_PER_S;
    }
    return true;
}

static bool options_read(struct flood *flood, int argc, char **argv)
{
    int option = 0;
    bool is_good = true;
    while ((option = getopt(argc, argv, "n:f:t:r:q")) != -1) {
        is_good = option_take(flood, option) && is_good;
    }
    return is_good && optind == argc - 1 && flood->known > 0 && flood->time_us > 0 &&
           flood->time_us <= SECONDS_MAX * CLOCK_US_PER_S &&
           address_parse(argv[optind], strlen(argv[optind]), 53, &flood->server);
}

static int flood_run(const struct flood *flood)
{
    static struct polite polite;
    int status = 0;
    struct counter *sent =
        mmap(NULL, sizeof *sent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = sent == MAP_FAILED || flood->is_quiet ? 0 : fork();
    if (sent == MAP_FAILED || child < 0) {
        fprintf(stderr, "flood: %s\n", strerror(errno));
        return 1;
    }
    if (child == 0 && !flood->is_quiet) {
        flood_send(flood, sent);
    }
    polite_run(&polite, flood);
    if (child > 0) {
        (void)waitpid(child, &status, 0);
    }
    result_print(&polite, counter_read(sent), flood->time_us);
    return status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct flood flood = {.known = 200, .first = 1000000, .time_us = 10 * CLOCK_US_PER_S};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!options_read(&flood, argc, argv)) {
        fprintf(
            stderr, "usage: flood [-n KNOWN] [-f FIRST] [-t SECONDS] [-r RATE] [-q] SERVER@PORT\n");
        return 64;
    }
    return flood_run(&flood);
}
