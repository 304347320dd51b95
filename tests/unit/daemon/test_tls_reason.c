/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "conf/settings.h"
#include "daemon/tls_reason.h"

static char reason[256];

/* A certificate that names this one host, whatever its bytes are. */
static X509 *certificate_of(const char *name, int len)
{
    X509 *certificate = X509_new();
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *item = GENERAL_NAME_new();
    ASN1_IA5STRING *bytes = ASN1_IA5STRING_new();
    assert_non_null(certificate);
    assert_true(names != NULL && item != NULL && bytes != NULL);
    assert_int_equal(ASN1_STRING_set(bytes, name, len), 1);
    GENERAL_NAME_set0_value(item, GEN_DNS, bytes);
    assert_true(sk_GENERAL_NAME_push(names, item) > 0);
    assert_int_equal(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200102030405Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20210304050607Z"), 1);
    return certificate;
}

static const char *explain(X509 *certificate, int error)
{
    X509_STORE_CTX *store = X509_STORE_CTX_new();
    assert_non_null(store);
    X509_STORE_CTX_set_current_cert(store, certificate);
    X509_STORE_CTX_set_error(store, error);
    memset(reason, 'x', sizeof reason);
    tls_reason_certificate(store, "dns.example.net", reason, sizeof reason);
    X509_STORE_CTX_free(store);
    return reason;
}

static void test_certificate(void **state)
{
    static const struct {
        int error;
        const char *sentence; /* Its beginning. */
    } cases[] = {
        {X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired on 2021-03-04"},
        {X509_V_ERR_CERT_NOT_YET_VALID, "certificate is valid only from 2020-01-02 on; is this"},
        {X509_V_ERR_HOSTNAME_MISMATCH,
            "certificate does not name dns.example.net (it names other.example)"},
        {X509_V_ERR_IP_ADDRESS_MISMATCH,
            "certificate does not name dns.example.net (it names other.example)"},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate is self-signed"},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate comes from an unknown issuer"},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate comes from an unknown issuer"},
        {X509_V_ERR_CERT_REVOKED, "certificate not accepted: certificate revoked"},
    };
    X509 *certificate = certificate_of("other.example", 13);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = explain(certificate, cases[i].error);
        assert_memory_equal(found, cases[i].sentence, strlen(cases[i].sentence));
    }
    X509_free(certificate);
}

/* A stranger chose the name in his certificate: it goes into the log, so it must look like one. */
static void test_names_of_strangers(void **state)
{
    static const struct {
        const char *name;
        int len;
        bool is_shown;
    } cases[] = {
        {"a", 1, true},
        {"*.Example-1_x.org", 17, true},
        {"", 0, false},
        {"a b", 3, false},
        {"a\nb", 3, false},
        {"a\"b", 3, false},
        {"a\0b", 3, false},
        {"\0", 1, false},
        {"a\x1b[2J", 5, false},
        {"m\xc3\xbcller", 7, false},
        {"0123456789012345678901234567890123456789012345678901234567890123", 64, true},
        {"01234567890123456789012345678901234567890123456789012345678901234", 65, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *certificate = certificate_of(cases[i].name, cases[i].len);
        const char *found = explain(certificate, X509_V_ERR_HOSTNAME_MISMATCH);
        assert_true((strstr(found, " (it names ") != NULL) == cases[i].is_shown);
        X509_free(certificate);
    }
    X509 *nameless = X509_new();
    assert_string_equal(explain(nameless, X509_V_ERR_HOSTNAME_MISMATCH),
        "certificate does not name dns.example.net");
    X509_free(nameless);
}

static void test_pin(void **state)
{
    struct settings_pin pin;
    (void)state;
    memset(&pin, 0, sizeof pin);
    tls_reason_pin(&pin, reason, sizeof reason);
    assert_non_null(strstr(reason, "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    tls_reason_pin(NULL, reason, sizeof reason);
    assert_string_equal(reason, "its key is not among tls_pins: it is unreadable");
}

/* OpenSSL's queue comes first, then the system's error. */
static void test_connection(void **state)
{
    static const struct {
        int library;
        int code; /* 0: the queue is empty. */
        int error_number;
        const char *sentence;
    } cases[] = {
        {0, 0, 0, "closed by the server"},
        {0, 0, ECONNREFUSED, "connection failed: Connection refused"},
        {ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER, 0, "what answers there does not speak TLS"},
        {ERR_LIB_SSL, SSL_R_HTTP_REQUEST, ECONNRESET, "what answers there does not speak TLS"},
        {ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL, 0,
            "no common TLS version (1.2 or later is needed)"},
        {ERR_LIB_SSL, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, 0,
            "the server does not offer DNS over TLS"},
        {ERR_LIB_SSL, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, 0,
            "no common cipher or signature with the server"},
        {ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING, 0, "closed by the server"},
        {ERR_LIB_SSL, SSL_R_BAD_LENGTH, ECONNRESET, "TLS failed: bad length"},
        /* The same number means something else in another part of the library. */
        {ERR_LIB_X509, SSL_R_WRONG_VERSION_NUMBER, 0, "TLS failed: unknown error"},
    };
    (void)state;
    assert_int_equal(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL), 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ERR_clear_error();
        if (cases[i].code != 0) {
            ERR_raise(cases[i].library, cases[i].code);
        }
        tls_reason_connection(cases[i].error_number, reason, sizeof reason);
        assert_string_equal(reason, cases[i].sentence);
    }
    ERR_clear_error();
}

/* Little room: cut, and ended. */
static void test_little_room(void **state)
{
    (void)state;
    memset(reason, 'x', sizeof reason);
    tls_reason_connection(ECONNREFUSED, reason, 8);
    assert_int_equal(strlen(reason), 7);
    assert_int_equal(reason[8], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_names_of_strangers),
        cmocka_unit_test(test_pin),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
