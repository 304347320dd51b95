/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct settings_pin;

/*
 * The text form of a pin: "sha256/" and the base64 of the digest, as in RFC 7469 section 2.1 and
 * the tools that print pins. Pure; any thread.
 */
#define PIN_TEXT_SIZE 52 /* With the NUL. */

/* False: not in this form. */
bool pin_from_text(const char *bytes, size_t len, struct settings_pin *pin_out);

void pin_to_text(const struct settings_pin *pin, char text_out[PIN_TEXT_SIZE]);
