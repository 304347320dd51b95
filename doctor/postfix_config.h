/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Postfix's configuration as Postfix itself reads it: main.cf with continuation lines, `$name`,
 * `${name}`, `$(name)`, `${name?value}`, `${name:value}` and their {} forms, later lines winning;
 * master.cf with its eight fields and -o options; the instances of multi_instance_directories and
 * alternate_config_directories.
 * Defaults are those of Debian 12's package (3.7), and those that depend on compatibility_level are
 * resolved by it. Nothing is looked up in tables (hash:, ldap:...). Any bytes are safe: lines,
 * parameters, depth and length of an expansion are bounded, a loop of names ends as an empty value.
 * Main thread.
 */
struct host;

#define POSTFIX_INSTANCES_MAX  16
#define POSTFIX_PARAMETERS_MAX 4096  /* Lines of a main.cf that count. */
#define POSTFIX_SERVICES_MAX   512   /* Of a master.cf. */
#define POSTFIX_VALUE_MAX      16384 /* Bytes of an expanded value; a longer one is cut. */
#define POSTFIX_OPTIONS_MAX    64    /* -o of one service. */

/* A compatibility_level as a number that can be compared: 3.6 is below 3.10. */
#define POSTFIX_LEVEL(major, minor) ((major)*1000000ul + (minor)*1000ul)

/* A line of main.cf. */
struct postfix_parameter {
    const char *name;
    const char *value; /* As written, blanks and line ends of continuations made one blank. */
    unsigned line;
    unsigned by_name; /* Not of this one: which parameter stands here when they are sorted. */
};

/* name=value of a -o option. */
struct postfix_option {
    const char *name;
    const char *value;
};

/* A line of master.cf. */
struct postfix_service {
    const char *name;    /* smtp, 192.0.2.1:submission, ... as written. */
    const char *type;    /* inet, unix, fifo, pass. */
    const char *command; /* smtpd, postscreen, ... without arguments. */
    bool is_private;
    bool is_chrooted; /* `-` resolved by compatibility_level. */
    unsigned maxproc; /* 0: no limit; `-`: default_process_limit. */
    unsigned line;
    struct postfix_option options[POSTFIX_OPTIONS_MAX];
    size_t option_count;
};

struct postfix_instance {
    char *config_directory; /* /etc/postfix. Owned, as all text here. */
    char *queue_directory;  /* Expanded. */
    char *host_name;        /* What myhostname is without a line of its own, unexpanded. */
    bool has_main;          /* main.cf could be read. */
    bool has_master;
    bool is_enabled; /* The first always is, the others by multi_instance_enable. */
    bool is_cut;     /* Something exceeded a limit above. */
    unsigned long compatibility_level; /* As POSTFIX_LEVEL(). */
    unsigned main_bad_line;   /* The first line that Postfix does not understand; 0: none. */
    unsigned master_bad_line; /* It does not start, or warns, with such a line. */
    struct postfix_parameter *parameters; /* In the file's order. */
    size_t parameter_count;
    struct postfix_service *services;
    size_t service_count;
    char *main_bytes;   /* What the parameters point into. */
    char *master_bytes; /* What the services point into. */
};

struct postfix {
    bool is_installed; /* There is a main.cf or master.cf in /etc/postfix. */
    bool is_denied;    /* There is, but it may not be read. */
    bool is_cut;       /* More instances than fit. */
    struct postfix_instance instances[POSTFIX_INSTANCES_MAX]; /* The first is /etc/postfix. */
    size_t instance_count;
};

void postfix_read(struct postfix *postfix, const struct host *host);
void postfix_fini(struct postfix *postfix);

/* Its files are all that is left: dpkg keeps them when the package is removed. */
bool postfix_is_removed(const struct postfix *postfix, const struct host *host);

/* The parameter's value expanded; of a service, its -o options first (`service` NULL: main.cf
 * only). Without a line, the built-in default. Returns the length; always NUL-terminated, blanks at
 * both ends left out. An unknown name is an empty value. */
size_t postfix_value(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name, char *value_out, size_t size);

/* The line that sets it in main.cf, 0: the default is in force. */
unsigned postfix_line(const struct postfix_instance *instance, const char *name);

/* A time value (30s, 1h, default unit `unit`), in seconds; -1: not a time. */
long postfix_time(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name, char unit);

/* A whole number; -1: it is none. */
long postfix_number(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name);

bool postfix_is_yes(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name);

/* The next word of a list (separated by blanks and commas, {braces} kept together), or false. Start
 * with *at_inout = 0. */
bool postfix_word(const char *value, size_t *at_inout, const char **word_out, size_t *len_out);

/* The first service with that command and type (type NULL: any); NULL: none is configured. */
const struct postfix_service *postfix_service_find(
    const struct postfix_instance *instance, const char *command, const char *type);
