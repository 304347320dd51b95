/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/configuration.h"
#include "cmd/doctor_daemon.h"
#include "cmd/doctor_json.h"
#include "cmd/doctor_text.h"
#include "cmd/name_argument.h"
#include "cmd/source_line.h"
#include "cmd/terminal.h"
#include "cmd/wrap.h"

/* More than any report can fill: 512 entries of three sentences, wrapped or escaped. */
#define DOCTOR_OUTPUT_SIZE ((size_t)32 << 20)

static const char doctor_usage[] =
    "usage: mxcache doctor [CHECK]... [--json | --nagios | --all] [OPTION]...\n"
    "\n"
    "Looks at this mail host and tells what makes mail slow or refused: what was\n"
    "seen, what is healthy, why it matters and what to change. Changes nothing itself.\n"
    "Run it as root, or it cannot see everything. Exit code: 0 well, 1 warnings,\n"
    "2 errors.\n"
    "\n"
    "  CHECK                    only these; --list names them\n"
    "  -a, --all                what is well and what was left out, in full, too\n"
    "  -j, --json               one JSON object; its names stand in mxcache(8)\n"
    "  -n, --nagios             one line for Nagios, Icinga and their kin\n"
    "  -l, --log FILE           mail log to read in place of the usual ones; may be\n"
    "                           repeated; - is standard input, for journalctl\n"
    "  -C, --capture FILE       read a packet capture of SMTP and tell who let whom\n"
    "                           wait; - is standard input. Then only this is checked,\n"
    "                           unless checks are named. To make one:\n"
    "                           tcpdump -i any -s0 -w FILE port 25\n"
    "      --port PORT          a port of SMTP in the capture, beside 25, 465, 587, 2525\n"
    "  -S, --smtp HOST          try outbound port 25 there: a mail server that is not\n"
    "                           yours\n"
    "  -d, --domain NAME        whose mail is looked at; default: mydomain of Postfix\n"
    "      --offline            ask no questions and open no connections\n"
    "      --root FOLDER        the host below this folder, such as a container's root\n"
    "      --list               name the checks and what is healthy\n" SOURCE_LINE_USAGE
    "  -h, --help\n";

enum {
    OPTION_OFFLINE = 256,
    OPTION_ROOT,
    OPTION_LIST,
    OPTION_PORT,
};

static const struct option doctor_long_options[] = {
    {"all", no_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"nagios", no_argument, NULL, 'n'},
    {"log", required_argument, NULL, 'l'},
    {"capture", required_argument, NULL, 'C'},
    {"smtp", required_argument, NULL, 'S'},
    {"domain", required_argument, NULL, 'd'},
    {"offline", no_argument, NULL, OPTION_OFFLINE},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"list", no_argument, NULL, OPTION_LIST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"help", no_argument, NULL, 'h'},
    SOURCE_LINE_LONG,
    {NULL, 0, NULL, 0},
};

/* How the result is printed, or what else is wanted. */
enum doctor_form {
    DOCTOR_FORM_TEXT,
    DOCTOR_FORM_ALL,
    DOCTOR_FORM_JSON,
    DOCTOR_FORM_NAGIOS,
    DOCTOR_FORM_LIST,
    DOCTOR_FORM_HELP,
};

struct doctor_line {
    struct source_line source;
    struct doctor_options options;
    enum doctor_form form;
    bool is_wanted[CHECKS];
    bool has_wanted;
};

/* Its exit codes: not sysexits, because what it finds is no failure of its own. */
enum doctor_verdict {
    DOCTOR_WELL = 0,
    DOCTOR_WARNINGS = 1,
    DOCTOR_ERRORS = 2,
};

static bool complain(const char *sentence)
{
    (void)fprintf(stderr, "mxcache doctor: %s\n", sentence);
    return false;
}

static bool take_form(struct doctor_line *line, enum doctor_form form)
{
    if (line->form != DOCTOR_FORM_TEXT && line->form != form && form != DOCTOR_FORM_HELP) {
        return complain("give one of --all, --json, --nagios and --list.");
    }
    line->form = form;
    return true;
}

/* A log that was named and cannot be read must not look like one without trouble in it. */
static bool log_is_readable(const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        return true;
    }
    int error = access(path, R_OK) != 0 || stat(path, &status) != 0 ? errno : 0;
    if (error == 0 && S_ISDIR(status.st_mode)) {
        error = EISDIR;
    }
    if (error != 0) {
        (void)fprintf(
            stderr, "mxcache doctor: the log %s cannot be read: %s.\n", path, strerror(error));
    }
    return error == 0;
}

static bool take_log(struct doctor_line *line, const char *path)
{
    if (line->options.log_count == DOCTOR_LOGS_MAX) {
        return complain("it reads at most 16 logs; give it the newest.");
    }
    line->options.logs[line->options.log_count++] = path;
    return true;
}

static bool take_port(struct doctor_line *line, const char *argument)
{
    uint64_t port;
    if (!text_parse_u64(argument, strlen(argument), UINT16_MAX, &port) || port == 0) {
        return complain("--port takes a number from 1 to 65535.");
    }
    line->options.capture_port = (uint16_t)port;
    return true;
}

static bool take_domain(struct doctor_line *line, const char *argument)
{
    struct name_argument name;
    line->options.domain = argument;
    return name_argument_read("doctor", argument, &name);
}

static bool take_option(struct doctor_line *line, int option, const char *argument)
{
    switch (option) {
    case 'a':
        return take_form(line, DOCTOR_FORM_ALL);
    case 'j':
        return take_form(line, DOCTOR_FORM_JSON);
    case 'n':
        return take_form(line, DOCTOR_FORM_NAGIOS);
    case 'h':
        return take_form(line, DOCTOR_FORM_HELP);
    case OPTION_PORT:
        return take_port(line, argument);
    case OPTION_LIST:
        return take_form(line, DOCTOR_FORM_LIST);
    case 'l':
        return take_log(line, argument);
    case 'C':
        line->options.capture = argument;
        return true;
    case 'S':
        line->options.smtp_host = argument;
        return true;
    case 'd':
        return take_domain(line, argument);
    case OPTION_OFFLINE:
        line->options.is_offline = true;
        return true;
    case OPTION_ROOT:
        line->options.root = argument;
        return true;
    default:
        return source_line_take(&line->source, option, argument);
    }
}

static bool take_check(struct doctor_line *line, const char *name)
{
    enum check_id check;
    if (!check_find(name, &check)) {
        (void)fprintf(stderr, "mxcache doctor: there is no check `%s`; --list names them.\n", name);
        return false;
    }
    line->is_wanted[check] = true;
    line->has_wanted = true;
    return true;
}

static bool read_line(struct doctor_line *line, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(
                argc, argv, "ajnl:C:S:d:h" SOURCE_LINE_SHORT, doctor_long_options, NULL)) != -1) {
        if (!take_option(line, option, optarg)) {
            return false;
        }
    }
    for (; optind < argc; optind++) {
        if (!take_check(line, argv[optind])) {
            return false;
        }
    }
    if (line->options.capture_port != 0 && line->options.capture == NULL) {
        return complain("--port goes with --capture.");
    }
    if (line->options.capture != NULL && !line->has_wanted) {
        line->has_wanted = true;
        line->is_wanted[CHECK_capture] = true;
    }
    for (int i = 0; i < (int)CHECKS && !line->has_wanted; i++) {
        line->is_wanted[i] = true;
    }
    return true;
}

static void print_list(void)
{
    for (int i = 0; i < (int)CHECKS; i++) {
        enum check_id check = (enum check_id)i;
        char lines[REPORT_TEXT_MAX];
        struct text text;
        text_init(&text, lines, sizeof lines);
        wrap_add(&text, check_healthy(check), CHECK_NAME_MAX + 1, CHECK_NAME_MAX + 1);
        (void)printf("%-*s %s", CHECK_NAME_MAX, check_name(check), lines);
    }
}

/* One line that is written over; only for people who watch. */
static void show_progress(enum check_id check, void *context)
{
    (void)context;
    (void)fprintf(stderr, "\r\033[Kmxcache doctor: %s", check_name(check));
}

static void render(struct text *text, enum doctor_form form, const struct report *report)
{
    const struct stats_style style = terminal_style();
    const struct doctor_text_form text_form = {&style, form == DOCTOR_FORM_ALL};
    switch (form) {
    case DOCTOR_FORM_JSON:
        doctor_json_add(text, report);
        return;
    case DOCTOR_FORM_NAGIOS:
        doctor_nagios_add(text, report);
        return;
    case DOCTOR_FORM_TEXT:
    case DOCTOR_FORM_ALL:
    case DOCTOR_FORM_LIST:
    case DOCTOR_FORM_HELP:
        doctor_text_add(text, &text_form, report);
    }
}

static int verdict_of(const struct report *report)
{
    if (report_count(report, REPORT_ERROR) > 0) {
        return DOCTOR_ERRORS;
    }
    return report_count(report, REPORT_WARNING) > 0 ? DOCTOR_WARNINGS : DOCTOR_WELL;
}

static int print_report(const struct doctor_line *line, const struct report *report)
{
    struct text text;
    char *output = malloc(DOCTOR_OUTPUT_SIZE);
    if (output == NULL) {
        (void)complain("out of memory.");
        return EX_OSERR;
    }
    text_init(&text, output, DOCTOR_OUTPUT_SIZE);
    render(&text, line->form, report);
    bool is_written = fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    free(output);
    return is_written ? verdict_of(report) : EX_IOERR;
}

static int examine(const struct doctor_line *line, struct doctor *doctor)
{
    const struct doctor_watch watch = {
        .progress = isatty(STDERR_FILENO) == 1 ? show_progress : NULL,
    };
    doctor_run(doctor, line->is_wanted, &watch);
    if (watch.progress != NULL) {
        (void)fputs("\r\033[K", stderr);
    }
    return print_report(line, &doctor->report);
}

/* Why mxcache's configuration is not looked at; NULL: it is. */
static const char *settings_skipped(
    const struct doctor_line *line, const struct configuration *configuration)
{
    const struct settings_source *source = &line->source.source;
    bool is_elsewhere = line->options.root != NULL && strcmp(line->options.root, "/") != 0;
    if (is_elsewhere && source->is_file_optional) {
        return "With --root, mxcache's configuration is looked at when -c names it.";
    }
    if (!configuration->is_good && source->file != NULL && access(source->file, R_OK) != 0 &&
        errno == EACCES) {
        return "mxcache's configuration may not be read by this user; run the doctor as root.";
    }
    return NULL;
}

static bool logs_are_readable(const struct doctor_options *options)
{
    for (size_t i = 0; i < options->log_count; i++) {
        if (!log_is_readable(options->logs[i])) {
            return false;
        }
    }
    return true;
}

static int run(struct doctor_line *line)
{
    if (!logs_are_readable(&line->options)) {
        return EX_NOINPUT;
    }
    int exit_code = EX_OSERR;
    struct random random;
    struct doctor_daemon daemon;
    struct configuration *configuration = configuration_new(&line->source.source);
    struct doctor *doctor = calloc(1, sizeof *doctor);
    random_init_system(&random);
    line->options.settings_skipped = settings_skipped(line, configuration);
    if (configuration->is_good && line->options.settings_skipped == NULL) {
        line->options.settings = &configuration->settings;
    }
    if (line->options.root == NULL && !line->options.is_offline) {
        doctor_daemon_ask(line->options.settings, &daemon);
        line->options.daemon = &daemon;
    }
    if (doctor == NULL) {
        (void)complain("out of memory.");
    } else if (!doctor_init(doctor, &line->options, &random)) {
        (void)fprintf(stderr, "mxcache doctor: %s cannot be opened: %s.\n", line->options.root,
            strerror(errno));
        exit_code = EX_NOINPUT;
    } else {
        exit_code = examine(line, doctor);
        doctor_fini(doctor);
    }
    free(doctor);
    configuration_free(&configuration);
    return exit_code;
}

int doctor_main(int argc, char **argv)
{
    struct doctor_line line = {.form = DOCTOR_FORM_TEXT};
    int exit_code = EX_USAGE;
    source_line_init(&line.source, argc);
    if (read_line(&line, argc, argv)) {
        exit_code = EX_OK;
        if (line.form == DOCTOR_FORM_HELP) {
            (void)fputs(doctor_usage, stdout);
        } else if (line.form == DOCTOR_FORM_LIST) {
            print_list();
        } else {
            exit_code = run(&line);
        }
    }
    source_line_fini(&line.source);
    return exit_code;
}
