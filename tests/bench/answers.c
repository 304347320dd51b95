/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load of `./dev bench answers`: questions of the mail mix (mix.h) from a few sockets in a
 * closed loop (volley.h), as fast as they are answered.
 *
 *     answers [-k mail|lists] [-o once|zipf|even] [-f FIRST] [-n COUNT] [-t SECONDS] [-s SOCKETS]
 *             [-w WINDOW] [-d DRAWS] [-r SEED] SERVER@PORT
 *
 * Asks the COUNT questions from FIRST on, each once or drawn by Zipf's law or evenly, for at most
 * so many seconds. Prints one line of JSON. Ends by itself, and when its parent ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/bench/deck.h"
#include "tests/bench/volley.h"

#define SECONDS_MAX 3600

struct load {
    struct deck_options deck;
    struct volley_options volley;
};

static int64_t own_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_US_PER_S +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void result_print(const struct volley_result *result, int64_t cpu_us)
{
    struct histogram_sum waits = {.count = 0};
    histogram_merge(&waits, &result->waits);
    printf("{\"answered\":%llu,\"failed\":%llu,\"lost\":%llu,\"abandoned\":%llu,\"strange\":%llu,"
           "\"seconds\":%.6f,\"median_us\":%llu,\"p99_us\":%llu,\"worst_us\":%llu,"
           "\"generator_us\":%lld}\n",
        (unsigned long long)result->answered, (unsigned long long)result->failed,
        (unsigned long long)result->lost, (unsigned long long)result->abandoned,
        (unsigned long long)result->strange, (double)result->elapsed_us / CLOCK_US_PER_S,
        (unsigned long long)histogram_quantile(&waits, 500),
        (unsigned long long)histogram_quantile(&waits, 990), (unsigned long long)waits.max_us,
        (long long)cpu_us);
}

/* Which of the words `text` is; -1: none. */
static int word_of(const char *text, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool word_take(struct load *load, int option, const char *value)
{
    static const char *const kinds[] = {"mail", "lists", NULL};
    static const char *const orders[] = {"once", "zipf", "even", NULL};
    int word = word_of(value, option == 'k' ? kinds : orders);
    if (word >= 0 && option == 'k') {
        load->deck.kind = (enum mix_kind)word;
    } else if (word >= 0) {
        load->deck.order = (enum deck_order)word;
    }
    return word >= 0;
}

static bool number_take(struct load *load, int option, uint64_t number)
{
    switch (option) {
    case 'f':
        load->deck.first = number;
        return true;
    case 'n':
        load->deck.count = number;
        return number > 0;
    case 't':
        load->volley.time_us = (int64_t)number * CLOCK_US_PER_S;
        return number > 0 && number <= SECONDS_MAX;
    case 's':
        load->volley.sockets = (unsigned)number;
        return number > 0 && number <= VOLLEY_SOCKETS_MAX;
    case 'w':
        load->volley.window = (unsigned)number;
        return number > 0 && number <= VOLLEY_WINDOW_MAX;
    case 'd':
        load->deck.draws = (uint32_t)number;
        return number > 0 && number <= DECK_COUNT_MAX;
    case 'r':
        load->deck.seed = number;
        return true;
    default:
        return false;
    }
}

static bool options_read(struct load *load, int argc, char **argv)
{
    int option = 0;
    uint64_t number = 0;
    bool is_good = true;
    while ((option = getopt(argc, argv, "k:o:f:n:t:s:w:d:r:")) != -1) {
        if (option == 'k' || option == 'o') {
            is_good = word_take(load, option, optarg) && is_good;
        } else {
            is_good = option != '?' &&
                      text_parse_u64(optarg, strlen(optarg), MIX_COUNT_MAX, &number) &&
                      number_take(load, option, number) && is_good;
        }
    }
    return is_good && optind == argc - 1 && load->deck.first + load->deck.count <= MIX_COUNT_MAX &&
           (load->deck.order == DECK_EVEN || load->deck.count <= DECK_COUNT_MAX) &&
           address_parse(argv[optind], strlen(argv[optind]), 53, &load->volley.server);
}

static int load_run(struct load *load)
{
    static struct volley_result result;
    struct deck deck;
    int status = 1;
    bool is_good = deck_init(&deck, &load->deck);
    int64_t cpu_before = own_cpu_us();
    load->volley.deck = &deck;
    load->volley.count = load->deck.order == DECK_ONCE ? load->deck.count : UINT64_MAX;
    if (is_good && volley_run(&load->volley, &result)) {
        result_print(&result, own_cpu_us() - cpu_before);
        status = 0;
    } else {
        fprintf(stderr, "answers: %s\n", strerror(errno));
    }
    deck_fini(&deck);
    return status;
}

int main(int argc, char **argv)
{
    struct load load = {
        .deck =
            {.kind = MIX_MAIL, .order = DECK_ONCE, .count = 10000, .draws = 1u << 20, .seed = 1},
        .volley = {.sockets = 8, .window = 8, .time_us = 60 * CLOCK_US_PER_S},
    };
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!options_read(&load, argc, argv)) {
        fprintf(stderr, "usage: answers [-k mail|lists] [-o once|zipf|even] [-f FIRST] [-n COUNT] "
                        "[-t SECONDS] [-s SOCKETS] [-w WINDOW] [-d DRAWS] [-r SEED] SERVER@PORT\n");
        return 64;
    }
    return load_run(&load);
}
