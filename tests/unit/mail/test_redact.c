/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/name.h"

#include "mail/list_zone.h"
#include "mail/redact.h"

struct redact_row {
    const char *name;
    const char *hidden; /* As everybody may see it. */
    const char *shown;  /* With the subject. */
};

static const struct redact_row rows[] = {
    {"gmail.com", "gmail.com.", "gmail.com."},
    {".", ".", "."},
    {"zen.spamhaus.org", "zen.spamhaus.org.", "zen.spamhaus.org."},
    {"2.0.0.127.zen.spamhaus.org", "?.zen.spamhaus.org.", "2.0.0.127.zen.spamhaus.org."},
    {"2.0.0.127.ZEN.Spamhaus.org", "?.ZEN.Spamhaus.org.", "2.0.0.127.ZEN.Spamhaus.org."},
    {"example.com.dbl.spamhaus.org", "?.dbl.spamhaus.org.", "example.com.dbl.spamhaus.org."},
    {"a\\.b.dbl.spamhaus.org", "?.dbl.spamhaus.org.", "a\\.b.dbl.spamhaus.org."},
    {"2.0.0.127.s3cret.zen.dq.spamhaus.net", "?.*.zen.dq.spamhaus.net.",
        "2.0.0.127.*.zen.dq.spamhaus.net."},
    {"a._email.s3cret.hbl.dq.spamhaus.net", "?.*.hbl.dq.spamhaus.net.",
        "a._email.*.hbl.dq.spamhaus.net."},
    {"s3cret.zen.dq.spamhaus.net", "*.zen.dq.spamhaus.net.", "*.zen.dq.spamhaus.net."},
    {"zen.dq.spamhaus.net", "zen.dq.spamhaus.net.", "zen.dq.spamhaus.net."},
    {"4.3.2.1.bl.example.org", "?.bl.example.org.", "4.3.2.1.bl.example.org."},
    {"4.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa.", "4.3.2.1.in-addr.arpa."},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t name[NAME_SIZE_MAX];
        char text[REDACT_TEXT_SIZE];
        size_t len = 0;
        assert_true(name_from_text(rows[i].name, strlen(rows[i].name), name, &len));
        struct redact_case redact = {.shows_subject = false};
        assert_int_equal(
            redact_name(&redact, name, len, text, sizeof text), strlen(rows[i].hidden));
        assert_string_equal(text, rows[i].hidden);
        redact.shows_subject = true;
        (void)redact_name(&redact, name, len, text, sizeof text);
        assert_string_equal(text, rows[i].shown);
        assert_null(strstr(text, "s3cret"));
    }
}

/* What is kept can be shown both ways, and has no key in it. */
static void test_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t name[NAME_SIZE_MAX];
        char text[REDACT_TEXT_SIZE];
        size_t len = 0;
        struct redacted kept;
        assert_true(name_from_text(rows[i].name, strlen(rows[i].name), name, &len));
        redact_keep(&(struct redact_case){.zone = NULL}, name, len, &kept);
        assert_true(name_is_valid(kept.name, kept.len));
        assert_true(kept.len <= len && kept.subject_len < kept.len);
        assert_null(memmem(kept.name, sizeof kept.name, "s3cret", 6));
        assert_int_equal(redact_kept_text(&kept, false, text, sizeof text), strlen(rows[i].hidden));
        assert_string_equal(text, rows[i].hidden);
        (void)redact_kept_text(&kept, true, text, sizeof text);
        assert_string_equal(text, rows[i].shown);
    }
}

/* A list of the operator's own, with a key that the table does not know of. */
static void test_own(void **state)
{
    static const struct list_zone own = {.zone = "bl.example.org", .has_key = true};
    static const char full[] = "example.com.s3cret.bl.example.org";
    uint8_t name[NAME_SIZE_MAX];
    char text[REDACT_TEXT_SIZE];
    size_t len = 0;
    struct redact_case redact = {.zone = &own, .zone_at = 19, .shows_subject = true};
    (void)state;
    assert_true(name_from_text(full, sizeof full - 1, name, &len));
    (void)redact_name(&redact, name, len, text, sizeof text);
    assert_string_equal(text, "example.com.*.bl.example.org.");
}

/* However long the name: the key is not shown, and the buffer holds. */
static void test_longest(void **state)
{
    static const uint8_t zone[] = "\3zen\2dq\10spamhaus\3net";
    uint8_t name[NAME_SIZE_MAX];
    char text[REDACT_TEXT_SIZE];
    size_t at = 0;
    (void)state;
    memset(name, 0xff, sizeof name);
    while (at + 1 + 63 + sizeof zone <= sizeof name) {
        name[at] = 63;
        at += 64;
    }
    memcpy(name + at, zone, sizeof zone);
    struct redact_case redact = {.shows_subject = true};
    size_t len = redact_name(&redact, name, at + sizeof zone, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text + len - strlen(".*.zen.dq.spamhaus.net."), ".*.zen.dq.spamhaus.net.");
    assert_true(redact_name(&redact, name, at + sizeof zone, text, 16) < 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
