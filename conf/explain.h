/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct settings;
struct text;

/*
 * Settings to text: the effective ones as a configuration file again, the commented sample
 * (conf/mxcache.conf) and the settings part of mxcache.conf(5). Main thread; a write that failed is
 * found by the caller with ferror(3).
 */
enum explain_scope {
    EXPLAIN_ALL,
    EXPLAIN_CHANGED, /* Only what differs from the defaults, as postconf -n. */
};

/* What settings_load() turns into equal settings. Servers that came from upstreams_file stand in a
 * comment. */
void explain_settings(const struct settings *settings, enum explain_scope scope, FILE *out);

/* The defaults of all settings above the sections, as postconf -d. */
void explain_defaults(FILE *out);

/* The sample file: every setting with its sentence, commented out. */
void explain_sample(FILE *out);

/* The manual's list of settings, in scdoc(5). */
void explain_manual(FILE *out);

/* The names of settings that differ, with blanks between, and of the kinds of sections that do. */
void explain_difference(const struct settings *old, const struct settings *new, struct text *names);

/* The names of settings that differ and that only a restart applies, with blanks between; false:
 * none. For the line that a reload logs. */
bool explain_restart_needed(
    const struct settings *old, const struct settings *new, struct text *names);
