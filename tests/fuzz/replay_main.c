/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds every file of the given directories to a fuzz target, in a build without libFuzzer: what
 * the fuzzer once found stays a test. Fails when a directory holds no file, so that a corpus that
 * moved away is noticed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is copied to a block of its exact size, so that the sanitizer sees a read past it. */
static void input_replay(const uint8_t *bytes, size_t len)
{
    uint8_t *input = malloc(len > 0 ? len : 1);
    if (input == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memcpy(input, bytes, len);
    LLVMFuzzerTestOneInput(input, len);
    free(input);
}

static bool file_replay(const char *path, uint8_t *buffer)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    size_t len = fread(buffer, 1, INPUT_SIZE_MAX, file);
    bool is_whole = feof(file) != 0 || fgetc(file) == EOF;
    fclose(file);
    if (!is_whole) {
        fprintf(stderr, "%s: larger than %d bytes\n", path, INPUT_SIZE_MAX);
        return false;
    }
    input_replay(buffer, len);
    return true;
}

static bool directory_replay(const char *directory, uint8_t *buffer)
{
    char path[4096];
    unsigned count = 0;
    bool is_well = true;
    DIR *entries = opendir(directory);
    if (entries == NULL) {
        fprintf(stderr, "%s: %s\n", directory, strerror(errno));
        return false;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        is_well = file_replay(path, buffer) && is_well;
        count++;
    }
    closedir(entries);
    printf("%s: %u inputs\n", directory, count);
    return is_well && count > 0;
}

int main(int argc, char **argv)
{
    bool is_well = argc > 1;
    uint8_t *buffer = malloc(INPUT_SIZE_MAX);
    if (buffer == NULL) {
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        is_well = directory_replay(argv[i], buffer) && is_well;
    }
    free(buffer);
    return is_well ? 0 : 1;
}
