/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/burst.h"

void burst_take(struct burst *burst, int fd)
{
    for (unsigned i = 0; i < BURST_MAX; i++) {
        burst->query_rooms[i] =
            (struct iovec){.iov_base = burst->queries[i], .iov_len = BURST_QUERY_SIZE};
        burst->incoming[i].msg_hdr = (struct msghdr){
            .msg_name = &burst->peers[i],
            .msg_namelen = sizeof(burst->peers[i]),
            .msg_iov = &burst->query_rooms[i],
            .msg_iovlen = 1,
        };
    }
    int count = recvmmsg(fd, burst->incoming, BURST_MAX, MSG_DONTWAIT, NULL);
    burst->count = count > 0 ? (unsigned)count : 0;
    burst->reply_count = 0;
}

uint8_t *burst_room(struct burst *burst, unsigned at)
{
    return burst->replies[at];
}

void burst_reply(struct burst *burst, unsigned at, size_t len)
{
    burst->reply_rooms[at] = (struct iovec){.iov_base = burst->replies[at], .iov_len = len};
    burst->outgoing[burst->reply_count++].msg_hdr = (struct msghdr){
        .msg_name = &burst->peers[at],
        .msg_namelen = burst->incoming[at].msg_hdr.msg_namelen,
        .msg_iov = &burst->reply_rooms[at],
        .msg_iovlen = 1,
    };
}

void burst_send(struct burst *burst, int fd)
{
    unsigned done = 0;
    while (done < burst->reply_count) {
        int sent = sendmmsg(fd, burst->outgoing + done, burst->reply_count - done, MSG_DONTWAIT);
        done += sent > 0 ? (unsigned)sent : 1;
    }
}
