/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "cmd/reply.h"

/*
 * A reply of the daemon to `stats`, with something of each kind: buckets 10, 58, 115, 206 and 317
 * hold 10 us, 100 us, 1 ms, 45 ms and 4 s.
 */
static const char stats_fixture[] =
    "ok\n"
    "info 0.1.0 11531 2 812 /etc/mxcache/mxcache.conf\n"
    "metric questions counter 1234575\n"
    "metric answers_servfail counter 3\n"
    "metric upstream_mismatched counter 12\n"
    "metric questions_waiting gauge 4\n"
    "metric cache_bytes gauge 12345678\n"
    "metric cache_bytes_max gauge 67108864\n"
    "metric cache_entries gauge 12345\n"
    "metric cache_evictions counter 0\n"
    "metric tea_cups counter 7\n"
    "wait mx hit 900 9000 11 10:900\n"
    "wait mx stale 20 2000 101 58:20\n"
    "wait mx miss 79 3555000 47000 206:79\n"
    "wait mx failed 1 4000000 4000000 317:1\n"
    "wait list hit 1233500 12335000 11 10:1233500\n"
    "wait list miss 60 60000 1001 115:60\n"
    "wait list joined 10 10000 1000 115:10\n"
    "wait other local 5 0 0 0:5\n"
    "upstream default 192.0.2.53@53 - well 150 140 3 7 0 12000 11000 45000 90000 1200000\n"
    "upstream default 9.9.9.9@853 dns.quad9.net resting 12 1 0 11 2 0 0 0 0 0\n"
    "upstream office 2001:db8::53@5353 - untried 0 0 0 0 0 0 0 0 0 0\n"
    "list zen.spamhaus.org resolver 1300 300000 10 45000 90000 22000 90000 95000 1200 900 100 840 "
    "260 250 0 0 3 300\n"
    "list zen.dq.spamhaus.net well 20 0 10 10 11 22000 22000 22000 200 180 20 180 0 0 0 0 0 20\n"
    "list a-list-with-a-long-name.blocklists.example.org ended 0 0 0 0 0 0 0 0 "
    "5 0 0 5 0 0 0 0 0 5\n"
    "list - well 0 0 0 0 0 0 0 0 7\n"
    "round_trip default 192.0.2.53@53 - datagram 137 1500000 1200000 115:100,206:37\n"
    "round_trip default 192.0.2.53@53 - stream 3 150000 50000 206:3\n"
    "round_trip default 9.9.9.9@853 dns.quad9.net stream 1 1000 1000 115:1\n"
    "round_trip default 9.9.9.9@853 dns.quad9.net pigeon 1 1000 1000 115:1\n"
    "round_trip gone 192.0.2.9@53 - stream 1 1000 1000 115:1\n"
    "list_wait zen.spamhaus.org wait 1200 900000 47000 10:900,206:300\n"
    "list_wait zen.spamhaus.org miss 300 13500000 47000 206:300\n"
    "list_wait gone.example wait 1 10 10 10:1\n"
    "metric fetches_ahead counter 50\n"
    "metric ahead_asked_client_ptr counter 40\n"
    "metric ahead_used_client_ptr counter 30\n"
    "metric ahead_asked_domain_mx counter 10\n"
    "metric ahead_used_domain_mx counter 1\n"
    "ahead client_ptr on\n"
    "ahead domain_mx off\n"
    "ahead a_step_to_come on\n"
    ".\n";

/* `reply` is to be freed with reply_fini(). */
static inline bool reply_set(struct reply *reply, const char *text)
{
    *reply = (struct reply){.bytes = NULL};
    return reply_add(reply, text, strlen(text)) && reply_is_whole(reply) && reply_open(reply);
}
