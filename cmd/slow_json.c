/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/slow_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cmd/slow_view.h"

static void add_string(struct text *text, const char *name, const char *value)
{
    text_addf(text, "\"%s\":", name);
    text_add_json_string(text, value, strlen(value));
    text_add(text, ",");
}

/* "-" means that there is none. */
static void add_word(struct text *text, const char *name, const char *value)
{
    if (strcmp(value, "-") == 0) {
        text_addf(text, "\"%s\":null,", name);
    } else {
        add_string(text, name, value);
    }
}

static void add_number(struct text *text, const char *name, uint64_t value)
{
    text_addf(text, "\"%s\":%" PRIu64 ",", name, value);
}

static void add_event(struct text *text, const struct event_view *event)
{
    text_add(text, "{");
    add_number(text, "at_us", event->at_us);
    add_string(text, "kind", event->kind);
    add_word(text, "server", event->server);
    add_word(text, "transport", strcmp(event->server, "-") == 0 ? "-" : event->transport);
    add_word(text, "detail", event->detail);
    add_word(text, "rcode", event->rcode);
    text_addf(text, "\"late\":%s}", event->is_late ? "true" : "false");
}

static void add_question(struct text *text, const struct slow_question *question)
{
    text_add(text, "{");
    add_string(text, "name", question->name);
    add_string(text, "type", question->type);
    text_addf(text, "\"dnssec\":%s,", question->wants_dnssec ? "true" : "false");
    add_number(text, "age_s", question->age_s);
    add_number(text, "waited_us", question->waited_us);
    add_number(text, "joined_us", question->joined_us);
    add_number(text, "count", question->count);
    add_string(text, "outcome", question->outcome);
    add_string(text, "rcode", question->rcode);
    if (question->has_ede) {
        add_number(text, "ede", question->ede);
    } else {
        add_word(text, "ede", "-");
    }
    add_string(text, "reason", question->reason);
    add_number(text, "events_left_out", question->left_out);
    text_add(text, "\"events\":[");
    for (size_t i = 0; i < question->event_count; i++) {
        text_add(text, i == 0 ? "" : ",");
        add_event(text, &question->events[i]);
    }
    text_add(text, "]}");
}

void slow_json_add(struct text *text, const struct slow_view *view)
{
    text_addf(text, "{\"order\":\"%s\",\"questions\":[", view->is_failed ? "failed" : "slowest");
    for (size_t i = 0; i < view->count; i++) {
        text_add(text, i == 0 ? "" : ",");
        add_question(text, &view->questions[i]);
    }
    text_add(text, "]}\n");
}
