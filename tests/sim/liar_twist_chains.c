/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "wire/types.h"

/* Aliases: RFC 1034 section 3.6.2, 2181 section 10.1, 6672. They lead from the asked name, by links
 * c1.example, c2.example ..., to where each lie wants. */
static struct world_name link_name(const struct tale *tale, unsigned number)
{
    char text[32];
    if (number == 0) {
        return tale->name;
    }
    snprintf(text, sizeof text, "c%u.example.", number);
    return tale_name(text);
}

static struct tale_record *alias_add(struct tale *tale, unsigned section,
    const struct world_name *owner, const struct world_name *target)
{
    struct tale_record form = {
        .section = section, .type = TYPE_CNAME, .class = CLASS_IN, .ttl = 300};
    form.owner = *owner;
    return tale_put(tale, &form, target->bytes, target->len);
}

/* What the truth has as its end: all answers of the asked type, now of that name. */
static void end_add(struct tale *tale, const struct world_name *name)
{
    struct tale_record *record =
        tale->type == TYPE_MX    ? tale_add(tale, TALE_ANSWER, "x. 300 MX 5 evil.other.")
        : tale->type == TYPE_TXT ? tale_add(tale, TALE_ANSWER, "x. 300 TXT \"evil\"")
                                 : tale_add(tale, TALE_ANSWER, "x. 300 A " TWIST_EVIL);
    record->owner = *name;
}

static void links_add(struct tale *tale, unsigned links)
{
    for (unsigned i = 0; i < links; i++) {
        struct world_name owner = link_name(tale, i);
        struct world_name target = link_name(tale, i + 1);
        alias_add(tale, TALE_ANSWER, &owner, &target);
    }
}

static void answer_drop(struct tale *tale)
{
    for (size_t i = 0; i < tale->count;) {
        if (tale->records[i].section != TALE_ADDITIONAL) {
            tale_remove(tale, i);
        } else {
            i++;
        }
    }
    tale->flags = (uint16_t)(tale->flags & ~0xfu);
}

static void records_reverse(struct tale *tale)
{
    for (size_t i = 0; i < tale->count / 2; i++) {
        struct tale_record kept = tale->records[i];
        tale->records[i] = tale->records[tale->count - 1 - i];
        tale->records[tale->count - 1 - i] = kept;
    }
}

static const unsigned chain_links[] = {1, 2, 9, 10, 11, 12, 13, 20, 30, 100, 1000};
#define CHAINS (sizeof chain_links / sizeof chain_links[0])

static unsigned chain_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return CHAINS * 2;
}

/* In order, or the end first. */
static void chain(struct tale *tale, unsigned variant)
{
    unsigned links = chain_links[variant / 2];
    answer_drop(tale);
    links_add(tale, links);
    struct world_name end = link_name(tale, links);
    end_add(tale, &end);
    if (variant % 2 == 1) {
        records_reverse(tale);
    }
}

/* No end: only the links. */
static void chain_open(struct tale *tale, unsigned variant)
{
    answer_drop(tale);
    links_add(tale, chain_links[variant / 2]);
    if (variant % 2 == 1) {
        tale->flags |= RCODE_NXDOMAIN;
    }
}

/* A chain to a name that is somebody else's, with a forged address there. */
static unsigned victims_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 15;
}

static void chain_to_victim(struct tale *tale, unsigned variant)
{
    static const char *const names[] = {"victim.example.", "bank.other.", "mail.example."};
    struct world_name victim = tale_name(names[variant % 3]);
    unsigned kind = variant / 3;
    answer_drop(tale);
    alias_add(tale, TALE_ANSWER, &tale->name, &victim);
    if (kind == 0) {
        end_add(tale, &victim);
    } else if (kind <= 3) {
        tale->flags |= kind == 2 ? 0 : RCODE_NXDOMAIN;
        if (kind > 1) {
            tale_add(tale, TALE_AUTHORITY, ". 300 SOA ns.example. root.example. 1 9 9 9 60");
        }
    } else {
        struct world_name evil = tale_name("evil.other.");
        alias_add(tale, TALE_ANSWER, &victim, &evil);
        end_add(tale, &evil);
    }
}

static unsigned loop_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 20 * 2;
}

/* To itself, and around 2 to 20 names; also with an end that is not on the way. */
static void loop(struct tale *tale, unsigned variant)
{
    unsigned links = variant % 20;
    struct world_name last = link_name(tale, links);
    answer_drop(tale);
    links_add(tale, links);
    alias_add(tale, TALE_ANSWER, &last, &tale->name);
    if (variant >= 20) {
        struct world_name stranger = tale_name("victim.example.");
        end_add(tale, &stranger);
    }
}

/* A loop that does not come back to the beginning. */
static void loop_behind(struct tale *tale, unsigned variant)
{
    unsigned links = 1 + variant % 20;
    struct world_name last = link_name(tale, links);
    struct world_name first = link_name(tale, 1);
    answer_drop(tale);
    links_add(tale, links);
    alias_add(tale, TALE_ANSWER, &last, &first);
}

static unsigned four(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 4;
}

/* Two aliases at a name, in both orders, with ends for both or for one. */
static void aliases_two(struct tale *tale, unsigned variant)
{
    struct world_name one = link_name(tale, 1);
    struct world_name two = link_name(tale, 2);
    answer_drop(tale);
    alias_add(tale, TALE_ANSWER, &tale->name, &one);
    alias_add(tale, TALE_ANSWER, &tale->name, &two);
    end_add(tale, &two);
    if (variant % 2 == 1) {
        end_add(tale, &one);
    }
    if (variant >= 2) {
        records_reverse(tale);
    }
}

/* An alias and other data at one name (RFC 2181 section 10.1). */
static void alias_and_data(struct tale *tale, unsigned variant)
{
    struct world_name target = tale_name("victim.example.");
    if (variant % 2 == 1) {
        answer_drop(tale);
        end_add(tale, &tale->name);
    }
    alias_add(tale, TALE_ANSWER, &tale->name, &target);
    if (variant >= 2) {
        end_add(tale, &target);
    }
}

/* Aliases where none may be. */
static void alias_elsewhere(struct tale *tale, unsigned variant)
{
    struct world_name target = tale_name("evil.other.");
    answer_drop(tale);
    alias_add(tale, TALE_AUTHORITY + variant % 2, &tale->name, &target);
    if (variant >= 2) {
        end_add(tale, &target);
    }
}

/* ---- DNAME (RFC 6672) ---- */

#define DNAMES 8

static unsigned dname_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return DNAMES * 2;
}

/* The asked name with its last label but the root's replaced: what "DNAME owner -> target" makes.
 */
static struct world_name dname_result(
    const struct tale *tale, const struct world_name *owner, const struct world_name *target)
{
    struct world_name name = tale->name;
    size_t front = name.len - owner->len;
    memcpy(name.bytes + front, target->bytes, target->len);
    name.len = (uint8_t)(front + target->len);
    return name;
}

/* Odd variants bring an end that the DNAME, rightly read, does not lead to. */
static void dname(struct tale *tale, unsigned variant)
{
    static const char *const owners[DNAMES] = {"example.", "example.", "example.", ".", "other.",
        "victim.example.", "example.", "example."};
    static const char *const targets[DNAMES] = {"evil.other.", "evil.other.", "evil.other.",
        "evil.other.", "evil.other.", "evil.other.", "example.", "sub.example."};
    unsigned kind = variant / 2;
    struct world_name owner = tale_name(owners[kind]);
    struct world_name target = tale_name(targets[kind]);
    struct world_name stranger = tale_name("bank.other.");
    bool holds = tale_name_is_under(&tale->name, &owner) && !tale_name_is(&tale->name, &owner);
    struct world_name right = holds ? dname_result(tale, &owner, &target) : stranger;
    struct tale_record form = {
        .section = TALE_ANSWER, .type = TYPE_DNAME, .class = CLASS_IN, .ttl = 300};
    form.owner = owner;
    answer_drop(tale);
    tale_put(tale, &form, target.bytes, target.len);
    if (kind != 1) { /* Without the CNAME that must go with it. */
        alias_add(tale, TALE_ANSWER, &tale->name, kind == 2 ? &stranger : &right);
    }
    end_add(tale, variant % 2 == 0 ? &right : &stranger);
}

/* A name that grows out of its 255 bytes, and one that never ends. */
static void dname_growing(struct tale *tale, unsigned variant)
{
    static const char *const targets[4] = {"a.example.", "example.",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.",
        "."};
    struct world_name owner = tale_name("example.");
    struct world_name target = tale_name(targets[variant]);
    struct tale_record form = {
        .section = TALE_ANSWER, .type = TYPE_DNAME, .class = CLASS_IN, .ttl = 300};
    form.owner = owner;
    answer_drop(tale);
    tale_put(tale, &form, target.bytes, target.len);
    end_add(tale, &target);
}

static const struct twist rows[] = {
    {"chain of 1 to 1,000 links", chain_count, chain, NULL},
    {"chain without an end", chain_count, chain_open, NULL},
    {"chain to somebody else's name", victims_count, chain_to_victim, NULL},
    {"alias loop of 1 to 20 names", loop_count, loop, NULL},
    {"alias loop behind the first link", loop_count, loop_behind, NULL},
    {"two aliases at a name", four, aliases_two, NULL},
    {"alias and other data", four, alias_and_data, NULL},
    {"alias in another section", four, alias_elsewhere, NULL},
    {"DNAME, its CNAME right, wrong, missing", dname_count, dname, NULL},
    {"DNAME, growing", four, dname_growing, NULL},
};

const struct twist_table twists_chains = {"chains", rows, sizeof rows / sizeof rows[0], true};
