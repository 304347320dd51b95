/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * One dnstap message (dnstap.info) in its protocol buffer encoding: what a client asked, or what it
 * was answered. The few fields that are needed are written by hand; field numbers and types are
 * those of the public schema dnstap.proto. Pure; any thread.
 */
enum dnstap_type {
    DNSTAP_CLIENT_QUERY = 5,
    DNSTAP_CLIENT_RESPONSE = 6,
};

struct dnstap_frame {
    enum dnstap_type type;
    const struct address *client;
    bool is_stream;
    int64_t asked_us;    /* Since 1970. */
    int64_t answered_us; /* Of a response. */
    const uint8_t *message;
    size_t message_len;
    const char *identity; /* This host's name; shorter than 256 bytes, as the next one is. */
    const char *version;
};

/* Bytes that are always enough. */
#define DNSTAP_FRAME_HEAD 640
size_t dnstap_frame_size_max(const struct dnstap_frame *frame);

/* Returns the length; `bytes_out` has room for dnstap_frame_size_max(). */
size_t dnstap_frame_write(const struct dnstap_frame *frame, uint8_t *bytes_out);
