/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Lies where zones are asked directly: by a zone's own name servers, by those above that refer to
 * them, and by the upstream server while they are being found. Each lie of each table is told about
 * each kind of reply, in four plays. What must hold is stated in liar_direct_referee.h, message by
 * message, and:
 *
 *     - what is no reply to what was asked changes nothing: the truth that follows is given;
 *     - nobody's lie costs a client his answer, but where it is a list's refusal: upstream knows;
 *     - every other question in the world has its true answer, unless who may has said otherwise;
 *     - one question costs ASKS_MAX messages at most, and LOOKUPS_MAX lookups;
 *     - the cache holds what was asked, at most;
 *     - after a day, no server is asked that only a lie has named, and the truth is back.
 *
 *     liar_direct TABLE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "tests/sim/liar_direct_net.h"
#include "tests/sim/liar_direct_referee.h"
#include "tests/sim/liar_twist.h"
#include "tests/sim/sim.h"

static const char conf[] =
    "upstreams = " NET_UPSTREAM "\nlisten = 127.0.0.1 " NET_OWN "\nquestions_max = 16\n"
    "cache_size = 1M\nahead = no\nlist_tests = no\nlist_route = direct\nttl_max = 1h\n"
    "negative_ttl_max = 10m\n"
    "[zone list.example]\nroute = direct\n[zone bl.victim.example]\nroute = direct\n"
    "[zone away.victim.example]\nroute = direct\n";

#define ASKS_MAX       32
#define LOOKUPS_MAX    (4 + 8 * 4) /* Names asked for NS; four servers' addresses, four times. */
#define REPLY_CPU_MAX  (CLOCKS_PER_SEC / 2) /* With sanitizers. */
#define TTL_SERVERS_US (INT64_C(7200) * 1000000)

/* Longer than anything may be kept, fresh or stale. */
#define FORGOTTEN_US (INT64_C(100000) * 1000000)

/* README: what a list does not list is kept for half a minute, whatever its SOA says. */
static const struct referee_limits *limits_of(const struct world_name *name)
{
    static const struct referee_limits usual = {.ttl_max = 3600, .negative_ttl_max = 600};
    static const struct referee_limits of_lists = {
        .ttl_max = 3600, .negative_ttl_max = 600, .negative_ttl_min = 30};
    return direct_referee_is_direct(name) ? &of_lists : &usual;
}

/* What is asked, and by whom about what is lied meanwhile. */
struct scene {
    struct story story;  /* The lied question. */
    const char *liar[3]; /* At these addresses. */
    const char *name;    /* What the client asks; NULL: the same. */
    uint16_t type;
};

#define SIGNATURE(name, type)                                                                      \
    name " 300 RRSIG " type " 8 2 300 20300101000000 20200101000000 7 list.example. "              \
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define LIST_SERVERS                                                                               \
    {                                                                                              \
        "192.0.2.12", "192.0.2.14", "2001:db8::12"                                                 \
    }

static const struct scene scenes[] = {
    /* The list's own answer: listed, listed with a reason, not listed, no such record, aliases. */
    {{.name = "9.2.0.192.list.example.", .type = TYPE_A}, LIST_SERVERS, NULL, 0},
    {{.name = "9.2.0.192.bl.victim.example.", .type = TYPE_TXT}, {"192.0.2.20"}, NULL, 0},
    {{.name = "8.2.0.192.zen.spamhaus.org.", .type = TYPE_A}, {"192.0.2.22"}, NULL, 0},
    {{.name = "9.2.0.192.away.victim.example.", .type = TYPE_TXT}, {"192.0.2.16"}, NULL, 0},
    {{.name = "7.2.0.192.list.example.", .type = TYPE_A}, {"192.0.2.12"}, NULL, 0},
    {{.name = "6.2.0.192.list.example.", .type = TYPE_A}, LIST_SERVERS, NULL, 0},
    {{.name = "9.113.0.203.list.example.", .type = TYPE_A}, {"192.0.2.18"}, NULL, 0},
    {{.name = "9.2.0.192.zen.spamhaus.org.", .type = TYPE_A, .has_cookies = true}, {"192.0.2.22"},
        NULL, 0},
    {{.name = "9.2.0.192.bl.victim.example.", .type = TYPE_A, .is_by_stream = true}, {"192.0.2.20"},
        NULL, 0},
    {{.name = "9.2.0.192.list.example.",
         .type = TYPE_TXT,
         .wants_dnssec = true,
         .extra = {"an " SIGNATURE("9.2.0.192.list.example.", "TXT")}},
        LIST_SERVERS, NULL, 0},
    /* Referrals: from above with an address, without, and to a part. */
    {{.name = "9.2.0.192.bl.victim.example.", .type = TYPE_A}, {"192.0.2.10"}, NULL, 0},
    {{.name = "9.2.0.192.away.victim.example.", .type = TYPE_A}, {"192.0.2.10"}, NULL, 0},
    {{.name = "9.113.0.203.list.example.", .type = TYPE_A}, LIST_SERVERS, NULL, 0},
    /* Upstream: who are the servers, that it does not know, who is above, where they are. */
    {{.name = "list.example.", .type = TYPE_NS}, {NET_UPSTREAM}, "9.2.0.192.list.example.", TYPE_A},
    {{.name = "bl.victim.example.", .type = TYPE_NS}, {NET_UPSTREAM},
        "9.2.0.192.bl.victim.example.", TYPE_A},
    {{.name = "victim.example.", .type = TYPE_NS}, {NET_UPSTREAM}, "9.2.0.192.bl.victim.example.",
        TYPE_A},
    {{.name = "ns1.list.example.", .type = TYPE_A}, {NET_UPSTREAM}, "9.2.0.192.list.example.",
        TYPE_A},
    {{.name = "a.gns.example.", .type = TYPE_A}, {NET_UPSTREAM}, "9.2.0.192.zen.spamhaus.org.",
        TYPE_A},
    {{.name = "ns1.list.example.", .type = TYPE_AAAA}, {NET_UPSTREAM}, "9.2.0.192.list.example.",
        TYPE_A},
    {{.name = "a.gns.example.", .type = TYPE_AAAA}, {NET_UPSTREAM}, "8.2.0.192.zen.spamhaus.org.",
        TYPE_A},
};
#define SCENES (sizeof scenes / sizeof scenes[0])

/* What is asked of honest servers after each lie. */
static const struct {
    const char *name;
    uint16_t type;
} others[] = {
    {"5.2.0.192.list.example.", TYPE_A},
    {"9.2.0.192.list.example.", TYPE_A},
    {"9.2.0.192.list.example.", TYPE_TXT},
    {"9.113.0.203.list.example.", TYPE_A},
    {"8.113.0.203.list.example.", TYPE_A},
    {"9.2.0.192.bl.victim.example.", TYPE_A},
    {"5.2.0.192.bl.victim.example.", TYPE_A},
    {"9.2.0.192.away.victim.example.", TYPE_A},
    {"9.2.0.192.zen.spamhaus.org.", TYPE_A},
    {"2.0.0.127.zen.spamhaus.org.", TYPE_A},
    {"5.2.0.192.zen.spamhaus.org.", TYPE_A},
    {"victim.example.", TYPE_A},
    {"victim.example.", TYPE_MX},
    {"victim.example.", TYPE_TXT},
    {"victim.example.", TYPE_NS},
    {"mx.victim.example.", TYPE_A},
    {"ns.victim.example.", TYPE_A},
    {"new.victim.example.", TYPE_A},
    {"n1.victim.example.", TYPE_A},
    {"bank.other.", TYPE_A},
    {"bank.other.", TYPE_MX},
    {"host.other.", TYPE_A},
    {"ns.hosting.other.", TYPE_A},
    {"ns.evil.other.", TYPE_A},
    {"other.", TYPE_NS},
    {"mail.example.", TYPE_A},
    {"mail.example.", TYPE_AAAA},
    {"www.example.", TYPE_A},
    {"example.", TYPE_NS},
    {".", TYPE_NS},
    {"list.example.", TYPE_NS},
    {"ns1.list.example.", TYPE_A},
    {"a.gns.example.", TYPE_A},
    {"zen.spamhaus.org.", TYPE_NS},
    {"spamhaus.org.", TYPE_NS},
    {"bl.victim.example.", TYPE_NS},
};
#define OTHERS      (sizeof others / sizeof others[0])
#define OTHERS_MANY 4 /* By turns, after a lie that is about others. */
#define OTHERS_SOME 3

enum play {
    PLAY_COLD,  /* Nothing is known, the lie, and nothing else. */
    PLAY_RACED, /* The truth right behind it. */
    PLAY_WARM,  /* The servers are known. */
    PLAY_LATER, /* They are known, and their time is over, as that of the true answer. */
};
#define PLAYS 4

static const char *const play_names[PLAYS] = {"cold", "raced", "warm", "later"};

/* What became of the lies. */
struct tally {
    uint64_t plays;
    uint64_t strangers;
    uint64_t truths;
    uint64_t believed;
    uint64_t failures;
    uint64_t untold; /* Nobody asked for what was to be lied about. */
    uint64_t questions;
    uint64_t misled; /* Of these, with an answer that follows from a lie. */
    unsigned asked;
    unsigned lookups;
};

static struct liar {
    struct house house;
    struct tally tally;
    const struct twist_table *table;
    const struct twist *twist;
    const struct scene *scene;
    struct referee_question question; /* The client's. */
    unsigned variant;
    unsigned stride; /* Of the variants of a row one of so many is told. */
    enum play play;
    size_t turn; /* Of the other questions. */
} liar;

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
    const struct scene *scene = liar.scene;
    fprintf(stderr, "scene %zu: %s type %u at %s, lie \"%s\" %u, %s; %s\n",
        (size_t)(scene - scenes), scene->story.name, scene->story.type, scene->liar[0],
        liar.twist->name, liar.variant, play_names[liar.play], when);
    for (size_t i = 0; i < liar.house.source_count && i < 2; i++) {
        const struct house_source *source = &liar.house.sources[i];
        bytes_print("the liar said", source->bytes, source->len);
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

/* Does it follow from what upstream truly says, or a name server of the zone? */
static bool answer_is_true(const struct referee_question *question, const struct tale *answer)
{
    static struct tale truth;
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    uint8_t query[512];
    size_t len = house_query(question, query);
    size_t count = direct_referee_is_direct(&question->name) ? SIZE_MAX : 1;
    for (size_t i = 0; i < count && net_servers[i] != NULL; i++) {
        struct address server = net_address(net_servers[i]);
        const struct house_request request = {
            .story = liar.house.story, .server = &server, .message = query, .len = len};
        must(tale_read(&truth, bytes, house_truth(&liar.house, &request, bytes)));
        if (referee_follows(question, answer, &truth, limits_of(&question->name)) == NULL) {
            return true;
        }
    }
    return false;
}

enum outcome_of_lie {
    LIE_TRUTH,
    LIE_BELIEVED,
    LIE_FAILURE,
};

static enum outcome_of_lie liar_judge(const struct referee_question *question, const char *when)
{
    const struct tale *answer = liar_answer(question, when);
    const char *complaint;
    if (answer_is_true(question, answer)) {
        return LIE_TRUTH;
    }
    if (referee_is_failure(answer)) {
        return LIE_FAILURE;
    }
    bool is_denied = tale_rcode(answer) == RCODE_NXDOMAIN && direct_referee_denies(&question->name);
    if (!is_denied &&
        !direct_referee_follows(question, answer, limits_of(&question->name), &complaint)) {
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

/* ---- The net ---- */

static bool liar_is_at(const struct house *house, const struct address *server)
{
    (void)house;
    for (size_t i = 0; i < 3 && liar.scene->liar[i] != NULL; i++) {
        struct address address = net_address(liar.scene->liar[i]);
        if (address_equal(&address, server)) {
            return true;
        }
    }
    return false;
}

static void liar_on_sent(const struct house *house, const struct house_line *line)
{
    const char *complaint =
        direct_referee_may_ask(&line->server, line->message, line->len, house->now);
    if (complaint != NULL) {
        char text[64];
        address_format(&line->server, text, sizeof text);
        fprintf(stderr, "to %s\n", text);
        bytes_print("the message", line->message, line->len);
        liar_fail("sent", complaint);
    }
}

static void liar_on_reply(
    const struct house *house, const struct house_line *line, const uint8_t *bytes, size_t len)
{
    struct house_source source = {.bytes = (uint8_t *)(uintptr_t)bytes, .len = len};
    memcpy(source.asked, line->message, line->len);
    source.asked_len = line->len;
    direct_referee_hear(&line->server, &source, house->mode != HOUSE_HONEST, house->now);
}

/* ---- Asking ---- */

static void liar_ask(const struct referee_question *question, const char *when)
{
    direct_referee_ask(question);
    house_ask(&liar.house, question);
    unsigned lookups = direct_referee_lookups();
    if (lookups > LOOKUPS_MAX) {
        liar_fail(when, "too much is looked up for one question");
    }
    if (liar.house.reply_cpu > REPLY_CPU_MAX) {
        liar_fail(when, "a reply takes too long");
    }
    liar.tally.asked = liar.house.asked > liar.tally.asked ? liar.house.asked : liar.tally.asked;
    liar.tally.lookups = lookups > liar.tally.lookups ? lookups : liar.tally.lookups;
}

static void liar_ask_truth(const struct referee_question *question, const char *when)
{
    liar_ask(question, when);
    if (liar_judge(question, when) != LIE_TRUTH) {
        liar_fail(when, "not the truth");
    }
}

static void liar_tell(void)
{
    struct house *house = &liar.house;
    house->lie = (struct lie){liar.twist->tell, liar.twist->garble, liar.variant};
    house->mode = liar.play == PLAY_RACED ? HOUSE_RACED : HOUSE_LYING;
    liar_ask(&liar.question, "asked");
    enum outcome_of_lie outcome = liar_judge(&liar.question, "asked");
    house_pass(house, 1000000); /* Old servers serve while others are looked for. */
    house->mode = HOUSE_HONEST;
    bool is_strange = lie_was_strange();
    if (liar.play == PLAY_RACED && outcome != LIE_TRUTH && is_strange) {
        liar_fail("asked", "what was no reply has hindered the truth");
    }
    liar.tally.untold += house->source_count == 0 ? 1 : 0;
    liar.tally.strangers += is_strange ? 1 : 0;
    liar.tally.truths += outcome == LIE_TRUTH ? 1 : 0;
    liar.tally.believed += outcome == LIE_BELIEVED ? 1 : 0;
    liar.tally.failures += outcome == LIE_FAILURE ? 1 : 0;
    if (outcome == LIE_FAILURE && !direct_referee_is_misled(&liar.question)) {
        liar_fail("asked", "a failure, though upstream knows");
    }
}

static void liar_ask_other(const struct referee_question *question, const char *when)
{
    liar_ask(question, when);
    liar.tally.questions++;
    switch (liar_judge(question, when)) {
    case LIE_TRUTH:
        return;
    case LIE_BELIEVED:
        liar.tally.misled++;
        return;
    case LIE_FAILURE:
        if (!direct_referee_is_misled(question)) {
            liar_fail(when, "a failure");
        }
        liar.tally.misled++;
        return;
    }
}

static void liar_ask_others(void)
{
    size_t count = liar.table->is_about_others ? OTHERS_MANY : OTHERS_SOME;
    for (size_t i = 0; i < count; i++) {
        size_t at = liar.turn++ % OTHERS;
        struct referee_question question = {
            .name = tale_name(others[at].name), .type = others[at].type};
        bool is_it = question.type == liar.question.type &&
                     tale_name_is(&question.name, &liar.question.name);
        if (!is_it) {
            liar_ask_other(&question, others[at].name);
        }
    }
}

/* Nothing is in it that was not asked for. */
static void liar_check_cache(void)
{
    struct cache_metrics metrics;
    cache_read_metrics(liar.house.cache, &metrics);
    if (metrics.cache_entries > direct_referee_asked()) {
        liar_fail("asked", "the cache holds more than what was asked for");
    }
}

/* ---- A play ---- */

/* What makes the zone's servers known, and those of the part. */
static void liar_prepare(void)
{
    if (liar.scene->story.has_cookies || liar.play == PLAY_LATER) {
        liar_ask_truth(&liar.question, "before");
    } else if (liar.play == PLAY_WARM) {
        struct referee_question question = liar.question;
        question.type = TYPE_PTR; /* Nobody has any. */
        liar_ask_truth(&question, "before");
    }
    if (liar.play == PLAY_LATER) {
        house_pass(&liar.house, TTL_SERVERS_US + 1000000);
    } else {
        cache_flush_all(liar.house.cache);
    }
}

static void liar_play(void)
{
    direct_referee_begin();
    house_begin(&liar.house, &liar.scene->story);
    liar_prepare();
    liar_tell();
    liar_check_cache();
    liar_ask(&liar.question, "asked again");
    liar_judge(&liar.question, "asked again");
    liar_ask_others();
    house_pass(&liar.house, FORGOTTEN_US);
    liar_ask_truth(&liar.question, "asked much later");
    house_pass(&liar.house, 10000000);
    house_end(&liar.house);
    liar.tally.plays++;
}

/* ---- All plays ---- */

static void liar_set_scene(const struct scene *scene)
{
    const struct story *story = &scene->story;
    liar.scene = scene;
    liar.question = story_question(story);
    if (scene->name != NULL) {
        liar.question.name = tale_name(scene->name);
        liar.question.type = scene->type;
    }
}

/* Nobody is asked who the servers are while they are known, nor do those above refer to them. */
static bool play_has_lie(const struct scene *scene, enum play play)
{
    bool is_above = strcmp(scene->liar[0], "192.0.2.10") == 0;
    return (play != PLAY_WARM || scene->name == NULL) && (play < PLAY_WARM || !is_above);
}

/* The plays go by turns, and so do the variants of a long row. */
static void liar_tell_all(size_t number, const struct twist *twist)
{
    liar_set_scene(&scenes[number]);
    struct address server = net_address(liar.scene->liar[0]);
    unsigned variants = twist_variants(twist, &liar.house, &liar.scene->story, &server);
    liar.twist = twist;
    unsigned turn = (unsigned)number;
    for (liar.variant = (unsigned)number % liar.stride; liar.variant < variants;
         liar.variant += liar.stride) {
        do {
            liar.play = (enum play)(turn++ % PLAYS);
        } while (!play_has_lie(liar.scene, liar.play));
        liar_play();
    }
}

static void tally_print(const char *name, const struct tally *tally)
{
    printf("%-40s %6" PRIu64 " lies: %6" PRIu64 " untold, %6" PRIu64 " no reply, %6" PRIu64
           " truth, %6" PRIu64 " believed, %6" PRIu64 " failed; %7" PRIu64
           " other questions, %5" PRIu64 " misled; %u messages, %u lookups\n",
        name, tally->plays, tally->untold, tally->strangers, tally->truths, tally->believed,
        tally->failures, tally->questions, tally->misled, tally->asked, tally->lookups);
    fflush(stdout);
}

static void liar_run(const struct twist_table *table)
{
    liar.table = table;
    for (size_t i = 0; i < table->count; i++) {
        liar.tally = (struct tally){0};
        liar.house.reply_cpu = 0;
        for (size_t scene = 0; scene < SCENES; scene++) {
            liar_tell_all(scene, &table->rows[i]);
        }
        tally_print(table->rows[i].name, &liar.tally);
        printf("    the dearest reply took %.2f ms\n",
            1e3 * (double)liar.house.reply_cpu / CLOCKS_PER_SEC);
    }
}

int main(int argc, char **argv)
{
    /* One in so many variants, so that each table takes about as long. */
    static const struct {
        const struct twist_table *table;
        unsigned stride;
    } tables[] = {{&twists_referrals, 1}, {&twists_header, 1}, {&twists_records, 1},
        {&twists_foreign, 1}, {&twists_chains, 1}, {&twists_denials, 1}, {&twists_bytes, 3}};
    static const struct house_net net = {net_answer, liar_is_at, liar_on_sent, liar_on_reply};
    log_set_level(LOG_LEVEL_ERROR);
    net_open();
    house_open(&liar.house, NULL, conf);
    liar.house.net = &net;
    liar.house.asks_max = ASKS_MAX;
    bool is_known = false;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (argc == 2 && strcmp(argv[1], tables[i].table->name) == 0) {
            liar.stride = tables[i].stride;
            liar_run(tables[i].table);
            is_known = true;
        }
    }
    house_close(&liar.house);
    direct_referee_close();
    net_close();
    if (!is_known) {
        fputs("usage: liar_direct referrals|header|records|foreign|chains|denials|bytes\n", stderr);
        return 64;
    }
    return 0;
}
