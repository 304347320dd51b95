/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "conf/finding.h"

struct address;
struct settings;

/* Where systemd-resolved lists the servers that its stub asks. */
#define UPSTREAMS_STUB_LIST "/run/systemd/resolve/resolv.conf"

/*
 * Fills group 0 from upstreams_file, as settings_load() promises: without our own addresses, and
 * with the servers of `stub_list` in place of systemd-resolved's stub. A file that cannot be read
 * and a list that ends up empty are warnings at `place`. Main thread.
 */
void upstreams_fill(struct settings *settings, const char *stub_list,
    const struct finding_place *place, struct findings *findings);

/* A question to this address would come back to us. A wildcard of listen stands for all loopback
 * addresses of its family. */
bool upstreams_is_own(const struct settings *settings, const struct address *address);

/* 127.0.0.53 or 127.0.0.54, where systemd-resolved listens; the port does not matter. */
bool upstreams_is_stub(const struct address *address);
