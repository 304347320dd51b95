/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The upstream servers of the bench: answers every question out of its name (synth.h), as late and
 * as unreliably as it is told (weather.h), on one or more addresses, by UDP and TCP.
 *
 *     upstream [-s SEED] [-m MEDIAN_MS] [-g SIGMA] [-x MAX_MS] [-l LOSS_PERCENT] [-t TTL_MAX]
 *              [-T TTL_MIN] [-c] [-b SECONDS] ADDRESS@PORT...
 *
 * -c: no list has anything on anybody. -b makes the busiest address a black hole so long after the
 * first question. Prints "ready". Then a line on standard input is a command, answered by one line:
 * `count` (JSON), `reset`, `dead`, `alive`, `blackhole SECONDS` (from now: the address that was
 * asked most since `reset`, for a resolver that prefers another one would not notice), `weather
 * LOSS_PERCENT MEDIAN_MS MAX_MS`, `mute N` and `voice N` (the Nth address, from 0), and `manners
 * NAME...` for what is not as it should be: `truncating`, `lists-refuse`; none, and all is well.
 * USR1 is `count`, USR2 is `dead` or `alive`. Ends on TERM or INT with a last count, and when its
 * parent ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/bench/lines.h"
#include "tests/bench/weather.h"

#define FOREIGN_SIGNALS  0
#define FOREIGN_COMMANDS 1
#define COMMAND_MAX      128
#define COUNT_TEXT_SIZE  4096

struct upstream {
    struct weather_options options;
    struct weather weather;
    struct lines lines;
    struct synth_world world;
    double hole_after_s; /* From the first question; negative: no black hole by itself. */
    int64_t hole_at;     /* INT64_MAX: none is due. */
    int hole;            /* The address that is a black hole; -1: none. */
    int signals;
    bool is_ended;
    char command[COMMAND_MAX];
    size_t command_len;
};

static void array_add(struct text *text, const struct lines *lines, const char *name, size_t at)
{
    text_addf(text, ",\"%s\":[", name);
    for (size_t i = 0; i < lines->address_count; i++) {
        const char *count = (const char *)&lines->counts[i];
        uint64_t value = 0;
        memcpy(&value, count + at, sizeof(value));
        text_addf(text, "%s%llu", i == 0 ? "" : ",", (unsigned long long)value);
    }
    text_add(text, "]");
}

static void counts_print(const struct upstream *upstream)
{
    char bytes[COUNT_TEXT_SIZE];
    struct text text;
    uint64_t total = 0;
    for (size_t i = 0; i < upstream->lines.address_count; i++) {
        total += upstream->lines.counts[i].questions;
    }
    text_init(&text, bytes, sizeof(bytes));
    text_addf(&text, "{\"total\":%llu", (unsigned long long)total);
    array_add(&text, &upstream->lines, "questions", offsetof(struct line_count, questions));
    array_add(&text, &upstream->lines, "tcp", offsetof(struct line_count, by_tcp));
    array_add(&text, &upstream->lines, "unanswered", offsetof(struct line_count, unanswered));
    array_add(&text, &upstream->lines, "peak", offsetof(struct line_count, peak));
    array_add(&text, &upstream->lines, "settled", offsetof(struct line_count, settled));
    text_addf(&text, ",\"distinct\":%llu,\"overflows\":%llu,\"ignored\":%llu,\"hole\":%d}",
        (unsigned long long)upstream->weather.distinct,
        (unsigned long long)upstream->lines.overflows, (unsigned long long)upstream->lines.ignored,
        upstream->hole);
    puts(bytes);
}

static void hole_plan(struct upstream *upstream, int64_t from, double after_s)
{
    upstream->hole_at = from + (int64_t)(after_s * (double)CLOCK_US_PER_S);
}

static const char *blackhole_command(struct upstream *upstream, const char *words)
{
    double after_s = 0;
    if (sscanf(words, "%lf", &after_s) != 1) {
        return "error: blackhole SECONDS";
    }
    hole_plan(upstream, clock_now(), after_s);
    return "ok";
}

static const char *weather_command(struct upstream *upstream, const char *words)
{
    struct weather_options *options = &upstream->weather.options;
    return sscanf(words, "%lf %lf %lf", &options->loss_percent, &options->delay_median_ms,
               &options->delay_max_ms) == 3
               ? "ok"
               : "error: weather LOSS_PERCENT MEDIAN_MS MAX_MS";
}

static const char *mute_command(struct upstream *upstream, const char *words, int64_t from)
{
    unsigned address = 0;
    if (sscanf(words, "%u", &address) != 1 || address >= upstream->lines.address_count) {
        return "error: mute or voice N, from 0";
    }
    weather_silence(&upstream->weather, address, from);
    return "ok";
}

static const char *manners_command(struct upstream *upstream, const char *words)
{
    upstream->lines.truncates = strstr(words, "truncating") != NULL;
    upstream->world.lists_refuse = strstr(words, "lists-refuse") != NULL;
    return "ok";
}

static const char *change_command(struct upstream *upstream, const char *command)
{
    if (strncmp(command, "blackhole ", 10) == 0) {
        return blackhole_command(upstream, command + 10);
    }
    if (strncmp(command, "weather ", 8) == 0) {
        return weather_command(upstream, command + 8);
    }
    if (strncmp(command, "mute ", 5) == 0) {
        return mute_command(upstream, command + 5, 0);
    }
    if (strncmp(command, "voice ", 6) == 0) {
        return mute_command(upstream, command + 6, INT64_MAX);
    }
    if (strncmp(command, "manners", 7) == 0) {
        return manners_command(upstream, command + 7);
    }
    return "error: count, reset, dead, alive, blackhole, weather, mute, voice or manners";
}

static void command_run(struct upstream *upstream, const char *command)
{
    const char *answer = "ok";
    if (strcmp(command, "count") == 0) {
        counts_print(upstream);
        answer = NULL;
    } else if (strcmp(command, "reset") == 0) {
        lines_reset_counts(&upstream->lines);
        weather_forget(&upstream->weather);
    } else if (strcmp(command, "dead") == 0) {
        upstream->weather.is_dead = true;
    } else if (strcmp(command, "alive") == 0) {
        upstream->weather.is_dead = false;
    } else {
        answer = change_command(upstream, command);
    }
    if (answer != NULL) {
        puts(answer);
    }
    fflush(stdout);
}

static void commands_on_readable(struct upstream *upstream)
{
    char *end = NULL;
    char *room = upstream->command + upstream->command_len;
    ssize_t len = read(STDIN_FILENO, room, COMMAND_MAX - upstream->command_len);
    if (len <= 0) {
        epoll_ctl(upstream->lines.epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        return;
    }
    upstream->command_len += (size_t)len;
    while ((end = memchr(upstream->command, '\n', upstream->command_len)) != NULL) {
        size_t used = (size_t)(end - upstream->command) + 1;
        *end = '\0';
        command_run(upstream, upstream->command);
        upstream->command_len -= used;
        memmove(upstream->command, upstream->command + used, upstream->command_len);
    }
    if (upstream->command_len == COMMAND_MAX) {
        upstream->command_len = 0;
    }
}

static void signals_on_readable(struct upstream *upstream)
{
    struct signalfd_siginfo signal;
    if (read(upstream->signals, &signal, sizeof(signal)) != (ssize_t)sizeof(signal)) {
        return;
    }
    if (signal.ssi_signo == SIGUSR2) {
        upstream->weather.is_dead = !upstream->weather.is_dead;
        return;
    }
    counts_print(upstream);
    fflush(stdout);
    upstream->is_ended = signal.ssi_signo != SIGUSR1;
}

static size_t address_busiest(const struct lines *lines)
{
    size_t busiest = 0;
    for (size_t i = 1; i < lines->address_count; i++) {
        if (lines->counts[i].questions > lines->counts[busiest].questions) {
            busiest = i;
        }
    }
    return busiest;
}

static void hole_open(struct upstream *upstream)
{
    int64_t now = clock_now();
    if (upstream->hole_after_s >= 0 && upstream->lines.first_at != 0) {
        hole_plan(upstream, upstream->lines.first_at, upstream->hole_after_s);
        upstream->hole_after_s = -1;
    }
    if (now >= upstream->hole_at) {
        upstream->hole = (int)address_busiest(&upstream->lines);
        weather_silence(&upstream->weather, (size_t)upstream->hole, now);
        upstream->hole_at = INT64_MAX;
    }
}

static bool foreign_watch(struct upstream *upstream)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    upstream->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct epoll_event signals = {
        .events = EPOLLIN, .data = {.u64 = LINES_FOREIGN | FOREIGN_SIGNALS}};
    struct epoll_event commands = {
        .events = EPOLLIN, .data = {.u64 = LINES_FOREIGN | FOREIGN_COMMANDS}};
    /* Standard input may be /dev/null or a file, which epoll refuses: then there are no commands.
     */
    (void)epoll_ctl(upstream->lines.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
    return upstream->signals >= 0 &&
           epoll_ctl(upstream->lines.epoll, EPOLL_CTL_ADD, upstream->signals, &signals) == 0;
}

static bool addresses_listen(struct upstream *upstream, char **texts)
{
    for (size_t i = 0; texts[i] != NULL; i++) {
        struct address address;
        if (!address_parse(texts[i], strlen(texts[i]), 53, &address)) {
            fprintf(stderr, "upstream: %s is not ADDRESS@PORT\n", texts[i]);
            return false;
        }
        if (!lines_listen(&upstream->lines, &address)) {
            fprintf(stderr, "upstream: cannot listen on %s: %s\n", texts[i], strerror(errno));
            return false;
        }
    }
    return true;
}

static int upstream_run(struct upstream *upstream, char **addresses)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!weather_init(&upstream->weather, &upstream->options) ||
        !lines_init(&upstream->lines, &upstream->weather, &upstream->world) ||
        !foreign_watch(upstream) || !addresses_listen(upstream, addresses)) {
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (!upstream->is_ended) {
        int foreign = lines_turn(&upstream->lines);
        hole_open(upstream);
        if (foreign == FOREIGN_SIGNALS) {
            signals_on_readable(upstream);
        } else if (foreign == FOREIGN_COMMANDS) {
            commands_on_readable(upstream);
        }
    }
    return 0;
}

/* False: there is no such option, or its value is no number. */
static bool option_take(struct upstream *upstream, int option, const char *value)
{
    char *end = NULL;
    double number = value == NULL ? 0 : strtod(value, &end);
    if (end == NULL || end == value || *end != '\0' || number < 0) {
        return false;
    }
    switch (option) {
    case 's':
        upstream->options.seed = (uint64_t)number;
        break;
    case 'm':
        upstream->options.delay_median_ms = number;
        break;
    case 'g':
        upstream->options.delay_sigma = number;
        break;
    case 'x':
        upstream->options.delay_max_ms = number;
        break;
    case 'l':
        upstream->options.loss_percent = number;
        break;
    case 't':
        upstream->world.ttl_max = (uint32_t)number;
        break;
    case 'T':
        upstream->world.ttl_min = (uint32_t)number;
        break;
    case 'b':
        upstream->hole_after_s = number;
        break;
    default:
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    int option = 0;
    int status = 64;
    bool is_good = true;
    struct upstream *upstream = calloc(1, sizeof(*upstream));
    if (upstream == NULL) {
        return 1;
    }
    upstream->options = (struct weather_options){
        .seed = 1, .delay_median_ms = 20, .delay_sigma = 0.8, .delay_max_ms = 200};
    upstream->world.ttl_max = 86400;
    upstream->hole_after_s = -1;
    upstream->hole_at = INT64_MAX;
    upstream->hole = -1;
    while ((option = getopt(argc, argv, "s:m:g:x:l:t:T:b:c")) != -1) {
        upstream->world.lists_nothing |= option == 'c';
        is_good = (option == 'c' || option_take(upstream, option, optarg)) && is_good;
    }
    if (is_good && optind < argc) {
        status = upstream_run(upstream, argv + optind);
        lines_fini(&upstream->lines);
        weather_fini(&upstream->weather);
    } else {
        fprintf(stderr, "usage: upstream [-s SEED] [-m MEDIAN_MS] [-g SIGMA] [-x MAX_MS] "
                        "[-l LOSS_PERCENT] [-t TTL_MAX] [-T TTL_MIN] [-c] [-b SECONDS] "
                        "ADDRESS@PORT...\n");
    }
    free(upstream);
    return status;
}
