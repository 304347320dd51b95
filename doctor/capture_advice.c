/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_advice.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "doctor/capture_tally.h"
#include "doctor/postfix_config.h"

/* A server that gives its clients less than this is stricter than RFC 5321 wants. */
#define SERVER_LIMIT_US (290 * CLOCK_US_PER_S)

static double seconds_of(int64_t us)
{
    return (double)us / (double)CLOCK_US_PER_S;
}

static const char *side_name(enum capture_side side)
{
    switch (side) {
    case CAPTURE_CLIENT:
        return "the client";
    case CAPTURE_SERVER:
        return "the server";
    case CAPTURE_NOBODY:
        break;
    }
    return "one side";
}

/* Who waited for whom, up to "for". */
static void add_wait(struct text *text, const struct capture_wait *wait)
{
    const char *verb = capture_verb_name(wait->verb);
    switch (wait->phase) {
    case CAPTURE_PHASE_CONNECT:
        text_add(text, "the connection was not accepted for");
        return;
    case CAPTURE_PHASE_BANNER:
        text_add(text, "after the connection was made the server sent no greeting (220) for");
        return;
    case CAPTURE_PHASE_REPLY:
        text_addf(text, "the server did not answer %s for", verb);
        return;
    case CAPTURE_PHASE_COMMAND:
        text_addf(text, "after the reply to %s the client said nothing for", verb);
        return;
    case CAPTURE_PHASE_FIRST:
        text_add(text, "after 354, the go-ahead for the message, the client sent nothing for");
        return;
    case CAPTURE_PHASE_MESSAGE:
        text_add(text, "in the middle of the message the client sent nothing for");
        return;
    case CAPTURE_PHASE_TLS:
        text_addf(
            text, "under TLS, when it was its turn, %s said nothing for", side_name(wait->side));
        return;
    case CAPTURE_PHASE_UNKNOWN:
        text_addf(text, "in a conversation whose beginning is missing %s said nothing for",
            side_name(wait->side));
        return;
    }
}

/* The same for what neither side is to blame for. */
static void add_standstill(struct text *text, const struct capture_wait *wait)
{
    const char *verb = capture_verb_name(wait->verb);
    switch (wait->phase) {
    case CAPTURE_PHASE_CONNECT:
        text_add(text, "while the connection was being made");
        break;
    case CAPTURE_PHASE_BANNER:
        text_add(text, "before the greeting (220)");
        break;
    case CAPTURE_PHASE_REPLY:
        text_addf(text, "before the reply to %s", verb);
        break;
    case CAPTURE_PHASE_COMMAND:
        text_addf(text, "after the reply to %s", verb);
        break;
    case CAPTURE_PHASE_FIRST:
        text_add(text, "after 354, at the beginning of the message,");
        break;
    case CAPTURE_PHASE_MESSAGE:
        text_add(text, "in the middle of the message");
        break;
    case CAPTURE_PHASE_TLS:
        text_add(text, "under TLS");
        break;
    case CAPTURE_PHASE_UNKNOWN:
        text_add(text, "in a conversation whose beginning is missing");
        break;
    }
    text_add(text, " everything stood still for");
}

static void add_end(struct text *text, const struct capture_wait *wait)
{
    switch (wait->end) {
    case CAPTURE_END_SPOKE:
        text_add(text, wait->ended_by == wait->side ? ", then went on."
                                                    : ", until the other side spoke again.");
        return;
    case CAPTURE_END_421:
        text_add(text, ", until the server gave up with 421.");
        return;
    case CAPTURE_END_CLOSED:
        text_addf(text, ", until %s closed the connection.", side_name(wait->ended_by));
        return;
    case CAPTURE_END_RESET:
        text_addf(text, ", until %s reset the connection.", side_name(wait->ended_by));
        return;
    case CAPTURE_END_CAPTURE:
        text_add(text, ", and there the capture ends.");
        return;
    }
}

static void add_stall(struct text *text, const struct capture_group *group)
{
    const struct capture_case *worst = &group->worst;
    add_wait(text, &worst->wait);
    text_addf(text, " %.1f s", seconds_of(worst->wait.us));
    add_end(text, &worst->wait);
    if (worst->late_us > 0) {
        text_addf(text,
            " The client went on %.1f s after it had been asked, too late: the connection was gone,"
            " which is what a late RST means.",
            seconds_of(worst->late_us));
    }
    bool is_limit = worst->wait.end != CAPTURE_END_SPOKE &&
                    worst->wait.end != CAPTURE_END_CAPTURE &&
                    worst->wait.ended_by != worst->culprit;
    const char *clause = is_limit ? capture_limit_clause(&worst->wait) : NULL;
    if (clause != NULL) {
        text_addf(text, " %.0f s is %s.", seconds_of(worst->wait.us), clause);
    } else if (is_limit) {
        text_addf(text, " %.0f s is no limit that is known as a default: somebody has set it.",
            seconds_of(worst->wait.us));
    }
    if (worst->has_dns_steps) {
        text_add(text, " That is a multiple of five seconds, as when a name server does not answer:"
                       " DNS is likely what it waited for.");
    }
}

static void add_path(struct text *text, const struct capture_group *group)
{
    const struct capture_wait *wait = &group->worst.wait;
    const struct capture_net *net = &wait->net;
    add_standstill(text, wait);
    text_addf(text, " %.1f s", seconds_of(wait->us));
    add_end(text, wait);
    uint32_t repeated = net->repeated[CAPTURE_CLIENT] + net->repeated[CAPTURE_SERVER];
    uint32_t large = net->large[CAPTURE_CLIENT] + net->large[CAPTURE_SERVER];
    if (repeated > 0) {
        text_addf(text, " Meanwhile %" PRIu32 " packets were sent again, %" PRIu32 " of them long.",
            repeated, large);
    } else {
        text_add(text, " Meanwhile packets came whose predecessors are missing.");
    }
    if (group->worst.kind == CAPTURE_BLACK_HOLE) {
        text_addf(text,
            " Short packets pass and long ones do not: somewhere on the way the largest packet is "
            "smaller than the %u bytes agreed on, and the message that says so is dropped.",
            group->mss[CAPTURE_SERVER] > 0 ? (unsigned)group->mss[CAPTURE_SERVER] + 40 : 1500u);
    } else {
        text_add(text, " That is the network, not the mail software.");
    }
}

void capture_advice_seen(struct text *text, const struct capture_group *group)
{
    const struct capture_case *worst = &group->worst;
    switch (worst->kind) {
    case CAPTURE_STALL:
        add_stall(text, group);
        return;
    case CAPTURE_BLACK_HOLE:
    case CAPTURE_LOSS:
        add_path(text, group);
        return;
    case CAPTURE_BLOCKED:
        add_standstill(text, &worst->wait);
        text_addf(text, " %.1f s", seconds_of(worst->wait.us));
        add_end(text, &worst->wait);
        text_addf(text, " Meanwhile %s did not read what had come (its window was zero).",
            side_name(worst->culprit));
        return;
    case CAPTURE_UNANSWERED:
        text_addf(
            text, "nothing answered, though it knocked %" PRIu32 " times (SYN).", group->syn_count);
        return;
    case CAPTURE_REFUSED:
        text_add(text, "the connection was refused (RST): nothing listens there.");
        return;
    case CAPTURE_TURNED_AWAY:
        text_addf(text, "the server turned the client away without a wait: \"%s\".", group->reply);
        return;
    case CAPTURE_DNS_DEFERRED:
        text_addf(
            text, "the server put mail off because its own DNS failed: \"%s\".", group->reply);
        return;
    case CAPTURE_BROKEN_OFF:
        text_addf(text, "%s broke off in the middle of a message, without having waited long.",
            side_name(worst->culprit));
        return;
    case CAPTURE_TARPIT:
        text_addf(text,
            "the server takes its time with each reply, up to %.1f s: on purpose (a tarpit, or "
            "smtpd_error_sleep_time after errors), or because it asks DNS each time.",
            seconds_of(worst->wait.us));
        return;
    case CAPTURE_GREYLIST:
        text_addf(text, "greylisting: \"%s\".", group->reply);
        return;
    }
}

/* A line of advice for the side that it is for, unless the capture was made at the other one. */
static void add_for(struct text *text, const struct capture_group *group, enum capture_side side,
    const char *advice)
{
    if (group->home != CAPTURE_NOBODY && group->home != side) {
        return;
    }
    text_addf(text, "%sIf %s is yours: %s", text->len > 0 ? "\n" : "", side_name(side), advice);
}

static const char *stall_advice_client(const struct capture_wait *wait)
{
    if (wait->side == CAPTURE_SERVER) {
        return "it only waits, and is right to: RFC 5321 wants minutes. Leave the smtp_*_timeout "
               "parameters at their defaults, and tell the server's postmaster the time above.";
    }
    return "something in it waits when it should speak: its DNS, or a content filter that reads "
           "the message while it is being sent. Run mxcache doctor on it, give it a local resolver "
           "(nameserver 127.0.0.1 in resolv.conf and in Postfix's chroot, then postfix reload), "
           "and "
           "look in its log for the time above. Longer time-outs cure nothing there.";
}

static const char *stall_advice_server(const struct capture_wait *wait)
{
    if (wait->side == CAPTURE_CLIENT) {
        return wait->us < SERVER_LIMIT_US
                   ? "the sender is slow, not you; but giving up so early is stricter than RFC "
                     "5321 "
                     "(300 s). A mitigation: take the smtpd_timeout line out of main.cf, then "
                     "postfix reload; the default is ${stress?{10}:{300}}s. The 10 s are in force "
                     "while all smtpd processes are busy: find what keeps them (mxcache doctor)."
                   : "the sender is slow, not you, and nothing is to be set: tell its postmaster "
                     "the time above.";
    }
    if (wait->phase == CAPTURE_PHASE_REPLY && wait->verb == CAPTURE_DOT) {
        return "what reads a message before it is accepted is slow: milters and their DNS, "
               "smtpd_proxy_filter, a virus scanner, or the disk. Compare the time with their "
               "logs; "
               "milter_content_timeout is 300 s, smtpd_proxy_timeout 100 s.";
    }
    return "before it greets it looks up the client's name, and at RCPT TO it asks for every "
           "restriction, list and policy service. Run mxcache doctor on it: a name server or a "
           "list that does not answer costs 5 s and more each. Resolve by a local cache, and take "
           "dead lists out.";
}

/* What this host's own Postfix has set, when it is the server that gave up. */
static void add_own_limit(
    struct text *text, const struct capture_group *group, const struct postfix *postfix)
{
    const struct capture_wait *wait = &group->worst.wait;
    if (postfix->instance_count == 0 || wait->side != CAPTURE_CLIENT ||
        wait->end != CAPTURE_END_421 || group->home == CAPTURE_CLIENT) {
        return;
    }
    const struct postfix_instance *instance = &postfix->instances[0];
    unsigned line = postfix_line(instance, "smtpd_timeout");
    long seconds = postfix_time(instance, NULL, "smtpd_timeout", 's');
    int64_t off = wait->us - (int64_t)seconds * CLOCK_US_PER_S;
    if (line > 0 && off > -2 * CLOCK_US_PER_S && off < 2 * CLOCK_US_PER_S) {
        text_addf(text, "\nOn this host %s/main.cf:%u sets smtpd_timeout to %ld s.",
            instance->config_directory, line, seconds);
    }
}

static void add_stall_change(
    struct text *text, const struct capture_group *group, const struct postfix *postfix)
{
    const struct capture_wait *wait = &group->worst.wait;
    enum capture_side first = wait->side;
    enum capture_side second = first == CAPTURE_CLIENT ? CAPTURE_SERVER : CAPTURE_CLIENT;
    bool is_client_first = first == CAPTURE_CLIENT;
    add_for(text, group, first,
        is_client_first ? stall_advice_client(wait) : stall_advice_server(wait));
    add_for(text, group, second,
        is_client_first ? stall_advice_server(wait) : stall_advice_client(wait));
    add_own_limit(text, group, postfix);
    if (wait->phase == CAPTURE_PHASE_FIRST && group->home != CAPTURE_CLIENT) {
        text_add(text, "\nWhere the client's long packets get lost on the way it looks the same "
                       "from the server: a capture at the client would show them sent again.");
    }
}

static void add_unanswered_change(struct text *text, const struct capture_group *group)
{
    if (group->worst.kind == CAPTURE_REFUSED) {
        add_for(text, group, CAPTURE_SERVER,
            "ss -ltn shows what listens; in Postfix inet_interfaces (main.cf, restart needed) and "
            "the service's line in master.cf decide that.");
        return;
    }
    add_for(text, group, CAPTURE_SERVER,
        "a firewall in front of it drops the packets, or it is down: open the port, also in the "
        "cloud's security group; and make sure that the SYN arrives there at all.");
    add_for(text, group, CAPTURE_CLIENT,
        "if it is the same to all servers, its provider blocks outbound port 25: have it opened, "
        "or send by a relayhost on port 587.");
}

static void add_away_change(struct text *text, const struct capture_group *group)
{
    add_for(text, group, CAPTURE_SERVER,
        "the log says why. Too many connections of one client are "
        "smtpd_client_connection_count_limit (50); \"4.3.2\" is overload or postscreen.");
    add_for(text, group, CAPTURE_CLIENT, "take the words as they are: it is policy, not delay.");
}

void capture_advice_change(
    struct text *text, const struct capture_group *group, const struct postfix *postfix)
{
    switch (group->worst.kind) {
    case CAPTURE_STALL:
        add_stall_change(text, group, postfix);
        return;
    case CAPTURE_BLACK_HOLE:
        text_add(text,
            "Let ICMP \"fragmentation needed\" (type 3 code 4; IPv6: packet too big) through all "
            "firewalls. Until then, on the host that sends the message: sysctl -w "
            "net.ipv4.tcp_mtu_probing=1; or on the router of the tunnel: nft add rule inet filter "
            "forward tcp flags syn tcp option maxseg size set rt mtu");
        return;
    case CAPTURE_LOSS:
        text_add(
            text, group->worst.wait.phase == CAPTURE_PHASE_CONNECT
                      ? "On the server: nstat -az TcpExtListenDrops TcpExtListenOverflows; when "
                        "these grow, its processes are all busy. Else look for loss on the way: "
                        "mtr -T -P 25 SERVER"
                      : "Look for loss on the way: mtr -T -P 25 SERVER, ip -s link on both "
                        "hosts, and a firewall that forgets connections.");
        return;
    case CAPTURE_BLOCKED:
        text_addf(text,
            "Look at what reads the connection on %s's host: a filter before the queue, a full "
            "disk, or a process that hangs.",
            side_name(group->worst.culprit));
        return;
    case CAPTURE_UNANSWERED:
    case CAPTURE_REFUSED:
        add_unanswered_change(text, group);
        return;
    case CAPTURE_TURNED_AWAY:
        add_away_change(text, group);
        return;
    case CAPTURE_DNS_DEFERRED:
        add_for(text, group, CAPTURE_SERVER,
            "run mxcache doctor on it: its resolver, or Postfix's copy of resolv.conf in the "
            "chroot, does not work for the name in question.");
        add_for(text, group, CAPTURE_CLIENT,
            "check that its name and address and the sender's domain resolve from outside, both "
            "ways.");
        return;
    case CAPTURE_BROKEN_OFF:
        text_addf(text,
            "Look in the log of %s's host at that time, and for a firewall or virus "
            "scanner in between that cuts mail off.",
            side_name(group->worst.culprit));
        return;
    case CAPTURE_TARPIT:
        return;
    case CAPTURE_GREYLIST:
        text_add(text,
            "Nothing: the client tries again after some minutes and gets through. A delay "
            "of the first mail of this kind is not DNS.");
        return;
    }
}

void capture_advice_cause(struct text *text, const struct capture_group *group)
{
    char host[ADDRESS_TEXT_SIZE] = "";
    const struct capture_case *worst = &group->worst;
    if (worst->culprit != CAPTURE_NOBODY) {
        (void)address_format_host(&group->peers[worst->culprit], host, sizeof host);
    }
    switch (worst->kind) {
    case CAPTURE_STALL:
        text_addf(text, "in the capture %s (%s) is silent for %.0f s when it is its turn%s",
            side_name(worst->culprit), host, seconds_of(worst->wait.us),
            worst->has_dns_steps ? ", as when its name server does not answer" : "");
        return;
    case CAPTURE_BLACK_HOLE:
        text_add(text, "long packets are lost on the way (path MTU)");
        return;
    case CAPTURE_LOSS:
        text_add(text, "packets are lost on the way");
        return;
    case CAPTURE_BLOCKED:
        text_addf(text, "%s (%s) does not read what it is sent", side_name(worst->culprit), host);
        return;
    case CAPTURE_UNANSWERED:
        text_addf(text, "port %u of %s does not answer",
            (unsigned)group->peers[CAPTURE_SERVER].port, host);
        return;
    case CAPTURE_REFUSED:
        text_addf(text, "nothing listens on port %u of %s",
            (unsigned)group->peers[CAPTURE_SERVER].port, host);
        return;
    case CAPTURE_DNS_DEFERRED:
        text_addf(text, "the DNS of the server %s fails", host);
        return;
    case CAPTURE_BROKEN_OFF:
        text_addf(
            text, "%s (%s) breaks off in the middle of messages", side_name(worst->culprit), host);
        return;
    case CAPTURE_TURNED_AWAY:
    case CAPTURE_TARPIT:
    case CAPTURE_GREYLIST:
        return;
    }
}
