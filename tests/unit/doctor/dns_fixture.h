/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A host whose DNS servers are those of a test: their addresses are handed to the doctor in place
 * of what the host's files say.
 */
#include "tests/unit/doctor/upstream.h"

#include "tests/support/host_fixture.h"

static struct host_fixture fixture;
static struct dns_given given;

/* Names that the rules of most tests answer for. */
static const struct dns_names given_names = {
    .mx = {"one.example", "two.example", "three.example", "four.example", "five.example"},
    .a = {"one.example", "two.example", "three.example", "four.example", "five.example"},
    .ptr = {"1.2.0.192.in-addr.arpa", "2.2.0.192.in-addr.arpa"},
    .signed_domain = "signed.example",
    .bogus_domain = "bogus.example",
    .large = ".",
};

/* What every server of the Internet knows; to be put last. */
#define RULES_USUAL                                                                                \
    {".", TYPE_NS, UPSTREAM_NAME, "a.root.example"}, {".", TYPE_DNSKEY, UPSTREAM_BYTES, "250"},    \
        {"*.example", TYPE_MX, UPSTREAM_NAME, "mail.example"},                                     \
        {"*.in-addr.arpa", TYPE_PTR, UPSTREAM_NAME, "mail.example"},                               \
    {                                                                                              \
        NULL, 0, UPSTREAM_NODATA, NULL                                                             \
    }

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    memset(&given, 0, sizeof given);
    given.names = given_names;
    given.limit_us = 900000;
    fixture.options.given = &given;
    fixture.options.is_offline = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_fixture_fini(&fixture);
    return 0;
}

/* Who libc asks, until the test says otherwise. */
static struct dns_server *give_server(const struct upstream *upstream)
{
    struct dns_server *server = &given.servers[given.server_count++];
    server->address = upstream->address;
    server->is_resolver = true;
    return server;
}
