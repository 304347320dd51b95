/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/list_learn.h"

#include <string.h>

static struct list_learn_candidate *list_learn_find(
    struct list_learn *learn, const uint8_t *zone, size_t len)
{
    for (size_t i = 0; i < LIST_LEARN_CANDIDATES; i++) {
        struct list_learn_candidate *candidate = &learn->candidates[i];
        if (candidate->name_len == len && memcmp(candidate->name, zone, len) == 0) {
            return candidate;
        }
    }
    return NULL;
}

static struct list_learn_candidate *list_learn_add(
    struct list_learn *learn, const uint8_t *zone, size_t len)
{
    struct list_learn_candidate *oldest = &learn->candidates[0];
    for (size_t i = 1; i < LIST_LEARN_CANDIDATES; i++) {
        struct list_learn_candidate *candidate = &learn->candidates[i];
        bool is_better = candidate->name_len == 0 || candidate->seen_at < oldest->seen_at;
        if (oldest->name_len > 0 && is_better) {
            oldest = candidate;
        }
    }
    *oldest = (struct list_learn_candidate){.name_len = (uint8_t)len};
    memcpy(oldest->name, zone, len);
    return oldest;
}

static unsigned list_learn_subjects(uint64_t subjects)
{
    unsigned count = 0;
    for (; subjects != 0; subjects &= subjects - 1) {
        count++;
    }
    return count;
}

bool list_learn_note(struct list_learn *learn, const struct list_learn_case *seen, int64_t now)
{
    const uint8_t *zone = seen->name + seen->zone_at;
    size_t zone_len = seen->len - seen->zone_at;
    struct list_learn_candidate *candidate = list_learn_find(learn, zone, zone_len);
    if (candidate == NULL) {
        candidate = list_learn_add(learn, zone, zone_len);
    }
    candidate->seen_at = now;
    candidate->subjects |= UINT64_C(1) << (name_hash32(seen->name, seen->len) % 64);
    candidate->has_listed |= seen->verdict == LIST_VERDICT_LISTED;
    candidate->is_no_list |= list_verdict_is_refusal(seen->verdict);
    bool is_list = candidate->has_listed && !candidate->is_no_list &&
                   list_learn_subjects(candidate->subjects) >= LIST_LEARN_SUBJECTS;
    if (is_list) {
        *candidate = (struct list_learn_candidate){0};
    }
    return is_list;
}
