/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_request.h"

#include <string.h>
#include <strings.h>

#include "base/address.h"

#define QUALITY_ONE 1000 /* A weight of 1 in the thousandths of RFC 9110 section 12.4.2. */

/* Some bytes of the request; nothing is terminated. */
struct span {
    const char *at;
    size_t len;
};

static bool span_is(struct span span, const char *word)
{
    return span.len == strlen(word) && strncasecmp(span.at, word, span.len) == 0;
}

static bool byte_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct span span_trim(struct span span)
{
    while (span.len > 0 && byte_is_blank(span.at[0])) {
        span.at++;
        span.len--;
    }
    while (span.len > 0 && byte_is_blank(span.at[span.len - 1])) {
        span.len--;
    }
    return span;
}

/* Takes what stands before `mark` off the front, with the mark; without one, all of it. */
static struct span span_take(struct span *rest, char mark)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->at, mark, rest->len);
    struct span taken = {.at = rest->at, .len = end == NULL ? rest->len : (size_t)(end - rest->at)};
    size_t used = end == NULL ? taken.len : taken.len + 1;
    rest->at += used;
    rest->len -= used;
    return taken;
}

/* A line without its end, CR LF or LF alone (RFC 9112 section 2.2). */
static struct span span_take_line(struct span *rest)
{
    struct span line = span_take(rest, '\n');
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

/* "0.5" in thousandths; what is no weight counts as none. */
static unsigned quality_read(struct span text)
{
    unsigned quality = 0;
    unsigned place = QUALITY_ONE;
    for (size_t i = 0; i < text.len && i < 5; i++) {
        char byte = text.at[i];
        if (i == 1 && byte == '.') {
            continue;
        }
        if (byte < '0' || byte > '9') {
            return 0;
        }
        quality += (unsigned)(byte - '0') * place;
        place /= 10;
    }
    return quality < QUALITY_ONE ? quality : QUALITY_ONE;
}

/* What the client thinks of both forms, in thousandths. */
struct preference {
    unsigned openmetrics;
    unsigned plain;
};

static void preference_raise(unsigned *value, unsigned quality)
{
    *value = quality > *value ? quality : *value;
}

static void preference_read(struct preference *preference, struct span accept)
{
    while (accept.len > 0) {
        struct span range = span_take(&accept, ',');
        struct span type = span_trim(span_take(&range, ';'));
        unsigned quality = QUALITY_ONE;
        while (range.len > 0) {
            struct span parameter = span_trim(span_take(&range, ';'));
            struct span name = span_take(&parameter, '=');
            quality = span_is(name, "q") ? quality_read(parameter) : quality;
        }
        if (span_is(type, "application/openmetrics-text")) {
            preference_raise(&preference->openmetrics, quality);
        } else if (span_is(type, "text/plain") || span_is(type, "text/*") || span_is(type, "*/*")) {
            preference_raise(&preference->plain, quality);
        }
    }
}

static void path_copy(struct span target, char path_out[HTTP_PATH_SIZE])
{
    struct span path = span_take(&target, '?');
    if (path.len >= HTTP_PATH_SIZE || memchr(path.at, '\0', path.len) != NULL) {
        path.len = 0;
    }
    memcpy(path_out, path.at, path.len);
    path_out[path.len] = '\0';
}

/* METHOD SP TARGET SP VERSION (RFC 9112 section 3). */
static enum http_verdict request_read_line(struct span line, struct http_request *request)
{
    struct span method = span_take(&line, ' ');
    struct span target = span_take(&line, ' ');
    if (method.len == 0 || target.len == 0 || target.at[0] != '/' || line.len != 8 ||
        memcmp(line.at, "HTTP/", 5) != 0) {
        return HTTP_MALFORMED;
    }
    if (memcmp(line.at, "HTTP/1.", 7) != 0) {
        return HTTP_UNKNOWN_VERSION;
    }
    request->is_head = method.len == 4 && memcmp(method.at, "HEAD", 4) == 0;
    if (!request->is_head && (method.len != 3 || memcmp(method.at, "GET", 3) != 0)) {
        return HTTP_NOT_ALLOWED;
    }
    path_copy(target, request->path);
    return HTTP_GOOD;
}

/* Whose name it is can be told by an address and by localhost only: a browser that was led here
 * says the name of the page that led it (RFC 9110 section 7.2). */
static bool host_is_foreign(struct span host)
{
    struct address address;
    host = span_trim(host);
    if (host.len == 0) {
        return false;
    }
    if (host.at[0] == '[') {
        host.at++;
        host.len--;
        struct span literal = span_take(&host, ']');
        return !address_parse(literal.at, literal.len, 0, &address);
    }
    struct span name = span_take(&host, ':');
    return !span_is(name, "localhost") && !span_is(name, "localhost.") &&
           !address_parse(name.at, name.len, 0, &address);
}

/* Where the empty line ends that ends the head; 0: not there yet. */
static size_t head_end(const char *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (bytes[i] != '\n') {
            continue;
        }
        if (bytes[i + 1] == '\n') {
            return i + 2;
        }
        if (i + 2 < len && bytes[i + 1] == '\r' && bytes[i + 2] == '\n') {
            return i + 3;
        }
    }
    return 0;
}

enum http_verdict http_request_read(const char *bytes, size_t len, struct http_request *request_out)
{
    size_t end = head_end(bytes, len < HTTP_REQUEST_MAX ? len : HTTP_REQUEST_MAX);
    if (end == 0) {
        return len < HTTP_REQUEST_MAX ? HTTP_MORE : HTTP_TOO_LARGE;
    }
    struct span rest = {.at = bytes, .len = end};
    struct http_request request = {.is_head = false};
    enum http_verdict verdict = request_read_line(span_take_line(&rest), &request);
    if (verdict != HTTP_GOOD) {
        return verdict;
    }
    struct preference preference = {.openmetrics = 0};
    while (rest.len > 0) {
        struct span line = span_take_line(&rest);
        struct span name = span_take(&line, ':');
        if (span_is(name, "accept")) {
            preference_read(&preference, line);
        } else if (span_is(name, "host")) {
            request.has_foreign_host = request.has_foreign_host || host_is_foreign(line);
        }
    }
    request.prefers_openmetrics =
        preference.openmetrics > 0 && preference.openmetrics >= preference.plain;
    *request_out = request;
    return HTTP_GOOD;
}
