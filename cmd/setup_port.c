/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/setup_port.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "base/address.h"
#include "base/random.h"
#include "wire/header.h"
#include "wire/question.h"
#include "wire/types.h"
#include "cmd/lookup_ask.h"
#include "setup/port.h"

#define PAUSE_NS 100000000L

/* Whoever answers questions of others knows the root's name servers. */
static bool port_answers(const struct address *server, void *context)
{
    struct question question = {.name_len = 1, .type = TYPE_NS, .class = CLASS_IN};
    struct lookup_ask *ask = malloc(sizeof *ask);
    if (ask == NULL) {
        return false;
    }
    lookup_ask(server, &question, context, ask);
    unsigned rcode = ask->verdict == LOOKUP_ASK_REPLY ? header_rcode(ask->bytes) : RCODE_SERVFAIL;
    free(ask);
    return rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN;
}

static bool port_run(char *const *words, void *context)
{
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char locale[] = "LC_ALL=C";
    char *const environment[] = {path, locale, NULL};
    pid_t pid;
    int status = 0;
    (void)context;
    if (posix_spawn(&pid, words[0], NULL, NULL, words, environment) != 0) {
        return false;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void port_tell(const char *sentence, void *context)
{
    (void)context;
    (void)printf("%s\n", sentence);
    (void)fflush(stdout);
}

static void port_pause(void *context)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    (void)context;
    (void)nanosleep(&pause, NULL);
}

void setup_port_init(struct setup_port *port, struct random *random)
{
    *port = (struct setup_port){
        .answers = port_answers,
        .run = port_run,
        .tell = port_tell,
        .pause = port_pause,
        .context = random,
    };
}
