/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/sequel.h"

#include <string.h>

#include "wire/types.h"

/* One term of an SPF record (RFC 7208 section 4.6.1), split where the grammar splits it. */
struct spf_term {
    const uint8_t *word; /* Mechanism or modifier, in any case. */
    size_t word_len;
    char mark; /* ':' before a domain, '=' in a modifier, '/' before a length, 0: nothing. */
    const uint8_t *value;
    size_t value_len;
};

/* What a term leads to. */
struct spf_row {
    const char *word;
    char mark;           /* What must follow the word for a domain of its own. */
    bool has_own_domain; /* Without one it is about the record's own domain. */
    uint16_t type;
    enum sequel_step step;
};

static const struct spf_row spf_rows[] = {
    {"include", ':', false, TYPE_TXT, SEQUEL_SPF_INCLUDE},
    {"redirect", '=', false, TYPE_TXT, SEQUEL_SPF_INCLUDE},
    {"a", ':', true, TYPE_A, SEQUEL_SPF_OTHER},
    {"mx", ':', true, TYPE_MX, SEQUEL_SPF_OTHER},
    {"exists", ':', false, TYPE_A, SEQUEL_SPF_OTHER},
};

static uint8_t spf_lower(uint8_t byte)
{
    return (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
}

static bool spf_is_word(const struct spf_term *term, const char *word)
{
    if (strlen(word) != term->word_len) {
        return false;
    }
    for (size_t i = 0; i < term->word_len; i++) {
        if (spf_lower(term->word[i]) != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

static bool spf_is_qualifier(uint8_t byte)
{
    return byte == '+' || byte == '-' || byte == '~' || byte == '?';
}

/* The term's value ends where a prefix length begins, of which a domain has none. */
static struct spf_term spf_term_of(const uint8_t *text, size_t len)
{
    size_t at = len > 0 && spf_is_qualifier(text[0]) ? 1 : 0;
    struct spf_term term = {.word = text + at};
    while (at < len && text[at] != ':' && text[at] != '=' && text[at] != '/') {
        at++;
    }
    term.word_len = (size_t)(text + at - term.word);
    if (at == len) {
        return term;
    }
    term.mark = (char)text[at++];
    term.value = text + at;
    while (at < len && text[at] != '/') {
        at++;
    }
    term.value_len = (size_t)(text + at - term.value);
    return term;
}

/* A domain without macros, and without what has no place in a host's or record's name. */
static bool spf_domain(const struct spf_term *term, struct sequel_next *next)
{
    size_t len = 0;
    for (size_t i = 0; i < term->value_len; i++) {
        uint8_t byte = spf_lower(term->value[i]);
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                        byte == '.' || byte == '-' || byte == '_';
        if (!is_plain) {
            return false;
        }
    }
    if (!name_from_text((const char *)term->value, term->value_len, next->name, &len) || len == 1) {
        return false;
    }
    name_to_lower(next->name, len);
    next->name_len = (uint8_t)len;
    return true;
}

static bool spf_own_domain(const struct sequel_subject *subject, struct sequel_next *next)
{
    if (subject->is_address || subject->name_len >= NAME_SIZE_MAX) {
        return false;
    }
    memcpy(next->name, subject->name, subject->name_len);
    next->name[subject->name_len] = 0;
    next->name_len = (uint8_t)(subject->name_len + 1);
    return true;
}

static void spf_add(
    const struct spf_term *term, const struct sequel_subject *subject, struct sequel_list *list)
{
    for (size_t i = 0; i < sizeof spf_rows / sizeof spf_rows[0]; i++) {
        const struct spf_row *row = &spf_rows[i];
        struct sequel_next *next = &list->next[list->count];
        if (!spf_is_word(term, row->word)) {
            continue;
        }
        bool is_own = row->has_own_domain && (term->mark == 0 || term->mark == '/');
        if (is_own ? spf_own_domain(subject, next)
                   : term->mark == row->mark && spf_domain(term, next)) {
            next->step = row->step;
            next->type = row->type;
            list->count++;
        }
        return;
    }
}

void sequel_read_spf(
    const uint8_t *text, size_t len, const struct sequel_subject *subject, struct sequel_list *list)
{
    static const uint8_t version[] = "v=spf1";
    size_t at = sizeof version - 1;
    struct spf_term first = {.word = text, .word_len = at};
    if (len < at || !spf_is_word(&first, (const char *)version) || (len > at && text[at] != ' ')) {
        return;
    }
    while (at < len && list->count < list->limit) {
        const uint8_t *end = memchr(text + at, ' ', len - at);
        size_t term_len = end != NULL ? (size_t)(end - (text + at)) : len - at;
        struct spf_term term = spf_term_of(text + at, term_len);
        if (spf_is_word(&term, "all")) {
            return; /* What stands behind it is never reached; redirect is ignored with it. */
        }
        spf_add(&term, subject, list);
        at += term_len + 1;
    }
}
