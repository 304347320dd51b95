/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache_cost [ENTRIES]...: what a cached answer of the mail mix takes in memory, and what finding
 * it costs, in caches that hold so many. Without arguments: what full caches of several sizes hold,
 * and whether they take what they may. Counted are the pages that the process really has, not what
 * the cache says of itself; both are shown. One thread, no sockets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "cache/cache.h"
#include "wire/bytes.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/types.h"

#define COST_BATCH       1000u
#define COST_LOOKUPS     2000000u
#define COST_LISTS       12u
#define COST_MESSAGE_MAX 1024
#define COST_NOW         (INT64_C(1000) * CLOCK_US_PER_S)
#define COST_TTL_S       3600u

struct cost {
    struct cache *cache;
    uint64_t bytes_before;
    uint64_t random;
};

static uint64_t cost_resident(void)
{
    unsigned long all = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%lu %lu", &all, &resident) == 2);
    (void)fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The same for the same n, evenly spread. */
static uint32_t cost_mix(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    n ^= n >> 32;
    n *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(n >> 32);
}

static void cost_name(struct cache_key *key, const char *text)
{
    size_t len = 0;
    must(name_from_text(text, strlen(text), key->name, &len));
    key->name_len = (uint8_t)len;
}

/* The zone of the n-th name is behind its first labels. */
static uint16_t cost_zone_at(const struct cache_key *key, size_t labels)
{
    size_t at = 0;
    for (size_t i = 0; i < labels; i++) {
        at += (size_t)key->name[at] + 1;
    }
    return (uint16_t)(HEADER_SIZE + at);
}

static void cost_write_head(struct writer *to, const struct cache_key *key, unsigned rcode)
{
    (void)writer_take(to, HEADER_SIZE);
    writer_bytes(to, key->name, key->name_len);
    writer_u16(to, key->type);
    writer_u16(to, key->class);
    header_set_id(to->bytes, 0);
    header_set_flags(to->bytes, (uint16_t)(HEADER_QR | rcode));
}

static void cost_write_soa(struct writer *to, uint16_t zone_at, uint32_t serial)
{
    static const uint8_t mname[] = "\2a1\5gslbx\3org";
    const uint16_t counts[4] = {1, 0, 1, 0};
    header_set_counts(to->bytes, counts);
    writer_u16(to, (uint16_t)(0xc000u | zone_at));
    writer_u16(to, TYPE_SOA);
    writer_u16(to, CLASS_IN);
    writer_u32(to, COST_TTL_S);
    writer_u16(to, sizeof mname + 13 + 20);
    writer_bytes(to, mname, sizeof mname);
    writer_bytes(to, (const uint8_t *)"\12hostmaster", 11);
    writer_u16(to, (uint16_t)(0xc000u | zone_at));
    writer_u32(to, serial);
    for (unsigned i = 0; i < 4; i++) {
        writer_u32(to, 3600);
    }
}

static void cost_write_answer(struct writer *to, uint16_t type, size_t rdata_len)
{
    const uint16_t counts[4] = {1, 1, 0, 0};
    header_set_counts(to->bytes, counts);
    writer_u16(to, 0xc000u | HEADER_SIZE);
    writer_u16(to, type);
    writer_u16(to, CLASS_IN);
    writer_u32(to, COST_TTL_S);
    writer_u16(to, (uint16_t)rdata_len);
    uint8_t *rdata = writer_take(to, rdata_len);
    memset(rdata, 'x', rdata_len);
}

static size_t cost_list_denial(uint32_t mix, struct cache_key *key, struct cache_fill *fill)
{
    char text[100];
    (void)snprintf(text, sizeof text, "%u.%u.%u.%u.zen%u.spamlists.org", mix & 255, mix >> 8 & 255,
        mix >> 16 & 255, mix >> 24, mix / 100 % COST_LISTS);
    cost_name(key, text);
    fill->kind = CACHE_KIND_NXDOMAIN;
    fill->is_list = true;
    fill->is_any_type = true;
    return 4;
}

static size_t cost_no_data(uint64_t n, struct cache_key *key, struct cache_fill *fill)
{
    char text[100];
    (void)snprintf(text, sizeof text, "_dmarc.%x.example.org", (unsigned)n);
    cost_name(key, text);
    key->type = TYPE_TXT;
    fill->kind = CACHE_KIND_NODATA;
    return 1;
}

/* The length of its data. */
static size_t cost_data(uint64_t n, bool is_txt, struct cache_key *key, struct cache_fill *fill)
{
    char text[100];
    (void)snprintf(text, sizeof text, is_txt ? "s1._domainkey.%x.org" : "mail.%x.com", (unsigned)n);
    cost_name(key, text);
    key->type = is_txt ? TYPE_TXT : TYPE_A;
    fill->kind = CACHE_KIND_ANSWER;
    return is_txt ? 60 + cost_mix(n + 1) % 380 : 4 + cost_mix(n + 1) % 24;
}

/* The n-th question of the mix, and its answer: 65 % a list's denial, 5 % no data, 20 % A, PTR or
 * MX, 10 % TXT. */
static void cost_question(
    uint64_t n, struct cache_key *key, struct cache_fill *fill, uint8_t *bytes)
{
    uint32_t share = cost_mix(n) % 100;
    struct writer to = writer_of(bytes, COST_MESSAGE_MAX);
    *key = (struct cache_key){.type = TYPE_A, .class = CLASS_IN};
    *fill = (struct cache_fill){.ttl_s = COST_TTL_S, .message = bytes};
    if (share < 70) {
        bool is_list = share < 65;
        size_t labels = is_list ? cost_list_denial((uint32_t)n * 2654435761u, key, fill)
                                : cost_no_data(n, key, fill);
        cost_write_head(&to, key, is_list ? RCODE_NXDOMAIN : RCODE_NOERROR);
        cost_write_soa(&to, cost_zone_at(key, labels), is_list ? 1 : (uint32_t)n / 32);
    } else {
        size_t len = cost_data(n, share >= 90, key, fill);
        cost_write_head(&to, key, RCODE_NOERROR);
        cost_write_answer(&to, key->type, len);
    }
    must(!to.is_cut);
    fill->len = to.len;
}

static void cost_fill(struct cost *cost, uint64_t entries, uint64_t budget_bytes)
{
    uint8_t bytes[COST_MESSAGE_MAX];
    struct cache_key key;
    struct cache_fill fill;
    cost->bytes_before = cost_resident();
    cost->cache = cache_new(&(struct cache_options){.budget_bytes = budget_bytes,
        .shard_count = 1,
        .list_share = 100,
        .secret = {.k0 = 1, .k1 = 2}});
    must(cost->cache != NULL);
    for (uint64_t n = 0; n < entries; n++) {
        cost_question(n, &key, &fill, bytes);
        cache_store(cost->cache, &key, &fill, COST_NOW);
    }
}

/* Nanoseconds of a lookup; the questions are drawn and written before, some at a time. */
static double cost_lookup(struct cost *cost, uint64_t entries)
{
    static struct cache_key keys[COST_BATCH];
    uint8_t bytes[COST_MESSAGE_MAX];
    struct cache_fill fill;
    struct cache_found found;
    int64_t spent = 0;
    uint64_t rounds = 1 + (entries < COST_LOOKUPS / 20 ? entries * 20 : COST_LOOKUPS) / COST_BATCH;
    for (uint64_t round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < COST_BATCH; i++) {
            cost->random = cost->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            cost_question((cost->random >> 20) % entries, &keys[i], &fill, bytes);
        }
        int64_t began = clock_now();
        for (unsigned i = 0; i < COST_BATCH; i++) {
            enum cache_verdict verdict =
                cache_lookup(cost->cache, &keys[i], COST_NOW, bytes, sizeof bytes, &found);
            must(verdict == CACHE_FRESH);
        }
        spent += clock_now() - began;
    }
    return (double)spent * 1000 / (double)(rounds * COST_BATCH);
}

static void cost_run(uint64_t entries)
{
    struct cost cost = {.random = 1};
    struct cache_metrics metrics;
    cost_fill(&cost, entries, entries * 200 + CACHE_BUDGET_MIN);
    cache_read_metrics(cost.cache, &metrics);
    double resident = (double)(cost_resident() - cost.bytes_before);
    double lookup_ns = cost_lookup(&cost, entries);
    printf("%10" PRIu64 " entries %7.1f bytes resident each %7.1f counted %6.0f ns a lookup\n",
        metrics.cache_entries, resident / (double)metrics.cache_entries,
        (double)metrics.cache_bytes / (double)metrics.cache_entries, lookup_ns);
    cache_free(&cost.cache);
}

/* A budget that is too small for all: what of it is really taken? */
static void cost_run_full(uint64_t budget_bytes)
{
    struct cost cost = {.random = 1};
    struct cache_metrics metrics;
    cost_fill(&cost, budget_bytes / 50, budget_bytes);
    cache_read_metrics(cost.cache, &metrics);
    double resident = (double)(cost_resident() - cost.bytes_before);
    printf("%7.1f MiB budget %8" PRIu64 " entries, %5.1f bytes of budget each; resident %5.1f %%, "
           "counted %5.1f %%\n",
        (double)budget_bytes / (1 << 20), metrics.cache_entries,
        (double)budget_bytes / (double)metrics.cache_entries, 100 * resident / (double)budget_bytes,
        100 * (double)metrics.cache_bytes / (double)budget_bytes);
    cache_free(&cost.cache);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        cost_run(strtoull(argv[i], NULL, 10));
    }
    for (uint64_t budget = CACHE_BUDGET_MIN; argc == 1 && budget <= UINT64_C(256) << 20;
         budget *= 4) {
        cost_run_full(budget);
    }
    return 0;
}
