/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/host_fixture.h"

/* A healthy Debian 12 mail host, "Internet Site": Postfix runs, chrooted, and a resolver listens on
 * loopback. Tests break it from there. */
static const char *const mail_host_main =
    "# See /usr/share/postfix/main.cf.dist for a commented, more complete version\n"
    "\n"
    "smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)\n"
    "biff = no\n"
    "append_dot_mydomain = no\n"
    "readme_directory = no\n"
    "compatibility_level = 3.6\n"
    "smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\n"
    "smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\n"
    "smtpd_tls_security_level=may\n"
    "smtp_tls_CApath=/etc/ssl/certs\n"
    "smtp_tls_security_level=may\n"
    "smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache\n"
    "smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated"
    " defer_unauth_destination\n"
    "myhostname = mail.example.com\n"
    "alias_maps = hash:/etc/aliases\n"
    "alias_database = hash:/etc/aliases\n"
    "myorigin = /etc/mailname\n"
    "mydestination = $myhostname, mail.example.com, localhost.example.com, , localhost\n"
    "relayhost = \n"
    "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\n"
    "mailbox_size_limit = 0\n"
    "recipient_delimiter = +\n"
    "inet_interfaces = all\n"
    "inet_protocols = all\n";

/* Without its head, which tests replace. */
static const char *const mail_host_master_rest =
    "pickup    unix  n       -       y       60      1       pickup\n"
    "cleanup   unix  n       -       y       -       0       cleanup\n"
    "qmgr      unix  n       -       n       300     1       qmgr\n"
    "tlsmgr    unix  -       -       y       1000?   1       tlsmgr\n"
    "rewrite   unix  -       -       y       -       -       trivial-rewrite\n"
    "bounce    unix  -       -       y       -       0       bounce\n"
    "defer     unix  -       -       y       -       0       bounce\n"
    "verify    unix  -       -       y       -       1       verify\n"
    "proxymap  unix  -       -       n       -       -       proxymap\n"
    "smtp      unix  -       -       y       -       -       smtp\n"
    "relay     unix  -       -       y       -       -       smtp\n"
    "        -o syslog_name=postfix/$service_name\n"
    "local     unix  -       n       n       -       -       local\n"
    "lmtp      unix  -       -       y       -       -       lmtp\n"
    "postlog   unix-dgram n  -       n       -       1       postlogd\n"
    "maildrop  unix  -       n       n       -       -       pipe\n"
    "  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}\n";

static const char *const mail_host_smtp =
    "smtp      inet  n       -       y       -       -       smtpd\n"
    "#smtp      inet  n       -       y       -       1       postscreen\n"
    "#smtpd     pass  -       -       y       -       -       smtpd\n"
    "#dnsblog   unix  -       -       y       -       0       dnsblog\n"
    "#tlsproxy  unix  -       -       y       -       0       tlsproxy\n"
    "#submission inet n       -       y       -       -       smtpd\n"
    "#  -o syslog_name=postfix/submission\n"
    "#smtps     inet  n       -       y       -       -       smtpd\n";

/* main.cf of Debian with lines behind it, which win. */
static inline void mail_host_main_add(struct host_fixture *fixture, const char *lines)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "%s%s", mail_host_main, lines);
    host_fixture_write(fixture, "/etc/postfix/main.cf", text);
}

/* master.cf of Debian with another head. */
static inline void mail_host_master(struct host_fixture *fixture, const char *head)
{
    char text[8192];
    (void)snprintf(text, sizeof text, "%s%s", head, mail_host_master_rest);
    host_fixture_write(fixture, "/etc/postfix/master.cf", text);
}

struct mail_host_socket {
    const char *address; /* IPv4, in hexadecimal as it is written: 7F000001. */
    unsigned port;
};

/* One table of /proc/net, of sockets that wait. */
static inline void mail_host_sockets(struct host_fixture *fixture, const char *path,
    const struct mail_host_socket *sockets, size_t count)
{
    char text[4096] = "  sl  local_address rem_address   st tx_queue rx_queue\n";
    bool is_tcp = path[strlen(path) - 1] == 'p' && path[strlen(path) - 3] == 't';
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(text);
        unsigned long number = strtoul(sockets[i].address, NULL, 16);
        uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
            (uint8_t)(number >> 8), (uint8_t)number};
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        (void)snprintf(text + len, sizeof text - len,
            "%4zu: %08X:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0      "
            "  0 %zu 1 0 100 0 0 10 0\n",
            i, (unsigned)word, sockets[i].port, is_tcp ? "0A" : "07", 9000 + i);
    }
    host_fixture_write(fixture, path, text);
}

#define MAIL_HOST_RESOLV_CONF "nameserver 127.0.0.1\n"

static inline void mail_host_init(struct host_fixture *fixture)
{
    static const char *const copied[] = {"nsswitch.conf", "services", "hosts", "host.conf"};
    const struct mail_host_socket tcp[] = {{"00000000", 25}};
    const struct mail_host_socket udp[] = {{"7F000001", 53}};
    host_fixture_init(fixture);
    host_fixture_write(fixture, "/etc/hostname", "mail\n");
    mail_host_main_add(fixture, "");
    mail_host_master(fixture, mail_host_smtp);
    mail_host_sockets(fixture, "/proc/net/tcp", tcp, 1);
    mail_host_sockets(fixture, "/proc/net/udp", udp, 1);
    host_fixture_write(fixture, "/var/spool/postfix/pid/master.pid", "      812\n");
    host_fixture_write(fixture, "/proc/812/comm", "master\n");
    host_fixture_link(fixture, "/proc/812/fd/13", "socket:[9000]");
    host_fixture_write(fixture, "/etc/resolv.conf", MAIL_HOST_RESOLV_CONF);
    host_fixture_write(fixture, "/var/spool/postfix/etc/resolv.conf", MAIL_HOST_RESOLV_CONF);
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "/etc/%s", copied[i]);
        host_fixture_write(fixture, path, copied[i]);
        (void)snprintf(path, sizeof path, "/var/spool/postfix/etc/%s", copied[i]);
        host_fixture_write(fixture, path, copied[i]);
    }
}
