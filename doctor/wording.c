/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/wording.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/address.h"
#include "base/text.h"

void wording_duration(int64_t seconds, char *text_out, size_t size)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {
        {2 * 86400, "day"},
        {2 * 3600, "hour"},
        {2 * 60, "minute"},
    };
    seconds = seconds > 0 ? seconds : 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (seconds >= units[i].seconds) {
            (void)snprintf(
                text_out, size, "%" PRId64 " %ss", seconds / (units[i].seconds / 2), units[i].name);
            return;
        }
    }
    (void)snprintf(text_out, size, "%" PRId64 " second%s", seconds, seconds == 1 ? "" : "s");
}

void wording_addresses(const struct address *addresses, size_t count, char *text_out, size_t size)
{
    struct text text;
    text_init(&text, text_out, size);
    for (size_t i = 0; i < count; i++) {
        char name[ADDRESS_TEXT_SIZE];
        (void)address_format_host(&addresses[i], name, sizeof name);
        text_add(&text, i == 0 ? "" : i + 1 == count ? " and " : ", ");
        text_add(&text, name);
    }
    if (count == 0) {
        text_add(&text, "none");
    }
}
