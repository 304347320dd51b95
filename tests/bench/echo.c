/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor of `./dev bench answers`: what the kernel charges anybody for taking a datagram and
 * sending one back. Reads up to 64 at a time, marks each as an answer, makes it as long as the
 * answers of a mail host are on average, and sends them all at once.
 *
 *     echo ADDRESS@PORT
 *
 * Prints "ready". Ends on TERM and when its parent ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "wire/header.h"

#define BATCH          64
#define QUERY_MAX      512
#define GROWTH         70 /* An answer of the mail mix is so much longer than its question. */
#define RECEIVE_BUFFER (4 << 20)

struct echo {
    struct mmsghdr messages[BATCH];
    struct iovec rooms[BATCH];
    struct sockaddr_storage peers[BATCH];
    uint8_t bytes[BATCH][QUERY_MAX + GROWTH];
};

static void batch_prepare(struct echo *echo)
{
    for (unsigned i = 0; i < BATCH; i++) {
        echo->rooms[i] = (struct iovec){.iov_base = echo->bytes[i], .iov_len = QUERY_MAX};
        echo->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &echo->peers[i],
            .msg_namelen = sizeof(echo->peers[i]),
            .msg_iov = &echo->rooms[i],
            .msg_iovlen = 1,
        };
    }
}

/* False: there is nothing more to read now. */
static bool batch_turn(struct echo *echo, int fd)
{
    batch_prepare(echo);
    int count = recvmmsg(fd, echo->messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        echo->bytes[i][2] |= (uint8_t)(HEADER_QR >> 8);
        echo->rooms[i].iov_len = echo->messages[i].msg_len + GROWTH;
    }
    int done = 0;
    while (done < count) {
        int sent = sendmmsg(fd, echo->messages + done, (unsigned)(count - done), MSG_DONTWAIT);
        done += sent > 0 ? sent : 1;
    }
    return count == BATCH;
}

static int socket_open(const char *text)
{
    struct address address;
    struct sockaddr_storage sockaddr;
    const int room = RECEIVE_BUFFER;
    if (!address_parse(text, strlen(text), 53, &address)) {
        errno = EINVAL;
        return -1;
    }
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (bind(fd, (const struct sockaddr *)&sockaddr, len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int echo_run(int fd)
{
    static struct echo echo;
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (epoll_wait(epoll, &event, 1, -1) >= 0 || errno == EINTR) {
        while (batch_turn(&echo, fd)) {
        }
    }
    return 1;
}

int main(int argc, char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int fd = argc == 2 ? socket_open(argv[1]) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: echo ADDRESS@PORT (%s)\n", strerror(errno));
        return 64;
    }
    return echo_run(fd);
}
