/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/config_lines.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "doctor/host.h"

static bool byte_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

void config_lines_init(struct config_lines *lines, const char *bytes)
{
    lines->at = bytes;
    lines->number = 0;
    lines->line[0] = '\0';
}

static void line_take(struct config_lines *lines, const char *start, size_t len)
{
    while (len > 0 && byte_is_blank(*start)) {
        start++;
        len--;
    }
    while (len > 0 && byte_is_blank(start[len - 1])) {
        len--;
    }
    len = len < CONFIG_LINE_MAX ? len : CONFIG_LINE_MAX - 1;
    memcpy(lines->line, start, len);
    lines->line[len] = '\0';
}

bool config_lines_next(struct config_lines *lines)
{
    while (*lines->at != '\0') {
        const char *start = lines->at;
        size_t len = strcspn(start, "\n");
        lines->at += len + (start[len] == '\n');
        lines->number++;
        line_take(lines, start, len);
        if (lines->line[0] != '\0' && lines->line[0] != '#' && lines->line[0] != ';') {
            return true;
        }
    }
    return false;
}

/* Copies the value, up to the closing quote or the comment, without blanks at its end. */
static void value_copy(const char *from, char *value_out, size_t size)
{
    char quote = *from == '"' || *from == '\'' ? *from : '\0';
    size_t len = 0;
    if (quote != '\0') {
        from++;
        len = strcspn(from, quote == '"' ? "\"" : "'");
    } else {
        while (
            from[len] != '\0' && (from[len] != '#' || (len > 0 && !byte_is_blank(from[len - 1])))) {
            len++;
        }
        while (len > 0 && byte_is_blank(from[len - 1])) {
            len--;
        }
    }
    len = len < size ? len : size - 1;
    memcpy(value_out, from, len);
    value_out[len] = '\0';
}

bool config_line_value(
    const char *line, const char *key, const char *separators, char *value_out, size_t size)
{
    size_t key_len = strlen(key);
    if (strncasecmp(line, key, key_len) != 0) {
        return false;
    }
    const char *at = line + key_len;
    bool is_separated = byte_is_blank(*at) && strchr(separators, ' ') != NULL;
    while (byte_is_blank(*at)) {
        at++;
    }
    if (*at != '\0' && *at != ' ' && strchr(separators, *at) != NULL) {
        is_separated = true;
        at++;
    }
    while (byte_is_blank(*at)) {
        at++;
    }
    if (is_separated) {
        value_copy(at, value_out, size);
    }
    return is_separated;
}

/* "[section]" */
static bool section_is(const char *line, const char *section)
{
    size_t len = strlen(section);
    return strncasecmp(line + 1, section, len) == 0 && line[1 + len] == ']';
}

static bool value_in_file(const struct host *host, const struct config_place *place,
    const char *path, const char *key, struct config_found *found)
{
    struct host_file file;
    bool is_found = false;
    if (host_read(host, path, HOST_FILE_MAX, &file) == HOST_READ) {
        struct config_lines lines;
        bool is_inside = place->section == NULL;
        config_lines_init(&lines, file.bytes);
        while (config_lines_next(&lines)) {
            if (place->section != NULL && lines.line[0] == '[') {
                is_inside = section_is(lines.line, place->section);
            } else if (is_inside && config_line_value(lines.line, key, place->separators,
                                        found->value, sizeof found->value)) {
                is_found = true;
                found->line = lines.number;
            }
        }
    }
    if (is_found) {
        (void)snprintf(found->path, sizeof found->path, "%s", path);
    }
    host_file_fini(&file);
    return is_found;
}

static bool name_ends(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t ending_len = strlen(ending);
    return len >= ending_len && strcmp(name + len - ending_len, ending) == 0;
}

static bool value_in_folder(const struct host *host, const struct config_place *place,
    const char *key, struct config_found *found)
{
    struct host_names names;
    bool is_found = false;
    if (host_list(host, place->path, &names) == HOST_READ) {
        for (size_t i = 0; i < names.count; i++) {
            char path[HOST_PATH_SIZE];
            (void)snprintf(path, sizeof path, "%s/%s", place->path, names.names[i]);
            is_found |= name_ends(names.names[i], place->ending) &&
                        value_in_file(host, place, path, key, found);
        }
    }
    host_names_fini(&names);
    return is_found;
}

bool config_value(const struct host *host, const struct config_place *places, size_t place_count,
    const char *key, struct config_found *found_out)
{
    bool is_found = false;
    for (size_t i = 0; i < place_count; i++) {
        is_found |= places[i].ending != NULL
                        ? value_in_folder(host, &places[i], key, found_out)
                        : value_in_file(host, &places[i], places[i].path, key, found_out);
    }
    return is_found;
}
