/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The subcommands of the program: one function each, in a file of its own. argv[0] is the title of
 * the subcommand ("mxcache stats"), so that getopt(3) complains in its name; the result is the exit
 * code (sysexits.h). Main thread.
 */
int check_main(int argc, char **argv);
int chroot_sync_main(int argc, char **argv);
int conf_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int flush_main(int argc, char **argv);
int lookup_main(int argc, char **argv);
int reload_main(int argc, char **argv);
int serve_main(int argc, char **argv);
int slow_main(int argc, char **argv);
int setup_main(int argc, char **argv);
int stats_main(int argc, char **argv);
int top_main(int argc, char **argv);
