/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/diff.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "setup/path_state.h"

#define CONTEXT 3

/* A run of whole lines. */
struct lines {
    const char *bytes;
    size_t len;
};

static size_t lines_count(struct lines lines)
{
    size_t count = 0;
    for (size_t i = 0; i < lines.len; i++) {
        count += lines.bytes[i] == '\n';
    }
    return count + (lines.len > 0 && lines.bytes[lines.len - 1] != '\n');
}

static struct lines lines_of(const struct path_state *state)
{
    return (struct lines){state->bytes, state->kind == PATH_FILE ? state->len : 0};
}

/* How many bytes of whole lines both begin with. */
static size_t shared_begin(struct lines a, struct lines b)
{
    size_t shared = 0;
    for (size_t i = 0; i < a.len && i < b.len && a.bytes[i] == b.bytes[i]; i++) {
        shared = a.bytes[i] == '\n' ? i + 1 : shared;
    }
    return shared;
}

/* The same at the end, without what both begin with. */
static size_t shared_end(struct lines a, struct lines b, size_t begin)
{
    size_t shared = 0;
    size_t most = (a.len < b.len ? a.len : b.len) - begin;
    for (size_t i = 1; i <= most && a.bytes[a.len - i] == b.bytes[b.len - i]; i++) {
        bool is_line = (i == a.len || a.bytes[a.len - i - 1] == '\n') &&
                       (i == b.len || b.bytes[b.len - i - 1] == '\n');
        shared = is_line ? i : shared;
    }
    return shared;
}

/* The last lines of `lines`, at most CONTEXT. */
static struct lines last_lines(struct lines lines)
{
    size_t at = lines.len;
    for (unsigned found = 0; at > 0; at--) {
        if (lines.bytes[at - 1] == '\n' && at < lines.len && ++found == CONTEXT) {
            break;
        }
    }
    return (struct lines){lines.bytes + at, lines.len - at};
}

static struct lines first_lines(struct lines lines)
{
    size_t at = 0;
    for (unsigned found = 0; at < lines.len && found < CONTEXT; at++) {
        found += lines.bytes[at] == '\n';
    }
    return (struct lines){lines.bytes, at};
}

static void add_lines(struct text *text, char mark, struct lines lines)
{
    while (lines.len > 0) {
        const char *end = memchr(lines.bytes, '\n', lines.len);
        size_t len = end != NULL ? (size_t)(end - lines.bytes) + 1 : lines.len;
        text_addf(text, "%c", mark);
        text_add_bytes(text, lines.bytes, len);
        text_add(text, end != NULL ? "" : "\n\\ No newline at end of file\n");
        lines.bytes += len;
        lines.len -= len;
    }
}

static void add_range(struct text *text, char mark, size_t before, size_t count)
{
    text_addf(text, "%c%zu,%zu", mark, count > 0 ? before + 1 : before, count);
}

static void add_hunk(struct text *text, struct lines was, struct lines set)
{
    size_t begin = shared_begin(was, set);
    size_t end = shared_end(was, set, begin);
    struct lines above = last_lines((struct lines){was.bytes, begin});
    struct lines below = first_lines((struct lines){was.bytes + was.len - end, end});
    struct lines out = {was.bytes + begin, was.len - begin - end};
    struct lines in = {set.bytes + begin, set.len - begin - end};
    size_t context = lines_count(above) + lines_count(below);
    size_t before = lines_count((struct lines){was.bytes, begin}) - lines_count(above);
    text_add(text, "@@ ");
    add_range(text, '-', before, lines_count(out) + context);
    text_add(text, " ");
    add_range(text, '+', before, lines_count(in) + context);
    text_add(text, " @@\n");
    add_lines(text, ' ', above);
    add_lines(text, '-', out);
    add_lines(text, '+', in);
    add_lines(text, ' ', below);
}

void diff_add(
    struct text *text, const char *path, const struct path_state *was, const struct path_state *set)
{
    if (was->kind == PATH_LINK) {
        text_addf(text, "%s is a symlink to %s; it becomes a file\n", path, was->bytes);
    }
    text_addf(text, "--- %s%s\n", was->kind == PATH_FILE ? "a" : "/dev/null",
        was->kind == PATH_FILE ? path : "");
    text_addf(text, "+++ b%s\n", path);
    add_hunk(text, lines_of(was), lines_of(set));
}
