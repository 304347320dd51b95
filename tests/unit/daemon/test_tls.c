/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/tls_support.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include <openssl/sha.h>

#include "conf/pin.h"
#include "conf/settings.h"
#include "daemon/tls.h"

#define STEPS_MAX 1000

/* Both ends of one connection, in one thread, each moved a step at a time. */
struct ends {
    int fds[2];
    struct tls_line *line;
    SSL *server;
};

static struct tls_support authority;

static void ends_init_peer(
    struct ends *ends, struct tls_context *context, SSL_CTX *server, const struct tls_peer *peer)
{
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends->fds), 0);
    ends->line = tls_line_new(context, ends->fds[0], peer);
    assert_non_null(ends->line);
    ends->server = server != NULL ? tls_support_accept(server, ends->fds[1]) : NULL;
}

static void ends_init(
    struct ends *ends, struct tls_context *context, SSL_CTX *server, const char *name)
{
    const struct tls_peer peer = {.name = name};
    ends_init_peer(ends, context, server, &peer);
}

static void ends_fini(struct ends *ends)
{
    tls_line_free(&ends->line);
    assert_null(ends->line);
    SSL_free(ends->server);
    close(ends->fds[0]);
    if (ends->fds[1] >= 0) {
        close(ends->fds[1]);
    }
}

static enum tls_verdict ends_connect(struct ends *ends)
{
    enum tls_verdict verdict = TLS_WANT_READ;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        verdict = tls_connect_step(ends->line);
        (void)SSL_do_handshake(ends->server);
        if (verdict != TLS_WANT_READ && verdict != TLS_WANT_WRITE) {
            break;
        }
    }
    return verdict;
}

/* The server says something; the client reads it whole. */
static void ends_greet(struct ends *ends)
{
    uint8_t bytes[16];
    size_t len = 0;
    enum tls_verdict verdict = TLS_WANT_READ;
    (void)SSL_do_handshake(ends->server);
    assert_int_equal(SSL_write(ends->server, "hello", 5), 5);
    for (unsigned i = 0; i < STEPS_MAX && verdict == TLS_WANT_READ; i++) {
        verdict = tls_read(ends->line, bytes, sizeof(bytes), &len);
    }
    assert_int_equal(verdict, TLS_DONE);
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, "hello", 5);
}

/* An `expected` that ends in a blank or a semicolon goes on with what the test cannot know. */
static void expect_reason(const char *reason, const char *expected)
{
    char begin[TLS_REASON_SIZE] = "";
    size_t len = strlen(expected);
    bool is_open = strchr(" ;", expected[len - 1]) != NULL;
    assert_in_range(strlen(reason), len, TLS_REASON_SIZE - 1);
    memcpy(begin, reason, is_open ? len : strlen(reason));
    assert_string_equal(begin, expected);
}

static void test_names_and_flaws(void **state)
{
    (void)state;
    static const struct {
        const char *alternatives;
        enum tls_support_flaw flaw;
        const char *name;
        const char *reason; /* NULL: good. */
    } cases[] = {
        {"DNS:dns.example", TLS_SUPPORT_GOOD, "dns.example", NULL},
        {"DNS:*.dns.example", TLS_SUPPORT_GOOD, "a.dns.example", NULL},
        {"IP:192.0.2.1", TLS_SUPPORT_GOOD, "192.0.2.1", NULL},
        {"IP:2001:db8::1", TLS_SUPPORT_GOOD, "2001:db8::1", NULL},
        {"DNS:other.example", TLS_SUPPORT_GOOD, "dns.example",
            "certificate does not name dns.example (it names other.example)"},
        {"DNS:dns.example", TLS_SUPPORT_GOOD, "192.0.2.1",
            "certificate does not name 192.0.2.1 (it names dns.example)"},
        {"IP:192.0.2.2", TLS_SUPPORT_GOOD, "192.0.2.1", "certificate does not name 192.0.2.1"},
        {"DNS:d*.dns.example", TLS_SUPPORT_GOOD, "dd.dns.example",
            "certificate does not name dd.dns.example (it names d*.dns.example)"},
        {"DNS:evil\x1b[2J.example", TLS_SUPPORT_GOOD, "dns.example",
            "certificate does not name dns.example"},
        {"DNS:dns.example", TLS_SUPPORT_EXPIRED, "dns.example", "certificate has expired on "},
        {"DNS:dns.example", TLS_SUPPORT_FUTURE, "dns.example", "certificate is valid only from "},
        {"DNS:dns.example", TLS_SUPPORT_SELF_SIGNED, "dns.example", "certificate is self-signed "},
        {"DNS:dns.example", TLS_SUPPORT_UNKNOWN_ISSUER, "dns.example",
            "certificate comes from an unknown issuer;"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context *context = tls_context_new();
        SSL_CTX *server = tls_support_server(&authority, cases[i].alternatives, cases[i].flaw);
        struct ends ends;
        ends_init(&ends, context, server, cases[i].name);
        enum tls_verdict verdict = ends_connect(&ends);
        if (cases[i].reason == NULL) {
            assert_int_equal(verdict, TLS_DONE);
            assert_string_equal(tls_reason(ends.line), "");
            ends_greet(&ends);
        } else {
            assert_int_equal(verdict, TLS_FAILED);
            expect_reason(tls_reason(ends.line), cases[i].reason);
        }
        ends_fini(&ends);
        SSL_CTX_free(server);
        tls_context_free(&context);
        assert_null(context);
    }
}

static void test_expiry_is_dated(void **state)
{
    (void)state;
    struct tls_context *context = tls_context_new();
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_EXPIRED);
    struct ends ends;
    char expected[64];
    struct tm broken_down;
    time_t expired = time(NULL) - 2 * TLS_SUPPORT_DAY_S;
    (void)strftime(expected, sizeof(expected), "certificate has expired on %Y-%m-%d",
        gmtime_r(&expired, &broken_down));
    ends_init(&ends, context, server, "dns.example");
    assert_int_equal(ends_connect(&ends), TLS_FAILED);
    assert_string_equal(tls_reason(ends.line), expected);
    ends_fini(&ends);
    SSL_CTX_free(server);
    tls_context_free(&context);
}

static void test_not_a_tls_server(void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* NULL: closes. */
        size_t len;
        const char *reason;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n", 26, "what answers there does not speak TLS"},
        {"\0\x0c\0\0\x80\x01\0\0\0\0\0\0\0\0", 14, "what answers there does not speak TLS"},
        {NULL, 0, "closed by the server"},
        /* A TLS alert: protocol_version. */
        {"\x15\3\3\0\2\2\x46", 7, "no common TLS version (1.2 or later is needed)"},
        {"\x15\3\3\0\2\2\x78", 7, "the server does not offer DNS over TLS"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context *context = tls_context_new();
        struct ends ends;
        ends_init(&ends, context, NULL, "dns.example");
        assert_int_equal(tls_connect_step(ends.line), TLS_WANT_READ);
        if (cases[i].bytes != NULL) {
            assert_int_equal(
                write(ends.fds[1], cases[i].bytes, cases[i].len), (ssize_t)cases[i].len);
        } else {
            uint8_t hello[4096];
            assert_true(read(ends.fds[1], hello, sizeof(hello)) > 0);
            close(ends.fds[1]);
            ends.fds[1] = -1;
        }
        assert_int_equal(tls_connect_step(ends.line), TLS_FAILED);
        assert_string_equal(tls_reason(ends.line), cases[i].reason);
        ends_fini(&ends);
        tls_context_free(&context);
    }
}

static void test_old_version_is_refused(void **state)
{
    (void)state;
    struct tls_context *context = tls_context_new();
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
    SSL_CTX_set_security_level(server, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(server, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(server, TLS1_1_VERSION), 1);
    struct ends ends;
    ends_init(&ends, context, server, "dns.example");
    assert_int_equal(ends_connect(&ends), TLS_FAILED);
    assert_string_equal(tls_reason(ends.line), "no common TLS version (1.2 or later is needed)");
    ends_fini(&ends);
    SSL_CTX_free(server);
    tls_context_free(&context);
}

/* Two pins, of which the second is the server's; or two of others. */
static void pins_make(SSL_CTX *server, bool has_it, struct settings_pin pins_out[2])
{
    unsigned char *info = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(SSL_CTX_get0_certificate(server)), &info);
    assert_true(len > 0);
    memset(pins_out, 0x5a, 2 * sizeof(pins_out[0]));
    SHA256(info, (size_t)len, pins_out[1].digest);
    OPENSSL_free(info);
    pins_out[1].digest[31] ^= has_it ? 0 : 1;
}

/* With a name, name and key must be right; with pins alone, nothing but the key. */
static void test_pins(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum tls_support_flaw flaw;
        bool has_it;
        const char *reason; /* NULL: good. */
    } cases[] = {
        {"dns.example", TLS_SUPPORT_GOOD, true, NULL},
        {"dns.example", TLS_SUPPORT_GOOD, false, "its key is not among tls_pins: it is sha256/"},
        {"a.example", TLS_SUPPORT_GOOD, true, "certificate does not name a.example "},
        {"dns.example", TLS_SUPPORT_SELF_SIGNED, true, "certificate is self-signed "},
        {"", TLS_SUPPORT_GOOD, true, NULL},
        {"", TLS_SUPPORT_SELF_SIGNED, true, NULL},
        {"", TLS_SUPPORT_UNKNOWN_ISSUER, true, NULL},
        {"", TLS_SUPPORT_EXPIRED, true, NULL},
        {"", TLS_SUPPORT_GOOD, false, "its key is not among tls_pins: it is sha256/"},
        {"", TLS_SUPPORT_SELF_SIGNED, false, "its key is not among tls_pins: it is sha256/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context *context = tls_context_new();
        SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", cases[i].flaw);
        struct settings_pin pins[2];
        struct tls_peer peer = {.name = cases[i].name, .pins = pins, .pin_count = 2};
        struct ends ends;
        pins_make(server, cases[i].has_it, pins);
        ends_init_peer(&ends, context, server, &peer);
        assert_int_equal(ends_connect(&ends), cases[i].reason == NULL ? TLS_DONE : TLS_FAILED);
        if (cases[i].reason == NULL) {
            ends_greet(&ends);
        } else {
            assert_memory_equal(tls_reason(ends.line), cases[i].reason, strlen(cases[i].reason));
        }
        ends_fini(&ends);
        SSL_CTX_free(server);
        tls_context_free(&context);
    }
}

/* What is told can be copied to the settings: then the server is good. */
static void test_pin_seen_is_the_pin(void **state)
{
    (void)state;
    struct tls_context *context = tls_context_new();
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
    struct settings_pin pins[2];
    struct tls_peer peer = {.name = "", .pins = pins, .pin_count = 2};
    struct ends ends;
    pins_make(server, false, pins);
    ends_init_peer(&ends, context, server, &peer);
    assert_int_equal(ends_connect(&ends), TLS_FAILED);
    const char *seen = strstr(tls_reason(ends.line), "sha256/");
    assert_non_null(seen);
    assert_true(pin_from_text(seen, strlen(seen), &pins[0]));
    ends_fini(&ends);
    ends_init_peer(&ends, context, server, &peer);
    assert_int_equal(ends_connect(&ends), TLS_DONE);
    ends_fini(&ends);
    SSL_CTX_free(server);
    tls_context_free(&context);
}

/* A resumed session has its key compared as well: pins may change between two connections. */
static void test_pins_hold_for_resumed_sessions(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {"dns.example", ""};
    for (size_t i = 0; i < 4; i++) {
        struct tls_context *context = tls_context_new();
        SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
        struct settings_pin pins[2];
        struct tls_peer peer = {.name = names[i % 2], .pins = pins, .pin_count = 2};
        assert_int_equal(SSL_CTX_set_max_proto_version(server, versions[i / 2]), 1);
        for (unsigned round = 0; round < 3; round++) {
            struct ends ends;
            pins_make(server, round < 2, pins);
            ends_init_peer(&ends, context, server, &peer);
            assert_int_equal(ends_connect(&ends), round < 2 ? TLS_DONE : TLS_FAILED);
            assert_int_equal(tls_is_resumed(ends.line), round > 0);
            if (round < 2) {
                ends_greet(&ends);
            }
            ends_fini(&ends);
        }
        SSL_CTX_free(server);
        tls_context_free(&context);
    }
}

static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
    const unsigned char *offered, unsigned offered_len, void *argument)
{
    (void)ssl;
    assert_int_equal(offered_len, 4);
    assert_memory_equal(offered, "\3dot", 4);
    *chosen = offered + 1;
    *chosen_len = 3;
    *(bool *)argument = true;
    return SSL_TLSEXT_ERR_OK;
}

static void test_sends_name_and_alpn(void **state)
{
    (void)state;
    struct tls_context *context = tls_context_new();
    SSL_CTX *server =
        tls_support_server(&authority, "DNS:dns.example,IP:192.0.2.1", TLS_SUPPORT_GOOD);
    bool has_alpn = false;
    struct ends ends;
    SSL_CTX_set_alpn_select_cb(server, on_alpn, &has_alpn);
    ends_init(&ends, context, server, "dns.example");
    assert_int_equal(ends_connect(&ends), TLS_DONE);
    assert_true(has_alpn);
    assert_string_equal(SSL_get_servername(ends.server, TLSEXT_NAMETYPE_host_name), "dns.example");
    ends_fini(&ends);
    /* An address is not a server name. */
    ends_init(&ends, context, server, "192.0.2.1");
    assert_int_equal(ends_connect(&ends), TLS_DONE);
    assert_null(SSL_get_servername(ends.server, TLSEXT_NAMETYPE_host_name));
    ends_fini(&ends);
    SSL_CTX_free(server);
    tls_context_free(&context);
}

/* The second connection resumes, each session serves once, and another name has none. */
static void test_resumption(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        struct tls_context *context = tls_context_new();
        SSL_CTX *server =
            tls_support_server(&authority, "DNS:a.example,DNS:b.example", TLS_SUPPORT_GOOD);
        assert_int_equal(SSL_CTX_set_max_proto_version(server, versions[i]), 1);
        static const struct {
            const char *name;
            bool is_resumed;
        } rounds[] = {{"a.example", false}, {"a.example", true}, {"a.example", true},
            {"b.example", false}, {"b.example", true}};
        for (size_t round = 0; round < sizeof(rounds) / sizeof(rounds[0]); round++) {
            struct ends ends;
            ends_init(&ends, context, server, rounds[round].name);
            assert_int_equal(ends_connect(&ends), TLS_DONE);
            ends_greet(&ends);
            assert_int_equal(tls_is_resumed(ends.line), rounds[round].is_resumed);
            ends_fini(&ends);
        }
        SSL_CTX_free(server);
        tls_context_free(&context);
    }
}

static void test_session_table_is_bounded(void **state)
{
    (void)state;
    struct tls_context *context = tls_context_new();
    SSL_CTX *server = tls_support_server(&authority, "DNS:*.dns.example", TLS_SUPPORT_GOOD);
    for (unsigned i = 0; i < TLS_SESSIONS_MAX + 3; i++) {
        char name[32];
        struct ends ends;
        (void)snprintf(name, sizeof(name), "n%u.dns.example", i);
        ends_init(&ends, context, server, name);
        assert_int_equal(ends_connect(&ends), TLS_DONE);
        ends_greet(&ends);
        ends_fini(&ends);
    }
    /* The oldest had to go, the newest is there. */
    static const char *const names[] = {"n0.dns.example", "n34.dns.example"};
    for (unsigned i = 0; i < 2; i++) {
        struct ends ends;
        ends_init(&ends, context, server, names[i]);
        assert_int_equal(ends_connect(&ends), TLS_DONE);
        assert_int_equal(tls_is_resumed(ends.line), i == 1);
        ends_fini(&ends);
    }
    SSL_CTX_free(server);
    tls_context_free(&context);
}

/* A large message goes out in parts, is retried from a moved buffer, and arrives whole. */
static void test_partial_write_and_pending(void **state)
{
    (void)state;
    enum {
        LEN = 1000000
    };
    struct tls_context *context = tls_context_new();
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
    struct ends ends;
    ends_init(&ends, context, server, "dns.example");
    assert_int_equal(ends_connect(&ends), TLS_DONE);
    uint8_t *bytes = malloc(LEN);
    uint8_t *moved = malloc(LEN);
    uint8_t *got = malloc(LEN);
    assert_true(bytes != NULL && moved != NULL && got != NULL);
    for (size_t i = 0; i < LEN; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    size_t sent = 0;
    size_t received = 0;
    bool has_waited = false;
    for (unsigned i = 0; i < STEPS_MAX && received < LEN; i++) {
        size_t len = 0;
        memcpy(moved, bytes + sent, LEN - sent);
        const uint8_t *place = i % 2 == 0 ? moved : bytes + sent;
        enum tls_verdict verdict =
            sent < LEN ? tls_write(ends.line, place, LEN - sent, &len) : TLS_WANT_WRITE;
        sent += len;
        if (verdict == TLS_WANT_WRITE) {
            has_waited = has_waited || sent < LEN;
            int count = SSL_read(ends.server, got + received, (int)(LEN - received));
            received += count > 0 ? (size_t)count : 0;
        }
        assert_true(verdict == TLS_DONE || verdict == TLS_WANT_WRITE);
    }
    assert_true(has_waited);
    assert_int_equal(received, LEN);
    assert_memory_equal(got, bytes, LEN);
    free(bytes);
    free(moved);
    free(got);
    ends_fini(&ends);
    SSL_CTX_free(server);
    tls_context_free(&context);
}

static void test_pending_and_close(void **state)
{
    (void)state;
    for (unsigned is_abrupt = 0; is_abrupt < 2; is_abrupt++) {
        struct tls_context *context = tls_context_new();
        SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
        struct ends ends;
        uint8_t byte = 0;
        size_t len = 0;
        ends_init(&ends, context, server, "dns.example");
        assert_int_equal(ends_connect(&ends), TLS_DONE);
        (void)SSL_do_handshake(ends.server);
        assert_int_equal(tls_read(ends.line, &byte, 1, &len), TLS_WANT_READ);
        assert_int_equal(SSL_write(ends.server, "ab", 2), 2);
        assert_int_equal(tls_read(ends.line, &byte, 1, &len), TLS_DONE);
        assert_int_equal(byte, 'a');
        assert_true(tls_has_pending(ends.line));
        assert_int_equal(tls_read(ends.line, &byte, 1, &len), TLS_DONE);
        assert_false(tls_has_pending(ends.line));
        if (is_abrupt == 0) {
            (void)SSL_shutdown(ends.server);
        }
        close(ends.fds[1]);
        ends.fds[1] = -1;
        assert_int_equal(tls_read(ends.line, &byte, 1, &len), TLS_CLOSED);
        assert_int_equal(len, 0);
        ends_fini(&ends);
        SSL_CTX_free(server);
        tls_context_free(&context);
    }
}

static void test_bad_arguments(void **state)
{
    (void)state;
    struct tls_context *context = tls_context_new();
    assert_non_null(context);
    const struct tls_peer nobody = {.name = ""};
    assert_null(tls_line_new(context, 0, &nobody));
    tls_context_free(&context);
    tls_context_free(&context);
    tls_context_free(NULL);
    struct tls_line *line = NULL;
    tls_line_free(&line);
    tls_line_free(NULL);
}

/* Roots that come to their place late are found without a restart. */
static void test_roots_are_read_again(void **state)
{
    (void)state;
    char hidden[128];
    (void)snprintf(hidden, sizeof(hidden), "%s.hidden", authority.file);
    assert_int_equal(rename(authority.file, hidden), 0);
    struct tls_context *context = tls_context_new();
    assert_int_equal(rename(hidden, authority.file), 0);
    assert_non_null(context);
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
    for (unsigned i = 0; i <= TLS_FAILURES_RENEW; i++) {
        struct ends ends;
        ends_init(&ends, context, server, "dns.example");
        assert_int_equal(ends_connect(&ends), i < TLS_FAILURES_RENEW ? TLS_FAILED : TLS_DONE);
        ends_fini(&ends);
    }
    SSL_CTX_free(server);
    tls_context_free(&context);
}

static int group_start(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    tls_support_init(&authority);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    tls_support_fini(&authority);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_flaws),
        cmocka_unit_test(test_expiry_is_dated),
        cmocka_unit_test(test_not_a_tls_server),
        cmocka_unit_test(test_old_version_is_refused),
        cmocka_unit_test(test_sends_name_and_alpn),
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_pin_seen_is_the_pin),
        cmocka_unit_test(test_pins_hold_for_resumed_sessions),
        cmocka_unit_test(test_session_table_is_bounded),
        cmocka_unit_test(test_partial_write_and_pending),
        cmocka_unit_test(test_pending_and_close),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_roots_are_read_again),
    };
    return cmocka_run_group_tests(tests, group_start, group_end);
}
