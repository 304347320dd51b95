/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the daemon said on its control socket: a line `ok` or `error SENTENCE`, further lines, and a
 * line `.` that ends it. The other side may be of another version, or no mxcache at all: the size
 * is bounded, and every byte that is not printable ASCII is shown as a question mark. Zeroed at
 * first; owned by the caller, freed by reply_fini(). One thread.
 */
struct reply {
    char *bytes;
    size_t len;
    size_t size;
    size_t at;            /* Where the next line begins. */
    bool is_refused;      /* The first line was `error`. */
    const char *sentence; /* Why, then; else "". */
};

#define REPLY_SIZE_MAX ((size_t)12 << 20)

void reply_fini(struct reply *reply);

/* Adds bytes as they come. False: the bound is reached, or memory is short. */
bool reply_add(struct reply *reply, const char *bytes, size_t len);

/* Has the closing line arrived? */
bool reply_is_whole(const struct reply *reply);

/* Once it is whole: reads the first line. False: this is not the control protocol. */
bool reply_open(struct reply *reply);

/* The next line, NUL-terminated and the caller's to cut up, or NULL at the end. */
char *reply_next(struct reply *reply);

/* Cuts a line at its blanks. At most `max` words are kept, further ones are left out: a newer
 * daemon may say more. Returns how many. */
size_t reply_words(char *line, char *words_out[], size_t max);

/* One word as a number of at most `max`. */
bool reply_number(const char *word, uint64_t max, uint64_t *number_out);

/* Copies a word with its NUL. False: it does not fit. */
bool reply_word_copy(const char *word, char *out, size_t size);
