/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: a reply. Who serves a zone is read from it in every way: within bounds of work and of what
 * may come of it, nothing from outside what the sender may speak of, and the same each time. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "wire/message.h"
#include "wire/types.h"
#include "resolver/delegation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hash_key secret = {1, 2};

static void delegation_check(const struct delegation *delegation)
{
    must(delegation->records <= DELEGATION_RECORDS_MAX);
    must(delegation->name_count <= DELEGATION_NAMES_MAX);
    must(delegation->address_count <= DELEGATION_ADDRESSES_MAX);
    for (size_t i = 0; i < delegation->name_count; i++) {
        const struct delegation_name *name = &delegation->names[i];
        must(name_is_valid(name->bytes, name->len));
        for (size_t j = 0; j < i; j++) {
            must(!delegation_name_equal(name, &delegation->names[j]));
        }
    }
    for (size_t i = 0; i < delegation->address_count; i++) {
        const struct address *address = &delegation->addresses[i];
        must(address->family == ADDRESS_IPV4 || address->family == ADDRESS_IPV6);
        must(address->port == 53);
    }
}

/* `labels_up` labels above the asked name. */
static struct delegation_name name_above(const struct delegation_name *asked, unsigned labels_up)
{
    struct delegation_name name;
    size_t at = 0;
    for (unsigned i = 0; i < labels_up && asked->bytes[at] != 0; i++) {
        at += (size_t)asked->bytes[at] + 1;
    }
    delegation_name_set(&name, asked->bytes + at, asked->len - at);
    return name;
}

static void referral_check(const struct message *reply, const struct delegation_name *asked)
{
    for (unsigned up = 0; up < 4; up++) {
        struct delegation_name zone = name_above(asked, up);
        const struct delegation_case judged = {.asked = asked, .zone = &zone, .secret = &secret};
        struct delegation delegation;
        struct delegation again;
        bool is_referral = delegation_read_referral(reply, &judged, &delegation);
        must(delegation_read_referral(reply, &judged, &again) == is_referral);
        must(again.name_count == delegation.name_count);
        for (size_t i = 0; i < again.name_count; i++) {
            must(delegation_name_equal(&again.names[i], &delegation.names[i]));
        }
        must(delegation.records <= DELEGATION_RECORDS_MAX);
        if (!is_referral) {
            continue;
        }
        delegation_check(&delegation);
        must(delegation.name_count > 0 && reply->counts[1] == 0);
        must(delegation.cut.len > zone.len && delegation_name_is_under(&delegation.cut, &zone));
        must(delegation_name_is_under(asked, &delegation.cut));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message reply;
    struct delegation_name asked;
    struct delegation delegation;
    struct address addresses[3];
    uint32_t ttl = 1000;
    if (message_read(data, size, &reply) != MESSAGE_GOOD) {
        return 0;
    }
    delegation_name_set(&asked, reply.question.name, reply.question.name_len);
    referral_check(&reply, &asked);
    const struct delegation_case judged = {.asked = &asked, .secret = &secret};
    if (delegation_read_answer(&reply, &judged, &delegation)) {
        delegation_check(&delegation);
        must(delegation.name_count > 0 && delegation.address_count == 0);
        must(delegation_name_equal(&delegation.cut, &asked));
    }
    struct delegation_name zone;
    if (delegation_read_zone(&reply, &asked, &zone)) {
        must(name_is_valid(zone.bytes, zone.len) && delegation_name_is_under(&asked, &zone));
    }
    must(delegation_read_addresses(&reply, TYPE_A, &ttl, addresses, 3) <= 3);
    must(delegation_read_addresses(&reply, TYPE_AAAA, &ttl, addresses, 3) <= 3);
    must(ttl <= 1000);
    return 0;
}
