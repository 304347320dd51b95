/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * All that setup asks of the world beside files: handed in, so that a test can play the host. The
 * functions may wait for some seconds. Main thread.
 */
struct address;

struct setup_port {
    /* Does a DNS server answer there, by a reply that is no failure, within two seconds? */
    bool (*answers)(const struct address *server, void *context);

    /* Runs a program (words[0] is its absolute path, NULL at the end) and waits for its end. True:
     * exit code 0. */
    bool (*run)(char *const *words, void *context);

    /* A sentence about what is about to be done, or about what was found. */
    void (*tell)(const char *sentence, void *context);

    /* A moment, before asking again. */
    void (*pause)(void *context);

    void *context;
};
