/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A reply of the daemon to `slow`: a hedge, a question that joined a fetch and got a stale answer,
 * a failure that was remembered, and things of a newer daemon.
 */
static const char slow_fixture[] =
    "ok\n"
    "question 754 61200 0 3 MX 0 miss NOERROR -1 mail.example.org.\n"
    "event 0 asked 192.0.2.53@53 udp first - 0\n"
    "event 43100 asked 198.51.100.7@5353 udp hedge - 0\n"
    "event 61200 replied 198.51.100.7@5353 udp answer NOERROR 0\n"
    "tea and biscuits\n"
    "question 7 40000 20000 1 A 1 stale NOERROR 3 ?.*.zen.dq.spamhaus.net.\n"
    "reason upstream is slow or silent; this answer has expired\n"
    "event 0 asked 2001:db8::1@853 tls first - 0\n"
    "event 30000 lost 2001:db8::1@853 tls - - 0\n"
    "event 90000 replied 2001:db8::1@853 tls nxdomain NXDOMAIN 1 and more\n"
    "left-out 12\n"
    "question 0 0 0 9 TYPE65 0 failed SERVFAIL 13 example.com.\n"
    ".\n";
