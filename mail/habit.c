/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/habit.h"

#include <string.h>

#include "base/must.h"
#include "mail/habit_private.h"

#define HABIT_SEEN_MIN     2   /* Once is no habit. */
#define HABIT_SETTLED_MIN  16  /* So many are asked ahead before the outcome is judged. */
#define HABIT_SETTLED_MAX  256 /* Then all counts are halved: what was long ago counts less. */
#define HABIT_TRIAL        32  /* One in so many is asked although its step is off. */
#define HABIT_STEPS_A_CALL 4   /* Records that mature or are settled along with one question. */

/* ---- Hashes ---- */

enum habit_tag {
    HABIT_TAG_ADDRESS,
    HABIT_TAG_NAME,
    HABIT_TAG_QUESTION,
};

static uint64_t habit_tag_of(
    const struct habit *habit, unsigned kind, const uint8_t *bytes, size_t len)
{
    uint8_t all[NAME_SIZE_MAX + 4];
    must(len <= NAME_SIZE_MAX);
    bytes_put_u32(all, (uint32_t)kind);
    memcpy(all + 4, bytes, len);
    uint64_t tag = hash_siphash13(&habit->secret, all, len + 4);
    return tag != 0 ? tag : 1;
}

static uint64_t habit_tag_subject(const struct habit *habit, const struct sequel_subject *subject)
{
    if (subject->is_address) {
        return habit_tag_of(
            habit, HABIT_TAG_ADDRESS, subject->address.bytes, sizeof subject->address.bytes);
    }
    return habit_tag_of(habit, HABIT_TAG_NAME, subject->name, subject->name_len);
}

static uint64_t habit_tag_question(
    const struct habit *habit, const uint8_t *name, size_t len, uint16_t type)
{
    return habit_tag_of(habit, HABIT_TAG_QUESTION | (unsigned)type << 8, name, len);
}

/* ---- Rows ---- */

void habit_init(struct habit *habit, const struct hash_key *secret, unsigned worth)
{
    habit->secret = *secret;
    habit->worth = worth;
}

static uint8_t habit_context_row(bool is_address, uint8_t target)
{
    return (uint8_t)((is_address ? 0 : HABIT_TARGETS) + target);
}

static uint8_t habit_step_row(enum sequel_step step)
{
    return (uint8_t)(2 * HABIT_TARGETS + (unsigned)step);
}

static void habit_row_halve(struct habit_row *row)
{
    row->opened /= 2;
    row->matured /= 2;
    for (unsigned i = 0; i < HABIT_TARGETS; i++) {
        row->asked[i] /= 2;
    }
}

/* Evidence counts at once when it speaks for a target, and after a while when it does not, for a
 * session takes its time. Where many begin at once, some of them must have got so far. */
static bool habit_row_speaks_for(
    const struct habit *habit, const struct habit_row *row, uint8_t target)
{
    unsigned asked = row->asked[target];
    return asked >= HABIT_SEEN_MIN && 100 * asked >= habit->worth * row->matured &&
           400 * asked >= habit->worth * row->opened;
}

/* ---- Records ---- */

static struct habit_record *habit_record_at(struct habit *habit, uint64_t number)
{
    return &habit->records[number % HABIT_RECORDS];
}

static struct habit_record *habit_record_find(struct habit *habit, uint64_t tag, int64_t now)
{
    uint32_t at = habit->heads[tag % HABIT_RECORDS];
    while (at != 0) {
        struct habit_record *record = &habit->records[at - 1];
        if (record->tag == tag) {
            return now - record->opened_at < HABIT_LIFE_US ? record : NULL;
        }
        at = record->next;
    }
    return NULL;
}

static void habit_record_unlink(struct habit *habit, const struct habit_record *record)
{
    uint32_t own = (uint32_t)(record - habit->records) + 1;
    uint32_t *at = &habit->heads[record->tag % HABIT_RECORDS];
    while (*at != 0 && *at != own) {
        at = &habit->records[*at - 1].next;
    }
    if (*at == own) {
        *at = record->next;
    }
}

static void habit_mature(struct habit *habit, struct habit_record *record)
{
    struct habit_row *row = &habit->rows[record->row];
    if (!record->is_matured && row->matured < row->opened) {
        row->matured++;
    }
    record->is_matured = true;
}

static enum sequel_step habit_target_step(const struct habit_record *record, uint8_t target)
{
    if (record->row >= 2 * HABIT_TARGETS) {
        return (enum sequel_step)(record->row - 2 * HABIT_TARGETS);
    }
    unsigned aspect = target < SEQUEL_ASPECT_LIST ? target : SEQUEL_ASPECT_LIST;
    return sequel_aspect_step((enum sequel_aspect)aspect, record->row < HABIT_TARGETS);
}

static void habit_settle_one(struct habit_worth *worth, bool was_used)
{
    worth->settled++;
    worth->used = (uint16_t)(worth->used + (was_used ? 1 : 0));
    if (worth->settled >= HABIT_SETTLED_MAX) {
        worth->settled /= 2;
        worth->used /= 2;
    }
}

/* Its time is over: what was asked ahead for it has been used by now, or was wasted. */
static void habit_settle(struct habit *habit, struct habit_record *record)
{
    for (uint8_t target = 0; record->foretold >> target != 0; target++) {
        uint64_t bit = UINT64_C(1) << target;
        if ((record->foretold & bit) != 0) {
            habit_settle_one(
                &habit->worths[habit_target_step(record, target)], (record->used & bit) != 0);
        }
    }
    record->foretold = 0;
}

static void habit_advance(struct habit *habit, int64_t now)
{
    for (unsigned i = 0; i < HABIT_STEPS_A_CALL && habit->matured < habit->opened; i++) {
        struct habit_record *record = habit_record_at(habit, habit->matured);
        if (now - record->opened_at < HABIT_MATURE_US) {
            break;
        }
        habit_mature(habit, record);
        habit->matured++;
    }
    for (unsigned i = 0; i < HABIT_STEPS_A_CALL && habit->settled < habit->matured; i++) {
        struct habit_record *record = habit_record_at(habit, habit->settled);
        if (now - record->opened_at < HABIT_LIFE_US) {
            break;
        }
        habit_settle(habit, record);
        habit->settled++;
    }
}

/* The oldest record makes room, as if its time were over. */
static void habit_record_drop(struct habit *habit, struct habit_record *record)
{
    uint64_t oldest = habit->opened - HABIT_RECORDS;
    habit_mature(habit, record);
    habit_settle(habit, record);
    habit_record_unlink(habit, record);
    habit->matured = habit->matured > oldest ? habit->matured : oldest + 1;
    habit->settled = habit->settled > oldest ? habit->settled : oldest + 1;
}

static struct habit_record *habit_record_open(
    struct habit *habit, uint64_t tag, uint8_t row_index, int64_t now)
{
    struct habit_record *record = habit_record_at(habit, habit->opened);
    struct habit_row *row = &habit->rows[row_index];
    if (record->tag != 0) {
        habit_record_drop(habit, record);
    }
    uint32_t *head = &habit->heads[tag % HABIT_RECORDS];
    *record = (struct habit_record){.tag = tag, .opened_at = now, .next = *head, .row = row_index};
    *head = (uint32_t)(record - habit->records) + 1;
    habit->opened++;
    row->opened++;
    if (row->opened >= HABIT_ROW_MAX) {
        habit_row_halve(row);
    }
    return record;
}

/* A client asked this target of the record's. */
static void habit_record_ask(
    struct habit *habit, struct habit_record *record, uint8_t target, bool wants_dnssec)
{
    struct habit_row *row = &habit->rows[record->row];
    uint64_t bit = UINT64_C(1) << target;
    if ((record->asked & bit) != 0) {
        return;
    }
    record->asked |= bit;
    row->asked[target] =
        (uint16_t)(row->asked[target] + (row->asked[target] < row->opened ? 1 : 0));
    row->dnssec = wants_dnssec ? row->dnssec | bit : row->dnssec & ~bit;
}

/* ---- What comes in ---- */

static uint8_t habit_target_of(struct habit *habit, const struct sequel_subject *subject)
{
    if (subject->aspect != SEQUEL_ASPECT_LIST) {
        return (uint8_t)subject->aspect;
    }
    return habit_zone_target(habit, subject->zone, subject->zone_len);
}

struct habit_record *habit_find(
    struct habit *habit, const struct sequel_subject *subject, int64_t now)
{
    return habit_record_find(habit, habit_tag_subject(habit, subject), now);
}

static void habit_visit_subject(struct habit *habit, const struct habit_question *question,
    struct habit_visit *visit, int64_t now)
{
    const struct sequel_subject *subject = question->subject;
    uint8_t target = habit_target_of(habit, subject);
    uint64_t tag = habit_tag_subject(habit, subject);
    if (target == HABIT_TARGET_NONE) {
        return;
    }
    visit->target = target;
    visit->subject = habit_record_find(habit, tag, now);
    visit->is_first = visit->subject == NULL;
    if (visit->is_first) {
        uint8_t row = habit_context_row(subject->is_address, target);
        visit->subject = habit_record_open(habit, tag, row, now);
    }
    habit_record_ask(habit, visit->subject, target, question->wants_dnssec);
    if (subject->aspect == SEQUEL_ASPECT_DKIM) {
        habit_selector_note(habit, tag, subject->selector);
    }
}

struct habit_visit habit_on_question(
    struct habit *habit, const struct habit_question *question, int64_t now)
{
    struct habit_visit visit = {.target = HABIT_TARGET_NONE};
    habit_advance(habit, now);
    if (question->subject != NULL) {
        habit_visit_subject(habit, question, &visit, now);
    }
    uint64_t tag = habit_tag_question(habit, question->name, question->name_len, question->type);
    visit.question = habit_record_find(habit, tag, now);
    if (visit.question != NULL) {
        habit_record_ask(habit, visit.question, 0, question->wants_dnssec);
    }
    return visit;
}

void habit_on_used(struct habit_visit *visit)
{
    if (visit->subject != NULL) {
        visit->subject->used |= UINT64_C(1) << visit->target;
    }
    if (visit->question != NULL) {
        visit->question->used |= 1;
    }
}

/* ---- What goes out ---- */

bool habit_step_is_on(const struct habit *habit, enum sequel_step step)
{
    const struct habit_worth *worth = &habit->worths[step];
    return worth->settled < HABIT_SETTLED_MIN ||
           100u * worth->used >= habit->worth * worth->settled;
}

static bool habit_step_may_ask(struct habit *habit, enum sequel_step step)
{
    return habit_step_is_on(habit, step) || ++habit->trials % HABIT_TRIAL == 0;
}

uint64_t habit_wanted(struct habit *habit, const struct habit_record *subject)
{
    const struct habit_row *row = &habit->rows[subject->row];
    uint64_t wanted = 0;
    for (uint8_t target = 0; target < HABIT_TARGETS; target++) {
        uint64_t bit = UINT64_C(1) << target;
        bool is_new = ((subject->asked | subject->foretold) & bit) == 0;
        if (is_new && habit_row_speaks_for(habit, row, target) &&
            habit_step_may_ask(habit, habit_target_step(subject, target))) {
            wanted |= bit;
        }
    }
    return wanted;
}

bool habit_compose(const struct habit *habit, const struct sequel_subject *subject, uint8_t target,
    unsigned way, struct sequel_next *next_out)
{
    struct sequel_subject other = *subject;
    if (target >= SEQUEL_ASPECT_LIST) {
        const struct habit_zone *zone = &habit->zones[target - SEQUEL_ASPECT_LIST];
        other.aspect = SEQUEL_ASPECT_LIST;
        other.zone = zone->name;
        other.zone_len = zone->len;
        return way == 0 && zone->len > 0 && sequel_compose(&other, next_out);
    }
    other.aspect = (enum sequel_aspect)target;
    if (other.aspect == SEQUEL_ASPECT_DKIM) {
        other.selector = habit_selector_at(habit, habit_tag_subject(habit, subject), way);
        return other.selector != NULL && sequel_compose(&other, next_out);
    }
    return way == 0 && sequel_compose(&other, next_out);
}

bool habit_wants_dnssec(
    const struct habit *habit, const struct habit_record *record, uint8_t target)
{
    return (habit->rows[record->row].dnssec >> target & 1u) != 0;
}

bool habit_may_follow(struct habit_record *subject, enum sequel_aspect aspect)
{
    uint16_t bit = (uint16_t)(1u << aspect);
    if (!sequel_may_follow(aspect) || (subject->followed & bit) != 0) {
        return false;
    }
    subject->followed |= bit;
    return true;
}

struct habit_record *habit_foretell(
    struct habit *habit, const struct sequel_next *next, int64_t now, bool *is_wanted_out)
{
    uint64_t tag = habit_tag_question(habit, next->name, next->name_len, next->type);
    uint8_t row = habit_step_row(next->step);
    struct habit_record *record = habit_record_find(habit, tag, now);
    if (record == NULL) {
        record = habit_record_open(habit, tag, row, now);
    }
    *is_wanted_out = ((record->asked | record->foretold) & 1) == 0 &&
                     habit_row_speaks_for(habit, &habit->rows[row], 0) &&
                     habit_step_may_ask(habit, next->step);
    return record;
}

void habit_on_asked(struct habit_record *record, uint8_t target)
{
    record->foretold |= UINT64_C(1) << target;
}
