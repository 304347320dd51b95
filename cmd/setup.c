/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/setup.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/configuration.h"
#include "cmd/setup_port.h"
#include "cmd/wrap.h"
#include "doctor/facts.h"
#include "doctor/host.h"
#include "setup/diff.h"
#include "setup/failure.h"
#include "setup/journal.h"
#include "setup/plan.h"
#include "setup/port.h"

#define DIFF_SIZE ((size_t)4 << 20)
#define NOTE_SIZE 2048 /* Wrapped. */

static const char setup_usage[] =
    "usage: mxcache setup [--dry-run] [--upstreams \"ADDRESS...\"] [-c FILE]\n"
    "       mxcache setup --undo [--force]\n"
    "\n"
    "Puts this host on mxcache: finds the DNS servers it asks now, writes them into\n"
    "the configuration, starts mxcache, and once it answers switches /etc/resolv.conf\n"
    "and Postfix's chroots to it, and has the mail software read them anew.\n"
    "\n"
    "  -n, --dry-run            show every change as a diff, and change nothing\n"
    "  -u, --undo               everything as it was before setup, byte for byte\n"
    "      --force              with --undo: files that were changed since, too;\n"
    "                           what they said is kept in /var/lib/mxcache-setup\n"
    "  -U, --upstreams LIST     the servers to ask, in place of those that are found\n"
    "  -c, --config FILE        mxcache's configuration; default: " CONFIGURATION_FILE "\n"
    "  -h, --help\n";

enum {
    OPTION_FORCE = 256,
};

static const struct option setup_options[] = {
    {"dry-run", no_argument, NULL, 'n'},
    {"undo", no_argument, NULL, 'u'},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"upstreams", required_argument, NULL, 'U'},
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct setup_line {
    const char *conf_path;
    const char *upstreams;
    bool is_dry;
    bool is_undo;
    bool is_forced;
    bool wants_help;
};

/* All that a run needs; large, on the heap. */
struct setup_run {
    const struct setup_line *line;
    struct random random;
    struct setup_port port;
    struct host host;
    struct facts facts;
    struct plan plan;
    struct failure failure;
};

static bool complain(const char *sentence)
{
    (void)fprintf(stderr, "mxcache setup: %s\n", sentence);
    return false;
}

static bool read_line(struct setup_line *line, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "nuU:c:h", setup_options, NULL)) != -1) {
        switch (option) {
        case 'n':
            line->is_dry = true;
            break;
        case 'u':
            line->is_undo = true;
            break;
        case OPTION_FORCE:
            line->is_forced = true;
            break;
        case 'U':
            line->upstreams = optarg;
            break;
        case 'c':
            line->conf_path = optarg;
            break;
        case 'h':
            line->wants_help = true;
            break;
        default:
            return false;
        }
    }
    if (optind < argc) {
        return complain("too many words; see --help.");
    }
    if (line->is_undo && (line->is_dry || line->upstreams != NULL)) {
        return complain("--undo goes with --force only.");
    }
    if (line->conf_path[0] != '/') {
        return complain("-c takes an absolute path, for the daemon reads that file, too.");
    }
    return line->is_undo || !line->is_forced || complain("--force goes with --undo.");
}

static void print_diff(const struct setup_run *run, const struct step *step)
{
    struct path_state was;
    struct text text;
    char *output = malloc(DIFF_SIZE);
    if (output != NULL && path_state_read(&run->host, step->path, &was)) {
        text_init(&text, output, DIFF_SIZE);
        diff_add(&text, step->path, &was, &step->set);
        (void)fputs(output, stdout);
        path_state_fini(&was);
    }
    free(output);
}

static void print_step(const struct setup_run *run, const struct step *step)
{
    switch (step->kind) {
    case STEP_WRITE:
        (void)printf("write %s, %s\n", step->path, step->why);
        print_diff(run, step);
        break;
    case STEP_RUN:
        (void)fputs("run", stdout);
        for (size_t i = 0; step->words[i] != NULL; i++) {
            (void)printf(" %s", step->words[i]);
        }
        (void)printf(", %s\n", step->why);
        break;
    case STEP_AWAIT:
        (void)printf("wait until mxcache answers, %s\n", step->why);
        break;
    }
}

static void print_notes(const struct plan *plan)
{
    for (size_t i = 0; i < plan->note_count; i++) {
        char lines[NOTE_SIZE];
        struct text text;
        text_init(&text, lines, sizeof lines);
        wrap_add(&text, plan->notes[i], sizeof "note:", 0);
        (void)printf("note: %s", lines);
    }
}

static int print_failure(const struct setup_run *run, int exit_code)
{
    (void)complain(run->failure.sentence);
    return exit_code;
}

/* What the plan is made from, with settings that may not be known. */
static struct plan_case case_of(const struct setup_run *run, const struct settings *settings)
{
    return (struct plan_case){
        .host = &run->host,
        .facts = &run->facts,
        .settings = settings,
        .conf_path = run->line->conf_path,
        .upstreams = run->line->upstreams,
    };
}

static int apply(struct setup_run *run)
{
    if (!setup_try_upstreams(&run->plan, &run->port, &run->failure)) {
        return print_failure(run, EX_UNAVAILABLE);
    }
    if (!setup_apply(&run->plan, &run->host, &run->port, &run->failure)) {
        return print_failure(run, EX_IOERR);
    }
    print_notes(&run->plan);
    if (run->plan.leaves_resolv_conf) {
        (void)puts("mxcache runs, but this host does not ask it yet: see the note on resolv.conf.");
        return EX_UNAVAILABLE;
    }
    (void)puts("This host asks mxcache now. `mxcache doctor` looks at the rest; `mxcache setup "
               "--undo` takes it back.");
    return EX_OK;
}

static int set_up(struct setup_run *run)
{
    const struct settings_source source = {
        .file = run->line->conf_path,
        .is_file_optional = true,
    };
    struct configuration *configuration = configuration_new(&source);
    int exit_code = EX_OK;
    if (!configuration->is_good) {
        configuration_print_findings(configuration, stderr);
        (void)complain("the configuration has errors; nothing was changed.");
        configuration_free(&configuration);
        return EX_CONFIG;
    }
    const struct plan_case plan_case = case_of(run, &configuration->settings);
    if (!plan_make(&run->plan, &plan_case, &run->failure)) {
        exit_code = print_failure(run, EX_CONFIG);
    } else if (run->plan.step_count == 0) {
        print_notes(&run->plan);
        (void)puts("This host is on mxcache already; there is nothing to do.");
    } else if (run->line->is_dry) {
        for (size_t i = 0; i < run->plan.step_count; i++) {
            print_step(run, &run->plan.steps[i]);
        }
        print_notes(&run->plan);
        (void)puts("Nothing was changed.");
    } else {
        exit_code = apply(run);
    }
    configuration_free(&configuration);
    return exit_code;
}

/* What has to be run afterwards is known before, from the journal. */
static int undo(struct setup_run *run)
{
    const struct setup_undo how = {.is_forced = run->line->is_forced};
    const struct plan_case plan_case = case_of(run, NULL);
    struct journal *journal = malloc(sizeof *journal);
    if (journal == NULL) {
        (void)complain("out of memory.");
        return EX_OSERR;
    }
    bool is_read = journal_read(journal, &run->host, &run->failure);
    bool has_changed = is_read && journal->count > 0;
    plan_make_undo(&run->plan, &plan_case, journal);
    journal_fini(journal);
    free(journal);
    bool is_undone = is_read && setup_undo(&run->host, &how, &run->port, &run->failure);
    if (is_undone || has_changed) {
        /* What was put back is to be read, whatever was not. */
        struct failure ignored;
        (void)setup_apply(&run->plan, &run->host, &run->port, &ignored);
        print_notes(&run->plan);
    }
    if (!is_undone) {
        return print_failure(run, EX_IOERR);
    }
    (void)puts("Everything is as it was before setup. mxcache itself still runs: `systemctl "
               "disable --now mxcache` stops it.");
    return EX_OK;
}

/* A rehearsal changes nothing, and may be anybody's. */
static int run_locked(struct setup_run *run)
{
    int lock = run->line->is_dry ? -1 : journal_lock(&run->host, &run->failure);
    if (lock < 0 && !run->line->is_dry) {
        return print_failure(run, EX_UNAVAILABLE);
    }
    facts_gather(&run->facts, &run->host);
    int exit_code = run->line->is_undo ? undo(run) : set_up(run);
    plan_fini(&run->plan);
    facts_fini(&run->facts);
    if (lock >= 0) {
        (void)close(lock);
    }
    return exit_code;
}

static int run_line(const struct setup_line *line)
{
    struct setup_run *run = calloc(1, sizeof *run);
    int exit_code = EX_OSERR;
    if (run == NULL) {
        (void)complain("out of memory.");
        return exit_code;
    }
    run->line = line;
    random_init_system(&run->random);
    setup_port_init(&run->port, &run->random);
    if (!host_init(&run->host, "/")) {
        (void)complain(strerror(errno));
    } else {
        exit_code = run_locked(run);
        host_fini(&run->host);
    }
    free(run);
    return exit_code;
}

int setup_main(int argc, char **argv)
{
    struct setup_line line = {.conf_path = CONFIGURATION_FILE};
    if (!read_line(&line, argc, argv)) {
        return EX_USAGE;
    }
    if (line.wants_help) {
        (void)fputs(setup_usage, stdout);
        return EX_OK;
    }
    if (geteuid() != 0 && !line.is_dry) {
        (void)complain("it changes the host's files: run it as root, or with --dry-run.");
        return EX_NOPERM;
    }
    return run_line(&line);
}
