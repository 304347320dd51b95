/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "cmd/cmd.h"
#include "cmd/configuration.h"
#include "cmd/source_line.h"
#include "conf/explain.h"

enum conf_view {
    CONF_VIEW_EFFECTIVE,
    CONF_VIEW_CHANGED,
    CONF_VIEW_DEFAULTS,
    CONF_VIEW_SAMPLE,
    CONF_VIEW_MANUAL,
    CONF_VIEW_HELP,
};

static const char conf_usage[] =
    "usage: mxcache conf [-n | -d | --sample | --manual] [-c FILE] [-o NAME=VALUE]...\n"
    "\n"
    "Prints the settings in effect, as a configuration file again.\n"
    "\n"
    "  -n, --changed            only those that differ from the defaults, and the sections\n"
    "  -d, --defaults           the defaults, of what stands above the sections\n"
    "      --sample             the sample file with a comment for each setting\n"
    "      --manual             the settings part of mxcache.conf(5), for scdoc\n" SOURCE_LINE_USAGE
    "  -h, --help\n";

/* Codes of the long options that have no letter. */
#define CONF_OPTION_SAMPLE 256
#define CONF_OPTION_MANUAL 257

static const struct option conf_options[] = {
    SOURCE_LINE_LONG,
    {"changed", no_argument, NULL, 'n'},
    {"defaults", no_argument, NULL, 'd'},
    {"sample", no_argument, NULL, CONF_OPTION_SAMPLE},
    {"manual", no_argument, NULL, CONF_OPTION_MANUAL},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* False: no option of ours; getopt has said so. */
static bool conf_take_option(struct source_line *line, int option, enum conf_view *view)
{
    switch (option) {
    case 'n':
        *view = CONF_VIEW_CHANGED;
        return true;
    case 'd':
        *view = CONF_VIEW_DEFAULTS;
        return true;
    case 'h':
        *view = CONF_VIEW_HELP;
        return true;
    case CONF_OPTION_SAMPLE:
        *view = CONF_VIEW_SAMPLE;
        return true;
    case CONF_OPTION_MANUAL:
        *view = CONF_VIEW_MANUAL;
        return true;
    default:
        return source_line_take(line, option, optarg);
    }
}

static int conf_print_settings(const struct settings_source *source, enum explain_scope scope)
{
    struct configuration *configuration = configuration_new(source);
    int exit_code = EX_CONFIG;
    configuration_print_findings(configuration, stderr);
    if (configuration->is_good) {
        explain_settings(&configuration->settings, scope, stdout);
        exit_code = EX_OK;
    }
    configuration_free(&configuration);
    return exit_code;
}

static int conf_print(const struct settings_source *source, enum conf_view view)
{
    switch (view) {
    case CONF_VIEW_EFFECTIVE:
        return conf_print_settings(source, EXPLAIN_ALL);
    case CONF_VIEW_CHANGED:
        return conf_print_settings(source, EXPLAIN_CHANGED);
    case CONF_VIEW_DEFAULTS:
        explain_defaults(stdout);
        break;
    case CONF_VIEW_SAMPLE:
        explain_sample(stdout);
        break;
    case CONF_VIEW_MANUAL:
        explain_manual(stdout);
        break;
    case CONF_VIEW_HELP:
        (void)fputs(conf_usage, stdout);
        break;
    }
    return EX_OK;
}

int conf_main(int argc, char **argv)
{
    struct source_line line;
    enum conf_view view = CONF_VIEW_EFFECTIVE;
    bool is_well = true;
    int option;
    source_line_init(&line, argc);
    while ((option = getopt_long(argc, argv, SOURCE_LINE_SHORT "ndh", conf_options, NULL)) != -1) {
        is_well = conf_take_option(&line, option, &view) && is_well;
    }
    if (is_well && optind < argc) {
        (void)fprintf(
            stderr, "mxcache conf: `%s` is more than it takes; see --help.\n", argv[optind]);
        is_well = false;
    }
    int exit_code = is_well ? conf_print(&line.source, view) : EX_USAGE;
    source_line_fini(&line);
    return exit_code;
}
