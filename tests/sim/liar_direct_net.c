/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_direct_net.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "wire/types.h"
#include "tests/sim/liar_twist.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_authority.h"

#define SOA(zone, server) zone " 300 SOA " server " root.example. 1 3600 900 604800 60"

/* A line that begins with `-` is not known to upstream. Odd last octets are nobody's, for a lie
 * that alters a bit is to lead to the evil. */
static const char *const lines[] = {
    SOA(".", "ns.example."),
    ". 7200 NS ns.example.",
    SOA("example.", "ns.example."),
    "example. 7200 NS ns.example.",
    "ns.example. 7200 A 192.0.2.52",
    "mail.example. 300 A 192.0.2.24",
    "mail.example. 300 AAAA 2001:db8::24",
    "mx.example. 300 MX 10 mail.example.",
    "www.example. 300 CNAME bank.other.",
    SOA("victim.example.", "ns.victim.example."),
    "victim.example. 7200 NS ns.victim.example.",
    "ns.victim.example. 7200 A 192.0.2.10",
    "victim.example. 300 A 192.0.2.66",
    "victim.example. 300 MX 10 mx.victim.example.",
    "victim.example. 300 TXT \"v=spf1 -all\"",
    "mx.victim.example. 300 A 192.0.2.68",
    SOA("other.", "ns.example."),
    "other. 7200 NS ns.example.",
    "bank.other. 300 A 192.0.2.98",
    "bank.other. 300 MX 10 host.other.",
    "host.other. 300 A 192.0.2.80",
    "ns.hosting.other. 7200 A 192.0.2.16",
    "ns2.hosting.other. 7200 A 192.0.2.14",
    SOA("list.example.", "ns1.list.example."),
    "list.example. 7200 NS ns1.list.example.",
    "list.example. 7200 NS ns2.hosting.other.",
    "ns1.list.example. 7200 A 192.0.2.12",
    "ns1.list.example. 7200 AAAA 2001:db8::12",
    "9.2.0.192.list.example. 300 A 127.0.0.2",
    "9.2.0.192.list.example. 300 A 127.0.0.4",
    "9.2.0.192.list.example. 300 TXT \"spam trap\"",
    "7.2.0.192.list.example. 300 CNAME 9.2.0.192.list.example.",
    "6.2.0.192.list.example. 300 CNAME bank.other.",
    SOA("203.list.example.", "ns.203.list.example."),
    "203.list.example. 7200 NS ns.203.list.example.",
    "ns.203.list.example. 7200 A 192.0.2.18",
    "9.113.0.203.list.example. 300 A 127.0.0.6",
    "-" SOA("bl.victim.example.", "ns.bl.victim.example."),
    "-bl.victim.example. 7200 NS ns.bl.victim.example.",
    "-ns.bl.victim.example. 7200 A 192.0.2.20",
    "9.2.0.192.bl.victim.example. 300 A 127.0.0.8",
    "9.2.0.192.bl.victim.example. 300 TXT \"spam, too\"",
    SOA("away.victim.example.", "ns.hosting.other."),
    "-away.victim.example. 7200 NS ns.hosting.other.",
    "9.2.0.192.away.victim.example. 300 A 127.0.0.10",
    SOA("spamhaus.org.", "a.gns.example."),
    SOA("zen.spamhaus.org.", "a.gns.example."),
    "zen.spamhaus.org. 7200 NS a.gns.example.",
    "a.gns.example. 7200 A 192.0.2.22",
    "9.2.0.192.zen.spamhaus.org. 300 A 127.0.0.2",
    "9.2.0.192.zen.spamhaus.org. 300 A 127.0.0.4",
    "2.0.0.127.zen.spamhaus.org. 300 A 127.0.0.2",
};

const char *const net_zones[] = {
    "list.example.", "bl.victim.example.", "away.victim.example.", "zen.spamhaus.org.", NULL};

const char *const net_servers[] = {NET_UPSTREAM, "192.0.2.10", "192.0.2.12", "192.0.2.14",
    "192.0.2.16", "192.0.2.18", "192.0.2.20", "192.0.2.22", "2001:db8::12", NULL};

static const char *const served[] = {NULL, "victim.example.", "list.example.", "list.example.",
    "away.victim.example.", "203.list.example.", "bl.victim.example.", "zen.spamhaus.org.",
    "list.example."};

/* Written by net_open() alone. */
static struct net {
    struct world all;
    struct world upstream;
} net;

struct address net_address(const char *text)
{
    struct address address;
    must(address_parse(text, strlen(text), 53, &address));
    return address;
}

static void world_open(struct world *world, bool is_all)
{
    char text[8192];
    char error[256];
    size_t len = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        bool is_hidden = lines[i][0] == '-';
        if (is_all || !is_hidden) {
            len += (size_t)snprintf(
                text + len, sizeof text - len, "%s\n", lines[i] + (is_hidden ? 1 : 0));
        }
    }
    must(len < sizeof text);
    FILE *file = fmemopen(text, len, "r");
    must(file != NULL);
    if (!world_init(world, file, error, sizeof error)) {
        sim_fail("world: %s", error);
    }
    fclose(file);
}

void net_open(void)
{
    world_open(&net.all, true);
    world_open(&net.upstream, false);
}

void net_close(void)
{
    world_fini(&net.all);
    world_fini(&net.upstream);
}

/* ---- The evil ---- */

static struct world_name name_above(const struct world_name *name, unsigned labels_kept)
{
    unsigned labels = 0;
    for (size_t at = 0; name->bytes[at] != 0; at += 1u + name->bytes[at]) {
        labels++;
    }
    size_t at = 0;
    for (; labels > labels_kept; labels--) {
        at += 1u + name->bytes[at];
    }
    struct world_name above = {.len = (uint8_t)(name->len - at)};
    memcpy(above.bytes, name->bytes + at, above.len);
    return above;
}

static void evil_refer(
    struct tale *tale, const struct world_name *cut, const struct world_name *server)
{
    struct tale_record form = {
        .section = TALE_AUTHORITY, .type = TYPE_NS, .class = CLASS_IN, .ttl = 3600};
    form.owner = *cut;
    tale_put(tale, &form, server->bytes, server->len);
}

static void evil_glue(struct tale *tale, const struct world_name *server, uint8_t last)
{
    const uint8_t address[4] = {203, 0, 113, last};
    struct tale_record form = {
        .section = TALE_ADDITIONAL, .type = TYPE_A, .class = CLASS_IN, .ttl = 3600};
    form.owner = *server;
    tale_put(tale, &form, address, sizeof address);
}

static void evil_refer_with_glue(struct tale *tale, const struct world_name *cut, uint8_t last)
{
    struct world_name server = {.bytes = {2, 'n', 's'}};
    memcpy(server.bytes + 3, cut->bytes, cut->len);
    server.len = (uint8_t)(cut->len + 3);
    evil_refer(tale, cut, &server);
    evil_glue(tale, &server, last);
}

static void evil_refer_to_many(struct tale *tale, const struct world_name *cut)
{
    char text[64];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "n%u.victim.example.", i);
        struct world_name server = tale_name(text);
        evil_refer(tale, cut, &server);
    }
}

/* False data for who asks for an address; a denial for everybody else. */
static void evil_answer(struct tale *tale)
{
    tale->flags |= HEADER_AA;
    if (tale->type == TYPE_A) {
        tale_add(tale, TALE_ANSWER, "x. 86400 A " TWIST_EVIL)->owner = tale->name;
    } else if (tale->type == TYPE_TXT) {
        tale_add(tale, TALE_ANSWER, "x. 86400 TXT \"evil\"")->owner = tale->name;
    } else {
        tale_add(tale, TALE_AUTHORITY, "x. 86400 SOA evil. evil. 1 1 1 1 86400")->owner =
            tale->name;
    }
}

static void evil_tell(struct tale *tale, const struct address *server)
{
    bool is_special = server->family == ADDRESS_IPV4 && server->bytes[0] == 203;
    unsigned last = is_special ? server->bytes[3] : NET_EVIL_ANSWERS;
    struct world_name near = name_above(&tale->name, 4);
    struct world_name root = tale_name(".");
    unsigned deeper = last - NET_EVIL_REFERS_DEEPER;
    if (deeper < NET_EVIL_REFERS_TO_ITSELF - NET_EVIL_REFERS_DEEPER) {
        struct world_name cut = name_above(&tale->name, 4 + deeper);
        evil_refer_with_glue(tale, &cut, (uint8_t)(last + 1));
    } else if (last == NET_EVIL_REFERS_TO_ITSELF) {
        evil_refer_with_glue(tale, &near, (uint8_t)last);
    } else if (last == NET_EVIL_REFERS_UP) {
        evil_refer_with_glue(tale, &root, (uint8_t)last);
    } else if (last == NET_EVIL_REFERS_TO_MANY) {
        evil_refer_to_many(tale, &tale->name);
    } else if (last == NET_EVIL_REFUSES) {
        tale->flags |= RCODE_REFUSED;
    } else {
        evil_answer(tale);
    }
}

static size_t evil_write(
    const struct address *server, const struct world_query *query, uint8_t *bytes_out, size_t size)
{
    static struct tale tale;
    size_t len = world_answer_write(&net.all, query, false, bytes_out, size);
    must(tale_read(&tale, bytes_out, len));
    for (size_t i = tale.count; i > 0; i--) {
        if (tale.records[i - 1].type != TYPE_OPT) {
            tale_remove(&tale, i - 1);
        }
    }
    tale.flags = HEADER_QR;
    evil_tell(&tale, server);
    return tale_write(&tale, bytes_out);
}

size_t net_answer(
    const struct address *server, const struct world_query *query, uint8_t *bytes_out, size_t size)
{
    const struct address silent = net_address("203.0.113.82");
    for (size_t i = 0; net_servers[i] != NULL; i++) {
        struct address address = net_address(net_servers[i]);
        if (address_equal(&address, server) && served[i] == NULL) {
            return world_answer_write(&net.upstream, query, false, bytes_out, size);
        }
        if (address_equal(&address, server)) {
            const struct sim_authority authority = {
                .zones = {tale_name(served[i])}, .zone_count = 1};
            return sim_authority_write(&authority, &net.all, query, bytes_out, size);
        }
    }
    return address_equal(server, &silent) ? 0 : evil_write(server, query, bytes_out, size);
}
