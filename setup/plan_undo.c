/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "doctor/facts.h"
#include "setup/journal.h"
#include "setup/plan.h"
#include "setup/plan_private.h"

static bool journal_has(const struct journal *journal, const char *path)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (strcmp(journal->entries[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

void plan_make_undo(struct plan *plan, const struct plan_case *facts, const struct journal *journal)
{
    for (int i = 0; i < RESOLVER_OWNERS; i++) {
        const struct resolver_owner_row *row = resolver_owner_row((enum resolver_owner_id)i);
        if (row->pin_path[0] != '\0' && row->pin_command[0] != '\0' &&
            journal_has(journal, row->pin_path)) {
            (void)plan_command(plan, facts, row->pin_command,
                "so that the owner of resolv.conf takes "
                "it over again");
        }
    }
    if (journal_has(journal, facts->conf_path)) {
        (void)plan_add_service(
            plan, facts, "so that mxcache reads its configuration", "try-restart", "mxcache");
    }
    plan_reloads(plan, facts);
}
