/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/settings.h"
#include "conf/value_private.h"

#define PIN "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct findings findings;

union item {
    struct address address;
    struct network network;
    struct settings_server server;
    struct settings_pin pin;
};

/* Reads the word as this kind, and writes it back. */
static bool read_word(enum schema_kind kind, const char *bytes, union item *item, struct text *text)
{
    const struct lexer_word word = {.bytes = bytes, .len = strlen(bytes)};
    const struct value_entry entry = {schema_row(SCHEMA_ID_upstreams), &word, &findings};
    bool is_read = false;
    findings = (struct findings){0};
    if (kind == SCHEMA_KIND_ADDRESSES) {
        is_read = value_list_read_address(&entry, &item->address);
        if (is_read) {
            value_list_write_address(&item->address, text);
        }
    } else if (kind == SCHEMA_KIND_NETWORKS) {
        is_read = value_list_read_network(&entry, &item->network);
        if (is_read) {
            value_list_write_network(&item->network, text);
        }
    } else if (kind == SCHEMA_KIND_SERVERS) {
        is_read = value_list_read_server(&entry, &item->server);
        if (is_read) {
            value_list_write_server(&item->server, text);
        }
    } else {
        is_read = value_list_read_pin(&entry, &item->pin);
        if (is_read) {
            value_list_write_pin(&item->pin, text);
        }
    }
    return is_read;
}

struct list_case {
    enum schema_kind kind;
    const char *in;
    const char *out;    /* NULL: refused. */
    const char *advice; /* What the finding then says, in part. */
};

static const struct list_case cases[] = {
    {SCHEMA_KIND_ADDRESSES, "192.0.2.1", "192.0.2.1", NULL},
    {SCHEMA_KIND_ADDRESSES, "192.0.2.1@53", "192.0.2.1", NULL},
    {SCHEMA_KIND_ADDRESSES, "2001:DB8::1@65535", "2001:db8::1@65535", NULL},
    {SCHEMA_KIND_ADDRESSES, "0.0.0.0", "0.0.0.0", NULL},
    {SCHEMA_KIND_ADDRESSES, "192.0.2.1@0", NULL, "has no port behind its @"},
    {SCHEMA_KIND_ADDRESSES, "192.0.2.1@", NULL, "has no port behind its @"},
    {SCHEMA_KIND_ADDRESSES, "192.0.2.1@65536", NULL, "has no port behind its @"},
    {SCHEMA_KIND_ADDRESSES, "dns.example.net", NULL, "host names cannot be used"},
    {SCHEMA_KIND_ADDRESSES, "192.0.2", NULL, "is not an address"},
    {SCHEMA_KIND_ADDRESSES, "fe80::1", NULL, "is link-local"},
    {SCHEMA_KIND_ADDRESSES, "febf::1@5300", NULL, "is link-local"},
    {SCHEMA_KIND_ADDRESSES, "fe80::1%lo", "fe80::1%lo", NULL},
    {SCHEMA_KIND_SERVERS, "fe80::1#dns.example.net", NULL, "is link-local"},
    {SCHEMA_KIND_ADDRESSES, "", NULL, "is not an address"},

    {SCHEMA_KIND_NETWORKS, "192.0.2.0/24", "192.0.2.0/24", NULL},
    {SCHEMA_KIND_NETWORKS, "192.0.2.1/32", "192.0.2.1", NULL},
    {SCHEMA_KIND_NETWORKS, "::1/128", "::1", NULL},
    {SCHEMA_KIND_NETWORKS, "0.0.0.0/0", "0.0.0.0/0", NULL},
    {SCHEMA_KIND_NETWORKS, "192.0.2.1/24", NULL, "write 192.0.2.0/24 if"},
    {SCHEMA_KIND_NETWORKS, "2001:db8::1/33", NULL, "write 2001:db8::/33 if"},
    {SCHEMA_KIND_NETWORKS, "192.0.2.255/25", NULL, "write 192.0.2.128/25 if"},
    {SCHEMA_KIND_NETWORKS, "192.0.2.0/33", NULL, "is not a network"},
    {SCHEMA_KIND_NETWORKS, "192.0.2.0/", NULL, "is not a network"},
    {SCHEMA_KIND_NETWORKS, "192.0.2.0/-1", NULL, "is not a network"},
    {SCHEMA_KIND_NETWORKS, "", NULL, "is not a network"},

    {SCHEMA_KIND_SERVERS, "192.0.2.1", "192.0.2.1", NULL},
    {SCHEMA_KIND_SERVERS, "192.0.2.1#dns.example.net", "192.0.2.1#dns.example.net", NULL},
    {SCHEMA_KIND_SERVERS, "192.0.2.1@853#dns.example.net", "192.0.2.1#dns.example.net", NULL},
    {SCHEMA_KIND_SERVERS, "192.0.2.1@53#dns.example.net", "192.0.2.1@53#dns.example.net", NULL},
    {SCHEMA_KIND_SERVERS, "192.0.2.1@853", "192.0.2.1@853", NULL},
    {SCHEMA_KIND_SERVERS, "0.0.0.0", NULL, "stands for every address"},
    {SCHEMA_KIND_SERVERS, "::#dns.example.net", NULL, "stands for every address"},
    {SCHEMA_KIND_SERVERS, "192.0.2.1#", NULL, "no valid TLS name"},
    {SCHEMA_KIND_SERVERS, "192.0.2.1#a..b", NULL, "no valid TLS name"},
    {SCHEMA_KIND_SERVERS, "192.0.2.1#a b", NULL, "no valid TLS name"},
    {SCHEMA_KIND_SERVERS, "192.0.2.1#a\\098", NULL, "no valid TLS name"},
    {SCHEMA_KIND_SERVERS, "#dns.example.net", NULL, "is not an address"},

    {SCHEMA_KIND_PINS, PIN, PIN, NULL},
    {SCHEMA_KIND_PINS, "sha256/AAAA", NULL, "is not a pin"},
    {SCHEMA_KIND_PINS, "", NULL, "is not a pin"},
};

/* What is refused is named with its setting and its own words, and changes nothing. */
static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct list_case *row = &cases[i];
        union item item;
        union item before;
        char written[512];
        struct text text;
        memset(&item, 0xa5, sizeof item);
        before = item;
        text_init(&text, written, sizeof written);
        bool is_read = read_word(row->kind, row->in, &item, &text);
        assert_true(is_read == (row->out != NULL));
        assert_string_equal(written, row->out != NULL ? row->out : "");
        assert_int_equal(findings.count, row->out != NULL ? 0 : 1);
        if (row->out == NULL) {
            assert_memory_equal(&item, &before, sizeof item);
            assert_non_null(strstr(findings.items[0].sentence, row->advice));
            assert_memory_equal(findings.items[0].sentence, "upstreams: \"", 12);
        }
    }
}

/* A TLS name is as long as it may be, and one letter longer. */
static void test_tls_name_length(void **state)
{
    char word[SETTINGS_TLS_SIZE + 32];
    (void)state;
    for (size_t len = SETTINGS_TLS_SIZE - 2; len <= SETTINGS_TLS_SIZE; len++) {
        union item item;
        char written[512];
        struct text text;
        size_t at = (size_t)snprintf(word, sizeof word, "192.0.2.1#");
        memset(word + at, 'a', len);
        for (size_t dot = 60; dot + 1 < len; dot += 61) {
            word[at + dot] = '.';
        }
        word[at + len] = '\0';
        text_init(&text, written, sizeof written);
        bool is_good = len < SETTINGS_TLS_SIZE && len <= 253;
        assert_true(read_word(SCHEMA_KIND_SERVERS, word, &item, &text) == is_good);
        assert_string_equal(written, is_good ? word : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_tls_name_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
