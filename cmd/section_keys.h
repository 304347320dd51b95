/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct findings;
struct settings;

/*
 * Customers' keys of paid DNS lists in the names of sections. They come with the questions; in a
 * file that everybody on the host may read they have no business. What is configured (conf/) and
 * what is known of lists (mail/) meet here, for neither floor knows the other. Pure; main thread.
 */

/* A warning for each such section, without the key. `file` is the name for the finding. */
void section_keys_check(
    const struct settings *settings, const char *file, struct findings *findings);
