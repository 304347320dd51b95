/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * The user that serves. Started as root, the daemon makes its sockets and then becomes this user
 * for good; started as anybody else it stays who it is. Main thread, before any other exists.
 */
struct trouble;

struct identity {
    bool is_changing; /* We are root, and the settings name a user. */
    uid_t uid;
    gid_t gid;
};

/* `user` as in the settings; empty: stay. */
bool identity_find(const char *user, struct identity *identity_out, struct trouble *trouble);

/* Becomes it, with no way back, and forbids new privileges and core dumps in any case. */
bool identity_take(const struct identity *identity, struct trouble *trouble);
