/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/summary.h"

#include "base/text.h"
#include "conf/settings.h"
#include "daemon/sockets.h"

void summary_add_listen(struct text *text, const struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->listen_count; i++) {
        char place[ADDRESS_TEXT_SIZE];
        (void)address_format(&sockets->listen[i], place, sizeof place);
        text_addf(text, "%s%s", i == 0 ? "" : ",", place);
    }
}

void summary_add_upstreams(struct text *text, const struct settings *settings)
{
    const struct settings_group *group = &settings->groups[0];
    for (size_t i = 0; i < group->server_count; i++) {
        const struct settings_server *server = &group->servers[i];
        char place[ADDRESS_TEXT_SIZE];
        (void)address_format(&server->address, place, sizeof place);
        text_addf(text, "%s%s%s%s", i == 0 ? "" : ",", place,
            settings_server_is_tls(server) ? "#" : "", settings_server_tls_label(server));
    }
    if (group->server_count == 0) {
        text_add(text, "none");
    }
}
