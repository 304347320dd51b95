/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/log.h"
#include "conf/settings_list.h"

/*
 * The settings as the program uses them: checked, in range, in their final units. Filled by
 * settings_load() (conf/parse.h) from the file, the -o overrides and the defaults of schema.def,
 * in the main thread, into a fresh object; a reload makes a new one and never half-applies. Read
 * only afterwards, from any thread. Every limit is named here.
 */
#define SETTINGS_LISTEN_MAX  16
#define SETTINGS_ALLOW_MAX   64
#define SETTINGS_SERVERS_MAX 16 /* In one upstream group. */
#define SETTINGS_GROUPS_MAX  32
#define SETTINGS_ZONES_MAX   1024
#define SETTINGS_NAME_SIZE   64
#define SETTINGS_PATH_SIZE   256
#define SETTINGS_SOCKET_SIZE 108 /* Of a Unix socket. */
#define SETTINGS_TLS_SIZE    256
#define SETTINGS_PINS_MAX    4

/* The SHA-256 of a SubjectPublicKeyInfo, which stands for a server's key (RFC 7858 section 4.2). */
struct settings_pin {
    uint8_t digest[32];
};

/* ADDRESS[@PORT][#TLS-NAME]. The port is 53, or 853 with a TLS name, unless it is given. */
struct settings_server {
    struct address address;
    char tls_name[SETTINGS_TLS_SIZE];            /* Empty: no name is asked of the certificate. */
    struct settings_pin pins[SETTINGS_PINS_MAX]; /* The group's, where TLS is spoken. */
    size_t pin_count;                            /* 0: any key will do. */
};

/* Over TLS, and nothing in clear: it has a TLS name, or pins alone. */
bool settings_server_is_tls(const struct settings_server *server);

/* What stands behind the # when the server is shown: the TLS name, "tls_pins" for a server without
 * one, "" for one that is asked in clear. */
const char *settings_server_tls_label(const struct settings_server *server);

/* Asked in the same way: nothing that was learned of one could be wrong of the other. */
bool settings_server_equal(const struct settings_server *a, const struct settings_server *b);

/* May this group's AD bit be passed on to clients (RFC 6840 section 5.8)? */
enum settings_trust_ad {
    SETTINGS_TRUST_AD_NO,
    SETTINGS_TRUST_AD_YES,        /* Refused by the checker for a server in clear on a network. */
    SETTINGS_TRUST_AD_INSECURELY, /* The operator insists. */
};

/* [upstream NAME]. Group 0 is the `upstreams` line; its name is "default". */
struct settings_group {
    char name[SETTINGS_NAME_SIZE];
    struct settings_server servers[SETTINGS_SERVERS_MAX];
    size_t server_count;
    enum settings_trust_ad trust_ad;
    struct settings_pin tls_pins[SETTINGS_PINS_MAX];
    size_t tls_pin_count;
};

/* How names are reached that could be asked at their own name servers. */
enum settings_route {
    SETTINGS_ROUTE_UPSTREAM, /* At the group. */
    SETTINGS_ROUTE_DIRECT,   /* At the zone's name servers; the group names them. */
    SETTINGS_ROUTE_AUTO,     /* DNS lists: the latter where the group's servers are refused. */
};

/* [zone NAME]: questions at or below the name go to one group. */
struct settings_zone {
    uint8_t name[255]; /* Wire form, lower case. */
    uint8_t name_len;
    size_t group; /* Index into groups. */
    enum settings_route route;
};

struct settings {
    /* Who is served, and where. */
    struct address listen[SETTINGS_LISTEN_MAX];
    size_t listen_count;
    struct network allow[SETTINGS_ALLOW_MAX];
    size_t allow_count;
    char control_socket[SETTINGS_PATH_SIZE];
    struct address metrics_listen[SETTINGS_LISTEN_MAX];
    size_t metrics_listen_count;
    char user[SETTINGS_NAME_SIZE]; /* Empty: stay who you are. */
    uint64_t workers;

    /* Who is asked. */
    struct settings_group groups[SETTINGS_GROUPS_MAX];
    size_t group_count; /* At least 1 after loading; groups[0] may have no servers. */
    struct settings_zone zones[SETTINGS_ZONES_MAX];
    size_t zone_count;
    char upstreams_file[SETTINGS_PATH_SIZE]; /* Read when `upstreams` is not set. */
    bool upstreams_from_file;                /* groups[0] came from upstreams_file. */
    int64_t try_timeout_us; /* Longest wait for one server before the next is asked. */
    uint64_t hedge_budget;  /* Per cent of questions that a second server is asked for early. */
    uint64_t asks_max;      /* Messages sent upstream for one question, at most. */
    enum settings_route list_route; /* Of DNS lists that no [zone] speaks of. */
    bool direct_private;            /* Name servers found on the net may be in private networks. */

    /* When an answer is due, and what may be given. */
    int64_t answer_deadline_us;
    int64_t stale_patience_us;
    int64_t stale_max_us; /* 0: never stale. */
    int64_t stale_ttl_us;
    int64_t ttl_min_us;
    int64_t ttl_max_us;
    int64_t negative_ttl_max_us;
    uint64_t udp_answer_max;  /* Bytes of a UDP answer, whatever the client can take. */
    bool private_lists_local; /* List questions about private addresses are answered here. */
    enum settings_list_action list_action; /* Not AUTO. */
    bool list_tests;
    struct settings_list lists[SETTINGS_LISTS_MAX];
    size_t list_count;

    /* Budgets. */
    uint64_t cache_size;      /* Bytes, index included. */
    uint64_t list_share;      /* Per cent of it that answers of DNS lists may take. */
    uint64_t questions_max;   /* Questions waiting for upstream answers, per worker. */
    bool ahead;               /* Ask what mail software is going to ask. */
    uint64_t ahead_worth;     /* Per cent of it that must be used. */
    uint64_t refresh_rate;    /* Refreshes a second, per worker; 0: none. */
    uint64_t ahead_rate;      /* Of it, questions a second, per worker. */
    uint64_t tcp_clients_max; /* Connections, per worker. */
    int64_t tcp_idle_us;

    enum log_level log_level;

    /* Who is told of every question. */
    char query_log[SETTINGS_PATH_SIZE]; /* Empty: no file. */
    bool query_log_names;
    char dnstap[SETTINGS_SOCKET_SIZE]; /* Empty: no socket. */

    /* What outlives a restart. */
    char snapshot_file[SETTINGS_PATH_SIZE]; /* Empty: nothing does. Room for ".new" is left. */
    int64_t snapshot_interval_us;
};
