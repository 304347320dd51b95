/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

void source_init(struct source *source, struct findings *findings)
{
    memset(source, 0, sizeof *source);
    source->findings = findings;
}

void source_fini(struct source *source)
{
    for (size_t i = 0; i < source->file_count; i++) {
        free(source->files[i].bytes);
    }
    memset(source, 0, sizeof *source);
}

/* Reads to the end of the descriptor, or one byte further than allowed. */
static bool source_read_all(int fd, char *bytes, size_t size, size_t *len_out)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, bytes + len, size - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    *len_out = len;
    return true;
}

char *source_read(const char *name, size_t size_max, size_t *len_out)
{
    char *bytes = NULL;
    bool is_read = false;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return NULL;
    }
    bytes = malloc(size_max + 1);
    if (bytes != NULL && source_read_all(fd, bytes, size_max + 1, len_out)) {
        is_read = *len_out <= size_max;
        errno = is_read ? 0 : EFBIG;
    }
    int error = errno;
    close(fd);
    if (!is_read) {
        free(bytes);
        errno = error;
        return NULL;
    }
    /* Most files are small, and up to SOURCE_FILES_MAX of them are kept. */
    char *fitted = realloc(bytes, *len_out + 1);
    if (fitted != NULL) {
        bytes = fitted;
    }
    return bytes;
}

/* A new file on top of the stack. NULL: reported, there are too many or the name is too long. */
static struct source_file *source_push(struct source *source, const char *name, size_t name_len,
    size_t parent, const struct finding_place *place)
{
    if (name_len >= SOURCE_NAME_SIZE || source->file_count == SOURCE_FILES_MAX) {
        finding_add(source->findings, FINDING_ERROR, place,
            name_len >= SOURCE_NAME_SIZE ? "the file name is longer than 255 bytes"
                                         : "more than 64 files are included: put some together");
        return NULL;
    }
    size_t index = source->file_count++;
    struct source_file *file = &source->files[index];
    memset(file, 0, sizeof *file);
    memcpy(file->name, name, name_len);
    file->place = *place;
    bool is_first = index == 0;
    file->parent = is_first ? 0 : parent;
    file->depth = is_first ? 0 : source->files[parent].depth + 1;
    source->stack[source->stack_count++] = index;
    return file;
}

void source_start_bytes(struct source *source, const char *name, const char *bytes, size_t len)
{
    struct finding_place place = {.file = name};
    size_t name_len = strnlen(name, SOURCE_NAME_SIZE - 1);
    struct source_file *file = source_push(source, name, name_len, 0, &place);
    source->refuses_include = true;
    if (file == NULL) {
        return;
    }
    if (len > SOURCE_FILE_SIZE_MAX) {
        finding_add(source->findings, FINDING_ERROR, &place, "this file is larger than 1 MiB");
        len = 0;
    }
    file->is_open = true;
    lexer_init(&file->lexer, file->name, 1, source->findings);
    lexer_feed(&file->lexer, bytes, len);
}

/* The sentence for errno behind source_read(). */
static const char *source_reason(int error)
{
    switch (error) {
    case ENOENT:
        return "it does not exist";
    case EACCES:
        return "this user may not read it";
    case EISDIR:
        return "it is a directory: name a file, or include DIRECTORY/*.conf";
    case EFBIG:
        return "it is larger than 1 MiB: no configuration needs that";
    case ENOMEM:
        return "memory is short";
    default:
        return "reading failed";
    }
}

/* Is the file among those that led to it? */
static bool source_is_loop(const struct source *source, const struct source_file *file)
{
    const struct source_file *at = file;
    while (at->depth > 0) {
        at = &source->files[at->parent];
        if (at->device == file->device && at->inode == file->inode) {
            return true;
        }
    }
    return false;
}

/* Opens the file on top of the stack. False: reported. */
static bool source_open(struct source *source, struct source_file *file)
{
    struct finding_quote quote;
    const char *name = finding_quote(file->name, strlen(file->name), &quote);
    struct stat status;
    size_t len = 0;
    if (stat(file->name, &status) == 0) {
        file->device = status.st_dev;
        file->inode = status.st_ino;
        if (source_is_loop(source, file)) {
            finding_add(source->findings, FINDING_ERROR, &file->place,
                "%s includes itself, directly or through others: take this include out", name);
            return false;
        }
    }
    file->bytes = source_read(file->name, SOURCE_FILE_SIZE_MAX, &len);
    if (file->bytes == NULL) {
        finding_add(source->findings, FINDING_ERROR, &file->place, "%s cannot be read: %s", name,
            source_reason(errno));
        return false;
    }
    file->is_open = true;
    lexer_init(&file->lexer, file->name, 1, source->findings);
    lexer_feed(&file->lexer, file->bytes, len);
    return true;
}

void source_start_file(struct source *source, const char *name, bool is_optional)
{
    struct stat status;
    if (is_optional && stat(name, &status) != 0 && errno == ENOENT) {
        return;
    }
    struct finding_place place = {.file = name};
    source_push(source, name, strlen(name), 0, &place);
}

/* The included name, seen from the folder of the including file. False: too long. */
static bool source_resolve(
    const struct source_file *file, const struct lexer_word *word, struct text *text)
{
    const char *slash = strrchr(file->name, '/');
    if (*word->bytes != '/' && slash != NULL) {
        text_add_bytes(text, file->name, (size_t)(slash + 1 - file->name));
    }
    text_add_bytes(text, word->bytes, word->len);
    return !text->is_cut;
}

/* What is not there has no matches. */
static int source_glob_error(const char *path, int error)
{
    (void)path;
    return error != ENOENT;
}

/* The folder in front of the first wildcard. */
static bool source_folder_is_missing(const char *pattern)
{
    char folder[SOURCE_NAME_SIZE];
    struct stat status;
    size_t len = strcspn(pattern, "*?[");
    while (len > 0 && pattern[len - 1] != '/') {
        len--;
    }
    memcpy(folder, pattern, len);
    folder[len] = '\0';
    return len > 0 && stat(folder, &status) != 0 && errno == ENOENT;
}

/* The last match is pushed first, so that the first one is read first. */
static void source_push_matches(
    struct source *source, const char *pattern, size_t parent, const struct finding_place *place)
{
    glob_t matches;
    memset(&matches, 0, sizeof matches);
    int status = glob(pattern, 0, source_glob_error, &matches);
    if (status == GLOB_NOMATCH && source_folder_is_missing(pattern)) {
        finding_add(source->findings, FINDING_WARNING, place,
            "there is no such folder, so nothing is included: make it, or take this line out");
    } else if (status != 0 && status != GLOB_NOMATCH) {
        finding_add(source->findings, FINDING_ERROR, place,
            "the folder cannot be read: check its path and rights");
    }
    for (size_t i = matches.gl_pathc; status == 0 && i > 0; i--) {
        const char *name = matches.gl_pathv[i - 1];
        if (source_push(source, name, strlen(name), parent, place) == NULL) {
            break;
        }
    }
    globfree(&matches);
}

/* Puts the included files on the stack. */
static void source_include(
    struct source *source, const struct lexer_statement *statement, size_t parent)
{
    const struct lexer_word *word = &statement->words[0];
    const char *complaint = NULL;
    char name[SOURCE_NAME_SIZE];
    struct text text;
    text_init(&text, name, sizeof name);
    if (statement->word_count != 1) {
        complaint = "include takes one file name or pattern, as in include conf.d/*.conf";
    } else if (source->refuses_include) {
        complaint = "include cannot be used here";
    } else if (source->files[parent].depth == SOURCE_DEPTH_MAX) {
        complaint = "includes are nested deeper than 8 levels";
    } else if (!source_resolve(&source->files[parent], word, &text)) {
        complaint = "the file name is longer than 255 bytes";
    }
    if (complaint != NULL) {
        finding_add(source->findings, FINDING_ERROR, &statement->value_place, "%s", complaint);
    } else if (strpbrk(name, "*?[") != NULL) {
        source_push_matches(source, name, parent, &word->place);
    } else {
        source_push(source, name, strlen(name), parent, &word->place);
    }
}

bool source_next(
    struct source *source, struct lexer_statement *statement_out, size_t *file_index_out)
{
    while (source->stack_count > 0) {
        size_t index = source->stack[source->stack_count - 1];
        struct source_file *file = &source->files[index];
        if (!file->is_open && !source_open(source, file)) {
            source->stack_count--;
            continue;
        }
        switch (lexer_next(&file->lexer, statement_out)) {
        case LEXER_END:
            source->stack_count--;
            break;
        case LEXER_INCLUDE:
            source_include(source, statement_out, index);
            break;
        case LEXER_SETTING:
        case LEXER_SECTION:
            *file_index_out = index;
            return true;
        }
    }
    return false;
}
