/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/host.h"
#include "doctor/list_use_private.h"

/*
 * SpamAssassin's rules that ask lists: check_rbl() and its like, uridnsbl, urirhssub, askdns. Those
 * of the host's own files, and those that came with it, or with sa-update.
 */
#define FILES_MAX 64
#define WORDS_MAX 6
#define OFF_MAX   64

struct sa_word {
    const char *text;
    size_t len;
};

/* What takes rules out again; seen anywhere, it counts for all. */
struct sa_off {
    char rules[OFF_MAX][LIST_USE_WORD_SIZE]; /* score RULE 0. */
    size_t rule_count;
    uint8_t zones[OFF_MAX][NAME_SIZE_MAX]; /* dns_query_restriction deny ZONE. */
    size_t zone_lens[OFF_MAX];
    size_t zone_count;
    bool has_no_dns; /* skip_rbl_checks 1, dns_available no. */
};

struct sa {
    struct list_uses *uses;
    struct sa_off off;
    const char *file;
    unsigned line;
    bool is_default;
    size_t files_left;
};

static bool word_equals(const struct sa_word *word, const char *text)
{
    return word->len == strlen(text) && memcmp(word->text, text, word->len) == 0;
}

static bool word_begins(const struct sa_word *word, const char *text)
{
    return word->len >= strlen(text) && memcmp(word->text, text, strlen(text)) == 0;
}

static bool byte_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The first words of a line; the last one taken may be any. */
static size_t words_of(const char *line, size_t len, struct sa_word words_out[WORDS_MAX])
{
    size_t count = 0;
    size_t at = 0;
    while (count < WORDS_MAX) {
        while (at < len && byte_is_blank(line[at])) {
            at++;
        }
        size_t from = at;
        while (at < len && !byte_is_blank(line[at])) {
            at++;
        }
        if (at == from || line[from] == '#') {
            break;
        }
        words_out[count++] = (struct sa_word){.text = line + from, .len = at - from};
    }
    return count;
}

static void zone_add(
    struct sa *sa, const struct sa_word *rule, const struct sa_word *zone, enum list_kind kind)
{
    const struct list_seen seen = {
        .by = LIST_USE_SPAMASSASSIN,
        .kind = kind,
        .zone = zone->text,
        .zone_len = zone->len,
        .file = sa->file,
        .line = sa->line,
        .word = rule->text,
        .word_len = rule->len,
        .is_default = sa->is_default,
    };
    list_uses_add(sa->uses, &seen);
}

/* The text between the quotes that open at or after *at_inout. */
static bool quoted_next(const char *line, size_t len, size_t *at_inout, struct sa_word *word_out)
{
    size_t at = *at_inout;
    while (at < len && line[at] != '\'' && line[at] != '"') {
        at++;
    }
    if (at == len) {
        return false;
    }
    const char *from = line + at + 1;
    const char *to = memchr(from, line[at], len - at - 1);
    if (to == NULL) {
        return false;
    }
    *word_out = (struct sa_word){.text = from, .len = (size_t)(to - from)};
    *at_inout = (size_t)(to - line) + 1;
    return true;
}

/* header RULE eval:check_rbl('set', 'zone' ...); check_rbl_sub() names no zone. */
static void header_read(struct sa *sa, const char *line, size_t len, const struct sa_word *words)
{
    struct sa_word set;
    struct sa_word zone;
    size_t at = (size_t)(words[2].text - line);
    if (!word_begins(&words[2], "eval:check_rbl") || word_begins(&words[2], "eval:check_rbl_sub") ||
        !quoted_next(line, len, &at, &set) || !quoted_next(line, len, &at, &zone)) {
        return;
    }
    bool is_domain = word_begins(&words[2], "eval:check_rbl_from") ||
                     word_begins(&words[2], "eval:check_rbl_envfrom");
    zone_add(sa, &words[1], &zone, is_domain ? LIST_KIND_DOMAIN : LIST_KIND_IP);
}

/* askdns RULE _TEMPLATE_.zone: what stands behind the last template. */
static void askdns_read(struct sa *sa, const struct sa_word *words)
{
    struct sa_word zone = words[2];
    const char *end = zone.text + zone.len;
    const char *from = zone.text;
    for (const char *at = zone.text; at + 1 < end; at++) {
        if (at[0] == '_' && at[1] == '.') {
            from = at + 2;
        }
    }
    if (from == zone.text) {
        return;
    }
    zone = (struct sa_word){.text = from, .len = (size_t)(end - from)};
    zone_add(sa, &words[1], &zone, LIST_KIND_HASH);
}

static bool word_is_uri_rule(const struct sa_word *word, enum list_kind *kind_out)
{
    static const char *const address_rules[] = {
        "uridnsbl", "uridnssub", "urinsrhsbl", "urinsrhssub", "urifullnsrhsbl", "urifullnsrhssub"};
    static const char *const name_rules[] = {"urirhsbl", "urirhssub"};
    for (size_t i = 0; i < sizeof name_rules / sizeof name_rules[0]; i++) {
        if (word_equals(word, name_rules[i])) {
            *kind_out = LIST_KIND_DOMAIN;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof address_rules / sizeof address_rules[0]; i++) {
        if (word_equals(word, address_rules[i])) {
            *kind_out = i < 2 ? LIST_KIND_IP : LIST_KIND_DOMAIN;
            return true;
        }
    }
    return false;
}

static void deny_read(struct sa_off *off, const struct sa_word *words, size_t count)
{
    for (size_t i = 2; i < count && off->zone_count < OFF_MAX; i++) {
        uint8_t *name = off->zones[off->zone_count];
        if (name_from_text(words[i].text, words[i].len, name, &off->zone_lens[off->zone_count])) {
            name_to_lower(name, off->zone_lens[off->zone_count]);
            off->zone_count++;
        }
    }
}

static void off_read(struct sa_off *off, const struct sa_word *words, size_t count)
{
    if (word_equals(&words[0], "score") && count == 3 && word_equals(&words[2], "0") &&
        words[1].len < LIST_USE_WORD_SIZE && off->rule_count < OFF_MAX) {
        memcpy(off->rules[off->rule_count++], words[1].text, words[1].len);
    } else if (word_equals(&words[0], "dns_query_restriction") && word_equals(&words[1], "deny")) {
        deny_read(off, words, count);
    } else if ((word_equals(&words[0], "skip_rbl_checks") && word_equals(&words[1], "1")) ||
               (word_equals(&words[0], "dns_available") && word_begins(&words[1], "no"))) {
        off->has_no_dns = true;
    }
}

static void line_read(struct sa *sa, const char *line, size_t len)
{
    struct sa_word words[WORDS_MAX];
    enum list_kind kind;
    size_t count = words_of(line, len, words);
    if (count < 2) {
        return;
    }
    off_read(&sa->off, words, count);
    if (count < 3) {
        return;
    }
    if (word_equals(&words[0], "header")) {
        header_read(sa, line, len, words);
    } else if (word_equals(&words[0], "askdns")) {
        askdns_read(sa, words);
    } else if (word_is_uri_rule(&words[0], &kind)) {
        zone_add(sa, &words[1], &words[2], kind);
    }
}

static void file_read(struct sa *sa, const struct host *host, const char *path)
{
    struct host_file file;
    sa->file = path;
    sa->line = 0;
    if (host_read(host, path, HOST_FILE_MAX, &file) == HOST_READ) {
        const char *at = file.bytes;
        const char *end = file.bytes + file.len;
        while (at < end) {
            const char *line_end = memchr(at, '\n', (size_t)(end - at));
            line_end = line_end != NULL ? line_end : end;
            sa->line++;
            line_read(sa, at, (size_t)(line_end - at));
            at = line_end < end ? line_end + 1 : end;
        }
    }
    host_file_fini(&file);
}

static bool name_ends(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t ending_len = strlen(ending);
    return len > ending_len && strcmp(name + len - ending_len, ending) == 0;
}

/* The rules that came with it are in many files; only a few ask lists. */
static bool name_may_ask(const struct sa *sa, const char *name)
{
    static const char *const parts[] = {"dnsbl", "uribl", "dnswl", "mailspike", "hashbl"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strstr(name, parts[i]) != NULL) {
            return true;
        }
    }
    return !sa->is_default;
}

static void folder_read(struct sa *sa, const struct host *host, const char *folder)
{
    struct host_names names;
    if (host_list(host, folder, &names) == HOST_READ) {
        for (size_t i = 0; i < names.count && sa->files_left > 0; i++) {
            char path[HOST_PATH_SIZE];
            int len = snprintf(path, sizeof path, "%s/%s", folder, names.names[i]);
            bool is_rules = name_ends(names.names[i], ".cf") || name_ends(names.names[i], ".pre");
            if (is_rules && len < (int)sizeof path && name_may_ask(sa, names.names[i])) {
                sa->files_left--;
                file_read(sa, host, path);
            }
        }
    }
    host_names_fini(&names);
}

/* What sa-update fetched, in a folder named like the version, else what came in the package. */
static void defaults_read(struct sa *sa, const struct host *host)
{
    struct host_names versions;
    bool has_updates = false;
    if (host_list(host, "/var/lib/spamassassin", &versions) == HOST_READ) {
        for (size_t i = 0; i < versions.count; i++) {
            char folder[HOST_PATH_SIZE];
            int len = snprintf(folder, sizeof folder,
                "/var/lib/spamassassin/%s/updates_spamassassin_org", versions.names[i]);
            struct stat stat;
            if (len < (int)sizeof folder && host_stat(host, folder, true, &stat) == HOST_READ) {
                has_updates = true;
                folder_read(sa, host, folder);
            }
        }
    }
    host_names_fini(&versions);
    if (!has_updates) {
        folder_read(sa, host, "/usr/share/spamassassin");
    }
}

static bool spamassassin_is_installed(const struct host *host)
{
    static const char *const programs[] = {
        "/usr/sbin/spamd", "/usr/bin/spamd", "/usr/bin/spamassassin", "/usr/local/bin/spamd"};
    struct stat stat;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (host_stat(host, programs[i], true, &stat) == HOST_READ) {
            return true;
        }
    }
    return false;
}

static bool use_is_off(const struct list_use *use, const void *context)
{
    const struct sa_off *off = context;
    if (use->by != LIST_USE_SPAMASSASSIN) {
        return false;
    }
    bool is_off = off->has_no_dns;
    for (size_t i = 0; i < off->rule_count; i++) {
        is_off = is_off || strcmp(off->rules[i], use->word) == 0;
    }
    for (size_t i = 0; i < off->zone_count; i++) {
        is_off =
            is_off || name_is_under(use->name, use->name_len, off->zones[i], off->zone_lens[i]);
    }
    return is_off;
}

void list_uses_of_spamassassin(struct list_uses *uses, const struct host *host)
{
    struct sa *sa = calloc(1, sizeof *sa);
    if (sa == NULL || !spamassassin_is_installed(host)) {
        free(sa);
        return;
    }
    sa->uses = uses;
    sa->files_left = FILES_MAX;
    folder_read(sa, host, "/etc/spamassassin");
    folder_read(sa, host, "/etc/mail/spamassassin");
    sa->is_default = true;
    defaults_read(sa, host);
    list_uses_remove(uses, use_is_off, &sa->off);
    free(sa);
}
