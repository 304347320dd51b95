/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/unit/daemon/serving_support.h"

/* What a test says and hears as a client over TCP. */
static inline size_t frame(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
    size_t len = serving_query(bytes + 2, id, name, type);
    bytes_put_u16(bytes, (uint16_t)len);
    return len + 2;
}

/* Reads exactly `len` bytes. False: the connection ended first. */
static inline bool read_whole(int fd, uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        assert_true(serving_is_readable(fd, SERVING_LIMIT_MS));
        ssize_t got = recv(fd, bytes + at, len - at, 0);
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

/* The next answer's id. */
static inline uint16_t read_answer(int fd)
{
    uint8_t bytes[SERVING_SIZE];
    assert_true(read_whole(fd, bytes, 2));
    size_t len = bytes_get_u16(bytes);
    assert_true(len >= HEADER_SIZE);
    assert_true(read_whole(fd, bytes, len));
    assert_int_equal(header_flags(bytes) & HEADER_QR, HEADER_QR);
    return header_id(bytes);
}

static inline bool is_closed(int fd)
{
    uint8_t byte;
    assert_true(serving_is_readable(fd, SERVING_LIMIT_MS));
    return recv(fd, &byte, 1, 0) <= 0;
}

static inline void send_whole(int fd, const uint8_t *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}
