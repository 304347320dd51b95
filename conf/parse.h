/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct settings;

/*
 * From text to settings. Errors are collected, all of them in one run, each with its place and a
 * sentence that says what to do. Pure but for reading the named files; main thread.
 */
enum finding_level {
    FINDING_WARNING,
    FINDING_ERROR,
};

#define FINDING_FILE_SIZE     256
#define FINDING_SENTENCE_SIZE 400
#define FINDINGS_MAX          100 /* Further ones are counted in `dropped`. */

struct finding {
    enum finding_level level;
    char file[FINDING_FILE_SIZE]; /* Or "-o" for an override. */
    unsigned line;                /* From 1; 0: the file as a whole. */
    unsigned column;              /* From 1. */
    char sentence[FINDING_SENTENCE_SIZE];
};

struct findings {
    struct finding items[FINDINGS_MAX];
    size_t count;
    size_t errors; /* Of all found, dropped ones included. */
    size_t dropped;
};

/* Where settings come from. */
struct settings_source {
    const char *file;             /* NULL: no file, defaults only. */
    bool is_file_optional;        /* A missing file is as an empty one. */
    const char *const *overrides; /* "name=value", as -o gives them. */
    size_t override_count;
};

/*
 * Fills `settings_out` completely. Without `upstreams`, group 0 is filled from upstreams_file:
 * its nameserver lines, leaving out every address that we ourselves listen on; when what is left is
 * systemd-resolved's stub (127.0.0.53, 127.0.0.54), its non-stub list
 * (/run/systemd/resolve/resolv.conf) is read instead. No server at all is a warning here: the
 * caller decides. False when findings_out->errors > 0; settings_out is not to be used then.
 */
bool settings_load(const struct settings_source *source, struct settings *settings_out,
    struct findings *findings_out);

/* The same for a file's content already in memory (tests, fuzzing); `file` is its name in findings.
 * Reads no upstreams_file. Any bytes are safe. */
bool settings_parse(const char *file, const char *bytes, size_t len, struct settings *settings_out,
    struct findings *findings_out);

/* "FILE:LINE:COLUMN: error: SENTENCE". Returns the length; NUL-terminated. */
size_t finding_format(const struct finding *finding, char *text_out, size_t size);
