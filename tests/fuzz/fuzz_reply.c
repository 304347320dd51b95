/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes back on the control socket, from a daemon of any version or from somebody else: the
 * first byte chooses who reads it and in what pieces it arrives. Whatever is shown of it is
 * printable, and what is read is within its bounds.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "daemon/stats_view.h"
#include "cmd/lookup_cached.h"
#include "cmd/lookup_hide.h"
#include "cmd/name_argument.h"
#include "cmd/reply.h"
#include "cmd/slow_json.h"
#include "cmd/slow_text.h"
#include "cmd/slow_view.h"
#include "cmd/stats_cell.h"
#include "cmd/stats_json.h"
#include "cmd/stats_read.h"
#include "cmd/stats_text.h"
#include "cmd/upstream_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOWN_SIZE (1024 * 1024)

static const struct stats_style plain;

static void check_shown(const struct text *text)
{
    must(text->len == strlen(text->data));
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        must((c >= ' ' && c < 0x7f) || c == '\n');
    }
}

/* Braces and brackets match outside of strings, and it is one line. */
static void check_json(const struct text *text)
{
    size_t depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < text->len; i++) {
        char c = text->data[i];
        if (is_string && c == '\\') {
            i++;
        } else if (c == '"') {
            is_string = !is_string;
        } else if (!is_string && (c == '{' || c == '[')) {
            depth++;
        } else if (!is_string && (c == '}' || c == ']')) {
            must(depth-- > 0);
        }
    }
    must(text->is_cut || (depth == 0 && !is_string && text->data[0] == '{'));
}

static void read_stats(struct reply *reply, struct text *text)
{
    static struct stats_view view;
    if (!stats_read(reply, &view)) {
        return;
    }
    must(view.metric_count <= STATS_METRICS_MAX && view.upstream_count <= STATS_UPSTREAMS_MAX);
    must(view.list_count <= STATS_LISTS_MAX);
    for (size_t i = 0; i < QUESTION_CLASSES * OUTCOMES; i++) {
        const struct histogram_sum *sum = &view.waits[i / OUTCOMES][i % OUTCOMES];
        must(histogram_quantile(sum, 500) <= histogram_quantile(sum, 990));
        must(histogram_quantile(sum, 990) <= sum->max_us || sum->count == 0);
    }
    must(stats_health_name(stats_view_health(&view)) != NULL);
    stats_text_add(text, &plain, &view);
    check_shown(text);
    text->len = 0;
    stats_json_add(text, &view);
    check_json(text);
}

static void read_slow(struct reply *reply, struct text *text)
{
    static struct slow_view view;
    if (!slow_view_read(reply, SLOW_VIEW_MAX, &view)) {
        return;
    }
    must(view.count <= SLOW_VIEW_MAX);
    for (size_t i = 0; i < view.count; i++) {
        must(view.questions[i].event_count <= SLOW_VIEW_EVENTS_MAX);
    }
    slow_text_add(text, &plain, &view);
    check_shown(text);
    text->len = 0;
    slow_json_add(text, &view);
    check_json(text);
}

static void read_cached(struct reply *reply, struct text *text)
{
    static struct upstream_list servers;
    struct lookup_hide hide;
    struct name_argument name;
    must(name_argument_read("lookup", "2.0.0.127.key.bl.example", &name));
    lookup_hide_init(&hide, &name);
    const struct lookup_cached cached = {.text = text, .servers = &servers, .hide = &hide};
    (void)lookup_cached_add(&cached, reply);
    check_shown(text);
}

static void read_upstreams(struct reply *reply)
{
    static struct upstream_list list;
    if (upstream_list_read(reply, &list)) {
        must(list.count <= UPSTREAM_LIST_MAX);
        for (size_t i = 0; i < list.count; i++) {
            must(list.items[i].address.family != ADDRESS_NONE);
        }
        must(upstream_list_group(&list, 7) != NULL);
    }
}

/* As it arrives; false: it is not whole. */
static bool reply_fill(struct reply *reply, const uint8_t *data, size_t size, size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        size_t len = size - at < piece ? size - at : piece;
        must(reply_add(reply, (const char *)data + at, len));
        if (reply_is_whole(reply)) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char shown[SHOWN_SIZE];
    struct reply reply = {.bytes = NULL};
    struct text text;
    if (size == 0) {
        return 0;
    }
    text_init(&text, shown, sizeof shown);
    if (reply_fill(&reply, data + 1, size - 1, 1 + (data[0] >> 2) * 5u) && reply_open(&reply) &&
        !reply.is_refused) {
        switch (data[0] & 3) {
        case 0:
            read_stats(&reply, &text);
            break;
        case 1:
            read_slow(&reply, &text);
            break;
        case 2:
            read_cached(&reply, &text);
            break;
        default:
            read_upstreams(&reply);
            break;
        }
    }
    reply_fini(&reply);
    return 0;
}
