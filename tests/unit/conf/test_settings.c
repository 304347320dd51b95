/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "tests/unit/conf/folder.h"

#define PINS "tls_pins = sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static struct settings settings;
static struct findings findings;

static bool load(const char *file, const char *const *overrides, size_t override_count)
{
    struct settings_source source = {
        .file = file,
        .is_file_optional = false,
        .overrides = overrides,
        .override_count = override_count,
    };
    return settings_load(&source, &settings, &findings);
}

static void test_defaults(void **state)
{
    (void)state;
    static const char *const overrides[] = {"upstreams=192.0.2.1"};
    assert_true(load(NULL, overrides, 1));
    assert_int_equal(findings.count, 0);
    assert_int_equal(settings.listen_count, 2);
    assert_true(address_is_loopback(&settings.listen[0]));
    assert_int_equal(settings.listen[1].family, ADDRESS_IPV6);
    assert_int_equal(settings.listen[1].port, 53);
    assert_int_equal(settings.allow_count, 2);
    assert_string_equal(settings.control_socket, "/run/mxcache/control.sock");
    assert_string_equal(settings.user, "mxcache");
    assert_int_equal(settings.workers, 1);
    assert_int_equal(settings.group_count, 1);
    assert_string_equal(settings.groups[0].name, "default");
    assert_int_equal(settings.groups[0].trust_ad, SETTINGS_TRUST_AD_NO);
    assert_int_equal(settings.zone_count, 0);
    assert_string_equal(settings.upstreams_file, "/etc/resolv.conf");
    assert_int_equal(settings.try_timeout_us, 800 * CLOCK_US_PER_MS);
    assert_int_equal(settings.asks_max, 6);
    assert_int_equal(settings.answer_deadline_us, 4 * CLOCK_US_PER_S);
    assert_int_equal(settings.stale_patience_us, 400 * CLOCK_US_PER_MS);
    assert_int_equal(settings.stale_max_us, 86400 * CLOCK_US_PER_S);
    assert_int_equal(settings.stale_ttl_us, 30 * CLOCK_US_PER_S);
    assert_int_equal(settings.ttl_min_us, 0);
    assert_int_equal(settings.ttl_max_us, 86400 * CLOCK_US_PER_S);
    assert_int_equal(settings.negative_ttl_max_us, 3600 * CLOCK_US_PER_S);
    assert_int_equal(settings.udp_answer_max, 1232);
    assert_true(settings.private_lists_local);
    assert_int_equal(settings.cache_size, 64 << 20);
    assert_int_equal(settings.questions_max, 4096);
    assert_int_equal(settings.tcp_clients_max, 256);
    assert_int_equal(settings.tcp_idle_us, 30 * CLOCK_US_PER_S);
    assert_int_equal(settings.log_level, LOG_LEVEL_NOTICE);
}

static void test_overrides_win(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *path = folder_add(&folder, "a.conf",
        "workers = 2\ncache_size = 2M\nupstreams = 192.0.2.1 192.0.2.2\nuser = postfix\n");
    static const char *const overrides[] = {
        "workers=3",
        "cache-size = 4M # large",
        "workers=4",
        "upstreams=192.0.2.3",
        "user=",
    };
    assert_true(load(path, overrides, 5));
    assert_int_equal(findings.count, 0);
    assert_int_equal(settings.workers, 4);
    assert_int_equal(settings.cache_size, 4 << 20);
    assert_int_equal(settings.groups[0].server_count, 1);
    assert_int_equal(settings.groups[0].servers[0].address.bytes[3], 3);
    assert_string_equal(settings.user, "");
    folder_fini(&folder);
}

struct override_case {
    const char *text;
    const char *part;
};

static const struct override_case override_cases[] = {
    {"", "is not one setting"},
    {"workers", "write NAME = VALUE"},
    {"worker=1", "did you mean workers?"},
    {"workers=0", "1 to 64"},
    {"workers=1\nuser=x", "is not one setting"},
    {"[zone x]", "is not one setting"},
    {"include /etc/passwd", "is not one setting"},
    {"servers=192.0.2.1", "does not belong here"},
    {" workers=1", "starts with a blank"},
    {"stale_patience=5s", "not below answer_deadline"},
    {"work\x01", "control byte"},
};

static void test_wrong_overrides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof override_cases / sizeof override_cases[0]; i++) {
        const char *overrides[] = {"upstreams=192.0.2.1", override_cases[i].text};
        assert_false(load(NULL, overrides, 2));
        assert_int_equal(findings.count, 1);
        assert_string_equal(findings.items[0].file, "-o");
        assert_int_equal(findings.items[0].line, 0);
        if (strstr(findings.items[0].sentence, override_cases[i].part) == NULL) {
            print_message("%s: %s\n", override_cases[i].text, findings.items[0].sentence);
        }
        assert_non_null(strstr(findings.items[0].sentence, override_cases[i].part));
    }
}

static void test_upstreams_file(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *resolv_conf =
        folder_add(&folder, "resolv.conf", "nameserver 127.0.0.1\nnameserver 192.0.2.7\n");
    char override[160];
    const char *overrides[] = {override, "listen=127.0.0.1"};
    snprintf(override, sizeof override, "upstreams_file=%s", resolv_conf);
    assert_true(load(NULL, overrides, 2));
    assert_int_equal(findings.count, 0);
    assert_true(settings.upstreams_from_file);
    assert_int_equal(settings.groups[0].server_count, 1);
    assert_int_equal(settings.groups[0].servers[0].address.bytes[3], 7);

    snprintf(override, sizeof override, "upstreams_file=%s/none", folder.path);
    assert_true(load(NULL, overrides, 2));
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.items[0].level, FINDING_WARNING);
    assert_non_null(strstr(findings.items[0].sentence, "no upstream server"));

    /* A file that cannot be read is no reason to speak of what it might say. */
    assert_false(load(folder.path, overrides, 1));
    assert_int_equal(findings.count, 1);
    assert_non_null(strstr(findings.items[0].sentence, "a directory"));
    folder_fini(&folder);
}

/* What resolv.conf names is asked in clear, too. */
static void test_trust_and_upstreams_file(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *resolv_conf = folder_add(&folder, "resolv.conf", "nameserver 192.0.2.7\n");
    const char *path = folder_add(&folder, "a.conf", "[upstream default]\ntrust_ad = yes\n");
    char override[160];
    const char *overrides[] = {override};
    snprintf(override, sizeof override, "upstreams_file=%s", resolv_conf);
    assert_false(load(path, overrides, 1));
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.items[0].line, 2);
    assert_non_null(strstr(findings.items[0].sentence, "insecurely"));
    folder_fini(&folder);
}

/* Nor does it show a key. */
static void test_pins_and_upstreams_file(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *resolv_conf = folder_add(&folder, "resolv.conf", "nameserver 192.0.2.7\n");
    const char *path = folder_add(&folder, "a.conf", "[upstream default]\n" PINS);
    char override[160];
    const char *overrides[] = {override};
    snprintf(override, sizeof override, "upstreams_file=%s", resolv_conf);
    assert_false(load(path, overrides, 1));
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.items[0].line, 2);
    assert_non_null(strstr(findings.items[0].sentence, "resolv.conf is asked in clear"));
    assert_non_null(strstr(findings.items[0].sentence, "write upstreams = 192.0.2.7@853"));
    folder_fini(&folder);
}

/* Who has a TLS name or another port than 53 has the pins, and TLS. */
static void test_pins_reach_the_servers(void **state)
{
    (void)state;
    static const char text[] = "upstreams = 192.0.2.1@853 192.0.2.2#a.example 192.0.2.3@5353\n"
                               "[upstream default]\n" PINS "[zone x]\nupstream = b\n"
                               "[upstream b]\nservers = 192.0.2.1@853 192.0.2.2#a.example\n";
    assert_true(settings_parse("a.conf", text, strlen(text), &settings, &findings));
    const struct settings_server *servers = settings.groups[0].servers;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(servers[i].pin_count, 1);
        assert_int_equal(servers[i].pins[0].digest[31], 0x55);
        assert_true(settings_server_is_tls(&servers[i]));
    }
    assert_string_equal(settings_server_tls_label(&servers[0]), "tls_pins");
    assert_string_equal(settings_server_tls_label(&servers[1]), "a.example");
    const struct settings_server *others = settings.groups[1].servers;
    assert_false(settings_server_is_tls(&others[0]));
    assert_string_equal(settings_server_tls_label(&others[0]), "");
    assert_true(settings_server_is_tls(&others[1]));
    assert_false(settings_server_equal(&servers[1], &others[1]));
    assert_true(settings_server_equal(&servers[1], &servers[1]));
}

static void test_wrong_upstreams_are_not_replaced(void **state)
{
    (void)state;
    static const char *const overrides[] = {"upstreams=nonsense"};
    assert_false(load(NULL, overrides, 1));
    assert_int_equal(findings.count, 1);
    assert_false(settings.upstreams_from_file);
}

static void test_sections_and_includes(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *path = folder_add(&folder, "a.conf",
        "upstreams = 192.0.2.1\n"
        "[upstream a]\n"
        "include b.conf\n"
        "servers = 192.0.2.2\n"
        "[zone x]\n"
        "upstream = b\n"
        "[zone y]\n"
        "upstream = a\n");
    const char *included =
        folder_add(&folder, "b.conf", "workers = 2\n[upstream b]\nservers = 192.0.2.3\n");
    assert_true(load(path, NULL, 0));
    assert_int_equal(findings.count, 0);
    assert_int_equal(settings.workers, 2);
    assert_int_equal(settings.group_count, 3);
    assert_int_equal(settings.groups[1].servers[0].address.bytes[3], 2);
    assert_int_equal(settings.groups[2].servers[0].address.bytes[3], 3);

    /* The finding names the included file; a second value names the first one's place. */
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("include b.conf\n", file);
    fclose(file);
    assert_false(load(path, NULL, 0));
    assert_int_equal(findings.count, 2);
    assert_string_equal(findings.items[0].file, included);
    assert_int_equal(findings.items[0].line, 1);
    assert_non_null(strstr(findings.items[0].sentence, "b.conf:1"));
    assert_int_equal(findings.items[1].line, 2);
    folder_fini(&folder);
}

static void test_missing_file(void **state)
{
    (void)state;
    assert_false(load("/nonexistent/mxcache.conf", NULL, 0));
    assert_true(findings.errors >= 1);
    static const char *const overrides[] = {"upstreams=192.0.2.1"};
    struct settings_source source = {
        .file = "/nonexistent/mxcache.conf",
        .is_file_optional = true,
        .overrides = overrides,
        .override_count = 1,
    };
    assert_true(settings_load(&source, &settings, &findings));
    assert_int_equal(findings.count, 0);
}

/* Bytes of every kind, in a repeatable order: nothing is promised but an end. */
static void test_hostile_bytes(void **state)
{
    (void)state;
    static const char pieces[][12] = {"listen", "=", "\n", " ", "[zone ", "]", "#", "a.b", "\0",
        "\xff", "\r\n", "127.0.0.1", "@", "include ", "[upstream ", ",", "\t", "servers", "\\999"};
    size_t size = 64 * 1024;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    uint32_t seed = 1;
    for (unsigned round = 0; round < 50; round++) {
        size_t len = 0;
        while (len + sizeof pieces[0] < size) {
            seed = seed * 1664525 + 1013904223;
            const char *piece = pieces[(seed >> 16) % (sizeof pieces / sizeof pieces[0])];
            size_t piece_len = *piece == '\0' ? 1 : strlen(piece);
            memcpy(bytes + len, piece, piece_len);
            len += piece_len;
        }
        assert_false(settings_parse("hostile.conf", bytes, len, &settings, &findings));
        assert_true(findings.count <= FINDINGS_MAX);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_overrides_win),
        cmocka_unit_test(test_wrong_overrides),
        cmocka_unit_test(test_upstreams_file),
        cmocka_unit_test(test_trust_and_upstreams_file),
        cmocka_unit_test(test_pins_and_upstreams_file),
        cmocka_unit_test(test_pins_reach_the_servers),
        cmocka_unit_test(test_wrong_upstreams_are_not_replaced),
        cmocka_unit_test(test_sections_and_includes),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
