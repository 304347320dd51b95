/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/must.h"
#include "conf/pin.h"
#include "conf/settings.h"
#include "daemon/tls_reason.h"

#define TLS_RENEW_S 60

struct tls_session {
    char *name;
    SSL_SESSION *session;
    int64_t stored_at;
};

struct tls_context {
    SSL_CTX *ssl_context;
    struct tls_session sessions[TLS_SESSIONS_MAX];
    unsigned failures; /* Handshakes in a row. */
    int64_t renew_at;  /* Not again before. */
};

struct tls_line {
    SSL *ssl;
    struct tls_context *context;
    char *name;
    char *session; /* What its session is kept under. */
    struct settings_pin pins[SETTINGS_PINS_MAX];
    size_t pin_count;
    bool has_failed;
    bool is_connected;
    char reason[TLS_REASON_SIZE];
};

/* ALPN name of DNS over TLS, in the protocol's own form: a length, then the name. */
static const unsigned char tls_alpn[] = {3, 'd', 'o', 't'};

static void tls_session_clear(struct tls_session *row)
{
    free(row->name);
    SSL_SESSION_free(row->session);
    *row = (struct tls_session){0};
}

static bool tls_session_is_for(const struct tls_session *row, const char *name)
{
    return row->name != NULL && strcmp(row->name, name) == 0;
}

/* The row of the name, else a free one, else the oldest. */
static struct tls_session *tls_session_row(struct tls_context *context, const char *name)
{
    struct tls_session *best = &context->sessions[0];
    for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
        struct tls_session *row = &context->sessions[i];
        if (tls_session_is_for(row, name)) {
            return row;
        }
        if (row->stored_at < best->stored_at) {
            best = row;
        }
    }
    return best;
}

/* OpenSSL's callback: 1 means that the reference to the session is ours now. */
static int tls_on_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls_line *line = SSL_get_app_data(ssl);
    struct tls_session *row = tls_session_row(line->context, line->session);
    char *name = strdup(line->session);
    if (name == NULL) {
        return 0;
    }
    tls_session_clear(row);
    *row = (struct tls_session){.name = name, .session = session, .stored_at = clock_now()};
    return 1;
}

static void tls_session_resume(struct tls_line *line)
{
    struct tls_session *row = tls_session_row(line->context, line->session);
    if (!tls_session_is_for(row, line->session)) {
        return;
    }
    bool is_resumable = SSL_SESSION_is_resumable(row->session) == 1;
    if (is_resumable) {
        SSL_set_session(line->ssl, row->session);
    }
    /* A ticket of TLS 1.3 is shown once (RFC 8446 appendix C.4) and the server sends new ones; one
     * of TLS 1.2 serves until it expires. */
    if (!is_resumable || SSL_SESSION_get_protocol_version(row->session) >= TLS1_3_VERSION) {
        tls_session_clear(row);
    }
}

/* Perhaps it was the session that the server did not like. */
static void tls_session_forget(const struct tls_line *line)
{
    struct tls_session *row = tls_session_row(line->context, line->session);
    if (tls_session_is_for(row, line->session)) {
        tls_session_clear(row);
    }
}

/* OpenSSL's callback for each certificate of the chain: the verdict stands, we only note why,
 * because the certificate is at hand here and nowhere later. */
static int tls_on_verify(int is_ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_line *line = SSL_get_app_data(ssl);
    if (line->name[0] == '\0') {
        /* The key is compared when the handshake is done; nothing else was demanded. */
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    if (is_ok == 0 && line->reason[0] == '\0') {
        tls_reason_certificate(store, line->name, line->reason, sizeof(line->reason));
    }
    return is_ok;
}

static SSL_CTX *tls_ssl_context_new(void)
{
    ERR_clear_error();
    SSL_CTX *ssl_context = SSL_CTX_new(TLS_client_method());
    if (ssl_context == NULL) {
        return NULL;
    }
    if (SSL_CTX_set_min_proto_version(ssl_context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_default_verify_paths(ssl_context) != 1 ||
        SSL_CTX_set_alpn_protos(ssl_context, tls_alpn, sizeof(tls_alpn)) != 0) {
        SSL_CTX_free(ssl_context);
        return NULL;
    }
    SSL_CTX_set_verify(ssl_context, SSL_VERIFY_PEER, tls_on_verify);
    /* Each message carries its length, so a missing goodbye can hide nothing. */
    SSL_CTX_set_options(ssl_context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl_context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl_context, tls_on_session);
    return ssl_context;
}

const char *tls_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

const char *tls_library_compiled(void)
{
    return OPENSSL_VERSION_TEXT;
}

struct tls_context *tls_context_new(void)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL) {
        return NULL;
    }
    context->ssl_context = tls_ssl_context_new();
    if (context->ssl_context == NULL) {
        tls_context_free(&context);
    }
    return context;
}

void tls_context_free(struct tls_context **context)
{
    if (context == NULL || *context == NULL) {
        return;
    }
    for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
        tls_session_clear(&(*context)->sessions[i]);
    }
    SSL_CTX_free((*context)->ssl_context);
    free(*context);
    *context = NULL;
}

/* Reads the roots again. Lines that are open keep the old ones: OpenSSL counts references. */
static void tls_context_renew_if_due(struct tls_context *context)
{
    int64_t now = clock_now();
    if (context->failures < TLS_FAILURES_RENEW || now < context->renew_at) {
        return;
    }
    SSL_CTX *ssl_context = tls_ssl_context_new();
    if (ssl_context == NULL) {
        return;
    }
    SSL_CTX_free(context->ssl_context);
    context->ssl_context = ssl_context;
    context->failures = 0;
    context->renew_at = now + TLS_RENEW_S * CLOCK_US_PER_S;
}

/* An address is demanded as an address, and is never sent as a name (RFC 6066 section 3). */
static bool tls_line_demand_name(struct tls_line *line)
{
    struct address address;
    X509_VERIFY_PARAM *demand = SSL_get0_param(line->ssl);
    if (line->name[0] == '\0') {
        return line->pin_count > 0;
    }
    if (address_parse(line->name, strlen(line->name), 0, &address)) {
        return X509_VERIFY_PARAM_set1_ip_asc(demand, line->name) == 1;
    }
    X509_VERIFY_PARAM_set_hostflags(demand, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(line->ssl, line->name) == 1 &&
           SSL_set_tlsext_host_name(line->ssl, line->name) == 1;
}

static void tls_line_copy_peer(struct tls_line *line, const struct tls_peer *peer)
{
    char pin[PIN_TEXT_SIZE] = "";
    must(peer->pin_count <= SETTINGS_PINS_MAX);
    line->pin_count = peer->pin_count;
    if (peer->pin_count > 0) {
        memcpy(line->pins, peer->pins, peer->pin_count * sizeof(peer->pins[0]));
        pin_to_text(&peer->pins[0], pin);
    }
    line->name = strdup(peer->name);
    line->session = strdup(peer->name[0] != '\0' ? peer->name : pin);
}

struct tls_line *tls_line_new(struct tls_context *context, int fd, const struct tls_peer *peer)
{
    struct tls_line *line = calloc(1, sizeof(*line));
    if (line == NULL) {
        return NULL;
    }
    ERR_clear_error();
    tls_context_renew_if_due(context);
    line->context = context;
    tls_line_copy_peer(line, peer);
    line->ssl = SSL_new(context->ssl_context);
    if (line->name == NULL || line->session == NULL || line->ssl == NULL ||
        SSL_set_fd(line->ssl, fd) != 1 || SSL_set_app_data(line->ssl, line) != 1 ||
        !tls_line_demand_name(line)) {
        tls_line_free(&line);
        return NULL;
    }
    SSL_set_connect_state(line->ssl);
    tls_session_resume(line);
    return line;
}

void tls_line_free(struct tls_line **line)
{
    if (line == NULL || *line == NULL) {
        return;
    }
    if ((*line)->is_connected && !(*line)->has_failed) {
        ERR_clear_error();
        (void)SSL_shutdown((*line)->ssl);
    }
    SSL_free((*line)->ssl);
    free((*line)->session);
    free((*line)->name);
    free(*line);
    *line = NULL;
}

static enum tls_verdict tls_line_fail(struct tls_line *line, int error_number)
{
    line->has_failed = true;
    if (line->reason[0] == '\0') {
        tls_reason_connection(error_number, line->reason, sizeof(line->reason));
    }
    return TLS_FAILED;
}

/* What OpenSSL's return value means; `error_number` is errno right after the call. */
static enum tls_verdict tls_line_judge(struct tls_line *line, int returned, int error_number)
{
    if (returned > 0) {
        return TLS_DONE;
    }
    switch (SSL_get_error(line->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return line->is_connected ? TLS_CLOSED : tls_line_fail(line, 0);
    case SSL_ERROR_SYSCALL:
        return tls_line_fail(line, error_number);
    default:
        return tls_line_fail(line, 0);
    }
}

/* The SHA-256 of the server's SubjectPublicKeyInfo. False: memory is short. */
static bool tls_line_see_pin(const struct tls_line *line, struct settings_pin *pin_out)
{
    X509 *certificate = SSL_get1_peer_certificate(line->ssl);
    unsigned char *info = NULL;
    int len = certificate != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &info) : -1;
    bool is_seen =
        len > 0 && EVP_Digest(info, (size_t)len, pin_out->digest, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(info);
    X509_free(certificate);
    return is_seen;
}

/* Also of a resumed session, which keeps the certificate that it began with. */
static bool tls_line_has_pinned_key(struct tls_line *line)
{
    struct settings_pin pin = {.digest = {0}};
    if (line->pin_count == 0) {
        return true;
    }
    bool is_seen = tls_line_see_pin(line, &pin);
    for (size_t i = 0; is_seen && i < line->pin_count; i++) {
        if (memcmp(line->pins[i].digest, pin.digest, sizeof(pin.digest)) == 0) {
            return true;
        }
    }
    tls_reason_pin(is_seen ? &pin : NULL, line->reason, sizeof(line->reason));
    return false;
}

enum tls_verdict tls_connect_step(struct tls_line *line)
{
    ERR_clear_error();
    errno = 0;
    int returned = SSL_do_handshake(line->ssl);
    enum tls_verdict verdict = tls_line_judge(line, returned, errno);
    if (verdict == TLS_DONE && !tls_line_has_pinned_key(line)) {
        verdict = tls_line_fail(line, 0);
    }
    if (verdict == TLS_DONE) {
        line->is_connected = true;
        line->context->failures = 0;
    }
    if (verdict == TLS_FAILED) {
        tls_session_forget(line);
        line->context->failures++;
    }
    return verdict;
}

enum tls_verdict tls_read(struct tls_line *line, uint8_t *bytes_out, size_t size, size_t *len_out)
{
    *len_out = 0;
    ERR_clear_error();
    errno = 0;
    int returned = SSL_read_ex(line->ssl, bytes_out, size, len_out);
    return tls_line_judge(line, returned, errno);
}

enum tls_verdict tls_write(struct tls_line *line, const uint8_t *bytes, size_t len, size_t *len_out)
{
    *len_out = 0;
    ERR_clear_error();
    errno = 0;
    int returned = SSL_write_ex(line->ssl, bytes, len, len_out);
    return tls_line_judge(line, returned, errno);
}

bool tls_has_pending(const struct tls_line *line)
{
    return SSL_pending(line->ssl) > 0;
}

const char *tls_reason(const struct tls_line *line)
{
    return line->reason;
}

bool tls_is_resumed(const struct tls_line *line)
{
    return SSL_session_reused(line->ssl) == 1;
}
