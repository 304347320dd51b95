/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "doctor/host.h"
#include "doctor/list_use_private.h"

/*
 * The RBL module of rspamd: blocks with `rbl = "zone"`, in the files that rspamd reads one after
 * the other; a later one may switch a block off. Of its language (UCL) only blocks, keys, values
 * and comments are understood, which is all that stands in these files.
 */
#define BLOCKS_MAX 256
#define DEPTH_MAX  16

/* Bytes of a file. */
struct ucl_word {
    const char *text;
    size_t len;
};

struct rbl_block {
    char name[LIST_USE_WORD_SIZE];
    char zone[NAME_TEXT_SIZE];
    const char *file;
    unsigned line;
    bool is_default;
    bool is_off;
};

struct rbl_config {
    struct rbl_block blocks[BLOCKS_MAX];
    size_t count;
    bool is_off; /* The whole module. */
};

struct ucl {
    const char *at;
    const char *end;
    unsigned line;
    const char *file;
    bool is_default;
    struct rbl_config *config;
    struct ucl_word path[DEPTH_MAX]; /* The open blocks. */
    size_t depth;
    struct ucl_word key; /* Waits for its value or block; len 0: none. */
};

static bool word_equals(const struct ucl_word *word, const char *text)
{
    return word->len == strlen(text) && memcmp(word->text, text, word->len) == 0;
}

static void word_copy(const struct ucl_word *word, char *text_out, size_t size)
{
    size_t len = word->len < size ? word->len : size - 1;
    memcpy(text_out, word->text, len);
    text_out[len] = '\0';
}

/* NULL: there are too many. */
static struct rbl_block *block_of(struct rbl_config *config, const struct ucl_word *name)
{
    char text[LIST_USE_WORD_SIZE];
    word_copy(name, text, sizeof text);
    for (size_t i = 0; i < config->count; i++) {
        if (strcmp(config->blocks[i].name, text) == 0) {
            return &config->blocks[i];
        }
    }
    if (config->count == BLOCKS_MAX) {
        return NULL;
    }
    struct rbl_block *block = &config->blocks[config->count++];
    memcpy(block->name, text, sizeof text);
    return block;
}

/* enabled = false, disabled = true. */
static bool switch_read(const struct ucl_word *key, const struct ucl_word *value, bool *is_off_out)
{
    static const char *const words[] = {"true", "yes", "on", "1"};
    bool is_true = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        is_true = is_true || word_equals(value, words[i]);
    }
    bool is_enabled = word_equals(key, "enabled");
    *is_off_out = is_enabled ? !is_true : is_true;
    return is_enabled || word_equals(key, "disabled");
}

static void ucl_on_value(struct ucl *ucl, const struct ucl_word *value)
{
    bool is_off;
    bool is_switch = switch_read(&ucl->key, value, &is_off);
    bool is_zone = word_equals(&ucl->key, "rbl");
    if ((!is_switch && !is_zone) || ucl->depth > DEPTH_MAX) {
        return;
    }
    const struct ucl_word *name = ucl->depth > 0 ? &ucl->path[ucl->depth - 1] : NULL;
    if (name == NULL || word_equals(name, "rbl") || word_equals(name, "rbls")) {
        ucl->config->is_off = is_switch ? is_off : ucl->config->is_off;
        return;
    }
    struct rbl_block *block = block_of(ucl->config, name);
    if (block == NULL) {
        return;
    }
    if (is_switch) {
        block->is_off = is_off;
        return;
    }
    word_copy(value, block->zone, sizeof block->zone);
    block->file = ucl->file;
    block->line = ucl->line;
    block->is_default = ucl->is_default;
}

static void ucl_on_word(struct ucl *ucl, const struct ucl_word *word)
{
    if (ucl->key.len == 0) {
        ucl->key = *word;
        return;
    }
    ucl_on_value(ucl, word);
    ucl->key.len = 0;
}

static void ucl_on_mark(struct ucl *ucl, char mark)
{
    if (mark == '{' || mark == '[') {
        if (ucl->depth < DEPTH_MAX) {
            ucl->path[ucl->depth] = ucl->key;
        }
        ucl->depth++;
    } else if (mark == '}' || mark == ']') {
        ucl->depth -= ucl->depth > 0;
    } else if (mark == '=' || mark == ':') {
        return;
    }
    ucl->key.len = 0;
}

/* Behind the comment that begins here, if one does. */
static bool ucl_skip_comment(struct ucl *ucl)
{
    size_t left = (size_t)(ucl->end - ucl->at);
    bool is_long = left > 1 && ucl->at[0] == '/' && ucl->at[1] == '*';
    if (!is_long && ucl->at[0] != '#') {
        return false;
    }
    ucl->at += is_long ? 2 : 0;
    while (ucl->at < ucl->end) {
        bool is_over = is_long ? ucl->at[0] == '/' && ucl->at[-1] == '*' : ucl->at[0] == '\n';
        if (is_over) {
            ucl->at += is_long;
            return true;
        }
        ucl->line += ucl->at[0] == '\n';
        ucl->at++;
    }
    return true;
}

static bool byte_ends_word(char byte)
{
    return memchr(" \t\r\n{}[]=:;,\"", byte, 13) != NULL;
}

static void ucl_take_word(struct ucl *ucl)
{
    bool is_quoted = ucl->at[0] == '"';
    struct ucl_word word = {.text = ucl->at + is_quoted};
    ucl->at += is_quoted;
    while (ucl->at < ucl->end) {
        bool is_over = is_quoted ? ucl->at[0] == '"' : byte_ends_word(ucl->at[0]);
        if (is_over) {
            break;
        }
        ucl->line += ucl->at[0] == '\n';
        ucl->at++;
    }
    word.len = (size_t)(ucl->at - word.text);
    ucl->at += is_quoted && ucl->at < ucl->end;
    ucl_on_word(ucl, &word);
}

/* .include and its like: what they name is read anyway, or not there. */
static void ucl_skip_line(struct ucl *ucl)
{
    const char *line_end = memchr(ucl->at, '\n', (size_t)(ucl->end - ucl->at));
    ucl->at = line_end != NULL ? line_end : ucl->end;
}

static void ucl_step(struct ucl *ucl)
{
    char byte = ucl->at[0];
    if (byte == '\n' || byte == ' ' || byte == '\t' || byte == '\r') {
        ucl->line += byte == '\n';
        ucl->at++;
    } else if (ucl_skip_comment(ucl)) {
        return;
    } else if (byte == '.' && ucl->key.len == 0) {
        ucl_skip_line(ucl);
    } else if (byte != '"' && byte_ends_word(byte)) {
        ucl->at++;
        ucl_on_mark(ucl, byte);
    } else {
        ucl_take_word(ucl);
    }
}

static void file_read(struct rbl_config *config, const struct host *host, const char *path)
{
    struct host_file file;
    if (host_read(host, path, HOST_FILE_MAX, &file) == HOST_READ) {
        struct ucl ucl = {
            .at = file.bytes,
            .end = file.bytes + file.len,
            .line = 1,
            .file = path,
            .is_default = strstr(path, "/modules.d/") != NULL,
            .config = config,
        };
        while (ucl.at < ucl.end) {
            ucl_step(&ucl);
        }
    }
    host_file_fini(&file);
}

static bool rspamd_is_installed(const struct host *host)
{
    static const char *const programs[] = {"/usr/bin/rspamd", "/usr/local/bin/rspamd"};
    struct stat stat;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (host_stat(host, programs[i], true, &stat) == HOST_READ) {
            return true;
        }
    }
    return false;
}

static void config_add(struct list_uses *uses, const struct rbl_config *config)
{
    for (size_t i = 0; i < config->count && !config->is_off; i++) {
        const struct rbl_block *block = &config->blocks[i];
        if (block->zone[0] == '\0' || block->is_off) {
            continue;
        }
        const struct list_seen seen = {
            .by = LIST_USE_RSPAMD,
            .kind = LIST_KIND_HASH, /* What it is asked about is not known here. */
            .zone = block->zone,
            .zone_len = strlen(block->zone),
            .file = block->file,
            .line = block->line,
            .word = block->name,
            .word_len = strlen(block->name),
            .is_default = block->is_default,
        };
        list_uses_add(uses, &seen);
    }
}

void list_uses_of_rspamd(struct list_uses *uses, const struct host *host)
{
    static const char *const files[] = {
        "/etc/rspamd/modules.d/rbl.conf",
        "/etc/rspamd/local.d/rbl.conf",
        "/etc/rspamd/override.d/rbl.conf",
    };
    struct rbl_config *config = calloc(1, sizeof *config);
    if (config == NULL || !rspamd_is_installed(host)) {
        free(config);
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        file_read(config, host, files[i]);
    }
    config_add(uses, config);
    free(config);
}
