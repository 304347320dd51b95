/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/rspamd_config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "doctor/host.h"

#define DEPTH_MAX 32
#define NAME_SIZE 64

/* Where the reader stands: how deep, and whether in the wanted section. */
struct ucl {
    const char *at;
    unsigned line;
    unsigned depth;
    unsigned section_depth; /* 0: not in it. */
    char name[NAME_SIZE];   /* The word read last, which is a key or a section's name. */
    unsigned name_line;
};

static bool byte_is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.' ||
           byte == '/' || byte == '*';
}

static void ucl_skip_line(struct ucl *ucl)
{
    ucl->at += strcspn(ucl->at, "\n");
}

static void ucl_skip_comment(struct ucl *ucl)
{
    const char *end = strstr(ucl->at + 2, "*/");
    const char *stop = end == NULL ? ucl->at + strlen(ucl->at) : end + 2;
    for (; ucl->at < stop; ucl->at++) {
        ucl->line += *ucl->at == '\n';
    }
}

/* A word, or a string in quotes, as the name of what follows. */
static void ucl_take_name(struct ucl *ucl)
{
    char quote = *ucl->at == '"' || *ucl->at == '\'' ? *ucl->at : '\0';
    const char *start = ucl->at + (quote != '\0');
    const char *end = start;
    while (*end != '\0' && *end != '\n' && (quote != '\0' ? *end != quote : byte_is_word(*end))) {
        end++;
    }
    size_t len = (size_t)(end - start) < NAME_SIZE - 1 ? (size_t)(end - start) : NAME_SIZE - 1;
    memcpy(ucl->name, start, len);
    ucl->name[len] = '\0';
    ucl->name_line = ucl->line;
    ucl->at = end + (quote != '\0' && *end == quote);
}

/* From behind `=` or `:` to the end of the setting. */
static void ucl_take_value(struct ucl *ucl, struct rspamd_found *found)
{
    size_t len = 0;
    unsigned brackets = 0;
    char quote = '\0';
    while (*ucl->at != '\0') {
        char byte = *ucl->at;
        if (quote == '\0' && brackets == 0 && (byte == ';' || byte == '\n' || byte == '}')) {
            break;
        }
        if (byte == '"' || byte == '\'') {
            quote = quote == '\0' ? byte : quote == byte ? '\0' : quote;
        } else if (quote == '\0') {
            brackets += byte == '[';
            brackets -= byte == ']' && brackets > 0;
        }
        ucl->line += byte == '\n';
        if (len < sizeof found->value - 1) {
            found->value[len++] = byte;
        }
        ucl->at++;
    }
    found->value[len] = '\0';
}

static bool ucl_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void ucl_enter(struct ucl *ucl, const char *section)
{
    ucl->depth++;
    if (ucl->section_depth == 0 && section != NULL && strcasecmp(ucl->name, section) == 0) {
        ucl->section_depth = ucl->depth;
    }
    ucl->name[0] = '\0';
}

static void ucl_leave(struct ucl *ucl)
{
    if (ucl->section_depth == ucl->depth) {
        ucl->section_depth = 0;
    }
    ucl->depth -= ucl->depth > 0;
    ucl->name[0] = '\0';
}

/* Behind `=` or `:`: a section after all, the wanted value, or another. True: the wanted one. */
static bool ucl_take_setting(
    struct ucl *ucl, const char *section, const char *key, struct rspamd_found *found)
{
    bool is_level = section == NULL ? ucl->depth == 0
                                    : ucl->section_depth > 0 && ucl->section_depth == ucl->depth;
    bool is_wanted = is_level && strcasecmp(ucl->name, key) == 0;
    ucl->at++;
    while (ucl_is_blank(*ucl->at)) {
        ucl->at++;
    }
    if (*ucl->at == '{') {
        return false;
    }
    struct rspamd_found other;
    unsigned line = ucl->name_line;
    ucl_take_value(ucl, is_wanted ? found : &other);
    if (is_wanted) {
        found->line = line;
    }
    return is_wanted;
}

bool rspamd_text_value(
    const char *text, const char *section, const char *key, struct rspamd_found *found_out)
{
    struct ucl ucl = {.at = text, .line = 1};
    bool is_found = false;
    while (*ucl.at != '\0' && ucl.depth < DEPTH_MAX) {
        if (*ucl.at == '#') {
            ucl_skip_line(&ucl);
        } else if (ucl.at[0] == '/' && ucl.at[1] == '*') {
            ucl_skip_comment(&ucl);
        } else if (*ucl.at == '=' || *ucl.at == ':') {
            is_found |= ucl_take_setting(&ucl, section, key, found_out);
        } else if (byte_is_word(*ucl.at) || *ucl.at == '"' || *ucl.at == '\'') {
            ucl_take_name(&ucl);
        } else {
            if (*ucl.at == '{') {
                ucl_enter(&ucl, section);
            } else if (*ucl.at == '}') {
                ucl_leave(&ucl);
            }
            ucl.line += *ucl.at == '\n';
            ucl.at++;
        }
    }
    return is_found;
}

bool rspamd_value(const struct host *host, const char *file, const char *section, const char *key,
    struct rspamd_found *found_out)
{
    static const char *const folders[] = {"/etc/rspamd/override.d", "/etc/rspamd/local.d"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct host_file content;
        (void)snprintf(found_out->path, sizeof found_out->path, "%s/%s", folders[i], file);
        bool is_found = host_read(host, found_out->path, HOST_FILE_MAX, &content) == HOST_READ &&
                        rspamd_text_value(content.bytes, section, key, found_out);
        host_file_fini(&content);
        if (is_found) {
            return true;
        }
    }
    return false;
}
