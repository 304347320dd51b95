/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "doctor/postfix_config.h"
#include "doctor/postfix_private.h"

/*
 * Expansion without recursion: a stack of frames, each a text that is still to be written out, or
 * a comparison whose sides are being written to the end of the output, where they are compared and
 * taken back. A name that already stands on the stack is a loop and has an empty value.
 */
#define FRAMES_MAX 32
#define STEPS_MAX  2000 /* Of one value: values that double at each level end here. */

struct span {
    const char *at;
    size_t len;
};

enum comparison {
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
};

enum relation_stage {
    RELATION_LEFT,
    RELATION_RIGHT,
    RELATION_DECIDE,
};

struct relation {
    struct span left;
    struct span right;
    struct span if_true;
    struct span if_false;
    enum comparison comparison;
    bool is_of_levels;
    enum relation_stage stage;
    size_t left_at; /* Where in the output the sides start. */
    size_t right_at;
};

struct frame {
    bool is_relation;
    struct span rest; /* Of a text. */
    struct span name; /* Whose value the text is; empty: nobody's. */
    struct relation relation;
};

struct expansion {
    const struct postfix_instance *instance;
    const struct postfix_service *service;
    struct frame frames[FRAMES_MAX];
    size_t depth;
    struct text out;
};

static struct span span_skip(struct span span, size_t len)
{
    return (struct span){.at = span.at + len, .len = span.len - len};
}

static struct span span_trim(struct span span)
{
    while (span.len > 0 && postfix_byte_is_blank(span.at[0])) {
        span = span_skip(span, 1);
    }
    while (span.len > 0 && postfix_byte_is_blank(span.at[span.len - 1])) {
        span.len--;
    }
    return span;
}

/* The text between the bracket that `rest` starts with and its partner; what is behind becomes
 * `rest`. False: it has no partner. */
static bool span_take_braced(struct span *rest, struct span *inner_out)
{
    char open = rest->at[0];
    char close = open == '(' ? ')' : '}';
    size_t depth = 0;
    for (size_t i = 0; i < rest->len; i++) {
        depth += rest->at[i] == open;
        depth -= rest->at[i] == close;
        if (depth == 0) {
            *inner_out = (struct span){.at = rest->at + 1, .len = i - 1};
            *rest = span_skip(*rest, i + 1);
            return true;
        }
    }
    return false;
}

static struct frame *expansion_push(struct expansion *expansion)
{
    if (expansion->depth == FRAMES_MAX) {
        return NULL;
    }
    struct frame *frame = &expansion->frames[expansion->depth++];
    *frame = (struct frame){0};
    return frame;
}

static void expansion_push_text(struct expansion *expansion, struct span text)
{
    struct frame *frame = expansion_push(expansion);
    if (frame != NULL) {
        frame->rest = text;
    }
}

static bool expansion_is_within(const struct expansion *expansion, struct span name)
{
    for (size_t i = 0; i < expansion->depth; i++) {
        const struct frame *frame = &expansion->frames[i];
        if (frame->name.len == name.len && memcmp(frame->name.at, name.at, name.len) == 0) {
            return true;
        }
    }
    return false;
}

static const char *expansion_lookup(const struct expansion *expansion, struct span name)
{
    return postfix_lookup(expansion->instance, expansion->service, name.at, name.len);
}

static void expansion_push_value(struct expansion *expansion, struct span name)
{
    const char *raw = name.len > 0 ? expansion_lookup(expansion, name) : NULL;
    if (raw == NULL || expansion_is_within(expansion, name)) {
        return;
    }
    struct frame *frame = expansion_push(expansion);
    if (frame != NULL) {
        frame->name = name;
        frame->rest = (struct span){.at = raw, .len = strlen(raw)};
    }
}

/* "{text}", trimmed, or all that is left. */
static struct span branch_take(struct span *rest)
{
    struct span branch;
    struct span trimmed = span_trim(*rest);
    if (trimmed.len > 0 && trimmed.at[0] == '{' && span_take_braced(&trimmed, &branch)) {
        *rest = span_trim(trimmed);
        return span_trim(branch);
    }
    branch = *rest;
    rest->len = 0;
    return branch;
}

/* What follows a name or a comparison: "?yes", ":no" or "?{yes}:{no}". */
static void branches_parse(struct span rest, struct span *if_true_out, struct span *if_false_out)
{
    *if_true_out = *if_false_out = (struct span){.at = "", .len = 0};
    if (rest.len > 0 && rest.at[0] == '?') {
        rest = span_skip(rest, 1);
        *if_true_out = branch_take(&rest);
    }
    if (rest.len > 0 && rest.at[0] == ':') {
        rest = span_skip(rest, 1);
        *if_false_out = branch_take(&rest);
    }
}

static size_t comparison_parse(struct span text, enum comparison *comparison_out)
{
    static const struct {
        const char *sign;
        enum comparison comparison;
    } signs[] = {
        {"==", COMPARE_EQUAL},
        {"!=", COMPARE_UNEQUAL},
        {"<=", COMPARE_LESS_EQUAL},
        {">=", COMPARE_GREATER_EQUAL},
        {"<", COMPARE_LESS},
        {">", COMPARE_GREATER},
    };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t len = strlen(signs[i].sign);
        if (text.len >= len && memcmp(text.at, signs[i].sign, len) == 0) {
            *comparison_out = signs[i].comparison;
            return len;
        }
    }
    return 0;
}

/* {left} sign {right} branches. A comparison without branches is "true" when it holds. */
static bool relation_parse(struct span text, struct relation *relation)
{
    static const char level[] = "level";
    if (!span_take_braced(&text, &relation->left)) {
        return false;
    }
    text = span_trim(text);
    size_t len = comparison_parse(text, &relation->comparison);
    if (len == 0) {
        return false;
    }
    text = span_skip(text, len);
    if (text.len >= strlen(level) && memcmp(text.at, level, strlen(level)) == 0) {
        relation->is_of_levels = true;
        text = span_skip(text, strlen(level));
    }
    text = span_trim(text);
    if (text.len == 0 || text.at[0] != '{' || !span_take_braced(&text, &relation->right)) {
        return false;
    }
    relation->left = span_trim(relation->left);
    relation->right = span_trim(relation->right);
    text = span_trim(text);
    branches_parse(text, &relation->if_true, &relation->if_false);
    if (text.len == 0) {
        relation->if_true = (struct span){.at = "true", .len = 4};
    }
    return true;
}

static bool text_is_number(const char *text, long *number_out)
{
    char *end;
    *number_out = strtol(text, &end, 10);
    return end != text && *end == '\0';
}

static int sides_compare(const char *left, const char *right, bool are_levels)
{
    long left_number;
    long right_number;
    if (are_levels) {
        unsigned long left_level = postfix_level(left, strlen(left));
        unsigned long right_level = postfix_level(right, strlen(right));
        return (left_level > right_level) - (left_level < right_level);
    }
    if (text_is_number(left, &left_number) && text_is_number(right, &right_number)) {
        return (left_number > right_number) - (left_number < right_number);
    }
    return strcmp(left, right);
}

static bool comparison_holds(enum comparison comparison, int order)
{
    switch (comparison) {
    case COMPARE_EQUAL:
        return order == 0;
    case COMPARE_UNEQUAL:
        return order != 0;
    case COMPARE_LESS:
        return order < 0;
    case COMPARE_LESS_EQUAL:
        return order <= 0;
    case COMPARE_GREATER:
        return order > 0;
    case COMPARE_GREATER_EQUAL:
        return order >= 0;
    }
    return false;
}

/* Both sides stand at the end of the output; they are compared and taken back. */
static void relation_decide(struct expansion *expansion, const struct relation *relation)
{
    char right[256];
    struct text copy;
    text_init(&copy, right, sizeof right);
    text_add(&copy, expansion->out.data + relation->right_at);
    expansion->out.len = relation->right_at;
    expansion->out.data[expansion->out.len] = '\0';
    int order =
        sides_compare(expansion->out.data + relation->left_at, right, relation->is_of_levels);
    expansion->out.len = relation->left_at;
    expansion->out.data[expansion->out.len] = '\0';
    bool holds = comparison_holds(relation->comparison, order);
    expansion->depth--;
    expansion_push_text(expansion, holds ? relation->if_true : relation->if_false);
}

static void relation_step(struct expansion *expansion, struct relation *relation)
{
    switch (relation->stage) {
    case RELATION_LEFT:
        relation->stage = RELATION_RIGHT;
        relation->left_at = expansion->out.len;
        expansion_push_text(expansion, relation->left);
        break;
    case RELATION_RIGHT:
        relation->stage = RELATION_DECIDE;
        relation->right_at = expansion->out.len;
        expansion_push_text(expansion, relation->right);
        break;
    case RELATION_DECIDE: {
        struct relation done = *relation;
        relation_decide(expansion, &done);
        break;
    }
    }
}

/* What stands between the brackets of ${...}. */
static void expression_step(struct expansion *expansion, struct span inner)
{
    struct span trimmed = span_trim(inner);
    struct relation relation = {0};
    if (trimmed.len > 0 && trimmed.at[0] == '{') {
        struct frame *frame = relation_parse(trimmed, &relation) ? expansion_push(expansion) : NULL;
        if (frame != NULL) {
            frame->is_relation = true;
            frame->relation = relation;
        }
        return;
    }
    size_t name_len = 0;
    while (name_len < inner.len && inner.at[name_len] != '?' && inner.at[name_len] != ':') {
        name_len++;
    }
    struct span name = span_trim((struct span){.at = inner.at, .len = name_len});
    if (name_len == inner.len) {
        expansion_push_value(expansion, name);
        return;
    }
    struct span if_true;
    struct span if_false;
    branches_parse(span_skip(inner, name_len), &if_true, &if_false);
    const char *raw = expansion_lookup(expansion, name);
    expansion_push_text(expansion, raw != NULL && raw[0] != '\0' ? if_true : if_false);
}

static bool byte_is_of_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* frame->rest starts behind a dollar. */
static void reference_step(struct expansion *expansion, struct frame *frame)
{
    struct span *rest = &frame->rest;
    struct span inner;
    if (rest->len == 0 || rest->at[0] == '$') {
        text_add(&expansion->out, "$");
        *rest = span_skip(*rest, rest->len > 0);
        return;
    }
    if (rest->at[0] == '{' || rest->at[0] == '(') {
        if (span_take_braced(rest, &inner)) {
            expression_step(expansion, inner);
        } else {
            rest->len = 0;
        }
        return;
    }
    size_t len = 0;
    while (len < rest->len && byte_is_of_name(rest->at[len])) {
        len++;
    }
    inner = (struct span){.at = rest->at, .len = len};
    *rest = span_skip(*rest, len);
    expansion_push_value(expansion, inner);
}

static void expansion_step(struct expansion *expansion)
{
    struct frame *frame = &expansion->frames[expansion->depth - 1];
    if (frame->is_relation) {
        relation_step(expansion, &frame->relation);
        return;
    }
    if (frame->rest.len == 0) {
        expansion->depth--;
        return;
    }
    const char *dollar = memchr(frame->rest.at, '$', frame->rest.len);
    size_t len = dollar != NULL ? (size_t)(dollar - frame->rest.at) : frame->rest.len;
    text_add_bytes(&expansion->out, frame->rest.at, len);
    frame->rest = span_skip(frame->rest, len);
    if (dollar != NULL) {
        frame->rest = span_skip(frame->rest, 1);
        reference_step(expansion, frame);
    }
}

size_t postfix_expand(const struct postfix_instance *instance,
    const struct postfix_service *service, const char *raw, char *out, size_t size)
{
    struct expansion expansion = {.instance = instance, .service = service};
    text_init(&expansion.out, out, size);
    expansion_push_text(&expansion, (struct span){.at = raw, .len = strlen(raw)});
    for (size_t steps = 0; expansion.depth > 0 && steps < STEPS_MAX; steps++) {
        expansion_step(&expansion);
    }
    return expansion.out.len;
}
