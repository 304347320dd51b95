/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/reload.h"
#include "cmd/cmd.h"
#include "cmd/configuration.h"
#include "cmd/source_line.h"

/* Blocks from this size on are pages of their own. */
#define LARGE_BYTES (256 * 1024)

static const char serve_usage[] =
    "usage: mxcache serve [-c FILE] [-o NAME=VALUE]...\n"
    "\n"
    "Runs the daemon in the foreground. SIGHUP: read the configuration again;\n"
    "SIGTERM, SIGINT: answer what is waiting, then end.\n"
    "\n" SOURCE_LINE_USAGE "  -h, --help\n";

static bool serve_line_read(struct source_line *line, int argc, char **argv, bool *wants_help_out)
{
    if (!source_line_read(line, argc, argv, wants_help_out)) {
        return false;
    }
    if (optind < argc) {
        (void)fprintf(
            stderr, "mxcache serve: `%s` is more than it takes; see --help.\n", argv[optind]);
        return false;
    }
    return true;
}

/* With each reload the tables of servers are made anew. By its own lights glibc puts such blocks
 * into the heap as soon as one of them has been freed; what lies between them then keeps their
 * holes from closing, and the process grows with every reload. */
static void memory_settle(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

static int serve_run(const struct settings_source *source)
{
    struct configuration *configuration = configuration_new(source);
    int exit_code = EX_CONFIG;
    configuration_print_findings(configuration, stderr);
    if (!configuration->is_good) {
        (void)fputs("mxcache: not started, because of the errors above.\n", stderr);
    } else if (!reload_has_servers(&configuration->settings)) {
        (void)fprintf(stderr,
            "mxcache: not started: there is no server to ask, because `upstreams` is not set and"
            " %s names none but mxcache itself; write `upstreams = ADDRESS` into %s, or give"
            " -o upstreams=ADDRESS.\n",
            configuration->settings.upstreams_file, source->file);
    } else {
        memory_settle();
        exit_code = daemon_run(&(struct daemon_options){
            .source = source,
            .settings = &configuration->settings,
            .version = MXCACHE_VERSION,
        });
    }
    configuration_free(&configuration);
    return exit_code;
}

int serve_main(int argc, char **argv)
{
    struct source_line line;
    bool wants_help = false;
    int exit_code = EX_USAGE;
    source_line_init(&line, argc);
    if (serve_line_read(&line, argc, argv, &wants_help)) {
        if (wants_help) {
            (void)fputs(serve_usage, stdout);
            exit_code = EX_OK;
        } else {
            exit_code = serve_run(&line.source);
        }
    }
    source_line_fini(&line);
    return exit_code;
}
