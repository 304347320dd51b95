/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/lifetime.h"

#include "wire/types.h"

static int64_t lifetime_at_most(int64_t limit_us, int64_t stale_max_us)
{
    return stale_max_us < limit_us ? stale_max_us : limit_us;
}

/* Keys, signatures and proofs are rolled on the promise that no cache keeps them past their TTL
 * (RFC 7671 section 8.1): an old TLSA makes DANE refuse delivery (RFC 7672 section 2.2), and "there
 * is no TLSA" kept too long takes its protection away. */
bool lifetime_is_timed_proof(uint16_t type)
{
    return type == TYPE_TLSA || type == TYPE_DS || type == TYPE_DNSKEY || type == TYPE_RRSIG ||
           type == TYPE_NSEC || type == TYPE_NSEC3;
}

int64_t lifetime_stale_us(const struct lifetime_subject *subject, int64_t stale_max_us)
{
    if (stale_max_us <= 0 || subject->is_ad || lifetime_is_timed_proof(subject->type)) {
        return 0;
    }
    switch (subject->kind) {
    case CACHE_KIND_ANSWER:
    case CACHE_KIND_NODATA:
        return subject->is_list ? lifetime_at_most(LIFETIME_STALE_LISTED_US, stale_max_us)
                                : stale_max_us;
    case CACHE_KIND_NXDOMAIN:
        return lifetime_at_most(LIFETIME_STALE_NXDOMAIN_US, stale_max_us);
    case CACHE_KIND_FAILURE:
        return 0;
    }
    return 0;
}

int64_t lifetime_failure_us(unsigned failures)
{
    if (failures <= 1) {
        return LIFETIME_FAILURE_MIN_US;
    }
    if (failures > 3) {
        return LIFETIME_FAILURE_MAX_US;
    }
    return LIFETIME_FAILURE_MIN_US << (failures - 1);
}
