/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/tls_reason.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "conf/pin.h"

#define TLS_REASON_NAME_MAX 64

static void tls_reason_add_date(struct text *text, const ASN1_TIME *time)
{
    struct tm broken_down;
    if (time == NULL || ASN1_TIME_to_tm(time, &broken_down) != 1) {
        text_add(text, "an unreadable date");
        return;
    }
    text_addf(text, "%04d-%02d-%02d", broken_down.tm_year + 1900, broken_down.tm_mon + 1,
        broken_down.tm_mday);
}

/* A stranger chose these bytes: a name that is not made of the letters of names is left out. */
static bool tls_reason_is_host_name(const unsigned char *bytes, int len)
{
    for (int i = 0; i < len; i++) {
        bool is_letter = (bytes[i] | 0x20) >= 'a' && (bytes[i] | 0x20) <= 'z';
        bool is_digit = bytes[i] >= '0' && bytes[i] <= '9';
        if (!is_letter && !is_digit && strchr("-._*", bytes[i]) == NULL) {
            return false;
        }
    }
    return len > 0 && len <= TLS_REASON_NAME_MAX && memchr(bytes, 0, (size_t)len) == NULL;
}

/* The first DNS name that the certificate does have, which often shows the slip at once. */
static void tls_reason_add_other_name(struct text *text, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS) {
            continue;
        }
        const unsigned char *bytes = ASN1_STRING_get0_data(name->d.dNSName);
        int len = ASN1_STRING_length(name->d.dNSName);
        if (tls_reason_is_host_name(bytes, len)) {
            text_addf(text, " (it names %.*s)", len, (const char *)bytes);
            break;
        }
    }
    GENERAL_NAMES_free(names);
}

void tls_reason_certificate(X509_STORE_CTX *store, const char *name, char *reason_out, size_t size)
{
    struct text text;
    text_init(&text, reason_out, size);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int error = X509_STORE_CTX_get_error(store);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        text_add(&text, "certificate has expired on ");
        tls_reason_add_date(&text, X509_get0_notAfter(certificate));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        text_add(&text, "certificate is valid only from ");
        tls_reason_add_date(&text, X509_get0_notBefore(certificate));
        text_add(&text, " on; is this host's clock right?");
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        text_addf(&text, "certificate does not name %s", name);
        tls_reason_add_other_name(&text, certificate);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        text_add(&text, "certificate is self-signed and not among the trusted ones");
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        text_add(&text, "certificate comes from an unknown issuer; is ca-certificates installed,"
                        " or does SSL_CERT_FILE name the issuer?");
        break;
    default:
        text_addf(&text, "certificate not accepted: %s", X509_verify_cert_error_string(error));
        break;
    }
}

void tls_reason_pin(const struct settings_pin *pin, char *reason_out, size_t size)
{
    struct text text;
    char seen[PIN_TEXT_SIZE] = "unreadable";
    text_init(&text, reason_out, size);
    if (pin != NULL) {
        pin_to_text(pin, seen);
    }
    text_addf(&text, "its key is not among tls_pins: it is %s", seen);
}

static const char *tls_reason_of_code(unsigned long code)
{
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        return NULL;
    }
    switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_HTTP_REQUEST:
        return "what answers there does not speak TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "no common TLS version (1.2 or later is needed)";
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return "the server does not offer DNS over TLS";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "no common cipher or signature with the server";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return "the server does not know the name it was asked for";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return "closed by the server";
    default:
        return NULL;
    }
}

void tls_reason_connection(int error_number, char *reason_out, size_t size)
{
    struct text text;
    text_init(&text, reason_out, size);
    unsigned long code = ERR_peek_error();
    const char *sentence = tls_reason_of_code(code);
    if (sentence != NULL) {
        text_add(&text, sentence);
        return;
    }
    if (code != 0) {
        const char *words = ERR_reason_error_string(code);
        text_addf(&text, "TLS failed: %s", words != NULL ? words : "unknown error");
        return;
    }
    if (error_number != 0) {
        char words[64];
        text_addf(&text, "connection failed: %s", strerror_r(error_number, words, sizeof(words)));
        return;
    }
    text_add(&text, "closed by the server");
}
