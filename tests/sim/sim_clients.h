/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who asks in the simulation. A plain question is sent once. A libc asks again as glibc does with
 * one nameserver and its default options: after five seconds with the same id, at once after a
 * failure, by TCP after TC, and gives up after the second try. A load is many questions, evenly
 * spread over time. The sim owns them all; they are named by their index.
 */
struct sim;

#define SIM_LIBCS_MAX 64
#define SIM_LOADS_MAX 16
#define SIM_TEXT_SIZE 1024 /* Of a name in words, with all its escapes. */

enum sim_asker_kind {
    SIM_ASKER_PLAIN,
    SIM_ASKER_LIBC,
    SIM_ASKER_LOAD,
    SIM_ASKER_LOOP, /* A server that asks the resolver what the resolver asked it. */
};

struct sim_asker {
    enum sim_asker_kind kind;
    size_t index;      /* Of the libc or the load. */
    uint64_t exchange; /* Of a loop: whose reply the answer will be. */
    uint64_t line;     /* 0: nobody waits for it. */
};

struct sim_question {
    const char *name;
    uint16_t type;
    uint16_t class;
    uint16_t flags; /* RD, AD, CD. */
    bool is_stream;
    bool has_edns;
    bool wants_dnssec;
    bool has_id;
    uint16_t id; /* Random unless has_id. */
    uint16_t udp_size;
    struct sim_asker asker;
};

struct sim_libc {
    char name[SIM_TEXT_SIZE];
    struct sim_question question;
    unsigned tries;
    unsigned serial; /* Of its last message; what was planned for an earlier one is outdated. */
    int64_t asked_at;
    int64_t done_at;
    size_t client; /* The one of its last message, or of the answer. */
    bool is_done;
    bool has_failed;
};

/* Begins with the question; the libc's index. The question's name is copied. */
size_t sim_libc_new(struct sim *sim, const struct sim_question *question);

struct sim_load {
    char pattern[SIM_TEXT_SIZE]; /* Of a name; "*" is the number of the question. */
    uint16_t type;
    unsigned count;
    int64_t every_us;
    unsigned asked;
};

/* Begins; its index. */
size_t sim_load_new(struct sim *sim, const struct sim_load *load);

/* How the questions of a load have fared. Times in microseconds, failures included. */
struct sim_load_result {
    unsigned waited;  /* Not answered at once. */
    unsigned failed;  /* Neither NOERROR nor NXDOMAIN. */
    unsigned waiting; /* Not yet answered, or not yet asked. */
    int64_t median;
    int64_t mean;
    int64_t p99;
    int64_t worst;
};

void sim_load_result(const struct sim *sim, size_t index, struct sim_load_result *result_out);

/* The text with "*" replaced by the number. */
void sim_text_numbered(const char *text, unsigned number, char *text_out, size_t size);

/* All of them have slept so long. */
void sim_clients_sleep(struct sim *sim, int64_t duration_us);
