/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/setup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "setup/failure.h"
#include "setup/journal.h"
#include "setup/plan.h"
#include "setup/port.h"

#define TOLD_SIZE 1024

/* One run. */
struct run {
    const struct plan *plan;
    const struct host *host;
    const struct setup_port *port;
    struct journal *journal;
};

__attribute__((format(printf, 2, 3))) static void tell(
    const struct setup_port *port, const char *format, ...)
{
    char told[TOLD_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(told, sizeof told, format, arguments);
    va_end(arguments);
    port->tell(told, port->context);
}

bool setup_try_upstreams(
    const struct plan *plan, const struct setup_port *port, struct failure *failure_out)
{
    size_t answering = 0;
    for (size_t i = 0; i < plan->upstream_count; i++) {
        char address[ADDRESS_TEXT_SIZE];
        (void)address_format(&plan->upstreams[i], address, sizeof address);
        bool is_there = port->answers(&plan->upstreams[i], port->context);
        answering += is_there;
        tell(port, is_there ? "upstream %s answers" : "upstream %s does NOT answer", address);
    }
    return answering > 0 || plan->upstream_count == 0 ||
           failure_set(failure_out,
               "None of the upstream servers answers, so nothing was changed. Look at the line to "
               "them and the firewall (UDP and TCP port 53), or name others with --upstreams.");
}

/* Somebody has changed the file since setup wrote it; what it says is about to be replaced, and
 * must not be lost. */
static bool keep_edit(const struct run *run, const struct journal_entry *entry,
    const struct path_state *now, struct failure *failure)
{
    char kept[JOURNAL_KEPT_SIZE];
    if (now->kind == PATH_LINK) {
        tell(
            run->port, "%s was made a symlink to %s since setup wrote it", entry->path, now->bytes);
        return true;
    }
    if (now->kind == PATH_ABSENT) {
        return true;
    }
    if (!journal_keep(run->journal, entry->path, now, kept, failure)) {
        return false;
    }
    tell(run->port, "%s was changed since setup wrote it; what it said is kept in %s", entry->path,
        kept);
    return true;
}

static bool is_edited(const struct journal_entry *entry, const struct path_state *now)
{
    return entry->set.kind != PATH_ABSENT && !path_state_has_bytes_of(&entry->set, now) &&
           !path_state_has_bytes_of(&entry->was, now);
}

/* Once in a run: later the commands of this run may have changed the file. */
static bool record(struct run *run, const struct step *step, struct failure *failure)
{
    struct path_state now;
    const struct journal_entry *entry = journal_find(run->journal, step->path);
    if (entry != NULL && !entry->is_of_run && path_state_read(run->host, step->path, &now)) {
        bool is_kept = !is_edited(entry, &now) || keep_edit(run, entry, &now, failure);
        path_state_fini(&now);
        if (!is_kept) {
            return false;
        }
    }
    return journal_record(run->journal, step->path, &step->set, failure);
}

static bool write_step(struct run *run, const struct step *step, struct failure *failure)
{
    const struct path_put put = {run->host, step->path, step->makes_folder};
    tell(run->port, "write %s, %s", step->path, step->why);
    if (!record(run, step, failure)) {
        return false;
    }
    return path_state_put(&put, &step->set) ||
           failure_set(failure,
               "%s cannot be written: %s. Go on or back with `mxcache setup` or "
               "`mxcache setup --undo`.",
               step->path, strerror(errno));
}

static void add_words(struct text *text, char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        text_addf(text, "%s%s", i > 0 ? " " : "", words[i]);
    }
}

static bool run_step(struct run *run, const struct step *step, struct failure *failure)
{
    char line[TOLD_SIZE / 2];
    struct text text;
    text_init(&text, line, sizeof line);
    add_words(&text, step->words);
    tell(run->port, "run %s, %s", line, step->why);
    if (run->port->run(step->words, run->port->context)) {
        return true;
    }
    if (!step->is_vital) {
        tell(run->port, "`%s` FAILED; it is to be run by hand, %s", line, step->why);
        return true;
    }
    return failure_set(failure,
        "`%s` failed, so /etc/resolv.conf was not touched. `journalctl -u mxcache` may tell why.",
        line);
}

static bool await_step(struct run *run, struct failure *failure)
{
    char address[ADDRESS_TEXT_SIZE];
    (void)address_format(&run->plan->self, address, sizeof address);
    tell(run->port, "wait until mxcache answers at %s, before anybody is sent to it", address);
    for (int i = 0; i < SETUP_AWAIT_TRIES; i++) {
        if (run->port->answers(&run->plan->self, run->port->context)) {
            return true;
        }
        run->port->pause(run->port->context);
    }
    return failure_set(failure,
        "mxcache does not answer at %s, so /etc/resolv.conf was not touched. `journalctl -u "
        "mxcache` tells why; `mxcache doctor port-53` who holds the port.",
        address);
}

static bool take_step(struct run *run, const struct step *step, struct failure *failure)
{
    switch (step->kind) {
    case STEP_WRITE:
        return write_step(run, step, failure);
    case STEP_RUN:
        return run_step(run, step, failure);
    case STEP_AWAIT:
        return await_step(run, failure);
    }
    return false;
}

/* Once mxcache answers: what the commands that follow make others write, and what systemd copies
 * into the chroots, is not what undoing has to bring back. */
static bool record_writes(struct run *run, size_t from, struct failure *failure)
{
    for (size_t i = from; i < run->plan->step_count; i++) {
        const struct step *step = &run->plan->steps[i];
        if (step->kind == STEP_WRITE && !record(run, step, failure)) {
            return false;
        }
    }
    return true;
}

bool setup_apply(const struct plan *plan, const struct host *host, const struct setup_port *port,
    struct failure *failure_out)
{
    struct journal *journal = malloc(sizeof *journal);
    struct run run = {plan, host, port, journal};
    if (journal == NULL) {
        return failure_set(failure_out, "Out of memory.");
    }
    bool is_done = journal_read(journal, host, failure_out);
    for (size_t i = 0; i < plan->step_count && is_done; i++) {
        is_done = take_step(&run, &plan->steps[i], failure_out);
        if (is_done && plan->steps[i].kind == STEP_AWAIT) {
            is_done = record_writes(&run, i + 1, failure_out);
        }
    }
    journal_fini(journal);
    free(journal);
    return is_done;
}

/* What stands there now may be replaced: it is setup's own, or kept first. */
static bool may_replace(const struct run *run, const struct journal_entry *entry,
    const struct path_state *now, bool is_forced, struct failure *failure)
{
    if (path_state_equal(now, &entry->was) || path_state_has_bytes_of(now, &entry->set)) {
        return true;
    }
    if (!is_forced) {
        return failure_set(failure,
            "%s was changed since setup wrote it, and is left as it is. `mxcache setup --undo "
            "--force` puts back what was there before setup, and keeps a copy of what it says now.",
            entry->path);
    }
    return !is_edited(entry, now) || keep_edit(run, entry, now, failure);
}

static bool put_back(const struct run *run, const struct journal_entry *entry, bool is_forced,
    struct failure *failure)
{
    struct path_state now;
    const struct path_put put = {run->host, entry->path, false};
    if (entry->set.kind == PATH_ABSENT) {
        return true; /* Undone before. */
    }
    if (!path_state_read(run->host, entry->path, &now)) {
        return failure_set(failure, "%s cannot be read: %s.", entry->path, strerror(errno));
    }
    bool is_back = path_state_equal(&now, &entry->was);
    bool is_allowed = may_replace(run, entry, &now, is_forced, failure);
    path_state_fini(&now);
    if (!is_allowed) {
        return false;
    }
    tell(run->port, entry->was.kind == PATH_ABSENT ? "remove %s" : "put back %s", entry->path);
    /* What could not be written in the first place need not be written now; only what an
     * interrupted run left beside it is taken away. */
    return path_state_put(&put, &entry->was) || is_back ||
           failure_set(failure, "%s cannot be put back: %s.", entry->path, strerror(errno));
}

/* The newest first, so that the host's own resolv.conf is back before mxcache loses its upstreams.
 * What cannot be put back does not keep the rest from it; of that the journal then knows no more
 * that it is ours. */
static size_t put_all_back(const struct run *run, bool is_forced, struct failure *failure)
{
    bool is_back[JOURNAL_ENTRIES_MAX];
    size_t failed = 0;
    for (size_t i = run->journal->count; i-- > 0;) {
        struct failure one;
        is_back[i] = put_back(run, &run->journal->entries[i], is_forced, &one);
        if (!is_back[i]) {
            tell(run->port, "%s", one.sentence);
            *failure = one;
            failed++;
        }
    }
    for (size_t i = 0; failed > 0 && i < run->journal->count; i++) {
        struct failure ignored;
        if (is_back[i]) {
            (void)journal_forget(run->journal, &run->journal->entries[i], &ignored);
        }
    }
    return failed;
}

bool setup_undo(const struct host *host, const struct setup_undo *undo,
    const struct setup_port *port, struct failure *failure_out)
{
    struct journal *journal = malloc(sizeof *journal);
    struct run run = {NULL, host, port, journal};
    if (journal == NULL) {
        return failure_set(failure_out, "Out of memory.");
    }
    bool is_undone = journal_read(journal, host, failure_out);
    if (is_undone && journal->count == 0) {
        is_undone = failure_set(failure_out, "There is nothing to undo: no setup has been run.");
    } else if (is_undone) {
        is_undone = put_all_back(&run, undo->is_forced, failure_out) == 0 &&
                    journal_remove(journal, failure_out);
    }
    journal_fini(journal);
    free(journal);
    return is_undone;
}
