/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "wire/question.h"
#include "wire/types.h"
#include "conf/settings.h"
#include "daemon/query_ring.h"
#include "daemon/stats.h"
#include "daemon/trouble.h"
#include "daemon/witness.h"

static struct settings settings;
static struct daemon_stats main_stats;
static struct daemon_stats worker_stats;
static char folder[64];
static char file[96];

static int setup(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    memset(&settings, 0, sizeof settings);
    memset(&worker_stats, 0, sizeof worker_stats);
    settings.workers = 2;
    (void)snprintf(folder, sizeof folder, "/tmp/mxcache-witness-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(file, sizeof file, "%s/log", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(file);
    return rmdir(folder);
}

static void make(struct witnesses *witnesses)
{
    const struct witnesses_options options = {
        .settings = &settings, .version = "1", .stats = &main_stats};
    struct trouble trouble = {.exit_code = 0};
    *witnesses = (struct witnesses){.query_log = NULL};
    assert_true(witnesses_init(witnesses, &options, &trouble));
    assert_int_equal(trouble.exit_code, 0);
}

/* One question, parked at first or answered at once, as a resolver tells it; what is answered at
 * once waits for settled(). */
static void tell(const struct observer *observer, bool is_at_once)
{
    static const uint8_t bytes[12] = {1, 2, 1};
    const struct client client = {.address = {.family = ADDRESS_IPV4, .port = 1}};
    const struct question question = {
        .name = "\007example\003org", .name_len = 13, .type = TYPE_A, .class = CLASS_IN};
    struct redacted name = {.len = 0};
    const struct redact_case redact = {.shows_subject = false};
    redact_keep(&redact, question.name, question.name_len, &name);
    const struct observed observed = {
        .client = &client,
        .question = &question,
        .name = &name,
        .class = QUESTION_CLASS_A,
        .outcome = OUTCOME_MISS,
        .answered_at = 5,
        .answer = bytes,
        .answer_len = sizeof bytes,
        .query = is_at_once ? bytes : NULL,
        .query_len = is_at_once ? sizeof bytes : 0,
    };
    if (!is_at_once) {
        observer->parked(observer->world, &client, bytes, sizeof bytes, 0);
    }
    observer->answered(observer->world, &observed);
}

/* Nobody wants to know: the resolver is not even given an observer. */
static void test_nobody(void **state)
{
    struct witnesses witnesses;
    struct witness witness;
    (void)state;
    assert_null(witness_init(&witness, NULL, 0, &worker_stats));
    make(&witnesses);
    assert_null(witness_init(&witness, &witnesses, 0, &worker_stats));
    witnesses_reopen(&witnesses);
    witnesses_fini(&witnesses);
}

/* Whoever is there is told, and nobody else is asked for. */
static void test_query_log(void **state)
{
    struct witnesses witnesses;
    struct witness witness;
    char line[512] = "";
    (void)state;
    (void)snprintf(settings.query_log, sizeof settings.query_log, "%s", file);
    make(&witnesses);
    assert_non_null(witnesses.query_log);
    assert_null(witnesses.dnstap);
    const struct observer *observer = witness_init(&witness, &witnesses, 1, &worker_stats);
    assert_non_null(observer);
    tell(observer, false);
    tell(observer, true);
    observer->settled(observer->world, 4711);
    witnesses_fini(&witnesses);
    assert_null(witnesses.query_log);
    FILE *written = fopen(file, "re");
    assert_non_null(written);
    assert_non_null(fgets(line, sizeof line, written));
    assert_non_null(strstr(line, " name=example.org. type=A "));
    assert_non_null(fgets(line, sizeof line, written));
    assert_non_null(strstr(line, " wait_us=4711"));
    assert_null(fgets(line, sizeof line, written));
    assert_int_equal(fclose(written), 0);
    assert_int_equal(counter_read(&worker_stats.query_log_dropped), 0);
    assert_int_equal(counter_read(&worker_stats.dnstap_dropped), 0);
}

/* What found no room is counted with the worker that lost it: here nothing may be read before it is
 * settled. */
static void test_dropped(void **state)
{
    struct witnesses witnesses;
    struct witness witness;
    (void)state;
    (void)snprintf(settings.query_log, sizeof settings.query_log, "%s", file);
    make(&witnesses);
    const struct observer *observer = witness_init(&witness, &witnesses, 0, &worker_stats);
    for (unsigned i = 0; i < QUERY_RING_RECORDS; i++) {
        tell(observer, true);
        assert_int_equal(counter_read(&worker_stats.query_log_dropped), 0);
    }
    tell(observer, true);
    tell(observer, true);
    assert_int_equal(counter_read(&worker_stats.query_log_dropped), 2);
    witnesses_fini(&witnesses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
