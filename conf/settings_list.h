/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * The [list ZONE] sections of the settings (conf/settings.h): what the operator says about DNS
 * lists, in plain values. What is known of the lists without him stands in mail/lists.def.
 */
#define SETTINGS_LISTS_MAX   64
#define SETTINGS_REFUSED_MAX 16

/* What clients get when a list does not answer as a list. AUTO in a [list] section only. */
enum settings_list_action {
    SETTINGS_LIST_ACTION_AUTO,
    SETTINGS_LIST_ACTION_SERVFAIL,
    SETTINGS_LIST_ACTION_NXDOMAIN,
    SETTINGS_LIST_ACTION_PASS,
};

enum settings_list_kind {
    SETTINGS_LIST_KIND_AUTO,
    SETTINGS_LIST_KIND_IP,
    SETTINGS_LIST_KIND_ALLOW,
    SETTINGS_LIST_KIND_DOMAIN,
    SETTINGS_LIST_KIND_HASH,
};

enum settings_list_key {
    SETTINGS_LIST_KEY_AUTO,
    SETTINGS_LIST_KEY_YES,
    SETTINGS_LIST_KEY_NO,
};

/* [list ZONE]. Zeroed: nothing is said about it. */
struct settings_list {
    uint8_t name[255]; /* Wire form, lower case. */
    uint8_t name_len;
    enum settings_list_kind kind;
    enum settings_list_key key;
    enum settings_list_action action;
    struct network refused[SETTINGS_REFUSED_MAX];
    size_t refused_count;
    uint64_t quota; /* 0: what is known. */
};
