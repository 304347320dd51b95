/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <ldns/ldns.h>

#include "base/text.h"
#include "daemon/libraries.h"
#include "doctor/capture_file.h"
#include "cmd/cmd.h"

/* A name further off than this is no slip of the fingers; nor is one of which half is wrong. */
#define NEAREST_DISTANCE_MAX 2
#define TITLE_SIZE           32
#define LIBRARIES_SIZE       512

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct subcommand subcommands[] = {
    {"serve", serve_main, "run the daemon in the foreground"},
    {"stats", stats_main, "what it has done: counts, waits, upstreams, trouble"},
    {"top", top_main, "the same, live: rates, recent waits, the slowest servers and lists"},
    {"slow", slow_main, "the slowest questions, or the failed ones, with their time line"},
    {"setup", setup_main, "put this mail host on mxcache, or take it off again"},
    {"doctor", doctor_main, "what makes mail on this host slow or refused, and what to change"},
    {"lookup", lookup_main, "what is cached for a name, and what each upstream says now"},
    {"flush", flush_main, "forget a name, a domain or everything"},
    {"reload", reload_main, "read the configuration again; the cache stays"},
    {"check", check_main, "the configuration: every error with its place and advice"},
    {"conf", conf_main, "the settings in effect, or the defaults"},
    {"chroot-sync", chroot_sync_main, "copy /etc/resolv.conf into the chroots of Postfix"},
};

#define SUBCOMMANDS (sizeof subcommands / sizeof subcommands[0])

static void print_usage(FILE *out)
{
    (void)fputs("mxcache: a caching DNS resolver for mail servers\n"
                "\n"
                "usage: mxcache SUBCOMMAND [OPTION]...\n"
                "\n",
        out);
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        (void)fprintf(out, "  %-11s %s\n", subcommands[i].name, subcommands[i].summary);
    }
    (void)fputs("\n"
                "mxcache SUBCOMMAND --help tells the options; mxcache --version the version;\n"
                "mxcache(8) is the manual.\n",
        out);
}

static void print_version(void)
{
    char libraries[LIBRARIES_SIZE];
    struct text text;
    (void)printf("mxcache %s\n", MXCACHE_VERSION);
    (void)printf("compiled as C%ld by %s%s\n", __STDC_VERSION__ / 100 % 100,
        strstr(__VERSION__, "lang") != NULL ? "" : "gcc ", __VERSION__);
    (void)printf("build %s, sanitizers %s\n", MXCACHE_BUILD,
        sizeof MXCACHE_BUILD_SANITIZE > 1 ? MXCACHE_BUILD_SANITIZE : "none");
    (void)printf("ldns %s (compiled with %s)\n", ldns_version(), LDNS_VERSION);
    text_init(&text, libraries, sizeof libraries);
    libraries_add(&text);
    (void)fputs(libraries, stdout);
    (void)printf("%s\n", capture_file_library());
}

static const struct subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(subcommands[i].name, name) == 0) {
            return &subcommands[i];
        }
    }
    return NULL;
}

static int complain_unknown(const char *name)
{
    const struct subcommand *nearest = NULL;
    unsigned distance_min = NEAREST_DISTANCE_MAX + 1;
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        unsigned distance = text_distance(name, subcommands[i].name);
        bool is_alike = 2 * distance <= strlen(subcommands[i].name);
        if (is_alike && distance < distance_min) {
            distance_min = distance;
            nearest = &subcommands[i];
        }
    }
    if (nearest != NULL) {
        (void)fprintf(stderr, "mxcache: there is no subcommand `%s`; did you mean `%s`?\n", name,
            nearest->name);
    } else {
        (void)fprintf(
            stderr, "mxcache: there is no subcommand `%s`; `mxcache --help` lists them.\n", name);
    }
    return EX_USAGE;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* A full disk behind a redirection must not look like success, nor end without a word. */
static int finish(int exit_code)
{
    bool may_hide_it = exit_code == EX_OK || exit_code == EX_IOERR;
    if (may_hide_it && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        (void)fputs("mxcache: the output cannot be written: is the disk full?\n", stderr);
        return EX_IOERR;
    }
    return exit_code;
}

static int run(const struct subcommand *subcommand, int argc, char **argv)
{
    char title[TITLE_SIZE];
    (void)snprintf(title, sizeof title, "mxcache %s", subcommand->name);
    argv[0] = title;
    return finish(subcommand->run(argc, argv));
}

/* `help` alone, or with the name of a subcommand, whose options it tells. */
static int help(const char *name)
{
    char option[] = "--help";
    char *argv[] = {option, option, NULL};
    const struct subcommand *subcommand = name != NULL ? subcommand_find(name) : NULL;
    if (subcommand != NULL) {
        return run(subcommand, 2, argv);
    }
    if (name != NULL) {
        return complain_unknown(name);
    }
    print_usage(stdout);
    return finish(EX_OK);
}

int main(int argc, char **argv)
{
    /* Only to learn whether the terminal takes UTF-8: numbers stay those of the C locale. */
    (void)setlocale(LC_CTYPE, "");
    if (argc < 2) {
        print_usage(stderr);
        return EX_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h")) {
        return help(NULL);
    }
    if (strcmp(argv[1], "help") == 0) {
        return help(argv[2]);
    }
    if (is_one_of(argv[1], "--version", "-V")) {
        print_version();
        return finish(EX_OK);
    }
    const struct subcommand *subcommand = subcommand_find(argv[1]);
    if (subcommand == NULL) {
        return complain_unknown(argv[1]);
    }
    return run(subcommand, argc - 1, argv + 1);
}
