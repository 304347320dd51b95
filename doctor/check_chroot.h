/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * Who runs in Postfix's chroot and looks names up there. Pure; any thread.
 */
struct postfix_instance;
struct postfix_service;

/* Does the service run in the chroot and ask DNS itself? */
bool check_chroot_asks(const struct postfix_service *service);

/* Is there such a service? */
bool check_chroot_is_used(const struct postfix_instance *instance);
