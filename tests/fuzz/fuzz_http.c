/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "daemon/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One request of the metrics' HTTP. What was enough stays enough when more comes; a path is a
 * string, and begins with a slash unless it was too long. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request request;
    struct http_request again;
    enum http_verdict verdict = http_request_read((const char *)data, size, &request);
    must((verdict == HTTP_MORE) <= (size < HTTP_REQUEST_MAX));
    if (verdict == HTTP_GOOD) {
        must(memchr(request.path, 0, HTTP_PATH_SIZE) != NULL);
        must(request.path[0] == '/' || request.path[0] == '\0');
    }
    if (size > 0 && http_request_read((const char *)data, size - 1, &again) == HTTP_GOOD) {
        must(verdict == HTTP_GOOD);
        must(strcmp(request.path, again.path) == 0);
        must(request.has_foreign_host == again.has_foreign_host);
    }
    return 0;
}
