/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/list_answer.h"

#include "base/must.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/records.h"
#include "wire/types.h"

struct list_rules_row {
    const char *listed;
    const char *unlisted; /* "*": drawn by lot. */
    uint64_t quota;
};

#define RANDOM "*"

static const struct list_rules_row list_rules_rows[LIST_RULES_COUNT] = {
#define RULES(rules, listed, unlisted, quota) [LIST_RULES_##rules] = {listed, unlisted, quota},
#define REFUSES(...)
#include "mail/list_rules.def"
#undef REFUSES
#undef RULES
};

/* A code by which one provider refuses. */
struct list_code {
    enum list_rules rules;
    uint32_t value;
    uint32_t mask;
    enum list_cause cause;
};

/* Type and class, behind the question's name. */
#define QUESTION_FIXED_SIZE 4

#define LIST_CODE_VALUE(a, b, c, d)                                                                \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct list_code list_codes[] = {
#define RULES(...)
#define REFUSES(row, a, b, c, d, bits, why)                                                        \
    {.rules = LIST_RULES_##row,                                                                    \
        .value = LIST_CODE_VALUE(a, b, c, d),                                                      \
        .mask = bits,                                                                              \
        .cause = LIST_CAUSE_##why},
#include "mail/list_rules.def"
#undef REFUSES
#undef RULES
};

/* The operator's codes stand in place of the table's. */
static enum list_cause list_cause_of_own(const struct list_zone *zone, const uint8_t *bytes)
{
    struct address address = {.family = ADDRESS_IPV4};
    for (unsigned i = 0; i < 4; i++) {
        address.bytes[i] = bytes[i];
    }
    for (size_t i = 0; i < zone->code_count; i++) {
        if (network_contains(&zone->codes[i], &address)) {
            return LIST_CAUSE_CODE;
        }
    }
    return LIST_CAUSE_NONE;
}

static enum list_cause list_cause_of(const struct list_zone *zone, const uint8_t *bytes)
{
    if (bytes[0] != 127) {
        return LIST_CAUSE_PARKED;
    }
    if (zone == NULL) {
        return LIST_CAUSE_NONE;
    }
    if (zone->codes != NULL) {
        return list_cause_of_own(zone, bytes);
    }
    uint32_t value = bytes_get_u32(bytes);
    for (size_t i = 0; i < sizeof list_codes / sizeof list_codes[0]; i++) {
        const struct list_code *code = &list_codes[i];
        if (code->rules == zone->rules && (value & code->mask) == code->value) {
            return code->cause;
        }
    }
    return LIST_CAUSE_NONE;
}

static enum list_verdict list_verdict_of(enum list_cause cause)
{
    switch (cause) {
    case LIST_CAUSE_NONE:
        return LIST_VERDICT_LISTED;
    case LIST_CAUSE_SUBJECT:
        return LIST_VERDICT_MISUSED;
    case LIST_CAUSE_PARKED:
        return LIST_VERDICT_PARKED;
    case LIST_CAUSE_RESOLVER:
    case LIST_CAUSE_QUOTA:
    case LIST_CAUSE_ZONE:
    case LIST_CAUSE_ACCOUNT:
    case LIST_CAUSE_CODE:
    case LIST_CAUSE_WORLD:
    case LIST_CAUSE_EMPTY:
    case LIST_CAUSE_SILENT:
        return LIST_VERDICT_REFUSED;
    }
    must_never("a cause");
}

/* The first A record that is no listing decides: a listing beside it is worth nothing. An alias
 * that leads to nothing is no listing either. */
static struct list_answer list_answer_read(
    const struct list_zone *zone, uint16_t type, struct reader *reader)
{
    struct list_answer answer = {.verdict = LIST_VERDICT_NOT_LISTED};
    struct record record;
    for (unsigned left = header_ancount(reader->bytes); left > 0; left--) {
        if (!record_read(reader, &record)) {
            break;
        }
        if (record.type != type) {
            continue;
        }
        if (type == TYPE_A && record.rdata_len == 4) {
            answer.cause = list_cause_of(zone, reader->bytes + record.rdata_at);
        }
        answer.verdict = list_verdict_of(answer.cause);
        if (answer.cause != LIST_CAUSE_NONE) {
            break;
        }
    }
    return answer;
}

struct list_answer list_answer_of(
    const struct list_zone *zone, uint16_t type, const uint8_t *stored, size_t len)
{
    struct reader reader = reader_of(stored, len);
    bool has_records = len >= HEADER_SIZE && header_rcode(stored) == RCODE_NOERROR &&
                       reader_skip(&reader, HEADER_SIZE) && name_skip(&reader) &&
                       reader_skip(&reader, QUESTION_FIXED_SIZE);
    if (!has_records) {
        return (struct list_answer){.verdict = LIST_VERDICT_NOT_LISTED};
    }
    return list_answer_read(zone, type, &reader);
}

bool list_verdict_is_refusal(enum list_verdict verdict)
{
    return verdict != LIST_VERDICT_LISTED && verdict != LIST_VERDICT_NOT_LISTED;
}

bool list_cause_is_tested(enum list_cause cause)
{
    return cause == LIST_CAUSE_WORLD || cause == LIST_CAUSE_EMPTY || cause == LIST_CAUSE_SILENT;
}

bool list_cause_is_path(enum list_cause cause)
{
    return cause == LIST_CAUSE_RESOLVER || cause == LIST_CAUSE_QUOTA || cause == LIST_CAUSE_CODE;
}

struct list_cause_row {
    const char *name;
    const char *clause;
    const char *hint;
    const char *remedy;
};

#define LIST_ASK_DIRECTLY                                                                          \
    "ask it from this host's own address (route = direct in its [zone] section, or an upstream "   \
    "that is yours)"

static const struct list_cause_row list_cause_rows[LIST_CAUSES] = {
    [LIST_CAUSE_NONE] = {"none", "answers", "", ""},
    [LIST_CAUSE_RESOLVER] = {"resolver", "refuses questions through a public or shared resolver",
        "use route = direct, or a key", LIST_ASK_DIRECTLY ", or with a customer's key"},
    [LIST_CAUSE_QUOTA] = {"quota", "refuses: too many questions come from the address that asks it",
        "use route = direct, or a key", LIST_ASK_DIRECTLY ", or become a customer"},
    [LIST_CAUSE_ZONE] = {"zone", "does not exist at its provider", "correct its name",
        "correct its name in the mail software"},
    [LIST_CAUSE_ACCOUNT] = {"account", "answers customers only", "get an account",
        "get an account, or take the list out of the mail software"},
    [LIST_CAUSE_SUBJECT] = {"subject", "was asked about an address, but knows domains only",
        "do not ask it that", "take it out of reject_rbl_client; it belongs to reject_rhsbl_..."},
    [LIST_CAUSE_PARKED] = {"parked", "is parked: its answers are not those of a DNS list",
        "take it out", "the list has ended; take it out of the mail software"},
    [LIST_CAUSE_CODE] = {"code", "refuses, by a code of its [list] section",
        "use route = direct, or a key", LIST_ASK_DIRECTLY ", or with a customer's key"},
    [LIST_CAUSE_WORLD] = {"world", "lists everything, even what must never be listed",
        "take it out", "the list has ended or is broken; take it out of the mail software"},
    [LIST_CAUSE_EMPTY] = {"empty", "does not list its own test address", "use route = direct",
        "the list has ended, or an upstream server filters it out: " LIST_ASK_DIRECTLY},
    [LIST_CAUSE_SILENT] = {"silent", "does not answer", "take it out",
        "the list has ended or does not know this host; each mail waits for it, so take it out of "
        "the mail software"},
};

const char *list_cause_name(enum list_cause cause)
{
    return list_cause_rows[cause].name;
}

const char *list_cause_clause(enum list_cause cause)
{
    return list_cause_rows[cause].clause;
}

const char *list_cause_hint(enum list_cause cause)
{
    return list_cause_rows[cause].hint;
}

const char *list_cause_remedy(enum list_cause cause)
{
    return list_cause_rows[cause].remedy;
}

struct list_points list_points_of(const struct list_zone *zone)
{
    const struct list_rules_row *row = &list_rules_rows[zone->rules];
    bool is_random = row->unlisted[0] == '*';
    return (struct list_points){
        .listed = row->listed,
        .unlisted = is_random ? "" : row->unlisted,
        .is_unlisted_random = is_random,
    };
}

uint64_t list_quota_of(const struct list_zone *zone)
{
    return zone->quota != 0 ? zone->quota : list_rules_rows[zone->rules].quota;
}
