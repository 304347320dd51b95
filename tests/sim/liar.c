/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Upstream lies. A question is asked, and the server alters its true reply in one way; each way
 * that the tables know is tried, on replies of every kind, in three plays: the lie alone, the lie
 * with the truth right behind it, and the lie where an old truth is in the cache. What must hold is
 * stated in liar_referee.h, and:
 *
 *     - what is not the reply to what was asked changes nothing: the truth that follows is given;
 *     - the cache then knows the asked question, at most, and gives what the referee allows;
 *     - every other question in the world has its true answer;
 *     - when the TTLs are over, the asked question has its true answer again.
 *
 *     liar TABLE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "tests/sim/liar_belief.h"
#include "tests/sim/liar_twist.h"
#include "tests/sim/sim.h"

static const char conf[] =
    "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\ncache_size = 1M\n"
    "ahead = no\nlist_tests = no\nlist_route = upstream\nttl_max = 1h\nnegative_ttl_max = 10m\n";

/* README: what a list does not list is kept for half a minute, whatever its SOA says. */
static const struct referee_limits *limits_of(const struct referee_question *question)
{
    static const struct referee_limits usual = {.ttl_max = 3600, .negative_ttl_max = 600};
    static const struct referee_limits of_lists = {
        .ttl_max = 3600, .negative_ttl_max = 600, .negative_ttl_min = 30};
    struct world_name list = tale_name("zen.spamhaus.org.");
    return tale_name_is_under(&question->name, &list) ? &of_lists : &usual;
}

/* Longer than anything may be kept, fresh or stale. */
#define LIAR_FORGOTTEN_US (INT64_C(100000) * 1000000)

#define SOA " 300 SOA ns.example. root.example. 1 3600 900 604800 60\n"

static const char world_text[] =
    "." SOA ". 3600 NS ns.example.\n"
    "example." SOA "example. 300 NS ns.example.\n"
    "ns.example. 300 A 192.0.2.53\n"
    "mx.example. 300 MX 10 mail.example.\n"
    "mx.example. 300 MX 20 backup.example.\n"
    "mail.example. 300 A 192.0.2.25\n"
    "mail.example. 300 AAAA 2001:db8::25\n"
    "backup.example. 300 A 192.0.2.26\n"
    "backup.example. 300 A 192.0.2.27\n"
    "mx.example. 300 TXT \"v=spf1 mx -all\"\n"
    "_25._tcp.mail.example. 300 TLSA 3 1 1 "
    "0011223344556677889900112233445566778899001122334455667788990011\n"
    "www.example. 300 CNAME web.example.\n"
    "web.example. 300 CNAME host.other.\n"
    "gone.example. 300 CNAME nothing.example.\n"
    "bare.example. 300 CNAME mail.example.\n"
    "victim.example. 300 A 192.0.2.66\n"
    "victim.example. 300 MX 10 mx.victim.example.\n"
    "victim.example. 300 TXT \"v=spf1 -all\"\n"
    "mx.victim.example. 300 A 192.0.2.67\n"
    "sub.victim.example. 300 A 192.0.2.68\n"
    "c1.example. 300 A 192.0.2.31\n"
    "c2.example. 300 A 192.0.2.32\n"
    "other." SOA "other. 300 NS ns.example.\n"
    "host.other. 300 A 192.0.2.80\n"
    "bank.other. 300 A 192.0.2.99\n"
    "bank.other. 300 MX 10 host.other.\n"
    "2.0.192.in-addr.arpa." SOA "25.2.0.192.in-addr.arpa. 300 PTR mail.example.\n"
    "zen.spamhaus.org." SOA "9.2.0.192.zen.spamhaus.org. 300 A 127.0.0.2\n"
    "9.2.0.192.zen.spamhaus.org. 300 A 127.0.0.4\n"
    "2.0.0.127.zen.spamhaus.org. 300 A 127.0.0.2\n";

#define SIGNATURE(name, type, ttl)                                                                 \
    name " " ttl " RRSIG " type " 8 2 300 20300101000000 20200101000000 7 example. "               \
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct story stories[] = {
    {.name = "mx.example.",
        .type = TYPE_MX,
        .extra = {"ns example. 300 NS ns.example.", "ar mail.example. 300 A 192.0.2.25",
            "ar mail.example. 300 AAAA 2001:db8::25", "ar backup.example. 300 A 192.0.2.26"}},
    {.name = "www.example.", .type = TYPE_A},
    {.name = "backup.example.", .type = TYPE_A},
    {.name = "nothing.example.", .type = TYPE_A},
    {.name = "mail.example.", .type = TYPE_MX},
    {.name = "gone.example.", .type = TYPE_A},
    {.name = "bare.example.", .type = TYPE_TXT},
    {.name = "mx.example.", .type = TYPE_TXT},
    {.name = "_25._tcp.mail.example.", .type = TYPE_TLSA},
    {.name = "9.2.0.192.zen.spamhaus.org.", .type = TYPE_A},
    {.name = "8.2.0.192.zen.spamhaus.org.", .type = TYPE_A},
    {.name = "25.2.0.192.in-addr.arpa.", .type = TYPE_PTR},
    {.name = "mail.example.",
        .type = TYPE_A,
        .wants_dnssec = true,
        .extra = {"an " SIGNATURE("mail.example.", "A", "300")}},
    {.name = "nothing.example.",
        .type = TYPE_MX,
        .wants_dnssec = true,
        .extra = {"ns " SIGNATURE("example.", "SOA", "60"),
            "ns ns.example. 60 NSEC victim.example. A RRSIG NSEC",
            "ns " SIGNATURE("ns.example.", "NSEC", "60")}},
    {.name = "mail.example.", .type = TYPE_A, .has_cookies = true},
    {.name = "mx.example.", .type = TYPE_MX, .is_by_stream = true},
    {.name = "nothing.example.", .type = TYPE_A, .is_by_stream = true},
};
#define STORIES (sizeof stories / sizeof stories[0])

/* What is asked of an honest upstream after each lie. */
static const struct {
    const char *name;
    uint16_t type;
} others[] = {
    {"victim.example.", TYPE_A},
    {"victim.example.", TYPE_MX},
    {"victim.example.", TYPE_TXT},
    {"victim.example.", TYPE_AAAA},
    {"mx.victim.example.", TYPE_A},
    {"sub.victim.example.", TYPE_A},
    {"mail.example.", TYPE_A},
    {"mail.example.", TYPE_AAAA},
    {"backup.example.", TYPE_A},
    {"_25._tcp.mail.example.", TYPE_TLSA},
    {"mx.example.", TYPE_MX},
    {"mx.example.", TYPE_A},
    {"mx.example.", TYPE_TXT},
    {"www.example.", TYPE_A},
    {"www.example.", TYPE_CNAME},
    {"web.example.", TYPE_A},
    {"nothing.example.", TYPE_A},
    {"below.nothing.example.", TYPE_A},
    {"gone.example.", TYPE_A},
    {"bare.example.", TYPE_A},
    {"c1.example.", TYPE_A},
    {"c2.example.", TYPE_A},
    {"example.", TYPE_NS},
    {"example.", TYPE_SOA},
    {"example.", TYPE_A},
    {"ns.example.", TYPE_A},
    {"new.example.", TYPE_A},
    {"host.other.", TYPE_A},
    {"bank.other.", TYPE_A},
    {"bank.other.", TYPE_MX},
    {"evil.other.", TYPE_A},
    {"other.", TYPE_NS},
    {".", TYPE_NS},
    {"25.2.0.192.in-addr.arpa.", TYPE_PTR},
    {"9.2.0.192.zen.spamhaus.org.", TYPE_A},
    {"2.0.0.127.zen.spamhaus.org.", TYPE_A},
    {"7.2.0.192.zen.spamhaus.org.", TYPE_A},
};
#define OTHERS      (sizeof others / sizeof others[0])
#define OTHERS_MANY 9 /* By turns, after a lie that is about others. */
#define OTHERS_SOME 3

enum play {
    PLAY_ALONE, /* The lie, and nothing else. */
    PLAY_RACED, /* The truth right behind it. */
    PLAY_STALE, /* An expired truth is in the cache. */
};
#define PLAYS        3
#define VARIANTS_FEW 12 /* Each of them in all plays. */

static const char *const play_names[PLAYS] = {"alone", "raced", "stale"};

/* What became of the lies. */
struct tally {
    uint64_t plays;
    uint64_t strangers; /* Lies that were no reply at all. */
    uint64_t truths;
    uint64_t believed; /* What follows from the lie, and not from the truth. */
    uint64_t failures;
    uint64_t questions;
};

struct liar {
    struct house house;
    struct world world;
    struct tally tally;
    const struct twist_table *table;
    const struct twist *twist;
    unsigned variant;
    enum play play;
    size_t turn; /* Of the other questions. */
};

static struct liar liar;

/* ---- Verdicts ---- */

static void bytes_print(const char *what, const uint8_t *bytes, size_t len)
{
    fprintf(stderr, "%s, %zu bytes:", what, len);
    for (size_t i = 0; i < len && i < 400; i++) {
        fprintf(stderr, "%s%02x", i % 32 == 0 ? "\n    " : " ", bytes[i]);
    }
    fputc('\n', stderr);
}

static _Noreturn void liar_fail(const char *when, const char *complaint)
{
    const struct story *story = liar.house.story;
    fprintf(stderr, "%s type %u%s, lie \"%s\" %u, %s; %s\n", story->name, story->type,
        story->wants_dnssec ? " DO" : "", liar.twist->name, liar.variant, play_names[liar.play],
        when);
    for (size_t i = 0; i < liar.house.source_count && i < 2; i++) {
        const struct house_source *source = &liar.house.sources[i];
        bytes_print("upstream said", source->bytes, source->len);
    }
    bytes_print("the client got", liar.house.answer, liar.house.answer_len);
    sim_fail("%s", complaint);
}

/* The answer, checked for what holds of any: one question, the one that was asked. */
static const struct tale *liar_answer(const struct referee_question *question, const char *when)
{
    static struct tale answer;
    if (!tale_read(&answer, liar.house.answer, liar.house.answer_len)) {
        liar_fail(when, "an answer that cannot be read");
    }
    if (answer.id != 0x1234 || answer.type != question->type || answer.class != CLASS_IN ||
        memcmp(answer.name.bytes, question->name.bytes, question->name.len) != 0) {
        liar_fail(when, "an answer to another question");
    }
    return &answer;
}

/* NULL, or why the answer does not follow from the truth. */
static const char *truth_complaint(
    const struct referee_question *question, const struct tale *answer)
{
    static struct tale truth;
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    uint8_t query[512];
    size_t len = house_query(question, query);
    const struct house_request request = {.story = liar.house.story, .message = query, .len = len};
    must(tale_read(&truth, bytes, house_truth(&liar.house, &request, bytes)));
    return referee_follows(question, answer, &truth, limits_of(question));
}

/* Does the answer follow from something that upstream has said? Why not stands in `complaint`. */
static bool lie_is_followed(
    const struct referee_question *question, const struct tale *answer, const char **complaint)
{
    static struct tale tale;
    for (size_t i = 0; i < liar.house.source_count; i++) {
        const struct house_source *source = &liar.house.sources[i];
        if (belief_of(&tale, source) == BELIEF_MAY) {
            *complaint = referee_follows(question, answer, &tale, limits_of(question));
            if (*complaint == NULL) {
                return true;
            }
        }
    }
    return false;
}

/* ---- The asked question ---- */

enum outcome_of_lie {
    LIE_TRUTH,
    LIE_BELIEVED,
    LIE_FAILURE,
};

static enum outcome_of_lie liar_judge(const char *when)
{
    struct referee_question question = story_question(liar.house.story);
    const struct tale *answer = liar_answer(&question, when);
    const char *complaint = truth_complaint(&question, answer);
    if (complaint == NULL) {
        return LIE_TRUTH;
    }
    if (referee_is_failure(answer)) {
        return LIE_FAILURE;
    }
    if (!lie_is_followed(&question, answer, &complaint)) {
        liar_fail(when, complaint);
    }
    return LIE_BELIEVED;
}

/* Nothing that came before the truth was a reply to what was asked. */
static bool lie_was_strange(void)
{
    static struct tale tale;
    for (size_t i = 0; i < liar.house.source_count; i++) {
        if (belief_of(&tale, &liar.house.sources[i]) != BELIEF_NONE) {
            return false;
        }
    }
    return liar.house.source_count > 0;
}

static enum outcome_of_lie liar_tell(void)
{
    struct referee_question question = story_question(liar.house.story);
    struct house *house = &liar.house;
    house->lie = (struct lie){liar.twist->tell, liar.twist->garble, liar.variant};
    house->mode = liar.play == PLAY_RACED ? HOUSE_RACED : HOUSE_LYING;
    house_ask(house, &question);
    house->mode = HOUSE_HONEST;
    enum outcome_of_lie outcome = liar_judge("asked");
    bool is_strange = lie_was_strange();
    if (liar.play == PLAY_RACED && outcome != LIE_TRUTH && is_strange) {
        liar_fail("asked", "what was no reply has hindered the truth");
    }
    liar.tally.strangers += is_strange ? 1 : 0;
    liar.tally.truths += outcome == LIE_TRUTH ? 1 : 0;
    liar.tally.believed += outcome == LIE_BELIEVED ? 1 : 0;
    liar.tally.failures += outcome == LIE_FAILURE ? 1 : 0;
    return outcome;
}

/* ---- The cache ---- */

static bool cache_knows(const struct referee_question *question)
{
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    struct cache_found found;
    struct cache_key key = {.type = question->type,
        .class = CLASS_IN,
        .wants_dnssec = question->wants_dnssec,
        .name_len = question->name.len};
    memcpy(key.name, question->name.bytes, key.name_len);
    return cache_peek(liar.house.cache, &key, liar.house.now, bytes, sizeof bytes, &found) !=
           CACHE_MISS;
}

/* Every entry of the cache is that of the asked question, or the memory of its failure. */
static void liar_check_cache(bool has_failed)
{
    struct referee_question question = story_question(liar.house.story);
    struct cache_metrics metrics;
    cache_read_metrics(liar.house.cache, &metrics);
    bool is_known = cache_knows(&question) || has_failed || liar.play == PLAY_STALE;
    if (metrics.cache_entries > (is_known ? 1 : 0)) {
        liar_fail("asked", "the cache holds more than what was asked for");
    }
}

/* ---- All other questions ---- */

/* A name that upstream has said does not exist, or one below it. */
static bool lie_denies(const struct world_name *name)
{
    static struct tale tale;
    for (size_t i = 0; i < liar.house.source_count; i++) {
        if (belief_of(&tale, &liar.house.sources[i]) == BELIEF_MAY &&
            referee_denies_name(&tale, name)) {
            return true;
        }
    }
    return false;
}

static void liar_ask_other(const struct referee_question *question, const char *when)
{
    house_ask(&liar.house, question);
    liar.tally.questions++;
    const struct tale *answer = liar_answer(question, when);
    const char *complaint = truth_complaint(question, answer);
    bool is_denied = tale_rcode(answer) == RCODE_NXDOMAIN && lie_denies(&question->name);
    if (complaint != NULL && !is_denied) {
        liar_fail(when, complaint);
    }
}

/* The same name with other types and flags is another question. */
static void liar_ask_near(void)
{
    struct referee_question question = story_question(liar.house.story);
    question.wants_dnssec = !question.wants_dnssec;
    liar_ask_other(&question, "the same, with other flags");
    question.checking_disabled = true;
    liar_ask_other(&question, "the same, with CD");
    question.checking_disabled = false;
    question.wants_dnssec = liar.house.story->wants_dnssec;
    question.type = question.type == TYPE_A ? TYPE_MX : TYPE_A;
    liar_ask_other(&question, "the same, another type");
}

static void liar_ask_others(void)
{
    size_t count = liar.table->is_about_others ? OTHERS_MANY : OTHERS_SOME;
    for (size_t i = 0; i < count; i++) {
        size_t at = liar.turn++ % OTHERS;
        struct referee_question question = {
            .name = tale_name(others[at].name), .type = others[at].type};
        bool is_it = question.type == liar.house.story->type &&
                     strcmp(others[at].name, liar.house.story->name) == 0;
        if (!is_it) {
            liar_ask_other(&question, others[at].name);
        }
    }
}

/* ---- A play ---- */

static void liar_prepare(void)
{
    struct referee_question question = story_question(liar.house.story);
    if (liar.house.story->has_cookies || liar.play == PLAY_STALE) {
        house_ask(&liar.house, &question);
        must(truth_complaint(&question, liar_answer(&question, "before")) == NULL);
    }
    if (liar.play == PLAY_STALE) {
        house_pass(&liar.house, INT64_C(301) * 1000000);
    } else {
        cache_flush_all(liar.house.cache);
    }
}

static void liar_play(const struct story *story)
{
    struct referee_question question = story_question(story);
    house_begin(&liar.house, story);
    liar_prepare();
    liar_check_cache(liar_tell() == LIE_FAILURE);
    house_ask(&liar.house, &question);
    liar_judge("asked again");
    liar_ask_near();
    liar_ask_others();
    house_pass(&liar.house, LIAR_FORGOTTEN_US);
    house_ask(&liar.house, &question);
    if (liar_judge("asked much later") != LIE_TRUTH) {
        liar_fail("asked much later", "the lie has outlived its time");
    }
    house_end(&liar.house);
    liar.tally.plays++;
}

/* ---- All plays ---- */

/* The plays of a row with many variants go by turns, and otherwise for each story. */
static void liar_tell_all(size_t number, const struct twist *twist)
{
    unsigned variants = twist_variants(twist, &liar.house, &stories[number], NULL);
    liar.twist = twist;
    for (liar.variant = 0; liar.variant < variants; liar.variant++) {
        bool is_long = variants > VARIANTS_FEW;
        for (unsigned play = 0; play < PLAYS; play++) {
            liar.play = (enum play)play;
            if (!is_long || (liar.variant + number) % PLAYS == play) {
                liar_play(&stories[number]);
            }
        }
    }
}

static void tally_print(const char *name, const struct tally *tally)
{
    printf("%-48s %7" PRIu64 " lies: %6" PRIu64 " no reply, %6" PRIu64 " truth, %6" PRIu64
           " believed, %6" PRIu64 " failed; %7" PRIu64 " other questions\n",
        name, tally->plays, tally->strangers, tally->truths, tally->believed, tally->failures,
        tally->questions);
    fflush(stdout);
}

static void liar_run(const struct twist_table *table)
{
    liar.table = table;
    for (size_t i = 0; i < table->count; i++) {
        liar.tally = (struct tally){0};
        liar.house.reply_cpu = 0;
        for (size_t story = 0; story < STORIES; story++) {
            liar_tell_all(story, &table->rows[i]);
        }
        tally_print(table->rows[i].name, &liar.tally);
        printf("    the dearest reply took %.2f ms\n",
            1e3 * (double)liar.house.reply_cpu / CLOCKS_PER_SEC);
    }
}

int main(int argc, char **argv)
{
    static const struct twist_table *const tables[] = {&twists_header, &twists_records,
        &twists_foreign, &twists_chains, &twists_denials, &twists_bytes};
    char error[256];
    FILE *file = fmemopen((void *)(uintptr_t)world_text, strlen(world_text), "r");
    must(file != NULL);
    if (!world_init(&liar.world, file, error, sizeof error)) {
        sim_fail("world: %s", error);
    }
    fclose(file);
    log_set_level(LOG_LEVEL_ERROR);
    house_open(&liar.house, &liar.world, conf);
    bool is_known = false;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (argc == 2 && strcmp(argv[1], tables[i]->name) == 0) {
            liar_run(tables[i]);
            is_known = true;
        }
    }
    house_close(&liar.house);
    world_fini(&liar.world);
    if (!is_known) {
        fputs("usage: liar header|records|foreign|chains|denials|bytes\n", stderr);
        return 64;
    }
    return 0;
}
