/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* A temporary folder with files for one test. folder_fini() takes the files and the folder away. */
#define FOLDER_FILES_MAX 128

struct folder {
    char path[64];
    char files[FOLDER_FILES_MAX][128];
    size_t file_count;
};

static inline void folder_init(struct folder *folder)
{
    *folder = (struct folder){.path = "/tmp/mxcache-test-XXXXXX"};
    assert_non_null(mkdtemp(folder->path));
}

/* The file's whole path; valid until folder_fini(). */
static inline const char *folder_add(struct folder *folder, const char *name, const char *text)
{
    assert_true(folder->file_count < FOLDER_FILES_MAX);
    char *path = folder->files[folder->file_count++];
    snprintf(path, sizeof folder->files[0], "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void folder_fini(struct folder *folder)
{
    for (size_t i = 0; i < folder->file_count; i++) {
        unlink(folder->files[i]);
    }
    assert_int_equal(rmdir(folder->path), 0);
}
