/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_file.h"

#include <stdio.h>

/* What stands in for capture_file.c where libpcap was not there when this was built. */

struct capture_file *capture_file_open(const char *path, char *sentence_out, size_t size)
{
    (void)snprintf(sentence_out, size,
        "%s cannot be read: this mxcache was built without libpcap. Build it where libpcap's "
        "headers are (Debian: libpcap-dev).",
        path);
    return NULL;
}

enum capture_file_verdict capture_file_next(
    struct capture_file *file, struct capture_packet *packet_out)
{
    (void)file;
    (void)packet_out;
    return CAPTURE_FILE_END;
}

void capture_file_free(struct capture_file **file)
{
    *file = NULL;
}

const char *capture_file_library(void)
{
    return "libpcap not built in (doctor --capture)";
}
