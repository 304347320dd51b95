/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/mail_log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "mail/list_zone.h"
#include "wire/name.h"

/* A lookup that takes longer has met a server that does not answer. */
#define SLOW_DNS_US    (5 * CLOCK_US_PER_S)
#define DELAY_SANE_US  (100000 * CLOCK_US_PER_S)
#define BEFORE_SANE_US (600 * CLOCK_US_PER_S)

enum key_kind {
    KEY_NONE,
    KEY_WORD,
    KEY_LIST,
};

struct pattern_row {
    const char *program;
    const char *first;
    const char *second;
    const char *without;
    enum key_kind key_kind;
    const char *key_from;
};

static const struct pattern_row pattern_rows[LOG_PATTERNS] = {
#define PATTERN(id, program_, first_, second_, without_, key_kind_, key_from_)                     \
    [LOG_##id] = {                                                                                 \
        .program = (program_),                                                                     \
        .first = (first_),                                                                         \
        .second = (second_),                                                                       \
        .without = (without_),                                                                     \
        .key_kind = KEY_##key_kind_,                                                               \
        .key_from = (key_from_),                                                                   \
    },
#include "doctor/mail_log_patterns.def"
#undef PATTERN
};

void mail_log_init(struct mail_log *log, int64_t now_s, int64_t offset_s)
{
    memset(log, 0, sizeof *log);
    log->now_s = now_s;
    log->offset_s = offset_s;
}

/* One line, cut into the words in front of the text, and the text. All NUL-terminated. */
struct log_line {
    const char *whole;
    const char *head; /* Host and program; ends where the text begins. */
    size_t head_len;
    const char *text;
    int64_t time_s; /* 0: not known. */
};

static bool head_has(const struct log_line *line, const char *program)
{
    return program[0] == '\0' ||
           memmem(line->head, line->head_len, program, strlen(program)) != NULL;
}

/* Where no program is asked for, the words in front of the text belong to it: rspamd's own log has
 * others there. */
static const char *pattern_text(const struct pattern_row *row, const struct log_line *line)
{
    return row->program[0] == '\0' ? line->head : line->text;
}

/* Where the text matches, or NULL. */
static const char *pattern_match(const struct pattern_row *row, const struct log_line *line)
{
    if (!head_has(line, row->program)) {
        return NULL;
    }
    const char *text = pattern_text(row, line);
    const char *first = strstr(text, row->first);
    if (first == NULL) {
        return NULL;
    }
    bool is_match = strstr(first + strlen(row->first), row->second) != NULL &&
                    (row->without[0] == '\0' || strstr(text, row->without) == NULL);
    return is_match ? first : NULL;
}

/* The zone of a list: the known one above the name, or what stands behind four numbers. */
static void key_to_list(char key[MAIL_LOG_KEY_SIZE])
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    size_t zone_at = 0;
    const struct list_zone *zone = NULL;
    if (name_from_text(key, strlen(key), name, &len)) {
        zone = list_zone_above(name, len, &zone_at);
    }
    if (zone != NULL) {
        (void)snprintf(key, MAIL_LOG_KEY_SIZE, "%s", zone->zone);
        return;
    }
    const char *at = key;
    for (int i = 0; i < 4; i++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || at[digits] != '.') {
            return;
        }
        at += digits + 1;
    }
    memmove(key, at, strlen(at) + 1);
}

/* False: there is no key in the text. */
static bool key_take(const struct pattern_row *row, const struct log_line *line,
    const char *matched, char key[MAIL_LOG_KEY_SIZE])
{
    static const char ends[] = " \t,;:\"'()<>";
    const char *at = strstr(matched, row->key_from);
    if (row->key_kind == KEY_NONE) {
        return false;
    }
    if (at == NULL) {
        at = strstr(pattern_text(row, line), row->key_from);
    }
    if (at == NULL) {
        return false;
    }
    at += strlen(row->key_from);
    at += strspn(at, "\"'<");
    size_t len = strcspn(at, ends);
    len = len < MAIL_LOG_KEY_SIZE ? len : MAIL_LOG_KEY_SIZE - 1;
    memcpy(key, at, len);
    key[len] = '\0';
    mail_log_redact(key);
    if (row->key_kind == KEY_LIST) {
        key_to_list(key);
    }
    return key[0] != '\0';
}

/* Space saving: a new key takes the place and the count of the rarest. */
static void tally_key(struct mail_log_tally *tally, const char *key)
{
    struct mail_log_key *rarest = &tally->keys[0];
    for (size_t i = 0; i < tally->key_count; i++) {
        if (strcmp(tally->keys[i].text, key) == 0) {
            tally->keys[i].count++;
            return;
        }
        if (tally->keys[i].count < rarest->count) {
            rarest = &tally->keys[i];
        }
    }
    if (tally->key_count < MAIL_LOG_KEYS) {
        rarest = &tally->keys[tally->key_count++];
        rarest->count = 0;
    }
    rarest->count++;
    (void)snprintf(rarest->text, sizeof rarest->text, "%s", key);
}

static void span_extend(int64_t time_s, int64_t *first_s, int64_t *last_s)
{
    if (time_s == 0) {
        return;
    }
    *first_s = *first_s == 0 || time_s < *first_s ? time_s : *first_s;
    *last_s = time_s > *last_s ? time_s : *last_s;
}

static void tally_count(struct mail_log_tally *tally, const struct pattern_row *row,
    const struct log_line *line, const char *matched)
{
    char key[MAIL_LOG_KEY_SIZE];
    tally->count++;
    span_extend(line->time_s, &tally->first_s, &tally->last_s);
    (void)snprintf(
        tally->example, sizeof tally->example, "%.*s", MAIL_LOG_EXAMPLE_SIZE - 1, line->whole);
    mail_log_redact(tally->example);
    if (key_take(row, line, matched, key)) {
        tally_key(tally, key);
    }
}

const struct mail_log_key *mail_log_top_key(const struct mail_log_tally *tally)
{
    const struct mail_log_key *top = NULL;
    for (size_t i = 0; i < tally->key_count; i++) {
        if (top == NULL || tally->keys[i].count > top->count) {
            top = &tally->keys[i];
        }
    }
    return top;
}

/* The label in front of ".zone". */
static void redact_zone(char *text, const char *zone)
{
    size_t zone_len = strlen(zone);
    for (char *at = strcasestr(text, zone); at != NULL; at = strcasestr(at, zone)) {
        char *end = at;
        if (at > text + 1 && at[-1] == '.') {
            end = at - 1;
        }
        char *start = end;
        while (start > text && strchr(" \t.=[]<>()\"',;:/", start[-1]) == NULL) {
            start--;
        }
        if (start < end) {
            *start = '*';
            memmove(start + 1, end, strlen(end) + 1);
            at -= end - start - 1;
        }
        at += zone_len;
    }
}

void mail_log_redact(char *text)
{
    size_t count = 0;
    const struct list_zone *zones = list_zone_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (zones[i].has_key) {
            redact_zone(text, zones[i].zone);
        }
    }
}

/* Seconds with a fraction, in microseconds, at *at; which then stands behind it. */
static bool take_delay(const char **at, int64_t *delay_us_out)
{
    int64_t whole = 0;
    int64_t part = 0;
    int64_t scale = CLOCK_US_PER_S;
    const char *digit = *at;
    for (; *digit >= '0' && *digit <= '9' && whole < DELAY_SANE_US; digit++) {
        whole = whole * 10 + (*digit - '0');
    }
    if (digit == *at) {
        return false;
    }
    if (*digit == '.') {
        for (digit++; *digit >= '0' && *digit <= '9'; digit++) {
            scale /= 10;
            part += (*digit - '0') * scale;
        }
    }
    *at = digit;
    *delay_us_out =
        whole < DELAY_SANE_US / CLOCK_US_PER_S ? whole * CLOCK_US_PER_S + part : DELAY_SANE_US;
    return true;
}

static void delay_record(struct histogram_sum *sum, int64_t delay_us)
{
    sum->buckets[histogram_bucket((uint64_t)delay_us)]++;
    sum->count++;
    sum->sum_us += (uint64_t)delay_us;
    sum->max_us = (uint64_t)delay_us > sum->max_us ? (uint64_t)delay_us : sum->max_us;
}

/* A delivery of smtp(8): delays=a/b/c/d, dsn=..., status=... A retry's `a` is the time since the
 * message came, so what is too long to be a conversation is left out. */
static void delays_count(struct mail_log *log, const struct log_line *line)
{
    int64_t delays[MAIL_LOG_DELAYS];
    if (!head_has(line, "/smtp[")) {
        return;
    }
    const char *at = strstr(line->text, " delays=");
    if (at == NULL) {
        return;
    }
    at += strlen(" delays=");
    for (int i = 0; i < (int)MAIL_LOG_DELAYS; i++) {
        if (!take_delay(&at, &delays[i])) {
            return;
        }
        at += *at == '/';
    }
    bool is_sent = strstr(at, "status=sent") != NULL;
    log->sent += is_sent;
    log->deferred += strstr(at, "status=deferred") != NULL;
    log->slow_dns += !is_sent && delays[MAIL_LOG_CONNECTION] >= SLOW_DNS_US &&
                     strstr(at, "Name service error") != NULL;
    for (int i = 0; i < (int)MAIL_LOG_DELAYS && is_sent; i++) {
        if (i != MAIL_LOG_BEFORE_QUEUE || delays[i] < BEFORE_SANE_US) {
            delay_record(&log->delays[i], delays[i]);
        }
    }
}

/* "HOST PROGRAM[PID]: TEXT". Where there is no such head (rspamd's own log), all is text. */
static void line_cut(struct mail_log *log, struct log_line *line)
{
    size_t stamp_len = mail_log_stamp(log->line, log->line_len, log, &line->time_s);
    line->whole = log->line;
    line->head = log->line + stamp_len;
    const char *colon = strstr(line->head, ": ");
    line->text = colon == NULL ? line->head : colon + 1;
    line->head_len = colon == NULL ? 0 : (size_t)(colon - line->head);
}

static void line_count(struct mail_log *log)
{
    struct log_line line = {.time_s = 0};
    if (log->line_len == 0) {
        return;
    }
    log->line[log->line_len] = '\0';
    line_cut(log, &line);
    log->lines++;
    span_extend(line.time_s, &log->first_s, &log->last_s);
    for (int i = 0; i < (int)LOG_PATTERNS; i++) {
        const char *matched = pattern_match(&pattern_rows[i], &line);
        if (matched != NULL) {
            tally_count(&log->tallies[i], &pattern_rows[i], &line, matched);
        }
    }
    delays_count(log, &line);
    log->line_len = 0;
}

/* A NUL would end the line for the functions of strings; it counts as a blank. */
static void line_append(struct mail_log *log, const char *bytes, size_t len)
{
    size_t room = MAIL_LOG_LINE_MAX - 1 - log->line_len;
    len = len < room ? len : room;
    for (size_t i = 0; i < len; i++) {
        log->line[log->line_len++] = bytes[i] == '\0' ? ' ' : bytes[i];
    }
}

void mail_log_feed(struct mail_log *log, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t part = newline == NULL ? len : (size_t)(newline - bytes);
        line_append(log, bytes, part);
        if (newline == NULL) {
            return;
        }
        line_count(log);
        bytes += part + 1;
        len -= part + 1;
    }
}

void mail_log_end(struct mail_log *log)
{
    line_count(log);
}
