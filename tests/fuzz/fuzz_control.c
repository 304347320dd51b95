/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "wire/name.h"
#include "daemon/control_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line of the control protocol. What is accepted has a whole name exactly where the command
 * takes one, in lower case; what is refused has a sentence. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request request;
    const char *complaint = NULL;
    if (!control_request_parse((const char *)data, size, &request, &complaint)) {
        must(complaint != NULL);
        return 0;
    }
    bool has_name = request.command == CONTROL_LOOKUP || request.command == CONTROL_TRACE_START ||
                    request.command == CONTROL_FLUSH_NAME || request.command == CONTROL_FLUSH_UNDER;
    must(has_name == (request.name_len > 0));
    must(!has_name || name_is_valid(request.name, request.name_len));
    uint8_t lower[NAME_SIZE_MAX];
    for (size_t i = 0; i < request.name_len; i++) {
        lower[i] = request.name[i];
    }
    name_to_lower(lower, request.name_len);
    for (size_t i = 0; i < request.name_len; i++) {
        must(lower[i] == request.name[i]);
    }
    (void)control_request_is_write(&request);
    return 0;
}
