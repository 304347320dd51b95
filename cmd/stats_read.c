/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/stats_read.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "cache/cache.h"
#include "resolver/stats.h"
#include "daemon/stats.h"
#include "cmd/reply.h"
#include "daemon/stats_view.h"

/* So that the sums over all buckets, classes and outcomes stay within 64 bits. */
#define COUNT_MAX (UINT64_C(1) << 46)
#define SUM_MAX   (UINT64_C(1) << 56)
#define WORDS_MAX 48

/* The words behind the first one of a line. */
struct words {
    char *at[WORDS_MAX];
    size_t count;
};

static bool read_info(const struct words *words, struct stats_view *view)
{
    return words->count >= 4 &&
           reply_word_copy(words->at[0], view->version, sizeof view->version) &&
           reply_number(words->at[1], UINT32_MAX, &view->uptime_s) &&
           reply_number(words->at[2], UINT32_MAX, &view->workers) &&
           reply_number(words->at[3], UINT32_MAX, &view->pid);
}

static bool read_covers(const struct words *words, struct stats_view *view)
{
    return words->count >= 1 && reply_number(words->at[0], UINT32_MAX, &view->covers_s);
}

static bool read_lately(const struct words *words, struct stats_view *view)
{
    view->knows_lately = true;
    return words->count >= 2 && reply_number(words->at[0], COUNT_MAX, &view->lately.asked) &&
           reply_number(words->at[1], COUNT_MAX, &view->lately.failed);
}

static const char *find_sentence(const struct metric_row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].sentence;
        }
    }
    return NULL;
}

static const char *metric_sentence(const char *name)
{
    const char *sentence = find_sentence(resolver_metric_rows, resolver_metric_row_count, name);
    if (sentence == NULL) {
        sentence = find_sentence(cache_metric_rows, cache_metric_row_count, name);
    }
    if (sentence == NULL) {
        sentence = find_sentence(daemon_metric_rows, daemon_metric_row_count, name);
    }
    return sentence;
}

/* A name goes into other languages as it is, so it has to be a plain one. */
static bool metric_name_is_plain(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* The metric of that name, a new one if there is none, or NULL when there is no room. */
static struct stats_metric *metric_place(struct stats_view *view, const char *name)
{
    for (size_t i = 0; i < view->metric_count; i++) {
        if (strcmp(view->metrics[i].name, name) == 0) {
            return &view->metrics[i];
        }
    }
    if (view->metric_count == STATS_METRICS_MAX) {
        return NULL;
    }
    return &view->metrics[view->metric_count++];
}

static bool read_metric(const struct words *words, struct stats_view *view)
{
    if (words->count < 3 || !metric_name_is_plain(words->at[0])) {
        return false;
    }
    bool is_gauge = strcmp(words->at[1], "gauge") == 0;
    struct stats_metric *metric = metric_place(view, words->at[0]);
    if ((!is_gauge && strcmp(words->at[1], "counter") != 0) || metric == NULL) {
        return false;
    }
    metric->kind = is_gauge ? METRIC_KIND_GAUGE : METRIC_KIND_COUNTER;
    metric->sentence = metric_sentence(words->at[0]);
    return reply_word_copy(words->at[0], metric->name, sizeof metric->name) &&
           reply_number(words->at[2], UINT64_MAX, &metric->value);
}

/* "12:5,13:8", or "-" for none. */
static bool read_buckets(char *list, struct histogram_sum *wait)
{
    char *rest = NULL;
    if (strcmp(list, "-") == 0) {
        return true;
    }
    for (char *item = strtok_r(list, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
        const char *colon = strchr(item, ':');
        uint64_t bucket;
        uint64_t count;
        if (colon == NULL ||
            !text_parse_u64(item, (size_t)(colon - item), HISTOGRAM_BUCKETS - 1, &bucket) ||
            !reply_number(colon + 1, COUNT_MAX, &count) || wait->buckets[bucket] != 0) {
            return false;
        }
        wait->buckets[bucket] = count;
        wait->count += count;
    }
    return true;
}

static bool find_class(const char *name, unsigned *class_out)
{
    for (unsigned i = 0; i < QUESTION_CLASSES; i++) {
        if (strcmp(question_class_name((enum question_class)i), name) == 0) {
            *class_out = i;
            return true;
        }
    }
    return false;
}

static bool find_outcome(const char *name, unsigned *outcome_out)
{
    for (unsigned i = 0; i < OUTCOMES; i++) {
        if (strcmp(outcome_name((enum outcome)i), name) == 0) {
            *outcome_out = i;
            return true;
        }
    }
    return false;
}

/* The words from `first` on. The count is taken from the buckets, so that quantiles are of what was
 * counted: the daemon goes on counting while it tells. */
static bool read_histogram(const struct words *words, size_t first, struct histogram_sum *sum)
{
    uint64_t count;
    memset(sum, 0, sizeof *sum);
    return words->count >= first + 3 && reply_number(words->at[first], UINT64_MAX, &count) &&
           reply_number(words->at[first + 1], SUM_MAX, &sum->sum_us) &&
           reply_number(words->at[first + 2], SUM_MAX, &sum->max_us) &&
           (words->count == first + 3 || read_buckets(words->at[first + 3], sum));
}

static bool read_wait(const struct words *words, struct stats_view *view)
{
    unsigned class;
    unsigned outcome;
    if (words->count < 5) {
        return false;
    }
    if (!find_class(words->at[0], &class) || !find_outcome(words->at[1], &outcome)) {
        return true;
    }
    return read_histogram(words, 2, &view->waits[class][outcome]);
}

static bool is_same_server(const struct stats_upstream *a, const struct stats_upstream *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->address, b->address) == 0 &&
           strcmp(a->tls_name, b->tls_name) == 0;
}

static bool read_upstream_numbers(const struct words *words, struct stats_upstream *upstream)
{
    uint64_t *const numbers[] = {
        &upstream->sent,
        &upstream->answered,
        &upstream->failed,
        &upstream->timed_out,
        &upstream->lost,
        &upstream->latency_us,
        &upstream->p50_us,
        &upstream->p90_us,
        &upstream->p99_us,
        &upstream->max_us,
    };
    const size_t first = 4;
    const size_t count = sizeof numbers / sizeof numbers[0];
    if (words->count < first + count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!reply_number(words->at[first + i], UINT64_MAX, numbers[i])) {
            return false;
        }
    }
    return true;
}

static bool read_upstream(const struct words *words, struct stats_view *view)
{
    if (view->upstream_count == STATS_UPSTREAMS_MAX) {
        return true;
    }
    struct stats_upstream *upstream = &view->upstreams[view->upstream_count];
    memset(upstream, 0, sizeof *upstream);
    if (!read_upstream_numbers(words, upstream) ||
        !reply_word_copy(words->at[0], upstream->group, sizeof upstream->group) ||
        !reply_word_copy(words->at[1], upstream->address, sizeof upstream->address) ||
        !reply_word_copy(words->at[3], upstream->state, sizeof upstream->state)) {
        return false;
    }
    if (strcmp(words->at[2], "-") != 0 &&
        !reply_word_copy(words->at[2], upstream->tls_name, sizeof upstream->tls_name)) {
        return false;
    }
    for (size_t i = 0; i < view->upstream_count; i++) {
        if (is_same_server(&view->upstreams[i], upstream)) {
            return false;
        }
    }
    view->upstream_count++;
    return true;
}

/* Of a server or a way that is not known here, nothing is kept. */
static bool read_round_trip(const struct words *words, struct stats_view *view)
{
    if (words->count < 4) {
        return false;
    }
    const char *tls_name = strcmp(words->at[2], "-") == 0 ? "" : words->at[2];
    bool is_stream = strcmp(words->at[3], "stream") == 0;
    enum server_way way = is_stream ? SERVER_WAY_STREAM : SERVER_WAY_DATAGRAM;
    if (!is_stream && strcmp(words->at[3], "datagram") != 0) {
        return true;
    }
    for (size_t i = 0; i < view->upstream_count; i++) {
        struct stats_upstream *upstream = &view->upstreams[i];
        if (strcmp(upstream->group, words->at[0]) == 0 &&
            strcmp(upstream->address, words->at[1]) == 0 &&
            strcmp(upstream->tls_name, tls_name) == 0) {
            return read_histogram(words, 4, &upstream->round_trips[way]);
        }
    }
    return true;
}

/* Of rows that an older daemon does not know, the count is 0. */
static bool read_list_numbers(const struct words *words, struct stats_list *list)
{
    uint64_t *const numbers[] = {
        &list->day,
        &list->quota,
        &list->wait_p50_us,
        &list->wait_p99_us,
        &list->wait_max_us,
        &list->miss_p50_us,
        &list->miss_p99_us,
        &list->miss_max_us,
    };
    const size_t first = 2;
    const size_t count = sizeof numbers / sizeof numbers[0];
    for (size_t i = 0; i < count; i++) {
        if (first + i >= words->count ||
            !reply_number(words->at[first + i], UINT64_MAX, numbers[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < STATS_LIST_ROWS && first + count + i < words->count; i++) {
        if (!reply_number(words->at[first + count + i], COUNT_MAX, &list->counts[i])) {
            return false;
        }
    }
    return true;
}

static bool read_list(const struct words *words, struct stats_view *view)
{
    if (view->list_count == STATS_LISTS_MAX) {
        return true;
    }
    struct stats_list *list = &view->lists[view->list_count];
    memset(list, 0, sizeof *list);
    if (!read_list_numbers(words, list) ||
        !reply_word_copy(words->at[0], list->zone, sizeof list->zone) ||
        !reply_word_copy(words->at[1], list->standing, sizeof list->standing)) {
        return false;
    }
    for (size_t i = 0; i < view->list_count; i++) {
        if (strcmp(view->lists[i].zone, list->zone) == 0) {
            return false;
        }
    }
    view->list_count++;
    return true;
}

static bool read_list_wait(const struct words *words, struct stats_view *view)
{
    if (words->count < 2) {
        return false;
    }
    for (size_t i = 0; i < view->list_count; i++) {
        struct stats_list *list = &view->lists[i];
        if (strcmp(list->zone, words->at[0]) == 0) {
            bool is_miss = strcmp(words->at[1], "miss") == 0;
            return read_histogram(words, 2, is_miss ? &list->miss : &list->wait);
        }
    }
    return true;
}

static bool read_ahead(const struct words *words, struct stats_view *view)
{
    if (words->count < 2) {
        return false;
    }
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        if (strcmp(sequel_step_name((enum sequel_step)step), words->at[0]) == 0) {
            view->ahead_is_on[step] = strcmp(words->at[1], "on") == 0;
        }
    }
    return true;
}

struct line_kind {
    const char *name;
    bool (*read)(const struct words *words, struct stats_view *view);
};

static const struct line_kind line_kinds[] = {
    {"info", read_info},
    {"covers", read_covers},
    {"lately", read_lately},
    {"metric", read_metric},
    {"wait", read_wait},
    {"upstream", read_upstream},
    {"list", read_list},
    {"round_trip", read_round_trip},
    {"list_wait", read_list_wait},
    {"ahead", read_ahead},
};

static bool read_line(char *line, struct stats_view *view)
{
    char *all[WORDS_MAX + 1];
    size_t count = reply_words(line, all, WORDS_MAX + 1);
    if (count == 0) {
        return true;
    }
    struct words words = {.count = count - 1};
    memcpy(words.at, all + 1, (count - 1) * sizeof all[0]);
    for (size_t i = 0; i < sizeof line_kinds / sizeof line_kinds[0]; i++) {
        if (strcmp(line_kinds[i].name, all[0]) == 0) {
            return line_kinds[i].read(&words, view);
        }
    }
    return true;
}

bool stats_read(struct reply *reply, struct stats_view *view_out)
{
    memset(view_out, 0, sizeof *view_out);
    for (char *line = reply_next(reply); line != NULL; line = reply_next(reply)) {
        if (!read_line(line, view_out)) {
            return false;
        }
    }
    return view_out->version[0] != '\0';
}
