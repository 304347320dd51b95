/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "conf/lexer.h"

/*
 * The configuration file and the files that it includes, as one stream of statements in reading
 * order. Owns the files' names and bytes until source_fini(), so places and words stay valid for
 * the whole load. An included file starts above any section; behind the include the including file
 * goes on in its own section: source_next() says which file a statement is from. Main thread.
 */
#define SOURCE_FILES_MAX     64
#define SOURCE_DEPTH_MAX     8
#define SOURCE_NAME_SIZE     FINDING_FILE_SIZE
#define SOURCE_FILE_SIZE_MAX (1024 * 1024)

struct source_file {
    char name[SOURCE_NAME_SIZE];
    char *bytes; /* Owned; NULL until opened, and for bytes that were handed in. */
    dev_t device;
    ino_t inode;
    struct finding_place place; /* Of the include; no file for the first one. */
    size_t parent;              /* Index of the including file; its own index for the first one. */
    unsigned depth;
    bool is_open;
    struct lexer lexer;
};

struct source {
    struct source_file files[SOURCE_FILES_MAX];
    size_t file_count;
    size_t stack[SOURCE_FILES_MAX]; /* Files to be read, the current one last. */
    size_t stack_count;
    bool refuses_include;
    struct findings *findings;
};

void source_init(struct source *source, struct findings *findings);
void source_fini(struct source *source);

/* Starts with a file. A missing one is an error unless it is optional. */
void source_start_file(struct source *source, const char *name, bool is_optional);

/* Starts with bytes in memory, borrowed; includes are refused. */
void source_start_bytes(struct source *source, const char *name, const char *bytes, size_t len);

/* The next setting or section and the index of its file; includes are followed on the way. False:
 * there is nothing more. */
bool source_next(
    struct source *source, struct lexer_statement *statement_out, size_t *file_index_out);

/* Reads a regular file or pipe whole: at most `size_max` bytes. NULL, with errno set (EFBIG: too
 * large, EISDIR: a directory), or bytes that the caller frees. */
char *source_read(const char *name, size_t size_max, size_t *len_out);
