/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/facts.h"

#include <stdlib.h>

#include "doctor/mail_log.h"

void facts_gather(struct facts *facts, const struct host *host)
{
    postfix_read(&facts->postfix, host);
    if (postfix_is_removed(&facts->postfix, host)) {
        postfix_fini(&facts->postfix);
    }
    net_sockets_read(&facts->sockets, host);
    processes_read(&facts->processes, host);
    resolver_files_read(&facts->resolver, host);
    resolver_owner_find(&facts->resolver_owner, host, &facts->processes);
    list_uses_gather(&facts->lists, host, &facts->postfix);
}

void facts_fini(struct facts *facts)
{
    postfix_fini(&facts->postfix);
    net_sockets_fini(&facts->sockets);
    processes_fini(&facts->processes);
    list_uses_fini(&facts->lists);
    free(facts->mail_log);
    facts->mail_log = NULL;
}
