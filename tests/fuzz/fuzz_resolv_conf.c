/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "conf/resolv_conf.h"

/* Any bytes as resolv.conf: what comes out keeps to its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resolv_conf file;
    resolv_conf_parse((const char *)data, size, &file);
    must(file.server_count <= RESOLV_CONF_SERVERS_MAX);
    must(file.servers_dropped == 0 || file.server_count == RESOLV_CONF_SERVERS_MAX);
    must(file.timeout_s <= 30 && file.attempts <= 5);
    must(file.ndots <= 15 && strlen(file.search_first) < RESOLV_CONF_SUFFIX_SIZE);
    must(resolv_conf_stall_s(&file) <= 5 * (30 + 30 + 40));
    for (size_t i = 0; i < file.server_count; i++) {
        must(file.servers[i].port == 53);
        must(file.servers[i].family != ADDRESS_NONE);
    }
    return 0;
}
