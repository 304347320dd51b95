/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_log.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/events.h"

static const char *out_log_remedy(int error_number)
{
    switch (error_number) {
    case EMFILE:
        return "raise the limit of open files (LimitNOFILE= in the unit)";
    case ENFILE:
        return "raise the sysctl fs.file-max";
    case ENOBUFS:
    case ENOMEM:
        return "the kernel is short of memory for sockets";
    case EAFNOSUPPORT:
        return "this host has no such address family, take the server out of the upstreams";
    default:
        return "";
    }
}

void out_log_socket(struct log_limit *limit, const char *way, int error_number)
{
    log_event_limited(&event_upstream_no_socket, limit, clock_now(),
        "transport=%s error=\"%s\" advice=\"%s\"", way, strerror(error_number),
        out_log_remedy(error_number));
}
