/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/*
 * A certificate authority made on the spot, in a folder of its own to which SSL_CERT_FILE points,
 * and TLS servers with good and bad certificates.
 */
#define TLS_SUPPORT_DAY_S (24 * 60 * 60)

enum tls_support_flaw {
    TLS_SUPPORT_GOOD,
    TLS_SUPPORT_EXPIRED,
    TLS_SUPPORT_FUTURE,
    TLS_SUPPORT_SELF_SIGNED,
    TLS_SUPPORT_UNKNOWN_ISSUER,
};

struct tls_support {
    char folder[64];
    char file[96];
    EVP_PKEY *key;
    X509 *certificate;
};

static inline void tls_support_add_extension(
    X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate over `key`, unsigned yet, valid from and to so many days from now. */
static inline X509 *tls_support_certificate(
    EVP_PKEY *key, const char *common_name, int from_days, int to_days)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++), 1);
    assert_non_null(
        X509_gmtime_adj(X509_getm_notBefore(certificate), (long)from_days * TLS_SUPPORT_DAY_S));
    assert_non_null(
        X509_gmtime_adj(X509_getm_notAfter(certificate), (long)to_days * TLS_SUPPORT_DAY_S));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                         MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0),
        1);
    return certificate;
}

static inline X509 *tls_support_authority(EVP_PKEY *key, const char *common_name)
{
    X509 *certificate = tls_support_certificate(key, common_name, -1, 30);
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)), 1);
    tls_support_add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    tls_support_add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static inline void tls_support_init(struct tls_support *support)
{
    memset(support, 0, sizeof(*support));
    (void)snprintf(support->folder, sizeof(support->folder), "/tmp/mxcache-tls-XXXXXX");
    assert_non_null(mkdtemp(support->folder));
    (void)snprintf(support->file, sizeof(support->file), "%s/roots.pem", support->folder);
    support->key = EVP_EC_gen("P-256");
    assert_non_null(support->key);
    support->certificate = tls_support_authority(support->key, "Test Authority");
    FILE *file = fopen(support->file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, support->certificate), 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("SSL_CERT_FILE", support->file, 1), 0);
    assert_int_equal(setenv("SSL_CERT_DIR", support->folder, 1), 0);
}

static inline void tls_support_fini(struct tls_support *support)
{
    (void)unlink(support->file);
    (void)rmdir(support->folder);
    X509_free(support->certificate);
    EVP_PKEY_free(support->key);
}

static inline void tls_support_sign(
    const struct tls_support *support, X509 *certificate, EVP_PKEY *key, enum tls_support_flaw flaw)
{
    EVP_PKEY *issuer_key = support->key;
    X509 *issuer = support->certificate;
    EVP_PKEY *stranger_key = EVP_EC_gen("P-256");
    X509 *stranger = tls_support_authority(stranger_key, "Stranger");
    if (flaw == TLS_SUPPORT_SELF_SIGNED) {
        issuer_key = key;
        issuer = certificate;
    } else if (flaw == TLS_SUPPORT_UNKNOWN_ISSUER) {
        issuer_key = stranger_key;
        issuer = stranger;
    }
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)), 1);
    assert_true(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
    X509_free(stranger);
    EVP_PKEY_free(stranger_key);
}

/* A server's context, for the names in `alternatives` ("DNS:dns.example", "IP:127.0.0.1"). */
static inline SSL_CTX *tls_support_server(
    const struct tls_support *support, const char *alternatives, enum tls_support_flaw flaw)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(server);
    assert_non_null(key);
    int from_days = flaw == TLS_SUPPORT_FUTURE ? 2 : -9;
    int to_days = flaw == TLS_SUPPORT_EXPIRED ? -2 : 9;
    X509 *certificate = tls_support_certificate(key, "server", from_days, to_days);
    tls_support_add_extension(certificate, certificate, NID_subject_alt_name, alternatives);
    tls_support_sign(support, certificate, key, flaw);
    assert_int_equal(SSL_CTX_use_certificate(server, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return server;
}

/* A server's end over `fd`, which does not block from now on. */
static inline SSL *tls_support_accept(SSL_CTX *server, int fd)
{
    SSL *ssl = SSL_new(server);
    assert_non_null(ssl);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    SSL_set_accept_state(ssl);
    return ssl;
}
