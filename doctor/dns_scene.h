/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "doctor/ask.h"
#include "doctor/report.h"

/*
 * Whom this host asks, and what the doctor asks them: the servers of /etc/resolv.conf, mxcache, and
 * its upstream servers, each once. The first check that asks questions finds out who of them
 * answers, by UDP and by TCP; the others ask only those, so that one dead server is one finding.
 * All questions of a doctor's run together have DNS_SCENE_LIMIT_US. Owned by the facts. Main
 * thread.
 */
#define DNS_SERVERS_MAX    24
#define DNS_SCENE_LIMIT_US INT64_C(15000000)
#define DNS_BATCH_LIMIT_US INT64_C(6000000)
#define DNS_SHOWN_SIZE     (ADDRESS_TEXT_SIZE + 80)
#define DNS_NAMES          5
#define DNS_OWN_MAX        2

struct doctor;

enum dns_state {
    DNS_WELL,    /* Answers by UDP. */
    DNS_FAILING, /* It replies, but never with an answer. */
    DNS_SILENT,  /* No reply to UDP. */
    DNS_UNKNOWN, /* It is not asked: it speaks TLS only, or time was up. */
};

struct dns_server {
    struct address address;
    bool is_resolver; /* In /etc/resolv.conf: libc asks it. */
    bool is_own;      /* mxcache. */
    bool is_upstream; /* Of the group that is asked for all names. */
    bool is_special;  /* Of another group: it is not asked what it need not know. */
    bool is_tls;
    enum dns_state state;
    struct ask udp; /* What came of it; nothing is owned. */
    struct ask tcp;
    char shown[DNS_SHOWN_SIZE]; /* "127.0.0.1 (mxcache)". */
};

/* What is asked. A test has names of its own. */
struct dns_names {
    const char *mx[DNS_NAMES];  /* Domains; the first is in place of this host's own. */
    const char *a[DNS_NAMES];   /* Domains; a label drawn by lot is asked below each. */
    const char *ptr[DNS_NAMES]; /* Reverse names. */
    const char *signed_domain;  /* By DNSSEC. */
    const char *bogus_domain;   /* Signed so that it must not be believed. */
    const char *large;          /* Its DNSKEY records take more than 512 bytes. */
};

/* In place of the host's own: for tests. */
struct dns_given {
    struct dns_server servers[DNS_SERVERS_MAX]; /* Address and what it is. */
    size_t server_count;
    struct dns_names names;
    struct address own[DNS_OWN_MAX];
    size_t own_count;
    int64_t limit_us; /* Of one question; 0: the usual. */
};

struct dns_scene {
    struct dns_server servers[DNS_SERVERS_MAX];
    size_t server_count;
    struct dns_names names;
    struct address own[DNS_OWN_MAX]; /* Where this host's mail comes from: IPv4, IPv6. */
    size_t own_count;
    bool is_probed;
    int64_t left_us;
    int64_t limit_us; /* Of one question, at most; 0: as asked. */
};

/* False: questions cannot be asked, and the check has its entry that says so. */
bool dns_scene_ready(struct doctor *doctor, enum check_id check);

/* The same without needing that a server answers. */
bool dns_scene_look(struct doctor *doctor, enum check_id check);

/* Runs the batch within what is left of the time. */
void dns_scene_run(struct doctor *doctor, struct ask_batch *batch);

/* It answers, and is to know all names. */
bool dns_server_is_usable(const struct dns_server *server);

/* mxcache is the only server that libc asks. */
bool dns_scene_is_ours(const struct dns_scene *scene);
