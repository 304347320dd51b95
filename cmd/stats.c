/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "daemon/look_back.h"
#include "daemon/metrics_text.h"
#include "daemon/stats_view.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/stats_cell.h"
#include "cmd/stats_json.h"
#include "cmd/stats_read.h"
#include "cmd/stats_text.h"
#include "cmd/terminal.h"

/* More than any view can fill: 512 servers with the longest names, eleven lines each. */
#define STATS_OUTPUT_SIZE     ((size_t)16 << 20)
#define STATS_WATCH_S_DEFAULT 2
#define STATS_WATCH_S_MAX     86400

static const char stats_usage[] =
    "usage: mxcache stats [-s SOCKET | -c FILE] [--json | --openmetrics]\n"
    "                     [--since DURATION] [--watch [SECONDS]]\n"
    "\n"
    "What the daemon has done since its start, or lately.\n"
    "\n"
    "  -S, --since DURATION only the last 10m, 2h, ... by minutes, up to a day\n"
    "  -j, --json           one JSON object; its names stand in mxcache-metrics(7)\n"
    "  -m, --openmetrics    OpenMetrics text, for Prometheus\n"
    "  -w, --watch          again every SECONDS (default 2), until interrupted\n" CLIENT_USAGE;

static const struct option stats_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"openmetrics", no_argument, NULL, 'm'},
    {"reset", no_argument, NULL, 'R'},
    {"since", required_argument, NULL, 'S'},
    {"watch", optional_argument, NULL, 'w'},
    CLIENT_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

enum stats_form {
    STATS_FORM_TEXT,
    STATS_FORM_JSON,
    STATS_FORM_OPENMETRICS,
};

struct stats_line {
    struct client_place place;
    enum stats_form form;
    bool is_watching;
    bool wants_help;
    uint64_t watch_s;
    uint64_t since_s; /* 0: since the start. */
};

static bool complain(const char *sentence)
{
    (void)fprintf(stderr, "mxcache stats: %s\n", sentence);
    return false;
}

static bool read_since(struct stats_line *line, const char *word)
{
    int64_t since_us;
    if (!text_parse_duration(word, strlen(word), &since_us) || since_us < CLOCK_US_PER_S ||
        since_us > LOOK_BACK_S_MAX * CLOCK_US_PER_S) {
        return complain("--since takes a duration from 1s to 1d, such as 10m.");
    }
    line->since_s = (uint64_t)(since_us / CLOCK_US_PER_S);
    return true;
}

/* The seconds of --watch stand behind `=` or as a word of their own. */
static bool read_seconds(struct stats_line *line, int argc, char **argv)
{
    if (optind < argc && line->is_watching) {
        if (!reply_number(argv[optind], STATS_WATCH_S_MAX, &line->watch_s)) {
            return complain("--watch takes a whole number of seconds, up to 86400.");
        }
        optind++;
    }
    if (line->is_watching && line->watch_s == 0) {
        return complain("--watch takes at least 1 second.");
    }
    return optind == argc || complain("too many words; see --help.");
}

static bool stats_line_read(struct stats_line *line, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(
                argc, argv, "jmw::S:" CLIENT_SHORT_OPTIONS, stats_options, NULL)) != -1) {
        enum stats_form form = line->form;
        if (option == 'j') {
            line->form = STATS_FORM_JSON;
        } else if (option == 'm') {
            line->form = STATS_FORM_OPENMETRICS;
        } else if (option == 'w') {
            line->is_watching = true;
            if (optarg != NULL && !reply_number(optarg, STATS_WATCH_S_MAX, &line->watch_s)) {
                return complain("--watch takes a whole number of seconds, up to 86400.");
            }
        } else if (option == 'R') {
            return complain("counters are for many readers, so nobody resets them; "
                            "use --since to see the last minutes or hours.");
        } else if (option == 'S') {
            if (!read_since(line, optarg)) {
                return false;
            }
        } else if (option == 'h') {
            line->wants_help = true;
        } else if (!client_take_option(&line->place, option, optarg)) {
            return false;
        }
        if (form != STATS_FORM_TEXT && form != line->form) {
            return complain("give one of --json and --openmetrics.");
        }
    }
    if (line->since_s > 0 && line->form == STATS_FORM_OPENMETRICS) {
        return complain("--openmetrics counts from the start: your monitoring takes differences.");
    }
    return read_seconds(line, argc, argv);
}

static void render(struct text *text, enum stats_form form, const struct stats_view *view)
{
    struct stats_style style;
    switch (form) {
    case STATS_FORM_TEXT:
        style = terminal_style();
        stats_text_add(text, &style, view);
        return;
    case STATS_FORM_JSON:
        stats_json_add(text, view);
        return;
    case STATS_FORM_OPENMETRICS:
        metrics_text_add(text, view, METRICS_FORM_OPENMETRICS);
        return;
    }
    must(false);
}

/* Room for what a look needs, made once. */
struct stats_look {
    const struct stats_line *line;
    struct stats_view *view;
    char *output;
};

/* Asks once and prints it. On a terminal a watched screen replaces the one before. */
static int look_once(struct stats_look *look)
{
    struct reply reply;
    char command[64];
    struct text line;
    text_init(&line, command, sizeof command);
    text_add(&line, "stats");
    if (look->line->since_s > 0) {
        text_addf(&line, " since %" PRIu64, look->line->since_s);
    }
    int exit_code = client_run(&look->line->place, command, &reply);
    if (exit_code == EX_OK && !stats_read(&reply, look->view)) {
        exit_code = client_complain_reply("stats");
    }
    reply_fini(&reply);
    if (exit_code != EX_OK) {
        return exit_code;
    }
    struct text text;
    text_init(&text, look->output, STATS_OUTPUT_SIZE);
    if (look->line->is_watching && isatty(STDOUT_FILENO) == 1) {
        text_add(&text, "\033[H\033[2J");
    }
    render(&text, look->line->form, look->view);
    must(!text.is_cut);
    bool is_written = fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    return is_written ? EX_OK : EX_IOERR;
}

/* A daemon that is restarted while it is watched comes back; only the first look must succeed, and
 * somebody must read. */
static int look_on(struct stats_look *look)
{
    int exit_code = look_once(look);
    while (exit_code == EX_OK || exit_code == EX_UNAVAILABLE) {
        const struct timespec pause = {.tv_sec = (time_t)look->line->watch_s};
        (void)nanosleep(&pause, NULL);
        exit_code = look_once(look);
    }
    return exit_code;
}

static int stats_run(const struct stats_line *line)
{
    struct stats_look look = {
        .line = line,
        .view = malloc(sizeof *look.view),
        .output = malloc(STATS_OUTPUT_SIZE),
    };
    int exit_code = EX_OSERR;
    if (look.view == NULL || look.output == NULL) {
        (void)complain("out of memory.");
    } else {
        exit_code = look_once(&look);
        if (exit_code == EX_OK && line->is_watching) {
            exit_code = look_on(&look);
        }
    }
    free(look.view);
    free(look.output);
    return exit_code;
}

int stats_main(int argc, char **argv)
{
    struct stats_line line = {.watch_s = STATS_WATCH_S_DEFAULT};
    if (!stats_line_read(&line, argc, argv)) {
        return EX_USAGE;
    }
    if (line.wants_help) {
        (void)fputs(stats_usage, stdout);
        return EX_OK;
    }
    return stats_run(&line);
}
