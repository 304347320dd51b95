/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * Why a TLS connection has failed, said to the operator in plain words. What comes from the server
 * (names in its certificate) is written only where it is printable ASCII. Pure; private to tls.c.
 */
struct settings_pin;
struct x509_store_ctx_st;

/* The error at which the verification of a certificate stands, for the server `name`. */
void tls_reason_certificate(
    struct x509_store_ctx_st *store, const char *name, char *reason_out, size_t size);

/* The server's key is not among the pins; this one was seen, or NULL: none could be read. */
void tls_reason_pin(const struct settings_pin *pin, char *reason_out, size_t size);

/* Any other failure, from OpenSSL's queue of errors, else from `error_number` (0: unknown). */
void tls_reason_connection(int error_number, char *reason_out, size_t size);
