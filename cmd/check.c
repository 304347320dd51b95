/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/configuration.h"
#include "cmd/section_keys.h"
#include "cmd/source_line.h"
#include "conf/cross.h"
#include "conf/resolv_conf.h"

#define CHECK_RESOLV_CONF "/etc/resolv.conf"

/* Its exit codes, as those of the doctor: not sysexits, because a warning is no failure. */
enum check_verdict {
    CHECK_WELL = 0,
    CHECK_WARNINGS = 1,
    CHECK_ERRORS = 2,
};

static const char check_usage[] =
    "usage: mxcache check [-c FILE] [-o NAME=VALUE]... [FILE]\n"
    "\n"
    "Reads the configuration and tells everything that is wrong with it: the place, the\n"
    "reason and what to do. Exit code: 0 well, 1 warnings, 2 errors.\n"
    "\n" SOURCE_LINE_USAGE "  -h, --help\n";

static const char *check_plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void check_print_errors(const char *name, const struct findings *findings)
{
    size_t warnings = findings->count + findings->dropped - findings->errors;
    (void)printf("%s: %zu error%s, %zu warning%s\n", name, findings->errors,
        check_plural(findings->errors), warnings, check_plural(warnings));
}

static void check_print_summary(
    const char *name, const struct settings *settings, const struct findings *findings)
{
    size_t warnings = findings->count + findings->dropped;
    size_t servers = 0;
    size_t groups = 0;
    for (size_t i = 0; i < settings->group_count; i++) {
        servers += settings->groups[i].server_count;
        groups += settings->groups[i].server_count > 0 ? 1 : 0;
    }
    (void)printf("%s: ", name);
    if (warnings > 0) {
        (void)printf("%zu warning%s, else well", warnings, check_plural(warnings));
    } else {
        (void)printf("well");
    }
    (void)printf(", %zu upstream server%s%s%s in %zu group%s, %zu zone%s\n", servers,
        check_plural(servers), settings->upstreams_from_file ? " by " : "",
        settings->upstreams_from_file ? settings->upstreams_file : "", groups, check_plural(groups),
        settings->zone_count, check_plural(settings->zone_count));
}

static enum check_verdict check_run(const struct settings_source *source)
{
    struct configuration *configuration = configuration_new(source);
    struct findings *findings = &configuration->findings;
    struct resolv_conf resolv_conf;
    bool is_missing = source->is_file_optional && access(source->file, F_OK) != 0;
    const char *name = is_missing ? "built-in defaults" : source->file;
    if (configuration->is_good) {
        section_keys_check(&configuration->settings, source->file, findings);
    }
    if (configuration->is_good && resolv_conf_read(CHECK_RESOLV_CONF, &resolv_conf)) {
        cross_check_libc(&configuration->settings, CHECK_RESOLV_CONF, &resolv_conf, findings);
    }
    configuration_print_findings(configuration, stdout);
    enum check_verdict verdict = findings->count > 0 ? CHECK_WARNINGS : CHECK_WELL;
    if (configuration->is_good) {
        check_print_summary(name, &configuration->settings, findings);
    } else {
        check_print_errors(name, findings);
        verdict = CHECK_ERRORS;
    }
    configuration_free(&configuration);
    return verdict;
}

/* False: the line makes no sense, which has been said. */
static bool check_read_line(struct source_line *line, bool *wants_help, int argc, char **argv)
{
    if (!source_line_read(line, argc, argv, wants_help)) {
        return false;
    }
    if (argc - optind > 1) {
        (void)fputs("mxcache check: it takes one file; see --help.\n", stderr);
        return false;
    }
    if (optind < argc) {
        source_line_set_file(line, argv[optind]);
    }
    return true;
}

int check_main(int argc, char **argv)
{
    struct source_line line;
    bool wants_help = false;
    int exit_code = EX_USAGE;
    source_line_init(&line, argc);
    if (check_read_line(&line, &wants_help, argc, argv)) {
        if (wants_help) {
            (void)fputs(check_usage, stdout);
            exit_code = EX_OK;
        } else {
            exit_code = (int)check_run(&line.source);
        }
    }
    source_line_fini(&line);
    return exit_code;
}
